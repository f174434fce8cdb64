//! Refuses a configuration that contradicts itself, with the place and the reason.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::snapshot;

use super::file::{
    self, BackgroundJobs, Deadline, Deferral, File, Machine, Name, Pool, Spanned, Statuses,
};
use super::pipeline::{self, Pipeline, UNASSIGNED};

/// Why a configuration is refused, and where; shown as `line:column: reason`.
#[derive(Debug, thiserror::Error)]
pub struct Refusal {
    place: Option<(u64, u64)>,
    reason: String,
}

impl Refusal {
    pub(super) fn yaml(error: &serde_saphyr::Error) -> Self {
        let place = error.location().map(|at| (at.line(), at.column()));
        let message = error.without_snippet().to_string();
        let line = message.lines().next().unwrap_or_default();
        // The place is said once, in front.
        let end = [" (defined", " at line "].iter();
        let end = end.filter_map(|words| line.find(words)).min();
        let reason = line[..end.unwrap_or(line.len())].to_owned();
        Self { place, reason }
    }

    fn of_default(self) -> Self {
        let reason = format!(
            "{}, says the built-in section: give that section in the file as well",
            self.reason
        );
        Self {
            place: None,
            reason,
        }
    }

    pub(super) fn at<T>(value: &Spanned<T>, reason: String) -> Self {
        let place = (value.defined.line(), value.defined.column());
        Self {
            place: (place.0 > 0).then_some(place),
            reason,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{line}:{column}: ")?,
            None => f.write_str(" ")?,
        }
        // A name may have anything in it; the refusal is one line all the same.
        for c in self.reason.chars() {
            match c {
                c if c.is_control() => write!(f, "{}", c.escape_debug())?,
                '\u{2028}' | '\u{2029}' => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Makes a [`Pipeline`] of a file, taking absent sections from `default`.
pub(super) fn validate(file: File, default: File) -> Result<Pipeline, Refusal> {
    let machines = file.machines.or(default.machines).unwrap_or_default();
    let naive_timestamps = file.queue.and_then(|queue| queue.naive_timestamps);
    let mut stages = stages(&machines)?;
    let rest = stages.extract_if(.., |stage| stage.name == file::REST);
    let rest = rest.last().map(|stage| stage.machine);
    let names = Names {
        machines: &machines,
        stages: &stages,
        rest: rest.as_deref(),
    };
    let (default_job_machine, job_kinds) =
        section(file.background_jobs, default.background_jobs, |jobs| {
            names.jobs(&jobs)
        })?;
    Ok(Pipeline {
        timezone: section(file.timezone, default.timezone, |zone| {
            timezone(&zone, "timezone")
        })?,
        naive_timestamps: naive_timestamps
            .map(|zone| timezone(&zone, "queue: naive_timestamps"))
            .transpose()?,
        statuses: statuses(
            file.statuses.unwrap_or_default(),
            default.statuses.unwrap_or_default(),
        )?,
        pools: section(file.pools, default.pools, |pools| names.pools(&pools))?,
        deferrals: section(file.deferrals, default.deferrals, |list| {
            names.deferrals(&list)
        })?,
        trend: section(file.trend, default.trend, |stages| names.trend(&stages))?,
        deadlines: section(file.deadlines, default.deadlines, |list| {
            names.deadlines(&list)
        })?,
        default_job_machine,
        job_kinds,
        words: section(file.words, default.words, |words| Ok(called(words)))?,
        machines: machines.iter().map(displayed).collect(),
        stages,
        rest,
    })
}

/// Checks a section of the file, or the built-in one, which may not fit the file's machines.
fn section<T, R>(
    given: Option<T>,
    default: Option<T>,
    check: impl FnOnce(T) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    match (given, default) {
        (Some(given), _) => check(given),
        (None, Some(default)) => check(default).map_err(Refusal::of_default),
        (None, None) => Err(Refusal {
            place: None,
            reason: "a section is missing".to_owned(),
        }),
    }
}

/// A status that the file does not name keeps its word of `default`.
fn statuses(file: Statuses, default: Statuses) -> Result<snapshot::Statuses, Refusal> {
    let mut words = Words::default();
    let kept = [
        words.keep("pending", &file.pending, default.pending),
        words.keep("processing", &file.processing, default.processing),
        words.keep("completed", &file.completed, default.completed),
        words.keep("failed", &file.failed, default.failed),
    ];
    let [pending, processing, completed, failed] = kept;
    Ok(snapshot::Statuses {
        pending: words.given("pending", file.pending, pending)?,
        processing: words.given("processing", file.processing, processing)?,
        completed: words.given("completed", file.completed, completed)?,
        failed: words.given("failed", file.failed, failed)?,
    })
}

/// The statuses that words have been given.
#[derive(Default)]
struct Words {
    meanings: BTreeMap<String, &'static str>,
}

impl Words {
    fn keep(
        &mut self,
        status: &'static str,
        given: &Option<file::StatusWords>,
        default: Option<file::StatusWords>,
    ) -> Vec<String> {
        let default = default.filter(|_| given.is_none());
        let default = default.into_iter().flat_map(|words| words.value);
        let default: Vec<String> = default.map(|word| word.value).collect();
        let meanings = default.iter().map(|word| (word.clone(), status));
        self.meanings.extend(meanings);
        default
    }

    fn given(
        &mut self,
        status: &'static str,
        given: Option<file::StatusWords>,
        kept: Vec<String>,
    ) -> Result<Vec<String>, Refusal> {
        let Some(given) = given else {
            return Ok(kept);
        };
        if given.value.is_empty() {
            let reason = format!("statuses: `{status}` has no word");
            return Err(Refusal::at(&given, reason));
        }
        for word in &given.value {
            if let Some(other) = self.meanings.insert(word.value.clone(), status) {
                let reason = format!("statuses: `{}` means `{other}` already", word.value);
                return Err(Refusal::at(word, reason));
            }
        }
        Ok(given.value.into_iter().map(|word| word.value).collect())
    }
}

fn timezone(name: &Name, section: &str) -> Result<Tz, Refusal> {
    name.value.parse().map_err(|_| {
        let reason = format!(
            "{section} `{}` is unknown: use a name such as Asia/Seoul",
            name.value
        );
        Refusal::at(name, reason)
    })
}

fn time_of_day(text: &Name) -> Result<NaiveTime, Refusal> {
    let time = NaiveTime::parse_from_str(&text.value, "%H:%M").ok();
    let time = time.filter(|time| time.format("%H:%M").to_string() == text.value);
    time.ok_or_else(|| {
        let reason = format!(
            "deadlines: `{}` is no time of day: use one such as \"08:00\", from 00:00 to 23:59",
            text.value
        );
        Refusal::at(text, reason)
    })
}

fn displayed(machine: &Machine) -> pipeline::Machine {
    let key = machine.key.value.clone();
    let label = machine.label.clone().unwrap_or_else(|| key.clone());
    pipeline::Machine { key, label }
}

fn called(words: file::Words) -> pipeline::Words {
    let file::Words { item, untitled } = words;
    pipeline::Words { item, untitled }
}

fn stages(machines: &[Machine]) -> Result<Vec<pipeline::Stage>, Refusal> {
    let (mut stages, mut owners) = (Vec::new(), BTreeMap::new());
    for (position, machine) in machines.iter().enumerate() {
        check_key(&machine.key, &machines[..position])?;
        let owner = owner(machine, machines)?;
        for stage in &machine.stages {
            check_stage(stage)?;
            if let Some(other) = owners.insert(&stage.value, owner) {
                let reason = format!("stage `{}` is on `{other}` already", stage.value);
                return Err(Refusal::at(stage, reason));
            }
            stages.push(pipeline::Stage {
                name: stage.value.clone(),
                machine: owner.to_owned(),
            });
        }
    }
    Ok(stages)
}

fn check_key(key: &Name, earlier: &[Machine]) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal::at(key, reason));
    if key.value.is_empty() || key.value == UNASSIGNED {
        return refuse(format!("`{}` cannot be the key of a machine", key.value));
    }
    if earlier.iter().any(|machine| machine.key.value == key.value) {
        return refuse(format!("machine `{}` is configured twice", key.value));
    }
    Ok(())
}

/// Rows of such a stage would be counted in another lane than its own.
fn check_stage(stage: &Name) -> Result<(), Refusal> {
    let refuse = |reason: &str| Err(Refusal::at(stage, reason.to_owned()));
    if stage.value == "_other" {
        return refuse(
            "`_other` cannot be a stage: stages beyond the hundredth are summed under it",
        );
    }
    if stage.value.chars().count() > 256 {
        return refuse("a stage has a name of at most 256 characters: longer ones are cut");
    }
    Ok(())
}

/// The machine that has a machine's stages now: itself, or its fallback while it is off.
fn owner<'a>(machine: &'a Machine, machines: &'a [Machine]) -> Result<&'a str, Refusal> {
    let key = &machine.key.value;
    let Some(fallback) = &machine.fallback else {
        if machine.enabled || machine.stages.is_empty() {
            return Ok(key);
        }
        let reason = format!("machine `{key}` is switched off and its stages have no fallback");
        return Err(Refusal::at(&machine.key, reason));
    };
    let refuse = |reason: String| Err(Refusal::at(fallback, reason));
    if fallback.value == *key {
        return refuse(format!("machine `{key}` is its own fallback"));
    }
    match machines
        .iter()
        .find(|other| other.key.value == fallback.value)
    {
        None => refuse(format!(
            "fallback `{}` of `{key}` is no machine",
            fallback.value
        )),
        Some(other) if !other.enabled && !machine.enabled => refuse(format!(
            "fallback `{}` of `{key}` is switched off as well",
            fallback.value
        )),
        Some(other) if !machine.enabled => Ok(&other.key.value),
        Some(_) => Ok(key),
    }
}

/// The names that the sections after `machines` may use.
struct Names<'a> {
    machines: &'a [Machine],
    stages: &'a [pipeline::Stage],
    rest: Option<&'a str>,
}

impl Names<'_> {
    fn machine(&self, name: &Name, section: &str) -> Result<String, Refusal> {
        if self
            .machines
            .iter()
            .any(|machine| machine.key.value == name.value)
        {
            return Ok(name.value.clone());
        }
        let reason = format!("{section}: `{}` is no machine of `machines`", name.value);
        Err(Refusal::at(name, reason))
    }

    fn stage(&self, name: &Name, section: &str) -> Result<pipeline::Stage, Refusal> {
        if name.value == file::REST {
            let reason = format!("{section}: `*` stands only among the stages of a machine");
            return Err(Refusal::at(name, reason));
        }
        let stage = self.stages.iter().find(|stage| stage.name == name.value);
        let of_rest = |machine: &str| pipeline::Stage {
            name: name.value.clone(),
            machine: machine.to_owned(),
        };
        let stage = stage.cloned().or_else(|| self.rest.map(of_rest));
        stage.ok_or_else(|| {
            let reason = format!(
                "{section}: stage `{}` is on no machine of `machines`",
                name.value
            );
            Refusal::at(name, reason)
        })
    }

    fn pools(&self, pools: &[Pool]) -> Result<Vec<pipeline::Pool>, Refusal> {
        let mut known: Vec<pipeline::Pool> = Vec::new();
        for pool in pools {
            let stage = self.stage(&pool.stage, "pools")?;
            if known.iter().any(|other| other.stage == stage.name) {
                let reason = format!("stage `{}` has two pools", stage.name);
                return Err(Refusal::at(&pool.stage, reason));
            }
            known.push(pipeline::Pool {
                stage: stage.name,
                home: stage.machine,
                members: self.members(pool)?,
            });
        }
        Ok(known)
    }

    fn members(&self, pool: &Pool) -> Result<BTreeMap<String, String>, Refusal> {
        let mut members = BTreeMap::new();
        for member in &pool.members {
            let machine = self.machine(&member.machine, "pools")?;
            if members
                .insert(member.model.value.clone(), machine)
                .is_some()
            {
                let reason = format!("model `{}` is in one pool twice", member.model.value);
                return Err(Refusal::at(&member.model, reason));
            }
        }
        Ok(members)
    }

    fn deferrals(&self, deferrals: &[Deferral]) -> Result<BTreeMap<String, String>, Refusal> {
        let mut by_stage = BTreeMap::new();
        for deferral in deferrals {
            let machine = self.machine(&deferral.machine, "deferrals")?;
            for name in &deferral.stages {
                let stage = self.stage(name, "deferrals")?.name;
                if by_stage.insert(stage, machine.clone()).is_some() {
                    let reason = format!("deferrals: stage `{}` is listed twice", name.value);
                    return Err(Refusal::at(name, reason));
                }
            }
        }
        Ok(by_stage)
    }

    fn jobs(&self, jobs: &BackgroundJobs) -> Result<(String, BTreeMap<String, String>), Refusal> {
        let machine = |name| self.machine(name, "background_jobs");
        let kinds = jobs
            .kinds
            .iter()
            .map(|(kind, name)| Ok((kind.clone(), machine(name)?)));
        Ok((machine(&jobs.default)?, kinds.collect::<Result<_, _>>()?))
    }

    fn trend(&self, names: &[Name]) -> Result<Vec<String>, Refusal> {
        let mut trend: Vec<String> = Vec::new();
        for name in names {
            let stage = self.stage(name, "trend")?.name;
            if trend.contains(&stage) {
                return Err(Refusal::at(
                    name,
                    format!("trend: stage `{stage}` is listed twice"),
                ));
            }
            trend.push(stage);
        }
        Ok(trend)
    }

    fn deadlines(&self, deadlines: &[Deadline]) -> Result<BTreeMap<String, NaiveTime>, Refusal> {
        let mut by_stage = BTreeMap::new();
        for deadline in deadlines {
            let stage = self.stage(&deadline.stage, "deadlines")?.name;
            let by = time_of_day(&deadline.by)?;
            if by_stage.insert(stage, by).is_some() {
                let reason = format!(
                    "deadlines: stage `{}` is listed twice",
                    deadline.stage.value
                );
                return Err(Refusal::at(&deadline.stage, reason));
            }
        }
        Ok(by_stage)
    }
}
