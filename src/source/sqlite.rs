//! The questions as SQLite is asked them.

mod activity;
mod deferral;
mod file;
mod instant;
mod questions;
pub(crate) mod relations;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection, query_as, query_scalar,
    raw_sql,
};
use tokio::task::coop::consume_budget;

use crate::snapshot::{
    ActivityRow, CurrentRow, Doubts, FailedQuestion, FailedRow, Id, JobCountRow, JobRow, JobRows,
    OddDeferral, QueueRow, RowStatus, Scope, StageRow, Text, TrendRow,
};
use crate::windows::Windows;

use super::pool::Connect;
use super::shape::{Column, Form, Kind, Relation, Shape};
use super::{Inspection, Limits, Opening, Session};

use file::File;
use questions::{
    ACTIVITY, COLUMNS, CURRENT, DOUBTFUL_STATUSES, FAILED, FAILED_COUNT, JOB_COUNTS, JOBS,
    ODD_DEFERRALS, OPENING, QUEUE, SCHEMA_VERSION, STATUSES, TIMESTAMPS, TREND, UNKNOWN_STATUSES,
    UNREADABLE,
};
use relations::Relations;

/// How many instructions of its machine SQLite runs between two looks at the time limit.
const INSTRUCTIONS: i32 = 10_000;

/// A connection, the file that it has open, and what is known of the tables in it.
#[derive(Debug)]
pub struct SqliteSession {
    connection: SqliteConnection,
    file: File,
    tables: Option<Tables>,
    /// What is there for as long as somebody waits for answers.
    asker: Arc<()>,
}

/// The tables as they were at the last look, and what they are asked accordingly.
#[derive(Debug)]
struct Tables {
    schema_version: i64,
    scope: Scope,
    relations: Relations,
    shape: Shape,
}

#[derive(sqlx::FromRow)]
struct ColumnRow {
    relation: String,
    form: String,
    name: String,
    declared: String,
}

impl Connect for SqliteSession {
    type Options = SqliteConnectOptions;

    async fn connect(options: &SqliteConnectOptions) -> sqlx::Result<Self> {
        let file = File::at(options.get_filename());
        let connection = ConnectOptions::connect(options).await?;
        let session = Self {
            connection,
            file,
            tables: None,
            asker: Arc::default(),
        };
        // Between the two another file may have come in its place.
        session.file.is_still_there()?;
        Ok(session)
    }

    async fn ping(&mut self) -> sqlx::Result<()> {
        self.file.is_still_there()?;
        self.connection.ping().await
    }
}

impl SqliteSession {
    /// Returns the connection itself.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Returns the tables' shape, read anew if it has changed.
    pub(crate) async fn shape(
        &mut self,
        scope: &Scope,
        now: DateTime<Utc>,
    ) -> sqlx::Result<&Shape> {
        let version = query_scalar(SCHEMA_VERSION);
        let schema_version: i64 = version.fetch_one(&mut self.connection).await?;
        let is_known =
            |tables: &Tables| tables.schema_version == schema_version && tables.scope == *scope;
        if !self.tables.as_ref().is_some_and(is_known) {
            let shape = shape(&mut self.connection).await?;
            self.tables = Some(Tables {
                schema_version,
                scope: scope.clone(),
                relations: Relations::new(&shape, scope, now),
                shape,
            });
        }
        Ok(&self.tables()?.shape)
    }

    fn tables(&self) -> sqlx::Result<&Tables> {
        self.tables.as_ref().ok_or(sqlx::Error::RowNotFound)
    }

    fn fill(&self, question: &str) -> sqlx::Result<AssertSqlSafe<String>> {
        Ok(AssertSqlSafe(self.tables()?.relations.fill(question)))
    }

    /// SQLite has no time limit of its own, and does not see that nobody waits any more: it asks
    /// now and then whether to go on.
    async fn stop_after(&mut self, limit: Duration) -> sqlx::Result<()> {
        let (begun, asker) = (Instant::now(), Arc::downgrade(&self.asker));
        let go_on = move || begun.elapsed() < limit && asker.strong_count() > 0;
        let mut handle = self.connection.lock_handle().await?;
        handle.set_progress_handler(INSTRUCTIONS, go_on);
        Ok(())
    }
}

/// Reads the shape of the tables.
///
/// # Errors
///
/// What the database says.
pub async fn shape(connection: &mut SqliteConnection) -> sqlx::Result<Shape> {
    let columns: Vec<ColumnRow> = query_as(COLUMNS).fetch_all(connection).await?;
    let relation = |name: &str| {
        let own = || columns.iter().filter(move |column| column.relation == name);
        let form = |row: &ColumnRow| match row.form.as_str() {
            "view" => Form::View,
            _ => Form::Table,
        };
        Relation {
            form: own().next().map_or(Form::Absent, form),
            columns: own().map(column).collect(),
        }
    };
    Ok(Shape {
        queue: relation("processing_queue"),
        documents: relation("documents"),
        jobs: relation("background_jobs"),
    })
}

/// A column of SQLite holds values of any type.
fn column(row: &ColumnRow) -> Column {
    Column {
        name: row.name.clone(),
        kind: Kind::Any,
        declared: row.declared.clone(),
    }
}

impl Session for SqliteSession {
    async fn begin(&mut self, limits: Limits, scope: &Scope) -> sqlx::Result<Opening> {
        self.stop_after(limits.statement).await?;
        let lock = limits.lock.as_millis();
        let script = format!("PRAGMA busy_timeout = {lock}; BEGIN; {OPENING}");
        let script = raw_sql(AssertSqlSafe(script));
        let rows = script.fetch_all(&mut self.connection).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        let now = row.try_get("now")?;
        let shape = self.shape(scope, now).await?;
        Ok(Opening {
            now,
            backend: None,
            has_background_jobs: shape.jobs.exists(),
            has_indexes: false,
            prepared: String::new(),
        })
    }

    async fn queue(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
        activity_since: Option<DateTime<Utc>>,
    ) -> sqlx::Result<Vec<QueueRow>> {
        self.stop_after(limits.statement).await?;
        query_as(self.fill(QUEUE)?)
            .bind(seconds(windows.now))
            .bind(seconds(windows.quarter_ago))
            .bind(seconds(windows.hour_ago))
            .bind(seconds(windows.midnight))
            .bind(seconds(windows.completions_since()))
            .bind(list(&scope.pool_stages))
            .bind(list(&scope.models))
            .bind(list(&scope.trend_stages))
            .bind(list(&hour_bounds(windows)))
            .bind(seconds(windows.earliest()))
            .bind(seconds(activity_since.unwrap_or(windows.now)))
            .fetch_all(&mut self.connection)
            .await
    }

    async fn stages(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<StageRow>> {
        let scope = scope.without_trend();
        let rows = self.queue(opening, limits, windows, &scope, None).await?;
        Ok(rows.into_iter().map(|row| row.counts).collect())
    }

    async fn odd_deferrals(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<Vec<OddDeferral>> {
        self.stop_after(limits.statement).await?;
        query_as(self.fill(ODD_DEFERRALS)?)
            .bind(seconds(windows.now))
            .fetch_all(&mut self.connection)
            .await
    }

    async fn doubts(&mut self, _opening: &Opening, limits: Limits) -> sqlx::Result<Doubts> {
        self.stop_after(limits.statement).await?;
        let statuses: Vec<Text> = query_scalar(self.fill(DOUBTFUL_STATUSES)?)
            .fetch_all(&mut self.connection)
            .await?;
        let timestamps = query_as(self.fill(TIMESTAMPS)?);
        let (latest_naive, unreadable) = timestamps.fetch_one(&mut self.connection).await?;
        Ok(Doubts {
            statuses,
            latest_naive,
            unreadable,
        })
    }

    async fn inspect(&mut self, opening: &Opening, limits: Limits) -> sqlx::Result<Inspection> {
        let doubts = self.doubts(opening, limits).await?;
        let statuses = query_as(self.fill(UNKNOWN_STATUSES)?);
        let statuses = statuses.fetch_all(&mut self.connection).await?;
        let samples = query_scalar(self.fill(UNREADABLE)?);
        Ok(Inspection {
            ahead: doubts.ahead(opening.now),
            doubts,
            statuses,
            samples: samples.fetch_all(&mut self.connection).await?,
        })
    }

    async fn trend(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<TrendRow>> {
        self.stop_after(limits.statement).await?;
        let query = query_as(self.fill(TREND)?)
            .bind(list(&scope.trend_stages))
            .bind(list(&hour_bounds(windows)));
        query
            .bind(seconds(windows.trend_since()))
            .fetch_all(&mut self.connection)
            .await
    }

    async fn activity(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
        since: DateTime<Utc>,
    ) -> sqlx::Result<Vec<ActivityRow>> {
        self.stop_after(limits.statement).await?;
        query_as(self.fill(ACTIVITY)?)
            .bind(seconds(windows.now))
            .bind(seconds(since))
            .fetch_all(&mut self.connection)
            .await
    }

    async fn jobs(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<JobRows> {
        self.stop_after(limits.statement).await?;
        let since = seconds(windows.jobs_since);
        let details = query_as::<_, JobRow>(self.fill(JOBS)?).bind(since);
        let details = details.fetch_all(&mut self.connection).await?;
        let counts = query_as::<_, JobCountRow>(self.fill(JOB_COUNTS)?).bind(since);
        let counts = counts.fetch_all(&mut self.connection).await?;
        Ok(JobRows { details, counts })
    }

    async fn current(
        &mut self,
        _opening: &Opening,
        limits: Limits,
    ) -> sqlx::Result<Vec<CurrentRow>> {
        self.stop_after(limits.statement).await?;
        query_as(self.fill(CURRENT)?)
            .fetch_all(&mut self.connection)
            .await
    }

    async fn failed(
        &mut self,
        question: &FailedQuestion,
        places: Range<i64>,
        mut each: impl FnMut(FailedRow) + Send,
    ) -> sqlx::Result<()> {
        let after = question.after.as_ref();
        let mut rows = query_as(self.fill(FAILED)?)
            .bind(question.only.as_deref().map(list))
            .bind(list(&question.except))
            .bind(question.id.as_ref().map(Id::as_str))
            .bind(question.text.as_deref())
            .bind(question.failed_before)
            .bind(after.map(|after| &*after.stage))
            .bind(after.map(|after| after.failed_at.unwrap_or(f64::NEG_INFINITY)))
            .bind(after.map(|after| after.id.as_str()))
            .bind(places.end - places.start)
            .bind(places.start)
            .bind(question.error.head)
            .bind(question.error.tail)
            .fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            each(row);
            // Of very many rows that are all there, scrapes and other lists take their turn.
            consume_budget().await;
        }
        Ok(())
    }

    async fn statuses(&mut self, ids: &[Id]) -> sqlx::Result<Vec<RowStatus>> {
        let statuses = query_as(self.fill(STATUSES)?).bind(asked(ids));
        statuses.fetch_all(&mut self.connection).await
    }

    async fn count_failed(&mut self, question: &FailedQuestion) -> sqlx::Result<i64> {
        query_scalar(self.fill(FAILED_COUNT)?)
            .bind(question.only.as_deref().map(list))
            .bind(list(&question.except))
            .bind(question.id.as_ref().map(Id::as_str))
            .bind(question.text.as_deref())
            .bind(question.failed_before)
            .fetch_one(&mut self.connection)
            .await
    }

    async fn give_way(&mut self, _backend: i32) -> sqlx::Result<()> {
        Ok(())
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        let mut handle = self.connection.lock_handle().await?;
        handle.remove_progress_handler();
        drop(handle);
        raw_sql("COMMIT")
            .execute(&mut self.connection)
            .await
            .map(drop)
    }
}

/// Returns ids as one parameter, a number also as one: a column without a type tells it from its
/// text.
pub(crate) fn asked(ids: &[Id]) -> String {
    let texts = ids.iter().map(|id| id.as_str().into());
    let numbers = ids.iter().filter_map(Id::number).map(Into::into);
    list(&texts.chain(numbers).collect::<Vec<serde_json::Value>>())
}

fn hour_bounds(windows: &Windows) -> Vec<f64> {
    windows.hour_bounds().into_iter().map(seconds).collect()
}

/// An instant as `unixepoch` with `subsec` gives it.
fn seconds(instant: DateTime<Utc>) -> f64 {
    instant.timestamp_millis() as f64 / 1e3
}

/// A list as one parameter, for `json_each`.
pub(crate) fn list<T: serde::Serialize>(values: &[T]) -> String {
    serde_json::json!(values).to_string()
}
