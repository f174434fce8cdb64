//! A page of failed rows: as many as asked for, or as their text allows.

use crate::snapshot::{FailedRow, FailedRows, Total};

use super::size;

/// How much text a page has, in bytes of an answer; with what stands around the texts of some
/// hundred rows, that is about 1 MiB.
const MAX_TEXT: usize = 768 << 10;

/// A page that is being filled.
#[derive(Debug)]
pub(super) struct Page {
    limit: i64,
    text: usize,
    is_full: bool,
    rows: Vec<FailedRow>,
}

impl Page {
    /// Begins a page of at most `limit` rows.
    pub(super) fn new(limit: i64) -> Self {
        Self {
            limit,
            text: 0,
            is_full: false,
            rows: Vec::new(),
        }
    }

    /// Returns whether a row was refused: it and those after it stand on the next page.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes a row if there is room for it.
    pub(super) fn add(&mut self, row: FailedRow) {
        if self.is_full {
            return;
        }
        self.text += size::of(&row);
        let is_enough = self.text > MAX_TEXT && !self.rows.is_empty();
        if is_enough || self.rows.len() as i64 == self.limit {
            self.is_full = true;
        } else {
            self.rows.push(row);
        }
    }

    /// Returns the rows, of `total` on all pages, as they were at an instant.
    pub(super) fn finish(self, now: f64, total: Total) -> FailedRows {
        FailedRows {
            now,
            rows: self.rows,
            goes_on: self.is_full,
            total,
        }
    }
}
