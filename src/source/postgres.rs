//! The questions as PostgreSQL is asked them.
//!
//! A scrape's questions are sent as text, one round trip each with their limits, on a direct
//! connection as through a pooler (`prepared` says why). What a caller says is bound.

mod activity;
pub(crate) mod catalog;
mod deferral;
pub mod indexes;
mod order;
mod prepared;
mod questions;
mod relations;
mod tables;
pub(crate) mod values;
pub(crate) mod words;

use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, FromRow, PgConnection, Row, query_as, query_scalar,
    raw_sql,
};
use tokio::task::coop::consume_budget;

use crate::snapshot::{
    ActivityRow, CurrentRow, Doubts, FailedQuestion, FailedRow, Id, JobRows, OddDeferral, QueueRow,
    RowStatus, Scope, StageRow, Text, TrendRow,
};
use crate::windows::Windows;

use super::fault;
use super::pool::Connect;
use super::{Inspection, Limits, Opening, Session};

use questions::{
    ACTIVITY, CURRENT, DOUBTFUL_STATUSES, FAILED, FAILED_COUNT, JOB_COUNTS, JOBS, LATEST_NAIVE,
    ODD_DEFERRALS, QUEUE, STAGES_BY_INDEX, STATUSES, TREND, UNKNOWN_STATUSES,
};
use tables::{OpeningRow, Tables};
use values::Value;

/// A connection, and what is known of the tables at its other end.
#[derive(Debug)]
pub struct PostgresSession {
    connection: PgConnection,
    tables: Option<Tables>,
}

/// Tells the server to look whether its client is still there while it works, twice in the time that
/// it has to see that: it would go on for one that is gone. PostgreSQL 13 cannot, nor can all systems.
pub(crate) const WATCH_CLIENT: &str = "
SELECT set_config('client_connection_check_interval', '100ms', true)
WHERE version() LIKE '%linux%'
  AND current_setting('client_connection_check_interval', true) IS NOT NULL";

/// One round trip: a transaction's settings go with it, so that they also hold behind a pooler.
/// Compiling a plan takes longer than running one of ours. Where row level security would hide
/// rows, the server is told to refuse.
fn begin(limits: Limits, scope: &Scope) -> String {
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
         SET LOCAL TimeZone = '{}';
         SET LOCAL extra_float_digits = 1;
         SET LOCAL jit = off;
         SET LOCAL row_security = off;
         {WATCH_CLIENT};
         {};
         {}",
        time_zone(scope),
        limit(limits),
        prepared::execute_anywhere(catalog::OPENING),
    )
}

/// Returns the zone of timestamps that have none, as the server knows it.
pub(crate) fn time_zone(scope: &Scope) -> &'static str {
    scope.naive_timestamps.map_or("UTC", |zone| zone.name())
}

/// The server gives up before we do, and lets go of a transaction whose client is silent. This is
/// no `SET LOCAL`: the server's statistics would keep each number apart.
fn limit(limits: Limits) -> String {
    // Nought would mean for ever.
    let millis = |limit: Duration| limit.as_millis().max(1);
    format!(
        "SELECT set_config('statement_timeout', '{}', true), set_config('lock_timeout', '{}', true),
                set_config('idle_in_transaction_session_timeout', '{}', true)",
        millis(limits.statement),
        millis(limits.lock),
        millis(limits.idle),
    )
}

impl PostgresSession {
    /// Returns the connection itself.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    fn tables(&self) -> sqlx::Result<&Tables> {
        self.tables.as_ref().ok_or(sqlx::Error::RowNotFound)
    }

    /// Asks a question in one round trip, its limits included.
    async fn ask<T: for<'r> FromRow<'r, PgRow>>(
        &mut self,
        opening: &Opening,
        limits: Limits,
        question: &str,
        values: &[Value],
    ) -> sqlx::Result<Vec<T>> {
        let rows = self.ask_all(opening, limits, &[question], values).await?;
        rows.iter().map(T::from_row).collect()
    }

    /// Asks questions about the same values in one round trip; the answers follow one another.
    async fn ask_all(
        &mut self,
        opening: &Opening,
        limits: Limits,
        questions: &[&str],
        values: &[Value],
    ) -> sqlx::Result<Vec<PgRow>> {
        let relations = &self.tables()?.relations;
        let execute = |question: &&str| {
            prepared::execute(&relations.fill(question), values, &opening.prepared)
        };
        let executions: Vec<String> = questions.iter().map(execute).collect();
        let script = raw_sql(AssertSqlSafe(format!(
            "{};{}",
            limit(limits),
            executions.join(";")
        )));
        let mut rows = script.fetch_all(&mut self.connection).await?;
        // The first row is that of the limits.
        rows.drain(..rows.len().min(1));
        Ok(rows)
    }
}

fn stage_values(windows: &Windows, scope: &Scope) -> Vec<Value> {
    vec![
        Value::instant(windows.now),
        Value::instant(windows.quarter_ago),
        Value::instant(windows.hour_ago),
        Value::instant(windows.midnight),
        Value::instant(windows.completions_since()),
        Value::texts(&scope.pool_stages),
        Value::texts(&scope.models),
    ]
}

impl Connect for PostgresSession {
    type Options = PgConnectOptions;

    async fn connect(options: &PgConnectOptions) -> sqlx::Result<Self> {
        let connected = ConnectOptions::connect(options).await;
        let connection = connected.map_err(|error| fault::of_connecting(error, options))?;
        Ok(Self {
            connection,
            tables: None,
        })
    }

    async fn ping(&mut self) -> sqlx::Result<()> {
        self.connection.ping().await
    }
}

impl Session for PostgresSession {
    async fn begin(&mut self, limits: Limits, scope: &Scope) -> sqlx::Result<Opening> {
        let script = raw_sql(AssertSqlSafe(begin(limits, scope)));
        let rows = script.fetch_all(&mut self.connection).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        let opening = OpeningRow::from_row(row)?;
        let known = self.tables.take();
        let known = known.filter(|tables| tables.are_of(&opening.fingerprint, scope));
        let tables = match known {
            Some(tables) => tables,
            None => Tables::look(&mut self.connection, &opening, scope).await?,
        };
        tables.set(&mut self.connection).await?;
        let tables = self.tables.insert(tables);
        Ok(Opening {
            now: opening.now,
            backend: Some(opening.backend),
            has_background_jobs: tables.has_jobs,
            has_indexes: tables.has_indexes,
            prepared: opening.prepared,
        })
    }

    async fn queue(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
        activity_since: Option<DateTime<Utc>>,
    ) -> sqlx::Result<Vec<QueueRow>> {
        let mut values = stage_values(windows, scope);
        values.extend([
            Value::texts(&scope.trend_stages),
            Value::instants(&windows.hour_bounds()),
            Value::instant(windows.earliest()),
            // Nothing was done since now.
            Value::instant(activity_since.unwrap_or(windows.now)),
        ]);
        self.ask(opening, limits, QUEUE, &values).await
    }

    async fn stages(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<StageRow>> {
        if opening.has_indexes {
            let values = stage_values(windows, scope);
            return self.ask(opening, limits, STAGES_BY_INDEX, &values).await;
        }
        let scope = scope.without_trend();
        let rows = self.queue(opening, limits, windows, &scope, None).await?;
        Ok(rows.into_iter().map(|row| row.counts).collect())
    }

    async fn odd_deferrals(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<Vec<OddDeferral>> {
        let values = [Value::instant(windows.now)];
        self.ask(opening, limits, ODD_DEFERRALS, &values).await
    }

    async fn doubts(&mut self, opening: &Opening, limits: Limits) -> sqlx::Result<Doubts> {
        let words: Vec<(Text,)> = self.ask(opening, limits, DOUBTFUL_STATUSES, &[]).await?;
        let latest: Vec<(Option<f64>,)> = match self.tables()?.has_naive_timestamps {
            true => self.ask(opening, limits, LATEST_NAIVE, &[]).await?,
            false => Vec::new(),
        };
        Ok(Doubts {
            statuses: words.into_iter().map(|(word,)| word).collect(),
            latest_naive: latest.first().and_then(|(latest,)| *latest),
            unreadable: 0,
        })
    }

    async fn inspect(&mut self, opening: &Opening, limits: Limits) -> sqlx::Result<Inspection> {
        let statuses = self.ask(opening, limits, UNKNOWN_STATUSES, &[]).await?;
        let doubts = self.doubts(opening, limits).await?;
        Ok(Inspection {
            ahead: doubts.ahead(opening.now),
            doubts,
            statuses,
            samples: Vec::new(),
        })
    }

    async fn trend(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<TrendRow>> {
        let values = [
            Value::texts(&scope.trend_stages),
            Value::instants(&windows.hour_bounds()),
            Value::instant(windows.trend_since()),
        ];
        self.ask(opening, limits, TREND, &values).await
    }

    async fn activity(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        since: DateTime<Utc>,
    ) -> sqlx::Result<Vec<ActivityRow>> {
        let values = [Value::instant(windows.now), Value::instant(since)];
        self.ask(opening, limits, ACTIVITY, &values).await
    }

    async fn jobs(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<JobRows> {
        let values = [Value::instant(windows.jobs_since)];
        let questions = [JOBS, JOB_COUNTS];
        let rows = self.ask_all(opening, limits, &questions, &values).await?;
        let (counts, details): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.try_get_raw("jobs").is_ok());
        let details = details.into_iter().map(FromRow::from_row);
        let counts = counts.into_iter().map(FromRow::from_row);
        Ok(JobRows {
            details: details.collect::<sqlx::Result<_>>()?,
            counts: counts.collect::<sqlx::Result<_>>()?,
        })
    }

    async fn current(
        &mut self,
        opening: &Opening,
        limits: Limits,
    ) -> sqlx::Result<Vec<CurrentRow>> {
        self.ask(opening, limits, CURRENT, &[]).await
    }

    async fn failed(
        &mut self,
        question: &FailedQuestion,
        places: Range<i64>,
        mut each: impl FnMut(FailedRow) + Send,
    ) -> sqlx::Result<()> {
        let after = question.after.as_ref();
        let sql = AssertSqlSafe(self.tables()?.relations.fill(FAILED));
        let mut rows = query_as(sql)
            .bind(question.only.as_deref())
            .bind(&question.except)
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
            .persistent(false)
            .fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            each(row);
            // Of very many rows that are all there, scrapes and other lists take their turn.
            consume_budget().await;
        }
        Ok(())
    }

    async fn statuses(&mut self, ids: &[Id]) -> sqlx::Result<Vec<RowStatus>> {
        let sql = AssertSqlSafe(self.tables()?.relations.fill(STATUSES));
        let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
        let query = query_as(sql).bind(ids).persistent(false);
        query.fetch_all(&mut self.connection).await
    }

    async fn count_failed(&mut self, question: &FailedQuestion) -> sqlx::Result<i64> {
        let count = AssertSqlSafe(self.tables()?.relations.fill(FAILED_COUNT));
        query_scalar(count)
            .bind(question.only.as_deref())
            .bind(&question.except)
            .bind(question.id.as_ref().map(Id::as_str))
            .bind(question.text.as_deref())
            .bind(question.failed_before)
            .persistent(false)
            .fetch_one(&mut self.connection)
            .await
    }

    async fn give_way(&mut self, backend: i32) -> sqlx::Result<()> {
        // A reader's lock keeps nobody waiting who wants less.
        let script = format!(
            "SELECT pg_cancel_backend({backend}) WHERE EXISTS (
                 SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                                        AND {backend} = ANY(pg_blocking_pids(pid)))"
        );
        let script = raw_sql(AssertSqlSafe(script));
        script.execute(&mut self.connection).await.map(drop)
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT")
            .execute(&mut self.connection)
            .await
            .map(drop)
    }
}
