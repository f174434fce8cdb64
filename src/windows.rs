//! The clock of a scrape: every window, midnight and hour bucket measured from one `now`. Pure.

mod clock;
pub mod deadline;

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{GapInfo, Tz};

pub use clock::Clock;

/// How many hour buckets a trend has.
pub const TREND_HOURS: usize = 24;

/// The instants against which one scrape measures its rows.
#[derive(Debug, Clone)]
pub struct Windows {
    /// The database's clock at the scrape.
    pub now: DateTime<Utc>,
    /// A quarter of an hour ago.
    pub quarter_ago: DateTime<Utc>,
    /// An hour ago.
    pub hour_ago: DateTime<Utc>,
    /// The first instant of the local day, midnight on most days.
    pub midnight: DateTime<Utc>,
    /// Six hours ago: background jobs that finished since then are shown.
    pub jobs_since: DateTime<Utc>,
    /// Five minutes ago: a running job without a heartbeat since then is stale.
    pub heartbeat_due: DateTime<Utc>,
    /// The hours of the trend, oldest first.
    pub hours: Vec<Hour>,
}

/// A clock hour, from its start up to and without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// The first instant of the hour.
    pub start: DateTime<Utc>,
    /// The first instant after the hour.
    pub end: DateTime<Utc>,
    /// The local clock at its start, as "14:00".
    pub label: String,
}

impl Windows {
    /// Returns the windows of a scrape made at `now`, days and hours being those of `zone`.
    pub fn at(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            now,
            quarter_ago: now - TimeDelta::minutes(15),
            hour_ago: now - TimeDelta::hours(1),
            midnight: midnight(now, zone),
            jobs_since: now - TimeDelta::hours(6),
            heartbeat_due: now - TimeDelta::minutes(5),
            hours: hours(now, zone),
        }
    }

    /// Returns the earliest instant since which completions are counted.
    pub fn completions_since(&self) -> DateTime<Utc> {
        self.midnight.min(self.hour_ago)
    }

    /// Returns the earliest instant that any of the windows begins with.
    pub fn earliest(&self) -> DateTime<Utc> {
        self.completions_since().min(self.trend_since())
    }

    /// Returns the start of the trend's oldest hour.
    pub fn trend_since(&self) -> DateTime<Utc> {
        self.hours.first().map_or(self.now, |oldest| oldest.start)
    }

    /// Returns the starts of the trend's hours and the end of the last, ascending.
    pub fn hour_bounds(&self) -> Vec<DateTime<Utc>> {
        let starts = self.hours.iter().map(|hour| hour.start);
        starts
            .chain(self.hours.last().map(|hour| hour.end))
            .collect()
    }
}

/// The first instant of the local day.
fn midnight(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    first_shown(today.and_time(NaiveTime::MIN), zone)
}

/// The instant at which the clock shows a time: where it shows it twice, the earlier; where it
/// skips it, the end of the skip.
fn first_shown(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let first = zone.from_local_datetime(&local).earliest();
    let first = first.or_else(|| GapInfo::new(&local, &zone)?.end);
    first.map_or_else(|| local.and_utc(), |first| first.to_utc())
}

/// The local clock hour of `now` and those before it, oldest first. Hours follow one another in
/// real time, so on the day that a clock is set back one label stands twice.
fn hours(now: DateTime<Utc>, zone: Tz) -> Vec<Hour> {
    let mut start = hour_start(now, zone);
    let mut end = start + TimeDelta::hours(1);
    let mut hours = Vec::with_capacity(TREND_HOURS);
    for _ in 0..TREND_HOURS {
        let label = start.with_timezone(&zone).format("%H:00").to_string();
        hours.push(Hour { start, end, label });
        end = start;
        start = hour_start(end - TimeDelta::nanoseconds(1), zone);
    }
    hours.reverse();
    hours
}

fn hour_start(instant: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let local = instant.with_timezone(&zone);
    let seconds = i64::from(local.minute() * 60 + local.second());
    instant - TimeDelta::seconds(seconds) - TimeDelta::nanoseconds(i64::from(local.nanosecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(now: &str, zone: Tz) -> Windows {
        Windows::at(now.parse().expect("an instant"), zone)
    }

    fn labels(windows: &Windows) -> Vec<&str> {
        windows
            .hours
            .iter()
            .map(|hour| hour.label.as_str())
            .collect()
    }

    #[test]
    fn the_day_begins_at_local_midnight() {
        let seoul = at("2026-11-24T15:00:00Z", Tz::Asia__Seoul);
        assert_eq!(seoul.midnight.to_rfc3339(), "2026-11-24T15:00:00+00:00");
        let before = at("2026-11-24T14:59:59.999Z", Tz::Asia__Seoul);
        assert_eq!(before.midnight.to_rfc3339(), "2026-11-23T15:00:00+00:00");
    }

    #[test]
    fn a_day_without_midnight_begins_at_its_first_instant() {
        // Beirut's clock goes from 23:59:59 to 01:00:00 on 29 March 2026.
        let beirut = at("2026-03-29T09:00:00Z", Tz::Asia__Beirut);
        assert_eq!(beirut.midnight.to_rfc3339(), "2026-03-28T22:00:00+00:00");
    }

    #[test]
    fn a_day_with_two_midnights_begins_at_the_earlier() {
        // Havana's clock goes from 00:59:59 back to 00:00:00 on 1 November 2026.
        let havana = at("2026-11-01T12:00:00Z", Tz::America__Havana);
        assert_eq!(havana.midnight.to_rfc3339(), "2026-11-01T04:00:00+00:00");
    }

    #[test]
    fn a_repeated_hour_stands_twice_and_a_skipped_one_not_at_all() {
        let autumn = at("2026-11-01T09:30:00Z", Tz::America__New_York);
        assert_eq!(labels(&autumn)[20..], ["01:00", "02:00", "03:00", "04:00"]);
        assert_eq!(labels(&autumn)[17..20], ["23:00", "00:00", "01:00"]);
        let spring = at("2026-03-08T08:30:00Z", Tz::America__New_York);
        assert_eq!(labels(&spring)[20..], ["00:00", "01:00", "03:00", "04:00"]);
    }

    proptest! {
        #[test]
        fn windows_hold_in_every_zone(seconds in 946_684_800_i64..2_208_988_800, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let now = DateTime::from_timestamp(seconds, 0).expect("an instant");
            let windows = Windows::at(now, zone);
            let today = now.with_timezone(&zone).date_naive();
            prop_assert!(windows.midnight <= now);
            prop_assert_eq!(windows.midnight.with_timezone(&zone).date_naive(), today);
            let before = (windows.midnight - TimeDelta::seconds(1)).with_timezone(&zone).date_naive();
            prop_assert_ne!(before, today);

            prop_assert_eq!(windows.hours.len(), TREND_HOURS);
            let last = windows.hours.last().expect("24 hours");
            prop_assert!(last.start <= now && now < last.end);
            for pair in windows.hours.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
                prop_assert!(pair[0].start < pair[0].end);
                prop_assert!(pair[0].end - pair[0].start <= TimeDelta::hours(1));
            }
        }
    }
}
