//! The digest: it runs for a few minutes, rests, and runs again as a new job.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{Job, advance};
use crate::demo::seconds_between;

const STEP: (i64, i64) = (4, 7);
const REST: (i64, i64) = (180, 300);

/// The digest that runs, if one does, and when something next happens to it
pub(super) struct Digest {
    running: Option<i64>,
    next: DateTime<Utc>,
}

impl Digest {
    /// Starts with a digest that is half done
    pub(super) async fn found(
        db: &mut SqliteConnection,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let half_done = Job {
            started_at: now - TimeDelta::seconds(95),
            ..new(21, 48, now)
        };
        Ok(Digest {
            running: Some(half_done.start(db).await?),
            next: now,
        })
    }

    /// Advances the digest that runs, or starts one when the rest is over
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        if now < self.next {
            return Ok(());
        }
        self.running = match self.running {
            None => Some(new(0, rng.i64(40..=56), now).start(db).await?),
            Some(id) => advance(db, id, rng.i64(1..=2), now).await?.then_some(id),
        };
        let pause = if self.running.is_some() { STEP } else { REST };
        self.next = now + seconds_between(rng, pause);
        Ok(())
    }
}

fn new(processed: i64, total: i64, now: DateTime<Utc>) -> Job {
    Job {
        kind: "global_digest",
        label: "오늘의 다이제스트",
        processed,
        total: Some(total),
        started_at: now,
        updated_at: now,
    }
}
