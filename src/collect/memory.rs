//! What is kept from one scrape to the next.

use super::complaints::Complaints;
use super::heartbeats::Heartbeats;

/// What is kept from one scrape to the next; a reload begins with nothing.
#[derive(Debug, Default)]
pub struct Memory {
    /// What has been complained of.
    pub complaints: Complaints,
    /// How far the jobs that run were.
    pub heartbeats: Heartbeats,
}
