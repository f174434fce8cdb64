//! The tables as the questions name them: each column read by its meaning, whatever its type.

use chrono::{DateTime, Utc};

use crate::snapshot::deferral::ODD;
use crate::snapshot::{MAX_COUNT, MAX_JOB_ERROR, MAX_NAME, MAX_ODD_DEFERRALS, Scope};
use crate::source::fill;
use crate::source::shape::{Relation, Shape};

use super::questions::IS_WANTED;
use super::{activity, deferral, instant};

/// The SQL that depends on the shape of the tables, by the name that questions have for it.
#[derive(Debug, Clone)]
pub(super) struct Relations {
    parts: Vec<(&'static str, String)>,
}

/// What is looked at of a row that is not completed, or lately.
const IS_OF_TODAY: &str = "(q.done_at IS NULL OR q.done_at > ?5)";

/// How many timestamps cannot be read, the starts being those of rows of which something is true.
fn unreadable(start_of: &str) -> String {
    format!(
        "(count(*) FILTER (WHERE q.has_created AND q.created_at IS NULL)
          + count(*) FILTER (WHERE q.has_started AND q.started_at IS NULL AND NOT q.is_pending
                               AND {start_of})
          + count(*) FILTER (WHERE q.has_completed AND q.completed_at IS NULL AND NOT q.is_pending))"
    )
}

impl Relations {
    /// Writes the SQL for tables of this shape.
    pub(super) fn new(shape: &Shape, scope: &Scope, now: DateTime<Utc>) -> Self {
        let read = |column: &str| {
            instant::read(
                column,
                &instant::of_zone(column, scope.naive_timestamps, now),
            )
        };
        let latest = |column| latest_naive(column, scope);
        let parts = vec![
            ("{document_is_gone}", document_is_gone(&shape.documents)),
            ("{raw}", raw(&shape.queue, scope, read)),
            ("{queue}", rows(&shape.queue, scope, read)),
            ("{errors}", errors(&shape.queue)),
            ("{documents}", documents(&shape.documents)),
            ("{deferral}", deferral::of_row(&shape.queue)),
            ("{odd}", ODD.to_string()),
            ("{max_odd}", MAX_ODD_DEFERRALS.to_string()),
            ("{count_and_one}", (MAX_COUNT + 1).to_string()),
            ("{name_and_one}", (MAX_NAME + 1).to_string()),
            ("{job_error_and_one}", (MAX_JOB_ERROR + 1).to_string()),
            ("{latest_created}", latest("created")),
            ("{latest_started}", latest("started")),
            ("{latest_completed}", latest("completed")),
            ("{unreadable}", unreadable("TRUE")),
            ("{unreadable_of_today}", unreadable(IS_OF_TODAY)),
            ("{job_started_at}", read("started_at")),
            ("{job_updated_at}", read("updated_at")),
            ("{job_finished_at}", read("finished_at")),
        ];
        let mut parts = [parts, activity::parts(&shape.queue)].concat();
        parts.push(("{is_wanted}", fill(IS_WANTED, &parts)));
        Self { parts }
    }

    /// Writes a question for these tables.
    pub(super) fn fill(&self, question: &str) -> String {
        fill(question, &self.parts)
    }
}

/// Returns the condition that the status is one of the words.
pub(crate) fn is_one_of(words: &[String]) -> String {
    let literals: Vec<String> = words.iter().map(|word| literal(word)).collect();
    format!("status IN ({})", literals.join(", "))
}

/// Returns a text in SQL.
pub(crate) fn literal(text: &str) -> String {
    // A NUL would end the statement.
    format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
}

/// An instant is read once for each row, and only of rows for which it is looked at.
fn rows(queue: &Relation, scope: &Scope, read: impl Fn(&str) -> String) -> String {
    let statuses = &scope.statuses;
    let columns = [
        ("id", "id".to_owned()),
        ("document_id", "document_id".to_owned()),
        ("stage", "stage".to_owned()),
        ("status", "status".to_owned()),
        ("is_pending", is_one_of(&statuses.pending)),
        ("is_processing", is_one_of(&statuses.processing)),
        ("is_failed", is_one_of(&statuses.failed)),
        ("is_completed", is_one_of(&statuses.completed)),
        (
            "is_unknown",
            format!("({}) IS NOT TRUE", is_one_of(&statuses.all())),
        ),
        ("is_skipped", is_skipped(queue).to_owned()),
        ("created_at", read("created_at")),
        ("started_at", read("started_at")),
        ("completed_at", read("completed_at")),
        ("has_created", "created_at IS NOT NULL".to_owned()),
        ("has_started", "started_at IS NOT NULL".to_owned()),
        ("has_completed", "completed_at IS NOT NULL".to_owned()),
        ("is_naive_created", instant::is_naive("created_at")),
        ("is_naive_started", instant::is_naive("started_at")),
        ("is_naive_completed", instant::is_naive("completed_at")),
        ("attempts", given(queue, "attempts")),
        ("max_attempts", given(queue, "max_attempts")),
        ("is_clean", is_clean(queue)),
        ("until", deferral::until(queue, read)),
    ];
    let columns = columns.map(|(name, sql)| format!("{sql} AS {name}"));
    format!("(SELECT {} FROM processing_queue)", columns.join(", "))
}

/// Returns the condition that a row says it was skipped.
pub(crate) fn is_skipped(queue: &Relation) -> &'static str {
    match queue.kind("payload") {
        Some(_) => {
            "CASE WHEN json_valid(payload)
             THEN json_type(payload, '$.skipped_by_user') = 'true' ELSE FALSE END"
        }
        None => "FALSE",
    }
}

/// Errors stand apart: a question that reads all columns would hold each of them.
fn errors(queue: &Relation) -> String {
    let error = given(queue, "error_message");
    format!("(SELECT id, {error} AS error_message FROM processing_queue)")
}

/// Some tables have a text of nothing for no error. How long it is takes no reading of it.
fn is_clean(queue: &Relation) -> String {
    let error = given(queue, "error_message");
    format!("coalesce(octet_length({error}), 0) = 0")
}

fn given(queue: &Relation, column: &str) -> String {
    let column = queue.kind(column).map(|_| column);
    column.unwrap_or("NULL").to_owned()
}

/// The rows beside the timestamps as they are kept.
fn raw(queue: &Relation, scope: &Scope, read: impl Fn(&str) -> String) -> String {
    let rows = rows(queue, scope, read);
    let raw =
        "created_at AS raw_created, started_at AS raw_started, completed_at AS raw_completed, ";
    rows.replacen("SELECT ", &format!("SELECT {raw}"), 1)
}

/// A table that is not there has no rows, and a column that is not there is null.
fn documents(documents: &Relation) -> String {
    let texts = [
        "title",
        "original_filename",
        "file_path",
        "ai_model_version",
    ];
    let texts = texts.map(|column| match documents.kind(column) {
        Some(_) => column.to_owned(),
        None => format!("NULL AS {column}"),
    });
    let (id, table) = if documents.exists() {
        ("documents.id", "documents")
    } else {
        ("NULL", "(SELECT 1) WHERE FALSE")
    };
    format!("(SELECT {id} AS id, {} FROM {table})", texts.join(", "))
}

/// Where there is no table of documents, none is gone.
fn document_is_gone(documents: &Relation) -> String {
    let is_gone = match documents.exists() {
        true => "r.document_id IS NOT NULL AND d.id IS NULL",
        false => "FALSE",
    };
    is_gone.to_owned()
}

/// The latest instant of a column's texts that tell no zone, unless their zone is said.
fn latest_naive(column: &str, scope: &Scope) -> String {
    match scope.naive_timestamps {
        Some(_) => "NULL".to_owned(),
        None => format!(
            "max(q.{column}_at) FILTER (WHERE q.is_naive_{column} AND q.{column}_at < 9e99)"
        ),
    }
}
