//! How fast a stage will work in the hours to come, and how long its rows take at that.

use crate::snapshot::UnixSeconds;
use crate::windows::Clock;

use super::profile::Profile;

/// How fast the difference between now and the same hour of other days fades: to a third in two
/// hours.
const FADE_SECONDS: f64 = 7200.0;

/// Now is at most so many times faster or slower than the same hour of other days.
const MAX_DIFFERENCE: f64 = 5.0;

/// How far the hours of the day are followed: two days.
const HORIZON_SECONDS: f64 = 172_800.0;

/// So long, a quarter of an hour, and half as long as the way there, is taken for equally fast.
const STEP_SECONDS: f64 = 900.0;

/// The difference changes the less, the further the way.
const STEP_SHARE: f64 = 0.5;

/// The pace of the hours to come: that of the same hours of other days, times how much now differs
/// from them, which fades.
#[derive(Debug)]
pub(super) struct Ahead<'a> {
    clock: &'a Clock,
    since: UnixSeconds,
    profile: &'a Profile,
    /// Rows a second of all hours. What an hour is like is looked up when it is asked for: most
    /// drains are over within few.
    overall: Option<f64>,
    /// Rows a second now, and in hours of which nothing is known.
    now: f64,
    /// The logarithm of how many times faster now is.
    difference: f64,
}

impl<'a> Ahead<'a> {
    /// Returns the pace from an instant on.
    pub(super) fn from(
        since: UnixSeconds,
        now: Option<f64>,
        profile: &'a Profile,
        clock: &'a Clock,
    ) -> Option<Self> {
        let now = now.or_else(|| mean(profile.paces().into_iter().flatten()))?;
        let overall = profile.overall();
        let ratio = match profile.pace(clock.hour(since), overall) {
            Some(usual) if usual > 0.0 => now / usual,
            _ => 1.0,
        };
        let ratio = ratio.clamp(1.0 / MAX_DIFFERENCE, MAX_DIFFERENCE);
        Some(Self {
            clock,
            since,
            profile,
            overall,
            now,
            difference: ratio.ln(),
        })
    }

    /// Returns rows a second, so many seconds from the instant on.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        let usual = self.usual(self.clock.hour(self.since + seconds));
        if self.difference == 0.0 {
            return usual;
        }
        usual * (self.difference * (-seconds / FADE_SECONDS).exp()).exp()
    }

    /// Returns how many rows a second usually arrive then.
    pub(super) fn arrivals(&self, profile: &Profile, seconds: f64) -> f64 {
        profile.arrivals(self.clock.hour(self.since + seconds))
    }

    /// Returns when rows are done, in seconds from the instant on. The later ones come each at its
    /// own time, in order; nothing if that time never comes.
    pub(super) fn time_for(&self, rows: f64, later: &[(f64, f64)]) -> Option<f64> {
        let (mut left, mut spent) = (rows, 0.0);
        let mut later = later.iter().copied().peekable();
        loop {
            while let Some((_, more)) = later.next_if(|(at, _)| *at <= spent) {
                left += more;
            }
            let next = later.peek().map(|(at, _)| *at);
            if left <= 0.0 {
                let Some(next) = next else {
                    return Some(spent);
                };
                spent = next;
                continue;
            }
            let (step, pace) = self.step(spent);
            let step = next.map_or(step, |next| step.min(next - spent));
            if pace * step >= left {
                spent += left / pace;
                left = 0.0;
            } else if step.is_finite() {
                left -= pace * step;
                spent += step;
            } else {
                return None;
            }
        }
    }

    /// Returns how long the pace is taken for the same from a time on, and the pace.
    fn step(&self, spent: f64) -> (f64, f64) {
        if spent < HORIZON_SECONDS {
            let step = self.clock.rest_of_hour(self.since + spent);
            let step = step.min(STEP_SECONDS.max(spent * STEP_SHARE)).max(1.0);
            return (step, self.at(spent + step / 2.0));
        }
        let hours = (0..24).map(|hour| self.usual(hour));
        (f64::INFINITY, mean(hours).unwrap_or(0.0))
    }

    fn usual(&self, hour: usize) -> f64 {
        self.profile.pace(hour, self.overall).unwrap_or(self.now)
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| {
        (sum + number, count + 1.0)
    });
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::super::course::{Course, Rows};
    use super::super::fixture::{clock, history};
    use super::*;

    /// Three days in which rows wait all the time and are worked on from eight in the morning on,
    /// now being ten in the morning.
    fn nights() -> String {
        // Ten to midnight, the night, eight to ten; three times.
        let day = "168 x 10 10 10\n96 x 0 0 0\n24 x 10 10 10";
        format!("pending 500\n{day}\n{day}\n{day}")
    }

    fn time_for(text: &str, now: f64, rows: f64) -> Option<f64> {
        let history = history(text);
        let clock = clock(&history);
        let course = Course::of(&history, &clock);
        let profile = Profile::until(&course, course.spans.len(), Rows::Every);
        let ahead = Ahead::from(history.now, Some(now), &profile, &clock)?;
        ahead.time_for(rows, &[])
    }

    fn hours(seconds: Option<f64>) -> f64 {
        seconds.expect("a time") / 3600.0
    }

    #[test]
    fn without_other_days_the_pace_stays() {
        assert_eq!(hours(time_for("", 2.0 / 3600.0, 7.0)), 3.5);
        assert_eq!(hours(time_for("", 2.0 / 3600.0, 7000.0)), 3500.0);
        assert_eq!(time_for("", 0.0, 7.0), None);
    }

    #[test]
    fn a_machine_that_sleeps_at_night_is_waited_for() {
        let usual = 10.0 / 300.0;
        // 14 hours until midnight, 120 rows an hour.
        let before = hours(time_for(&nights(), usual, 13.0 * 120.0));
        assert!((before - 13.0).abs() < 0.1, "{before}");
        let after = hours(time_for(&nights(), usual, 15.0 * 120.0));
        assert!((after - 23.0).abs() < 0.1, "{after}");
    }

    #[test]
    fn a_day_that_is_faster_becomes_a_usual_one() {
        let fast = 20.0 / 300.0;
        let soon = hours(time_for(&nights(), fast, 60.0));
        assert!((0.25..0.27).contains(&soon), "{soon}");
        let late = hours(time_for(&nights(), fast, 12.0 * 120.0));
        assert!((10.0..11.0).contains(&late), "{late}");
    }
}
