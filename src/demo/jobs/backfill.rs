//! The backfill: a long job that first has to count its work, and now and then hangs.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{Job, advance};
use crate::demo::seconds_between;

const SET_TOTAL: &str = "UPDATE background_jobs SET total = ? WHERE id = ?";

const BEAT: (i64, i64) = (3, 5);
const REST: (i64, i64) = (60, 180);
const BETWEEN_HANGS: (i64, i64) = (12 * 60, 20 * 60);
/// Two minutes longer than it takes until a silent job counts as stale.
const HANG: TimeDelta = TimeDelta::minutes(7);
/// At the start of the demo it has been silent so long that it becomes stale within the minute.
const SILENT_ALREADY: TimeDelta = TimeDelta::seconds(260);
const COUNTING: TimeDelta = TimeDelta::seconds(45);

/// The backfill that runs, if one does, and what is next to happen to it
pub(super) struct Backfill {
    running: Option<i64>,
    total: i64,
    beats_at: DateTime<Utc>,
    hangs_at: DateTime<Utc>,
    counted_at: Option<DateTime<Utc>>,
}

impl Backfill {
    /// Starts with a backfill in the middle of a hang
    pub(super) async fn found(
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let total = 18_400;
        let hung_at = now - SILENT_ALREADY;
        let hung = Job {
            processed: 7_310,
            total: Some(total),
            started_at: now - TimeDelta::minutes(97),
            ..new(hung_at)
        };
        let beats_at = hung_at + HANG;
        Ok(Backfill {
            running: Some(hung.start(db).await?),
            total,
            beats_at,
            hangs_at: beats_at + seconds_between(rng, BETWEEN_HANGS),
            counted_at: None,
        })
    }

    /// Gives a sign of life when one is due, or none when it is time to hang
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        if now < self.beats_at {
            return Ok(());
        }
        let Some(id) = self.running else {
            self.running = Some(new(now).start(db).await?);
            self.total = rng.i64(4_000..9_000);
            self.counted_at = Some(now + COUNTING);
            self.beats_at = now + seconds_between(rng, BEAT);
            return Ok(());
        };
        if now >= self.hangs_at {
            self.beats_at = now + HANG;
            self.hangs_at = self.beats_at + seconds_between(rng, BETWEEN_HANGS);
            // After a hang it counts again, and meanwhile does not say what it knew.
            self.counted_at = Some(self.beats_at + COUNTING);
            return Ok(());
        }
        self.count(db, id, now).await?;
        let runs = advance(db, id, rng.i64(4..=12), now).await?;
        self.running = runs.then_some(id);
        self.beats_at = now + seconds_between(rng, if runs { BEAT } else { REST });
        Ok(())
    }

    /// Leaves the total unknown until the work is counted
    async fn count(
        &mut self,
        db: &mut SqliteConnection,
        id: i64,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let Some(counted_at) = self.counted_at else {
            return Ok(());
        };
        let counted = now >= counted_at;
        sqlx::query(SET_TOTAL)
            .bind(counted.then_some(self.total))
            .bind(id)
            .execute(db)
            .await
            .with_context(|| format!("counting the work of the demo's job {id}"))?;
        if counted {
            self.counted_at = None;
        }
        Ok(())
    }
}

fn new(now: DateTime<Utc>) -> Job {
    Job {
        kind: "hier_backfill",
        label: "계층 백필",
        processed: 0,
        total: None,
        started_at: now,
        updated_at: now,
    }
}
