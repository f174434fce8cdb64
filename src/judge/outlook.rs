//! Where a stage goes.

use crate::snapshot::{BUCKET_SECONDS, History};

use super::course::Course;

/// Work for less than five minutes is little.
const LITTLE_WORK_SECONDS: f64 = 300.0;

/// The two windows in which arrivals and completions must differ: a quarter of an hour ...
const SHORT_BUCKETS: usize = 3;

/// ... and an hour.
const LONG_BUCKETS: usize = 12;

/// They differ if by more than so many standard deviations of a Poisson count.
const DEVIATIONS: f64 = 2.0;

/// Where a stage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outlook {
    /// Nothing waits.
    Empty,
    /// There is little work.
    KeepingUp,
    /// There will be less of it.
    Draining,
    /// Nothing says that there will be less or more of it.
    Steady,
    /// There will be more of it.
    Growing,
    /// Rows wait, and nothing is completed.
    Stalled,
}

impl Outlook {
    /// Every outlook.
    pub const ALL: [Self; 6] = [
        Self::Empty,
        Self::KeepingUp,
        Self::Draining,
        Self::Steady,
        Self::Growing,
        Self::Stalled,
    ];

    /// Returns whether somebody should look at it if it stays so.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Growing | Self::Stalled)
    }

    /// Returns the value of the `state` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::KeepingUp => "keeping_up",
            Self::Draining => "draining",
            Self::Steady => "steady",
            Self::Growing => "growing",
            Self::Stalled => "stalled",
        }
    }
}

/// Judges where a stage goes, by how many of its rows that wait are deferred to a known time, by its
/// pace, and by how many rows will wait in six hours.
pub(super) fn outlook(
    history: &History,
    course: &Course,
    deferred: f64,
    pace: Option<f64>,
    level: impl FnOnce() -> Option<f64>,
) -> Outlook {
    if history.pending <= 0 {
        return Outlook::Empty;
    }
    let pending = history.pending as f64;
    if pending > deferred && is_stalled(course, pending - deferred) {
        return Outlook::Stalled;
    }
    let rows = pending + history.processing.max(0) as f64;
    if rows < pace.unwrap_or_default() * LITTLE_WORK_SECONDS {
        return Outlook::KeepingUp;
    }
    // A stage of few rows an hour never differs by more than chance in a quarter of one: to drain,
    // it is enough that the quarter does not contradict the hour.
    let (short, long) = (excess(course, SHORT_BUCKETS), excess(course, LONG_BUCKETS));
    let grows = short > DEVIATIONS && long > DEVIATIONS;
    let drains = short <= 0.0 && long < -DEVIATIONS;
    if !grows && !drains {
        return Outlook::Steady;
    }
    match level() {
        Some(level) if grows && level > pending => Outlook::Growing,
        Some(level) if drains && level < pending => Outlook::Draining,
        _ => Outlook::Steady,
    }
}

/// Nothing has been completed for too long, though rows were in the stage when that time began:
/// some that never failed, or others, if more wait than have come since.
fn is_stalled(course: &Course, waiting: f64) -> bool {
    let buckets = (course.gap / f64::from(BUCKET_SECONDS)).ceil() as usize;
    let mut spans = course.spans.iter().rev();
    let came: f64 = spans.by_ref().take(buckets).map(|span| span.created).sum();
    let were_inside = spans.next().is_none_or(|then| then.inside > 0.0);
    course.silence() > course.gap && (were_inside || waiting > came)
}

/// How many standard deviations more rows were created than completed in the latest buckets.
fn excess(course: &Course, buckets: usize) -> f64 {
    let latest = course.spans.iter().rev().take(buckets);
    let (created, completed) = latest.fold((0.0, 0.0), |(created, completed), span| {
        (created + span.created, completed + span.completed)
    });
    (created - completed) / f64::max(created + completed, 1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::prospect;
    use super::*;

    fn outlook_of(text: &str) -> Outlook {
        prospect(text).outlook
    }

    #[test]
    fn little_work_is_none_to_speak_of() {
        assert_eq!(outlook_of("288 x 10 10 10"), Outlook::Empty);
        assert_eq!(outlook_of("pending 5\n288 x 10 10 10"), Outlook::KeepingUp);
        assert_eq!(outlook_of("pending 50\n288 x 10 10 10"), Outlook::Steady);
    }

    #[test]
    fn more_than_chance_in_both_windows_is_growth() {
        assert_eq!(
            outlook_of("pending 300\n276 x 10 10 10\n12 x 30 10 10"),
            Outlook::Growing
        );
        assert_eq!(
            outlook_of("pending 300\n285 x 10 10 10\n3 x 12 10 10"),
            Outlook::Steady
        );
        let over = "pending 300\n276 x 10 10 10\n9 x 30 10 10\n3 x 10 10 10";
        assert_eq!(outlook_of(over), Outlook::Steady);
    }

    #[test]
    fn a_slow_stage_drains_too() {
        assert_eq!(
            outlook_of("pending 300\n276 x 10 10 10\n12 x 2 10 10"),
            Outlook::Draining
        );
        let slow = ["1 x 0 1 1", "1 x 0 0 0"].repeat(6).join("\n");
        assert_eq!(
            outlook_of(&format!("pending 30\n{slow}")),
            Outlook::Draining
        );
    }

    #[test]
    fn silence_while_rows_wait_is_a_standstill() {
        assert_eq!(
            outlook_of("pending 50\n284 x 10 10 10\n4 x 1 0 0"),
            Outlook::Stalled
        );
        assert_eq!(
            outlook_of("pending 50\n285 x 10 10 10\n3 x 1 0 0"),
            Outlook::Steady
        );
        assert_eq!(outlook_of("pending 50\n12 x 10 0 0"), Outlook::Stalled);
        // Rows that failed before were created long ago, and wait all the same.
        assert_eq!(outlook_of("pending 50\n288 x 0 0 0"), Outlook::Stalled);
        // The rows have only just come.
        assert_ne!(
            outlook_of("pending 50\n100 x 0 0 0\n1 x 50 0 0"),
            Outlook::Stalled
        );
    }

    #[test]
    fn rows_that_wait_for_a_known_time_are_no_standstill() {
        let silent = "284 x 10 10 10\n40 x 1 0 0";
        let some = format!("pending 50\ndeferred 3600 49\n{silent}");
        assert_eq!(outlook_of(&some), Outlook::Stalled);
        let all = format!("pending 50\ndeferred 3600 50\n{silent}");
        assert_ne!(outlook_of(&all), Outlook::Stalled);
    }
}
