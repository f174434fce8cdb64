//! Forgets what is over, so that the demo can run for days.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use super::{begin, timestamp};

const EVERY: TimeDelta = TimeDelta::minutes(10);
/// An hour more than the longest window that anything is counted over.
const ROWS_KEPT: TimeDelta = TimeDelta::hours(25);
const JOBS_KEPT: TimeDelta = TimeDelta::hours(24);

const FORGET_ROWS: &str = "\
    DELETE FROM processing_queue WHERE status = 'completed' AND completed_at < ?";
const FORGET_DOCUMENTS: &str = "\
    DELETE FROM documents WHERE id NOT IN (SELECT document_id FROM processing_queue)";
const FORGET_JOBS: &str = "DELETE FROM background_jobs WHERE finished_at < ?";

/// When the demo next forgets what is over
pub(super) struct Retention {
    next: DateTime<Utc>,
}

impl Retention {
    /// Leaves the history that was just written alone for a while
    pub(super) fn from(now: DateTime<Utc>) -> Self {
        Retention { next: now + EVERY }
    }

    /// Removes old rows, the documents that no row speaks of any more, and old jobs
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        if now < self.next {
            return Ok(());
        }
        forget(db, now)
            .await
            .context("removing what is old from the demo's database")?;
        self.next = now + EVERY;
        Ok(())
    }
}

async fn forget(db: &mut SqliteConnection, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut removal = begin(db).await?;
    sqlx::query(FORGET_ROWS)
        .bind(timestamp(now - ROWS_KEPT))
        .execute(&mut *removal)
        .await?;
    sqlx::query(FORGET_DOCUMENTS).execute(&mut *removal).await?;
    sqlx::query(FORGET_JOBS)
        .bind(timestamp(now - JOBS_KEPT))
        .execute(&mut *removal)
        .await?;
    Ok(removal.commit().await?)
}
