//! What one scrape read: plain rows, one struct per question, and how each question went.
//!
//! An instant in a row is seconds since the Unix epoch, so that a year 1 or an infinite
//! timestamp in somebody's database is a number and never an overflow.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Seconds since the Unix epoch.
pub type UnixSeconds = f64;

/// What the database is asked about by name.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The zone whose midnight and hours the windows follow.
    pub timezone: Tz,
    /// Stages whose completions are split by the document's model.
    pub pool_stages: Vec<String>,
    /// The models that are told apart; all others are one.
    pub models: Vec<String>,
    /// Stages with a trend.
    pub trend_stages: Vec<String>,
}

impl Scope {
    /// Returns it with no stage that has a trend.
    pub fn without_trend(&self) -> Self {
        Self {
            trend_stages: Vec::new(),
            ..self.clone()
        }
    }
}

/// A question that can be switched off, and can fail by itself.
///
/// The order is the one in which they are asked: a failure begins the snapshot anew without the
/// one that failed, so the cheap ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collector {
    /// Background jobs.
    BackgroundJobs,
    /// What each machine works on now.
    Current,
    /// Created and completed rows by hour.
    Trend,
    /// Stage, pool and machine numbers.
    Stages,
}

impl Collector {
    /// Every collector.
    pub const ALL: [Self; 4] = [
        Self::BackgroundJobs,
        Self::Current,
        Self::Trend,
        Self::Stages,
    ];

    /// Returns the name used in flags, labels and `collect[]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackgroundJobs => "background_jobs",
            Self::Current => "current",
            Self::Trend => "trend",
            Self::Stages => "stages",
        }
    }

    /// Returns the collector of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|collector| collector.as_str() == name)
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All that one scrape read, from one consistent view of the database.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The database's clock; absent when no snapshot was got.
    pub now: Option<DateTime<Utc>>,
    /// Answer of [`Collector::Stages`].
    pub stages: Option<Vec<StageRow>>,
    /// Answer of [`Collector::Trend`].
    pub trend: Option<Vec<TrendRow>>,
    /// Answer of [`Collector::BackgroundJobs`].
    pub jobs: Option<JobRows>,
    /// Answer of [`Collector::Current`].
    pub current: Option<Vec<CurrentRow>>,
    /// How each question went, in the order asked.
    pub outcomes: Vec<Outcome>,
    /// How long the whole collection took.
    pub duration: Duration,
}

impl Snapshot {
    /// Whether it is known how the collector's question went.
    pub fn has_asked(&self, collector: Collector) -> bool {
        let mut asked = self.outcomes.iter().map(|outcome| outcome.collector);
        asked.any(|asked| asked == collector)
    }
}

/// How one collector's question went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The collector.
    pub collector: Collector,
    /// Whether its rows are in the snapshot.
    pub success: bool,
    /// How long it took; absent when it was not asked.
    pub duration: Option<Duration>,
}

/// Counts of one stage, by the model that did its pool completions and by deferral; the key is
/// (stage, model, `deferred_until`).
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StageRow {
    /// The stage.
    pub stage: Option<String>,
    /// The document's model, for completions of pool stages by a model that is told apart.
    pub model: Option<String>,
    /// The text of `payload.deferred_until`, for pending rows that have one.
    pub deferred_until: Option<String>,
    /// Rows pending now.
    pub pending: i64,
    /// Rows processing now.
    pub processing: i64,
    /// Rows failed now.
    pub failed: i64,
    /// Rows completed in 15 minutes.
    pub completed_15m: i64,
    /// Rows completed in an hour.
    pub completed_1h: i64,
    /// Rows completed since local midnight.
    pub completed_today: i64,
    /// Rows created in an hour.
    pub created_1h: i64,
    /// Least `created_at` of the pending rows.
    pub oldest_pending: Option<UnixSeconds>,
    /// Least `started_at` of the processing rows.
    pub oldest_processing: Option<UnixSeconds>,
}

/// Rows of a stage that were created in one hour and completed in another; the key is all but
/// the count. An hour is its place in the trend, 1 being the oldest; other places lie outside.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TrendRow {
    /// The stage.
    pub stage: String,
    /// The hour in which they were created.
    pub created_hour: Option<i64>,
    /// The hour in which they were completed.
    pub completed_hour: Option<i64>,
    /// How many.
    pub count: i64,
}

/// What one pass over the queue tells of both: counts of a stage, and under which hours of its
/// trend they fall, if it has one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QueueRow {
    /// The counts.
    #[sqlx(flatten)]
    pub counts: StageRow,
    /// The hour in which the rows were created.
    pub created_hour: Option<i64>,
    /// The hour in which they were completed.
    pub completed_hour: Option<i64>,
    /// How many.
    pub count: i64,
}

impl QueueRow {
    /// Returns what the row tells of its stage's trend, if it has one.
    pub fn trend(&self) -> Option<TrendRow> {
        self.created_hour.or(self.completed_hour)?;
        Some(TrendRow {
            stage: self.counts.stage.clone()?,
            created_hour: self.created_hour,
            completed_hour: self.completed_hour,
            count: self.count,
        })
    }
}

/// Background jobs: some in detail, all of them counted.
#[derive(Debug, Clone, Default)]
pub struct JobRows {
    /// At most twenty: running first, then latest started.
    pub details: Vec<JobRow>,
    /// How many of each kind and state.
    pub counts: Vec<JobCountRow>,
}

/// One background job; the key is the id.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JobRow {
    /// Its id, whatever its type, as text.
    pub id: String,
    /// Its kind.
    pub kind: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// `running`, or how it ended.
    pub state: Option<String>,
    /// Items done.
    pub processed: Option<i64>,
    /// Items in all, when known.
    pub total: Option<i64>,
    /// When it started.
    pub started_at: Option<UnixSeconds>,
    /// Its last heartbeat.
    pub updated_at: Option<UnixSeconds>,
    /// When it ended.
    pub finished_at: Option<UnixSeconds>,
    /// Why it failed.
    pub error: Option<String>,
}

/// How many background jobs there are of a kind in a state; the key is (kind, state).
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JobCountRow {
    /// The kind.
    pub kind: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// How many.
    pub jobs: i64,
}

/// A row processing now, one of the two latest of its stage; the key is the id.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CurrentRow {
    /// The queue row's id.
    pub id: i64,
    /// The stage.
    pub stage: Option<String>,
    /// The document's id.
    pub document_id: i64,
    /// The document's title.
    pub title: Option<String>,
    /// The name it was uploaded under.
    pub original_filename: Option<String>,
    /// Where it lies.
    pub file_path: Option<String>,
    /// When it was started.
    pub started_at: Option<UnixSeconds>,
}

/// Which failed rows are asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FailedQuestion {
    /// Only rows of these stages; of any stage when absent.
    pub only: Option<Vec<String>>,
    /// No rows of these stages.
    pub except: Vec<String>,
    /// How many rows at most.
    pub limit: i64,
    /// Only rows that stand after this one.
    pub after: Option<Position>,
}

/// A failed row's place in their order: by stage, latest failed first, highest id first.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The stage.
    pub stage: String,
    /// When it failed; rows that do not tell stand last.
    pub failed_at: Option<UnixSeconds>,
    /// The queue row's id.
    pub id: i64,
}

/// Failed rows in their order, and how many there are on all pages.
#[derive(Debug, Clone, Default)]
pub struct FailedRows {
    /// The database's clock.
    pub now: UnixSeconds,
    /// The rows asked for.
    pub rows: Vec<FailedRow>,
    /// How many rows would be read without a limit.
    pub total: i64,
}

/// A failed row; the key is the id.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct FailedRow {
    /// The queue row's id.
    pub id: i64,
    /// The stage.
    pub stage: String,
    /// The document's id.
    pub document_id: i64,
    /// The document's title.
    pub title: Option<String>,
    /// The name it was uploaded under.
    pub original_filename: Option<String>,
    /// Where it lies.
    pub file_path: Option<String>,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// How often it is tried at most.
    pub max_attempts: Option<i64>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// When it failed.
    pub failed_at: Option<UnixSeconds>,
}

impl FailedRow {
    /// Returns the row's place in the order.
    pub fn position(&self) -> Position {
        Position {
            stage: self.stage.clone(),
            failed_at: self.failed_at,
            id: self.id,
        }
    }
}
