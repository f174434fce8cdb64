//! Instants on the pipeline's clock, with how long ago they were.

use std::ops::Range;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::judge::Board;
use crate::render::words::span;

/// The seconds since 1970 whose year has four digits in every zone, as HTML wants it.
const WRITABLE: Range<f64> = -62_135_510_400.0..253_402_214_400.0;

/// The time of day, with the day where that is not today.
pub(super) fn clock(at: DateTime<Utc>, board: &Board) -> Markup {
    let local = at.with_timezone(&board.timezone);
    let today = board.now.map(|now| now.with_timezone(&board.timezone));
    let is_today = today.is_some_and(|today| today.date_naive() == local.date_naive());
    let format = if is_today {
        "%H:%M:%S"
    } else {
        "%-d %b %Y %H:%M:%S"
    };
    html! {
        time datetime=(machine_readable(local)) { (local.format(format)) }
    }
}

/// A past instant and how long ago it was.
pub(super) fn past(at: Option<f64>, age: Option<f64>, board: &Board) -> Markup {
    let Some((at, age)) = at.and_then(instant).zip(age) else {
        return html! { "at an unknown time" };
    };
    html! { (clock(at, board)) ", " (span(age)) " ago" }
}

/// How long ago an instant was, in seconds, when the board was read.
pub(super) fn age(at: f64, board: &Board) -> Option<f64> {
    let age = (board.now? - instant(at)?).as_seconds_f64();
    Some(age.max(0.0))
}

/// Words about an instant, which a machine can read as well.
pub(super) fn about(at: f64, board: &Board, words: &str) -> Markup {
    let local = instant(at).map(|at| at.with_timezone(&board.timezone));
    html! {
        @match local {
            Some(local) => time datetime=(machine_readable(local)) { (words) },
            None => (words),
        }
    }
}

fn machine_readable(at: DateTime<Tz>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn instant(at: f64) -> Option<DateTime<Utc>> {
    let at = WRITABLE.contains(&at).then_some(at)?;
    DateTime::from_timestamp_micros((at * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::page::tests::board;

    /// Half past eight in Seoul, on the day before in London.
    fn seoul() -> Board {
        Board {
            now: "2026-11-25T23:31:02Z".parse().ok(),
            timezone: Tz::Asia__Seoul,
            item: String::new(),
            ..board()
        }
    }

    fn told(at: &str) -> String {
        let at: DateTime<Utc> = at.parse().expect("an instant");
        let at = at.timestamp() as f64;
        past(Some(at), age(at, &seoul()), &seoul()).into_string()
    }

    #[test]
    fn an_instant_stands_on_the_pipelines_clock() {
        assert_eq!(
            told("2026-11-25T21:26:02Z"),
            "<time datetime=\"2026-11-26T06:26:02+09:00\">06:26:02</time>, 2h 5m ago"
        );
        assert_eq!(
            told("2026-11-25T14:00:00Z"),
            "<time datetime=\"2026-11-25T23:00:00+09:00\">25 Nov 2026 23:00:00</time>, 9h 31m ago"
        );
    }

    #[test]
    fn an_instant_that_nobody_can_write_is_unknown() {
        for at in [f64::NAN, f64::INFINITY, -1e18, 253_402_300_799.0] {
            let told = past(Some(at), Some(1.0), &seoul());
            assert_eq!(told.into_string(), "at an unknown time");
            assert_eq!(about(at, &seoul(), "due").into_string(), "due");
        }
    }
}
