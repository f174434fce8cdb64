//! The laptop among the machines: somebody closes its lid, and its work is put off until it wakes.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{seconds_between, timestamp};

const AWAKE: TimeDelta = TimeDelta::minutes(4);
const ASLEEP: TimeDelta = TimeDelta::minutes(2);
const FIRST_SLEEP: (i64, i64) = (60, 90);

/// All deep summaries wait for the macbook, and the third of the pool that it would have taken.
/// (The first condition is that of the index of live rows, which is used only where it stands.)
const DEFER: &str = "\
    UPDATE processing_queue
    SET payload = json_set(COALESCE(payload, '{}'), '$.deferred_until', ?1)
    WHERE status IN ('pending', 'processing') AND status = 'pending'
      AND (stage = 'deep_summary' OR (stage = 'summarize' AND document_id % 3 = 0))
      AND COALESCE(payload ->> '$.deferred_until', '') <= ?2";

/// When the macbook next falls asleep and wakes again
pub(super) struct Macbook {
    sleeps_at: DateTime<Utc>,
}

impl Macbook {
    /// Starts awake, with a first sleep soon
    pub(super) fn awake(rng: &mut Rng, now: DateTime<Utc>) -> Self {
        Macbook {
            sleeps_at: now + seconds_between(rng, FIRST_SLEEP),
        }
    }

    /// Says whether the macbook takes work
    pub(super) fn is_awake(&self, now: DateTime<Utc>) -> bool {
        now < self.sleeps_at
    }

    /// Puts off the macbook's work while it sleeps, rows that arrived meanwhile included
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let wakes_at = self.sleeps_at + ASLEEP;
        if now >= wakes_at {
            self.sleeps_at = now + AWAKE;
        } else if now >= self.sleeps_at {
            sqlx::query(DEFER)
                .bind(timestamp(wakes_at))
                .bind(timestamp(now))
                .execute(db)
                .await
                .context("putting off the demo macbook's work")?;
        }
        Ok(())
    }
}
