//! Simulated background jobs: what is said of them against when they ended.
//!
//! A job is scraped every half a minute, minute, two or five minutes, and sends a heartbeat every
//! minute; what is said is compared every five minutes from its fifth minute on.

use chrono::DateTime;
use fastrand::Rng;
use queueboard_exporter::collect::heartbeats::Heartbeats;
use queueboard_exporter::config::{self, Pipeline};
use queueboard_exporter::judge::{forecast, judge};
use queueboard_exporter::snapshot::{Id, JobRow, JobRows, Snapshot};

use crate::table::FIRST_MIDNIGHT;
use crate::tally::factor;

/// How often a job is scraped, in seconds, from one seed to the next.
const SCRAPES: [usize; 4] = [30, 60, 120, 300];

/// How often a job sends a heartbeat, in seconds.
const HEARTBEAT: f64 = 60.0;

/// How often what is said is compared, in seconds.
const MOMENT: usize = 300;

/// How long one that sleeps does so, in seconds.
const SLEEP: f64 = 4.0 * 3600.0;

/// How many percentage points, and by which factor, ours may be worse by chance.
const CHANCE: (f64, f64) = (1.0, 1.02);

/// A kind of job, and what is asked of it.
struct Kind {
    name: &'static str,
    ends: fn(&mut Rng) -> Vec<f64>,
    /// Whether no heartbeat is sent while no item is done for long.
    silent: bool,
    /// The percentage points by which more of what is said is right within a factor of 1.5 than
    /// is at the pace so far.
    gain: f64,
}

const KINDS: [Kind; 8] = [
    kind("steady", |rng| ends(rng, 2000, |_| 6.0), 0.0),
    kind("slowing", |rng| ends(rng, 2000, |x| 6.0 + 12.0 * x), 30.0),
    kind(
        "two phases",
        |rng| ends(rng, 2000, |x| if x < 0.7 { 6.0 } else { 30.0 }),
        40.0,
    ),
    kind(
        "warm-up",
        |rng| later(ends(rng, 2000, |_| 6.0), 0.0, 900.0),
        5.0,
    ),
    kind(
        "asleep",
        |rng| later(ends(rng, 2000, |_| 6.0), 0.4, SLEEP),
        20.0,
    ),
    Kind {
        silent: true,
        ..kind(
            "asleep and silent",
            |rng| later(ends(rng, 2000, |_| 6.0), 0.4, SLEEP),
            20.0,
        )
    },
    // What a look at the latest work can only spoil: few items, and a job that works in shifts.
    kind("forty items", |rng| ends(rng, 40, |_| 600.0), -5.0),
    kind("in shifts", |rng| shifts(ends(rng, 2000, |_| 6.0)), -5.0),
];

const fn kind(name: &'static str, ends: fn(&mut Rng) -> Vec<f64>, gain: f64) -> Kind {
    Kind {
        name,
        ends,
        silent: false,
        gain,
    }
}

#[test]
fn jobs_are_judged_better_than_at_their_pace_so_far() {
    let missed = judge_all(8);
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
#[ignore = "run by tests/eta/run"]
fn many_jobs_are_judged_better_than_at_their_pace_so_far() {
    let missed = judge_all(100);
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Judges so many jobs of each kind, prints the table and returns which bars are missed.
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn judge_all(seeds: u64) -> Vec<String> {
    let pipeline = config::parse("").expect("the default configuration");
    println!(
        "kind of job       | so far: have in1.5  in2 median  p90 | ours: have in1.5  in2 median  p90"
    );
    let mut missed = Vec::new();
    for kind in &KINDS {
        let mut errors = Errors::default();
        for seed in 0..seeds {
            errors.add(kind, seed, &pipeline);
        }
        let former = Found::of(&errors.former, errors.moments);
        let found = Found::of(&errors.ours, errors.moments);
        println!("{:17} | {:>7} {former} | {:>5} {found}", kind.name, "", "");
        missed.extend(kind.missed(&former, &found));
    }
    missed
}

/// The logarithms of predicted over actual time.
#[derive(Default)]
struct Errors {
    moments: usize,
    former: Vec<f64>,
    ours: Vec<f64>,
}

impl Errors {
    /// Lets a job run, scraped all the while.
    fn add(&mut self, kind: &Kind, seed: u64, pipeline: &Pipeline) {
        let ends = (kind.ends)(&mut Rng::with_seed(seed));
        let every = SCRAPES[seed as usize % SCRAPES.len()];
        let last = ends[ends.len() - 1];
        let heartbeats = Heartbeats::default();
        for now in (every..last as usize).step_by(every) {
            let mut rows = [kind.row(&ends, now as f64)];
            heartbeats.remember(&mut rows);
            if now % MOMENT > 0 {
                continue;
            }
            let [row] = rows;
            let done = row.processed.unwrap_or_default();
            let left = ends.len() as i64 - done;
            let former = forecast::job_eta_seconds(now as f64, done, left);
            let error = |said: f64| (said / (last - now as f64)).ln();
            self.moments += 1;
            self.former.extend(former.map(error));
            self.ours.extend(said(row, now, pipeline).map(error));
        }
    }
}

/// What the board says of a job.
fn said(row: JobRow, now: usize, pipeline: &Pipeline) -> Option<f64> {
    let now = FIRST_MIDNIGHT as i64 + now as i64;
    let snapshot = Snapshot {
        now: DateTime::from_timestamp(now, 0),
        jobs: Some(JobRows {
            details: vec![row],
            counts: Vec::new(),
        }),
        ..Snapshot::default()
    };
    judge(&snapshot, pipeline).jobs?.details[0].eta
}

impl Kind {
    /// Returns what a scrape reads of a job whose items end then.
    fn row(&self, ends: &[f64], now: f64) -> JobRow {
        let done = |at: f64| ends.partition_point(|end| *end <= at);
        let mut beat = now - now % HEARTBEAT;
        let silence = done(now).checked_sub(1).map(|item| ends[item]);
        if let Some(since) = silence.filter(|since| self.silent && beat - since > HEARTBEAT * 5.0) {
            beat = since + HEARTBEAT - since % HEARTBEAT;
        }
        JobRow {
            id: Id::from(1),
            state: Some(JobRow::RUNNING.into()),
            processed: Some(done(beat) as i64),
            total: Some(ends.len() as i64),
            started_at: Some(FIRST_MIDNIGHT),
            updated_at: Some(FIRST_MIDNIGHT + beat),
            ..JobRow::default()
        }
    }

    /// Returns what is missed, in words.
    fn missed(&self, former: &Found, found: &Found) -> Vec<String> {
        let (points, factor) = CHANCE;
        // What is worth its price elsewhere may cost that.
        let worst = if self.gain < 0.0 { 1.4 } else { factor };
        let least = former.within + self.gain - points;
        let checks = [
            ("have", found.have >= former.have),
            ("within 1.5", found.within >= least),
            (
                "within two",
                found.within_two >= former.within_two + self.gain.min(0.0) - points,
            ),
            ("median", found.median <= former.median * worst),
            ("p90", found.p90 <= former.p90 * worst),
        ];
        let missed = checks.iter().filter(|(_, met)| !met);
        missed
            .map(|(what, _)| format!("{}: {what}: {found}", self.name))
            .collect()
    }
}

/// Shares in percent, and how many times too long or too short.
struct Found {
    have: f64,
    within: f64,
    within_two: f64,
    median: f64,
    p90: f64,
}

impl Found {
    fn of(errors: &[f64], moments: usize) -> Self {
        let share = |count: usize| count as f64 * 100.0 / moments as f64;
        let within = |times: f64| {
            let right = errors.iter().filter(|error| error.abs() <= times.ln());
            share(right.count())
        };
        Self {
            have: share(errors.len()),
            within: within(1.5),
            within_two: within(2.0),
            median: factor(errors, 0.5),
            p90: factor(errors, 0.9),
        }
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:3.0}% {:4.0}% {:3.0}%  {:5.2} {:4.2}",
            self.have, self.within, self.within_two, self.median, self.p90
        )
    }
}

/// When each item of a job is done, in seconds since its start. An item takes as long in the mean as
/// is usual at that share of the job.
fn ends(rng: &mut Rng, items: usize, mean: fn(f64) -> f64) -> Vec<f64> {
    let mut end = 0.0;
    let item = |number: usize| {
        end += mean(number as f64 / items as f64) * log_normal(rng);
        end
    };
    (0..items).map(item).collect()
}

/// A log-normal number whose mean is 1.
fn log_normal(rng: &mut Rng) -> f64 {
    const SHAPE: f64 = 0.8;
    let (radius, angle) = (1.0 - rng.f64(), rng.f64());
    let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
    (SHAPE * normal - SHAPE * SHAPE / 2.0).exp()
}

/// Nothing is done for a while after that share of the time.
fn later(mut ends: Vec<f64>, share: f64, seconds: f64) -> Vec<f64> {
    let from = ends[ends.len() - 1] * share;
    for end in ends.iter_mut().filter(|end| **end > from) {
        *end += seconds;
    }
    ends
}

/// Nothing is done for twenty minutes after every ten.
fn shifts(mut ends: Vec<f64>) -> Vec<f64> {
    for end in &mut ends {
        *end += (*end / 600.0).floor() * 1200.0;
    }
    ends
}
