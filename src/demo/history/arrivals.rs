//! When documents arrived in the past.

use chrono::{DateTime, FixedOffset, TimeDelta, Timelike, Utc};
use fastrand::Rng;

use crate::demo::{
    documents::{Document, Medium},
    until_next,
};

/// Documents an hour, by the hour of the day in Korea, where the demo's office is.
const BY_HOUR: [u32; 24] = [
    14, 8, 5, 4, 5, 9, 20, 34, 56, 72, 80, 74, 46, 62, 82, 84, 76, 64, 50, 40, 46, 42, 30, 20,
];
const KOREA: i32 = 9 * 3600;
/// The end is the same at any time of day, so that the summaries are always draining there.
const AT_THE_END: f64 = 70.0;
const END: TimeDelta = TimeDelta::minutes(100);
const PICTURES: f64 = 0.2;
const RECORDINGS: f64 = 0.15;

/// The last one is still being worked on at the end; by the others it is known how long that takes.
const IMPORTS_BEGAN: [TimeDelta; 3] = [
    TimeDelta::hours(19),
    TimeDelta::hours(9),
    TimeDelta::minutes(86),
];
const IMPORTED: usize = 220;
const IMPORT_GAP: TimeDelta = TimeDelta::seconds(2);

/// A document of the past and when it arrived
pub(super) struct Arrival {
    pub(super) at: DateTime<Utc>,
    pub(super) document: Document,
}

/// Draws the arrivals of the 24 hours before `now`, in the order they came
pub(super) fn draw(rng: &mut Rng, now: DateTime<Utc>) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    let mut at = now - TimeDelta::hours(24);
    while at < now {
        let medium = if rng.f64() < PICTURES {
            Medium::Picture
        } else {
            Medium::draw(rng, RECORDINGS)
        };
        let document = Document::invent(rng, medium);
        arrivals.push(Arrival { at, document });
        at += until_next(rng, per_hour(at, now));
    }
    for began in IMPORTS_BEGAN {
        let mut at = now - began;
        for _ in 0..IMPORTED {
            let document = Document::invent(rng, Medium::Note);
            arrivals.push(Arrival { at, document });
            at += IMPORT_GAP;
        }
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}

fn per_hour(at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    if now - at < END {
        return AT_THE_END;
    }
    let in_korea = FixedOffset::east_opt(KOREA).map(|korea| at.with_timezone(&korea).hour());
    let hour = in_korea.and_then(|hour| usize::try_from(hour).ok());
    f64::from(hour.map_or(0, |hour| BY_HOUR[hour]))
}
