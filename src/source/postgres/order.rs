//! The order of failed rows, as questions ask for it and an index keeps it: by stage, the latest
//! failed first, the highest id first.

use crate::snapshot::Scope;
use crate::source::shape::{Kind, Relation};

use super::time_zone;
use super::values::text;

/// Returns the SQL that depends on the columns of the order, by the name that questions have for it.
/// `{failed_after}` and `{after}` are `$7` and `$8` as they are compared.
pub(super) fn parts(queue: &Relation, scope: &Scope) -> Vec<(&'static str, String)> {
    let (id, after) = cursor(queue);
    vec![
        ("{id}", id),
        ("{after}", after.to_owned()),
        ("{failing}", failing(queue, scope, "q.")),
        ("{failed_after}", FAILED_AFTER.to_owned()),
    ]
}

/// Returns the columns of an index in this order; nothing where an index cannot hold one of them.
pub(super) fn columns(queue: &Relation, scope: &Scope) -> Option<String> {
    let stage = as_text(queue, "stage")?;
    let id = match queue.kind("id")? {
        Kind::Integer | Kind::Numeric | Kind::Uuid => "id".to_owned(),
        _ => as_text(queue, "id")?,
    };
    for column in ["completed_at", "started_at"] {
        if !matches!(queue.kind(column)?, Kind::Instant | Kind::NaiveInstant) {
            return None;
        }
    }
    let failing = failing(queue, scope, "");
    Some(format!("({stage}, {failing} DESC, {id} DESC)"))
}

/// Only what is text already is the same text for ever, as an index wants it.
fn as_text(queue: &Relation, column: &str) -> Option<String> {
    let mut columns = queue.columns.iter();
    let own = columns.find(|known| known.name == column && known.kind == Kind::Text)?;
    Some(match own.declared.as_str() {
        "text" => format!(r#"{column} COLLATE "C""#),
        _ => format!(r#"({column}::text) COLLATE "C""#),
    })
}

/// When a row failed; those that do not tell stand last.
fn failing(queue: &Relation, scope: &Scope, row: &str) -> String {
    let instant = |column| match queue.kind(column) {
        // The same as a cast in this zone, but for an index.
        Some(Kind::NaiveInstant) => {
            format!("{row}{column} AT TIME ZONE {}", text(time_zone(scope)))
        }
        Some(Kind::Instant) => format!("{row}{column}"),
        _ => format!("{row}{column}::timestamptz"),
    };
    let (completed, started) = (instant("completed_at"), instant("started_at"));
    format!("coalesce({completed}, {started}, '-infinity')")
}

/// A time that no timestamp can hold stands before or after all of them.
const FAILED_AFTER: &str = "
CASE WHEN $7::float8 BETWEEN -210866803200 AND 9224318015999 THEN to_timestamp($7)
     WHEN $7 < 0 THEN '-infinity' ELSE 'infinity' END";

/// An id as it stands in the order, and the id `$8` as it is compared with it: null where no id of
/// this table is written so.
fn cursor(queue: &Relation) -> (String, &'static str) {
    match queue.kind("id") {
        // A number that is no bigint is before or after all of them.
        Some(Kind::Integer) => (
            "q.id".to_owned(),
            "CASE WHEN $8 ~ '^-?[0-9]{1,30}$'
                  THEN greatest(least($8::numeric, 9223372036854775807), -9223372036854775808)::bigint END",
        ),
        Some(Kind::Numeric) => (
            "q.id".to_owned(),
            "CASE WHEN $8 ~ '^-?[0-9]{1,30}$' THEN $8::numeric END",
        ),
        Some(Kind::Uuid) => (
            "q.id".to_owned(),
            "CASE WHEN $8 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $8::uuid END",
        ),
        _ => (r#"q.id::text COLLATE "C""#.to_owned(), "$8"),
    }
}
