//! The cause that like errors share: what differs from row to row is taken out.
//!
//! Of a message the line that tells what happened counts, or the text that a document holds for
//! people; in it, paths, ids, times and numbers are replaced. Which numbers stay, `codes` says.

mod amounts;
mod codes;
mod documents;
mod ids;
mod places;
mod times;
mod traces;
mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// The cause of a row that tells no error.
const NONE: &str = "no error message";

/// How long a cause is at most, in characters.
const MOST_CHARACTERS: usize = 200;

/// What stands where a cause was cut.
const CUT: &str = " … ";

/// How much of either end of a cause is left when it is cut, in characters.
const MOST_OF_THE_BEGINNING: usize = 117;
const MOST_OF_THE_END: usize = 80;

/// How much is read of either end of a message, in bytes.
const MOST_OF_AN_END: usize = 16 * 1024;

/// What is left is looked at again until it stays as it is; no text needs more than a few rounds.
const MOST_ROUNDS: usize = 16;

/// Returns what happened, in the words that like errors share.
pub fn of(message: &str) -> String {
    let mut cause = round(&ends(message));
    for _ in 1..MOST_ROUNDS {
        let next = round(&cause);
        if next == cause {
            break;
        }
        cause = next;
    }
    cause
}

/// Returns what happened by both ends of a message of which the middle is not known.
pub fn of_ends(beginning: &str, end: &str) -> String {
    of(&joined(beginning, end))
}

fn round(message: &str) -> String {
    let message = documents::opened(message);
    let line = traces::telling(&message);
    let cause = cut(&words::plain(&documents::opened(&line)));
    if cause.is_empty() {
        NONE.to_owned()
    } else {
        cause
    }
}

/// The beginning and the last lines of a message; a stack trace in between may be of any length.
fn ends(message: &str) -> Cow<'_, str> {
    if message.len() <= 2 * MOST_OF_AN_END {
        return message.into();
    }
    let head = &message[..message.floor_char_boundary(MOST_OF_AN_END)];
    let tail = &message[message.ceil_char_boundary(message.len() - MOST_OF_AN_END)..];
    joined(head, tail).into()
}

/// The end without its first line, which may be the rest of another.
fn joined(beginning: &str, end: &str) -> String {
    let lines = end.split_once('\n').map_or("", |(_, lines)| lines);
    format!("{beginning}\n{lines}")
}

/// Cuts a cause to its length: out of its middle, as errors that wrap others end with the reason.
fn cut(cause: &str) -> String {
    let Some((ending, _)) = cause.char_indices().rev().nth(MOST_OF_THE_END - 1) else {
        return cause.to_owned();
    };
    if cause.chars().nth(MOST_CHARACTERS).is_none() {
        return cause.to_owned();
    }
    let beginning = cause.char_indices().nth(MOST_OF_THE_BEGINNING);
    let beginning = beginning.map_or(cause.len(), |(end, _)| end);
    let (before, _) = words::around(cause, beginning);
    let (_, after) = words::around(cause, ending);
    format!("{}{CUT}{}", before.trim_end(), after.trim_start())
}
