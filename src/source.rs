//! The two engines behind one small interface.
//!
//! A [`Session`] is one transaction on one connection: what it answers between `begin` and `end`
//! is one consistent view of the database. Each engine keeps the SQL of a question beside the
//! function that asks it.

pub mod fault;
pub mod pool;
pub mod postgres;
pub mod shape;
pub mod sqlite;

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::snapshot::{
    ActivityRow, CurrentRow, Doubts, FailedQuestion, FailedRow, Id, JobRows, OddDeferral, QueueRow,
    RowStatus, Scope, StageRow, Text, TrendRow,
};
use crate::windows::Windows;

use pool::Pool;
use postgres::PostgresSession;
use sqlite::SqliteSession;

/// How many connections the scrapes of one exporter use at most.
const MOST_CONNECTIONS: usize = 2;

/// How much of the file each connection to SQLite keeps, in KiB where it is negative: the kernel
/// keeps the rest.
const SQLITE_CACHE: &str = "-512";

/// A database that holds a pipeline.
#[derive(Debug)]
pub enum Source {
    /// PostgreSQL, 13 and later.
    Postgres(Pool<PostgresSession>),
    /// SQLite.
    Sqlite(Pool<SqliteSession>),
}

impl Source {
    /// Chooses the engine by the URL's scheme; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// A URL of another scheme, or that its engine cannot read. The error does not hold the URL,
    /// which may hold a password.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Ok(match options(url)? {
            Options::Postgres(options) => Self::Postgres(Pool::new(*options, MOST_CONNECTIONS)),
            Options::Sqlite(options) => {
                Self::Sqlite(Pool::new(options.read_only(true), MOST_CONNECTIONS))
            }
        })
    }
}

/// Puts the SQL that depends on the tables in the place of its names in braces. What is put in is
/// not looked at again: a word of the configuration may look like such a name.
pub(crate) fn fill(statement: &str, parts: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = statement;
    while let Some(place) = rest.find('{') {
        let (before, from) = rest.split_at(place);
        let part = parts.iter().find(|(name, _)| from.starts_with(name));
        let (name, sql) = part.map_or(("{", "{"), |(name, sql)| (*name, sql.as_str()));
        filled += before;
        filled += sql;
        rest = &from[name.len()..];
    }
    filled + rest
}

/// How a database is connected to.
#[derive(Debug)]
pub enum Options {
    /// PostgreSQL.
    Postgres(Box<PgConnectOptions>),
    /// SQLite.
    Sqlite(Box<SqliteConnectOptions>),
}

/// Reads the URL of a database.
///
/// # Errors
///
/// Those of [`Source::new`].
pub fn options(url: &str) -> anyhow::Result<Options> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => {
            let options: PgConnectOptions = url.parse().context("reading the postgres:// URL")?;
            let options = options.application_name(env!("CARGO_PKG_NAME"));
            // PgBouncer refuses the connection over it; where it matters it is set anyway.
            let options = options.extra_float_digits(None);
            Ok(Options::Postgres(Box::new(
                options.disable_statement_logging(),
            )))
        }
        Some("sqlite") => {
            let options: SqliteConnectOptions = url.parse().context("reading the sqlite:// URL")?;
            // A pipeline that is not there must not be made by whoever looks at it.
            let options = options.create_if_missing(false);
            let options = options.pragma("cache_size", SQLITE_CACHE);
            Ok(Options::Sqlite(Box::new(
                options.disable_statement_logging(),
            )))
        }
        _ => bail!("its scheme is none that is known: use postgres://… or sqlite://…"),
    }
}

/// What a transaction begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// The process that serves this session, where a server has one for each.
    pub backend: Option<i32>,
    /// Whether there is a `background_jobs` table.
    pub has_background_jobs: bool,
    /// Whether every index that the questions can be answered by is there and whole.
    pub has_indexes: bool,
    /// The names of the statements that this server has prepared, with blanks between them.
    pub prepared: String,
}

/// What stands in the queue that the exporter cannot read.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// What makes every number doubtful.
    pub doubts: Doubts,
    /// How far the latest timestamp without a zone lies in the future, in seconds, if there are any
    /// whose zone is not said.
    pub ahead: Option<f64>,
    /// Statuses that are none of the four, the commonest first.
    pub statuses: Vec<StatusCount>,
    /// Some timestamps that cannot be read, in words.
    pub samples: Vec<Text>,
}

/// How many rows have a status.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StatusCount {
    /// The word.
    pub status: Text,
    /// How many rows.
    pub count: i64,
}

/// How long the database may take, from now on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one statement.
    pub statement: Duration,
    /// To wait for a lock.
    pub lock: Duration,
    /// To wait for us.
    pub idle: Duration,
}

/// One read-only transaction; after an error it must be ended, and may be begun anew.
pub trait Session: Send {
    /// Begins the transaction, and looks at the tables if they have changed.
    fn begin(
        &mut self,
        limits: Limits,
        scope: &Scope,
    ) -> impl Future<Output = sqlx::Result<Opening>> + Send;

    /// Reads what `stages`, `trend` and, since an instant, `activity` ask for, in one pass over the
    /// queue.
    fn queue(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
        activity_since: Option<DateTime<Utc>>,
    ) -> impl Future<Output = sqlx::Result<Vec<QueueRow>>> + Send;

    /// Counts live rows and recent completions by stage.
    fn stages(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> impl Future<Output = sqlx::Result<Vec<StageRow>>> + Send;

    /// Reads what is no plain timestamp in `deferred_until`, at most [`MAX_ODD_DEFERRALS`].
    ///
    /// [`MAX_ODD_DEFERRALS`]: crate::snapshot::MAX_ODD_DEFERRALS
    fn odd_deferrals(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> impl Future<Output = sqlx::Result<Vec<OddDeferral>>> + Send;

    /// Reads what makes every number of the queue doubtful.
    fn doubts(
        &mut self,
        opening: &Opening,
        limits: Limits,
    ) -> impl Future<Output = sqlx::Result<Doubts>> + Send;

    /// Reads what people look at who mend a table.
    fn inspect(
        &mut self,
        opening: &Opening,
        limits: Limits,
    ) -> impl Future<Output = sqlx::Result<Inspection>> + Send;

    /// Counts created and completed rows by hour, for the stages that have a trend.
    fn trend(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> impl Future<Output = sqlx::Result<Vec<TrendRow>>> + Send;

    /// Counts what was created and completed since an instant, by bucket, and what waits now.
    fn activity(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        since: DateTime<Utc>,
    ) -> impl Future<Output = sqlx::Result<Vec<ActivityRow>>> + Send;

    /// Reads the jobs that run or finished lately.
    fn jobs(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> impl Future<Output = sqlx::Result<JobRows>> + Send;

    /// Reads the latest two rows processing of each stage, with their documents.
    fn current(
        &mut self,
        opening: &Opening,
        limits: Limits,
    ) -> impl Future<Output = sqlx::Result<Vec<CurrentRow>>> + Send;

    /// Reads failed rows in their order, those at these places of it, one after the other.
    fn failed(
        &mut self,
        question: &FailedQuestion,
        places: Range<i64>,
        each: impl FnMut(FailedRow) + Send,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Reads how the rows of these ids are now, those that there are.
    fn statuses(&mut self, ids: &[Id])
    -> impl Future<Output = sqlx::Result<Vec<RowStatus>>> + Send;

    /// Counts the failed rows on all pages, one more than [`MAX_COUNT`](crate::snapshot::MAX_COUNT) at
    /// the most.
    fn count_failed(
        &mut self,
        question: &FailedQuestion,
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// Cancels what another session's process does if somebody waits for a lock that it holds.
    fn give_way(&mut self, backend: i32) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Ends the transaction, also one that has met an error.
    fn end(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;
}
