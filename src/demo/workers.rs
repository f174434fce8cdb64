//! The machines at work: they take the oldest rows, spend their time on them, and pass them on.

use anyhow::Context;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{
    attempts,
    stages::{self, LANES, Lane, Machine},
    timestamp,
};

const PROCESSING: &str = "\
    SELECT id, stage, started_at FROM processing_queue
    WHERE status = 'processing' ORDER BY started_at, id";
/// The first condition is that of the index of live rows, which is used only where it stands.
const CLAIMABLE: &str = "\
    SELECT id, stage FROM processing_queue
    WHERE status IN ('pending', 'processing') AND status = 'pending'
      AND COALESCE(payload ->> '$.deferred_until', '') <= ?
    ORDER BY created_at, id";
const CLAIM: &str = "\
    UPDATE processing_queue SET status = 'processing', started_at = ?, attempts = attempts + 1
    WHERE id = ? AND status = 'pending'";

/// Which slot is busy with which row, and until when; what the row holds is read when needed
pub(super) struct Workers {
    running: Vec<Running>,
}

struct Running {
    lane: usize,
    id: i64,
    due: DateTime<Utc>,
}

impl Workers {
    /// Takes over the rows that are in processing where the history ends
    pub(super) async fn adopt(db: &mut SqliteConnection, rng: &mut Rng) -> anyhow::Result<Self> {
        let rows: Vec<(i64, String, DateTime<Utc>)> = sqlx::query_as(PROCESSING)
            .fetch_all(db)
            .await
            .context("reading the demo's rows in processing")?;
        let mut workers = Workers {
            running: Vec::new(),
        };
        for (id, stage, started_at) in rows {
            let free = workers.free_lane(&stage, true);
            let any = || LANES.iter().position(|lane| lane.works(&stage));
            if let Some(lane) = free.or_else(any) {
                workers.start(rng, lane, id, &stage, started_at);
            }
        }
        Ok(workers)
    }

    /// Ends the work that is due: most rows complete, a few fail
    pub(super) async fn finish(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        while let Some(index) = self.running.iter().position(|work| work.due <= now) {
            let work = &self.running[index];
            attempts::finish(db, rng, work.id, LANES[work.lane].machine, now)
                .await
                .with_context(|| format!("ending the demo's work on row {}", work.id))?;
            // Only now, so that work whose end could not be written is ended on the next tick.
            self.running.swap_remove(index);
        }
        Ok(())
    }

    /// Gives the oldest claimable rows to the free slots; a macbook asleep takes none
    pub(super) async fn claim(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
        macbook_awake: bool,
    ) -> anyhow::Result<()> {
        let rows: Vec<(i64, String)> = sqlx::query_as(CLAIMABLE)
            .bind(timestamp(now))
            .fetch_all(&mut *db)
            .await
            .context("reading the demo's claimable rows")?;
        for (id, stage) in rows {
            let Some(lane) = self.free_lane(&stage, macbook_awake) else {
                continue;
            };
            let claimed = sqlx::query(CLAIM)
                .bind(timestamp(now))
                .bind(id)
                .execute(&mut *db)
                .await
                .with_context(|| format!("claiming the demo's row {id}"))?;
            if claimed.rows_affected() == 1 {
                self.start(rng, lane, id, &stage, now);
            }
        }
        Ok(())
    }

    fn free_lane(&self, stage: &str, macbook_awake: bool) -> Option<usize> {
        let takes =
            |lane: &Lane| lane.works(stage) && (macbook_awake || lane.machine != Machine::Macbook);
        let is_free = |lane: usize| self.running.iter().all(|work| work.lane != lane);
        (0..LANES.len()).find(|&lane| takes(&LANES[lane]) && is_free(lane))
    }

    fn start(
        &mut self,
        rng: &mut Rng,
        lane: usize,
        id: i64,
        stage: &str,
        started_at: DateTime<Utc>,
    ) {
        if let Some(stage) = stages::stage(stage) {
            let due = started_at + stage.service_time(rng);
            self.running.push(Running { lane, id, due });
        }
    }
}
