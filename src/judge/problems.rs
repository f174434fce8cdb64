//! What somebody should look at: the conditions of the alert rules, as one board shows them.
//!
//! A rule waits for a while before it fires, and some rules compare with the past; a board tells of
//! one instant. So what stands here may be over before a rule would fire, and rows that fail one
//! after another are not here.

use crate::snapshot::UnixSeconds;

use super::jobs::Job;
use super::machines::{MachineLane, State};
use super::outlook::Outlook;
use super::stages::StageLane;
use super::{Board, Lanes, seconds_between, unix_seconds};

/// A collection that takes so many seconds is slow.
pub const SLOW_SCRAPE_SECONDS: f64 = 5.0;

/// A drain of so many seconds is too long.
pub const LONG_DRAIN_SECONDS: f64 = 86_400.0;

/// A row that waits is too old after so many seconds, unless rows are deferred there.
pub const LONG_WAIT_SECONDS: f64 = 86_400.0;

/// A row that is worked on for so many seconds is stuck ...
pub const STUCK_SECONDS: f64 = 7200.0;

/// ... and for so many, where rows are deferred: its machine may sleep over it.
pub const STUCK_ASLEEP_SECONDS: f64 = 50_400.0;

/// A later job that has lived for so many seconds makes good for one that failed.
const MADE_GOOD_SECONDS: f64 = 600.0;

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What it is.
    pub what: What,
    /// The machine that it is of.
    pub machine: Option<String>,
    /// The stage that it is of.
    pub stage: Option<String>,
}

/// What a problem is, with the number that tells how great it is.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// There is no snapshot of the database.
    DatabaseUnreachable,
    /// A collector's numbers are missing: its name.
    CollectorFailing(&'static str),
    /// The collection took so many seconds.
    ScrapeSlow(f64),
    /// So many rows wait and none is completed.
    Stalled(i64),
    /// So many rows wait and there will be more of them.
    Growing(i64),
    /// What is in the stage will take so many seconds.
    EtaTooLong(f64),
    /// The local time of day by which the stage is to be done, and how many seconds it may be late.
    DeadlineMissed(String, f64),
    /// A row that waits was created so many seconds ago.
    OldestPendingTooOld(f64),
    /// A row has been worked on for so many seconds.
    ItemStuck(f64),
    /// The status of so many rows is none of the four.
    UnknownStatus(i64),
    /// The machine does nothing while so many rows wait.
    MachineIdle(i64),
    /// A job claims to run and gives no sign of life: what people call it.
    JobStale(String),
    /// A job failed: what people call it.
    JobFailed(String),
}

impl What {
    /// Returns the name of the alert whose condition it is.
    pub fn alert(&self) -> &'static str {
        match self {
            Self::DatabaseUnreachable => "QueueboardDatabaseUnreachable",
            Self::CollectorFailing(_) => "QueueboardCollectorFailing",
            Self::ScrapeSlow(_) => "QueueboardScrapeSlow",
            Self::Stalled(_) | Self::Growing(_) => "QueueboardEtaMissing",
            Self::EtaTooLong(_) => "QueueboardEtaTooLong",
            Self::DeadlineMissed(..) => "QueueboardDeadlineMissed",
            Self::OldestPendingTooOld(_) => "QueueboardOldestPendingTooOld",
            Self::ItemStuck(_) => "QueueboardItemStuck",
            Self::UnknownStatus(_) => "QueueboardUnknownStatus",
            Self::MachineIdle(_) => "QueueboardMachineIdle",
            Self::JobStale(_) => "QueueboardJobStale",
            Self::JobFailed(_) => "QueueboardJobFailed",
        }
    }
}

impl Problem {
    fn of_board(what: What) -> Self {
        Self {
            what,
            machine: None,
            stage: None,
        }
    }

    fn of_machine(what: What, machine: &str) -> Self {
        Self {
            machine: Some(machine.to_owned()),
            ..Self::of_board(what)
        }
    }

    fn of_stage(what: What, machine: &str, stage: &str) -> Self {
        Self {
            stage: Some(stage.to_owned()),
            ..Self::of_machine(what, machine)
        }
    }
}

/// Judges what a board shows: the database first, then stages, machines and jobs.
pub(super) fn judge(board: &Board) -> Vec<Problem> {
    let mut problems = of_the_scrape(board);
    let Some(now) = board.now.map(unix_seconds) else {
        return problems;
    };
    if let Some(lanes) = &board.lanes {
        let stages = lanes.stages.iter();
        problems.extend(stages.flat_map(|lane| of_stage(lane, board, now)));
        problems.extend(
            lanes
                .machines
                .iter()
                .filter_map(|lane| of_machine(lane, lanes)),
        );
    }
    let unknown = board.unknown_statuses.iter().filter(|stage| stage.rows > 0);
    problems.extend(unknown.map(|stage| {
        Problem::of_stage(
            What::UnknownStatus(stage.rows),
            &stage.machine,
            &stage.stage,
        )
    }));
    let jobs = board.jobs.as_ref().map_or(&[][..], |jobs| &jobs.details);
    problems.extend(jobs.iter().filter_map(|job| of_job(job, jobs, now)));
    problems
}

fn of_the_scrape(board: &Board) -> Vec<Problem> {
    if !board.up {
        return vec![Problem::of_board(What::DatabaseUnreachable)];
    }
    let failed = board.outcomes.iter().filter(|outcome| !outcome.success);
    let failed = failed.map(|outcome| What::CollectorFailing(outcome.collector.as_str()));
    let slow = (board.scrape_seconds > SLOW_SCRAPE_SECONDS)
        .then_some(What::ScrapeSlow(board.scrape_seconds));
    failed.chain(slow).map(Problem::of_board).collect()
}

fn of_stage(lane: &StageLane, board: &Board, now: UnixSeconds) -> Vec<Problem> {
    let prospects = board.prospects.as_ref();
    let prospect = prospects.and_then(|prospects| prospects.of(&lane.stage));
    let deadline = prospects.and_then(|prospects| prospects.deadline_of(&lane.stage));
    let waiting = lane.items.pending - lane.deferred;
    let outlook = prospect.map(|prospect| prospect.outlook);
    let rests_on_purpose = lane.deferred > 0;
    let stuck = if rests_on_purpose {
        STUCK_ASLEEP_SECONDS
    } else {
        STUCK_SECONDS
    };
    let processing = lane
        .oldest_processing
        .map(|since| seconds_between(since, now));
    let found = [
        match outlook {
            Some(Outlook::Stalled) if waiting > 0 => Some(What::Stalled(waiting)),
            Some(Outlook::Growing) if waiting > 0 => Some(What::Growing(waiting)),
            _ => None,
        },
        prospect
            .and_then(|prospect| prospect.drain)
            .filter(|drain| *drain > LONG_DRAIN_SECONDS && !rests_on_purpose)
            .map(What::EtaTooLong),
        deadline.and_then(|due| Some(What::DeadlineMissed(due.by.clone(), due.late()?))),
        lane.oldest_pending_age
            .filter(|age| *age > LONG_WAIT_SECONDS && !rests_on_purpose)
            .map(What::OldestPendingTooOld),
        processing
            .filter(|seconds| *seconds > stuck)
            .map(What::ItemStuck),
        (lane.unknown_status > 0).then_some(What::UnknownStatus(lane.unknown_status)),
    ];
    let found = found.into_iter().flatten();
    found
        .map(|what| Problem::of_stage(what, &lane.machine, &lane.stage))
        .collect()
}

fn of_machine(lane: &MachineLane, lanes: &Lanes) -> Option<Problem> {
    let own = lanes
        .stages
        .iter()
        .filter(|stage| stage.machine == lane.key);
    let waiting: i64 = own.map(|stage| stage.items.pending - stage.deferred).sum();
    let is_idle = lane.state == State::Idle && waiting > 0;
    is_idle.then(|| Problem::of_machine(What::MachineIdle(waiting), &lane.key))
}

fn of_job(job: &Job, jobs: &[Job], now: UnixSeconds) -> Option<Problem> {
    let what = if job.stale {
        What::JobStale(job.name().to_owned())
    } else if job.has_failed() && job.elapsed.is_some() && !is_made_good(job, jobs, now) {
        What::JobFailed(job.name().to_owned())
    } else {
        return None;
    };
    Some(Problem::of_machine(what, &job.machine))
}

/// A later job of the same kind and label has not failed, and has lived for a while.
fn is_made_good(job: &Job, jobs: &[Job], now: UnixSeconds) -> bool {
    let is_like = |other: &&Job| other.kind == job.kind && other.short_label() == job.short_label();
    let mut good = jobs
        .iter()
        .filter(is_like)
        .filter(|other| !other.has_failed());
    good.any(|other| {
        let started = other.started_at.filter(|at| *at < now - MADE_GOOD_SECONDS);
        started
            .zip(job.started_at)
            .is_some_and(|(later, failed)| failed < later)
    })
}
