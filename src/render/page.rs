//! A board and the failed rows as a page on which a person retries or skips them.
//!
//! The page is whole without script, but for the two actions and the refresh, which makes of the
//! lanes and the rows what a later answer has in their place, but for what a reader holds.

mod bulk;
mod dialog;
mod filter;
mod groups;
mod jobs;
mod lanes;
mod recent;
mod rows;
mod time;
mod wrong;

use std::sync::Arc;

use maud::{DOCTYPE, Markup, html};

use crate::admin::request::filter::Filter;
use crate::admin::run::Run;
use crate::judge::Board;
use crate::judge::became::Became;
use crate::judge::failures::Failures;
use crate::render::words::{stage_name, titled};

/// The style that the page links as `page.css`.
pub const CSS: &str = include_str!("page/page.css");

/// The script that the page links as `page.js`.
pub const SCRIPT: &str = concat!(
    include_str!("page/page.js"),
    include_str!("page/patch.js"),
    include_str!("page/refresh.js"),
);

/// What the page shows.
#[derive(Debug)]
pub struct View<'a> {
    /// Which system it is of.
    pub name: &'a str,
    /// Lanes and jobs.
    pub board: &'a Board,
    /// A page of failed rows; absent when they could not be read.
    pub failures: Option<&'a Failures>,
    /// Which failed rows were asked for.
    pub filter: &'a Filter,
    /// Where the pages begin, from the second one to this one.
    pub cursors: &'a [String],
    /// The cursor of the next page.
    pub next: Option<&'a str>,
    /// What people asked for lately, the latest first, and what became of the rows of some.
    pub recent: &'a [(Arc<Run>, Option<Became>)],
}

/// Renders the whole document.
pub fn render(view: &View) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            (head(view.name))
            body {
                a .skip href="#failures" { "Skip to the failed rows" }
                header #top {
                    div .line {
                        h1 { (titled(view.name, "Queueboard")) }
                        p { span #asof { (as_of(view.board)) } span #age {} }
                    }
                    p #trouble role="alert" {}
                }
                main {
                    div #wrong { (wrong::strip(view)) }
                    (failures(view))
                    (recent::section(view))
                    div #board { (jobs::section(view.board)) (lanes::section(view.board)) }
                    (dialog::outcome())
                }
                (dialog::confirmation())
            }
        }
    };
    document.into_string()
}

fn head(name: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (titled(name, "Queueboard: failed rows")) }
            // An icon of nothing, so that a browser does not ask for one.
            link rel="icon" href="data:,";
            link rel="stylesheet" href="./page.css";
            script src="./page.js" defer {}
        }
    }
}

/// When the board was read, on the pipeline's clock.
fn as_of(board: &Board) -> Markup {
    html! {
        @match board.now {
            Some(now) => { "as of " (time::clock(now, board)) " " (board.timezone.name()) },
            None => "no answer from the database",
        }
    }
}

fn failures(view: &View) -> Markup {
    html! {
        section #failures tabindex="-1" aria-labelledby="failures-title" {
            div .line {
                h2 #failures-title { "Failed rows" }
                p #held .quiet {}
            }
            noscript {
                p .missing { "Retry and skip need script; the list does not." }
            }
            (filter::form(view))
            div #failed .scope { (rows::list(view)) }
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
