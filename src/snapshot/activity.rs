//! What the rows of each stage did in the latest buckets, and the rows that are in it now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BUCKET_SECONDS, Bucket, Text, UnixSeconds};

/// Rows of a stage that were created in one bucket, completed in another, and are deferred to one
/// time; the key is (stage, created bucket, completed bucket, until).
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct ActivityRow {
    /// The stage.
    pub stage: Option<Text>,
    /// The number of the bucket in which they were created, if it was asked about.
    pub created_bucket: Option<i64>,
    /// The number of the bucket in which they were completed, if it was asked about.
    pub completed_bucket: Option<i64>,
    /// Until when they wait, rounded up to five minutes, if that is known and still to come.
    pub until: Option<UnixSeconds>,
    /// How many.
    pub count: i64,
    /// Of those created, the rows that never failed, and are in the stage or were completed.
    pub clean_created: i64,
    /// Rows completed, but not those skipped.
    pub completed: i64,
    /// Of those, the rows that had waited.
    pub waited: i64,
    /// How long they had been worked on together, in seconds.
    pub worked_seconds: f64,
    /// Of those completed, the rows that never failed.
    pub clean_completed: i64,
    /// Rows pending now.
    pub pending: i64,
    /// Rows processing now.
    pub processing: i64,
    /// Of those pending or processing, the rows that never failed.
    pub clean: i64,
}

/// The buckets of each stage by their numbers; one in which nothing happened may be missing.
pub type Buckets = BTreeMap<Option<Text>, BTreeMap<i64, Bucket>>;

/// What is known of all stages at one instant.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// The number of the first bucket that is known.
    pub first: i64,
    /// What each stage did since then.
    pub buckets: Arc<Buckets>,
    /// The rows that are in each stage now; nothing else of these is of account.
    pub inside: Vec<ActivityRow>,
}

impl ActivityRow {
    /// Returns whether any of the rows is pending or processing.
    pub fn is_inside(&self) -> bool {
        self.pending != 0 || self.processing != 0
    }

    /// Returns the buckets in which something happened, and what.
    pub fn buckets(&self) -> impl Iterator<Item = (i64, Bucket)> {
        let created = self.created_bucket.map(|number| {
            let bucket = Bucket {
                created: self.count,
                clean_created: self.clean_created,
                ..Bucket::default()
            };
            (number, bucket)
        });
        let completed = self.completed_bucket.map(|number| {
            let bucket = Bucket {
                completed: self.completed,
                waited: self.waited,
                worked_seconds: self.worked_seconds,
                clean_completed: self.clean_completed,
                ..Bucket::default()
            };
            (number, bucket)
        });
        created.into_iter().chain(completed)
    }
}

/// Returns the number of the bucket that holds an instant: one between two is the end of the first.
pub fn bucket_of(instant: UnixSeconds) -> i64 {
    ((instant / f64::from(BUCKET_SECONDS)).ceil() as i64).saturating_sub(1)
}
