//! Retry and skip as PostgreSQL does them.
//!
//! No statement locks rows first: on a distributed PostgreSQL that is refused. The advisory lock
//! is what makes actions take their turn, so that each sees what the one before it changed. No
//! statement is prepared under a name, which would not be known again behind a pooler.

use sqlx::{PgConnection, query_as, query_scalar, raw_sql};

use super::action::{Action, LeftAlone};
use super::operator::Desk;

/// A number of our own for the lock; the server's time-outs are shorter than ours. That it will
/// write is not said: a standby would refuse the word, and not say that it is read-only.
const OPEN: &str = "
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = 5000;
SET LOCAL statement_timeout = 10000;
SET LOCAL idle_in_transaction_session_timeout = 15000;
SELECT pg_advisory_xact_lock(7163384699739271780)";

/// Of several failed rows of one document and stage only the highest is retried.
const RETRY: &str = "
UPDATE processing_queue AS q
SET status = 'pending', attempts = 0, started_at = NULL, completed_at = NULL
WHERE q.id = ANY($1) AND q.status = 'failed'
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage
        AND other.status IN ('pending', 'processing'))
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage
        AND other.status = 'failed' AND other.id = ANY($1) AND other.id > q.id)
RETURNING q.id::bigint";

const SKIP: &str = r#"
UPDATE processing_queue AS q
SET status = 'completed', completed_at = now(),
    payload = CASE
        WHEN q.payload IS NULL THEN '{}'::jsonb
        WHEN jsonb_typeof(q.payload) = 'object' THEN q.payload
        ELSE jsonb_build_object('payload', q.payload)
    END || jsonb_build_object(
        'skipped_by_user', true,
        'skipped_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
WHERE q.id = ANY($1) AND q.status = 'failed'
RETURNING q.id::bigint"#;

const LOOK: &str = "
SELECT q.id::bigint AS id, q.status = 'failed' AS failed, EXISTS (
    SELECT 1 FROM processing_queue AS other
    WHERE other.document_id = q.document_id AND other.stage = q.stage
      AND other.status IN ('pending', 'processing')) AS active
FROM processing_queue AS q
WHERE q.id = ANY($1)";

impl Desk for PgConnection {
    async fn open(&mut self) -> sqlx::Result<()> {
        raw_sql(OPEN).execute(self).await.map(drop)
    }

    async fn change(&mut self, action: Action, ids: &[i64]) -> sqlx::Result<Vec<i64>> {
        let change = match action {
            Action::Retry => RETRY,
            Action::Skip => SKIP,
        };
        let query = query_scalar(change).bind(ids).persistent(false);
        query.fetch_all(self).await
    }

    async fn look(&mut self, ids: &[i64]) -> sqlx::Result<Vec<LeftAlone>> {
        let query = query_as(LOOK).bind(ids).persistent(false);
        query.fetch_all(self).await
    }

    async fn commit(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self).await.map(drop)
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        raw_sql("ROLLBACK").execute(self).await.map(drop)
    }
}
