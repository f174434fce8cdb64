mod configured;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::rows::{Job, QueueRow, Rows};
use crate::support::{Database, Engine, Exporter, Options, Reader, Series, get};

const OPENMETRICS: &str = "Accept: application/openmetrics-text; version=1.0.0";

fn now() -> DateTime<Utc> {
    "2026-11-24T05:00:00Z".parse().expect("an instant")
}

fn rows() -> Rows {
    Rows {
        now: now(),
        zone: chrono_tz::Tz::Asia__Seoul,
        macbook_enabled: true,
        documents: vec![],
        queue: vec![],
        jobs: Some(vec![]),
    }
}

fn queue_row(id: i64, stage: &str, status: &str) -> QueueRow {
    let at = now() - TimeDelta::minutes(1);
    let completed = (status == "completed").then_some(at);
    QueueRow {
        id,
        document_id: id,
        stage: stage.to_owned(),
        status: status.to_owned(),
        payload: None,
        created_at: at,
        started_at: None,
        completed_at: completed,
    }
}

fn job(id: i64, kind: &str, state: &str) -> Job {
    Job {
        id,
        kind: kind.to_owned(),
        label: Some(kind.to_owned()),
        state: state.to_owned(),
        processed: Some(1),
        total: None,
        started_at: Some(now() - TimeDelta::minutes(2)),
        updated_at: None,
        finished_at: Some(now() - TimeDelta::minutes(1)),
        error: Some(kind.to_owned()),
    }
}

/// Names that break what is not careful.
fn names() -> Vec<String> {
    // It stands before most others, and so is kept.
    let long = "!".to_owned() + &"가".repeat(2000);
    let odd = [
        "",
        " ",
        "\"",
        "'",
        "\\",
        "\\\\",
        "\\n",
        "\n",
        "\r\n",
        "\t",
        "it's \"quoted\"",
        "a\\",
        "{",
        "}",
        "x=\"y\"} 1\nqueueboard_up 0",
        "# HELP",
        "# EOF\n",
        "_other",
        "unassigned",
        "summarize ",
        "NaN",
        "\u{202e}",
        "\u{1f4a9}",
        "\u{7f}",
        "\u{1}",
        "$1",
        "%s",
        "<script>",
        "null",
        "요약",
    ];
    let mut names: Vec<String> = odd.iter().map(|&name| name.to_owned()).collect();
    names.extend([format!("{long}a"), format!("{long}b"), "!x".repeat(2500)]);
    names.extend((0..5000).map(|number| format!("stage {number}")));
    names
}

fn sum(page: &Series, name: &str, label: &str) -> f64 {
    let of = |key: &&String| key.starts_with(&format!("{name}{{")) && key.contains(label);
    page.keys().filter(of).map(|key| page[key]).sum()
}

fn distinct(page: &Series, name: &str) -> usize {
    page.keys()
        .filter(|key| key.starts_with(&format!("{name}{{")))
        .count()
}

async fn serve(database: &Database) -> Exporter {
    let arguments = ["--collector.current", "--collector.current.titles"].map(str::to_owned);
    let options = Options {
        clock: database.clock(),
        arguments: arguments.to_vec(),
        ..Options::default()
    };
    Exporter::serve(database.url(), &options)
}

/// Reads the page in both formats, which hold the same, and whole.
fn both_formats(exporter: &Exporter) -> Series {
    exporter.assert_whole();
    let mut reader = Reader::start();
    let classic = reader.classic(exporter.page().text());
    let page = get(exporter.metrics, "/metrics", &[OPENMETRICS]);
    let openmetrics = reader.openmetrics(page.text());
    for (key, value) in &classic {
        assert!(value.is_finite(), "{key} {value}");
        if key.starts_with("queueboard_stage") || key.starts_with("queueboard_background") {
            assert_eq!(openmetrics.get(key), Some(value), "{key}");
        }
    }
    classic
}

#[tokio::test]
async fn five_thousand_names_and_odd_ones_keep_the_page_valid_bounded_and_right() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rows = rows();
        let names = names();
        for (id, name) in (1..).zip(&names) {
            let status = ["pending", "processing", "failed", "completed"][id as usize % 4];
            rows.queue.push(queue_row(i64::MAX - id, name, status));
            rows.queue.push(queue_row(id, name, "no such status"));
            rows.jobs
                .get_or_insert_default()
                .push(job(i64::MAX - id, name, name));
        }
        let all =
            |status: &str| rows.queue.iter().filter(|row| row.status == status).count() as f64;
        database.load(&rows).await;
        let exporter = serve(&database).await;
        let begun = Instant::now();
        let page = both_formats(&exporter);
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{:?}",
            begun.elapsed()
        );

        for status in ["pending", "processing", "failed"] {
            let label = format!("status=\"{status}\"");
            for name in ["queueboard_stage_items", "queueboard_machine_items"] {
                assert_eq!(sum(&page, name, &label), all(status), "{name} {status}");
            }
        }
        assert_eq!(
            sum(&page, "queueboard_stage_completed_1h", ""),
            all("completed")
        );
        assert_eq!(
            sum(&page, "queueboard_stage_created_1h", ""),
            rows.queue.len() as f64
        );
        assert_eq!(
            sum(&page, "queueboard_background_jobs", ""),
            names.len() as f64
        );
        // One of the names is the one under which the rest is summed.
        assert_eq!(distinct(&page, "queueboard_stage_deferred"), 100);
        assert!(distinct(&page, "queueboard_background_jobs") <= 101 * 101);
        assert!(page.len() < 5000, "{} series", page.len());
        let longest = page.keys().map(|key| key.chars().count()).max();
        assert!(longest < Some(2000), "{longest:?}");

        let overview = exporter.overview();
        assert_eq!(overview.status, 200);
        let totals = &overview.json()["totals"];
        assert_eq!(totals["pending"].as_f64(), Some(all("pending")));
        assert_eq!(exporter.ask("/api/queue/failed?limit=1000").status, 200);
        assert_eq!(exporter.log(), "");
    }
}

#[tokio::test]
async fn numbers_and_times_at_their_limits_are_numbers_on_the_page() {
    let times = [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "infinity",
        "-infinity",
    ];
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rows = rows();
        let cases: Vec<(usize, &str)> = (0..16).map(|case| (case, "summarize")).collect();
        for &(case, stage) in &cases {
            for (place, status) in ["pending", "processing", "failed", "completed"]
                .iter()
                .enumerate()
            {
                let id = i64::MAX - (case * 4 + place) as i64;
                rows.queue.push(queue_row(id, stage, status));
            }
        }
        let numbers = [i64::MAX, i64::MIN, i64::MAX - 1, 0, -1];
        for (place, (&processed, &total)) in numbers
            .iter()
            .flat_map(|p| numbers.iter().map(move |t| (p, t)))
            .enumerate()
        {
            let state = if place % 2 == 0 { "running" } else { "done" };
            let job = job(i64::MIN + place as i64, "global_digest", state);
            rows.jobs.get_or_insert_default().push(Job {
                processed: Some(processed),
                total: Some(total),
                ..job
            });
        }
        database.load(&rows).await;
        for (place, time) in times.iter().enumerate() {
            for (table, column, by) in [
                ("processing_queue", "created_at", 1),
                ("processing_queue", "started_at", 2),
                ("processing_queue", "completed_at", 3),
                ("background_jobs", "started_at", 1),
                ("background_jobs", "updated_at", 2),
                ("background_jobs", "finished_at", 3),
            ] {
                database
                    .run(&format!(
                        "UPDATE {table} SET {column} = '{time}'
                         WHERE abs(id % 1000) / {by} % 5 = {place}"
                    ))
                    .await;
            }
        }
        let exporter = serve(&database).await;
        let page = both_formats(&exporter);
        for status in ["pending", "processing", "failed"] {
            let label = format!("status=\"{status}\"");
            assert_eq!(
                sum(&page, "queueboard_stage_items", &label),
                16.0,
                "{status}"
            );
        }
        assert_eq!(exporter.overview().status, 200);
        let failed = exporter.ask("/api/queue/failed").json();
        assert_eq!(failed["items"].as_array().map(Vec::len), Some(16));
        assert_eq!(exporter.ask("/").status, 200);
        assert_eq!(exporter.log(), "", "{engine:?}");
    }
}

#[tokio::test]
async fn twenty_thousand_deferrals_of_their_own_are_counted_in_time() {
    for engine in Engine::ALL {
        let mut database = Database::create(engine).await;
        let mut rows = rows();
        for id in 0..20_000 {
            let until = now() + TimeDelta::seconds(id - 10_000);
            let until = if id % 10 == 0 {
                "soon ".repeat(100) + &id.to_string()
            } else {
                until.to_rfc3339()
            };
            let mut row = queue_row(id, "summarize", "pending");
            row.payload = Some(json!({"deferred_until": until}));
            rows.queue.push(row);
        }
        database.load(&rows).await;
        let exporter = serve(&database).await;
        let begun = Instant::now();
        exporter.assert_whole();
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        let page = both_formats(&exporter);
        assert_eq!(sum(&page, "queueboard_stage_deferred", "summarize"), 9000.0);
        assert_eq!(
            sum(&page, "queueboard_stage_deferred_malformed", "summarize"),
            2000.0
        );
    }
}
