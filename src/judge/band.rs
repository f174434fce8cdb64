//! How much of a drain is chance.

use super::course::{Course, DAY_BUCKETS, Span};
use super::pace::Pace;

/// Nine in ten of what is normally distributed lie above the mean less so many deviations.
const NORMAL_QUANTILE: f64 = 1.2816;

/// Completions are compared from one half hour of saturated time to the next.
const COMPARED_BUCKETS: usize = 6;

/// Half of the squares of a standard normal number are less.
const MEDIAN_SQUARE: f64 = 0.455;

/// Counts that vary more are taken to vary no more than so many times as those of a Poisson
/// process.
const MAX_DISPERSION: f64 = 25.0;

/// Returns how many times longer or shorter chance alone makes it in one of ten cases each: by the
/// completions that the pace is taken from, and by the rows that are still to be done.
pub(super) fn margin(course: &Course, pace: Option<Pace>, rows: f64) -> f64 {
    let completions = pace.map_or(1.0, |pace| pace.completions.max(1.0));
    let variance = dispersion(course) * (1.0 / completions + 1.0 / rows.max(1.0));
    (NORMAL_QUANTILE * variance.sqrt()).exp()
}

/// Returns how many times more the completions of the last day vary than those of a Poisson
/// process, no less than once: rows of very different size come in lumps.
///
/// Of the differences between one time and the next the median is taken, so that a machine that
/// falls asleep is not chance.
fn dispersion(course: &Course) -> f64 {
    let day = course.spans.iter().rev().take(DAY_BUCKETS);
    let saturated: Vec<&Span> = day.filter(|span| span.saturated).collect();
    let counts = saturated.chunks_exact(COMPARED_BUCKETS);
    let counts: Vec<f64> = counts
        .map(|spans| spans.iter().map(|span| span.completed).sum())
        .collect();
    let mut squares: Vec<f64> = counts
        .windows(2)
        .map(|pair| (pair[0] - pair[1]).powi(2) / (pair[0] + pair[1]).max(1.0))
        .collect();
    squares.sort_unstable_by(f64::total_cmp);
    let median = squares.get(squares.len() / 2).copied().unwrap_or_default();
    (median / MEDIAN_SQUARE).clamp(1.0, MAX_DISPERSION)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{clock, history};
    use super::*;

    fn margin_of(text: &str) -> f64 {
        let history = history(text);
        let course = Course::of(&history, &clock(&history));
        margin(&course, Pace::now(&course, &history), 100.0)
    }

    #[test]
    fn even_counts_leave_the_noise_of_a_poisson_process() {
        let expected = (NORMAL_QUANTILE * (2.0_f64 / 100.0).sqrt()).exp();
        let found = margin_of("pending 100\n288 x 10 10 10");
        assert!((found - expected).abs() < 1e-9, "{found}");
    }

    #[test]
    fn lumps_make_it_wider_and_one_change_of_pace_does_not() {
        let even = margin_of("pending 100\n288 x 10 10 10");
        let lumps = ["6 x 10 20 20", "6 x 10 2 2"].repeat(24).join("\n");
        assert!(margin_of(&format!("pending 100\n{lumps}")) > even * 1.5);
        let slower = margin_of("pending 100\n144 x 10 20 20\n144 x 10 10 10");
        assert!((slower - even).abs() < 1e-9, "{slower}");
    }

    #[test]
    fn without_a_pace_anything_may_come() {
        assert!(margin_of("pending 100").is_finite());
    }
}
