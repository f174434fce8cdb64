//! What is wrong, before anything else.

use maud::{Markup, html};

use super::View;
use crate::judge::Board;
use crate::judge::problems::Problem;
use crate::render::problems::{subject, text};
use crate::render::words::count;

/// So many problems are shown; of more it is said how many.
const MAX_SHOWN: usize = 20;

/// One line for each thing that is wrong.
pub(super) fn strip(view: &View) -> Markup {
    let board = view.board;
    let problems = board.problems.iter().take(MAX_SHOWN);
    let problems = problems.map(|problem| line(problem, board));
    let rest = [more(board), unread(view), failed(board)];
    let lines: Vec<Markup> = problems.chain(rest.into_iter().flatten()).collect();
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

fn line(problem: &Problem, board: &Board) -> Markup {
    html! {
        span data-alert=(problem.what.alert()) {
            @match subject(problem, board) {
                Some(subject) => { strong { bdi { (subject) } ":" } " " (text(problem)) },
                None => strong { (text(problem)) },
            }
        }
    }
}

fn more(board: &Board) -> Option<Markup> {
    let more = board.problems.len().saturating_sub(MAX_SHOWN);
    (more > 0).then(|| html! { "And " (count(more as i64, "other.", "others.")) })
}

fn unread(view: &View) -> Option<Markup> {
    let is_unread = view.board.up && view.failures.is_none();
    is_unread.then(|| html! { strong { "The failed rows could not be read." } })
}

fn failed(board: &Board) -> Option<Markup> {
    let failed = board.failed();
    (failed > 0).then(|| {
        html! { strong { (count(failed, "failed row", "failed rows")) } " " a href="#failures" { "below" } }
    })
}
