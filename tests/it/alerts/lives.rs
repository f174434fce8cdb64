use std::collections::VecDeque;
use std::fmt::Write;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use fastrand::Rng;
use queueboard_exporter::judge::outlook::Outlook;
use queueboard_exporter::judge::prospect;
use queueboard_exporter::snapshot::{Bucket, History};
use queueboard_exporter::windows::Clock;
use tempfile::TempDir;

use super::{RULES, in_repository};
use crate::support::pipe;

const BUCKET_MINUTES: i64 = 5;
const BUCKETS_A_DAY: usize = 24 * 60 / 5;

/// Of the first day nothing is told: it is what the exporter found in the tables.
const DAYS: usize = 4;

/// What `Prometheus` scrapes of one stage, every 5 minutes.
#[derive(Default)]
struct Life {
    pending: Vec<i64>,
    oldest: Vec<i64>,
    drain: Vec<Option<f64>>,
    outlook: Vec<Outlook>,
}

/// A count of what comes at random, so many on average.
fn poisson(rng: &mut Rng, mean: f64) -> i64 {
    let (mut count, mut product) = (0, rng.f64());
    while product > (-mean).exp() {
        count += 1;
        product *= rng.f64();
    }
    count
}

/// A stage with a backlog into which as many rows come as are completed, so many an hour.
fn balanced(seed: u64, backlog: i64, an_hour: f64) -> Life {
    let mut rng = Rng::with_seed(seed);
    let begin = DateTime::from_timestamp(1_795_500_000, 0).expect("an instant");
    let spacing = (3600.0 / an_hour) as i64;
    let mut waiting: VecDeque<i64> = (1..=backlog).rev().map(|n| -n * spacing).collect();
    let mut buckets: VecDeque<Bucket> = VecDeque::new();
    let mut life = Life::default();
    for step in 1..=(DAYS * BUCKETS_A_DAY) as i64 {
        let at = step * 60 * BUCKET_MINUTES;
        let created = poisson(&mut rng, an_hour / 12.0);
        let completed = poisson(&mut rng, an_hour / 12.0).min(waiting.len() as i64);
        waiting.extend((0..created).map(|_| at));
        waiting.drain(..completed as usize);
        buckets.push_back(Bucket {
            created,
            completed,
            waited: completed,
            worked_seconds: completed as f64 * 3600.0 / an_hour,
            clean_created: created,
            clean_completed: completed,
        });
        if buckets.len() > BUCKETS_A_DAY {
            buckets.pop_front();
            let now = begin + TimeDelta::seconds(at);
            let pending = waiting.len() as i64;
            let history = History {
                now: now.timestamp() as f64,
                buckets: buckets.iter().copied().collect(),
                pending,
                clean: pending,
                ..History::default()
            };
            let prospect = prospect::judge(&history, &Clock::at(now, Tz::UTC));
            life.pending.push(pending);
            life.oldest
                .push(waiting.front().map_or(at, |oldest| *oldest) - 86_400);
            life.drain.push(prospect.drain);
            life.outlook.push(prospect.outlook);
        }
    }
    life
}

impl Life {
    /// A test of promtool: whatever fires in this life fires until its end.
    fn test(&self, name: &str) -> String {
        let labels = "job=\"queueboard\",instance=\"q:9886\",machine=\"gpu\",stage=\"embed\"";
        let mut series = String::new();
        let mut add = |metric: &str, more: &str, values: Vec<String>| {
            let values = values.join(" ");
            let line = format!(
                "{{series: 'queueboard_stage_{metric}{{{labels}{more}}}', values: '{values}'}}"
            );
            writeln!(series, "      - {line}").expect("a line");
        };
        let text = |values: &[i64]| values.iter().map(i64::to_string).collect();
        add("items", ",status=\"pending\"", text(&self.pending));
        add("deferred", "", text(&vec![0; self.pending.len()]));
        add("oldest_pending_timestamp_seconds", "", text(&self.oldest));
        let drain = self.drain.iter();
        let drain = drain.map(|drain| drain.map_or("stale".to_owned(), |drain| drain.to_string()));
        add("drain_seconds", "", drain.collect());
        for state in Outlook::ALL {
            let values = self
                .outlook
                .iter()
                .map(|outlook| i64::from(*outlook == state));
            let more = format!(",state=\"{}\"", state.as_str());
            add("outlook", &more, text(&values.collect::<Vec<_>>()));
        }
        let firing = "ALERTS{alertstate=\"firing\"}";
        let minutes = self.pending.len() as i64 * BUCKET_MINUTES;
        format!(
            "  - name: {name}\n    interval: 5m\n    input_series:\n{series}    promql_expr_test:\n      \
             - {{expr: 'count_over_time(({firing} offset 5m unless {firing})[{minutes}m:5m])', \
             eval_time: {minutes}m, exp_samples: []}}\n"
        )
    }
}

/// As many rows come as are completed, by chance: the backlog is neither done nor grows. That it
/// takes a day, or nearly, is told once or not at all.
#[test]
fn a_backlog_that_stands_still_makes_no_ticket_that_heals() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("lives.yml");
    let mut tests = format!(
        "rule_files: ['{}']\nevaluation_interval: 5m\ntests:\n",
        in_repository(RULES)
    );
    for an_hour in [60.0, 200.0, 208.0, 212.0, 220.0, 900.0] {
        for seed in 0..2 {
            let life = balanced(seed, 5000, an_hour);
            tests += &life.test(&format!("{an_hour} an hour, {seed}"));
        }
    }
    std::fs::write(&file, tests).expect("the tests are written");
    pipe(
        "promtool",
        &["test", "rules", &file.display().to_string()],
        "",
    );
}
