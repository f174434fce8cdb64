//! How many rows will wait in the hours to come.

use super::ahead::Ahead;
use super::course::Course;
use super::profile::Profile;

/// The next six hours, in steps ...
const STEPS: u32 = 72;

/// ... of five minutes.
const STEP_SECONDS: f64 = 300.0;

/// The hour that tells what arrives now, in buckets.
const RECENT_BUCKETS: usize = 12;

/// How fast that stops to say more than the same hours of other days: to a third in an hour.
const FADE_SECONDS: f64 = 3600.0;

/// Returns how many of so many rows, and of those to come, will wait in six hours; none or less if
/// all will have been done before.
pub(super) fn level(pending: f64, course: &Course, profile: &Profile, ahead: &Ahead<'_>) -> f64 {
    let recent = recent_arrivals(course);
    let (mut level, mut least) = (pending, pending);
    for step in 0..STEPS {
        let seconds = (f64::from(step) + 0.5) * STEP_SECONDS;
        let weight = (-seconds / FADE_SECONDS).exp();
        let usual = ahead.arrivals(profile, seconds);
        let arrivals = weight * recent + (1.0 - weight) * usual;
        level += (arrivals - ahead.at(seconds)) * STEP_SECONDS;
        least = least.min(level);
    }
    if least <= 0.0 { least } else { level }
}

/// Rows a second that arrive in the middle one of the latest buckets: an import is not a trend.
fn recent_arrivals(course: &Course) -> f64 {
    let latest = course.spans.iter().rev().take(RECENT_BUCKETS);
    let mut rates: Vec<f64> = latest.map(|span| span.created / span.seconds).collect();
    rates.sort_unstable_by(f64::total_cmp);
    let above = rates.get(rates.len() / 2).copied().unwrap_or_default();
    let below = rates.get(rates.len().saturating_sub(1) / 2);
    (above + below.copied().unwrap_or_default()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::course::Rows;
    use super::super::fixture::{clock, history};
    use super::super::pace::Pace;
    use super::*;

    fn level_of(text: &str) -> f64 {
        let history = history(text);
        let clock = clock(&history);
        let course = Course::of(&history, &clock);
        let profile = Profile::until(&course, course.spans.len(), Rows::Every);
        let pace = Pace::now(&course, &history).map(|pace| pace.per_second);
        let ahead = Ahead::from(history.now, pace, &profile, &clock).expect("a pace");
        level(history.pending as f64, &course, &profile, &ahead)
    }

    #[test]
    fn the_level_follows_what_arrives_and_what_is_done() {
        let falls = level_of("pending 2000\n288 x 5 10 10");
        assert!((falls - (2000.0 - 72.0 * 5.0)).abs() < 1.0, "{falls}");
        let rises = level_of("pending 100\n288 x 15 10 10");
        assert!((rises - (100.0 + 72.0 * 5.0)).abs() < 1.0, "{rises}");
        assert!(level_of("pending 100\n288 x 5 10 10") <= 0.0);
    }

    #[test]
    fn an_import_is_not_a_trend() {
        let falls = level_of("pending 2000\n286 x 5 10 10\n1 x 1000 10 10\n1 x 5 10 10");
        assert!(falls < 2000.0, "{falls}");
    }
}
