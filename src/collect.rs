//! One scrape: a deadline, one transaction, and a collector's failure kept to itself.
//!
//! A question that fails ends the transaction, so the snapshot is taken anew without it: a
//! healthy scrape pays nothing for that, and what is exposed still comes from one view. When the
//! connection or the time is lost instead, the answers already there are kept, since they come
//! from one view as well.

pub mod complaints;
pub mod failed;
pub mod shared;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{Collector, JobRows, Outcome, Scope, Snapshot};
use crate::source::pool::{Lease, Pool};
use crate::source::{Limits, Opening, Session, Source};
use crate::windows::Windows;

use complaints::Complaints;

/// The longest wait for a lock: a migration that waits behind us is not held up longer.
const MOST_LOCK_WAIT: Duration = Duration::from_secs(1);

/// Takes a snapshot; never later than the deadline, and never an error: what could not be read
/// is absent, and complained of.
pub async fn collect(
    source: &Source,
    scope: &Scope,
    wanted: &[Collector],
    deadline: Instant,
    complaints: &Complaints,
) -> Snapshot {
    let scrape = Scrape {
        scope,
        wanted,
        deadline,
        begun: Instant::now(),
        complaints,
    };
    match source {
        Source::Postgres(pool) => scrape.run(pool).await,
        Source::Sqlite(pool) => scrape.run(pool).await,
    }
}

/// Why a snapshot could not be finished as it was begun.
enum Trouble {
    /// This collector's question failed; the connection is sound.
    Collector(Collector),
    /// The connection or the time is gone.
    Connection,
}

struct Scrape<'a> {
    scope: &'a Scope,
    wanted: &'a [Collector],
    deadline: Instant,
    begun: Instant,
    complaints: &'a Complaints,
}

impl Scrape<'_> {
    async fn run<C: sqlx::Connection + Session>(&self, pool: &Pool<C>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let leased = timeout_at(self.deadline, pool.lease()).await;
        let leased = leased.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        self.complaints.about("database", leased.as_ref().err());
        if let Ok(lease) = leased {
            self.read(lease, &mut snapshot).await;
        }
        self.finish(snapshot)
    }

    /// Takes snapshots, each without the collectors that failed in those before, until one is
    /// whole or the connection is lost.
    async fn read<C: Session>(&self, mut lease: Lease<C>, snapshot: &mut Snapshot) {
        let mut failed: Vec<Outcome> = Vec::new();
        loop {
            *snapshot = Snapshot {
                outcomes: failed.clone(),
                ..Snapshot::default()
            };
            match self.attempt(&mut *lease, snapshot).await {
                Ok(()) if failed.is_empty() => return lease.give_back(),
                // A statement that was prepared before a migration may fail as long as its
                // connection lives, so a connection that has met a failure is not kept.
                Ok(()) | Err(Trouble::Connection) => return,
                Err(Trouble::Collector(_)) if self.end(&mut *lease).await.is_err() => return,
                Err(Trouble::Collector(collector)) => {
                    let is_it = |outcome: &&Outcome| outcome.collector == collector;
                    failed.extend(snapshot.outcomes.iter().find(is_it).cloned());
                }
            }
        }
    }

    async fn attempt<C: Session>(
        &self,
        session: &mut C,
        snapshot: &mut Snapshot,
    ) -> Result<(), Trouble> {
        let opening = timeout_at(self.deadline, session.begin(self.limits())).await;
        let opening = opening.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        self.complaints.about("snapshot", opening.as_ref().err());
        let opening = opening.map_err(|_| Trouble::Connection)?;
        let windows = Windows::at(opening.now, self.scope.timezone);
        snapshot.now = Some(opening.now);
        for collector in self.wanted.iter().copied() {
            if snapshot
                .outcomes
                .iter()
                .any(|outcome| outcome.collector == collector)
            {
                continue;
            }
            let asked = Instant::now();
            let question = ask(session, collector, &opening, &windows, self.scope, snapshot);
            let answer = timeout_at(self.deadline, question).await;
            let answer = answer.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            self.complaints
                .about(collector.as_str(), answer.as_ref().err());
            let (success, duration) = (answer.is_ok(), Some(asked.elapsed()));
            snapshot.outcomes.push(Outcome {
                collector,
                success,
                duration,
            });
            answer.map_err(|error| Trouble::of(&error, collector))?;
        }
        self.end(session).await
    }

    async fn end<C: Session>(&self, session: &mut C) -> Result<(), Trouble> {
        let ended = timeout_at(self.deadline, session.end()).await;
        ended.ok().and_then(Result::ok).ok_or(Trouble::Connection)
    }

    /// The server gives up before we do: one statement may take half of the time that is left.
    fn limits(&self) -> Limits {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let statement = (left / 2).max(Duration::from_millis(1));
        Limits {
            statement,
            lock: (statement / 2).clamp(Duration::from_millis(1), MOST_LOCK_WAIT),
        }
    }

    /// Adds what is known of a scrape as a whole: the collectors never asked have failed.
    fn finish(&self, mut snapshot: Snapshot) -> Snapshot {
        for collector in self.wanted.iter().copied() {
            if !snapshot
                .outcomes
                .iter()
                .any(|outcome| outcome.collector == collector)
            {
                snapshot.outcomes.push(Outcome {
                    collector,
                    success: false,
                    duration: None,
                });
            }
        }
        snapshot.outcomes.sort_by_key(|outcome| outcome.collector);
        snapshot.duration = self.begun.elapsed();
        snapshot
    }
}

async fn ask<C: Session>(
    session: &mut C,
    collector: Collector,
    opening: &Opening,
    windows: &Windows,
    scope: &Scope,
    snapshot: &mut Snapshot,
) -> sqlx::Result<()> {
    match collector {
        Collector::Stages => {
            snapshot.stages = Some(session.stages(opening, windows, scope).await?);
        }
        Collector::Trend => snapshot.trend = Some(session.trend(windows, scope).await?),
        Collector::Current => snapshot.current = Some(session.current().await?),
        Collector::BackgroundJobs if opening.has_background_jobs => {
            snapshot.jobs = Some(session.jobs(windows).await?);
        }
        // A pipeline without background jobs is a healthy one.
        Collector::BackgroundJobs => snapshot.jobs = Some(JobRows::default()),
    }
    Ok(())
}

impl Trouble {
    /// An error that the database answered is the question's; any other is the connection's.
    fn of(error: &sqlx::Error, collector: Collector) -> Self {
        let ends_session = |code: &str| code.starts_with("57P") || code.starts_with("08");
        match error {
            sqlx::Error::Database(error)
                if error.code().is_some_and(|code| ends_session(&code)) =>
            {
                Self::Connection
            }
            sqlx::Error::Database(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::Decode(_) => Self::Collector(collector),
            _ => Self::Connection,
        }
    }
}
