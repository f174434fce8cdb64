//! Random timestamps against a second reading: whole shapes matched a byte at a time, and a calendar
//! that counts its years one by one.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Every shape that is allowed: `d` is a digit, `f` one or more of them, `s` a sign.
static SHAPES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut shapes = Vec::new();
    for between in ["T", " "] {
        for time in ["dd:dd", "dd:dd:dd", "dd:dd:dd.f"] {
            for zone in ["", "Z", "sdd", "sdddd", "sdd:dd"] {
                shapes.push(format!("dddd-dd-dd{between}{time}{zone}"));
            }
        }
    }
    shapes
});

/// Whether a text has a shape, whole.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    match (shape, text) {
        ([], []) => true,
        ([b'd', shape @ ..], [b'0'..=b'9', text @ ..])
        | ([b's', shape @ ..], [b'+' | b'-', text @ ..]) => has_shape(text, shape),
        ([b'f', after @ ..], [b'0'..=b'9', text @ ..]) => {
            has_shape(text, shape) || has_shape(text, after)
        }
        ([wanted, shape @ ..], [found, text @ ..]) => {
            !b"dsf".contains(wanted) && wanted == found && has_shape(text, shape)
        }
        _ => false,
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the first day of the year 0.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let days_of_year = |year| (1..=12).map(move |month| days_of_month(year, month));
    let years = (0..year).flat_map(days_of_year).sum::<i64>();
    years + days_of_year(year).take(month as usize - 1).sum::<i64>() + day - 1
}

/// Nanoseconds since 1970, when the text is a timestamp.
fn expected(text: &str) -> Option<i128> {
    let shape = SHAPES
        .iter()
        .find(|shape| has_shape(text.as_bytes(), shape.as_bytes()))?;
    let number = |at: usize| text[at..at + 2].parse::<i64>().expect("two digits");
    let (year, month, day) = (number(0) * 100 + number(2), number(5), number(8));
    let (hour, minute) = (number(11), number(14));
    let second = if shape.contains("dd:dd:dd") {
        number(17)
    } else {
        0
    };
    let (clock, zone) = match text[11..].find(['Z', '+', '-']) {
        Some(at) => text.split_at(11 + at),
        None => (text, ""),
    };
    let fraction = clock.get(20..).unwrap_or_default();
    let nanos: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let offset: Vec<i64> = zone
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| i64::from(digit - b'0'))
        .collect();
    let (offset_hours, offset_minutes) = match offset[..] {
        [a, b, c, d] => (a * 10 + b, c * 10 + d),
        [a, b] => (a * 10 + b, 0),
        _ => (0, 0),
    };
    let is_valid = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && [hour, offset_hours].iter().all(|hours| *hours < 24)
        && [minute, second, offset_minutes]
            .iter()
            .all(|part| *part < 60);
    let west = if zone.starts_with('-') { -1 } else { 1 };
    let seconds = is_valid.then(|| {
        let days = days(year, month, day) - days(1970, 1, 1);
        let clock = (hour * 60 + minute) * 60 + second;
        days * 86_400 + clock - west * (offset_hours * 60 + offset_minutes) * 60
    })?;
    Some(i128::from(seconds) * 1_000_000_000 + nanos.parse::<i128>().expect("nine digits"))
}

fn read(text: &str) -> Option<i128> {
    let nanos = |instant: DateTime<Utc>| {
        i128::from(instant.timestamp()) * 1_000_000_000
            + i128::from(instant.timestamp_subsec_nanos())
    };
    timestamp(text).map(nanos)
}

/// Texts of an allowed shape, their numbers often at a limit and sometimes beyond it.
fn near() -> impl Strategy<Value = String> {
    let year = prop_oneof![
        select(vec![0, 1, 4, 100, 400, 1900, 1970, 2000, 2024, 2100, 9999]),
        0..=9999
    ];
    let month = prop_oneof![9 => 1..=12, 1 => select(vec![0, 13, 99])];
    let day = prop_oneof![3 => 1..=28, 2 => 28..=32, 1 => select(vec![0, 99])];
    let clock = prop_oneof![9 => 0..=23, 1 => select(vec![24, 59, 60, 99])];
    let part = || prop_oneof![9 => 0..=59, 1 => select(vec![60, 61, 99])];
    let fraction = prop_oneof!["[0-9]{1,12}", "[09]{1,60}"];
    (
        select(&SHAPES[..]),
        (year, month, day, clock),
        (part(), part()),
        (0..=25, part()),
        fraction,
        select(vec!["+", "-"]),
    )
        .prop_map(
            |(
                shape,
                (year, month, day, hour),
                (minute, second),
                (hours, minutes),
                fraction,
                sign,
            )| {
                let (date, rest) = (format!("{year:04}-{month:02}-{day:02}"), &shape[10..]);
                let numbers = [hour, minute].into_iter();
                let numbers = numbers.chain(rest.contains("dd:dd:dd").then_some(second));
                let mut numbers = numbers.chain([hours, minutes]);
                let mut time = rest.replace('f', &fraction).replace('s', sign);
                while time.contains("dd") {
                    time = time.replacen("dd", &format!("{:02}", numbers.next().unwrap_or(0)), 1);
                }
                date + &time
            },
        )
}

/// What is put into a text to break it.
const SPLINTERS: [&str; 24] = [
    "", "", "0", "9", ":", "-", "+", ".", ",", "T", "t", "Z", "z", " ", "\t", "\n", "\u{a0}", "０",
    "٣", "−", "é", "\u{0}", "00", "UTC",
];

/// Texts made of parts of two others, with splinters between.
fn broken() -> impl Strategy<Value = String> {
    let splinter = (any::<Index>(), 0..3_usize, select(&SPLINTERS[..]));
    (
        near(),
        near(),
        any::<(Index, bool)>(),
        prop::collection::vec(splinter, 0..4),
    )
        .prop_map(|(first, second, (cut, splices), splinters)| {
            let at = cut.index(first.len().min(second.len()));
            let mut text: Vec<char> = match splices {
                true => first[..at].chars().chain(second[at..].chars()).collect(),
                false => first.chars().collect(),
            };
            for (at, removed, splinter) in splinters {
                let from = at.index(text.len() + 1);
                let to = (from + removed).min(text.len());
                text.splice(from..to, splinter.chars());
            }
            text.into_iter().collect()
        })
}

proptest! {
    #[test]
    fn timestamps_are_read_as_by_the_calendar(text in near()) {
        prop_assert_eq!(read(&text), expected(&text));
    }

    #[test]
    fn broken_timestamps_are_read_only_where_they_are_still_some(text in broken()) {
        prop_assert_eq!(read(&text), expected(&text));
    }

    #[test]
    fn other_texts_are_no_timestamps(text in "\\PC{0,40}") {
        prop_assert_eq!(read(&text), expected(&text));
    }

    #[test]
    fn what_rfc_3339_writes_is_read_back(seconds in -62_167_219_200_i64..253_402_300_800, nanos in 0_u32..1_000_000_000) {
        let instant = DateTime::from_timestamp(seconds, nanos).expect("an instant");
        prop_assert_eq!(timestamp(&instant.to_rfc3339()), Some(instant));
    }
}
