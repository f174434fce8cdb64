//! Failed rows, and which of them are asked for.

use super::{Excerpt, Id, Text, UnixSeconds};

/// How many failed rows are counted at most to tell how many there are: to count a million takes as
/// long as a thousand pages, and nobody acts otherwise for knowing it.
pub const MAX_COUNT: i64 = 10_000;

/// Which failed rows are asked for; by default every one, with as much of its error as in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedQuestion {
    /// Only the row with this id; any row when absent.
    pub id: Option<Id>,
    /// Only rows of these stages; of any stage when absent.
    pub only: Option<Vec<String>>,
    /// No rows of these stages.
    pub except: Vec<String>,
    /// Only rows that have this in their error or their document's names, or as an id.
    pub text: Option<String>,
    /// Only rows that are known to have failed before this instant.
    pub failed_before: Option<UnixSeconds>,
    /// How many rows at most.
    pub limit: i64,
    /// Only rows that stand after this one.
    pub after: Option<Position>,
    /// How much of each error.
    pub error: Excerpt,
}

impl Default for FailedQuestion {
    fn default() -> Self {
        Self {
            id: None,
            only: None,
            except: Vec::new(),
            text: None,
            failed_before: None,
            limit: i64::MAX,
            after: None,
            error: Excerpt::IN_LIST,
        }
    }
}

/// A failed row's place in their order: by stage, latest failed first, highest id first.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The stage.
    pub stage: Text,
    /// When it failed; rows that do not tell stand last.
    pub failed_at: Option<UnixSeconds>,
    /// The queue row's id.
    pub id: Id,
}

/// Failed rows in their order, and how many there are on all pages.
#[derive(Debug, Clone)]
pub struct FailedRows {
    /// The database's clock.
    pub now: UnixSeconds,
    /// The rows asked for, or the first of them.
    pub rows: Vec<FailedRow>,
    /// Whether other rows stand after them.
    pub goes_on: bool,
    /// How many rows would be read without a limit.
    pub total: Total,
}

/// How many failed rows there are on all pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(i64),
    /// More than these, which were counted.
    MoreThan(i64),
}

impl Total {
    /// Returns what is known after rows were counted, one more than [`MAX_COUNT`] at the most.
    pub fn counted(rows: i64) -> Self {
        match rows {
            0..=MAX_COUNT => Self::Exactly(rows),
            _ => Self::MoreThan(MAX_COUNT),
        }
    }

    /// Returns how many there are at least.
    pub fn at_least(self) -> i64 {
        match self {
            Self::Exactly(rows) | Self::MoreThan(rows) => rows,
        }
    }
}

/// A failed row; the key is the id.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FailedRow {
    /// The queue row's id.
    pub id: Id,
    /// The stage.
    pub stage: Text,
    /// The document's id.
    pub document_id: Option<Id>,
    /// Whether the document is not there any more.
    pub document_is_gone: bool,
    /// The document's title, cut after one character more than [`MAX_NAME`](super::MAX_NAME).
    pub title: Option<Text>,
    /// The name it was uploaded under, cut likewise.
    pub original_filename: Option<Text>,
    /// Where it lies, cut likewise at its beginning.
    pub file_path: Option<Text>,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// How often it is tried at most.
    pub max_attempts: Option<i64>,
    /// Why it failed; the beginning of that, where `error_end` has its end.
    pub error_message: Option<Text>,
    /// The end of an error that is not read whole.
    pub error_end: Option<Text>,
    /// How many characters between the two are not read.
    pub error_left_out: i64,
    /// When it failed.
    pub failed_at: Option<UnixSeconds>,
}

impl FailedRow {
    /// Returns the row's place in the order.
    pub fn position(&self) -> Position {
        Position {
            stage: self.stage.clone(),
            failed_at: self.failed_at,
            id: self.id.clone(),
        }
    }
}
