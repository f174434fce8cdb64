//! What became of rows that were put back into the queue.

use crate::snapshot::RowStatus;

/// How many of them are in each state now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Became {
    /// They wait to be taken.
    pub waiting: usize,
    /// They are worked on.
    pub processing: usize,
    /// They are completed.
    pub done: usize,
    /// They failed again.
    pub failed_again: usize,
    /// They have a status that is none of the four.
    pub unknown: usize,
    /// They are not there any more.
    pub gone: usize,
}

impl Became {
    /// Judges what was found of so many rows.
    pub fn of(asked: usize, found: &[RowStatus]) -> Self {
        let count = |is: fn(&RowStatus) -> bool| found.iter().filter(|row| is(row)).count();
        let known = |row: &RowStatus| row.pending || row.processing || row.failed || row.completed;
        Self {
            waiting: count(|row| row.pending),
            processing: count(|row| row.processing),
            done: count(|row| row.completed),
            failed_again: count(|row| row.failed),
            unknown: found.iter().filter(|row| !known(row)).count(),
            gone: asked.saturating_sub(found.len()),
        }
    }

    /// Returns each count with the word for it; those that may always be, and others that are.
    pub fn counts(self) -> Vec<(&'static str, usize)> {
        let counts = [
            ("done", self.done),
            ("failed_again", self.failed_again),
            ("processing", self.processing),
            ("waiting", self.waiting),
            ("unknown", self.unknown),
            ("gone", self.gone),
        ];
        let is_told =
            |(word, rows): &(&str, usize)| *rows > 0 || !matches!(*word, "unknown" | "gone");
        counts.into_iter().filter(is_told).collect()
    }
}
