//! The questions as PostgreSQL is asked them.
//!
//! A scrape prepares no statement: behind a transaction pooler the next transaction may be given
//! a server that does not know it, or knows another by its name. Its questions are sent as text,
//! one round trip each, on a direct connection as through a pooler. What a caller says is bound.

mod inline;

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, query_as, query_scalar, raw_sql};

use crate::snapshot::{CurrentRow, FailedQuestion, FailedRow, JobRows, Scope, StageRow, TrendRow};
use crate::windows::Windows;

use super::{Limits, Opening, Session};

/// The statements that make the questions cheap, to be run by whoever owns the table.
pub const INDEXES: &str = include_str!("postgres/indexes.sql");

/// One row is a stage's rows of one model and one `deferred_until`, which is cut where no timestamp
/// is so long. Where there are no indexes for it, one pass over the table is the least.
const STAGES: &str = "
SELECT q.stage,
       d.ai_model_version AS model,
       CASE WHEN q.status = 'pending' THEN left(q.payload ->> 'deferred_until', 200) END
           AS deferred_until,
       count(*) FILTER (WHERE q.status = 'pending') AS pending,
       count(*) FILTER (WHERE q.status = 'processing') AS processing,
       count(*) FILTER (WHERE q.status = 'failed') AS failed,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $1) AS completed_15m,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $2) AS completed_1h,
       count(*) FILTER (WHERE q.status = 'completed' AND q.completed_at > $3) AS completed_today,
       count(*) FILTER (WHERE q.created_at > $2) AS created_1h,
       extract(epoch FROM min(q.created_at::timestamptz)
           FILTER (WHERE q.status = 'pending' AND isfinite(q.created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(q.started_at::timestamptz)
           FILTER (WHERE q.status = 'processing' AND isfinite(q.started_at)))::float8 AS oldest_processing
FROM processing_queue q
LEFT JOIN documents d ON d.id = q.document_id
    AND q.status = 'completed' AND q.completed_at > $4
    AND q.stage = ANY($5) AND d.ai_model_version = ANY($6)
WHERE q.created_at > $2
   OR (q.completed_at > $4 AND q.status = 'completed')
   OR q.status IN ('pending', 'processing', 'failed')
GROUP BY 1, 2, 3";

/// The same where each part has its index: live rows, then completions and creations from indexes
/// alone. A document is looked up for a pool's completion only; a join would read all of them.
const STAGES_BY_INDEX: &str = "
SELECT stage,
       NULL::text AS model,
       CASE WHEN status = 'pending' THEN left(payload ->> 'deferred_until', 200) END
           AS deferred_until,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       0::bigint AS completed_15m, 0::bigint AS completed_1h, 0::bigint AS completed_today,
       0::bigint AS created_1h,
       extract(epoch FROM min(created_at::timestamptz)
           FILTER (WHERE status = 'pending' AND isfinite(created_at)))::float8 AS oldest_pending,
       extract(epoch FROM min(started_at::timestamptz)
           FILTER (WHERE status = 'processing' AND isfinite(started_at)))::float8 AS oldest_processing
FROM processing_queue
WHERE status IN ('pending', 'processing', 'failed')
GROUP BY 1, 2, 3
UNION ALL
SELECT stage, NULL, NULL, 0, 0, 0,
       count(*) FILTER (WHERE completed_at > $1),
       count(*) FILTER (WHERE completed_at > $2),
       count(*) FILTER (WHERE completed_at > $3),
       0, NULL, NULL
FROM processing_queue
WHERE status = 'completed' AND completed_at > $4 AND (stage = ANY($5)) IS NOT TRUE
GROUP BY 1
UNION ALL
SELECT q.stage,
       (SELECT d.ai_model_version FROM documents d
        WHERE d.id = q.document_id AND d.ai_model_version = ANY($6)) AS model,
       NULL, 0, 0, 0,
       count(*) FILTER (WHERE q.completed_at > $1),
       count(*) FILTER (WHERE q.completed_at > $2),
       count(*) FILTER (WHERE q.completed_at > $3),
       0, NULL, NULL
FROM processing_queue q
WHERE q.status = 'completed' AND q.completed_at > $4 AND q.stage = ANY($5)
GROUP BY 1, 2
UNION ALL
SELECT stage, NULL, NULL, 0, 0, 0, 0, 0, 0, count(*), NULL, NULL
FROM processing_queue
WHERE created_at > $2
GROUP BY 1";

/// One pass gives both sides of the trend: a row is counted under its pair of hours.
const TREND: &str = "
SELECT stage,
       width_bucket(created_at::timestamptz, $2)::bigint AS created_hour,
       width_bucket(CASE WHEN status = 'completed' THEN completed_at::timestamptz END, $2)::bigint
           AS completed_hour,
       count(*) AS count
FROM processing_queue
WHERE stage = ANY($1) AND (created_at >= $3 OR (status = 'completed' AND completed_at >= $3))
GROUP BY 1, 2, 3";

const JOBS: &str = "
SELECT id::text AS id, kind, label, state, processed::bigint AS processed, total::bigint AS total,
       extract(epoch FROM started_at::timestamptz)::float8 AS started_at,
       extract(epoch FROM updated_at::timestamptz)::float8 AS updated_at,
       extract(epoch FROM finished_at::timestamptz)::float8 AS finished_at,
       error
FROM background_jobs AS job
WHERE state = 'running' OR finished_at > $1
ORDER BY (state = 'running') DESC NULLS LAST, job.started_at DESC NULLS LAST, job.id DESC
LIMIT 20";

const JOB_COUNTS: &str = "
SELECT kind, state, count(*) AS jobs
FROM background_jobs
WHERE state = 'running' OR finished_at > $1
GROUP BY kind, state";

/// The latest two of each stage hold the latest two of each machine, whoever has the stages.
const CURRENT: &str = "
SELECT q.id::bigint AS id, q.stage, q.document_id::bigint AS document_id,
       d.title, d.original_filename, d.file_path,
       extract(epoch FROM q.started_at::timestamptz)::float8 AS started_at
FROM (
    SELECT id, stage, document_id, started_at, row_number() OVER (
        PARTITION BY stage ORDER BY started_at DESC NULLS LAST, id DESC) AS place
    FROM processing_queue
    WHERE status = 'processing'
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE q.place <= 2";

const FAILED: &str = r#"
SELECT q.id, q.stage, q.document_id, d.title, d.original_filename, d.file_path,
       q.attempts, q.max_attempts, q.error_message, q.failed_at
FROM (
    SELECT id::bigint AS id, stage, document_id, attempts::bigint AS attempts,
           max_attempts::bigint AS max_attempts, error_message,
           extract(epoch FROM coalesce(completed_at, started_at)::timestamptz)::float8 AS failed_at
    FROM processing_queue
    WHERE status = 'failed' AND ($1::text[] IS NULL OR stage = ANY($1)) AND stage <> ALL($2)
) AS q
LEFT JOIN documents d ON d.id = q.document_id
WHERE $3::text IS NULL OR q.stage COLLATE "C" > $3 OR (q.stage = $3 AND (
    coalesce(q.failed_at, '-Infinity') < $4 OR
    (coalesce(q.failed_at, '-Infinity') = $4 AND q.id < $5)))
ORDER BY q.stage COLLATE "C", coalesce(q.failed_at, '-Infinity') DESC, q.id DESC
LIMIT $6"#;

const FAILED_COUNT: &str = "
SELECT count(*) FROM processing_queue
WHERE status = 'failed' AND ($1::text[] IS NULL OR stage = ANY($1)) AND stage <> ALL($2)";

/// One round trip: a transaction's settings go with it, so that they also hold behind a pooler.
/// Compiling a plan takes longer than running one of ours.
fn begin(limits: Limits) -> String {
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
         SET LOCAL TimeZone = 'UTC';
         SET LOCAL extra_float_digits = 1;
         SET LOCAL jit = off;
         {};
         SELECT now() AS now, to_regclass('background_jobs') IS NOT NULL AS has_background_jobs,
                (SELECT count(*) = 3 FROM pg_index WHERE indisvalid AND indexrelid IN (
                    to_regclass('queueboard_live'), to_regclass('queueboard_completed'),
                    to_regclass('queueboard_created'))) AS has_indexes",
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
    limits: Limits,
    question: &str,
    values: &[String],
) -> sqlx::Result<Vec<T>> {
    let script = format!("{};{}", limit(limits), inline::fill(question, values));
    let rows = raw_sql(AssertSqlSafe(script)).fetch_all(connection).await?;
    // The first row is that of the limits.
    rows.into_iter()
        .skip(1)
        .map(|row| T::from_row(&row))
        .collect()
}

impl Session for PgConnection {
    async fn begin(&mut self, limits: Limits) -> sqlx::Result<Opening> {
        let script = raw_sql(AssertSqlSafe(begin(limits)));
        let rows = script.fetch_all(&mut *self).await?;
        let row = rows.last().ok_or(sqlx::Error::RowNotFound)?;
        FromRow::from_row(row)
    }

    async fn stages(
        &mut self,
        opening: &Opening,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<StageRow>> {
        let question = if opening.has_indexes {
            STAGES_BY_INDEX
        } else {
            STAGES
        };
        let values = [
            inline::instant(windows.quarter_ago),
            inline::instant(windows.hour_ago),
            inline::instant(windows.midnight),
            inline::instant(windows.completions_since()),
            inline::texts(&scope.pool_stages),
            inline::texts(&scope.models),
        ];
        ask(self, limits, question, &values).await
    }

    async fn trend(
        &mut self,
        limits: Limits,
        windows: &Windows,
        scope: &Scope,
    ) -> sqlx::Result<Vec<TrendRow>> {
        let bounds = windows.hour_bounds();
        let values = [
            inline::texts(&scope.trend_stages),
            inline::instants(&bounds),
            bounds
                .first()
                .copied()
                .map_or_else(inline::null, inline::instant),
        ];
        ask(self, limits, TREND, &values).await
    }

    async fn jobs(&mut self, limits: Limits, windows: &Windows) -> sqlx::Result<JobRows> {
        let values = [inline::instant(windows.jobs_since)];
        Ok(JobRows {
            details: ask(self, limits, JOBS, &values).await?,
            counts: ask(self, limits, JOB_COUNTS, &values).await?,
        })
    }

    async fn current(&mut self, limits: Limits) -> sqlx::Result<Vec<CurrentRow>> {
        ask(self, limits, CURRENT, &[]).await
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

    async fn end(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self).await.map(drop)
    }
}
