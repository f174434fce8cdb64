//! Failed rows, a page at a time, each under the cause that it shares with others.

use crate::config::Pipeline;
use crate::snapshot::{FailedRow, FailedRows, Id, Position, UnixSeconds};

pub use crate::snapshot::Total;

use super::current::display_title;
use super::{cause, seconds_between};

/// A page of failed rows: by stage, then the latest failed first.
#[derive(Debug, Clone, PartialEq)]
pub struct Failures {
    /// The rows of this page.
    pub items: Vec<Failure>,
    /// How many rows there are on all pages.
    pub total: Total,
    /// After which row the next page begins; absent on the last page.
    pub next: Option<Position>,
}

/// One failed row.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The queue row's id.
    pub id: Id,
    /// The stage.
    pub stage: String,
    /// The machine that the stage is on, or `unassigned`.
    pub machine: String,
    /// The document's id.
    pub document_id: Option<Id>,
    /// Whether the document is not there any more.
    pub document_is_gone: bool,
    /// What people call the document.
    pub title: String,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// How often it is tried at most.
    pub max_attempts: Option<i64>,
    /// Why it failed, in the words of the stage; how that begins, where it is cut.
    pub error_message: Option<String>,
    /// What follows when it is cut.
    pub error_cut: Option<Cut>,
    /// Why it failed, without what differs from row to row.
    pub cause: String,
    /// When it failed; absent when the row does not tell.
    pub failed_at: Option<UnixSeconds>,
    /// How long ago it failed, in seconds.
    pub age: Option<f64>,
}

/// The rest of an error that is cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// How many characters are left out.
    pub left_out: i64,
    /// How it ends after them.
    pub end: String,
}

/// Judges a page of rows.
pub fn judge(rows: &FailedRows, pipeline: &Pipeline) -> Failures {
    let last = rows.rows.last().filter(|_| rows.goes_on);
    let items = rows.rows.iter();
    Failures {
        items: items.map(|row| failure(row, rows.now, pipeline)).collect(),
        total: rows.total,
        next: last.map(FailedRow::position),
    }
}

fn failure(row: &FailedRow, now: UnixSeconds, pipeline: &Pipeline) -> Failure {
    let names = [row.title.as_deref(), row.original_filename.as_deref()];
    let (file_path, document_id) = (row.file_path.as_deref(), row.document_id.as_ref());
    Failure {
        id: row.id.clone(),
        stage: row.stage.to_string(),
        machine: pipeline.machine_of(&row.stage).to_owned(),
        document_id: row.document_id.clone(),
        document_is_gone: row.document_is_gone,
        title: display_title(names, file_path, document_id, &pipeline.words),
        attempts: row.attempts,
        max_attempts: row.max_attempts,
        error_message: row.error_message.as_deref().map(str::to_owned),
        error_cut: row.error_end.as_deref().map(|end| Cut {
            left_out: row.error_left_out,
            end: end.to_owned(),
        }),
        cause: cause_of(row),
        failed_at: row.failed_at,
        age: row
            .failed_at
            .map(|failed_at| seconds_between(failed_at, now)),
    }
}

/// Returns the cause of a row; the exception of a long trace stands at its end.
pub fn cause_of(row: &FailedRow) -> String {
    let error = row.error_message.as_deref().unwrap_or_default();
    match row.error_end.as_deref() {
        Some(end) => cause::of_ends(error, end),
        None => cause::of(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row whose error is read in full, or only to so many characters from either end.
    fn row(error: &str, read: Option<usize>) -> FailedRow {
        let (beginning, end) = match read {
            Some(read) => (&error[..read], Some(&error[error.len() - read..])),
            None => (error, None),
        };
        FailedRow {
            id: 1.into(),
            stage: "ocr".into(),
            document_id: None,
            document_is_gone: false,
            title: None,
            original_filename: None,
            file_path: None,
            attempts: None,
            max_attempts: None,
            error_message: Some(beginning.into()),
            error_end: end.map(Into::into),
            error_left_out: 0,
            failed_at: None,
        }
    }

    #[test]
    fn an_error_that_is_cut_has_the_cause_of_the_whole() {
        let frames = "  File \"/srv/ocr/page.py\", line 7, in read\n    read(page)\n".repeat(50);
        let trace =
            format!("Traceback (most recent call last):\n{frames}ValueError: page 12 is blank");
        let whole = cause_of(&row(&trace, None));
        assert_eq!(whole, "ValueError: page # is blank");
        assert_eq!(cause_of(&row(&trace, Some(1000))), whole);
    }
}
