//! Timestamps as SQLite keeps them: RFC 3339 text with any offset, or Unix seconds.
//!
//! Each is read as seconds since the epoch, to the millisecond. What may mean something else, such
//! as milliseconds or a Julian day, is read as nothing, and counted.

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Numbers between these are Unix seconds, from the year 1973 to the year 5138.
const SECONDS: &str = "BETWEEN 1e8 AND 1e11";

/// For how long back the changes of a zone's offset are known.
const YEARS_BACK: i64 = 3;

/// Returns a column as seconds since the Unix epoch; null where it cannot be read.
pub(super) fn read(column: &str, naive: &str) -> String {
    format!(
        "CASE typeof({column})
         WHEN 'text' THEN CASE
             WHEN {column} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]*'
             THEN CASE
                 WHEN {column} GLOB '*Z' OR substr({column}, -6) GLOB '[+-][0-9][0-9]:[0-9][0-9]'
                 THEN unixepoch({column}, 'subsec')
                 WHEN substr({column}, -5) GLOB '[+-][0-9][0-9][0-9][0-9]'
                 THEN unixepoch(substr({column}, 1, length({column}) - 2) || ':' || substr({column}, -2), 'subsec')
                 WHEN substr({column}, -3) GLOB '[+-][0-9][0-9]'
                 THEN unixepoch({column} || ':00', 'subsec')
                 ELSE {naive} END
             WHEN {column} NOT GLOB '*[^0-9.]*' AND CAST({column} AS REAL) {SECONDS}
             THEN CAST({column} AS REAL)
             WHEN {column} = 'infinity' THEN 9e999
             WHEN {column} = '-infinity' THEN -9e999 END
         WHEN 'blob' THEN NULL
         ELSE CASE WHEN {column} {SECONDS} THEN CAST({column} AS REAL) END END"
    )
}

/// Returns a text without a zone as seconds since the Unix epoch.
pub(super) fn of_zone(column: &str, zone: Option<Tz>, now: DateTime<Utc>) -> String {
    let local = format!("unixepoch({column}, 'subsec')");
    let Some(zone) = zone else { return local };
    let mut offsets = offsets(zone, now).into_iter().rev();
    let latest = offsets.next().map_or(0, |(_, offset)| offset);
    let earlier = offsets
        .rev()
        .map(|(until, offset)| format!("WHEN {local} < {until} THEN {offset} "));
    let earlier: String = earlier.collect();
    let offset = match earlier.is_empty() {
        true => latest.to_string(),
        false => format!("CASE {earlier}ELSE {latest} END"),
    };
    format!("{local} - {offset}")
}

/// Returns a text that says whether a column's text tells no zone.
pub(super) fn is_naive(column: &str) -> String {
    format!(
        "(typeof({column}) = 'text' AND {column} GLOB '????-*' AND NOT ({column} GLOB '*Z'
          OR substr({column}, 12) GLOB '*[+-]*'))"
    )
}

/// Offsets of a zone, the oldest first: each with the local second at which the next one begins.
fn offsets(zone: Tz, now: DateTime<Utc>) -> Vec<(i64, i64)> {
    let offset_at = |at: DateTime<Utc>| {
        let offset = zone.offset_from_utc_datetime(&at.naive_utc());
        i64::from(offset.fix().local_minus_utc())
    };
    let mut at = now - TimeDelta::days(366 * YEARS_BACK);
    let mut offsets = Vec::new();
    let mut offset = offset_at(at);
    while at < now + TimeDelta::days(2) {
        let next = at + TimeDelta::minutes(15);
        if offset_at(next) != offset {
            let begins = next.timestamp() / 900 * 900;
            let next_offset = offset_at(next);
            // The second reading of an hour that comes twice is the one taken.
            offsets.push((begins + offset.min(next_offset), offset));
            offset = next_offset;
        }
        at = next;
    }
    offsets.push((i64::MAX, offset));
    offsets
}
