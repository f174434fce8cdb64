//! How a job gets on: at its pace so far, unless its latest work contradicts that.
//!
//! The pace so far is the surest as long as it holds, and wrong for hours after a warm-up, a sleep
//! or a change. So the last half an hour of work is asked whether it can be true, and is believed
//! where it says no. One rest is no part of the pace. A job that rests again and again does so
//! until its end, and only its pace so far has all of that in it.

use crate::snapshot::{Beat, JobRow, UnixSeconds};

use super::{forecast, seconds_between};

/// A stretch is a rest if it is longer than so many seconds ...
const REST_SECONDS: f64 = 300.0;

/// ... and so many times slower than the usual one.
const REST_SLOWNESS: f64 = 5.0;

/// How much of the latest work is asked, in seconds.
const LATEST_SECONDS: f64 = 1800.0;

/// One stretch alone may be half a rest: it contradicts nothing.
const MIN_STRETCHES: usize = 2;

/// The pace so far is contradicted by a pace that differs by so many times its own error.
const ERRORS: f64 = 1.5;

/// Returns how many seconds a job still needs, from how long it has run by now.
pub(super) fn eta_seconds(job: &JobRow, elapsed: f64, now: UnixSeconds) -> Option<f64> {
    let done = job.processed?;
    let left = job.total?.saturating_sub(done);
    let eta = |seconds, items| forecast::job_eta_seconds(seconds, items, left);
    let so_far = eta(elapsed, done)?;
    let Some(progress) = Progress::of(&job.beats, now).filter(Progress::seldom_rests) else {
        return Some(so_far);
    };
    let rest = progress.rest;
    let worked = Stretch {
        seconds: (elapsed - rest).max(0.0),
        items: done,
    };
    let pace = progress.contradiction(worked).unwrap_or(worked);
    // As likely as not a rest lasts as long again.
    let eta = eta(pace.seconds, pace.items)? + rest;
    eta.is_finite().then_some(eta)
}

/// So many items in so many seconds.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    seconds: f64,
    items: i64,
}

impl Stretch {
    fn between(from: Beat, to: Beat) -> Self {
        Self {
            seconds: seconds_between(from.at, to.at),
            items: to.processed.saturating_sub(from.processed),
        }
    }

    fn seconds_an_item(self) -> f64 {
        self.seconds / self.items as f64
    }

    fn is_rest(self, usual: f64) -> bool {
        self.seconds > REST_SECONDS && self.seconds_an_item() > usual * REST_SLOWNESS
    }
}

/// What a job's beats tell.
struct Progress {
    /// Stretches without a rest, oldest first.
    work: Vec<Stretch>,
    /// How many stretches were rests.
    rests: usize,
    /// How long it has rested now, in seconds; nothing while it works.
    rest: f64,
}

impl Progress {
    /// Returns what the beats tell by now; nothing if they are fewer than two.
    fn of(beats: &[Beat], now: UnixSeconds) -> Option<Self> {
        let stretches = beats.windows(2);
        let stretches = stretches.map(|pair| Stretch::between(pair[0], pair[1]));
        let stretches: Vec<_> = stretches.collect();
        let usual = usual(&stretches)?;
        let since = Stretch {
            seconds: seconds_between(beats.last()?.at, now),
            items: 1,
        };
        let (rests, work): (Vec<_>, Vec<_>) =
            stretches.iter().partition(|stretch| stretch.is_rest(usual));
        Some(Self {
            work,
            rests: rests.len(),
            rest: if since.is_rest(usual) {
                since.seconds
            } else {
                0.0
            },
        })
    }

    fn seldom_rests(&self) -> bool {
        self.rests + usize::from(self.rest > 0.0) <= 1
    }

    /// Returns the latest work, if the pace so far cannot be true beside it.
    fn contradiction(&self, so_far: Stretch) -> Option<Stretch> {
        let latest = self.latest();
        let sum = Stretch {
            seconds: latest.iter().map(|stretch| stretch.seconds).sum(),
            items: latest
                .iter()
                .fold(0, |sum, stretch| sum.saturating_add(stretch.items)),
        };
        let differ = (so_far.seconds_an_item() / sum.seconds_an_item())
            .ln()
            .abs();
        let contradicts = latest.len() >= MIN_STRETCHES && differ > ERRORS * error(latest, sum);
        contradicts.then_some(sum)
    }

    fn latest(&self) -> &[Stretch] {
        let mut seconds = 0.0;
        let enough = self.work.iter().rposition(|stretch| {
            seconds += stretch.seconds;
            seconds >= LATEST_SECONDS
        });
        &self.work[enough.unwrap_or(0)..]
    }
}

/// The median time of an item, in seconds.
fn usual(stretches: &[Stretch]) -> Option<f64> {
    let times = stretches.iter().map(|stretch| stretch.seconds_an_item());
    let mut times: Vec<_> = times.collect();
    let middle = times.len().checked_sub(1)? / 2;
    let (_, usual, _) = times.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*usual)
}

/// The standard error of a pace, as a share of it: how far its stretches are off, and one more
/// that is off by all its items, so that a few that agree by chance prove little.
fn error(stretches: &[Stretch], sum: Stretch) -> f64 {
    let items = sum.items as f64;
    let off = |stretch: &Stretch| stretch.items as f64 - stretch.seconds * items / sum.seconds;
    let squares: f64 = stretches.iter().map(|stretch| off(stretch).powi(2)).sum();
    let one_more = items / stretches.len() as f64;
    (squares + one_more.powi(2)).sqrt() / items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::heartbeats::Heartbeats;
    use proptest::prelude::*;

    const STARTED: UnixSeconds = 1_800_000_000.0;

    /// Scrapes a job of 1000 items, as `AT PROCESSED` in minutes since its start; returns how many
    /// minutes it still needs at an instant.
    fn eta(scrapes: &[(f64, i64)], now: f64) -> Option<f64> {
        let heartbeats = Heartbeats::default();
        let rows = scrapes.iter().map(|&(at, processed)| {
            let mut rows = [JobRow {
                state: Some(JobRow::RUNNING.into()),
                processed: Some(processed),
                total: Some(1000),
                started_at: Some(STARTED),
                updated_at: Some(STARTED + at * 60.0),
                ..JobRow::default()
            }];
            heartbeats.remember(&mut rows);
            let [row] = rows;
            row
        });
        let last = rows.last().expect("a scrape");
        eta_seconds(&last, now * 60.0, STARTED + now * 60.0).map(|seconds| seconds / 60.0)
    }

    /// Beats of every minute from one until another, at ten items a minute.
    fn steady(from: i64, until: i64, done: i64) -> Vec<(f64, i64)> {
        let beats = from..=until;
        beats
            .map(|minute| (minute as f64, done + 10 * (minute - from)))
            .collect()
    }

    fn close(eta: Option<f64>, minutes: f64) {
        let known = eta.expect("an ETA");
        assert!((known - minutes).abs() < 1e-6, "{known}, not {minutes}");
    }

    #[test]
    fn a_steady_job_goes_on_as_so_far() {
        close(eta(&steady(0, 40, 0), 40.0), 60.0);
        // Unchanged by what the minutes differ by chance.
        close(eta(&[(10.0, 100), (12.0, 110), (15.0, 150)], 15.0), 85.0);
    }

    #[test]
    fn without_two_stretches_it_goes_on_as_so_far() {
        close(eta(&[(50.0, 100)], 50.0), 450.0);
        close(eta(&[(50.0, 100), (52.0, 300)], 54.0), 126.0);
        assert_eq!(eta(&[(50.0, 0)], 50.0), None);
        assert_eq!(eta(&[(50.0, 1000)], 50.0), None);
    }

    #[test]
    fn a_sleep_that_is_over_is_not_counted() {
        close(eta(&steady(240, 260, 100), 260.0), 70.0);
        let seen = [steady(0, 20, 0), steady(260, 270, 210)].concat();
        close(eta(&seen, 270.0), 69.0);
    }

    #[test]
    fn a_warm_up_is_not_counted() {
        let warm = [(0.0, 0), (5.0, 0), (10.0, 0), (15.0, 1)];
        close(eta(&[&warm[..], &steady(16, 26, 11)].concat(), 26.0), 88.9);
    }

    #[test]
    fn a_job_that_rests_may_rest_as_long_again() {
        let worked = steady(0, 20, 0);
        close(eta(&worked, 24.0), 80.0);
        close(eta(&worked, 80.0), 80.0 + 60.0);
        close(eta(&worked, 260.0), 80.0 + 240.0);
        let beating = [worked, vec![(30.0, 200), (80.0, 200)]].concat();
        close(eta(&beating, 80.0), 80.0 + 60.0);
    }

    #[test]
    fn rests_that_come_again_are_part_of_the_pace() {
        let shifts = [steady(0, 10, 0), steady(30, 40, 110), steady(60, 70, 220)];
        close(eta(&shifts.concat(), 70.0), 70.0 * 680.0 / 320.0);
    }

    #[test]
    fn a_job_that_begins_anew_is_not_measured_by_what_it_did_before() {
        let anew = [steady(0, 60, 0), vec![(61.0, 10), (62.0, 20)]].concat();
        close(eta(&anew, 62.0), 62.0 * 980.0 / 20.0);
        let later = [anew, steady(63, 83, 30)].concat();
        close(eta(&later, 83.0), 77.0);
    }

    proptest! {
        #[test]
        fn an_eta_is_a_time_whatever_the_beats(
            scrapes in proptest::collection::vec((-1e3_f64..1e4, -10_i64..1100), 1..100),
            now in -1e3_f64..1e6,
            odd in proptest::option::of((proptest::num::f64::ANY, any::<i64>())),
        ) {
            let scrapes: Vec<_> = scrapes.into_iter().chain(odd).collect();
            let known = eta(&scrapes, now.max(0.0));
            prop_assert!(known.is_none_or(|eta| eta.is_finite() && eta >= 0.0), "{known:?}");
        }

        #[test]
        fn it_never_counts_down_while_nothing_is_heard(minutes in 0.0_f64..1e5, more in 0.0_f64..1e3) {
            let beats = steady(0, 20, 0);
            let (now, later) = (20.0 + minutes, 20.0 + minutes + more);
            prop_assert!(eta(&beats, later) >= eta(&beats, now));
        }
    }
}
