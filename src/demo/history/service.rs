//! How one stage served the documents that stood in line for it.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

use crate::demo::{
    arrivals::payload,
    stages::{LANES, Machine, SUMMARIZE, Stage},
    troubles,
};

const MAX_ATTEMPTS: i64 = 3;

/// A document in line for a stage
pub(super) struct Waiting {
    pub(super) document_id: i64,
    pub(super) since: DateTime<Utc>,
}

/// A row of the queue as the history leaves it
pub(super) struct Row {
    pub(super) document_id: i64,
    pub(super) stage: &'static str,
    pub(super) status: &'static str,
    pub(super) attempts: i64,
    pub(super) error_message: Option<String>,
    pub(super) payload: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    machine: Machine,
}

impl Row {
    /// Says whether the document went on from here
    pub(super) fn is_completed(&self) -> bool {
        self.status == "completed"
    }

    /// Names the document and the model that summarized it, if this row says so
    pub(super) fn signature(&self) -> Option<(i64, &'static str)> {
        let signs = self.is_completed() && self.stage == SUMMARIZE;
        let model = self.machine.model().filter(|_| signs)?;
        Some((self.document_id, model))
    }

    /// Makes a completed row one that failed for good; the pipeline does not always say when
    pub(super) fn fail(&mut self, rng: &mut Rng) {
        self.status = "failed";
        self.attempts = MAX_ATTEMPTS;
        self.error_message = Some(troubles::message(rng, self.stage, self.document_id));
        if rng.u8(0..3) == 0 {
            self.started_at = None;
            self.completed_at = None;
        }
    }
}

/// Serves a line with the stage's slots, first come, first served, as far as it gets by `now`
pub(super) fn serve(
    rng: &mut Rng,
    stage: &Stage,
    mut line: Vec<Waiting>,
    now: DateTime<Utc>,
) -> Vec<Row> {
    line.sort_by_key(|waiting| waiting.since);
    let lanes = LANES.iter().filter(|lane| lane.works(stage.name));
    let mut slots: Vec<_> = lanes
        .map(|lane| (lane.machine, DateTime::UNIX_EPOCH))
        .collect();
    let mut rows = Vec::with_capacity(line.len());
    for waiting in line {
        let Some((machine, free_at)) = slots.iter_mut().min_by_key(|slot| slot.1) else {
            break;
        };
        // Nothing is noticed at once: a worker looks twice a second.
        let noticed = waiting.since + TimeDelta::milliseconds(rng.i64(20..500));
        let started = noticed.max(*free_at);
        let completed = started + stage.service_time(rng);
        *free_at = completed;
        rows.push(row(
            rng,
            stage,
            &waiting,
            *machine,
            (started, completed),
            now,
        ));
    }
    rows
}

fn row(
    rng: &mut Rng,
    stage: &Stage,
    waiting: &Waiting,
    machine: Machine,
    (started, completed): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Row {
    let (status, attempts) = if started > now {
        ("pending", 0)
    } else if completed > now {
        ("processing", 1)
    } else {
        ("completed", if rng.u8(0..25) == 0 { 2 } else { 1 })
    };
    Row {
        document_id: waiting.document_id,
        stage: stage.name,
        status,
        attempts,
        error_message: None,
        payload: payload(rng).map(str::to_owned),
        created_at: waiting.since,
        started_at: (started <= now).then_some(started),
        completed_at: (completed <= now).then_some(completed),
        machine,
    }
}
