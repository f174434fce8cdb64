use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use fastrand::Rng;

use queueboard_exporter::judge::prospect::{self, Prospect};
use queueboard_exporter::snapshot::{Bucket, DeferredRows, History};
use queueboard_exporter::windows::Clock;

use crate::support::{Database, Engine, Exporter, Options, Series};

/// Stages of the default configuration, with the machine that has each.
const STAGES: [(&str, &str); 3] = [
    ("embed", "gpu"),
    ("summarize", "macmini"),
    ("deep_summary", "macbook"),
];

/// Zones and instants: a boundary of buckets, one beside it, and days that change their clock.
const CLOCKS: [(Tz, &str); 5] = [
    (Tz::Asia__Seoul, "2026-11-24T05:00:00.000Z"),
    (Tz::Asia__Seoul, "2026-11-24T14:59:59.999Z"),
    (Tz::America__New_York, "2026-03-08T09:31:07.250Z"),
    (Tz::America__New_York, "2026-11-01T06:30:00.001Z"),
    (Tz::Asia__Beirut, "2026-03-29T20:15:00.000Z"),
];

const BUCKET: i64 = 300_000;

/// What one row of the queue tells of a stage, instants in milliseconds.
#[derive(Debug, Clone, Default)]
struct Row {
    stage: usize,
    status: &'static str,
    created: i64,
    started: Option<i64>,
    completed: Option<i64>,
    failed_once: bool,
    skipped: bool,
    /// The text of `deferred_until`, and what it means.
    until: Option<(String, i64)>,
}

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())].clone()
}

/// An instant within so many milliseconds before `now`, at the edge of a bucket now and then.
fn before(rng: &mut Rng, now: i64, within: i64) -> i64 {
    let at = now - rng.i64(0..within);
    match rng.u8(0..8) {
        0 => at.div_euclid(BUCKET) * BUCKET,
        1 => at.div_euclid(BUCKET) * BUCKET + 1,
        _ => at,
    }
}

fn row(rng: &mut Rng, now: i64) -> Row {
    const HOUR: i64 = 3_600_000;
    let within = pick(rng, &[HOUR, 6 * HOUR, 30 * HOUR, 30 * HOUR]);
    let created = before(rng, now, within);
    let waits = [
        0, 59_999, 60_000, 60_001, 900_000, 1_800_000, 5_400_000, -5_000,
    ];
    let waited = pick(rng, &waits);
    let worked = pick(rng, &[0, 1_000, 30_500, 600_000, -2_000]);
    let others = ["pending", "processing", "failed", "cancelled"];
    let status = if rng.u8(0..6) == 0 {
        pick(rng, &others)
    } else {
        "completed"
    };
    let started = created + waited;
    let status = match status {
        "completed" if started > now => "pending",
        // A clock that runs ahead completes rows in the future.
        "completed" if started + worked > now + 5_000 => "processing",
        status => status,
    };
    let is_started = status != "pending" && rng.u8(0..20) > 0;
    let is_completed = status == "completed" && rng.u8(0..20) > 0;
    let until = (rng.u8(0..4) == 0).then(|| deferral(rng, now));
    Row {
        stage: rng.usize(..STAGES.len()),
        status,
        created,
        started: is_started.then_some(started),
        completed: is_completed.then_some(started + worked),
        failed_once: rng.u8(0..5) == 0,
        skipped: status == "completed" && rng.u8(0..6) == 0,
        until,
    }
}

/// A time to come or gone by, in a form that SQL reads or one that it leaves to us.
fn deferral(rng: &mut Rng, now: i64) -> (String, i64) {
    let offset = pick(
        rng,
        &[-3_600_000, -1, 0, 1, 250, 60_000, 7_200_000, 86_400_000],
    );
    let at = now + offset;
    let utc = DateTime::from_timestamp_millis(at).expect("an instant");
    let text = match rng.u8(0..4) {
        0 => utc.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        1 => {
            let seoul = utc.with_timezone(&Tz::Asia__Seoul);
            seoul.format("%Y-%m-%dT%H:%M:%S%.3f+09:00").to_string()
        }
        // More digits than a microsecond has.
        2 => utc.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string(),
        _ => utc.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    };
    (text, at)
}

impl Row {
    fn sql(&self, id: usize) -> String {
        let instant = |at: Option<i64>| {
            let at = at.and_then(DateTime::from_timestamp_millis);
            at.map_or("NULL".to_owned(), |at| {
                format!("'{}'", at.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
            })
        };
        let mut payload = serde_json::Map::new();
        if self.skipped {
            payload.insert("skipped_by_user".to_owned(), true.into());
        }
        if let Some((until, _)) = &self.until {
            payload.insert("deferred_until".to_owned(), until.clone().into());
        }
        // A text of nothing is no error.
        let error = match (self.failed_once, id % 2) {
            (true, _) => "'once'",
            (false, 0) => "NULL",
            (false, _) => "''",
        };
        format!(
            "({id}, {id}, '{}', '{}', '{}', {}, {}, {}, {error})",
            STAGES[self.stage].0,
            self.status,
            serde_json::Value::Object(payload),
            instant(Some(self.created)),
            instant(self.started),
            instant(self.completed),
        )
    }
}

/// The number of the bucket that holds an instant.
fn number(at: i64) -> i64 {
    (at - 1).div_euclid(BUCKET)
}

/// Counts the buckets of a stage from the one that holds an instant on.
fn history(rows: &[Row], stage: usize, first: i64, now: i64) -> History {
    let buckets = (number(now) + 1 - first).try_into().expect("few buckets");
    let mut history = History {
        now: now as f64 / 1e3,
        buckets: vec![Bucket::default(); buckets],
        ..History::default()
    };
    for row in rows.iter().filter(|row| row.stage == stage) {
        let mut at = |instant: i64, add: &dyn Fn(&mut Bucket)| {
            if instant <= now && number(instant) >= first {
                add(&mut history.buckets[(number(instant) - first) as usize]);
            }
        };
        at(row.created, &|bucket| {
            bucket.created += 1;
            let is_inside = ["pending", "processing"].contains(&row.status);
            let is_done = row.completed.is_some_and(|at| at <= now) && !row.skipped;
            let is_clean = !row.failed_once && (is_inside || is_done);
            bucket.clean_created += i64::from(is_clean);
        });
        if let Some(completed) = row.completed.filter(|_| !row.skipped) {
            at(completed, &|bucket| {
                bucket.completed += 1;
                bucket.clean_completed += i64::from(!row.failed_once);
                let started = row.started.unwrap_or(i64::MAX);
                let waited = row.started.is_some_and(|at| at - row.created > 60_000);
                bucket.waited += i64::from(waited);
                bucket.worked_seconds += (completed.saturating_sub(started)).max(0) as f64 / 1e3;
            });
        }
        let (pending, processing) = (row.status == "pending", row.status == "processing");
        history.pending += i64::from(pending);
        history.processing += i64::from(processing);
        history.clean += i64::from((pending || processing) && !row.failed_once);
        if let Some((text, until)) = row.until.as_ref().filter(|(_, at)| pending && *at > now) {
            // What we read ourselves is not rounded.
            let is_odd = text.len() > "2026-11-24T05:00:00.000+09:00".len();
            let until = if is_odd {
                *until
            } else {
                (number(*until) + 1) * BUCKET
            };
            history.deferred.push(DeferredRows {
                until: until as f64 / 1e3,
                rows: 1,
            });
        }
    }
    history
}

/// The series of a stage that a prospect means.
fn series(prospect: &Prospect, (stage, machine): (&str, &str)) -> Series {
    let mut series = Series::new();
    let labels = format!("machine=\"{machine}\",stage=\"{stage}\"");
    let score = prospect.score.unwrap_or_default();
    for (name, value) in [
        ("drain_seconds", prospect.drain),
        ("drain_low_seconds", prospect.drain_low),
        ("drain_high_seconds", prospect.drain_high),
        ("pace_items_per_second", prospect.pace),
    ] {
        let key = format!("queueboard_stage_{name}{{{labels}}}");
        series.extend(value.map(|value| (key, value)));
    }
    for (quantile, value) in [("0.5", score.median), ("0.9", score.high)] {
        let name = "queueboard_stage_drain_error_ratio";
        let key =
            format!("{name}{{machine=\"{machine}\",quantile=\"{quantile}\",stage=\"{stage}\"}}");
        series.extend(value.map(|value| (key, value)));
    }
    let state = prospect.outlook.as_str();
    series.insert(
        format!("queueboard_stage_outlook{{{labels},state=\"{state}\"}}"),
        1.0,
    );
    series
}

/// What is to be exposed of the three stages, buckets being known since an instant.
fn expected(rows: &[Row], since: i64, now: i64, zone: Tz) -> Series {
    let clock = DateTime::from_timestamp_millis(now).expect("an instant");
    let clock = Clock::at(clock, zone);
    let of_stage = |(stage, names): (usize, (&str, &str))| {
        let history = history(rows, stage, number(since), now);
        series(&prospect::judge(&history, &clock), names)
    };
    STAGES.into_iter().enumerate().flat_map(of_stage).collect()
}

/// What is exposed of them.
fn found(page: Series) -> Series {
    let mut found = page;
    found.retain(|key, value| {
        let is_of_ours = STAGES
            .iter()
            .any(|(stage, _)| key.contains(&format!("stage=\"{stage}\"")));
        let of_prospect = ["drain", "pace", "outlook"]
            .iter()
            .any(|name| key.starts_with(&format!("queueboard_stage_{name}")));
        let is_false = key.contains("state=") && *value == 0.0;
        is_of_ours && of_prospect && !is_false
    });
    found
}

/// Sums of doubles are the same but for their order.
fn assert_equal(found: &Series, expected: &Series, of_what: &str) {
    let keys = |series: &Series| series.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(found), keys(expected), "{of_what}");
    for (key, expected) in expected {
        let found = found[key];
        let near = (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3);
        assert!(near, "{of_what}: {key} is {found}, not {expected}");
    }
}

async fn load(database: &mut Database, rows: &[Row]) {
    let values: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(id, row)| row.sql(id))
        .collect();
    let columns = "id, document_id, stage, status, payload, created_at, started_at, completed_at, \
                   error_message";
    let values = values.join(",\n");
    let insert = format!("INSERT INTO processing_queue ({columns}) VALUES {values}");
    database
        .run(&format!("DELETE FROM processing_queue; {insert}"))
        .await;
}

fn serve(database: &Database, zone: Tz, more: &[&str]) -> Exporter {
    let options = Options {
        clock: database.clock(),
        configuration: Some(format!("timezone: {zone}")),
        arguments: more.iter().map(|flag| (*flag).to_owned()).collect(),
    };
    Exporter::serve(database.url(), &options)
}

const DAY: TimeDelta = TimeDelta::days(1);

#[tokio::test]
async fn what_sql_counts_is_what_the_rows_tell() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        for (seed, (zone, now)) in CLOCKS.into_iter().enumerate() {
            let mut rng = Rng::with_seed(seed as u64);
            let now: DateTime<Utc> = now.parse().expect("an instant");
            let now_millis = now.timestamp_millis();
            let rows: Vec<Row> = (0..3000).map(|_| row(&mut rng, now_millis)).collect();
            load(&mut database, &rows).await;
            database.set_clock(now).await;
            let since = (now - DAY).timestamp_millis();
            let expected = expected(&rows, since, now_millis, zone);
            assert!(
                expected.keys().any(|key| key.contains("drain_high")),
                "{expected:?}"
            );
            let all = found(serve(&database, zone, &[]).scrape());
            assert_equal(&all, &expected, &format!("{engine:?} at {now}"));
            // Deferrals that SQL cannot read are read for the stages.
            let alone = ["--no-collector.stages", "--no-collector.trend"];
            let alone = serve(&database, zone, &alone).scrape();
            let paces = |mut series: Series| {
                series.retain(|key, _| key.contains("_pace_"));
                series
            };
            let of_what = format!("{engine:?} at {now}, asked alone");
            assert_equal(&paces(found(alone)), &paces(expected), &of_what);
        }
    }
}

#[tokio::test]
async fn a_changed_past_is_seen_within_the_hour() {
    let zone = Tz::Asia__Seoul;
    let first: DateTime<Utc> = "2026-11-24T05:00:00.000Z".parse().expect("an instant");
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rng = Rng::with_seed(1);
        let (now, since) = (first.timestamp_millis(), (first - DAY).timestamp_millis());
        let mut rows: Vec<Row> = (0..600).map(|_| row(&mut rng, now)).collect();
        load(&mut database, &rows).await;
        database.set_clock(first).await;
        let exporter = serve(&database, zone, &[]);
        let before = expected(&rows, since, now, zone);
        assert_equal(&found(exporter.scrape()), &before, "at first");

        // All that was completed between two and twenty hours ago was much more.
        let mut remembered = rows.clone();
        let old: Vec<Row> = rows
            .iter()
            .filter(|row| {
                row.completed
                    .is_some_and(|at| (2..20).contains(&((now - at) / 3_600_000)))
            })
            .cloned()
            .collect();
        rows.extend(old.iter().cycle().take(5 * old.len()).cloned());
        // What is new is seen at once.
        let new: Vec<Row> = (0..50)
            .map(|_| Row {
                status: "completed",
                created: now + 1_000,
                started: Some(now + 2_000),
                completed: Some(now + 3_000),
                ..Row::default()
            })
            .collect();
        rows.extend(new.iter().cloned());
        remembered.extend(new);
        load(&mut database, &rows).await;
        for (minutes, known) in [
            (1, &remembered),
            (59, &remembered),
            (60, &rows),
            (61, &rows),
        ] {
            let later = first + TimeDelta::minutes(minutes);
            database.set_clock(later).await;
            let expected = expected(known, since, later.timestamp_millis(), zone);
            let of_what = format!("{engine:?} after {minutes} min");
            assert_equal(&found(exporter.scrape()), &expected, &of_what);
        }
        let anew = serve(&database, zone, &[]);
        let later = first + TimeDelta::minutes(61);
        let since = (later - DAY).timestamp_millis();
        let expected = expected(&rows, since, later.timestamp_millis(), zone);
        assert_equal(&found(anew.scrape()), &expected, "after a restart");
    }
}

/// Rows of one stage, as SQL that both engines read.
fn many(rows: u32, values: &str) -> String {
    let columns =
        "id, document_id, stage, status, created_at, started_at, completed_at, error_message";
    format!(
        "INSERT INTO processing_queue ({columns})
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         SELECT i, i, 'embed', {values} FROM n"
    )
}

const NOON: &str = "2026-11-24T12:00:00.000Z";

#[tokio::test]
async fn rows_that_started_long_before_any_calendar_do_no_harm() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        database.set_clock(NOON.parse().expect("an instant")).await;
        let values = "'completed', '2026-11-24T10:00:00Z', '0001-01-01T00:00:00Z',
                      '2026-11-24T11:50:00Z', NULL";
        database.run(&many(3500, values)).await;
        let page = serve(&database, Tz::UTC, &[]).scrape();
        for collector in ["stages", "trend", "outlook"] {
            let success = format!("queueboard_collector_success{{collector=\"{collector}\"}}");
            assert_eq!(page[&success], 1.0, "{engine:?}: {success}");
        }
        let completed = "queueboard_stage_completed_1h{machine=\"gpu\",stage=\"embed\"}";
        assert_eq!(page[completed], 3500.0, "{engine:?}");
    }
}

#[tokio::test]
async fn retried_rows_that_nobody_works_on_are_a_standstill() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        database.set_clock(NOON.parse().expect("an instant")).await;
        let values = "'pending', '2026-11-20T10:00:00Z', NULL, NULL, 'it failed once'";
        database.run(&many(50, values)).await;
        let page = serve(&database, Tz::UTC, &[]).scrape();
        let stalled = "queueboard_stage_outlook{machine=\"gpu\",stage=\"embed\",state=\"stalled\"}";
        assert_eq!(page[stalled], 1.0, "{engine:?}");
    }
}
