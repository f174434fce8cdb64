//! Medians and quartiles, and how they are written.

use std::time::Duration;

/// The middle of some numbers, and the quarters around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub lower: f64,
    pub median: f64,
    pub upper: f64,
}

impl Spread {
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.into_iter().collect();
        numbers.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (numbers.len().max(1) - 1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            let number = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
            number(below) + (number(above) - number(below)) * place.fract()
        };
        Self {
            lower: at(0.25),
            median: at(0.5),
            upper: at(0.75),
        }
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Writes a number with three digits, or with all that stand before the point.
pub(crate) fn digits(number: f64) -> String {
    match number.abs() {
        size if size >= 99.95 => thousands(number.round() as i64),
        size if size >= 9.995 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Writes a whole number with a comma at the thousands.
pub(crate) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", groups.join(","))
}

/// Writes a number of rows as people say it.
pub(crate) fn rows(number: i64) -> String {
    match number {
        number if number >= 1_000_000 => format!("{} million", number / 1_000_000),
        number => format!("{} thousand", number / 1_000),
    }
}
