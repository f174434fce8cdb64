//! What can be switched off, and can fail by itself.

use std::fmt;

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
    /// What each stage did in every five minutes.
    Outlook,
    /// Why rows failed, of all of them; asked by itself, since that may take long.
    Causes,
}

impl Collector {
    /// Every collector.
    pub const ALL: [Self; 6] = [
        Self::BackgroundJobs,
        Self::Current,
        Self::Trend,
        Self::Stages,
        Self::Outlook,
        Self::Causes,
    ];

    /// Returns the name used in flags, labels and `collect[]`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackgroundJobs => "background_jobs",
            Self::Causes => "causes",
            Self::Current => "current",
            Self::Outlook => "outlook",
            Self::Trend => "trend",
            Self::Stages => "stages",
        }
    }

    /// Returns whether its numbers are those of the queue.
    pub fn reads_queue(self) -> bool {
        self != Self::BackgroundJobs
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
