//! The next instant at which a local clock shows a time of day.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

use super::first_shown;

/// Returns the next instant after `now` at which the clock of `zone` shows a time: once a local
/// day, at the first instant after a skip that swallows it.
pub fn next(now: DateTime<Utc>, by: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let days = today.iter_days().filter(|day| exists(*day, zone));
    let mut instants = days.map(|day| first_shown(day.and_time(by), zone));
    let next = instants.find(|instant| *instant > now);
    next.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A zone that changes its side of the date line skips a whole day, and nothing is due on it.
fn exists(day: NaiveDate, zone: Tz) -> bool {
    let first = first_shown(day.and_time(NaiveTime::MIN), zone);
    first.with_timezone(&zone).date_naive() == day
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDateTime, TimeDelta};
    use proptest::prelude::*;

    /// Returns the next deadlines, as UTC to the minute.
    fn following(now: &str, by: &str, zone: Tz, count: usize) -> Vec<String> {
        let by = format!("{by}:00").parse().expect("a time");
        let mut now = now.parse().expect("an instant");
        let mut each = || {
            now = next(now, by, zone);
            now.format("%m-%dT%H:%M").to_string()
        };
        (0..count).map(|_| each()).collect()
    }

    #[test]
    fn a_time_comes_once_a_day() {
        let seoul = following("2026-11-24T22:59:59Z", "08:00", Tz::Asia__Seoul, 3);
        assert_eq!(seoul, ["11-24T23:00", "11-25T23:00", "11-26T23:00"]);
        let midnight = following("2026-11-24T15:00:00Z", "00:00", Tz::Asia__Seoul, 1);
        assert_eq!(midnight, ["11-25T15:00"], "now is not later than now");
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_end_of_the_skip() {
        // From 02:00 to 03:00 on 8 March 2026.
        let spring = following("2026-03-07T08:00:00Z", "02:30", Tz::America__New_York, 2);
        assert_eq!(spring, ["03-08T07:00", "03-09T06:30"]);
        // From 00:00 to 01:00 on 29 March 2026.
        let beirut = following("2026-03-27T23:00:00Z", "00:00", Tz::Asia__Beirut, 2);
        assert_eq!(beirut, ["03-28T22:00", "03-29T21:00"]);
        // From 02:00 to 02:30 on 4 October 2026.
        let howe = following("2026-10-03T00:00:00Z", "02:15", Tz::Australia__Lord_Howe, 2);
        assert_eq!(howe, ["10-03T15:30", "10-04T15:15"]);
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_is_the_earlier() {
        // From 02:00 back to 01:00 on 1 November 2026.
        let autumn = following("2026-11-01T05:00:00Z", "01:30", Tz::America__New_York, 2);
        assert_eq!(autumn, ["11-01T05:30", "11-02T06:30"]);
        let between = following("2026-11-01T05:45:00Z", "01:30", Tz::America__New_York, 1);
        assert_eq!(between, ["11-02T06:30"]);
        // From 01:00 back to 00:00 on 1 November 2026.
        let havana = following("2026-11-01T03:00:00Z", "00:00", Tz::America__Havana, 2);
        assert_eq!(havana, ["11-01T04:00", "11-02T05:00"]);
        // From 02:00 back to 01:30 on 5 April 2026.
        let howe = following("2026-04-04T14:00:00Z", "01:45", Tz::Australia__Lord_Howe, 2);
        assert_eq!(howe, ["04-04T14:45", "04-05T15:15"]);
    }

    #[test]
    fn a_day_that_the_calendar_skips_has_no_deadline() {
        // Samoa went from the end of 29 December 2011 to the beginning of the 31st.
        let apia = following("2011-12-29T00:00:00Z", "08:00", Tz::Pacific__Apia, 2);
        assert_eq!(apia, ["12-29T18:00", "12-30T18:00"]);
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let now = DateTime::<Utc>::MAX_UTC;
        assert_eq!(next(now, NaiveTime::MIN, Tz::UTC), now);
    }

    /// The same by looking at the clock every minute: a time is due when the clock passes it
    /// further than it ever was.
    fn next_by_the_minute(now: DateTime<Utc>, by: NaiveTime, zone: Tz) -> DateTime<Utc> {
        let local = |instant: DateTime<Utc>| instant.with_timezone(&zone).naive_local();
        let minute = TimeDelta::minutes(1);
        let mut instant = now - TimeDelta::hours(30);
        let mut furthest: NaiveDateTime = local(instant);
        loop {
            instant += minute;
            let shown = local(instant);
            let due = [furthest.date(), shown.date()].map(|day| day.and_time(by));
            if instant > now && due.iter().any(|due| furthest < *due && *due <= shown) {
                return instant;
            }
            furthest = furthest.max(shown);
        }
    }

    /// Moments to the minute, most of them near a change of the clock.
    fn near_a_change(start: DateTime<Utc>, minutes: i64, zone: Tz) -> DateTime<Utc> {
        let local = |day: i64| {
            (start + TimeDelta::days(day))
                .with_timezone(&zone)
                .naive_local()
        };
        let changes = |day: &i64| local(*day) - local(0) != TimeDelta::days(*day);
        let change = (1..300).find(changes).unwrap_or_default();
        start + TimeDelta::days(change) - TimeDelta::minutes(minutes)
    }

    proptest! {
        #[test]
        fn deadlines_hold_in_every_zone(
            day in 11_000_i64..25_000, minutes in 0..3 * 1440_i64, by in 0..1440_u32,
            zone in 0..chrono_tz::TZ_VARIANTS.len(),
        ) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let start = DateTime::from_timestamp(day * 86_400, 0).expect("an instant");
            let now = near_a_change(start, minutes, zone);
            let by = NaiveTime::from_hms_opt(by / 60, by % 60, 0).expect("a time");
            let found = next(now, by, zone);
            prop_assert!(found > now);
            prop_assert_eq!(found, next_by_the_minute(now, by, zone), "{} {} {}", now, by, zone);
        }
    }
}
