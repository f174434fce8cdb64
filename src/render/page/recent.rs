//! What people asked for lately, and what became of it.

use maud::{Markup, html};

use super::{View, time};
use crate::admin::run::{Asked, End, Run, State};
use crate::judge::became::Became;
use crate::render::words::{count, number};

/// The latest actions, the latest first.
pub(super) fn section(view: &View) -> Markup {
    html! {
        section #recent aria-labelledby="recent-title" {
            @if !view.recent.is_empty() {
                h2 #recent-title { "Recent actions" }
                p .quiet {
                    "The latest 50 of this process. A restart forgets them, and ends those under way."
                }
                ol { @for (run, became) in view.recent { (item(run, became.as_ref(), view)) } }
            }
        }
    }
}

fn item(run: &Run, became: Option<&Became>, view: &View) -> Markup {
    let state = run.state();
    let number = run.number;
    let is_running = state.end.is_none();
    html! {
        li data-run=(number) data-running[is_running] {
            p {
                strong { (what(run)) }
                " " span .quiet { "by " bdi { (run.actor) } " at " (time::clock(run.began, view.board)) }
            }
            p { (progress(run, &state)) }
            @if let Some(became) = became { p { (now(became)) } }
            @if is_running {
                button type="button" data-run-call="stop" { "Stop " (number) }
            } @else if run.can_undo(&state) {
                button type="button" data-run-call="undo" { "Undo " (number) }
            } @else if state.is_undone {
                p .quiet { "Taken back." }
            }
        }
    }
}

fn what(run: &Run) -> String {
    let rows = count(run.rows as i64, "row", "rows");
    let number = run.number;
    match &run.asked {
        Asked::Ids(action, _) => format!("{number}. {} {rows}", action.as_str()),
        Asked::Matching(action, matching) => {
            let filter = matching.filter.pairs();
            let filter: Vec<String> = filter
                .map(|(name, value)| format!("{name} “{value}”"))
                .collect();
            let which = match filter.as_slice() {
                [] => String::new(),
                filter => format!(" with {}", filter.join(", ")),
            };
            let pace = matching.per_minute.map(|rows| format!(", {rows} a minute"));
            format!(
                "{number}. {} {rows}{which}{}",
                action.as_str(),
                pace.unwrap_or_default()
            )
        }
        Asked::Undo(_, undone) => format!("{number}. undo {}: {rows}", undone.number),
    }
}

fn progress(run: &Run, state: &State) -> String {
    let told: usize = state.outcomes.values().sum();
    let outcomes = state.outcomes.iter();
    let outcomes: Vec<String> = outcomes
        .map(|(outcome, rows)| {
            format!(
                "{} {}",
                number(*rows as i64),
                outcome.as_str().replace('_', " ")
            )
        })
        .collect();
    let how = match &state.end {
        None => format!(
            "Under way, {} of {}",
            number(told as i64),
            number(run.rows as i64)
        ),
        Some(End::Done) => "Done".to_owned(),
        Some(End::Stopped) => format!(
            "Stopped after {} of {}",
            number(told as i64),
            number(run.rows as i64)
        ),
        Some(End::Failed(failure)) => format!("Failed, {failure}"),
        Some(End::Unread(_)) => "Failed, the next rows could not be read".to_owned(),
    };
    match outcomes.as_slice() {
        [] => format!("{how}."),
        outcomes => format!("{how}: {}.", outcomes.join(", ")),
    }
}

fn now(became: &Became) -> String {
    let counts = became.counts().into_iter();
    let counts: Vec<String> = counts
        .map(|(word, rows)| format!("{} {}", number(rows as i64), word.replace('_', " ")))
        .collect();
    format!("Of those retried now: {}.", counts.join(", "))
}
