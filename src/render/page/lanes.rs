//! A card for each machine.

use maud::{Markup, html};

use super::filter::link;
use super::{Filter, stage_name};
use crate::judge::current::Working;
use crate::judge::forecast::Forecast;
use crate::judge::machines::MachineLane;
use crate::judge::names::OTHER;
use crate::judge::stages::StageLane;
use crate::judge::{Board, Lanes};
use crate::render::words::{number, span};

/// The machines, or that they could not be read.
pub(super) fn section(board: &Board) -> Markup {
    html! {
        section aria-labelledby="machines-title" {
            h2 #machines-title { "Machines" }
            @match &board.lanes {
                Some(lanes) => div .cards {
                    @for lane in &lanes.machines { (card(lane, lanes, board.current.as_deref())) }
                },
                None => p .missing { "Machines and stages could not be read." },
            }
        }
    }
}

fn card(lane: &MachineLane, lanes: &Lanes, current: Option<&[Working]>) -> Markup {
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
            (working(lane, current))
            @if lane.stages.is_empty() {
                p .quiet { "No stages." }
            } @else {
                (table(stages))
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

fn working(lane: &MachineLane, current: Option<&[Working]>) -> Markup {
    let Some(current) = current else {
        return html! { p .missing { "What it works on could not be read." } };
    };
    let own = current.iter().filter(|working| working.machine == lane.key);
    let items = own.flat_map(|working| &working.items);
    html! {
        ul .working {
            @for item in items {
                li { bdi { (item.title) } " " span .quiet { (stage_name(&item.stage)) } }
            }
        }
    }
}

fn table<'a>(stages: impl Iterator<Item = &'a StageLane>) -> Markup {
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
            tbody { @for stage in stages { (row(stage)) } }
        }
    }
}

fn row(lane: &StageLane) -> Markup {
    html! {
        tr data-stage=(lane.stage) {
            th scope="row" { (stage_name(&lane.stage)) }
            td {
                (number(lane.items.pending))
                @if lane.deferred > 0 { br; span .quiet { (number(lane.deferred)) " deferred" } }
            }
            td { (failed(lane)) }
            td { (eta(lane)) }
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
        machine: None,
    };
    html! { a .bad href={ (link(&filter, None)) "#failures" } { (failed) } }
}

fn eta(lane: &StageLane) -> Markup {
    match (lane.forecast(), lane.eta()) {
        (Forecast::Empty, _) => html! { span .quiet { "empty" } },
        (_, Some(eta)) => html! { (span(eta.seconds())) },
        (forecast, None) => html! { span .bad { "no ETA, " (forecast.as_str()) } },
    }
}
