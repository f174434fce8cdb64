use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;

use super::board;
use crate::model;
use crate::rows::{QueueRow, Rows};
use crate::support::{Database, Engine, Exporter, Options, Series};

/// Pending rows of a stage, each of which says when it may be worked on.
fn pending(how_many: i64, stage: &str, until: impl Fn(&Rows, i64) -> String) -> Rows {
    let mut rows = board::board();
    (rows.documents, rows.queue, rows.jobs) = (vec![], vec![], None);
    for id in 1..=how_many {
        let row = QueueRow {
            id,
            document_id: id,
            stage: stage.to_owned(),
            status: "pending".to_owned(),
            payload: Some(json!({"deferred_until": until(&rows, id)})),
            created_at: rows.now - TimeDelta::hours(30),
            started_at: None,
            completed_at: None,
        };
        rows.queue.push(row);
    }
    rows
}

async fn serve(database: &mut Database, rows: &Rows) -> Exporter {
    database.load(rows).await;
    let options = Options {
        clock: database.clock(),
        ..Options::default()
    };
    Exporter::serve(database.url(), &options)
}

fn value(page: &Series, key: &str) -> f64 {
    *page.get(key).unwrap_or_else(|| panic!("{key} is absent"))
}

/// Of several scrapes, because others work on this machine too, one is answered in time.
fn is_answered_within(exporter: &Exporter, bound: Duration, engine: Engine) {
    let scrapes = (0..15).map(|_| {
        let begun = Instant::now();
        exporter.page();
        begun.elapsed()
    });
    let too_long: Vec<Duration> = scrapes.take_while(|took| *took >= bound).collect();
    assert!(too_long.len() < 15, "{engine:?}: {too_long:?}");
}

/// Only a machine that `deferrals` names can be deferred.
#[tokio::test]
async fn deferred_rows_of_extract_are_attributed_to_no_machine() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let rows = pending(14, "extract", |rows, _| {
            (rows.now + TimeDelta::hours(1)).to_rfc3339()
        });
        let exporter = serve(&mut database, &rows).await;
        let page = exporter.scrape();
        for (key, expected) in [
            (
                r#"queueboard_stage_deferred{machine="gpu",stage="extract"}"#,
                14.0,
            ),
            (
                r#"queueboard_stage_items{machine="gpu",stage="extract",status="pending"}"#,
                14.0,
            ),
            (
                r#"queueboard_machine_items{machine="gpu",status="pending"}"#,
                14.0,
            ),
            (r#"queueboard_machine_deferred{machine="gpu"}"#, 0.0),
            (r#"queueboard_machine_deferred{machine="macbook"}"#, 0.0),
            (
                r#"queueboard_machine_state{machine="gpu",state="idle"}"#,
                1.0,
            ),
            (
                r#"queueboard_machine_state{machine="gpu",state="deferred"}"#,
                0.0,
            ),
        ] {
            assert_eq!(value(&page, key), expected, "{engine:?}: {key}");
        }
        let gpu = &exporter.overview().json()["machines"][0];
        assert_eq!(
            (&gpu["state"], &gpu["deferred_pending"]),
            (&"idle".into(), &0.into())
        );
    }
}

/// A timestamp of its own for each, in many forms; one of a hundred is none.
fn of_its_own(rows: &Rows, id: i64) -> String {
    let until = rows.now + TimeDelta::seconds(id - 25_000);
    match id % 100 {
        0 => format!("soon, says {id}"),
        1..25 => until.to_rfc3339_opts(SecondsFormat::Micros, true),
        25..50 => until.format("%Y-%m-%d %H:%M:%S").to_string(),
        50..75 => until
            .with_timezone(&chrono_tz::Tz::Asia__Seoul)
            .to_rfc3339(),
        _ => until.format("%Y-%m-%dT%H:%M:%S.%3f+00").to_string(),
    }
}

#[tokio::test]
async fn fifty_thousand_deferrals_of_their_own_are_counted_in_time() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let rows = pending(50_000, "summarize", of_its_own);
        let exporter = serve(&mut database, &rows).await;
        let expected = model::metrics(&rows);
        let page = exporter.scrape();
        for name in [
            "queueboard_stage_deferred",
            "queueboard_stage_deferred_malformed",
        ] {
            let key = format!("{name}{{machine=\"macmini\",stage=\"summarize\"}}");
            assert_eq!(page.get(&key), expected.get(&key), "{engine:?}: {key}");
            assert!(expected[&key] > 400.0, "the board holds what is looked for");
        }
        is_answered_within(&exporter, Duration::from_secs(1), engine);
    }
}

/// Of texts that are no plain timestamp there may be more than anybody would look at; what is not
/// looked at is counted as malformed.
#[tokio::test]
async fn odd_deferrals_without_end_are_malformed_and_cost_little() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let rows = pending(20_000, "embed", |_, id| {
            format!("{id} {}", "soon ".repeat(20))
        });
        let exporter = serve(&mut database, &rows).await;
        let page = exporter.scrape();
        let labels = r#"{machine="gpu",stage="embed"}"#;
        let malformed = value(
            &page,
            &format!("queueboard_stage_deferred_malformed{labels}"),
        );
        assert_eq!(malformed, 20_000.0, "{engine:?}");
        assert_eq!(
            value(&page, &format!("queueboard_stage_deferred{labels}")),
            0.0
        );
        is_answered_within(&exporter, Duration::from_secs(1), engine);
    }
}

/// No more than a thousand texts in a form that SQL does not read are sent; the others count as
/// malformed, and that is said.
#[tokio::test]
async fn odd_deferrals_beyond_a_thousand_are_said_not_to_be_read() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let rows = pending(1500, "summarize", |rows, id| {
            let until = rows.now + TimeDelta::days(1) + TimeDelta::nanoseconds(id);
            until.to_rfc3339_opts(SecondsFormat::Nanos, true)
        });
        let exporter = serve(&mut database, &rows).await;
        let page = exporter.scrape();
        let of_stage = |name| format!("{name}{{machine=\"macmini\",stage=\"summarize\"}}");
        let (deferred, malformed) = (
            value(&page, &of_stage("queueboard_stage_deferred")),
            value(&page, &of_stage("queueboard_stage_deferred_malformed")),
        );
        assert_eq!((deferred, malformed), (1000.0, 500.0), "{engine:?}");
        let log = exporter.log_with("some deferrals were not read");
        assert!(log.contains("those of 500 rows"), "{log}");
    }
}
