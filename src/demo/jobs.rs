//! Work outside the queue: a digest that comes round again, and a backfill that sometimes hangs.

mod backfill;
mod digest;
mod finished;

use anyhow::Context;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::timestamp;
use backfill::Backfill;
use digest::Digest;

const START: &str = "\
    INSERT INTO background_jobs (kind, label, state, processed, total, started_at, updated_at)
    VALUES (?, ?, 'running', ?, ?, ?, ?)";
/// While the total is unknown no comparison with it holds, so the job goes on.
const ADVANCE: &str = "\
    UPDATE background_jobs
    SET processed = COALESCE(MIN(processed + ?1, total), processed + ?1),
        updated_at = ?2,
        state = CASE WHEN processed + ?1 >= total THEN 'completed' ELSE state END,
        finished_at = CASE WHEN processed + ?1 >= total THEN ?2 END
    WHERE id = ?3 AND state = 'running'
    RETURNING state = 'running'";

/// The background jobs that the demo keeps going
pub(super) struct Jobs {
    digest: Digest,
    backfill: Backfill,
}

impl Jobs {
    /// Writes the jobs of the last hours and takes over those that still run
    pub(super) async fn found(
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        finished::write(db, now).await?;
        Ok(Jobs {
            digest: Digest::found(db, now).await?,
            backfill: Backfill::found(db, rng, now).await?,
        })
    }

    /// Moves the jobs on to where they are at `now`
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        self.digest.tick(db, rng, now).await?;
        self.backfill.tick(db, rng, now).await
    }
}

/// A job as it stands when its row is made
struct Job {
    kind: &'static str,
    label: &'static str,
    processed: i64,
    total: Option<i64>,
    started_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Job {
    /// Makes the job's row and returns its id
    async fn start(self, db: &mut SqliteConnection) -> anyhow::Result<i64> {
        let started = sqlx::query(START)
            .bind(self.kind)
            .bind(self.label)
            .bind(self.processed)
            .bind(self.total)
            .bind(timestamp(self.started_at))
            .bind(timestamp(self.updated_at))
            .execute(db)
            .await
            .with_context(|| format!("starting the demo's job {}", self.kind))?;
        Ok(started.last_insert_rowid())
    }
}

/// Counts some more items as processed, which is also the heartbeat, and says if the job goes on
async fn advance(
    db: &mut SqliteConnection,
    id: i64,
    items: i64,
    now: DateTime<Utc>,
) -> anyhow::Result<bool> {
    let runs: Option<bool> = sqlx::query_scalar(ADVANCE)
        .bind(items)
        .bind(timestamp(now))
        .bind(id)
        .fetch_optional(db)
        .await
        .with_context(|| format!("advancing the demo's job {id}"))?;
    Ok(runs.unwrap_or(false))
}
