//! Retry and skip as SQLite does them: there is one writer at a time, so actions take their turn
//! by themselves.

use sqlx::{SqliteConnection, query_as, query_scalar, raw_sql};

use crate::source::sqlite::list;

use super::action::{Action, LeftAlone};
use super::operator::Desk;

const OPEN: &str = "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE";

/// Of several failed rows of one document and stage only the highest is retried.
const RETRY: &str = "
UPDATE processing_queue AS q
SET status = 'pending', attempts = 0, started_at = NULL, completed_at = NULL
WHERE q.id IN (SELECT value FROM json_each(?1)) AND q.status = 'failed'
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage
        AND other.status IN ('pending', 'processing'))
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage
        AND other.status = 'failed' AND other.id > q.id
        AND other.id IN (SELECT value FROM json_each(?1)))
RETURNING id";

/// Text that is no JSON is kept as a string.
const SKIP: &str = "
UPDATE processing_queue
SET status = 'completed', completed_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    payload = json_set(
        CASE
            WHEN payload IS NULL THEN '{}'
            WHEN NOT json_valid(payload) THEN json_object('payload', CAST(payload AS TEXT))
            WHEN json_type(payload) = 'object' THEN payload
            ELSE json_object('payload', json(payload))
        END,
        '$.skipped_by_user', json('true'),
        '$.skipped_at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
WHERE id IN (SELECT value FROM json_each(?1)) AND status = 'failed'
RETURNING id";

const LOOK: &str = "
SELECT q.id, q.status = 'failed' AS failed, EXISTS (
    SELECT 1 FROM processing_queue AS other
    WHERE other.document_id = q.document_id AND other.stage = q.stage
      AND other.status IN ('pending', 'processing')) AS active
FROM processing_queue AS q
WHERE q.id IN (SELECT value FROM json_each(?1))";

impl Desk for SqliteConnection {
    async fn open(&mut self) -> sqlx::Result<()> {
        raw_sql(OPEN).execute(self).await.map(drop)
    }

    async fn change(&mut self, action: Action, ids: &[i64]) -> sqlx::Result<Vec<i64>> {
        let change = match action {
            Action::Retry => RETRY,
            Action::Skip => SKIP,
        };
        query_scalar(change).bind(list(ids)).fetch_all(self).await
    }

    async fn look(&mut self, ids: &[i64]) -> sqlx::Result<Vec<LeftAlone>> {
        query_as(LOOK).bind(list(ids)).fetch_all(self).await
    }

    async fn commit(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self).await.map(drop)
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        raw_sql("ROLLBACK").execute(self).await.map(drop)
    }
}
