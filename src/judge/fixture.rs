//! Histories as a few lines of text, for the tests of what is expected of a stage.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::snapshot::{Bucket, DeferredRows, History};
use crate::windows::Clock;

use super::prospect::{self, Prospect};

/// Ten in the morning of a day in UTC.
const NOW: f64 = 1_800_007_200.0;

/// Reads `pending 5`, `processing 5`, `deferred SECONDS ROWS` and, oldest first, `TIMES x CREATED
/// COMPLETED WAITED`: so many equal buckets, whose rows were each worked on for a minute. No row
/// ever failed.
pub(super) fn history(text: &str) -> History {
    let mut history = History {
        now: NOW,
        ..History::default()
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |place: usize| words[place].parse::<i64>().expect("a number");
        match words[0] {
            "pending" => history.pending = number(1),
            "processing" => history.processing = number(1),
            "deferred" => history.deferred.push(DeferredRows {
                until: NOW + number(1) as f64,
                rows: number(2),
            }),
            _ => {
                let bucket = Bucket {
                    created: number(2),
                    completed: number(3),
                    waited: number(4),
                    worked_seconds: number(3) as f64 * 60.0,
                    clean_created: number(2),
                    clean_completed: number(3),
                };
                history.buckets.extend(vec![bucket; number(0) as usize]);
            }
        }
    }
    history.clean = history.pending + history.processing;
    history
}

/// Returns the clock of a history, in UTC.
pub(super) fn clock(history: &History) -> Clock {
    let now = DateTime::from_timestamp(history.now as i64, 0);
    Clock::at(now.expect("an instant"), Tz::UTC)
}

/// Returns what is expected of a stage with a history.
pub(super) fn prospect(text: &str) -> Prospect {
    let history = history(text);
    prospect::judge(&history, &clock(&history))
}
