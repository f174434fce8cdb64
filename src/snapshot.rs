//! What one scrape read: plain rows, one struct per question, and how each question went.
//!
//! An instant in a row is seconds since the Unix epoch, so that a year 1 or an infinite
//! timestamp in somebody's database is a number and never an overflow.

mod activity;
mod beat;
mod bucket;
mod collector;
mod excerpt;
mod failed;
mod id;
mod job;
mod row_status;
mod selection;
mod statuses;
mod text;

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use activity::{Activity, ActivityRow, Buckets, bucket_of};
pub use beat::Beat;
pub use bucket::{BUCKET_SECONDS, Bucket, DeferredRows, History, MAX_BUCKETS};
pub use collector::Collector;
pub use excerpt::{Excerpt, MAX_JOB_ERROR, MAX_NAME};
pub use failed::{FailedQuestion, FailedRow, FailedRows, MAX_COUNT, Position, Total};
pub use id::Id;
pub use job::{JobCountRow, JobRow, JobRows};
pub use row_status::RowStatus;
pub use selection::Selection;
pub use statuses::Statuses;
pub use text::Text;

/// Seconds since the Unix epoch.
pub type UnixSeconds = f64;

/// Under which name those are summed that are too many to be kept apart.
pub const OTHER: &str = "_other";

/// What the database is asked about by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Scope {
    /// The zone whose midnight and hours the windows follow.
    pub timezone: Tz,
    /// Stages whose completions are split by the document's model.
    pub pool_stages: Vec<String>,
    /// The models that are told apart; all others are one.
    pub models: Vec<String>,
    /// Stages with a trend.
    pub trend_stages: Vec<String>,
    /// The words of each status.
    pub statuses: Statuses,
    /// The zone of timestamps that have none, if one is said; UTC otherwise.
    pub naive_timestamps: Option<Tz>,
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

/// All that one scrape read, from one consistent view of the database.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The database's clock; absent when no snapshot was got.
    pub now: Option<DateTime<Utc>>,
    /// Answer of [`Collector::Stages`].
    pub stages: Option<Vec<StageRow>>,
    /// Deferrals that SQL could not read, of [`Collector::Stages`].
    pub odd_deferrals: Vec<OddDeferral>,
    /// Rows whose status is none of the four, where the stages could not be counted for them.
    pub unknown_status: Vec<UnknownStatusRow>,
    /// Answer of [`Collector::Outlook`].
    pub activity: Option<Activity>,
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
    /// Takes back every number of the queue, but how many statuses are unknown.
    pub fn refuse_queue(&mut self) {
        for outcome in &mut self.outcomes {
            outcome.success &= !outcome.collector.reads_queue();
        }
        let stages = self.stages.take().unwrap_or_default();
        self.unknown_status = stages.iter().map(UnknownStatusRow::of).collect();
        (self.activity, self.trend, self.current) = (None, None, None);
    }

    /// Whether it holds any number of the queue.
    pub fn tells_of_queue(&self) -> bool {
        let others = self.trend.is_some() || self.current.is_some();
        self.stages.is_some() || self.activity.is_some() || others
    }

    /// Returns how many pending rows have a `deferred_until` that nobody looked at: those beyond
    /// [`MAX_ODD_DEFERRALS`].
    pub fn unread_deferrals(&self) -> i64 {
        let stages = self.stages.iter().flatten();
        let odd = stages.filter(|row| row.deferral == deferral::ODD);
        let read = self.odd_deferrals.iter().map(|odd| odd.count);
        odd.map(|row| row.pending).sum::<i64>() - read.sum::<i64>()
    }

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
/// (stage, model, deferral).
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct StageRow {
    /// The stage.
    pub stage: Option<Text>,
    /// The document's model, for completions of pool stages by a model that is told apart.
    pub model: Option<Text>,
    /// Whether the pending rows are deferred: one of the numbers of [`deferral`].
    pub deferral: i64,
    /// Rows pending now.
    pub pending: i64,
    /// Rows processing now.
    pub processing: i64,
    /// Rows failed now.
    pub failed: i64,
    /// Rows whose status is none of the four.
    pub unknown_status: i64,
    /// Rows completed in 15 minutes.
    pub completed_15m: i64,
    /// Rows completed in an hour.
    pub completed_1h: i64,
    /// Rows completed since local midnight.
    pub completed_today: i64,
    /// Rows skipped in 15 minutes; they are among those completed.
    pub skipped_15m: i64,
    /// Rows skipped in an hour.
    pub skipped_1h: i64,
    /// Rows skipped since local midnight.
    pub skipped_today: i64,
    /// Rows created in an hour.
    pub created_1h: i64,
    /// Least `created_at` of the pending rows.
    pub oldest_pending: Option<UnixSeconds>,
    /// Least `started_at` of the processing rows.
    pub oldest_processing: Option<UnixSeconds>,
    /// Microseconds that each row completed in an hour had waited, with commas between them.
    pub waits: Option<Text>,
    /// Microseconds that each of them was worked on, with commas between them.
    pub works: Option<Text>,
    /// The latest timestamp without a zone, where its zone is not said.
    pub latest_naive: Option<UnixSeconds>,
    /// Timestamps that cannot be read.
    pub unreadable: i64,
}

/// How a pending row's `deferred_until` was read in SQL.
pub mod deferral {
    /// It has none, or one that is past.
    pub const NONE: i64 = 0;
    /// It lies in the future.
    pub const FUTURE: i64 = 1;
    /// It is read apart: an [`OddDeferral`](super::OddDeferral), or no timestamp.
    pub const ODD: i64 = 2;

    /// A row deferred for longer counts as deferred for so long: nothing is foretold beyond.
    pub const MAX_AHEAD_DAYS: u32 = 7;
}

/// How many deferrals that SQL cannot read are read apart; more are taken to be no timestamps.
pub const MAX_ODD_DEFERRALS: usize = 1000;

/// Pending rows of a stage with the same `deferred_until`, which SQL could not read; the key is
/// (stage, document).
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OddDeferral {
    /// The stage.
    pub stage: Option<Text>,
    /// A JSON object that holds it, cut where no such object is so long.
    pub document: Option<Text>,
    /// How many rows.
    pub count: i64,
}

/// How many rows of a stage have a status that is none of the four; the key is the stage.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UnknownStatusRow {
    /// The stage.
    pub stage: Option<Text>,
    /// How many rows.
    pub count: i64,
}

impl UnknownStatusRow {
    /// Returns what a stage's counts tell of it.
    pub fn of(row: &StageRow) -> Self {
        Self {
            stage: row.stage.clone(),
            count: row.unknown_status,
        }
    }
}

/// What makes every number of the queue doubtful.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    /// Statuses of rows that are none of the four, where no row is completed.
    pub statuses: Vec<Text>,
    /// The latest timestamp without a zone, where its zone is not said.
    pub latest_naive: Option<UnixSeconds>,
    /// Timestamps that cannot be read.
    pub unreadable: i64,
}

impl Doubts {
    /// Returns how far the latest timestamp without a zone lies ahead of an instant, in seconds.
    pub fn ahead(&self, now: DateTime<Utc>) -> Option<f64> {
        let now = now.timestamp() as UnixSeconds;
        self.latest_naive.map(|latest| latest - now)
    }
}

/// Rows of a stage that were created in one hour and completed in another; the key is all but
/// the count. An hour is its place in the trend, 1 being the oldest; other places lie outside.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TrendRow {
    /// The stage.
    pub stage: Text,
    /// The hour in which they were created.
    pub created_hour: Option<i64>,
    /// The hour in which they were completed.
    pub completed_hour: Option<i64>,
    /// How many.
    pub count: i64,
}

/// What one pass over the queue tells of all three: counts of a stage, under which hours of its
/// trend they fall, if it has one, and under which buckets, if these are asked for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct QueueRow {
    /// The counts.
    #[sqlx(flatten)]
    pub counts: StageRow,
    /// What the rows did.
    #[sqlx(flatten)]
    pub activity: ActivityRow,
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

/// A row processing now, one of the two latest of its stage; the key is the id.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CurrentRow {
    /// The queue row's id.
    pub id: Id,
    /// The stage.
    pub stage: Option<Text>,
    /// The document's id.
    pub document_id: Option<Id>,
    /// The document's title.
    pub title: Option<Text>,
    /// The name it was uploaded under.
    pub original_filename: Option<Text>,
    /// Where it lies.
    pub file_path: Option<Text>,
    /// When it was started.
    pub started_at: Option<UnixSeconds>,
}
