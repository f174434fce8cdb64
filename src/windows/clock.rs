//! The hour of the day that a local clock shows, for many instants at once.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use super::hour_start;

/// Hours that are known before the current one: three days and one hour.
const HOURS_BEHIND: u16 = 73;

/// Hours that are known from the current one on: two days and one hour.
const HOURS_AHEAD: u16 = 49;

/// Seconds of an hour.
const HOUR: f64 = 3600.0;

/// The local hours of the day around an instant. A change of the clock within an hour counts from
/// the next one on.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// The start of the first hour, in seconds since the Unix epoch.
    start: f64,
    hours: Vec<usize>,
}

impl Clock {
    /// Returns the hours around `now` on the clock of `zone`.
    pub fn at(now: DateTime<Utc>, zone: Tz) -> Self {
        let start = hour_start(now, zone) - TimeDelta::hours(i64::from(HOURS_BEHIND));
        let hours = (0..HOURS_BEHIND + HOURS_AHEAD).map(|hour| {
            let instant = start + TimeDelta::hours(i64::from(hour));
            instant.with_timezone(&zone).hour() as usize % 24
        });
        Self {
            start: start.timestamp() as f64,
            hours: hours.collect(),
        }
    }

    /// Returns the hour of the day at an instant, 0 to 23; beyond those known, that of the nearest
    /// known.
    pub fn hour(&self, instant: f64) -> usize {
        let place = ((instant - self.start) / HOUR) as usize;
        let last = self.hours.len().saturating_sub(1);
        self.hours.get(place.min(last)).copied().unwrap_or_default()
    }

    /// Returns how many seconds the hour of an instant still lasts: more than none, at most an hour.
    pub fn rest_of_hour(&self, instant: f64) -> f64 {
        let since = instant - self.start;
        (HOUR - (since - ((since / HOUR) as i64) as f64 * HOUR)).clamp(1e-6, HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(now: &str, zone: Tz) -> (f64, Clock) {
        let now: DateTime<Utc> = now.parse().expect("an instant");
        (now.timestamp() as f64, Clock::at(now, zone))
    }

    #[test]
    fn the_hours_are_those_of_the_local_clock() {
        let (now, clock) = clock("2026-11-24T15:10:00Z", Tz::Asia__Kolkata);
        assert_eq!((clock.hour(now), clock.rest_of_hour(now)), (20, 1200.0));
        assert_eq!(clock.hour(now + 1200.0), 21);
        assert_eq!(clock.hour(now - 20.0 * HOUR - 2400.0), 0);
        assert_eq!(clock.hour(now - 72.0 * HOUR), 20);
        assert_eq!(clock.hour(now + 48.0 * HOUR), 20);
    }

    #[test]
    fn an_hour_that_a_clock_skips_is_no_hour_of_that_day() {
        let (now, clock) = clock("2026-03-08T06:30:00Z", Tz::America__New_York);
        let hours = [0.0, 1.0, 2.0].map(|hours| clock.hour(now + hours * HOUR));
        assert_eq!(hours, [1, 3, 4]);
    }

    #[test]
    fn far_instants_have_an_hour_too() {
        let (_, clock) = clock("2026-11-24T15:10:00Z", Tz::UTC);
        for instant in [f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300, -1e300] {
            assert!(clock.hour(instant) < 24);
            let rest = clock.rest_of_hour(instant);
            assert!(
                rest.is_nan() || (0.0..=HOUR).contains(&rest),
                "{instant}: {rest}"
            );
        }
    }
}
