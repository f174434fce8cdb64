//! What is known of a database, as plain values.

use std::time::Duration;

use crate::source::Inspection;
use crate::source::shape::Shape;

/// What is known of a database.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Its name and version, for people.
    pub engine: String,
    /// Why its version is too old, if it is.
    pub too_old: Option<&'static str>,
    /// The role that it is read as, where there are roles.
    pub role: Option<Role>,
    /// Whether nothing can be written in it.
    pub read_only: bool,
    /// How long a question and its answer take.
    pub round_trip: Duration,
    /// Its clock less ours, in seconds.
    pub skew: f64,
    /// The tables.
    pub shape: Shape,
    /// The columns that the role may not read or not update, where there are roles.
    pub rights: Vec<Right>,
    /// Tables whose row level security hides rows.
    pub hidden: Vec<String>,
    /// What stands in the queue; nothing where that could not be looked at.
    pub inspection: Option<Inspection>,
    /// The indexes of scrapes, where there are any.
    pub indexes: Vec<Index>,
    /// The indexes of lists of failed rows, where there can be any.
    pub list_indexes: Vec<Index>,
    /// Whether the planner can use all of those of scrapes for what is asked.
    pub indexes_serve: bool,
    /// Rows of `processing_queue`, as the planner believes.
    pub rows: Option<f64>,
    /// The port that is connected to and the one that the server listens on, if they differ.
    pub ports: Option<(u16, u16)>,
    /// A transaction may last so long before the server ends it, if there is a limit.
    pub transaction_timeout: Option<Duration>,
    /// How readers and writers of a file stand in each other's way, if they do.
    pub journal: Option<String>,
}

/// A role of PostgreSQL.
#[derive(Debug, Clone, Default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether it may do everything.
    pub is_superuser: bool,
    /// How many connections it may have, if that is limited.
    pub connections: Option<i32>,
}

/// What the role may do with a column of one of the pipeline's tables.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Right {
    /// The table.
    pub relation: String,
    /// The column.
    pub name: String,
    /// Whether it may be read.
    pub readable: bool,
    /// Whether it may be updated.
    pub writable: bool,
}

/// An index that the exporter knows by name.
#[derive(Debug, Clone)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Whether it is whole; nothing if it is not there.
    pub is_valid: Option<bool>,
}

/// Returns our own clock, which nothing but its distance from the database's is taken from.
#[expect(
    clippy::disallowed_methods,
    reason = "the distance between two clocks is what is asked"
)]
pub(super) fn our_clock() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}
