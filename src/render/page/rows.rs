//! The failed rows, to be selected one by one or by what they share.

use maud::{Markup, html};

use super::filter::{link, unknown};
use super::groups::{self, Cause, Group};
use super::{View, bulk, stage_name, time};
use crate::admin::request::filter::Filter;
use crate::judge::Board;
use crate::judge::failures::{Failure, Failures, Total};
use crate::render::error;
use crate::render::words::{count, number};

/// A cause with more rows than this begins folded.
const FEW_ROWS: usize = 5;

/// An error longer than this, in characters or lines, may scroll and so takes the focus.
const LONG_ERROR: (usize, usize) = (500, 8);

/// The rows of this page, or that they could not be read.
pub(super) fn list(view: &View) -> Markup {
    let Some(failures) = view.failures else {
        return html! { p .missing { "The failed rows could not be read." } };
    };
    let groups = groups::of(&failures.items);
    html! {
        p #total { (total(failures, view.filter)) (nothing(view, failures)) }
        (bulk::bar(view, failures.total))
        (bulk::causes(view))
        @if !groups.is_empty() {
            (bar(failures.items.len()))
            @for group in &groups { (section(group, view.board)) }
        }
        (pages(view))
    }
}

fn total(failures: &Failures, filter: &Filter) -> String {
    let shown = failures.items.len() as i64;
    let which = if *filter == Filter::default() {
        ""
    } else {
        " with this filter"
    };
    let all = match failures.total {
        Total::Exactly(0) => return format!("No failed rows{which}."),
        Total::Exactly(total) => count(total, "failed row", "failed rows"),
        Total::MoreThan(rows) => format!("more than {} failed rows", number(rows)),
    };
    match failures.total {
        Total::Exactly(total) if shown >= total => format!("{all}{which}."),
        _ => format!("Showing {} of {all}{which}.", number(shown)),
    }
}

/// Why a filter leaves nothing, and the way out of it.
fn nothing(view: &View, failures: &Failures) -> Markup {
    if failures.total.at_least() > 0 || *view.filter == Filter::default() {
        return html! {};
    }
    html! {
        @if let Some((what, name)) = unknown(view) { " There is no " (what) " " bdi { (name) } "." }
        " " a href="./#failures" { "Show all failed rows" }
    }
}

fn bar(shown: usize) -> Markup {
    html! {
        div .bar role="group" aria-label="Actions on the selected rows" {
            label { (select_all()) span { "All " span .count { (number(shown as i64)) } " on this page" } }
            span {
                button type="button" .main data-action="retry" disabled { "Retry" }
                " "
                button type="button" data-action="skip" disabled { "Skip" }
            }
        }
    }
}

/// A box that selects every row of its scope. A browser would restore the boxes of a page by
/// their place, and so select other rows after a reload.
fn select_all() -> Markup {
    html! { input .all type="checkbox" autocomplete="off"; }
}

fn section(group: &Group, board: &Board) -> Markup {
    html! {
        article .group.scope data-stage=(group.stage) data-machine=(group.machine) {
            h3 {
                label {
                    (select_all())
                    span {
                        (stage_name(group.stage))
                        " " span .quiet {
                            (board.machine_label(group.machine)) " · "
                            span .count { (number(group.len() as i64)) } " on this page"
                        }
                    }
                }
            }
            @for cause in &group.causes { (folded(cause, group.stage, board)) }
        }
    }
}

fn folded(cause: &Cause, stage: &str, board: &Board) -> Markup {
    let few = cause.rows.len() <= FEW_ROWS;
    let name = cause.cause;
    html! {
        div .cause.scope data-cause=(name) {
            input .all type="checkbox" autocomplete="off" aria-label={ "All rows of " (stage) ": " (name) };
            details open[few] {
                summary {
                    span .count { (number(cause.rows.len() as i64)) }
                    " " span dir="auto" { (name) }
                }
                ol { @for failure in &cause.rows { (row(failure, board)) } }
            }
        }
    }
}

fn row(failure: &Failure, board: &Board) -> Markup {
    html! {
        li .row data-id=(failure.id) data-stage=(failure.stage) data-gone[failure.document_is_gone] {
            label {
                input type="checkbox" autocomplete="off" value=(failure.id);
                bdi .title { (failure.title) }
            }
            p .quiet {
                (facts(failure, &board.item)) " · failed " (time::past(failure.failed_at, failure.age, board))
            }
            @if let Some(error) = error::text(failure).filter(|error| !error.is_empty()) {
                (message(&error))
                @if failure.error_cut.is_some() {
                    p .quiet { a href=(error::link(failure)) { "The whole error" } }
                }
            }
        }
    }
}

fn message(error: &str) -> Markup {
    let (characters, lines) = LONG_ERROR;
    let long = error.chars().nth(characters).is_some() || error.lines().nth(lines).is_some();
    html! {
        @if long {
            pre .error dir="auto" tabindex="0" role="region" aria-label="Error message" { (error) }
        } @else {
            pre .error dir="auto" { (error) }
        }
    }
}

fn facts(failure: &Failure, item: &str) -> String {
    let known = |attempts: Option<i64>| attempts.map_or_else(|| "?".to_owned(), number);
    let attempts = known(failure.attempts);
    let most = known(failure.max_attempts);
    let document = failure.document_id.as_ref();
    let document = document.map_or("unknown", |id| id.as_str());
    let (id, gone) = (
        &failure.id,
        if failure.document_is_gone {
            " (gone)"
        } else {
            ""
        },
    );
    format!("row {id} · {item} {document}{gone} · attempts {attempts}/{most}")
}

fn pages(view: &View) -> Markup {
    let way = || view.cursors.iter().map(String::as_str);
    let before = view.cursors.len().saturating_sub(1);
    html! {
        @if !view.cursors.is_empty() || view.next.is_some() {
            nav .pages aria-label="Pages of failed rows" {
                @if before > 0 { a href={ (link(view.filter, [])) "#failures" } { "First page" } " " }
                @if !view.cursors.is_empty() {
                    a rel="prev" href={ (link(view.filter, way().take(before))) "#failures" } { "Previous page" }
                }
                " "
                @if view.next.is_some() {
                    a rel="next" href={ (link(view.filter, way().chain(view.next))) "#failures" } { "Next page" }
                }
            }
        }
    }
}
