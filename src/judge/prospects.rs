//! What is to be expected of every stage, and of the pipeline that they are.

use std::collections::BTreeMap;

use crate::config::Pipeline;
use crate::snapshot::deferral::MAX_AHEAD_DAYS;
use crate::snapshot::{
    Activity, ActivityRow, Bucket, DeferredRows, History, OddDeferral, Text, bucket_of,
};
use crate::windows::{Clock, Windows};

use super::deadline::{self, Deadline};
use super::deferral::{self, Deferral};
use super::names::Names;
use super::prospect::{self, Prospect};
use super::{stages, unix_seconds};

/// What is to be expected of every stage, and of the pipeline.
#[derive(Debug)]
pub struct Prospects {
    /// One a stage, in display order.
    pub stages: Vec<StageProspect>,
    /// When all stages are done; absent where that is not known of each.
    pub pipeline: Option<PipelineProspect>,
    /// The next deadlines, in display order.
    pub deadlines: Vec<Deadline>,
}

impl Prospects {
    /// Returns what is to be expected of a stage.
    pub fn of(&self, stage: &str) -> Option<&Prospect> {
        let of_stage = self.stages.iter().find(|one| one.stage == stage);
        of_stage.map(|one| &one.prospect)
    }

    /// Returns the deadline of a stage, if it has one.
    pub fn deadline_of(&self, stage: &str) -> Option<&Deadline> {
        self.deadlines.iter().find(|one| one.stage == stage)
    }
}

/// What is to be expected of one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageProspect {
    /// The stage's name.
    pub stage: String,
    /// The machine that it is on, or `unassigned`.
    pub machine: String,
    /// What is to be expected of it.
    pub prospect: Prospect,
}

/// When what is in the pipeline now is done.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineProspect {
    /// In how many seconds.
    pub drain: f64,
    /// The stage that is done last; absent when nothing is in any.
    pub bottleneck: Option<String>,
}

/// Judges every stage that is shown by what its rows did.
pub(super) fn judge(
    activity: &Activity,
    odd: &[OddDeferral],
    windows: &Windows,
    names: &Names,
    pipeline: &Pipeline,
) -> Prospects {
    let mut histories = histories(activity, odd, windows, names, pipeline);
    expect_upstream(&mut histories);
    let clock = Clock::at(windows.now, pipeline.timezone);
    let shown = stages::shown(names, pipeline);
    let stages: Vec<StageProspect> = shown
        .zip(&histories)
        .map(|((stage, machine), history)| StageProspect {
            stage: stage.to_owned(),
            machine: machine.to_owned(),
            prospect: prospect::judge(history, &clock),
        })
        .collect();
    let mut prospects = Prospects {
        pipeline: whole(&stages),
        stages,
        deadlines: Vec::new(),
    };
    prospects.deadlines = deadline::judge(windows.now, pipeline, |stage| prospects.of(stage));
    prospects
}

/// The history of every stage that is shown, in that order.
fn histories(
    activity: &Activity,
    odd: &[OddDeferral],
    windows: &Windows,
    names: &Names,
    pipeline: &Pipeline,
) -> Vec<History> {
    let now = unix_seconds(windows.now);
    let known = usize::try_from(bucket_of(now) + 1 - activity.first).unwrap_or_default();
    let empty = History {
        now,
        buckets: vec![Bucket::default(); known],
        ..History::default()
    };
    let shown = stages::shown(names, pipeline).map(|(stage, _)| stage);
    let places: BTreeMap<&str, usize> = shown.zip(0..).collect();
    let mut histories = vec![empty; places.len()];
    let mut change = |stage: &Option<Text>, change: &dyn Fn(&mut History)| {
        let name = names.fold(stage.as_deref().unwrap_or_default());
        if let Some(place) = places.get(name) {
            change(&mut histories[*place]);
        }
    };
    for (stage, buckets) in activity.buckets.iter() {
        change(stage, &|history| {
            add_buckets(history, activity.first, buckets)
        });
    }
    for row in &activity.inside {
        change(&row.stage, &|history| add_inside(history, row));
    }
    for odd in odd {
        change(&odd.stage, &|history| add_odd(history, odd));
    }
    histories
}

fn add_buckets(history: &mut History, first: i64, buckets: &BTreeMap<i64, Bucket>) {
    for (number, bucket) in buckets {
        let place = usize::try_from(number - first).ok();
        if let Some(sum) = place.and_then(|place| history.buckets.get_mut(place)) {
            *sum += *bucket;
        }
    }
}

fn add_inside(history: &mut History, row: &ActivityRow) {
    history.pending += row.pending;
    history.processing += row.processing;
    history.clean += row.clean;
    let deferred = row.until.map(|until| DeferredRows {
        until,
        rows: row.pending,
    });
    history.deferred.extend(deferred);
}

/// Adds rows whose deferral SQL could not read.
fn add_odd(history: &mut History, odd: &OddDeferral) {
    let document = odd.document.as_deref().unwrap_or_default();
    if let Deferral::Until(until) = deferral::of_document(document) {
        let latest = history.now + f64::from(MAX_AHEAD_DAYS) * 86_400.0;
        history.deferred.push(DeferredRows {
            until: unix_seconds(until).min(latest),
            rows: odd.count,
        });
    }
}

/// Work flows in the order of the configuration. Of the rows in a stage as many are expected in each
/// later one as usually came there: one that sees one document in a hundred will see one of a
/// hundred that wait.
fn expect_upstream(histories: &mut [History]) {
    let mut before: Vec<(f64, f64)> = Vec::with_capacity(histories.len());
    for history in histories {
        let (created, passed) = passed(history);
        let share = |others: f64| match others > 0.0 {
            true => (created / others).min(1.0),
            false => 0.0,
        };
        let expected = before.iter().map(|(rows, others)| rows * share(*others));
        history.upstream = expected.sum();
        let inside = history.pending.saturating_add(history.processing).max(0);
        before.push((inside as f64, passed));
    }
}

/// How many rows came into a stage, and how many came or were done: an old backlog moves as well.
fn passed(history: &History) -> (f64, f64) {
    let sum = |count: fn(&Bucket) -> i64| -> f64 {
        let counts = history.buckets.iter().map(count);
        counts.map(|count| count.max(0) as f64).sum()
    };
    let created = sum(|bucket| bucket.created);
    (created, created.max(sum(|bucket| bucket.completed)))
}

/// The pipeline is done when the last of its stages is.
fn whole(stages: &[StageProspect]) -> Option<PipelineProspect> {
    let mut whole = PipelineProspect {
        drain: 0.0,
        bottleneck: None,
    };
    for stage in stages {
        let drain = stage.prospect.drain_with_upstream?;
        if drain > whole.drain {
            whole.drain = drain;
            whole.bottleneck = Some(stage.stage.clone());
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Buckets;
    use std::sync::Arc;

    /// Stages in which so many rows were created and completed in each of two hours' buckets, and
    /// so many wait.
    fn prospects(stages: &[(&str, i64, i64)], odd: &[OddDeferral]) -> Prospects {
        let now = "2026-11-24T12:00:00Z".parse().expect("an instant");
        let windows = Windows::at(now, chrono_tz::Tz::UTC);
        let last = bucket_of(unix_seconds(now));
        let (mut buckets, mut inside) = (Buckets::default(), Vec::new());
        for (stage, rows, pending) in stages {
            let stage = Some(Text::from(*stage));
            let bucket = Bucket {
                created: *rows,
                completed: *rows,
                waited: *rows,
                worked_seconds: 60.0 * *rows as f64,
                clean_created: *rows,
                clean_completed: *rows,
            };
            let of_stage = (last - 23..=last).map(|number| (number, bucket));
            buckets.insert(stage.clone(), of_stage.collect());
            inside.push(ActivityRow {
                stage,
                pending: *pending,
                ..ActivityRow::default()
            });
        }
        let activity = Activity {
            first: last - 23,
            buckets: Arc::new(buckets),
            inside,
        };
        let pipeline = crate::config::parse(
            "machines: [{key: m, stages: [first, second, rare]}]\n\
            pools: []\ndeferrals: []\nbackground_jobs: {default: m}\ntrend: []",
        );
        let pipeline = pipeline.expect("a pipeline");
        let seen = stages.iter().map(|(stage, ..)| *stage);
        let configured = pipeline.stages.iter().map(|stage| stage.name.as_str());
        let names = Names::new(configured, seen);
        judge(&activity, odd, &windows, &names, &pipeline)
    }

    fn drain(prospects: &Prospects, stage: &str) -> Option<f64> {
        let prospect = prospects.of(stage);
        prospect.and_then(|one| one.drain).map(f64::round)
    }

    #[test]
    fn every_stage_is_judged_by_its_own_rows() {
        let found = prospects(&[("second", 10, 100), ("unknown", 1, 4)], &[]);
        assert_eq!(drain(&found, "second"), Some(3000.0));
        assert_eq!(drain(&found, "unknown"), Some(1200.0));
        assert_eq!(drain(&found, "first"), Some(0.0));
    }

    #[test]
    fn what_waits_upstream_is_done_downstream_too() {
        let found = prospects(
            &[("first", 10, 200), ("second", 10, 100), ("rare", 1, 3)],
            &[],
        );
        let whole = found.pipeline.clone().expect("a pipeline");
        assert_eq!(whole.bottleneck.as_deref(), Some("rare"));
        // Of 300 rows 30 are expected there beside its own, one in five minutes.
        assert_eq!(whole.drain.round(), 33.0 * 300.0);
        assert_eq!(drain(&found, "rare"), Some(900.0));

        let found = prospects(&[("first", 10, 200), ("second", 10, 100)], &[]);
        let whole = found.pipeline.expect("a pipeline");
        assert_eq!(
            (whole.bottleneck.as_deref(), whole.drain),
            (Some("second"), 9000.0)
        );
    }

    #[test]
    fn an_empty_pipeline_is_done_and_one_that_never_worked_is_not_known() {
        let done = prospects(&[], &[]).pipeline.expect("a pipeline");
        assert_eq!((done.drain, done.bottleneck), (0.0, None));
        assert_eq!(prospects(&[("first", 0, 3)], &[]).pipeline, None);
    }

    #[test]
    fn a_deferral_that_sql_could_not_read_is_one_all_the_same() {
        let odd = OddDeferral {
            stage: Some(Text::from("first")),
            document: Some(Text::from(
                r#"{"deferred_until": "2026-11-24T14:00:00.0+00:00"}"#,
            )),
            count: 100,
        };
        let found = prospects(&[("first", 10, 100)], &[odd]);
        assert_eq!(drain(&found, "first"), Some(7200.0 + 3000.0));
    }
}
