//! What a stage did in each five minutes, and the rows that are in it now.

use std::ops::AddAssign;

use super::UnixSeconds;

/// How long a bucket is. Bucket `k` holds what happened after `300 k` and not after `300 (k + 1)`,
/// in seconds since the Unix epoch.
pub const BUCKET_SECONDS: u32 = 300;

/// How many buckets are read at most: three days.
pub const MAX_BUCKETS: usize = 864;

/// What a stage did in one bucket. Skipped rows are not among those completed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bucket {
    /// Rows created, whatever their status now.
    pub created: i64,
    /// Rows completed.
    pub completed: i64,
    /// Of those completed, the rows that had waited: started more than a minute after they were
    /// created.
    pub waited: i64,
    /// Of those completed, how long they had been worked on together, in seconds.
    pub worked_seconds: f64,
    /// Of those created, the rows that never failed, and are in the stage or were completed.
    pub clean_created: i64,
    /// Of those completed, the rows that never failed.
    pub clean_completed: i64,
}

impl AddAssign for Bucket {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.completed += other.completed;
        self.waited += other.waited;
        self.worked_seconds += other.worked_seconds;
        self.clean_created += other.clean_created;
        self.clean_completed += other.clean_completed;
    }
}

/// Rows that wait until a known instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeferredRows {
    /// When they may be started.
    pub until: UnixSeconds,
    /// How many.
    pub rows: i64,
}

/// What is known of a stage at one instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The database's clock.
    pub now: UnixSeconds,
    /// The buckets up to the one that holds `now`, oldest first, empty ones included. The last is
    /// partial, unless `now` is its end.
    pub buckets: Vec<Bucket>,
    /// Rows pending now, deferred ones included.
    pub pending: i64,
    /// Rows processing now.
    pub processing: i64,
    /// Of those pending or processing, the rows that never failed.
    pub clean: i64,
    /// Of those pending, the deferred ones, in any order.
    pub deferred: Vec<DeferredRows>,
    /// How many rows are expected of the stages before this one, as they wait there now.
    pub upstream: f64,
}
