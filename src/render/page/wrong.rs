//! What is wrong, before anything else.

use maud::{Markup, html};

use super::{View, stage_name};
use crate::judge::Board;
use crate::judge::prospects::StageProspect;
use crate::render::drain;
use crate::render::words::{count, number};

/// One line for each thing that is wrong.
pub(super) fn strip(view: &View) -> Markup {
    let lines = [
        unread(view),
        stale(view.board),
        backlogs(view.board),
        late(view.board),
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
        (board.prospects.is_none(), "when stages are done"),
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
    let stages = board
        .prospects
        .iter()
        .flat_map(|prospects| &prospects.stages);
    let stuck = |stage: &&StageProspect| stage.prospect.outlook.is_trouble();
    let text = |stage: &StageProspect| {
        let lanes = board.lanes.iter().flat_map(|lanes| &lanes.stages);
        let pending = lanes.filter(|lane| lane.stage == stage.stage);
        let pending: i64 = pending.map(|lane| lane.items.pending).sum();
        let outlook = drain::outlook(stage.prospect.outlook);
        let name = stage_name(&stage.stage);
        format!("{name} is {outlook} ({} pending)", number(pending))
    };
    let stuck: Vec<String> = stages.filter(stuck).map(text).collect();
    (!stuck.is_empty()).then(|| html! { strong { "Not draining:" } " " (stuck.join(", ")) })
}

fn late(board: &Board) -> Option<Markup> {
    let deadlines = board
        .prospects
        .iter()
        .flat_map(|prospects| &prospects.deadlines);
    let late = deadlines.filter(|due| due.slack.is_some_and(|slack| slack < 0.0));
    let late: Vec<String> = late
        .map(|due| format!("{} {}", stage_name(&due.stage), drain::deadline(due)))
        .collect();
    (!late.is_empty()).then(|| html! { strong { "Deadlines:" } " " (late.join("; ")) })
}

fn failed(board: &Board) -> Option<Markup> {
    let lanes = board.lanes.as_ref()?;
    let failed: i64 = lanes.stages.iter().map(|lane| lane.items.failed).sum();
    (failed > 0).then(|| {
        html! { strong { (count(failed, "failed row", "failed rows")) } " " a href="#failures" { "below" } }
    })
}
