//! The questions as SQLite is asked them.
//!
//! Its timestamps are text, with or without a fraction, so they are compared as what they mean:
//! `unixepoch` with `subsec`, to the millisecond. Text that is no timestamp is null there, and
//! lies in no window.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, SqliteConnection, query_as, query_scalar, raw_sql};

use crate::snapshot::{
    CurrentRow, FailedQuestion, FailedRow, JobCountRow, JobRow, JobRows, QueueRow, Scope, StageRow,
    TrendRow,
};
use crate::windows::Windows;

use super::{Limits, Opening, Session};

/// How many instructions of its machine SQLite runs between two looks at the time limit.
const INSTRUCTIONS: i32 = 10_000;

const OPENING: &str = "
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now, NULL AS backend,
       EXISTS (SELECT 1 FROM sqlite_schema
               WHERE name = 'background_jobs' AND type IN ('table', 'view')) AS has_background_jobs,
       FALSE AS has_indexes, '' AS prepared";

/// One row is a stage's rows of one model, one `deferred_until`, which is cut where no timestamp is
/// so long, and one pair of hours, if the stage has a trend; an hour is the number of the hours that
/// began before. Only live rows and recent windows are counted, never the finished ones whole.
const QUEUE: &str = "
WITH hours AS MATERIALIZED (SELECT value FROM json_each(?8)), q AS (
    SELECT stage, status, document_id,
           stage IN (SELECT value FROM json_each(?7)) AS has_trend,
           CASE WHEN status = 'pending' AND json_valid(payload)
                THEN substr(payload ->> '$.deferred_until', 1, 200) END AS deferred_until,
           unixepoch(created_at, 'subsec') AS created_at,
           unixepoch(started_at, 'subsec') AS started_at,
           CASE WHEN status = 'completed' THEN unixepoch(completed_at, 'subsec') END AS completed_at
    FROM processing_queue
)
SELECT q.stage,
       d.ai_model_version AS model,
       q.deferred_until,
       CASE WHEN q.has_trend AND q.created_at IS NOT NULL
            THEN (SELECT count(*) FROM hours WHERE value <= q.created_at) END AS created_hour,
       CASE WHEN q.has_trend AND q.completed_at IS NOT NULL
            THEN (SELECT count(*) FROM hours WHERE value <= q.completed_at) END AS completed_hour,
       count(*) AS count,
       count(*) FILTER (WHERE q.status = 'pending') AS pending,
       count(*) FILTER (WHERE q.status = 'processing') AS processing,
       count(*) FILTER (WHERE q.status = 'failed') AS failed,
       count(*) FILTER (WHERE q.completed_at > ?1) AS completed_15m,
       count(*) FILTER (WHERE q.completed_at > ?2) AS completed_1h,
       count(*) FILTER (WHERE q.completed_at > ?3) AS completed_today,
       count(*) FILTER (WHERE q.created_at > ?2) AS created_1h,
       min(q.created_at) FILTER (WHERE q.status = 'pending') AS oldest_pending,
       min(q.started_at) FILTER (WHERE q.status = 'processing') AS oldest_processing
FROM q
LEFT JOIN documents d ON d.id = q.document_id
    AND q.completed_at > ?4
    AND q.stage IN (SELECT value FROM json_each(?5))
    AND d.ai_model_version IN (SELECT value FROM json_each(?6))
WHERE q.status IN ('pending', 'processing', 'failed') OR q.completed_at > ?4 OR q.created_at > ?2
   OR (q.has_trend AND (q.created_at >= ?9 OR q.completed_at >= ?9))
GROUP BY 1, 2, 3, 4, 5";

/// A row is counted under its pair of hours, each the number of the hours that began before.
const TREND: &str = "
WITH hours AS MATERIALIZED (SELECT value FROM json_each(?2)), events AS (
    SELECT stage, unixepoch(created_at, 'subsec') AS created,
           CASE WHEN status = 'completed' THEN unixepoch(completed_at, 'subsec') END AS completed
    FROM processing_queue
    WHERE stage IN (SELECT value FROM json_each(?1))
)
SELECT stage,
       (SELECT count(*) FROM hours WHERE value <= created) AS created_hour,
       (SELECT count(*) FROM hours WHERE value <= completed) AS completed_hour,
       count(*) AS count
FROM events
WHERE created >= ?3 OR completed >= ?3
GROUP BY 1, 2, 3";

const JOBS: &str = "
SELECT CAST(id AS TEXT) AS id, kind, label, state, processed, total,
       unixepoch(started_at, 'subsec') AS started_at,
       unixepoch(updated_at, 'subsec') AS updated_at,
       unixepoch(finished_at, 'subsec') AS finished_at,
       error
FROM background_jobs AS job
WHERE state = 'running' OR unixepoch(finished_at, 'subsec') > ?1
ORDER BY (state = 'running') DESC, unixepoch(job.started_at, 'subsec') DESC NULLS LAST, job.id DESC
LIMIT 20";

const JOB_COUNTS: &str = "
SELECT kind, state, count(*) AS jobs
FROM background_jobs
WHERE state = 'running' OR unixepoch(finished_at, 'subsec') > ?1
GROUP BY kind, state";

/// The latest two of each stage hold the latest two of each machine, whoever has the stages.
const CURRENT: &str = "
SELECT q.id, q.stage, q.document_id, d.title, d.original_filename, d.file_path, q.started_at
FROM (
    SELECT id, stage, document_id, unixepoch(started_at, 'subsec') AS started_at,
           row_number() OVER (
               PARTITION BY stage
               ORDER BY unixepoch(started_at, 'subsec') DESC NULLS LAST, id DESC) AS place
    FROM processing_queue
    WHERE status = 'processing'
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE q.place <= 2";

const FAILED: &str = "
SELECT q.id, q.stage, q.document_id, d.title, d.original_filename, d.file_path,
       q.attempts, q.max_attempts, q.error_message, q.failed_at
FROM (
    SELECT id, stage, document_id, attempts, max_attempts, error_message,
           unixepoch(coalesce(completed_at, started_at), 'subsec') AS failed_at
    FROM processing_queue
    WHERE status = 'failed'
      AND (?1 IS NULL OR stage IN (SELECT value FROM json_each(?1)))
      AND stage NOT IN (SELECT value FROM json_each(?2))
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE ?3 IS NULL OR q.stage > ?3 OR (q.stage = ?3 AND (
    coalesce(q.failed_at, -9e999) < ?4 OR (coalesce(q.failed_at, -9e999) = ?4 AND q.id < ?5)))
ORDER BY q.stage, coalesce(q.failed_at, -9e999) DESC, q.id DESC
LIMIT ?6";

const FAILED_COUNT: &str = "
SELECT count(*) FROM processing_queue
WHERE status = 'failed'
  AND (?1 IS NULL OR stage IN (SELECT value FROM json_each(?1)))
  AND stage NOT IN (SELECT value FROM json_each(?2))";

impl Session for SqliteConnection {
    async fn begin(&mut self, limits: Limits) -> sqlx::Result<Opening> {
        stop_after(self, limits.statement).await?;
        let lock = limits.lock.as_millis();
        let script = format!("PRAGMA busy_timeout = {lock}; BEGIN; {OPENING}");
        let rows = raw_sql(AssertSqlSafe(script)).fetch_all(&mut *self).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        sqlx::FromRow::from_row(row)
    }

    async fn queue(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<QueueRow>> {
        stop_after(self, limits.statement).await?;
        query_as(QUEUE)
            .bind(seconds(windows.quarter_ago))
            .bind(seconds(windows.hour_ago))
            .bind(seconds(windows.midnight))
            .bind(seconds(windows.completions_since()))
            .bind(list(&scope.pool_stages))
            .bind(list(&scope.models))
            .bind(list(&scope.trend_stages))
            .bind(list(&hour_bounds(windows)))
            .bind(seconds(windows.earliest()))
            .fetch_all(self)
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
        let rows = self.queue(opening, limits, windows, &scope).await?;
        Ok(rows.into_iter().map(|row| row.counts).collect())
    }

    async fn trend(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<TrendRow>> {
        stop_after(self, limits.statement).await?;
        let query = query_as(TREND)
            .bind(list(&scope.trend_stages))
            .bind(list(&hour_bounds(windows)));
        query
            .bind(seconds(windows.trend_since()))
            .fetch_all(self)
            .await
    }

    async fn jobs(
        &mut self,
        _opening: &Opening,
        limits: Limits,
        windows: &Windows,
    ) -> sqlx::Result<JobRows> {
        stop_after(self, limits.statement).await?;
        let since = seconds(windows.jobs_since);
        let details: Vec<JobRow> = query_as(JOBS).bind(since).fetch_all(&mut *self).await?;
        let counts: Vec<JobCountRow> = query_as(JOB_COUNTS).bind(since).fetch_all(self).await?;
        Ok(JobRows { details, counts })
    }

    async fn current(
        &mut self,
        _opening: &Opening,
        limits: Limits,
    ) -> sqlx::Result<Vec<CurrentRow>> {
        stop_after(self, limits.statement).await?;
        query_as(CURRENT).fetch_all(self).await
    }

    async fn failed(&mut self, question: &FailedQuestion) -> sqlx::Result<Vec<FailedRow>> {
        let after = question.after.as_ref();
        query_as(FAILED)
            .bind(question.only.as_deref().map(list))
            .bind(list(&question.except))
            .bind(after.map(|after| after.stage.as_str()))
            .bind(after.map(|after| after.failed_at.unwrap_or(f64::NEG_INFINITY)))
            .bind(after.map(|after| after.id))
            .bind(question.limit)
            .fetch_all(self)
            .await
    }

    async fn count_failed(&mut self, question: &FailedQuestion) -> sqlx::Result<i64> {
        let query = query_scalar(FAILED_COUNT).bind(question.only.as_deref().map(list));
        query.bind(list(&question.except)).fetch_one(self).await
    }

    async fn give_way(&mut self, _backend: i32) -> sqlx::Result<()> {
        Ok(())
    }

    async fn end(&mut self) -> sqlx::Result<()> {
        self.lock_handle().await?.remove_progress_handler();
        raw_sql("COMMIT").execute(self).await.map(drop)
    }
}

/// SQLite has no time limit of its own: it asks now and then whether to go on.
async fn stop_after(connection: &mut SqliteConnection, limit: Duration) -> sqlx::Result<()> {
    let begun = Instant::now();
    let go_on = move || begun.elapsed() < limit;
    connection
        .lock_handle()
        .await?
        .set_progress_handler(INSTRUCTIONS, go_on);
    Ok(())
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
