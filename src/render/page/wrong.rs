//! What is wrong, before anything else.

use maud::{Markup, html};

use super::{View, stage_name};
use crate::judge::Board;
use crate::judge::forecast::Forecast;
use crate::judge::stages::StageLane;
use crate::render::words::{count, number};

/// One line for each thing that is wrong.
pub(super) fn strip(view: &View) -> Markup {
    let lines = [
        unread(view),
        stale(view.board),
        backlogs(view.board),
        failed(view.board),
    ];
    let lines: Vec<Markup> = lines.into_iter().flatten().collect();
    html! {
        @if lines.is_empty() {
            p .wrong.nothing { "Nothing is wrong." }
        } @else {
            ul .wrong aria-label="What is wrong" {
                @for line in lines { li { (line) } }
            }
        }
    }
}

fn unread(view: &View) -> Option<Markup> {
    let board = view.board;
    if !board.up {
        return Some(
            html! { strong { "The database cannot be reached:" } " what is not shown is not known." },
        );
    }
    let parts = [
        (board.lanes.is_none(), "machines and stages"),
        (board.current.is_none(), "what the machines work on"),
        (board.jobs.is_none(), "background jobs"),
        (view.failures.is_none(), "failed rows"),
    ];
    let unread: Vec<&str> = parts
        .into_iter()
        .filter_map(|(missing, part)| missing.then_some(part))
        .collect();
    (!unread.is_empty())
        .then(|| html! { strong { "Could not be read:" } " " (unread.join(", ")) "." })
}

fn stale(board: &Board) -> Option<Markup> {
    let jobs = board.jobs.iter().flat_map(|jobs| &jobs.details);
    let names: Vec<&str> = jobs
        .filter(|job| job.stale)
        .map(super::jobs::name)
        .collect();
    (!names.is_empty()).then(|| {
        html! { strong { (count(names.len() as i64, "stale job:", "stale jobs:")) } " " (names.join(", ")) }
    })
}

fn backlogs(board: &Board) -> Option<Markup> {
    let stages = board.lanes.iter().flat_map(|lanes| &lanes.stages);
    let stuck =
        |lane: &&StageLane| matches!(lane.forecast(), Forecast::Growing | Forecast::Stalled);
    let text = |lane: &StageLane| {
        let (stage, pending) = (stage_name(&lane.stage), number(lane.items.pending));
        format!("{stage} {} ({pending} pending)", lane.forecast().as_str())
    };
    let stuck: Vec<String> = stages.filter(stuck).map(text).collect();
    (!stuck.is_empty()).then(|| html! { strong { "No ETA:" } " " (stuck.join(", ")) })
}

fn failed(board: &Board) -> Option<Markup> {
    let lanes = board.lanes.as_ref()?;
    let failed: i64 = lanes.stages.iter().map(|lane| lane.items.failed).sum();
    (failed > 0).then(|| {
        html! { strong { (count(failed, "failed row", "failed rows")) } " " a href="#failures" { "below" } }
    })
}
