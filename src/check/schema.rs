//! The tables and columns that are read, and what each may be. Pure.

use super::facts::{Column, Facts};
use super::finding::Finding;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Instant,
    Json,
    Any,
}

impl Kind {
    fn admits(self, kind: &str) -> bool {
        let kind = kind
            .split('(')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match self {
            Self::Number => ["smallint", "integer", "bigint", "int", "numeric"].contains(&&*kind),
            Self::Text => ["text", "character varying", "character"].contains(&&*kind),
            Self::Instant => kind.starts_with("timestamp"),
            Self::Json => ["json", "jsonb"].contains(&&*kind),
            Self::Any => true,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Number => "bigint",
            Self::Text => "text",
            Self::Instant => "timestamptz",
            Self::Json => "jsonb",
            Self::Any => "any type",
        }
    }
}

use Kind::{Any, Instant, Json, Number, Text};

const QUEUE: &[(&str, Kind)] = &[
    ("id", Number),
    ("document_id", Number),
    ("stage", Text),
    ("status", Text),
    ("attempts", Number),
    ("max_attempts", Number),
    ("error_message", Text),
    ("payload", Json),
    ("created_at", Instant),
    ("started_at", Instant),
    ("completed_at", Instant),
];

const DOCUMENTS: &[(&str, Kind)] = &[
    ("id", Number),
    ("title", Text),
    ("original_filename", Text),
    ("file_path", Text),
    ("ai_model_version", Text),
];

const JOBS: &[(&str, Kind)] = &[
    ("id", Any),
    ("kind", Text),
    ("label", Text),
    ("state", Text),
    ("processed", Number),
    ("total", Number),
    ("started_at", Instant),
    ("updated_at", Instant),
    ("finished_at", Instant),
    ("error", Text),
];

/// What retry and skip change.
const CHANGED: [&str; 5] = [
    "status",
    "attempts",
    "started_at",
    "completed_at",
    "payload",
];

/// Returns a finding for each table.
pub fn tables(facts: &Facts) -> Vec<Finding> {
    vec![
        table(facts, "processing_queue", QUEUE, false),
        table(facts, "documents", DOCUMENTS, false),
        table(facts, "background_jobs", JOBS, true),
    ]
}

/// Returns the columns of the queue that people's actions need and may not change.
pub fn unchangeable(facts: &Facts) -> Vec<&str> {
    let may = |name: &&str| {
        let mut columns = of(facts, "processing_queue");
        columns.any(|column| column.name == *name && column.writable)
    };
    CHANGED.into_iter().filter(|name| !may(name)).collect()
}

fn of<'a>(facts: &'a Facts, table: &str) -> impl Iterator<Item = &'a Column> {
    let columns = facts.columns.iter();
    columns.filter(move |column| column.relation == table)
}

fn table(facts: &Facts, name: &str, expected: &[(&str, Kind)], may_be_absent: bool) -> Finding {
    if of(facts, name).next().is_none() {
        return absent(name, may_be_absent);
    }
    let found = |wanted: &str| of(facts, name).find(|column| column.name == wanted);
    let missing: Vec<&str> = expected
        .iter()
        .filter(|(column, _)| found(column).is_none())
        .map(|(column, _)| *column)
        .collect();
    if !missing.is_empty() {
        let seen = format!("it has no {}", missing.join(", "));
        return Finding::broken(name, seen, "check that it is the pipeline's table");
    }
    let closed = of(facts, name).any(|column| {
        let is_read = expected.iter().any(|(wanted, _)| *wanted == column.name);
        is_read && !column.readable
    });
    if closed {
        let role = facts.role.as_ref().map_or("the role", |role| &role.name);
        let seen = format!("{role} may not read it");
        return Finding::broken(name, seen, format!("GRANT SELECT ON {name} TO {role}"));
    }
    // SQLite has no types worth the name, and is asked in a way that needs none.
    let is_typed = facts.role.is_some();
    let odd: Vec<String> = expected
        .iter()
        .filter_map(|(wanted, kind)| Some((kind, found(wanted)?)))
        .filter(|(kind, column)| is_typed && !kind.admits(&column.kind))
        .map(|(kind, column)| format!("{} is {}, not {}", column.name, column.kind, kind.as_str()))
        .collect();
    if odd.is_empty() {
        Finding::good(name, format!("{} columns as expected", expected.len()))
    } else {
        let fix = "name a view of this table with these types instead, in a schema that stands \
                   before it in the role's search_path";
        Finding::broken(name, odd.join("; "), fix)
    }
}

fn absent(name: &str, may_be_absent: bool) -> Finding {
    if may_be_absent {
        return Finding::good(name, "there is none, and none is needed");
    }
    let fix = format!(
        "check the database's name, or bring its schema into the role's search_path: \
         ALTER ROLE … SET search_path = …, and GRANT USAGE ON SCHEMA … (looked for {name})"
    );
    Finding::broken(name, "there is no such table", fix)
}
