//! Background jobs: how far they are.

use super::ink::Tone;
use super::table::{Cell, Column, set};
use super::{Sheet, Width};
use crate::judge::jobs::Job;
use crate::render::words::{share, span};

const JOBS: [Column; 6] = [
    Column::words("JOB"),
    Column::words("MACHINE"),
    Column::words("STATE"),
    Column::words("PROGRESS"),
    Column::numbers("ELAPSED"),
    Column::numbers("ETA"),
];

impl Sheet<'_> {
    /// Renders jobs.
    pub(super) fn jobs(&self, jobs: &[Job]) -> String {
        let rows = jobs.iter().map(|job| cells(job, self.width));
        set(&JOBS, rows.collect(), self.width, self.ink)
    }
}

fn cells(job: &Job, width: Width) -> Vec<Cell> {
    let state = if job.stale {
        Cell::new("STALE", Tone::Bad)
    } else if job.has_failed() {
        Cell::new(&job.state, Tone::Bad)
    } else {
        Cell::from(&job.state)
    };
    let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), span);
    // The pace of a job that shows no sign of life says nothing of its end.
    let eta = job.eta.filter(|_| !job.stale);
    vec![
        Cell::from(job.name()),
        Cell::from(&job.machine),
        state,
        progress(job, width).into(),
        time(job.elapsed).into(),
        time(eta).into(),
    ]
}

fn progress(job: &Job, width: Width) -> String {
    match (job.processed, job.total, share(job)) {
        (Some(done), Some(total), Some(share)) => match width {
            Width::Narrow => bar(share, 10),
            Width::Wide => format!("{} {done}/{total}", bar(share, 20)),
        },
        (Some(done), ..) => format!("{done} done"),
        (None, ..) => "-".to_owned(),
    }
}

fn bar(share: f64, cells: usize) -> String {
    let filled = (share * cells as f64) as usize;
    let bar = "█".repeat(filled) + &"░".repeat(cells - filled);
    format!("{bar} {:3.0}%", share * 100.0)
}
