//! What makes every number of the queue doubtful: rather none of them is told.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::snapshot::{Doubts, StageRow};

/// How far into the future a timestamp may lie: clocks differ, but no zone by so little.
pub const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);

/// Why the numbers of the queue are not told.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Doubt {
    /// Nothing is completed, and there are rows by words that are no status.
    #[error(
        "no row of processing_queue is completed, and the status of some is {0}: say in `statuses:` \
         of --config.file which of the four each word means"
    )]
    Statuses(String),
    /// Timestamps without a zone lie in the future.
    #[error(
        "the latest timestamp without a zone lies {0:.1} h in the future when it is taken for UTC: \
         say its zone in --config.file, such as `queue: {{naive_timestamps: Asia/Seoul}}`"
    )]
    Zone(f64),
    /// There are timestamps that cannot be read.
    #[error(
        "{0} timestamps of processing_queue cannot be read: `check` names some; write them as RFC \
         3339, or as Unix seconds"
    )]
    Timestamps(i64),
}

impl Doubt {
    /// Judges what was found at an instant.
    pub fn of(doubts: &Doubts, now: DateTime<Utc>) -> Option<Self> {
        let words = doubts.statuses.iter().map(|word| format!("{:?}", &**word));
        let words = words.collect::<Vec<_>>().join(", ");
        match doubts
            .ahead(now)
            .filter(|ahead| *ahead > MAX_AHEAD.as_secs_f64())
        {
            _ if !words.is_empty() => Some(Self::Statuses(words)),
            Some(ahead) => Some(Self::Zone(ahead / 3600.0)),
            None => (doubts.unreadable > 0).then_some(Self::Timestamps(doubts.unreadable)),
        }
    }
}

impl Doubts {
    /// Sums up the rows of all stages, which tell everything but the words of statuses.
    pub(super) fn of_stages(rows: &[StageRow]) -> Self {
        let latest = rows.iter().filter_map(|row| row.latest_naive);
        Self {
            statuses: Vec::new(),
            latest_naive: latest.max_by(f64::total_cmp),
            unreadable: rows.iter().map(|row| row.unreadable).sum(),
        }
    }
}

/// Returns whether the words of statuses must be looked at: some are unknown, and no row was
/// completed lately by one that is known.
pub(super) fn has_unknown_words(rows: &[StageRow]) -> bool {
    let unknown: i64 = rows.iter().map(|row| row.unknown_status).sum();
    let completed = |row: &StageRow| row.completed_today.max(row.completed_1h);
    unknown > 0 && rows.iter().map(completed).sum::<i64>() == 0
}
