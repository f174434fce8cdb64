//! The tables and columns that are read, and what each may hold. Pure.

use crate::source::shape::{Column, Form, Kind, Relation};

use super::facts::{Facts, Right};
use super::finding::Finding;

/// What a column should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Key,
    Number,
    Word,
    Instant,
    Json,
    Any,
}

impl Meaning {
    fn admits(self, kind: &Kind) -> bool {
        match kind {
            Kind::Any => true,
            Kind::Text => !matches!(self, Self::Number | Self::Instant),
            Kind::Enum(_) => matches!(self, Self::Word | Self::Any),
            Kind::Integer | Kind::Numeric => matches!(self, Self::Key | Self::Number | Self::Any),
            Kind::Uuid => matches!(self, Self::Key | Self::Any),
            Kind::Json | Kind::Jsonb => matches!(self, Self::Json | Self::Any),
            Kind::Instant | Kind::NaiveInstant => matches!(self, Self::Instant | Self::Any),
            Kind::Other => self == Self::Any,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Key => "a number, uuid or text",
            Self::Number => "a number",
            Self::Word => "text or an ENUM",
            Self::Instant => "timestamptz or timestamp",
            Self::Json => "jsonb, json or text",
            Self::Any => "any type",
        }
    }
}

use Meaning::{Any, Instant, Json, Key, Number, Word};

/// A column that is read: its name, what it should hold, and whether it must be there.
type Expected = (&'static str, Meaning, Presence);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

use Presence::{Optional, Required};

const QUEUE: &[Expected] = &[
    ("id", Key, Required),
    ("document_id", Key, Required),
    ("stage", Word, Required),
    ("status", Word, Required),
    ("attempts", Number, Optional),
    ("max_attempts", Number, Optional),
    ("error_message", Any, Optional),
    ("payload", Json, Optional),
    ("deferred_until", Instant, Optional),
    ("created_at", Instant, Required),
    ("started_at", Instant, Required),
    ("completed_at", Instant, Required),
];

const DOCUMENTS: &[Expected] = &[
    ("id", Key, Required),
    ("title", Any, Optional),
    ("original_filename", Any, Optional),
    ("file_path", Any, Optional),
    ("ai_model_version", Any, Optional),
];

const JOBS: &[Expected] = &[
    ("id", Any, Required),
    ("kind", Word, Required),
    ("label", Any, Required),
    ("state", Word, Required),
    ("processed", Number, Required),
    ("total", Number, Required),
    ("started_at", Instant, Required),
    ("updated_at", Instant, Required),
    ("finished_at", Instant, Required),
    ("error", Any, Required),
];

/// What retry and skip change, as far as it is there.
const CHANGED: [&str; 5] = [
    "status",
    "attempts",
    "started_at",
    "completed_at",
    "payload",
];

/// Returns a finding for each table.
pub fn tables(facts: &Facts) -> Vec<Finding> {
    let shape = &facts.shape;
    vec![
        table(facts, "processing_queue", &shape.queue, QUEUE, Required),
        table(facts, "documents", &shape.documents, DOCUMENTS, Optional),
        table(facts, "background_jobs", &shape.jobs, JOBS, Optional),
    ]
}

/// Returns the columns of the queue that people's actions need and may not change.
pub fn unchangeable(facts: &Facts) -> Vec<&str> {
    let may_not = |name: &&str| {
        let column = right(facts, "processing_queue", name);
        column.is_some_and(|column| !column.writable)
    };
    CHANGED.into_iter().filter(may_not).collect()
}

fn right<'a>(facts: &'a Facts, relation: &str, name: &str) -> Option<&'a Right> {
    let mut rights = facts.rights.iter();
    rights.find(|right| right.relation == relation && right.name == name)
}

fn table(
    facts: &Facts,
    name: &str,
    relation: &Relation,
    expected: &[Expected],
    presence: Presence,
) -> Finding {
    if !relation.exists() {
        return absent(name, presence);
    }
    let find = |wanted: &str| relation.columns.iter().find(|column| column.name == wanted);
    let absent = |of: Presence| -> Vec<&str> {
        let absent = expected
            .iter()
            .filter(|(column, _, presence)| *presence == of && find(column).is_none());
        absent.map(|(column, ..)| *column).collect()
    };
    let missing = absent(Required);
    if !missing.is_empty() {
        let seen = format!("it has no {}", missing.join(", "));
        return Finding::broken(name, seen, "check that it is the pipeline's table");
    }
    let found: Vec<(Meaning, &Column)> = expected
        .iter()
        .filter_map(|(wanted, meaning, _)| Some((*meaning, find(wanted)?)))
        .collect();
    let is_closed =
        |column: &Column| right(facts, name, &column.name).is_some_and(|right| !right.readable);
    if found.iter().any(|(_, column)| is_closed(column)) {
        let role = facts.role.as_ref().map_or("the role", |role| &role.name);
        let seen = format!("{role} may not read it");
        return Finding::broken(name, seen, format!("GRANT SELECT ON {name} TO {role}"));
    }
    let odd = found
        .iter()
        .filter(|(meaning, column)| !meaning.admits(&column.kind));
    let odd: Vec<String> = odd
        .map(|(meaning, column)| {
            format!(
                "{} is {}, not {}",
                column.name,
                column.declared,
                meaning.as_str()
            )
        })
        .collect();
    if !odd.is_empty() {
        let fix = "name a view of this table with these types instead, in a schema that stands \
                   before it in the role's search_path";
        return Finding::broken(name, odd.join("; "), fix);
    }
    let kind = match relation.form {
        Form::View => "a view of ",
        Form::Materialized => "a materialized view of ",
        Form::Partitioned => "a partitioned table of ",
        Form::Absent | Form::Table => "",
    };
    Finding::good(name, format!("{kind}{} columns as expected", found.len()))
}

fn absent(name: &str, presence: Presence) -> Finding {
    if presence == Optional {
        return Finding::good(name, "there is none, and none is needed");
    }
    let fix = format!(
        "check the database's name, or bring its schema into the role's search_path: \
         ALTER ROLE … SET search_path = …, and GRANT USAGE ON SCHEMA … (looked for {name})"
    );
    Finding::broken(name, "there is no such table", fix)
}
