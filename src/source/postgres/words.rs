//! Conditions and texts in the SQL of PostgreSQL that depend on what a column holds.

use crate::snapshot::Statuses;
use crate::source::shape::{Kind, Relation};

use super::values::text;

/// Returns the statuses without words that the column cannot hold: to compare an ENUM with one
/// that it does not know is an error.
pub(crate) fn known_statuses(queue: &Relation, statuses: &Statuses) -> Statuses {
    statuses.retain(|word| match queue.kind("status") {
        Some(Kind::Enum(labels)) => labels.iter().any(|label| label == word),
        _ => true,
    })
}

/// Returns the condition that the status is one of the words.
pub(crate) fn is_one_of(column: &str, words: &[String]) -> String {
    let literals: Vec<String> = words.iter().map(|word| text(word)).collect();
    match literals.as_slice() {
        [] => "FALSE".to_owned(),
        literals => format!("{column} IN ({})", literals.join(", ")),
    }
}

/// Returns the condition that an id is one of `$1`, in a form that an index on it serves.
pub(crate) fn is_asked(queue: &Relation, id: &str) -> String {
    match queue.kind("id") {
        Some(Kind::Integer) => format!("{id} = ANY($1::text[]::bigint[])"),
        Some(Kind::Numeric) => format!("{id} = ANY($1::text[]::numeric[])"),
        Some(Kind::Uuid) => format!("{id} = ANY($1::text[]::uuid[])"),
        _ => format!("{id}::text = ANY($1::text[])"),
    }
}

/// Returns the condition that a row is not completed, nor one whose status is null.
pub(crate) fn is_unfinished(statuses: &Statuses) -> String {
    format!("({}) IS NOT TRUE", is_one_of("status", &statuses.completed))
}

/// Returns the condition that a row says it was skipped; nothing where no row can say so.
pub(crate) fn is_skipped(queue: &Relation) -> Option<String> {
    let condition = match queue.kind("payload")? {
        Kind::Jsonb => r#"payload @> '{"skipped_by_user": true}'"#,
        // To cast it to jsonb fails for what jsonb cannot hold, and an index must never fail.
        _ => r#"payload::text ~ '"skipped_by_user"[[:space:]]*:[[:space:]]*true'"#,
    };
    Some(condition.to_owned())
}

/// Returns a column as text; null where there is no such column.
pub(super) fn as_text(relation: &Relation, column: &str) -> String {
    match relation.kind(column) {
        None => "NULL::text".to_owned(),
        Some(Kind::Jsonb) => format!("{column} #>> '{{}}'"),
        // What no text can hold is shown as it was written.
        Some(Kind::Json) => format!(
            "CASE WHEN {column}::text ~ {} THEN {column}::text ELSE {column} #>> '{{}}' END",
            text(r"\\u(0000|[dD][89a-fA-F])")
        ),
        Some(_) => format!("{column}::text"),
    }
}

/// Returns a column as a whole number; null where there is no such column.
pub(super) fn as_number(relation: &Relation, column: &str) -> String {
    match relation.kind(column) {
        None => "NULL::bigint".to_owned(),
        Some(_) => format!("{column}::bigint"),
    }
}

/// Returns the time between two instants of a row in seconds; null if one of them is not finite. Of
/// very old instants an interval would be out of range.
pub(super) fn seconds_between(from: &str, to: &str) -> String {
    let epoch = |column| format!("extract(epoch FROM q.{column}::timestamptz)");
    format!(
        "CASE WHEN isfinite(q.{from}) AND isfinite(q.{to}) THEN {} - {} END",
        epoch(to),
        epoch(from)
    )
}
