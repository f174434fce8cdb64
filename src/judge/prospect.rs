//! What is to be expected of a stage: when what is in it is done, how sure that is, and where it
//! goes.

use crate::snapshot::{History, UnixSeconds};
use crate::windows::Clock;

use super::ahead::Ahead;
use super::course::{Course, Rows};
use super::outlook::{Outlook, outlook};
use super::pace::Pace;
use super::profile::Profile;
use super::score::{Score, score};
use super::{band, level};

/// What is to be expected of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// Where it goes.
    pub outlook: Outlook,
    /// Rows a second while there is work.
    pub pace: Option<f64>,
    /// How long until what is in it now is done, in seconds; nought if nothing is.
    pub drain: Option<f64>,
    /// The same with what is expected of the stages before this one, as if it were here now.
    pub drain_with_upstream: Option<f64>,
    /// The low end of the band around it, in seconds.
    pub drain_low: Option<f64>,
    /// The high end of the band around it, in seconds.
    pub drain_high: Option<f64>,
    /// Actual over predicted time in the last day, where enough moments can be scored.
    pub score: Option<Score>,
}

/// Judges a stage by its history, the hours of the day being those of the clock.
pub fn judge(history: &History, clock: &Clock) -> Prospect {
    let course = Course::of(history, clock);
    let pace = Pace::now(&course, history);
    let profile = Profile::until(&course, course.spans.len(), Rows::Every);
    let per_second = pace.map(|pace| pace.per_second);
    let ahead = Ahead::from(history.now, per_second, &profile, clock);
    let later = deferred(history);
    let deferred = later.iter().map(|(_, rows)| rows).sum();

    let rows = rows_in(history);
    let drain_of = |rows: f64| drain(rows, ahead.as_ref(), &later, deferred);
    let drain = drain_of(rows);
    // A fraction of a row is none.
    let upstream = if history.upstream < 1.0 {
        0.0
    } else {
        history.upstream
    };
    let score = score(&course, clock);
    let (low, high) = score.map_or((None, None), |score| (score.low, score.high));
    let margin = band::margin(&course, pace, rows);
    let times = |ratio: f64| drain.map(|drain| drain * ratio);

    let pending = history.pending as f64;
    let level = || Some(level::level(pending, &course, &profile, ahead.as_ref()?));
    Prospect {
        outlook: outlook(history, &course, deferred, per_second, level),
        pace: per_second,
        drain,
        drain_with_upstream: drain_of(rows + upstream),
        drain_low: low.and_then(|low| times(low.min(1.0 / margin))),
        drain_high: high.and_then(|high| times(high.max(margin))),
        score,
    }
}

fn rows_in(history: &History) -> f64 {
    history.pending.max(0) as f64 + history.processing.max(0) as f64
}

fn drain(
    rows: f64,
    ahead: Option<&Ahead<'_>>,
    later: &[(UnixSeconds, f64)],
    deferred: f64,
) -> Option<f64> {
    if rows <= 0.0 {
        return Some(0.0);
    }
    let drain = ahead?.time_for((rows - deferred).max(0.0), later)?;
    drain.is_finite().then_some(drain)
}

/// The deferred rows and in how many seconds they may be started, in that order.
fn deferred(history: &History) -> Vec<(f64, f64)> {
    let deferred = history.deferred.iter();
    let mut later: Vec<_> = deferred
        .map(|deferred| (deferred.until - history.now, deferred.rows.max(0) as f64))
        .filter(|(seconds, rows)| *seconds > 0.0 && *rows > 0.0)
        .collect();
    later.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
    later
}

#[cfg(test)]
mod tests {
    use super::super::fixture::prospect;
    use super::*;
    use crate::snapshot::{Bucket, DeferredRows};
    use chrono::DateTime;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    #[test]
    fn a_drain_is_rows_over_pace() {
        let found = prospect("pending 88\nprocessing 2\n24 x 10 10 10");
        assert_eq!(found.pace, Some(10.0 / 300.0));
        assert!(
            (found.drain.expect("a drain") - 2700.0).abs() < 1e-6,
            "{found:?}"
        );
    }

    #[test]
    fn an_empty_stage_is_done_and_one_that_never_worked_is_not_known() {
        assert_eq!(prospect("24 x 10 10 10").drain, Some(0.0));
        assert_eq!(prospect("").drain, Some(0.0));
        let never = prospect("pending 5\n24 x 10 0 0");
        assert_eq!(
            (never.pace, never.drain, never.drain_high),
            (None, None, None)
        );
    }

    #[test]
    fn deferred_rows_are_done_after_their_time() {
        let drain = |text: &str| prospect(text).drain.expect("a drain").round();
        assert_eq!(
            drain("pending 90\ndeferred 7200 90\n24 x 10 10 10"),
            7200.0 + 2700.0
        );
        assert_eq!(
            drain("pending 90\ndeferred 7200 10\n24 x 10 10 10"),
            7200.0 + 300.0
        );
        // What waits now takes longer than the others are deferred.
        assert_eq!(drain("pending 90\ndeferred 600 10\n24 x 10 10 10"), 2700.0);
        let in_turn = "pending 90\ndeferred 7200 45\ndeferred 600 45\n24 x 10 10 10";
        assert_eq!(drain(in_turn), 7200.0 + 1350.0);
    }

    #[test]
    fn the_band_lies_around_the_drain_where_the_day_can_be_scored() {
        let found = prospect("pending 90\n288 x 10 10 10");
        let (low, high) = (
            found.drain_low.expect("a low"),
            found.drain_high.expect("a high"),
        );
        assert!(
            low < 2700.0 && 2700.0 < high && high / low < 2.0,
            "{found:?}"
        );
        let young = prospect("pending 90\n24 x 10 10 10");
        assert_eq!(
            (young.score, young.drain_low, young.drain_high),
            (None, None, None)
        );
    }

    fn seconds() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), -1e6_f64..1e10]
    }

    fn rows() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -3_i64..100]
    }

    fn bucket() -> impl Strategy<Value = Bucket> {
        (rows(), rows(), rows(), rows(), rows(), seconds()).prop_map(|numbers| Bucket {
            created: numbers.0,
            completed: numbers.1,
            waited: numbers.2,
            clean_created: numbers.3,
            clean_completed: numbers.4,
            worked_seconds: numbers.5,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn whatever_is_in_a_table_is_judged(
            now in seconds(), buckets in prop::collection::vec(bucket(), 0..900),
            live in (rows(), rows(), rows()), upstream in seconds(), deferred in prop::collection::vec((seconds(), rows()), 0..5),
        ) {
            let deferred = deferred.into_iter().map(|(until, rows)| DeferredRows { until, rows });
            let history = History {
                now, buckets, pending: live.0, processing: live.1, clean: live.2,
                deferred: deferred.collect(), upstream,
            };
            let clock = Clock::at(DateTime::UNIX_EPOCH, Tz::UTC);
            let found = judge(&history, &clock);
            for number in [found.pace, found.drain, found.drain_with_upstream, found.drain_low, found.drain_high] {
                prop_assert!(number.is_none_or(|number| number >= 0.0), "{:?}", found);
            }
            prop_assert_eq!(found.outlook == Outlook::Empty, history.pending <= 0);
        }
    }
}
