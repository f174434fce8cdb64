//! How fast a stage works while there is work.

use crate::snapshot::History;

use super::course::{Course, DAY_BUCKETS, Rows, Saturated};

/// The pace is taken over saturated time with so many completions ...
const ENOUGH_COMPLETIONS: f64 = 100.0;

/// ... and of such a length: a quarter of an hour.
const ENOUGH_SECONDS: f64 = 900.0;

/// Fewer completions are no pace.
const MIN_COMPLETIONS: f64 = 5.0;

/// How many of the latest completions tell how long one row takes.
const LITTLE_COMPLETIONS: f64 = 50.0;

/// The last hour, in buckets.
const HOUR_BUCKETS: usize = 12;

/// Rows a second while there is work, and how many completions say so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    pub(super) per_second: f64,
    pub(super) completions: f64,
}

impl Pace {
    /// Returns the pace of the latest saturated time of the first `end` buckets.
    pub(super) fn saturated(course: &Course, end: usize, rows: Rows) -> Option<Self> {
        let day = &course.saturated[end.saturating_sub(DAY_BUCKETS)..=end];
        let since = |start: &Saturated| {
            let completions = day[day.len() - 1].completed(rows) - start.completed(rows);
            (completions, day[day.len() - 1].seconds - start.seconds)
        };
        let is_enough = |start: &Saturated| {
            let (completions, seconds) = since(start);
            completions >= ENOUGH_COMPLETIONS && seconds >= ENOUGH_SECONDS
        };
        let latest = day.partition_point(is_enough).saturating_sub(1);
        let (completions, seconds) = since(&day[latest]);
        let known = completions >= MIN_COMPLETIONS && seconds > 0.0;
        known.then(|| Self {
            per_second: completions / seconds,
            completions,
        })
    }

    /// Returns the pace now: without saturated time by Little's law, else that of the last hour.
    pub(super) fn now(course: &Course, history: &History) -> Option<Self> {
        Self::saturated(course, course.spans.len(), Rows::Every)
            .or_else(|| little(course, history.processing))
            .or_else(|| last_hour(course))
    }
}

/// The rows in hand over the time that one takes.
fn little(course: &Course, processing: i64) -> Option<Pace> {
    let (mut completions, mut worked) = (0.0, 0.0);
    for span in course.spans.iter().rev().take(DAY_BUCKETS) {
        completions += span.completed;
        worked += span.worked;
        if completions >= LITTLE_COMPLETIONS {
            break;
        }
    }
    let per_second = processing.max(0) as f64 * completions / worked;
    positive(per_second, completions)
}

fn last_hour(course: &Course) -> Option<Pace> {
    let hour = course.spans.iter().rev().take(HOUR_BUCKETS);
    let (completions, seconds) = hour.fold((0.0, 0.0), |(completions, seconds), span| {
        (completions + span.completed, seconds + span.seconds)
    });
    positive(completions / seconds, completions)
}

fn positive(per_second: f64, completions: f64) -> Option<Pace> {
    let known = per_second > 0.0 && per_second.is_finite();
    known.then_some(Pace {
        per_second,
        completions,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{clock, history};
    use super::*;

    /// Rows an hour.
    fn pace(text: &str) -> Option<f64> {
        let history = history(text);
        let course = Course::of(&history, &clock(&history));
        let pace = Pace::now(&course, &history);
        pace.map(|pace| (pace.per_second * 3600.0).round())
    }

    #[test]
    fn the_latest_hundred_completions_and_quarter_of_an_hour_count() {
        assert_eq!(pace("20 x 0 1 1\n10 x 0 10 10"), Some(120.0));
        assert_eq!(pace("20 x 0 10 10\n1 x 0 400 400"), Some(1680.0));
        assert_eq!(
            pace("20 x 0 1 1\n5 x 0 10 10"),
            Some((70.0_f64 / 25.0 * 12.0).round())
        );
    }

    #[test]
    fn time_without_work_and_time_of_a_standstill_do_not_count() {
        assert_eq!(pace("20 x 0 10 10\n100 x 1 1 0\n1 x 0 0 0"), Some(120.0));
        assert_eq!(pace("pending 9\n20 x 0 10 10\n10 x 0 0 0"), Some(120.0));
        // Longer than a day ago is too long ago.
        assert_eq!(pace("20 x 0 10 10\n288 x 0 0 0"), None);
    }

    #[test]
    fn without_saturated_time_the_rows_in_hand_tell() {
        assert_eq!(pace("processing 3\n20 x 5 5 0"), Some(180.0));
        assert_eq!(pace("20 x 5 5 0"), Some(60.0));
        assert_eq!(pace("20 x 5 0 0"), None);
        assert_eq!(pace(""), None);
    }
}
