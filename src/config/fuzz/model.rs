//! What a configuration file says, and what the contract makes of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::config::file::{self, File};
use crate::config::pipeline::{self, Pipeline};
use crate::snapshot::Statuses;

/// A stage with its members: model and machine.
type Pool = (String, Vec<(String, String)>);

/// The values of a file, without their places.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    /// Whose queue it is.
    pub preset: Option<String>,
    pub timezone: Option<String>,
    pub machines: Option<Vec<Machine>>,
    pub pools: Option<Vec<Pool>>,
    /// Machines with their stages.
    pub deferrals: Option<Vec<(String, Vec<String>)>>,
    /// The default, and machines by kind.
    pub jobs: Option<(String, BTreeMap<String, String>)>,
    pub trend: Option<Vec<String>>,
    /// Words of pending, processing, completed, failed.
    pub statuses: Option<[Option<Vec<String>>; 4]>,
    /// What the section `queue` says of timestamps without a zone.
    pub queue: Option<Option<String>>,
    /// Stages with their times of day.
    pub deadlines: Option<Vec<(String, String)>>,
    /// What a document is called, and one without a title.
    pub words: Option<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub key: String,
    pub label: Option<String>,
    pub enabled: bool,
    pub fallback: Option<String>,
    pub stages: Vec<String>,
}

impl From<File> for Model {
    fn from(file: File) -> Self {
        let values = |names: Vec<file::Name>| -> Vec<String> {
            names.into_iter().map(|name| name.value).collect()
        };
        let machine = |machine: file::Machine| Machine {
            key: machine.key.value,
            label: machine.label,
            enabled: machine.enabled,
            fallback: machine.fallback.map(|name| name.value),
            stages: values(machine.stages),
        };
        let pool = |pool: file::Pool| {
            let members = pool.members.into_iter();
            let members = members.map(|member| (member.model.value, member.machine.value));
            (pool.stage.value, members.collect())
        };
        let jobs = |jobs: file::BackgroundJobs| {
            let kinds = jobs
                .kinds
                .into_iter()
                .map(|(kind, name)| (kind, name.value));
            (jobs.default.value, kinds.collect())
        };
        let deadline = |deadline: file::Deadline| (deadline.stage.value, deadline.by.value);
        let deferral = |deferral: file::Deferral| (deferral.machine.value, values(deferral.stages));
        Self {
            preset: file.preset.map(|name| name.value),
            timezone: file.timezone.map(|name| name.value),
            machines: file
                .machines
                .map(|list| list.into_iter().map(machine).collect()),
            pools: file.pools.map(|list| list.into_iter().map(pool).collect()),
            deferrals: file
                .deferrals
                .map(|list| list.into_iter().map(deferral).collect()),
            jobs: file.background_jobs.map(jobs),
            trend: file.trend.map(values),
            statuses: file.statuses.map(|statuses| {
                let words =
                    |words: Option<file::StatusWords>| words.map(|words| values(words.value));
                [
                    words(statuses.pending),
                    words(statuses.processing),
                    words(statuses.completed),
                    words(statuses.failed),
                ]
            }),
            queue: file
                .queue
                .map(|queue| queue.naive_timestamps.map(|name| name.value)),
            deadlines: file
                .deadlines
                .map(|list| list.into_iter().map(deadline).collect()),
            words: file.words.map(|words| (words.item, words.untitled)),
        }
    }
}

/// The time of day that five characters say.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    let &[h, hh, b':', m, mm] = text.as_bytes() else {
        return None;
    };
    NaiveTime::from_hms_opt(digit(h)? * 10 + digit(hh)?, digit(m)? * 10 + digit(mm)?, 0)
}

fn are_distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

impl Model {
    /// What the documents say of a preset: one machine that has every stage, and nothing else.
    fn of_preset(name: &str) -> Option<Self> {
        let title = TITLES.iter().find(|(known, _)| *known == name)?.1;
        let workers = Machine {
            key: "workers".to_owned(),
            label: Some(format!("{title} workers")),
            enabled: true,
            fallback: None,
            stages: vec!["*".to_owned()],
        };
        Some(Self {
            preset: None,
            timezone: Some("UTC".to_owned()),
            machines: Some(vec![workers]),
            pools: Some(Vec::new()),
            deferrals: Some(Vec::new()),
            jobs: Some(("workers".to_owned(), BTreeMap::new())),
            trend: Some(Vec::new()),
            statuses: None,
            queue: None,
            deadlines: Some(Vec::new()),
            words: Some(("job".to_owned(), "job ".to_owned())),
        })
    }

    /// Returns the pipeline, unless the file contradicts itself.
    pub(super) fn pipeline(&self) -> Option<Pipeline> {
        let built_in = match &self.preset {
            None => Self::from(file::parse::<File>(file::DEFAULT).expect("the built-in file")),
            Some(name) => Self::of_preset(name)?,
        };
        let machines = self.machines.clone().or(built_in.machines)?;
        let pools = self.pools.clone().or(built_in.pools)?;
        let deferrals = self.deferrals.clone().or(built_in.deferrals)?;
        let (default_job_machine, job_kinds) = self.jobs.clone().or(built_in.jobs)?;
        let trend = self.trend.clone().or(built_in.trend)?;
        let timezone = self.timezone.clone().or(built_in.timezone)?.parse().ok()?;
        let deadlines = self.deadlines.clone().or(built_in.deadlines)?;
        let (item, untitled) = self.words.clone().or(built_in.words)?;
        let times: Option<BTreeMap<String, NaiveTime>> = deadlines
            .iter()
            .map(|(stage, by)| Some((stage.clone(), time_of_day(by)?)))
            .collect();
        let times = times?;

        let naive_timestamps = match self.queue.clone().flatten() {
            Some(zone) => Some(zone.parse().ok()?),
            None => None,
        };
        let names = ["pending", "processing", "completed", "failed"];
        let given = self.statuses.clone().unwrap_or_default();
        let words: Vec<Vec<String>> = given
            .into_iter()
            .zip(names)
            .map(|(words, name)| words.unwrap_or_else(|| vec![name.to_owned()]))
            .collect();
        let has_words = words.iter().all(|words| !words.is_empty());

        let by_key: BTreeMap<&String, &Machine> = machines.iter().map(|m| (&m.key, m)).collect();
        let is_enabled = |key: &String| by_key.get(key).is_some_and(|machine| machine.enabled);
        let owners_exist = machines.iter().all(|machine| match &machine.fallback {
            None => machine.enabled || machine.stages.is_empty(),
            Some(other) if machine.enabled => *other != machine.key && by_key.contains_key(other),
            Some(other) => *other != machine.key && is_enabled(other),
        });
        let mut stages = Vec::new();
        for machine in &machines {
            let owner = machine.fallback.as_ref().filter(|_| !machine.enabled);
            stages.extend(machine.stages.iter().map(|name| pipeline::Stage {
                name: name.clone(),
                machine: owner.unwrap_or(&machine.key).clone(),
            }));
        }
        let homes: BTreeMap<&String, &String> = stages
            .iter()
            .map(|stage| (&stage.name, &stage.machine))
            .collect();
        let rest = homes.get(&"*".to_owned()).copied();
        let home = |name: &String| homes.get(name).copied().or(rest).filter(|_| name != "*");

        let mut named_machines: Vec<&String> = job_kinds.values().collect();
        named_machines.push(&default_job_machine);
        named_machines.extend(
            pools
                .iter()
                .flat_map(|(_, members)| members.iter().map(|(_, machine)| machine)),
        );
        named_machines.extend(deferrals.iter().map(|(machine, _)| machine));
        let deferred: Vec<&String> = deferrals.iter().flat_map(|(_, stages)| stages).collect();
        let pooled: Vec<&String> = pools.iter().map(|(stage, _)| stage).collect();
        let mut named_stages = [&deferred[..], &pooled[..]].concat();
        named_stages.extend(&trend);
        named_stages.extend(deadlines.iter().map(|(stage, _)| stage));

        let holds = by_key.len() == machines.len()
            && machines
                .iter()
                .all(|machine| !["", "unassigned"].contains(&&*machine.key))
            && homes.len() == stages.len()
            && homes
                .keys()
                .all(|name| *name != "_other" && name.chars().count() <= 256)
            && owners_exist
            && named_machines.iter().all(|name| by_key.contains_key(name))
            && named_stages.iter().all(|name| home(name).is_some())
            && are_distinct(&deferred)
            && are_distinct(&pooled)
            && are_distinct(&trend)
            && times.len() == deadlines.len()
            && has_words
            && are_distinct(words.iter().flatten())
            && pools
                .iter()
                .all(|(_, members)| are_distinct(members.iter().map(|(model, _)| model)));
        holds.then(|| Pipeline {
            timezone,
            machines: machines
                .iter()
                .map(|machine| pipeline::Machine {
                    key: machine.key.clone(),
                    label: machine.label.clone().unwrap_or_else(|| machine.key.clone()),
                })
                .collect(),
            pools: pools
                .iter()
                .map(|(stage, members)| pipeline::Pool {
                    stage: stage.clone(),
                    home: home(stage).cloned().unwrap_or_default(),
                    members: members.iter().cloned().collect(),
                })
                .collect(),
            deferrals: deferrals
                .iter()
                .flat_map(|(machine, stages)| {
                    stages.iter().map(|stage| (stage.clone(), machine.clone()))
                })
                .collect(),
            job_kinds,
            default_job_machine,
            trend,
            statuses: Statuses {
                pending: words[0].clone(),
                processing: words[1].clone(),
                completed: words[2].clone(),
                failed: words[3].clone(),
            },
            naive_timestamps,
            deadlines: times,
            words: pipeline::Words { item, untitled },
            rest: rest.cloned(),
            stages: stages
                .iter()
                .filter(|stage| stage.name != "*")
                .cloned()
                .collect(),
        })
    }
}

/// Systems whose queues are known, and what their users call them.
const TITLES: [(&str, &str); 9] = [
    ("celery-results", "Celery"),
    ("good-job", "GoodJob"),
    ("graphile-worker", "Graphile Worker"),
    ("oban", "Oban"),
    ("pg-boss", "pg-boss"),
    ("pgqueuer", "PgQueuer"),
    ("procrastinate", "Procrastinate"),
    ("river", "River"),
    ("solid-queue", "Solid Queue"),
];

/// Names, most of them as people give them.
const NAMES: [&str; 45] = [
    "*",
    "gpu",
    "macmini",
    "macbook",
    "extract",
    "summarize",
    "deep_summary",
    "a",
    "b",
    "c",
    "d",
    "e",
    "no",
    "on",
    "123",
    "0x1F",
    "1.5",
    "2026-11-24",
    "null",
    "~",
    "true",
    "",
    "unassigned",
    "_other",
    "한글",
    "two words",
    "say \"hi\"",
    "back\\slash",
    "it's",
    "new\nline",
    "tab\tand\r",
    "#hash",
    "x # y",
    "colon: x",
    "- dash",
    "[x]",
    "{y}",
    "*star",
    "&amp",
    "!tag",
    "<<",
    " lead",
    "trail ",
    "\u{0}\u{1b}[31m\u{85}\u{2028}\u{feff}",
    "🗂\u{fe0f}e\u{301}",
];

/// Times of day, most of them as people should give them.
const TIMES: [&str; 12] = [
    "00:00", "23:59", "08:00", "8:00", " 8:00", "+8:00", "08:0", "24:00", "08:60", "08:00:00",
    "０8:00", "480",
];

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => (0..24, 0..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}")),
        1 => select(&TIMES[..]).prop_map(str::to_owned),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => "\\PC{1,300}",
        1 => select(vec!["x", "é"]).prop_map(|letter| letter.repeat(400)),
    ]
}

/// Files that contradict themselves now and then.
pub(super) fn model() -> impl Strategy<Value = Model> {
    let distinct = |least, most| {
        prop::collection::btree_set(name(), least..most)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
    };
    let timezone = select(vec![
        "Asia/Seoul",
        "UTC",
        "America/New_York",
        "Asia/Soul",
        "",
        "utc",
        "+09:00",
    ]);
    let some = |odds: f64| prop::option::weighted(odds, Just(()));
    let word = prop_oneof![
        1 => select(vec!["pending", "processing", "completed", "failed"]).prop_map(str::to_owned),
        3 => name(),
    ];
    let words = prop::option::weighted(0.4, prop::collection::vec(word, 0..4));
    let table = (
        prop::option::weighted(0.4, prop::array::uniform4(words)),
        prop::option::weighted(
            0.3,
            prop::option::of(timezone.clone().prop_map(str::to_owned)),
        ),
        prop::option::weighted(0.4, prop::collection::vec(time(), 0..4)),
    );
    let given = (
        prop::option::weighted(0.3, timezone),
        some(0.85),
        some(0.9),
        some(0.9),
        some(0.9),
        some(0.9),
        prop::option::weighted(0.2, 0..TITLES.len()),
    );
    let picks = prop::collection::vec(any::<Index>(), 40);
    let mistake =
        prop::option::weighted(0.4, (name(), any::<bool>(), any::<Index>(), any::<Index>()));
    (
        distinct(1, 6),
        distinct(0, 10),
        distinct(0, 4),
        prop::collection::vec(any::<(bool, bool, bool)>(), 6),
        picks,
        given,
        mistake,
        table,
    )
        .prop_map(
            |(keys, stages, kinds, flags, picks, given, mistake, table)| {
                let mut picks = picks.into_iter().cycle();
                let mut pick =
                    move |names: &[String]| picks.next().expect("another").get(names).clone();
                // Now and then a name stands where it should not, an unknown one or a known one.
                let known = [&keys[..], &stages, &kinds].concat();
                let mistake = mistake.map(|(name, is_known, which, place)| {
                    let wrong = if is_known {
                        which.get(&known).clone()
                    } else {
                        name
                    };
                    (wrong, place.index(30) + 1)
                });
                let mut names = 0;
                let mut at_last = |right: String| {
                    names += 1;
                    match &mistake {
                        Some((wrong, place)) if *place == names => wrong.clone(),
                        _ => right,
                    }
                };
                let mut machines: Vec<Machine> = keys
                    .iter()
                    .zip(&flags)
                    .map(|(key, (off, falls, labelled))| Machine {
                        key: at_last(key.clone()),
                        label: labelled.then(|| format!("{key} 서버")),
                        enabled: !(*off && *falls),
                        fallback: falls.then(|| at_last(pick(&keys))),
                        stages: Vec::new(),
                    })
                    .collect();
                for stage in &stages {
                    let home = picks_home(&mut pick, &keys);
                    machines[home].stages.push(at_last(stage.clone()));
                }
                let some_stages: Vec<String> = stages.iter().take(3).cloned().collect();
                let pools = some_stages
                    .iter()
                    .map(|stage| {
                        let members = kinds
                            .iter()
                            .map(|kind| (at_last(kind.clone()), at_last(pick(&keys))))
                            .collect();
                        (at_last(stage.clone()), members)
                    })
                    .collect();
                let deferrals = some_stages
                    .iter()
                    .map(|stage| (at_last(pick(&keys)), vec![at_last(stage.clone())]))
                    .collect();
                let deadlines = table.2.map(|times: Vec<String>| {
                    let stages = some_stages.iter().map(|stage| at_last(stage.clone()));
                    stages.zip(times).collect()
                });
                let kinds = kinds
                    .iter()
                    .map(|kind| (at_last(kind.clone()), at_last(pick(&keys))))
                    .collect();
                let (
                    timezone,
                    machines_given,
                    pools_given,
                    deferrals_given,
                    jobs_given,
                    trend_given,
                    preset,
                ) = given;
                Model {
                    preset: preset.map(|n| TITLES[n].0.to_owned()),
                    timezone: timezone.map(str::to_owned),
                    machines: machines_given.map(|()| machines),
                    pools: pools_given.map(|()| pools),
                    deferrals: deferrals_given.map(|()| deferrals),
                    jobs: jobs_given.map(|()| (at_last(pick(&keys)), kinds)),
                    trend: trend_given.map(|()| some_stages),
                    statuses: table.0,
                    queue: table.1,
                    deadlines,
                    words: jobs_given.map(|()| (at_last(pick(&keys)), at_last(pick(&keys)))),
                }
            },
        )
}

fn picks_home(pick: &mut impl FnMut(&[String]) -> String, keys: &[String]) -> usize {
    let key = pick(keys);
    keys.iter().position(|known| *known == key).unwrap_or(0)
}
