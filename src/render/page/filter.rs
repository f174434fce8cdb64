//! Which failed rows are shown: a form and links, neither of which needs script.

use form_urlencoded::Serializer;
use maud::{Markup, html};

use super::View;
use crate::admin::request::filter::Filter;
use crate::judge::names::OTHER;
use crate::judge::stages::StageLane;

/// The form that chooses a stage and a machine, and seeks a text. What else is asked for stays.
pub(super) fn form(view: &View) -> Markup {
    let filter = view.filter;
    let Filter { stage, machine, .. } = filter;
    html! {
        form #filter method="get" action="./" autocomplete="off" {
            (select("stage", "Stage", "all stages", stage.as_deref(), stages(view)))
            (select("machine", "Machine", "all machines", machine.as_deref(), machines(view)))
            label {
                span { "Id, " (view.board.item) ", title or error" }
                input type="search" name="text" maxlength="1000" value=[filter.text.as_deref()];
            }
            @for (name, value) in filter.pairs().filter(|(name, _)| KEPT.contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
            button { "Show" }
            @if *filter != Filter::default() { a href="./#failures" { "Show all" } }
        }
        @if let Some(cause) = &filter.cause {
            p .only { "Only the cause " bdi { (cause) } ". " a href={ (link(&without_cause(filter), [])) "#failures" } { "Every cause" } }
        }
    }
}

/// What the form keeps, and has no field for.
const KEPT: [&str; 2] = ["cause", "failed_before"];

fn without_cause(filter: &Filter) -> Filter {
    Filter {
        cause: None,
        ..filter.clone()
    }
}

/// Returns where a page of a filter's rows is shown: each cursor leads one page on.
pub(super) fn link<'a>(filter: &Filter, cursors: impl IntoIterator<Item = &'a str>) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(filter.pairs());
    query.extend_pairs(cursors.into_iter().map(|cursor| ("after", cursor)));
    let query = query.finish();
    if query.is_empty() {
        "./".to_owned()
    } else {
        format!("./?{query}")
    }
}

/// Returns what the filter asks for that there is not: a word for it, and its name.
pub(super) fn unknown<'a>(view: &View<'a>) -> Option<(&'static str, &'a str)> {
    let machines = &view.board.machine_labels;
    let machine = view.filter.machine.as_deref();
    let machine = machine.filter(|asked| machines.iter().all(|(key, _)| key != asked));
    // Stages that are folded into one have no lane of their own.
    let stages = view.board.lanes.as_ref().map(|lanes| &lanes.stages);
    let is_no_stage = |asked: &&str| {
        let differs = |lane: &StageLane| lane.stage != *asked && lane.stage != OTHER;
        stages.is_some_and(|stages| stages.iter().all(differs))
    };
    let stage = view.filter.stage.as_deref().filter(is_no_stage);
    let machine = machine.map(|machine| ("machine", machine));
    machine.or(stage.map(|stage| ("stage", stage)))
}

fn select<'a>(
    name: &str,
    label: &str,
    all: &str,
    chosen: Option<&'a str>,
    mut options: Vec<(&'a str, &'a str)>,
) -> Markup {
    // What was asked for stays chosen, even if the board does not know it.
    if let Some(chosen) = chosen.filter(|chosen| !options.iter().any(|(value, _)| value == chosen))
    {
        options.push((chosen, chosen));
    }
    html! {
        label {
            span { (label) }
            select name=(name) {
                option value="" { (all) }
                @for (value, text) in options {
                    option value=(value) selected[chosen == Some(value)] { (text) }
                }
            }
        }
    }
}

/// The board's stages; those of the rows when the board has none.
fn stages<'a>(view: &View<'a>) -> Vec<(&'a str, &'a str)> {
    let of_board = view.board.lanes.iter().flat_map(|lanes| &lanes.stages);
    let mut stages: Vec<&str> = of_board.map(|lane| lane.stage.as_str()).collect();
    if stages.is_empty() {
        let rows = view.failures.iter().flat_map(|failures| &failures.items);
        stages = rows.map(|row| row.stage.as_str()).collect();
        stages.dedup();
    }
    stages.retain(|stage| !stage.is_empty() && *stage != OTHER);
    stages.into_iter().map(|stage| (stage, stage)).collect()
}

fn machines<'a>(view: &View<'a>) -> Vec<(&'a str, &'a str)> {
    let machines = view.board.machine_labels.iter();
    machines
        .map(|(key, label)| (key.as_str(), label.as_str()))
        .collect()
}
