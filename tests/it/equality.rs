use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::rows::Rows;
use crate::support::{Database, Engine, Exporter, Options, Reader, Series, of_board};
use crate::{model, random};

/// Clocks around which days begin, end, or are odd: a zone and the instants looked at.
const SEASONS: [(Tz, &[&str]); 5] = [
    (
        Tz::Asia__Seoul,
        &[
            "2026-11-24T14:59:59.000Z",
            "2026-11-24T15:00:00.000Z",
            "2026-11-24T15:00:01.000Z",
            "2026-11-24T05:43:21.987Z",
        ],
    ),
    // Clocks go from 02:00 to 03:00 on 8 March, and from 02:00 back to 01:00 on 1 November.
    (
        Tz::America__New_York,
        &[
            "2026-03-08T06:59:59.000Z",
            "2026-03-08T07:00:01.000Z",
            "2026-03-09T03:59:59.500Z",
            "2026-11-01T05:30:00.000Z",
            "2026-11-01T06:30:00.000Z",
            "2026-11-02T04:59:59.999Z",
            "2026-11-02T05:00:00.001Z",
        ],
    ),
    // A day without midnight, and a day with two.
    (
        Tz::Asia__Beirut,
        &["2026-03-28T22:00:01.000Z", "2026-03-29T20:15:00.000Z"],
    ),
    (
        Tz::America__Havana,
        &["2026-11-01T04:30:00.000Z", "2026-11-01T05:30:00.250Z"],
    ),
    (
        Tz::Asia__Kathmandu,
        &["2026-06-01T18:14:59.000Z", "2026-06-01T18:15:00.500Z"],
    ),
];

/// Boards of each size for each instant, with the macbook there and switched off.
const BOARDS: u64 = 6;

#[tokio::test]
async fn every_number_equals_the_model_on_postgres() {
    every_number_equals_the_model(Engine::Postgres).await;
}

#[tokio::test]
async fn every_number_equals_the_model_on_indexed_postgres() {
    every_number_equals_the_model(Engine::Indexed).await;
}

#[tokio::test]
async fn every_number_equals_the_model_on_sqlite() {
    every_number_equals_the_model(Engine::Sqlite).await;
}

#[tokio::test]
async fn every_number_equals_the_model_on_postgres_with_enums() {
    every_number_equals_the_model(Engine::Enums).await;
}

#[tokio::test]
async fn every_number_equals_the_model_on_indexed_postgres_with_enums() {
    every_number_equals_the_model(Engine::EnumsIndexed).await;
}

/// Which of an instant's boards are compared: the two kinds of tables with ENUM columns share them.
fn seeds(engine: Engine) -> Range<u64> {
    match engine {
        Engine::Enums => 0..BOARDS,
        Engine::EnumsIndexed => BOARDS..BOARDS * 2,
        _ => 0..BOARDS * 2,
    }
}

async fn every_number_equals_the_model(engine: Engine) {
    let mut database = Database::create(engine).await;
    let mut reader = Reader::start();
    let (mut boards, mut refused) = (0, 0);
    for (zone, instants) in SEASONS {
        let mut both: [Option<Exporter>; 2] = [None, None];
        for (index, now) in instants.iter().enumerate() {
            let now: DateTime<Utc> = now.parse().expect("an instant");
            for seed in seeds(engine) {
                let size = if seed % 2 == 0 { 300 } else { 3000 };
                let seed = seed + 1000 * index as u64 + now.timestamp() as u64;
                let mut rows = random::board(seed, size, now, zone);
                if engine.has_enums() {
                    rows.keep_what_enums_hold();
                }
                database.load(&rows).await;
                let which = usize::from(rows.macbook_enabled);
                let exporter = both[which].get_or_insert_with(|| serve(&database, &rows));
                compare(
                    exporter,
                    &mut reader,
                    &rows,
                    &format!("{engine:?}, seed {seed}, size {size}"),
                );
                boards += 1;
                refused += usize::from(model::is_refused(&rows));
            }
        }
    }
    let least = if engine.has_enums() { 100 } else { 200 };
    assert!(boards >= least, "only {boards} boards were compared");
    assert!(refused >= 3, "only {refused} boards were refused");
}

fn serve(database: &Database, rows: &Rows) -> Exporter {
    let options = Options {
        arguments: ["--collector.current", "--collector.current.titles"]
            .map(str::to_owned)
            .to_vec(),
        configuration: Some(configuration(rows)),
        clock: database.clock(),
    };
    Exporter::serve(database.url(), &options)
}

/// The built-in configuration in another zone, and perhaps with the macbook switched off.
fn configuration(rows: &Rows) -> String {
    let default = crate::support::repository_file("src/config/default.yml");
    let enabled = format!("enabled: {}", rows.macbook_enabled);
    let zone = format!("timezone: {}", rows.zone.name());
    default
        .replace("enabled: true", &enabled)
        .replace("timezone: Asia/Seoul", &zone)
}

fn compare(exporter: &Exporter, reader: &mut Reader, rows: &Rows, board: &str) {
    let page = reader.classic(exporter.page().text());
    same_successes(&page, model::is_refused(rows), board);
    same_series(&of_board(page), &model::metrics(rows), board);
    let overview = exporter.overview();
    if model::is_refused(rows) {
        assert_eq!(overview.status, 503, "{board}: {}", overview.text());
    } else {
        same(&exporter.former_overview(), &model::overview(rows), board);
    }
}

fn same_successes(page: &Series, is_refused: bool, board: &str) {
    assert_eq!(page["queueboard_up"], 1.0, "{board}");
    for collector in ["stages", "trend", "current", "background_jobs"] {
        let succeeds = collector == "background_jobs" || !is_refused;
        let key = format!("queueboard_collector_success{{collector=\"{collector}\"}}");
        assert_eq!(page[&key], f64::from(succeeds), "{board}: {key}");
    }
}

fn same_series(actual: &Series, expected: &Series, board: &str) {
    for (key, value) in expected {
        let known = actual
            .get(key)
            .unwrap_or_else(|| panic!("{board}: {key} = {value} is absent"));
        let close = (known - value).abs() <= tolerance(key, *value);
        assert!(close, "{board}: {key} is {known}, not {value}");
    }
    for (key, value) in actual {
        assert!(
            expected.contains_key(key),
            "{board}: {key} = {value} should be absent"
        );
    }
}

fn tolerance(key: &str, value: f64) -> f64 {
    // A difference of two instants is as exact as a timestamp of PostgreSQL.
    let of_durations = ["queueboard_stage_wait_", "queueboard_stage_processing_"];
    if of_durations.iter().any(|name| key.starts_with(name)) {
        1e-6
    } else {
        1e-9 * value.abs().max(1.0)
    }
}

/// Two JSON values are the same; if not, says where they first differ.
pub(crate) fn same(actual: &Value, expected: &Value, place: &str) {
    match (actual, expected) {
        (Value::Object(a), Value::Object(e)) => {
            assert_eq!(
                a.len(),
                e.len(),
                "{place}: keys {:?}, {:?}",
                a.keys(),
                e.keys()
            );
            e.iter()
                .for_each(|(key, part)| same(&actual[key], part, &format!("{place} .{key}")));
        }
        (Value::Array(a), Value::Array(e)) => {
            let parts = a.iter().zip(e).enumerate();
            parts.for_each(|(index, (a, e))| same(a, e, &format!("{place} [{index}]")));
            assert_eq!(a.len(), e.len(), "{place}: lengths");
        }
        _ => assert_eq!(actual, expected, "{place}"),
    }
}

/// Boards are random, so what matters most must be known to occur on them.
#[test]
fn the_boards_hold_what_is_hard() {
    let now: DateTime<Utc> = "2026-11-24T14:59:59Z".parse().expect("an instant");
    let boards: Vec<Rows> = (0..60)
        .map(|seed| random::board(seed, 300, now, Tz::Asia__Seoul))
        .collect();
    let all = || boards.iter().flat_map(|rows| &rows.queue);
    assert!(boards.iter().any(|rows| rows.jobs.is_none()));
    assert!(boards.iter().any(|rows| !rows.macbook_enabled));
    assert!(
        boards
            .iter()
            .any(|rows| rows.jobs.iter().flatten().count() > 20)
    );
    assert!(all().any(|row| row.stage.contains('"')) && all().any(|row| row.stage.contains('\n')));
    assert!(all().any(|row| row.payload == Some(Value::Null)));
    let midnight = model::local_midnight(now, Tz::Asia__Seoul);
    for boundary in [
        midnight,
        now - TimeDelta::minutes(15),
        now - TimeDelta::hours(1),
    ] {
        for offset in [-1000, -1, 0, 1, 1000] {
            let edge = boundary + TimeDelta::milliseconds(offset);
            assert!(all().any(|row| row.completed_at == Some(edge)), "{edge}");
        }
    }
}

/// What the boards say of skipped rows, of statuses outside the four, and of instants that only
/// an exact reader tells from now.
#[test]
fn the_boards_hold_what_a_kind_reader_gets_wrong() {
    let now: DateTime<Utc> = "2026-11-24T14:59:59Z".parse().expect("an instant");
    let board = |seed| random::board(seed, 300, now, Tz::Asia__Seoul);
    let boards: Vec<Rows> = (0..60).map(board).collect();
    let all = || boards.iter().flat_map(|rows| &rows.queue);
    let refused = boards.iter().filter(|rows| model::is_refused(rows)).count();
    assert_eq!(refused, 2);
    let completed = |rows: &&Rows| rows.queue.iter().any(|row| row.status == "completed");
    assert_eq!(boards.iter().filter(completed).count(), 57);
    for status in ["Pending", "COMPLETED", "completed ", ""] {
        assert!(all().any(|row| row.status == status), "{status:?}");
    }

    let payloads = || all().filter_map(|row| Some((row, row.payload.as_ref()?)));
    let said = |pointer, value: Value| {
        let is_said = |payload: &Value| payload.pointer(pointer) == Some(&value);
        payloads().any(|(row, payload)| row.status == "completed" && is_said(payload))
    };
    for (pointer, value) in [
        ("/skipped_by_user", true.into()),
        ("/skipped_by_user", "true".into()),
        ("/skipped_by_user", 1.into()),
        ("/nested/skipped_by_user", true.into()),
        ("/0/skipped_by_user", true.into()),
    ] {
        assert!(said(pointer, value), "{pointer}");
    }
    let both = |(_, payload): (_, &Value)| {
        payload["skipped_by_user"] == true && payload["deferred_until"].is_string()
    };
    assert!(payloads().any(both));

    let pending = payloads().filter(|(row, _)| row.status == "pending");
    let texts: Vec<&str> = pending
        .filter_map(|(_, payload)| payload["deferred_until"].as_str())
        .collect();
    let longest = now.format("%H:%M:%S.").to_string().len() + 12;
    for part in ["-02-29", "-02-30", "-31T", "-30 ", "+23:59", "-2359"] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part}");
    }
    for part in ["59:59.000000", "59:58.999999"] {
        let is_near = |text: &&str| text.contains(part) && text.len() >= 11 + longest;
        assert!(texts.iter().any(is_near), "{part}");
    }
}
