//! A card for each machine.

use maud::{Markup, html};

use super::filter::link;
use super::{Filter, stage_name, time};
use crate::judge::forecast::Forecast;
use crate::judge::machines::MachineLane;
use crate::judge::names::OTHER;
use crate::judge::outlook::Outlook;
use crate::judge::prospects::Prospects;
use crate::judge::stages::StageLane;
use crate::judge::{Board, Lanes};
use crate::render::drain;
use crate::render::words::{number, span};

/// The machines, or that they could not be read.
pub(super) fn section(board: &Board) -> Markup {
    html! {
        section aria-labelledby="machines-title" {
            h2 #machines-title { "Machines" }
            @match &board.lanes {
                Some(lanes) => {
                    (whole(board.prospects.as_ref()))
                    div .cards { @for lane in &lanes.machines { (card(lane, lanes, board)) } }
                },
                None => p .missing { "Machines and stages could not be read." },
            }
        }
    }
}

/// When all that is in the pipeline now is done.
fn whole(prospects: Option<&Prospects>) -> Markup {
    let Some(whole) = prospects.and_then(|prospects| prospects.pipeline.as_ref()) else {
        return html! {};
    };
    html! {
        @if let Some(bottleneck) = &whole.bottleneck {
            p .whole.quiet {
                "All that is in the pipeline now is done in about " (drain::time(whole.drain))
                "; " (stage_name(bottleneck)) " is done last."
            }
        }
    }
}

fn card(lane: &MachineLane, lanes: &Lanes, board: &Board) -> Markup {
    let state = lane.state.as_str();
    let stages = lanes
        .stages
        .iter()
        .filter(|stage| stage.machine == lane.key);
    html! {
        article .card data-machine=(lane.key) {
            div .line {
                h3 { bdi { (lane.label) } }
                span class={ "state " (state) } { (state) }
            }
            (numbers(lane))
            (working(lane, board))
            @if lane.stages.is_empty() {
                p .quiet { "No stages." }
            } @else {
                (table(stages, board))
            }
        }
    }
}

fn numbers(lane: &MachineLane) -> Markup {
    let numbers = [
        ("pending", lane.items.pending),
        ("processing", lane.items.processing),
        ("failed", lane.items.failed),
        ("deferred", lane.deferred),
        ("done 1h", lane.completed.h1),
        ("today", lane.completed.today),
    ];
    html! {
        dl .numbers {
            @for (name, value) in numbers {
                div .zero[value == 0] { dt { (name) } dd { (number(value)) } }
            }
        }
    }
}

fn working(lane: &MachineLane, board: &Board) -> Markup {
    let Some(current) = &board.current else {
        return html! { p .missing { "What it works on could not be read." } };
    };
    let own = current.iter().filter(|working| working.machine == lane.key);
    let items = own.flat_map(|working| &working.items);
    html! {
        ul .working {
            @for item in items {
                li {
                    bdi { (item.title) } " "
                    span .quiet { (stage_name(&item.stage)) (since(item.started_at, board)) }
                }
            }
        }
    }
}

fn table<'a>(stages: impl Iterator<Item = &'a StageLane>, board: &Board) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "stage" }
                    th scope="col" { "pending" }
                    th scope="col" { "failed" }
                    th scope="col" { "ETA" }
                }
            }
            tbody { @for stage in stages { (row(stage, board)) } }
        }
    }
}

fn row(lane: &StageLane, board: &Board) -> Markup {
    html! {
        tr data-stage=(lane.stage) {
            th scope="row" {
                (stage_name(&lane.stage))
                @if lane.items.processing > 0 {
                    br;
                    span .expected { (number(lane.items.processing)) " processing" (since(lane.oldest_processing, board)) }
                }
                @if let Some(prospects) = &board.prospects { (expected(&lane.stage, prospects, board)) }
            }
            td {
                span .pending { (number(lane.items.pending)) }
                @if lane.deferred > 0 { br; span .quiet { (number(lane.deferred)) " deferred" } }
                @if let Some(age) = lane.oldest_pending_age { br; span .quiet { "for " (span(age)) } }
            }
            td { (failed(lane)) }
            td { (eta(lane)) }
        }
    }
}

/// For how long what began at an instant goes on; it is the oldest, where there are several.
fn since(began: Option<f64>, board: &Board) -> Markup {
    let began = began.and_then(|at| Some((at, time::age(at, board)?)));
    html! {
        @if let Some((at, age)) = began {
            " for " (time::about(at, board, &span(age)))
        }
    }
}

/// Where a stage goes, when it is done, and whether that is in time.
fn expected(stage: &str, prospects: &Prospects, board: &Board) -> Markup {
    let prospect = prospects.of(stage);
    let prospect = prospect.filter(|prospect| prospect.outlook != Outlook::Empty);
    let deadline = prospects.deadline_of(stage);
    html! {
        @if let Some(prospect) = prospect {
            br;
            span .expected {
                span .bad[prospect.outlook.is_trouble()] { (drain::outlook(prospect.outlook)) }
                @if let Some(about) = drain::drain(prospect) { ", done in " (about) }
            }
        }
        @if let Some(due) = deadline {
            br;
            span .expected.bad[due.late().is_some()] {
                (time::about(due.at, board, &drain::deadline(due)))
            }
        }
    }
}

fn failed(lane: &StageLane) -> Markup {
    let failed = number(lane.items.failed);
    // Stages folded into one have no rows under its name.
    if lane.items.failed == 0 || lane.stage.is_empty() || lane.stage == OTHER {
        return html! { (failed) };
    }
    let filter = Filter {
        stage: Some(lane.stage.clone()),
        ..Filter::default()
    };
    html! { a .bad href={ (link(&filter, [])) "#failures" } { (failed) } }
}

fn eta(lane: &StageLane) -> Markup {
    match (lane.forecast(), lane.eta()) {
        (Forecast::Empty, _) => html! { span .quiet { "empty" } },
        (_, Some(eta)) => html! { (span(eta.seconds())) },
        // The outlook beside it says better whether that is trouble.
        (forecast, None) => html! { span .quiet { "no ETA, " (forecast.as_str()) } },
    }
}
