//! Until when a row is deferred: the one parser of `payload.deferred_until`.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::Value;

/// Until when a row is deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferral {
    /// Its document says nothing of it.
    None,
    /// Until this instant.
    Until(DateTime<Utc>),
    /// What its document says is no timestamp.
    Malformed,
}

/// Reads the `deferred_until` of a JSON document; one that is no JSON says nothing, unless it was
/// cut.
pub fn of_document(document: &str) -> Deferral {
    let Ok(document) = serde_json::from_str::<Value>(document) else {
        return Deferral::Malformed;
    };
    match document.get("deferred_until") {
        None | Some(Value::Null) => Deferral::None,
        Some(Value::String(text)) => timestamp(text).map_or(Deferral::Malformed, Deferral::Until),
        Some(_) => Deferral::Malformed,
    }
}

/// Parses an ISO 8601 timestamp: a date, `T` or a space, a time whose seconds and fraction may
/// be left out, then `Z`, `±HH`, `±HHMM`, `±HH:MM` or nothing, which is UTC.
///
/// Returns nothing for any other text, a date that no calendar has included.
pub fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let local = parse_date(date)?.and_time(parse_time(time)?);
    local.and_utc().checked_sub_signed(parse_offset(zone)?)
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = (text.get(0..4)?, text.get(5..7)?, text.get(8..)?);
    let dashes = text.get(4..5)? == "-" && text.get(7..8)? == "-";
    let year = i32::try_from(digits(year, 4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, digits(month, 2)?, digits(day, 2)?);
    date.filter(|_| dashes)
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, seconds) = rest.split_once(':').unwrap_or((rest, "00"));
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanoseconds(fraction)?)
}

/// The first nine digits of a fraction of a second; more are read and dropped.
fn nanoseconds(fraction: &str) -> Option<u32> {
    digits(fraction, fraction.len().max(1))?;
    let nine = fraction.get(..9).unwrap_or(fraction);
    format!("{nine:0<9}").parse().ok()
}

fn parse_offset(text: &str) -> Option<TimeDelta> {
    let Some(sign) = text.chars().next().filter(|sign| *sign != 'Z') else {
        return (text.len() <= 1).then(TimeDelta::zero);
    };
    let offset = &text[1..];
    let (hours, minutes) = match offset.len() {
        2 => (offset, "00"),
        4 => offset.split_at_checked(2)?,
        _ => offset.split_once(':')?,
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let seconds = i64::from(hours * 3600 + minutes * 60);
    let seconds = if sign == '-' { -seconds } else { seconds };
    (hours < 24 && minutes < 60).then(|| TimeDelta::seconds(seconds))
}

/// The value of exactly `count` ASCII digits; of a longer number the value does not matter.
fn digits(text: &str, count: usize) -> Option<u32> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| {
        text.bytes().fold(0, |n: u32, digit| {
            n.wrapping_mul(10) + u32::from(digit - b'0')
        })
    })
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        timestamp(text).map(|instant| instant.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
    }

    #[test]
    fn every_allowed_form_is_read() {
        for (text, expected) in [
            ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
            ("2026-11-24 10:00", "2026-11-24T10:00:00Z"),
            ("2026-11-24T10:00:00.5+09", "2026-11-24T01:00:00.500Z"),
            ("2026-11-24T10:00:00-0330", "2026-11-24T13:30:00Z"),
            ("2026-11-24T10:00+05:45", "2026-11-24T04:15:00Z"),
            (
                "2024-02-29T23:59:59.1234567891234",
                "2024-02-29T23:59:59.123456789Z",
            ),
        ] {
            assert_eq!(utc(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn every_other_text_is_malformed() {
        for text in [
            "",
            "tomorrow",
            "2026-11-24",
            "2026-11-24T",
            "2026-11-24T10",
            "2026-11-24T10:00:",
            "2026-11-24T10:00:00.",
            "2026-11-24T10:00.5",
            "2026-02-30T10:00:00Z",
            "2026-13-01 10:00",
            "2026-11-24t10:00:00Z",
            "2026-11-24T10:00:00z",
            "2026-11-24T10:00:00Z ",
            " 2026-11-24T10:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T10:00:60Z",
            "12026-11-24T10:00:00Z",
            "2026-11-24T10:00:00+9",
            "2026-11-24T10:00:00+24:00",
            "2026-11-24T10:00:00+09:60",
            "2026-11-24T10:00:00+09:0",
            "2026-11-24T10:00:00Z+09",
            "2026-11-24  10:00",
            "２０２６-11-24T10:00:00Z",
            "2026-11-24T10:00:00+090",
            "+",
            "-",
            "2026/11/24T10:00:00Z",
            "2026-11-24T10:00:00+한",
            "20261124T100000Z",
            "1764000000",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }
}
