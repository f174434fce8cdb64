//! The buckets of a stage, made ready for the questions of pace, outlook and score.

use crate::snapshot::{BUCKET_SECONDS, History, UnixSeconds, bucket_of};
use crate::windows::Clock;

/// How far the pace looks back: a day.
pub(super) const DAY_BUCKETS: usize = 288;

/// A silence longer than so many mean gaps between completions means that nobody works ...
const GAP_FACTOR: f64 = 6.0;

/// ... and so does none that is shorter than a quarter of an hour.
const MIN_GAP: f64 = 900.0;

/// Which rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// All.
    Every,
    /// Those that never failed.
    Clean,
}

/// What is asked of one bucket.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    /// Rows created.
    pub(super) created: f64,
    /// Rows completed.
    pub(super) completed: f64,
    /// Rows completed that never failed.
    pub(super) clean_completed: f64,
    /// How long the rows completed had been worked on together.
    pub(super) worked: f64,
    /// The hour of the day.
    pub(super) hour: usize,
    /// Its length.
    pub(super) seconds: f64,
    /// Rows that never failed and were in the stage at its end.
    pub(super) inside: f64,
    /// Whether it shows what the stage can do, and not how much it was given.
    pub(super) saturated: bool,
    /// Whether completions show that, or silence while rows were there, however long.
    pub(super) busy: bool,
}

impl Span {
    /// Returns how many rows were completed.
    pub(super) fn completed(&self, rows: Rows) -> f64 {
        match rows {
            Rows::Every => self.completed,
            Rows::Clean => self.clean_completed,
        }
    }
}

/// What was done in the saturated ones of the oldest buckets.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Saturated {
    every: f64,
    clean: f64,
    /// How long they are together.
    pub(super) seconds: f64,
}

impl Saturated {
    /// Returns how many rows were completed.
    pub(super) fn completed(&self, rows: Rows) -> f64 {
        match rows {
            Rows::Every => self.every,
            Rows::Clean => self.clean,
        }
    }
}

/// A stage's buckets, oldest first.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) now: UnixSeconds,
    pub(super) spans: Vec<Span>,
    /// Sums over the first buckets: of none, of one, and so on.
    pub(super) saturated: Vec<Saturated>,
    /// The number on the grid of the bucket that holds now.
    pub(super) number_of_last: i64,
    /// The longest silence that is not taken for a machine that sleeps or has stopped, in seconds.
    pub(super) gap: f64,
}

impl Course {
    pub(super) fn of(history: &History, clock: &Clock) -> Self {
        let mut course = Self {
            now: history.now,
            spans: spans(history, clock),
            saturated: Vec::new(),
            number_of_last: bucket_of(history.now),
            gap: MIN_GAP,
        };
        let silences = course.saturate(history.pending > 0);
        course.gap = course.longest_pause();
        for (span, silence) in course.spans.iter_mut().zip(silences) {
            span.saturated &= silence <= course.gap;
        }
        course.saturated = sums(&course.spans);
        course
    }

    /// Returns the end of a bucket, of which `before` are older.
    pub(super) fn end(&self, before: usize) -> UnixSeconds {
        let width = f64::from(BUCKET_SECONDS);
        match self.spans.len().saturating_sub(before + 1) {
            0 => self.now,
            later => (self.number_of_last.saturating_add(1) as f64 - later as f64) * width,
        }
    }

    /// Returns how long nothing has been completed, in seconds.
    pub(super) fn silence(&self) -> f64 {
        let silent = self.spans.iter().rev();
        let silent = silent.take_while(|span| span.completed <= 0.0);
        silent.map(|span| span.seconds).sum()
    }

    /// Marks what is saturated if no silence is too long, and returns of each bucket the length of
    /// the silence that it is part of.
    ///
    /// A bucket with completions is saturated if at least half of its rows had waited. A silence
    /// belongs to the completions that end it, the last one to the rows that wait now.
    fn saturate(&mut self, rows_wait: bool) -> Vec<f64> {
        let mut silences = vec![0.0; self.spans.len()];
        let (mut ends_saturated, mut until) = (rows_wait, self.spans.len());
        for place in (0..self.spans.len()).rev() {
            let inside_before = place.checked_sub(1).map(|before| self.spans[before].inside);
            let span = &mut self.spans[place];
            if span.completed > 0.0 {
                ends_saturated = span.saturated;
                until = place;
                span.busy = span.saturated;
                continue;
            }
            span.saturated = ends_saturated;
            let rows_inside = span.inside > 0.0 && inside_before.unwrap_or(span.inside) > 0.0;
            span.busy = ends_saturated && rows_inside;
            let first = place == 0 || self.spans[place - 1].completed > 0.0;
            if first {
                let silence = self.spans[place..until].iter().map(|span| span.seconds);
                let silence = silence.sum();
                silences[place..until].fill(silence);
            }
        }
        silences
    }

    fn longest_pause(&self) -> f64 {
        let first = self.spans.len().saturating_sub(DAY_BUCKETS);
        let saturated = self.spans[first..].iter().filter(|span| span.saturated);
        let (completed, seconds) = saturated.fold((0.0, 0.0), |(completed, seconds), span| {
            (completed + span.completed, seconds + span.seconds)
        });
        if completed > 0.0 {
            (GAP_FACTOR * seconds / completed).max(MIN_GAP)
        } else {
            MIN_GAP
        }
    }
}

/// Returns the buckets with all but what is saturated in silence.
fn spans(history: &History, clock: &Clock) -> Vec<Span> {
    let width = f64::from(BUCKET_SECONDS);
    let last = bucket_of(history.now) as f64 * width;
    let mut inside = count(history.clean);
    let mut spans: Vec<Span> = Vec::with_capacity(history.buckets.len());
    for (later, bucket) in history.buckets.iter().rev().enumerate() {
        let start = last - later as f64 * width;
        let end = (start + width).min(history.now);
        let seconds = if end > start { end - start } else { width };
        let span = Span {
            created: count(bucket.created),
            completed: count(bucket.completed),
            clean_completed: count(bucket.clean_completed),
            worked: bucket.worked_seconds.max(0.0),
            hour: clock.hour(start + seconds / 2.0),
            seconds,
            inside: inside.max(0.0),
            saturated: bucket.completed > 0 && bucket.waited.saturating_mul(2) >= bucket.completed,
            busy: false,
        };
        inside += span.clean_completed - count(bucket.clean_created);
        spans.push(span);
    }
    spans.reverse();
    spans
}

fn sums(spans: &[Span]) -> Vec<Saturated> {
    let mut sums = Vec::with_capacity(spans.len() + 1);
    let mut sum = Saturated::default();
    sums.push(sum);
    for span in spans {
        if span.saturated {
            sum.every += span.completed;
            sum.clean += span.clean_completed;
            sum.seconds += span.seconds;
        }
        sums.push(sum);
    }
    sums
}

fn count(rows: i64) -> f64 {
    rows.max(0) as f64
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{clock, history};
    use super::*;

    fn course(text: &str) -> Course {
        let history = history(text);
        Course::of(&history, &clock(&history))
    }

    fn saturated(text: &str) -> String {
        let course = course(text);
        let spans = course.spans.iter();
        spans
            .map(|span| if span.saturated { 'x' } else { '.' })
            .collect()
    }

    #[test]
    fn time_is_saturated_when_half_of_its_rows_had_waited() {
        assert_eq!(
            saturated("1 x 0 4 2\n1 x 0 4 1\n1 x 0 1 1\n1 x 0 1 0"),
            "x.x."
        );
    }

    #[test]
    fn a_silence_belongs_to_what_ends_it() {
        assert_eq!(
            saturated("1 x 0 9 9\n2 x 0 0 0\n1 x 0 9 9\n1 x 0 0 0\n1 x 0 9 0"),
            "xxxx.."
        );
        assert_eq!(saturated("1 x 0 9 9\n2 x 0 0 0"), "x..");
        assert_eq!(saturated("pending 1\n1 x 0 9 9\n2 x 0 0 0"), "xxx");
    }

    #[test]
    fn a_silence_of_six_mean_gaps_is_saturated_and_a_longer_one_is_not() {
        assert_eq!(saturated("pending 1\n9 x 0 9 9\n3 x 0 0 0"), "xxxxxxxxxxxx");
        assert_eq!(
            saturated("pending 1\n9 x 0 9 9\n4 x 0 0 0"),
            "xxxxxxxxx...."
        );
        // 19 buckets with 10 completions: 6 x 570 seconds are 11 buckets.
        assert_eq!(course("10 x 0 1 1\n9 x 0 0 0\npending 1").gap, 6.0 * 570.0);
    }

    #[test]
    fn rows_in_the_stage_are_counted_back_from_now() {
        let course = course("pending 3\nprocessing 2\n1 x 7 0 0\n1 x 4 6 0\n1 x 1 2 0");
        let inside: Vec<f64> = course.spans.iter().map(|span| span.inside).collect();
        assert_eq!(inside, [8.0, 6.0, 5.0]);
    }

    #[test]
    fn the_last_bucket_ends_now() {
        let mut history = history("3 x 0 0 0");
        assert_eq!(
            Course::of(&history, &clock(&history)).spans[2].seconds,
            300.0
        );
        history.now += 120.0;
        let course = Course::of(&history, &clock(&history));
        assert_eq!(
            (course.spans[1].seconds, course.spans[2].seconds),
            (300.0, 120.0)
        );
        let ends = [0, 1, 2].map(|place| course.end(place) - history.now);
        assert_eq!(ends, [-420.0, -120.0, 0.0]);
    }
}
