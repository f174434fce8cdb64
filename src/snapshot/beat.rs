//! How far a job was at a heartbeat.

use super::{JobRow, UnixSeconds};

/// How far a job was at a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// When it was sent.
    pub at: UnixSeconds,
    /// Items done by then.
    pub processed: i64,
}

impl Beat {
    /// Returns the last heartbeat of a job, if it tells when it was and how far the job is.
    pub fn last_of(job: &JobRow) -> Option<Self> {
        Some(Self {
            at: job.updated_at.filter(|at| at.is_finite())?,
            processed: job.processed?,
        })
    }
}
