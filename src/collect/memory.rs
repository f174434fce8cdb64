//! What is kept from one scrape to the next.

use super::complaints::Complaints;
use super::heartbeats::Heartbeats;
use super::past::Past;

/// What is kept from one scrape to the next; a reload begins with nothing.
#[derive(Debug, Default)]
pub struct Memory {
    /// What has been complained of.
    pub complaints: Complaints,
    /// What the queue did.
    pub(super) past: Past,
    /// How far the jobs that run were.
    pub heartbeats: Heartbeats,
}
