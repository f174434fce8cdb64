//! Failed rows by what they have in common: their causes over all pages, and the actions on all of
//! them.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::filter::link;
use super::{View, stage_name};
use crate::admin::request::filter::Filter;
use crate::judge::causes::CauseCount;
use crate::judge::failures::Total;
use crate::judge::names::OTHER;
use crate::render::words::number;

/// How many rows are tried before all others.
const FIRST: i64 = 10;

/// The actions on every row that is asked for, on this page or not.
pub(super) fn bar(view: &View, total: Total) -> Markup {
    let filter: Map<String, Value> = view
        .filter
        .pairs()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let filter = Value::Object(filter).to_string();
    let (least, all) = match total {
        Total::Exactly(rows) => (rows, format!(" {}", number(rows))),
        Total::MoreThan(rows) => (rows, String::new()),
    };
    html! {
        @if least > 0 {
            div #bulk .bulk role="group" aria-label="Actions on all of these rows, on every page"
                data-filter=(filter) {
                span { "All" (all) ", on every page:" }
                span {
                    @if least > FIRST {
                        button type="button" data-bulk="retry" data-limit=(FIRST) { "Retry the first " (FIRST) }
                        " "
                    }
                    button type="button" data-bulk="retry" { "Retry all" (all) }
                    " "
                    button type="button" data-bulk="skip" { "Skip all" (all) }
                }
            }
        }
    }
}

/// How many rows there are of each cause, unless rows of one cause are asked for.
pub(super) fn causes(view: &View) -> Markup {
    let Some(causes) = view.board.causes.as_deref() else {
        return html! {};
    };
    let filter = view.filter;
    let is_wanted = |count: &&CauseCount| {
        let is =
            |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|asked| asked == own);
        is(&filter.stage, &count.stage) && is(&filter.machine, &count.machine)
    };
    let is_of_all =
        filter.cause.is_none() && filter.text.is_none() && filter.failed_before.is_none();
    let wanted: Vec<&CauseCount> = causes.iter().filter(is_wanted).collect();
    html! {
        @if is_of_all && wanted.len() > 1 {
            details .causes open[view.next.is_some()] {
                summary { "Causes of all these rows: " (number(wanted.len() as i64)) }
                table {
                    thead { tr { th scope="col" { "Cause" } th scope="col" { "Stage" } th scope="col" { "Rows" } } }
                    tbody { @for count in wanted { (row(count, filter)) } }
                }
            }
        }
    }
}

fn row(count: &CauseCount, filter: &Filter) -> Markup {
    let own = Filter {
        stage: Some(count.stage.clone()),
        cause: Some(count.cause.clone()),
        ..filter.clone()
    };
    html! {
        tr {
            th scope="row" {
                @if count.cause == OTHER || count.stage == OTHER || count.stage.is_empty() {
                    (if count.cause == OTHER { "other causes" } else { &count.cause })
                } @else {
                    a dir="auto" href={ (link(&own, [])) "#failures" } { (count.cause) }
                }
            }
            td { (stage_name(&count.stage)) }
            td { (number(count.rows)) }
        }
    }
}
