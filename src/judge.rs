//! Rows become a [`Board`]. Pure: it touches nothing outside its arguments and cannot fail; what
//! is odd in a row becomes an absent number or a count of odd rows, never an error.

mod ahead;
mod band;
pub mod became;
pub mod cause;
pub mod causes;
mod course;
pub mod current;
pub mod deadline;
pub mod deferral;
pub mod failures;
#[cfg(test)]
mod fixture;
pub mod forecast;
pub mod jobs;
mod level;
pub mod machines;
pub mod names;
pub mod outlook;
mod pace;
pub mod problems;
mod profile;
mod progress;
pub mod prospect;
pub mod prospects;
pub mod quantiles;
pub mod score;
pub mod stages;
pub mod trend;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::config::Pipeline;
use crate::snapshot::{OddDeferral, Outcome, Snapshot, StageRow, UnixSeconds, UnknownStatusRow};
use crate::windows::Windows;

use causes::CauseCount;
use current::Working;
use jobs::Jobs;
use machines::MachineLane;
use names::Names;
use problems::Problem;
use prospects::Prospects;
use stages::{PoolShare, StageLane};
use trend::Trend;

/// What one scrape means. A part is absent when its collector was not asked or failed.
#[derive(Debug)]
pub struct Board {
    /// Whether the scrape got its snapshot.
    pub up: bool,
    /// The database's clock at the scrape; absent without a snapshot.
    pub now: Option<DateTime<Utc>>,
    /// The zone of the pipeline's clock.
    pub timezone: Tz,
    /// What people call a document.
    pub item: String,
    /// How each collector's question went.
    pub outcomes: Vec<Outcome>,
    /// How long the collection took, in seconds.
    pub scrape_seconds: f64,
    /// The configured machines, key and label, in display order, then `unassigned` if needed.
    pub machine_labels: Vec<(String, String)>,
    /// Numbers of stages, pools and machines.
    pub lanes: Option<Lanes>,
    /// What is to be expected of every stage.
    pub prospects: Option<Prospects>,
    /// The trends, by stage.
    pub trends: Option<Vec<Trend>>,
    /// Background jobs.
    pub jobs: Option<Jobs>,
    /// What each machine works on now.
    pub current: Option<Vec<Working>>,
    /// How many failed rows share each cause.
    pub causes: Option<Vec<CauseCount>>,
    /// Rows whose status is none of the four, by stage, where the lanes are refused for them.
    pub unknown_statuses: Vec<UnknownStatuses>,
    /// What somebody should look at.
    pub problems: Vec<Problem>,
}

impl Board {
    /// Returns what people call a machine; its key when the board does not know it.
    pub fn machine_label<'a>(&'a self, key: &'a str) -> &'a str {
        let known = self.machine_labels.iter().find(|(known, _)| known == key);
        known.map_or(key, |(_, label)| label)
    }

    /// Returns how many rows are failed, as far as that is known.
    pub fn failed(&self) -> i64 {
        let stages = self.lanes.iter().flat_map(|lanes| &lanes.stages);
        stages.map(|lane| lane.items.failed).sum()
    }
}

/// How many rows of a stage have a status that is none of the four.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatuses {
    /// The stage.
    pub stage: String,
    /// The machine that it is on, or `unassigned`.
    pub machine: String,
    /// How many.
    pub rows: i64,
}

/// Numbers of stages, pools and machines, each in display order.
#[derive(Debug)]
pub struct Lanes {
    /// One a machine, then `unassigned` when a stage is on no machine.
    pub machines: Vec<MachineLane>,
    /// One a stage: the configured ones, then the others by name.
    pub stages: Vec<StageLane>,
    /// Completions of each pool by who did them.
    pub pools: Vec<PoolShare>,
}

/// Judges what was read by whose work it is.
pub fn judge(snapshot: &Snapshot, pipeline: &Pipeline) -> Board {
    let mut board = Board {
        up: snapshot.now.is_some(),
        now: snapshot.now,
        timezone: pipeline.timezone,
        item: pipeline.words.item.clone(),
        outcomes: snapshot.outcomes.clone(),
        scrape_seconds: snapshot.duration.as_secs_f64(),
        machine_labels: machines::labels(pipeline),
        lanes: None,
        prospects: None,
        trends: None,
        jobs: None,
        current: None,
        causes: None,
        unknown_statuses: Vec::new(),
        problems: Vec::new(),
    };
    let Some(now) = snapshot.now else {
        board.problems = problems::judge(&board);
        return board;
    };
    let windows = Windows::at(now, pipeline.timezone);
    let names = stage_names(snapshot, pipeline);
    if let Some(rows) = &snapshot.stages {
        let lanes = lanes(rows, &snapshot.odd_deferrals, &windows, &names, pipeline);
        let unassigned = lanes.machines.get(board.machine_labels.len());
        board
            .machine_labels
            .extend(unassigned.map(|lane| (lane.key.clone(), lane.label.clone())));
        board.lanes = Some(lanes);
    }
    let activity = snapshot.activity.as_ref();
    let odd = &snapshot.odd_deferrals;
    board.prospects =
        activity.map(|activity| prospects::judge(activity, odd, &windows, &names, pipeline));
    let trends = snapshot.trend.as_ref();
    board.trends = trends.map(|rows| trend::judge(rows, &windows, pipeline));
    board.jobs = snapshot
        .jobs
        .as_ref()
        .map(|rows| jobs::judge(rows, &windows, pipeline));
    let current = snapshot.current.as_ref();
    board.current = current.map(|rows| current::judge(rows, &names, pipeline));
    board.unknown_statuses = unknown_statuses(&snapshot.unknown_status, &names, pipeline);
    board.problems = problems::judge(&board);
    board
}

/// Every stage is shown, as where the lanes are.
fn unknown_statuses(
    rows: &[UnknownStatusRow],
    names: &Names,
    pipeline: &Pipeline,
) -> Vec<UnknownStatuses> {
    if rows.is_empty() {
        return Vec::new();
    }
    let of_stage = |(stage, machine): (&str, &str)| {
        let own = rows
            .iter()
            .filter(|row| names.fold(row.stage.as_deref().unwrap_or_default()) == stage);
        UnknownStatuses {
            stage: stage.to_owned(),
            machine: machine.to_owned(),
            rows: own.map(|row| row.count).sum(),
        }
    };
    stages::shown(names, pipeline).map(of_stage).collect()
}

fn lanes(
    rows: &[StageRow],
    odd: &[OddDeferral],
    windows: &Windows,
    names: &Names,
    pipeline: &Pipeline,
) -> Lanes {
    let stages = stages::judge(rows, odd, windows, names, pipeline);
    let pools = stages::pools(rows, pipeline);
    let machines = machines::judge(&stages, &pools, pipeline);
    Lanes {
        machines,
        stages,
        pools,
    }
}

fn stage_names(snapshot: &Snapshot, pipeline: &Pipeline) -> Names {
    let counted = snapshot.stages.iter().flatten().map(|row| &row.stage);
    let current = snapshot.current.iter().flatten().map(|row| &row.stage);
    let unknown = snapshot.unknown_status.iter().map(|row| &row.stage);
    let inside = snapshot.activity.iter().flat_map(|all| &all.inside);
    let seen = counted
        .chain(current)
        .chain(unknown)
        .chain(inside.map(|row| &row.stage))
        .map(|stage| stage.as_deref().unwrap_or_default());
    Names::new(
        pipeline.stages.iter().map(|stage| stage.name.as_str()),
        seen,
    )
}

/// An instant as the rows tell time.
fn unix_seconds(instant: DateTime<Utc>) -> UnixSeconds {
    instant.timestamp_micros() as f64 / 1e6
}

/// The time from one instant to another, to the microsecond; a clock that runs behind makes it
/// no less than nothing.
fn seconds_between(from: UnixSeconds, to: UnixSeconds) -> f64 {
    // Seconds since 1970 have microseconds in their last bits; unrounded, a minute could be less.
    (((to - from) * 1e6).round() / 1e6).max(0.0)
}
