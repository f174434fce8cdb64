//! Failed rows that have something in common.

use super::{FailedRow, Id, Position, Text, UnixSeconds};

/// Which failed rows have something in common, and of which stages they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// The database's clock.
    pub now: UnixSeconds,
    /// How many there are.
    pub matching: i64,
    /// How many of each stage, in the order of failed rows.
    pub stages: Vec<(Text, i64)>,
    /// How many of them have a document that is not there any more.
    pub documents_gone: i64,
    /// The ids of the first of them, in the order of failed rows.
    pub ids: Vec<Id>,
    /// The place of the last of those.
    pub last: Option<Position>,
}

impl Selection {
    /// Adds the next row; its id is kept if fewer than `most` are.
    pub fn add(&mut self, row: FailedRow, most: usize) {
        self.matching += 1;
        self.documents_gone += i64::from(row.document_is_gone);
        match self.stages.last_mut() {
            Some((stage, rows)) if *stage == row.stage => *rows += 1,
            _ => self.stages.push((row.stage.clone(), 1)),
        }
        if self.ids.len() < most {
            self.last = Some(row.position());
            self.ids.push(row.id);
        }
    }
}
