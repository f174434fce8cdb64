//! When a stage is done, in words that are the same on every view.

use crate::judge::deadline::Deadline;
use crate::judge::outlook::Outlook;
use crate::judge::prospect::Prospect;

/// A unit of time: its name, how long it is in seconds, and from how many of them on the next one
/// reads better.
const UNITS: [(&str, f64, f64); 4] = [
    ("s", 1.0, 90.0),
    ("min", 60.0, 90.0),
    ("h", 3600.0, 36.0),
    ("days", 86_400.0, f64::INFINITY),
];

/// Where a stage goes, as people say it.
pub(super) fn outlook(outlook: Outlook) -> &'static str {
    match outlook {
        Outlook::KeepingUp => "keeping up",
        other => other.as_str(),
    }
}

/// How long until a stage is done, with the band where it is known: `about 40 min (25 to 70)`.
pub(super) fn drain(prospect: &Prospect) -> Option<String> {
    let drain = prospect.drain.filter(|drain| *drain > 0.0)?;
    let unit = unit_of(drain);
    let about = format!("about {}", in_unit(drain, unit));
    let band = prospect.drain_low.zip(prospect.drain_high);
    Some(match band {
        Some((low, high)) => {
            let (low, high) = (amount(low, unit), amount(high, unit));
            format!("{about} ({low} to {high})")
        }
        None => about,
    })
}

/// A time in the unit that reads best: `40 min`.
pub(super) fn time(seconds: f64) -> String {
    in_unit(seconds, unit_of(seconds))
}

/// A deadline and whether it will be kept: `due by 08:00, 25 min to spare`.
pub(super) fn deadline(deadline: &Deadline) -> String {
    let due = format!("due by {}", deadline.by);
    match (deadline.late(), deadline.slack) {
        (Some(late), _) => format!("{due}, may be {} late", time(late)),
        (None, Some(slack)) => format!("{due}, {} to spare", time(slack)),
        (None, None) => due,
    }
}

fn unit_of(seconds: f64) -> (&'static str, f64) {
    let fits = |(_, length, enough): &&(&str, f64, f64)| seconds < length * enough;
    let found = UNITS.iter().find(fits).unwrap_or(&UNITS[UNITS.len() - 1]);
    (found.0, found.1)
}

fn in_unit(seconds: f64, unit: (&str, f64)) -> String {
    format!("{} {}", amount(seconds, unit), unit.0)
}

/// Two digits are as many as a prediction is worth.
fn amount(seconds: f64, (_, length): (&str, f64)) -> String {
    let amount = seconds / length;
    let digits = usize::from(amount < 9.95 && length > 60.0);
    format!("{amount:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prospect(drain: Option<f64>, band: Option<(f64, f64)>) -> Prospect {
        Prospect {
            outlook: Outlook::Draining,
            pace: None,
            drain,
            drain_with_upstream: None,
            drain_low: band.map(|(low, _)| low),
            drain_high: band.map(|(_, high)| high),
            score: None,
        }
    }

    #[test]
    fn a_drain_is_told_in_one_unit() {
        let told = |seconds, band| drain(&prospect(Some(seconds), band));
        for (seconds, band, words) in [
            (40.0, None, "about 40 s"),
            (2400.0, Some((1500.0, 4200.0)), "about 40 min (25 to 70)"),
            (5340.0, Some((4000.0, 9000.0)), "about 89 min (67 to 150)"),
            (5400.0, Some((4000.0, 9000.0)), "about 1.5 h (1.1 to 2.5)"),
            (
                50_000.0,
                Some((36_000.0, 72_000.0)),
                "about 14 h (10 to 20)",
            ),
            (1e6, None, "about 12 days"),
        ] {
            assert_eq!(told(seconds, band).as_deref(), Some(words));
        }
        assert_eq!(told(0.0, None), None);
        assert_eq!(drain(&prospect(None, None)), None);
    }

    #[test]
    fn a_deadline_is_told_with_what_is_left() {
        let told = |slack| {
            deadline(&Deadline {
                stage: String::new(),
                machine: String::new(),
                by: "08:00".to_owned(),
                at: 0.0,
                slack,
            })
        };
        assert_eq!(told(None), "due by 08:00");
        assert_eq!(told(Some(1500.0)), "due by 08:00, 25 min to spare");
        assert_eq!(told(Some(-7200.0)), "due by 08:00, may be 2.0 h late");
    }
}
