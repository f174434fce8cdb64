//! The numbers of each stage, and of each pool by who did the work.

use std::ops::AddAssign;

use crate::config::Pipeline;
use crate::snapshot::{OddDeferral, StageRow, UnixSeconds, deferral as read_as};
use crate::windows::Windows;

use super::deferral::{self, Deferral};
use super::forecast::{self, Forecast, Ratio};
use super::names::Names;
use super::quantiles::Quantiles;
use super::{seconds_between, unix_seconds};

/// One stage's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct StageLane {
    /// The stage's name.
    pub stage: String,
    /// The machine that it is on, or `unassigned`.
    pub machine: String,
    /// Its rows by status.
    pub items: Items,
    /// Pending rows that wait for a time still to come.
    pub deferred: i64,
    /// Pending rows whose `deferred_until` is no timestamp.
    pub deferred_malformed: i64,
    /// Rows whose status is none of the four.
    pub unknown_status: i64,
    /// Its completions.
    pub completed: Completed,
    /// Those of its completions that a person skipped.
    pub skipped: Completed,
    /// Rows created in an hour.
    pub created_1h: i64,
    /// How long the rows completed in an hour had waited, in seconds.
    pub wait: Quantiles,
    /// How long they were worked on, in seconds.
    pub processing: Quantiles,
    /// Least `created_at` of the pending rows.
    pub oldest_pending: Option<UnixSeconds>,
    /// Least `started_at` of the processing rows.
    pub oldest_processing: Option<UnixSeconds>,
    /// The age of the oldest pending row, in seconds.
    pub oldest_pending_age: Option<f64>,
}

/// Rows by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Items {
    /// Rows that wait, deferred ones included.
    pub pending: i64,
    /// Rows being worked on.
    pub processing: i64,
    /// Rows that failed for good.
    pub failed: i64,
}

/// Completions by window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Completed {
    /// In 15 minutes.
    pub m15: i64,
    /// In an hour.
    pub h1: i64,
    /// Since local midnight.
    pub today: i64,
}

/// Completions of a pool by one of its machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolShare {
    /// The pool's stage.
    pub stage: String,
    /// Who completed them.
    pub machine: String,
    /// How many.
    pub completed: Completed,
    /// Those of them that a person skipped.
    pub skipped: Completed,
}

impl StageLane {
    fn empty(stage: &str, machine: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            machine: machine.to_owned(),
            items: Items::default(),
            deferred: 0,
            deferred_malformed: 0,
            unknown_status: 0,
            completed: Completed::default(),
            skipped: Completed::default(),
            created_1h: 0,
            wait: Quantiles::default(),
            processing: Quantiles::default(),
            oldest_pending: None,
            oldest_processing: None,
            oldest_pending_age: None,
        }
    }

    /// Returns when the backlog ends; nothing if it is not draining.
    pub fn eta(&self) -> Option<Ratio> {
        forecast::eta(self.items.pending, self.completed.h1, self.created_1h)
    }

    /// Returns where the backlog is going.
    pub fn forecast(&self) -> Forecast {
        Forecast::of(self.items.pending, self.completed.h1, self.created_1h)
    }

    fn add(&mut self, row: &StageRow) {
        self.items += row.items();
        self.unknown_status += row.unknown_status;
        self.completed += row.completed();
        self.skipped += row.skipped();
        self.created_1h += row.created_1h;
        self.wait.add(row.waits.as_deref().unwrap_or_default());
        self.processing
            .add(row.works.as_deref().unwrap_or_default());
        self.oldest_pending = least(self.oldest_pending, row.oldest_pending);
        self.oldest_processing = least(self.oldest_processing, row.oldest_processing);
        match row.deferral {
            read_as::FUTURE => self.deferred += row.pending,
            // Until it is found among those that are read apart.
            read_as::ODD => self.deferred_malformed += row.pending,
            _ => {}
        }
    }

    fn add_odd(&mut self, odd: &OddDeferral, windows: &Windows) {
        let document = odd.document.as_deref().unwrap_or_default();
        match deferral::of_document(document) {
            Deferral::Malformed => {}
            Deferral::Until(until) => {
                self.deferred_malformed -= odd.count;
                self.deferred += if until > windows.now { odd.count } else { 0 };
            }
            Deferral::None => self.deferred_malformed -= odd.count,
        }
    }
}

impl StageRow {
    fn items(&self) -> Items {
        Items {
            pending: self.pending,
            processing: self.processing,
            failed: self.failed,
        }
    }

    fn completed(&self) -> Completed {
        Completed {
            m15: self.completed_15m,
            h1: self.completed_1h,
            today: self.completed_today,
        }
    }

    fn skipped(&self) -> Completed {
        Completed {
            m15: self.skipped_15m,
            h1: self.skipped_1h,
            today: self.skipped_today,
        }
    }
}

/// Adds up the rows of each stage: every configured stage, then the others by name.
pub(super) fn judge(
    rows: &[StageRow],
    odd: &[OddDeferral],
    windows: &Windows,
    names: &Names,
    pipeline: &Pipeline,
) -> Vec<StageLane> {
    let mut lanes: Vec<StageLane> = shown(names, pipeline)
        .map(|(stage, machine)| StageLane::empty(stage, machine))
        .collect();
    let mut lane_of = |stage: Option<&str>, add: &mut dyn FnMut(&mut StageLane)| {
        let name = names.fold(stage.unwrap_or_default());
        if let Some(lane) = lanes.iter_mut().find(|lane| lane.stage == name) {
            add(lane);
        }
    };
    for row in rows {
        lane_of(row.stage.as_deref(), &mut |lane| lane.add(row));
    }
    for odd in odd {
        lane_of(odd.stage.as_deref(), &mut |lane| lane.add_odd(odd, windows));
    }
    let age = |oldest| seconds_between(oldest, unix_seconds(windows.now));
    lanes
        .iter_mut()
        .for_each(|lane| lane.oldest_pending_age = lane.oldest_pending.map(age));
    lanes
}

/// Returns every stage that is shown, with the machine that it is on.
pub(super) fn shown<'a>(
    names: &'a Names,
    pipeline: &'a Pipeline,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let configured = pipeline.stages.iter().map(|stage| stage.name.as_str());
    let stages = configured.chain(names.unknown());
    stages.map(|stage| (stage, pipeline.machine_of(stage)))
}

/// Splits the completions of each pool; the shares of a pool sum to its stage.
pub(super) fn pools(rows: &[StageRow], pipeline: &Pipeline) -> Vec<PoolShare> {
    let mut shares = Vec::new();
    for pool in &pipeline.pools {
        for machine in pool.machines() {
            let of_pool = rows
                .iter()
                .filter(|row| row.stage.as_deref() == Some(&pool.stage));
            let theirs = of_pool.filter(|row| pool.machine_of(row.model.as_deref()) == machine);
            let mut share = PoolShare {
                stage: pool.stage.clone(),
                machine: machine.to_owned(),
                completed: Completed::default(),
                skipped: Completed::default(),
            };
            for row in theirs {
                share.completed += row.completed();
                share.skipped += row.skipped();
            }
            shares.push(share);
        }
    }
    shares
}

fn least(a: Option<UnixSeconds>, b: Option<UnixSeconds>) -> Option<UnixSeconds> {
    [a, b].into_iter().flatten().min_by(f64::total_cmp)
}

impl AddAssign for Items {
    fn add_assign(&mut self, other: Self) {
        self.pending += other.pending;
        self.processing += other.processing;
        self.failed += other.failed;
    }
}

impl AddAssign for Completed {
    fn add_assign(&mut self, other: Self) {
        self.m15 += other.m15;
        self.h1 += other.h1;
        self.today += other.today;
    }
}
