//! Background jobs: how far they are, how long they take, and whether they still live.

use std::collections::BTreeMap;

use crate::config::Pipeline;
use crate::snapshot::{Id, JobCountRow, JobRow, JobRows, MAX_JOB_ERROR, Text, UnixSeconds};
use crate::windows::Windows;

use super::names::{Names, cut, shown};
use super::progress;
use super::{seconds_between, unix_seconds};

/// The states of a job that ended without what it was for.
const FAILED: [&str; 2] = ["failed", "error"];

/// Background jobs, some in detail and all of them counted.
#[derive(Debug)]
pub struct Jobs {
    /// Running first, then latest started.
    pub details: Vec<Job>,
    /// How many, by machine, kind and state.
    pub counts: Vec<JobCount>,
}

/// One background job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id as text.
    pub id: Id,
    /// Its kind, folded when there are too many.
    pub kind: String,
    /// What people call it.
    pub label: Option<String>,
    /// The machine that runs it.
    pub machine: String,
    /// `running`, or how it ended.
    pub state: String,
    /// Items done, when known.
    pub processed: Option<i64>,
    /// Items in all, when known.
    pub total: Option<i64>,
    /// When it started.
    pub started_at: Option<UnixSeconds>,
    /// When it ended.
    pub finished_at: Option<UnixSeconds>,
    /// Its last heartbeat.
    pub heartbeat: Option<UnixSeconds>,
    /// How long it has run, or ran, in seconds.
    pub elapsed: Option<f64>,
    /// How long it will still run, in seconds.
    pub eta: Option<f64>,
    /// Whether it claims to run and shows no sign of it.
    pub stale: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// How many jobs there are of a kind in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// The machine that runs the kind.
    pub machine: String,
    /// The kind, folded when there are too many.
    pub kind: String,
    /// The state, folded when there are too many.
    pub state: String,
    /// How many.
    pub jobs: i64,
}

/// Judges the jobs, in the order of their rows.
pub(super) fn judge(rows: &JobRows, windows: &Windows, pipeline: &Pipeline) -> Jobs {
    let kinds = kinds(&rows.counts, pipeline);
    let states = Names::new(
        [JobRow::RUNNING],
        rows.counts.iter().map(|row| text(&row.state)),
    );
    let detail = |row| job(row, &kinds, &states, windows, pipeline);
    Jobs {
        details: rows.details.iter().map(detail).collect(),
        counts: counts(&rows.counts, &kinds, &states, pipeline),
    }
}

/// Only kinds that occur take one of the bounded places, the configured ones before the others.
fn kinds(rows: &[JobCountRow], pipeline: &Pipeline) -> Names {
    let occurs = |kind: &&String| rows.iter().any(|row| text(&row.kind) == **kind);
    let configured = pipeline.job_kinds.keys().filter(occurs).map(String::as_str);
    Names::new(configured, rows.iter().map(|row| text(&row.kind)))
}

fn counts(
    rows: &[JobCountRow],
    kinds: &Names,
    states: &Names,
    pipeline: &Pipeline,
) -> Vec<JobCount> {
    let mut counts: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in rows {
        let key = (kinds.fold(text(&row.kind)), states.fold(text(&row.state)));
        *counts.entry(key).or_default() += row.jobs;
    }
    let count = |((kind, state), jobs): ((&str, &str), i64)| JobCount {
        machine: pipeline.job_machine_of(kind).to_owned(),
        kind: kind.to_owned(),
        state: state.to_owned(),
        jobs,
    };
    counts.into_iter().map(count).collect()
}

fn job(row: &JobRow, kinds: &Names, states: &Names, windows: &Windows, pipeline: &Pipeline) -> Job {
    let kind = kinds.fold(text(&row.kind));
    let running = row.is_running();
    let elapsed = elapsed(row, running, windows);
    let eta = || progress::eta_seconds(row, elapsed?, unix_seconds(windows.now));
    Job {
        id: row.id.clone(),
        kind: kind.to_owned(),
        label: row.label.as_deref().map(str::to_owned),
        machine: pipeline.job_machine_of(kind).to_owned(),
        state: states.fold(text(&row.state)).to_owned(),
        processed: row.processed,
        total: row.total,
        started_at: row.started_at.filter(|at| at.is_finite()),
        finished_at: row.finished_at.filter(|at| !running && at.is_finite()),
        heartbeat: row.updated_at.filter(|at| at.is_finite()),
        elapsed,
        eta: running.then(eta).flatten(),
        stale: running && is_stale(row, windows),
        error: row
            .error
            .as_deref()
            .map(|error| shown(error, MAX_JOB_ERROR)),
    }
}

/// How long a job has run, or ran until it ended.
fn elapsed(row: &JobRow, running: bool, windows: &Windows) -> Option<f64> {
    let until = if running {
        Some(unix_seconds(windows.now))
    } else {
        row.finished_at
    };
    let elapsed = seconds_between(row.started_at?, until?);
    elapsed.is_finite().then_some(elapsed)
}

/// A job that never sent a heartbeat is given five minutes from its start to send one.
fn is_stale(row: &JobRow, windows: &Windows) -> bool {
    let due = unix_seconds(windows.heartbeat_due);
    row.updated_at
        .or(row.started_at)
        .is_none_or(|sign_of_life| sign_of_life <= due)
}

fn text(value: &Option<Text>) -> &str {
    value.as_deref().unwrap_or_default()
}

impl Job {
    /// Returns what people call it: its kind when it has no label.
    pub fn name(&self) -> &str {
        let label = self.label.as_deref().filter(|label| !label.is_empty());
        label.unwrap_or(&self.kind)
    }

    /// Returns whether it ended without what it was for.
    pub fn has_failed(&self) -> bool {
        FAILED.contains(&self.state.as_str())
    }

    /// Returns its label cut to what a metric's label may hold.
    pub fn short_label(&self) -> &str {
        cut(self.label.as_deref().unwrap_or_default())
    }
}
