//! Numbers as people read them, the same on every view.

use crate::judge::jobs::Job;

/// A title, after the name of the system where it has one.
pub(super) fn titled(name: &str, title: &str) -> String {
    if name.is_empty() {
        title.to_owned()
    } else {
        format!("{name} · {title}")
    }
}

/// What is shown of a stage; a row may have one without a name.
pub(super) fn stage_name(stage: &str) -> &str {
    if stage.is_empty() { "(no name)" } else { stage }
}

/// A span of time in its two largest units.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.round() as i64;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// How much of a job is done, from 0 to 1, when it is known.
pub(super) fn share(job: &Job) -> Option<f64> {
    let total = job.total.filter(|total| *total > 0)?;
    Some((job.processed? as f64 / total as f64).clamp(0.0, 1.0))
}

/// A number with its thousands apart.
pub(super) fn number(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and what it counts.
pub(super) fn count(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_thousands_apart() {
        for (count, text) in [
            (0, "0"),
            (300, "300"),
            (1204, "1,204"),
            (-12_345, "-12,345"),
            (i64::MAX, "9,223,372,036,854,775,807"),
        ] {
            assert_eq!(number(count), text);
        }
        assert_eq!(super::count(1, "row", "rows"), "1 row");
        assert_eq!(super::count(1000, "row", "rows"), "1,000 rows");
    }

    #[test]
    fn a_span_has_two_units() {
        for (seconds, text) in [
            (0.4, "0s"),
            (61.0, "1m 1s"),
            (7500.0, "2h 5m"),
            (93_600.0, "1d 2h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
