//! What is kept from one scrape to the next.

use super::complaints::Complaints;

/// What is kept from one scrape to the next; a reload begins with nothing.
#[derive(Debug, Default)]
pub struct Memory {
    /// What has been complained of.
    pub complaints: Complaints,
}
