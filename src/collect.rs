//! One scrape: a deadline, one transaction, and a collector's failure kept to itself.
//!
//! A question that fails ends the transaction, so the snapshot is taken anew without it: a
//! healthy scrape pays nothing for that, and what is exposed still comes from one view. When the
//! connection or the time is lost instead, the answers already there are kept, since they come
//! from one view as well.

pub mod complaints;
pub mod doubt;
pub mod failed;
mod give_way;
pub mod heartbeats;
pub mod kept;
pub mod memory;
mod past;
mod question;
pub mod shared;

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, timeout_at};

use crate::snapshot::{
    Collector, Doubts, JobRows, MAX_ODD_DEFERRALS, OddDeferral, Outcome, QueueRow, Scope, Snapshot,
    StageRow, deferral,
};
use crate::source::fault::Fault;
use crate::source::pool::{Connect, Pool};
use crate::source::{Limits, Opening, Session, Source};
use crate::windows::Windows;

use doubt::{Doubt, has_unknown_words};
use give_way::giving_way;
use memory::Memory;
use question::Question;

/// The longest wait for a lock: whoever waits behind us meanwhile is not held up longer.
const MOST_LOCK_WAIT: Duration = Duration::from_secs(1);

/// Takes a snapshot; never later than the deadline, and never an error: what could not be read
/// is absent, and complained of.
pub async fn collect(
    source: &Source,
    scope: &Scope,
    wanted: &[Collector],
    deadline: Instant,
    memory: &Memory,
) -> Snapshot {
    let scrape = Scrape {
        scope,
        wanted,
        deadline,
        begun: Instant::now(),
        memory,
    };
    match source {
        Source::Postgres(pool) => scrape.run(pool).await,
        Source::Sqlite(pool) => scrape.run(pool).await,
    }
}

/// Why a snapshot could not be finished as it was begun.
#[derive(Debug)]
enum Trouble {
    /// This question failed; the connection is sound.
    Question(Question),
    /// The connection or the time is gone.
    Connection,
    /// The database ended the transaction for its own ends: it may be begun anew.
    Ended,
}

struct Scrape<'a> {
    scope: &'a Scope,
    wanted: &'a [Collector],
    deadline: Instant,
    begun: Instant,
    memory: &'a Memory,
}

impl Scrape<'_> {
    async fn run<C: Connect + Session>(&self, pool: &Pool<C>) -> Snapshot {
        let mut snapshot = Snapshot::default();
        if let Err(Trouble::Ended) = self.read(pool, &mut snapshot, true).await {
            let _ = self.read(pool, &mut snapshot, false).await;
        }
        self.finish(snapshot)
    }

    /// Takes snapshots, each without the collectors that failed in those before, until one is
    /// whole or the connection is lost.
    async fn read<C: Connect + Session>(
        &self,
        pool: &Pool<C>,
        snapshot: &mut Snapshot,
        may_end: bool,
    ) -> Result<(), Trouble> {
        let leased = pool.lease(self.deadline).await;
        self.memory
            .complaints
            .about("database", leased.as_ref().err());
        let mut lease = leased.map_err(|_| Trouble::Connection)?;
        let mut failed: Vec<Outcome> = Vec::new();
        let mut together = true;
        loop {
            *snapshot = Snapshot {
                outcomes: failed.clone(),
                ..Snapshot::default()
            };
            let attempt = self.attempt(pool, &mut *lease, snapshot, together, may_end);
            match attempt.await {
                Ok(()) => {
                    lease.give_back();
                    return Ok(());
                }
                // Perhaps only one of its collectors is to blame.
                Err(Trouble::Question(question)) if question.is_shared() => {
                    self.end(&mut *lease).await?;
                    together = false;
                }
                Err(Trouble::Question(question)) => {
                    self.end(&mut *lease).await?;
                    let own =
                        |outcome: &&Outcome| question.collectors().contains(&outcome.collector);
                    failed.extend(snapshot.outcomes.iter().filter(own).cloned());
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    async fn attempt<C: Connect + Session>(
        &self,
        pool: &Pool<C>,
        session: &mut C,
        snapshot: &mut Snapshot,
        together: bool,
        may_end: bool,
    ) -> Result<(), Trouble> {
        // One slow statement leaves time for the others to be asked anew.
        let share = self.left() / 2;
        let opening = Session::begin(session, self.limits(share), self.scope);
        let opening = timeout_at(self.deadline, opening).await;
        let opening = opening.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        self.heard("snapshot", &opening, may_end)?;
        let opening = opening.map_err(|_| Trouble::Connection)?;
        let windows = Windows::at(opening.now, self.scope.timezone);
        snapshot.now = Some(opening.now);
        let unasked = self.wanted.iter().copied();
        let unasked: Vec<_> = unasked
            .filter(|collector| !snapshot.has_asked(*collector))
            .collect();
        let questions = match together && !opening.has_indexes {
            true => Question::together(&unasked, self.sharers(opening.now)),
            false => Question::apart(&unasked),
        };
        for question in questions {
            let asked = Instant::now();
            let limits = self.limits(share);
            let answer = self.ask(session, &question, limits, &opening, &windows, snapshot);
            let answer = giving_way(pool, &opening, limits, answer);
            let answer = timeout_at(self.deadline, answer).await;
            let answer = answer.unwrap_or(Err(sqlx::Error::PoolTimedOut));
            self.conclude(&question, &answer, asked.elapsed(), snapshot, may_end)?;
        }
        let unread = snapshot.unread_deferrals();
        let unread = (unread > 0).then(|| {
            format!("more than {MAX_ODD_DEFERRALS} different texts are no plain timestamps: those of {unread} rows were not read, and count as malformed")
        });
        let what = "some deferrals were not read";
        self.memory
            .complaints
            .note("deferrals", what, unread.as_ref());
        self.doubt(pool, session, &opening, self.limits(share), snapshot)
            .await?;
        self.end(session).await
    }

    /// Returns who may share a pass over the queue. To read a whole day or more takes long, and
    /// must not cost the stages their numbers.
    fn sharers(&self, now: DateTime<Utc>) -> &'static [Collector] {
        match self.memory.past.is_known(now) {
            true => &[Collector::Trend, Collector::Stages, Collector::Outlook],
            false => &[Collector::Trend, Collector::Stages],
        }
    }

    /// Takes back every number of the queue where there is reason to doubt them.
    async fn doubt<C: Connect + Session>(
        &self,
        pool: &Pool<C>,
        session: &mut C,
        opening: &Opening,
        limits: Limits,
        snapshot: &mut Snapshot,
    ) -> Result<(), Trouble> {
        let doubts = match &snapshot.stages {
            Some(rows) if has_unknown_words(rows) => None,
            Some(rows) => Some(Doubts::of_stages(rows)),
            None if !snapshot.tells_of_queue() => return Ok(()),
            None => None,
        };
        let doubts = match doubts {
            Some(doubts) => Ok(doubts),
            None => {
                let doubts = giving_way(pool, opening, limits, session.doubts(opening, limits));
                let doubts = timeout_at(self.deadline, doubts).await;
                doubts.unwrap_or(Err(sqlx::Error::PoolTimedOut))
            }
        };
        let error = doubts.as_ref().err();
        self.memory.complaints.about("doubts", error);
        let doubt = doubts.as_ref().ok();
        let doubt = doubt.and_then(|doubts| Doubt::of(doubts, opening.now));
        let what = "the numbers of the queue are left out";
        self.memory.complaints.note("queue", what, doubt.as_ref());
        if error.is_some() || doubt.is_some() {
            snapshot.refuse_queue();
        }
        match error.map(Fault::of) {
            Some(fault) if fault.is_of_session() => Err(Trouble::Connection),
            _ => Ok(()),
        }
    }

    /// Notes how a question went for each of its collectors.
    fn conclude(
        &self,
        question: &Question,
        answer: &sqlx::Result<()>,
        took: Duration,
        snapshot: &mut Snapshot,
        may_end: bool,
    ) -> Result<(), Trouble> {
        let error = answer.as_ref().err();
        let trouble = error.map(|error| Trouble::of(error, question));
        let is_of_question = matches!(trouble, Some(Trouble::Question(_)));
        if is_of_question && question.is_shared() && !error.is_some_and(may_be_begun_anew) {
            return trouble.map_or(Ok(()), Err);
        }
        let collectors = question.collectors();
        // What is lost to several collectors at once is said once.
        let said = match answer {
            Ok(()) => collectors,
            Err(_) => &collectors[collectors.len().saturating_sub(1)..],
        };
        for collector in said {
            self.heard(collector.as_str(), answer, may_end)?;
        }
        let outcomes = collectors.iter().map(|collector| Outcome {
            collector: *collector,
            success: answer.is_ok(),
            duration: Some(took),
        });
        snapshot.outcomes.extend(outcomes);
        trouble.map_or(Ok(()), Err)
    }

    /// Complains of an answer that is none, unless the question may be asked anew.
    fn heard<T>(
        &self,
        subject: &'static str,
        answer: &sqlx::Result<T>,
        may_end: bool,
    ) -> Result<(), Trouble> {
        let error = answer.as_ref().err();
        if may_end && error.is_some_and(may_be_begun_anew) {
            return Err(Trouble::Ended);
        }
        self.memory.complaints.about(subject, error);
        Ok(())
    }

    async fn ask<C: Session>(
        &self,
        session: &mut C,
        question: &Question,
        limits: Limits,
        opening: &Opening,
        windows: &Windows,
        snapshot: &mut Snapshot,
    ) -> sqlx::Result<()> {
        let scope = self.scope;
        match question.collectors() {
            [Collector::Stages] => {
                let stages = session.stages(opening, limits, windows, scope).await?;
                snapshot.odd_deferrals = odd(session, opening, limits, windows, &stages).await?;
                snapshot.stages = Some(stages);
            }
            [Collector::Trend] => {
                snapshot.trend = Some(session.trend(opening, limits, windows, scope).await?);
            }
            [Collector::Outlook] => {
                let from = self.memory.past.unknown_from(windows.now);
                let since = past::start_of(from);
                let rows = session.activity(opening, limits, windows, since).await?;
                if snapshot.stages.is_none() {
                    let odd = session.odd_deferrals(opening, limits, windows);
                    snapshot.odd_deferrals = odd.await?;
                }
                snapshot.activity = Some(self.memory.past.add(from, windows.now, rows));
            }
            [Collector::Current] => {
                snapshot.current = Some(session.current(opening, limits).await?);
            }
            [Collector::BackgroundJobs] if opening.has_background_jobs => {
                snapshot.jobs = Some(session.jobs(opening, limits, windows).await?);
            }
            // A pipeline without background jobs is a healthy one.
            [Collector::BackgroundJobs] => snapshot.jobs = Some(JobRows::default()),
            shared => {
                self.pass(session, shared, limits, opening, windows, snapshot)
                    .await?;
            }
        }
        Ok(())
    }

    /// Asks what several collectors want to know in one pass over the queue.
    async fn pass<C: Session>(
        &self,
        session: &mut C,
        shared: &[Collector],
        limits: Limits,
        opening: &Opening,
        windows: &Windows,
        snapshot: &mut Snapshot,
    ) -> sqlx::Result<()> {
        let (past, now) = (&self.memory.past, windows.now);
        let scope = match shared.contains(&Collector::Trend) {
            true => Cow::Borrowed(self.scope),
            false => Cow::Owned(self.scope.without_trend()),
        };
        let has_outlook = shared.contains(&Collector::Outlook);
        let from = has_outlook.then(|| past.unknown_from(now));
        let since = from.map(past::start_of);
        let rows = session.queue(opening, limits, windows, &scope, since);
        let rows = rows.await?;
        if shared.contains(&Collector::Trend) {
            snapshot.trend = Some(rows.iter().filter_map(QueueRow::trend).collect());
        }
        let rows = rows.into_iter().map(|row| (row.counts, row.activity));
        let (stages, activity): (Vec<_>, Vec<_>) = rows.unzip();
        snapshot.odd_deferrals = odd(session, opening, limits, windows, &stages).await?;
        snapshot.stages = Some(stages);
        snapshot.activity = from.map(|from| past.add(from, now, activity));
        Ok(())
    }

    async fn end<C: Session>(&self, session: &mut C) -> Result<(), Trouble> {
        let ended = timeout_at(self.deadline, session.end()).await;
        ended.ok().and_then(Result::ok).ok_or(Trouble::Connection)
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The server gives up before we do: a statement may take its share of the time, and some of
    /// what is left remains for the server to notice that nothing is heard of us any more.
    fn limits(&self, share: Duration) -> Limits {
        let idle = self.left() / 4;
        let statement = share.min(idle * 3);
        Limits {
            statement,
            lock: (statement / 2).min(MOST_LOCK_WAIT),
            idle,
        }
    }

    /// Adds what is known of a scrape as a whole: the collectors never asked have failed.
    fn finish(&self, mut snapshot: Snapshot) -> Snapshot {
        for collector in self.wanted.iter().copied() {
            if !snapshot.has_asked(collector) {
                snapshot.outcomes.push(Outcome {
                    collector,
                    success: false,
                    duration: None,
                });
            }
        }
        snapshot.outcomes.sort_by_key(|outcome| outcome.collector);
        if let Some(jobs) = &mut snapshot.jobs {
            self.memory.heartbeats.remember(&mut jobs.details);
        }
        snapshot.duration = self.begun.elapsed();
        snapshot
    }
}

/// Reads the deferrals that SQL could not, if there are any.
async fn odd<C: Session>(
    session: &mut C,
    opening: &Opening,
    limits: Limits,
    windows: &Windows,
    stages: &[StageRow],
) -> sqlx::Result<Vec<OddDeferral>> {
    if stages.iter().all(|row| row.deferral != deferral::ODD) {
        return Ok(Vec::new());
    }
    session.odd_deferrals(opening, limits, windows).await
}

impl Trouble {
    /// An error that the database answered is the question's; any other is the connection's.
    fn of(error: &sqlx::Error, question: &Question) -> Self {
        if Fault::of(error).is_of_session() {
            Self::Connection
        } else {
            Self::Question(question.clone())
        }
    }
}

fn may_be_begun_anew(error: &sqlx::Error) -> bool {
    Fault::of(error).may_be_begun_anew()
}
