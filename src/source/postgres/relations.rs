//! The tables as the questions name them: each column read by its meaning, whatever its type.
//!
//! A question says `{queue}` and `is_pending`; here stands what that is on the tables at hand. The
//! planner looks through these subqueries, so the index on a column serves as if the question had
//! named the column itself.

use crate::snapshot::deferral::ODD;
use crate::snapshot::{MAX_COUNT, MAX_JOB_ERROR, MAX_NAME, MAX_ODD_DEFERRALS, Scope, Statuses};
use crate::source::fill;
use crate::source::shape::{Kind, Relation, Shape};

use super::questions::{IN_ORDER, IS_WANTED, WANTED};
use super::words::{
    as_number, as_text, is_asked, is_one_of, is_skipped, is_unfinished, known_statuses,
    seconds_between,
};
use super::{activity, deferral, order};

/// The SQL that depends on the shape of the tables, by the name that questions have for it.
#[derive(Debug, Clone)]
pub(super) struct Relations {
    parts: Vec<(&'static str, String)>,
}

impl Relations {
    /// Writes the SQL for tables of this shape.
    pub(super) fn new(shape: &Shape, scope: &Scope) -> Self {
        let queue = &shape.queue;
        let statuses = known_statuses(queue, &scope.statuses);
        let latest = |column| latest_naive(queue, column, scope);
        let parts = vec![
            ("{document_is_gone}", document_is_gone(shape)),
            ("{queue}", rows(queue, &statuses)),
            ("{is_asked}", is_asked(queue, "q.id")),
            ("{in_pool}", in_pool(queue, &scope.pool_stages)),
            ("{documents}", documents(&shape.documents)),
            ("{of_document}", of_document(shape)),
            ("{deferral}", deferral::of_row(queue)),
            ("{document}", deferral::document(queue)),
            ("{odd}", ODD.to_string()),
            ("{max_odd}", MAX_ODD_DEFERRALS.to_string()),
            ("{count_and_one}", (MAX_COUNT + 1).to_string()),
            ("{name_and_one}", (MAX_NAME + 1).to_string()),
            ("{job_error_and_one}", (MAX_JOB_ERROR + 1).to_string()),
            ("{latest_created}", latest("created_at")),
            ("{latest_started}", latest("started_at")),
            ("{latest_completed}", latest("completed_at")),
            ("{waits}", microseconds("created_at", "started_at")),
            ("{works}", microseconds("started_at", "completed_at")),
            ("{label}", as_text(&shape.jobs, "label")),
            ("{error}", as_text(&shape.jobs, "error")),
        ];
        let mut parts = [parts, order::parts(queue, scope), activity::parts(queue)].concat();
        parts.push(("{in_order}", IN_ORDER.to_owned()));
        parts.push(("{is_wanted}", fill(IS_WANTED, &parts)));
        parts.push(("{wanted}", fill(WANTED, &parts)));
        Self { parts }
    }

    /// Writes a question for these tables.
    pub(super) fn fill(&self, question: &str) -> String {
        fill(question, &self.parts)
    }
}

fn rows(queue: &Relation, statuses: &Statuses) -> String {
    let is = |words: &[String]| is_one_of("status", words);
    let skipped = is_skipped(queue).unwrap_or_else(|| "FALSE".to_owned());
    let mut columns = vec![
        ("id", "id".to_owned()),
        ("document_id", "document_id".to_owned()),
        ("stage", "stage::text".to_owned()),
        ("stage_key", stage_key(queue).to_owned()),
        ("status", "status::text".to_owned()),
        ("is_pending", is(&statuses.pending)),
        ("is_processing", is(&statuses.processing)),
        ("is_failed", is(&statuses.failed)),
        ("is_completed", is(&statuses.completed)),
        ("is_unfinished", is_unfinished(statuses)),
        (
            "is_unknown",
            format!("({}) IS NOT TRUE", is(&statuses.all())),
        ),
        ("is_skipped", skipped),
        ("created_at", "created_at".to_owned()),
        ("started_at", "started_at".to_owned()),
        ("completed_at", "completed_at".to_owned()),
        ("attempts", as_number(queue, "attempts")),
        ("max_attempts", as_number(queue, "max_attempts")),
        ("error_message", as_text(queue, "error_message")),
    ];
    columns.extend(deferral::columns(queue));
    select(&columns, "processing_queue")
}

/// An ENUM is compared as it is kept: to write each as text costs more than to count it.
fn stage_key(queue: &Relation) -> &'static str {
    match queue.kind("stage") {
        Some(Kind::Enum(_)) => "stage",
        _ => "stage::text",
    }
}

/// Whether a stage is one of those that several machines work, which are `$6`.
fn in_pool(queue: &Relation, pool_stages: &[String]) -> String {
    let Some(Kind::Enum(labels)) = queue.kind("stage") else {
        return "q.stage_key = ANY($6)".to_owned();
    };
    let known = pool_stages.iter().filter(|stage| labels.contains(stage));
    is_one_of("q.stage_key", &known.cloned().collect::<Vec<_>>())
}

/// A table that is not there has no rows.
fn documents(documents: &Relation) -> String {
    let texts = [
        "title",
        "original_filename",
        "file_path",
        "ai_model_version",
    ];
    let texts = texts.map(|column| (column, as_text(documents, column)));
    let (id, table) = if documents.exists() {
        // In a subquery a column that is not there would be taken for one of the queue's.
        ("documents.id", "documents")
    } else {
        ("NULL::text", "(SELECT WHERE FALSE) AS nothing")
    };
    select(
        &[&[("id", id.to_owned())], texts.as_slice()].concat(),
        table,
    )
}

/// Where there is no table of documents, none is gone.
fn document_is_gone(shape: &Shape) -> String {
    let is_gone = match shape.documents.exists() {
        true => "q.document_id IS NOT NULL AND d.id IS NULL",
        false => "FALSE",
    };
    is_gone.to_owned()
}

fn select(columns: &[(&str, String)], table: &str) -> String {
    let columns = columns.iter().map(|(name, sql)| format!("{sql} AS {name}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!("(SELECT {columns} FROM {table})")
}

/// Keys of types that cannot be compared are compared as text.
fn of_document(shape: &Shape) -> String {
    let comparison = if shape.documents.kind("id") == shape.queue.kind("document_id") {
        "d.id = q.document_id"
    } else {
        "d.id::text = q.document_id::text"
    };
    comparison.to_owned()
}

/// Returns whether the queue has timestamps whose zone neither they nor the configuration tell.
pub(super) fn tells_no_zone(queue: &Relation, scope: &Scope) -> bool {
    let is_naive = |column| queue.kind(column) == Some(&Kind::NaiveInstant);
    let columns = ["created_at", "started_at", "completed_at"];
    columns.into_iter().any(is_naive) && scope.naive_timestamps.is_none()
}

/// The latest instant of a column that has no zone, unless its zone is said.
fn latest_naive(queue: &Relation, column: &str, scope: &Scope) -> String {
    match queue.kind(column) {
        Some(Kind::NaiveInstant) if scope.naive_timestamps.is_none() => format!(
            "extract(epoch FROM max(q.{column}::timestamptz) FILTER (WHERE isfinite(q.{column})))::float8"
        ),
        _ => "NULL::float8".to_owned(),
    }
}

/// The time between two instants of each row, in microseconds with commas between them.
fn microseconds(from: &str, to: &str) -> String {
    let seconds = seconds_between(from, to);
    format!("string_agg(round(({seconds}) * 1000000)::bigint::text, ',')")
}
