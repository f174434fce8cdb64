//! What somebody should look at, in words that are the same on every view.

use crate::judge::Board;
use crate::judge::problems::{Problem, What};

use super::drain::time;
use super::words::{count, span, stage_name};

/// What a problem is of, as people call it; nothing for the database and what reads it.
pub(super) fn subject(problem: &Problem, board: &Board) -> Option<String> {
    if let What::JobStale(name) | What::JobFailed(name) = &problem.what {
        return Some(name.clone());
    }
    let machine = || {
        problem
            .machine
            .as_deref()
            .map(|key| board.machine_label(key))
    };
    let subject = problem.stage.as_deref().or_else(machine)?;
    Some(stage_name(subject).to_owned())
}

/// What is the matter, as a sentence that goes on from the subject.
pub(super) fn text(problem: &Problem) -> String {
    let rows = |rows| count(rows, "row", "rows");
    match &problem.what {
        What::DatabaseUnreachable => {
            "The database cannot be reached: what is not shown is not known.".to_owned()
        }
        What::CollectorFailing(name) => {
            format!("The collector {name} failed: its numbers are not known.")
        }
        What::ScrapeSlow(seconds) => format!("Reading the database took {}.", time(*seconds)),
        What::Stalled(waiting) => format!("stalled, {} waiting", rows(*waiting)),
        What::Growing(waiting) => format!("growing, {} waiting", rows(*waiting)),
        What::EtaTooLong(seconds) => format!("will take about {}", time(*seconds)),
        What::DeadlineMissed(by, late) => format!("due by {by}, may be {} late", time(*late)),
        What::OldestPendingTooOld(age) => format!("a row that waits is {} old", span(*age)),
        What::ItemStuck(age) => format!("a row has been processing for {}", span(*age)),
        What::UnknownStatus(unknown) => {
            format!("the status of {} is none of the four", rows(*unknown))
        }
        What::MachineIdle(waiting) => format!("idle, {} waiting", rows(*waiting)),
        What::JobStale(_) => "runs without a sign of life".to_owned(),
        What::JobFailed(_) => "failed".to_owned(),
    }
}
