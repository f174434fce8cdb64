//! The questions as PostgreSQL is asked them.
//!
//! A scrape's questions are sent as text, one round trip each with their limits, on a direct
//! connection as through a pooler (`prepared` says why). What a caller says is bound.

mod prepared;
mod questions;
mod values;

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, query_as, query_scalar, raw_sql};

use crate::snapshot::{
    CurrentRow, FailedQuestion, FailedRow, JobRows, QueueRow, Scope, StageRow, TrendRow,
};
use crate::windows::Windows;

use super::{Limits, Opening, Session};

use questions::{CURRENT, FAILED, FAILED_COUNT, JOB_COUNTS, JOBS, QUEUE, STAGES_BY_INDEX, TREND};
use values::Value;

/// The statements that make the questions cheap, to be run by whoever owns the table.
pub const INDEXES: &str = include_str!("postgres/indexes.sql");

/// One round trip: a transaction's settings go with it, so that they also hold behind a pooler.
/// Compiling a plan takes longer than running one of ours.
fn begin(limits: Limits) -> String {
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
         SET LOCAL TimeZone = 'UTC';
         SET LOCAL extra_float_digits = 1;
         SET LOCAL jit = off;
         {};
         SELECT now() AS now, pg_backend_pid() AS backend,
                to_regclass('background_jobs') IS NOT NULL AS has_background_jobs,
                (SELECT count(*) = 3 FROM pg_index
                 WHERE indisvalid AND indexrelid = ANY((SELECT ARRAY[
                     to_regclass('queueboard_live'), to_regclass('queueboard_completed'),
                     to_regclass('queueboard_created')])::oid[])) AS has_indexes,
                (SELECT coalesce(string_agg(name, ' '), '') FROM pg_prepared_statements) AS prepared",
        limit(limits),
    )
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

/// Asks a question in one round trip, its limits included.
async fn ask<T: for<'r> FromRow<'r, PgRow>>(
    connection: &mut PgConnection,
    opening: &Opening,
    limits: Limits,
    question: &str,
    values: &[Value],
) -> sqlx::Result<Vec<T>> {
    let execute = prepared::execute(question, values, &opening.prepared);
    let script = format!("{};{execute}", limit(limits));
    let rows = raw_sql(AssertSqlSafe(script)).fetch_all(connection).await?;
    // The first row is that of the limits.
    rows.into_iter()
        .skip(1)
        .map(|row| T::from_row(&row))
        .collect()
}

fn stage_values(windows: &Windows, scope: &Scope) -> Vec<Value> {
    vec![
        Value::instant(windows.quarter_ago),
        Value::instant(windows.hour_ago),
        Value::instant(windows.midnight),
        Value::instant(windows.completions_since()),
        Value::texts(&scope.pool_stages),
        Value::texts(&scope.models),
    ]
}

impl Session for PgConnection {
    async fn begin(&mut self, limits: Limits) -> sqlx::Result<Opening> {
        let script = raw_sql(AssertSqlSafe(begin(limits)));
        let rows = script.fetch_all(&mut *self).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        FromRow::from_row(row)
    }

    async fn queue(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<QueueRow>> {
        let mut values = stage_values(windows, scope);
        values.extend([
            Value::texts(&scope.trend_stages),
            Value::instants(&windows.hour_bounds()),
            Value::instant(windows.earliest()),
        ]);
        ask(self, opening, limits, QUEUE, &values).await
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
            return ask(self, opening, limits, STAGES_BY_INDEX, &values).await;
        }
        let scope = scope.without_trend();
        let rows = self.queue(opening, limits, windows, &scope).await?;
        Ok(rows.into_iter().map(|row| row.counts).collect())
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
        ask(self, opening, limits, TREND, &values).await
    }

    async fn jobs(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<JobRows> {
        let values = [Value::instant(windows.jobs_since)];
        Ok(JobRows {
            details: ask(self, opening, limits, JOBS, &values).await?,
            counts: ask(self, opening, limits, JOB_COUNTS, &values).await?,
        })
    }

    async fn current(
        &mut self,
        opening: &Opening,
        limits: Limits,
    ) -> sqlx::Result<Vec<CurrentRow>> {
        ask(self, opening, limits, CURRENT, &[]).await
    }

    async fn failed(&mut self, question: &FailedQuestion) -> sqlx::Result<Vec<FailedRow>> {
        let after = question.after.as_ref();
        query_as(FAILED)
            .bind(question.only.as_deref())
            .bind(&question.except)
            .bind(after.map(|after| after.stage.as_str()))
            .bind(after.map(|after| after.failed_at.unwrap_or(f64::NEG_INFINITY)))
            .bind(after.map(|after| after.id))
            .bind(question.limit)
            .persistent(false)
            .fetch_all(self)
            .await
    }

    async fn count_failed(&mut self, question: &FailedQuestion) -> sqlx::Result<i64> {
        let query = query_scalar(FAILED_COUNT).bind(question.only.as_deref());
        let query = query.bind(&question.except).persistent(false);
        query.fetch_one(self).await
    }

    async fn give_way(&mut self, backend: i32) -> sqlx::Result<()> {
        // A reader's lock keeps nobody waiting who wants less.
        let script = format!(
            "SELECT pg_cancel_backend({backend}) WHERE EXISTS (
                 SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                                        AND {backend} = ANY(pg_blocking_pids(pid)))"
        );
        raw_sql(AssertSqlSafe(script)).execute(self).await.map(drop)
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self).await.map(drop)
    }
}
