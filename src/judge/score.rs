//! How far to trust a drain: what it would have said at past moments, and what came.

use crate::windows::Clock;

use super::ahead::Ahead;
use super::course::{Course, DAY_BUCKETS, Rows};
use super::pace::Pace;
use super::profile::{PROFILE_BUCKETS, Profile};

/// A moment is scored at the end of every third bucket ...
const EVERY: i64 = 3;

/// ... of the last day, if so many rows were in the stage.
const MIN_ROWS: f64 = 10.0;

/// Fewer moments say nothing.
const MIN_MOMENTS: usize = 12;

/// Quantiles of actual over predicted time, each absent where too many predictions are overdue to
/// know it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// The 0.1 quantile.
    pub low: Option<f64>,
    /// The median.
    pub median: Option<f64>,
    /// The 0.9 quantile.
    pub high: Option<f64>,
}

/// A prediction that was made, or would have been.
#[derive(Debug, Clone, Copy)]
struct Tried {
    /// Actual over predicted time; of a prediction that is overdue, no less than this.
    ratio: f64,
    overdue: bool,
}

/// Scores the last day; nothing where too few moments can be scored.
pub(super) fn score(course: &Course, clock: &Clock) -> Option<Score> {
    let mut tried = tried(course, clock);
    if tried.len() < MIN_MOMENTS {
        return None;
    }
    tried.sort_unstable_by(|one, other| {
        let ratios = one.ratio.total_cmp(&other.ratio);
        ratios.then(one.overdue.cmp(&other.overdue))
    });
    Some(Score {
        low: quantile(&tried, 0.1),
        median: quantile(&tried, 0.5),
        high: quantile(&tried, 0.9),
    })
}

/// Every moment of the last day that can be scored.
fn tried(course: &Course, clock: &Clock) -> Vec<Tried> {
    let last = course.spans.len();
    let first = last.saturating_sub(DAY_BUCKETS).max(1).min(last);
    let done = done_by_bucket(course);
    let mut profile = Profile::until(course, first, Rows::Clean);
    let mut tried = Vec::with_capacity(DAY_BUCKETS / EVERY as usize);
    for end in first..last {
        if is_scored(course, end) {
            tried.extend(try_at(course, end, &profile, &done, clock));
        }
        profile.add(&course.spans[end], Rows::Clean);
        if let Some(oldest) = end.checked_sub(PROFILE_BUCKETS) {
            profile.remove(&course.spans[oldest], Rows::Clean);
        }
    }
    tried
}

/// Which moments are scored depends on the grid and not on now, so that a score is steady.
fn is_scored(course: &Course, end: usize) -> bool {
    let number = course
        .number_of_last
        .wrapping_sub((course.spans.len() - end) as i64);
    number.rem_euclid(EVERY) == 0 && course.spans[end - 1].inside >= MIN_ROWS
}

/// How many rows that never failed had been completed at the end of each bucket.
fn done_by_bucket(course: &Course) -> Vec<f64> {
    let spans = course.spans.iter();
    spans
        .scan(0.0, |done, span| {
            *done += span.clean_completed;
            Some(*done)
        })
        .collect()
}

/// Predicts from what was known after the first `end` buckets, and looks what came: when as many
/// more rows had been completed as were in the stage.
fn try_at(
    course: &Course,
    end: usize,
    profile: &Profile,
    done: &[f64],
    clock: &Clock,
) -> Option<Tried> {
    let since = course.end(end - 1);
    let rows = course.spans[end - 1].inside;
    let pace = Pace::saturated(course, end, Rows::Clean)?;
    let ahead = Ahead::from(since, Some(pace.per_second), profile, clock)?;
    let predicted = ahead.time_for(rows, &[])?;
    let target = done[end - 1] + rows;
    let place = end + done[end..].partition_point(|done| *done < target);
    let (actual, overdue) = match course.spans.get(place) {
        Some(span) => {
            let too_many = (done[place] - target) / span.clean_completed;
            (course.end(place) - span.seconds * too_many - since, false)
        }
        None => (course.now - since, true),
    };
    let ratio = actual / predicted;
    // What has not had its time says nothing; a clock that nobody can believe neither.
    let known = ratio.is_finite() && ratio > if overdue { 1.0 } else { 0.0 };
    known.then_some(Tried { ratio, overdue })
}

/// The Kaplan-Meier quantile of ratios in ascending order.
fn quantile(tried: &[Tried], quantile: f64) -> Option<f64> {
    let mut above = 1.0;
    for (place, one) in tried.iter().enumerate() {
        if one.overdue {
            continue;
        }
        above *= 1.0 - 1.0 / (tried.len() - place) as f64;
        if 1.0 - above >= quantile - 1e-12 {
            return Some(one.ratio);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::fixture::prospect;
    use super::*;

    fn score_of(text: &str) -> Option<Score> {
        prospect(text).score
    }

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found / expected - 1.0).abs() < 0.02)
    }

    #[test]
    fn an_even_pace_comes_as_predicted() {
        let score = score_of("pending 50\n288 x 10 10 10").expect("a score");
        for ratio in [score.low, score.median, score.high] {
            assert!(near(ratio, 1.0), "{score:?}");
        }
    }

    #[test]
    fn a_pace_that_halves_makes_predictions_too_short() {
        let halves = "pending 3000\n150 x 20 20 20\n100 x 10 10 10";
        let score = score_of(halves).expect("a score");
        assert!(score.median.is_some_and(|median| median > 1.2), "{score:?}");
    }

    #[test]
    fn overdue_predictions_are_not_forgotten() {
        // All rows wait since half a day for a machine that has stopped.
        let stopped = "pending 100\n100 x 10 10 10\n188 x 0 0 0";
        let score = score_of(stopped).expect("a score");
        assert_eq!((score.median, score.high), (None, None));
    }

    #[test]
    fn too_few_moments_are_no_score() {
        assert_eq!(score_of("pending 50\n34 x 10 10 10"), None);
        assert!(score_of("pending 50\n60 x 10 10 10").is_some());
        assert_eq!(score_of("pending 9\n288 x 10 10 10"), None);
    }

    #[test]
    fn a_quantile_counts_what_is_overdue_as_longer() {
        let tried = |ratio, overdue| Tried { ratio, overdue };
        let four = [1.0, 2.0, 3.0, 4.0].map(|ratio| tried(ratio, false));
        assert_eq!(quantile(&four, 0.5), Some(2.0));
        let overdue = [
            tried(1.0, false),
            tried(2.0, true),
            tried(3.0, false),
            tried(4.0, true),
        ];
        assert_eq!(
            (quantile(&overdue, 0.25), quantile(&overdue, 0.5)),
            (Some(1.0), Some(3.0))
        );
        assert_eq!(quantile(&overdue, 0.9), None);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
