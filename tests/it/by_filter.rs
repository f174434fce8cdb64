//! Retry and skip of rows that have something in common.

mod faults;
mod undo;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Database, Engine, Exporter, Options};

/// Failed rows of three causes: even ones of `stt` met a lost connection, odd ones a time-out, and
/// every tenth one is of `embed` and out of memory. The documents of the first hundred are there.
async fn failed_rows(engine: Engine, rows: i64) -> Database {
    let mut database = Database::create(engine).await;
    let row = |n: i64| {
        let (stage, error) = match n {
            n if n % 10 == 0 => ("embed", format!("CUDA out of memory: {n} MiB")),
            n if n % 2 == 0 => (
                "stt",
                format!("connection to 10.0.{}.{} lost", n / 250, n % 250),
            ),
            n => ("stt", format!("no answer within {n} s")),
        };
        let failed_at = format!(
            "2026-11-24T01:{:02}:{:02}.{:03}Z",
            n / 60 % 60,
            n % 60,
            n / 3600
        );
        format!(
            "({n}, {n}, '{stage}', 'failed', 3, '{error}', '{failed_at}', '{failed_at}', '{failed_at}')"
        )
    };
    let rows: Vec<String> = (1..=rows).map(row).collect();
    let documents: Vec<String> = (1..=100).map(|n| format!("({n}, 'Paper {n}')")).collect();
    let documents = documents.join(", ");
    database
        .run(&format!(
            "INSERT INTO documents (id, title) VALUES {documents}"
        ))
        .await;
    let columns = "id, document_id, stage, status, attempts, error_message, created_at, started_at,
                   completed_at";
    for batch in rows.chunks(500) {
        let batch = batch.join(", ");
        database
            .run(&format!(
                "INSERT INTO processing_queue ({columns}) VALUES {batch}"
            ))
            .await;
    }
    database
}

async fn served(engine: Engine, rows: i64) -> (Database, Exporter) {
    let database = failed_rows(engine, rows).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

fn act(exporter: &Exporter, action: &str, body: &Value) -> Answer {
    exporter.act(&format!("/api/queue/{action}"), &body.to_string())
}

fn action(exporter: &Exporter, number: &Value) -> Value {
    let answer = exporter.ask(&format!("/api/queue/actions/{number}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Waits until an action that goes on by itself has ended.
fn ended(exporter: &Exporter, answer: &Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let number = &answer.json()["action"];
    let late = Instant::now() + Duration::from_secs(30);
    loop {
        let action = action(exporter, number);
        if action["status"] != "running" {
            return action;
        }
        assert!(Instant::now() < late, "{action}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn count(database: &mut Database, condition: &str) -> i64 {
    let query = format!("SELECT CAST(count(*) AS text) FROM processing_queue WHERE {condition}");
    database.texts(&query).await[0].parse().expect("a number")
}

/// The cause of one failed row, as the list tells it.
fn cause_of(exporter: &Exporter, id: i64) -> String {
    let item = exporter.ask(&format!("/api/queue/failed/{id}")).json();
    item["cause"].as_str().expect("a cause").to_owned()
}

#[tokio::test]
async fn a_rehearsal_tells_and_changes_nothing() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 240).await;
        let lost = cause_of(&exporter, 2);
        assert_ne!(lost, cause_of(&exporter, 1));
        assert_eq!(lost, cause_of(&exporter, 238));
        for (filter, stages, gone) in [
            (json!({}), json!([["embed", 24], ["stt", 216]]), 140),
            (json!({"stage": "embed"}), json!([["embed", 24]]), 14),
            (
                json!({"machine": "gpu"}),
                json!([["embed", 24], ["stt", 216]]),
                140,
            ),
            (json!({"machine": "macmini"}), json!([]), 0),
            (json!({"cause": lost}), json!([["stt", 96]]), 56),
            (json!({"cause": "nothing of the kind"}), json!([]), 0),
            (
                json!({"text": "PAPER 7"}),
                json!([["embed", 1], ["stt", 10]]),
                0,
            ),
            (json!({"text": "cuda OUT"}), json!([["embed", 24]]), 14),
            (json!({"text": "17 s"}), json!([["stt", 3]]), 2),
            (
                json!({"failed_before": "2026-11-24T01:01:00Z"}),
                json!([["embed", 5], ["stt", 54]]),
                0,
            ),
            (
                json!({"cause": lost, "failed_before": "2026-11-24T02:01:00+01:00", "stage": "stt"}),
                json!([["stt", 24]]),
                0,
            ),
        ] {
            let answer = act(
                &exporter,
                "retry",
                &json!({"filter": filter, "dry_run": true}),
            );
            assert_eq!(answer.status, 200, "{}", answer.text());
            let plan = answer.json();
            let found: Vec<Value> = plan["stages"]
                .as_array()
                .expect("stages")
                .iter()
                .map(|stage| json!([stage["stage"], stage["rows"]]))
                .collect();
            assert_eq!(Value::from(found), stages, "{engine:?} {filter}");
            assert_eq!(plan["documents_gone"], gone, "{engine:?} {filter}");
            // The list finds the same rows.
            let query = filter.as_object().expect("an object").iter();
            let mut query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query.map(|(name, value)| (name, value.as_str().expect("a text"))))
                .finish();
            query.push_str("&limit=7");
            let list = exporter.ask(&format!("/api/queue/failed?{query}")).json();
            assert_eq!(list["total"], plan["matching"], "{engine:?} {filter}");
        }
        assert_eq!(count(&mut database, "status = 'failed'").await, 240);
        assert_eq!(
            exporter.ask("/api/queue/actions").json()["actions"],
            json!([])
        );
    }
}

#[tokio::test]
async fn the_pages_of_a_cause_hold_each_of_its_rows_once() {
    for engine in Engine::ALL {
        let (_database, exporter) = served(engine, 240).await;
        let cause = cause_of(&exporter, 2);
        let cause: String = form_urlencoded::byte_serialize(cause.as_bytes()).collect();
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/queue/failed?cause={cause}&limit=40{after}");
            let page = exporter.ask(&path).json();
            assert_eq!(page["total"], 96);
            let items = page["items"].as_array().expect("items").iter();
            ids.extend(items.map(|item| item["id"].as_i64().expect("an id")));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let lost = (1..=240).rev().filter(|n| n % 2 == 0 && n % 10 != 0);
        assert_eq!(ids, lost.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn thousands_go_in_batches_and_the_answer_comes_at_once() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 2500).await;
        let body = json!({"filter": {"stage": "stt"}, "expected": 2250});
        let action = ended(&exporter, &act(&exporter, "retry", &body));
        assert_eq!(action["status"], "done");
        assert_eq!(action["outcomes"], json!({"retried": 2250}));
        assert_eq!(action["filter"], json!({"stage": "stt"}));
        assert_eq!(
            count(
                &mut database,
                "status = 'pending' AND stage = 'stt' AND attempts = 0"
            )
            .await,
            2250
        );
        assert_eq!(
            count(&mut database, "status = 'failed' AND stage = 'embed'").await,
            250
        );
        let log = exporter.log_with("rows=250");
        let batches = log.lines().filter(|line| line.contains("a person acted"));
        assert_eq!(batches.count(), 3, "{log}");
        // A second time there is nothing to do.
        let again = act(&exporter, "retry", &json!({"filter": {"stage": "stt"}}));
        assert_eq!(
            (again.status, again.json()["retried"].clone()),
            (200, json!(0))
        );
    }
}

#[tokio::test]
async fn other_rows_than_the_client_knows_of_are_left_alone() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 120).await;
        let act = |expected| {
            act(
                &exporter,
                "skip",
                &json!({"filter": {}, "expected": expected}),
            )
        };
        let refusal = act(100);
        assert_eq!(refusal.status, 409);
        assert_eq!(refusal.json()["matching"], 120);
        assert!(
            refusal.text().contains("120 rows match now"),
            "{}",
            refusal.text()
        );
        assert_eq!(count(&mut database, "status = 'failed'").await, 120);
        assert_eq!(act(110).json()["skipped"], 120);
    }
}

#[tokio::test]
async fn the_first_ten_show_what_becomes_of_all() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 120).await;
        let body = json!({"filter": {"stage": "stt"}, "limit": 10, "expected": 108});
        let answer = act(&exporter, "retry", &body).json();
        assert_eq!(answer["retried"], 10);
        // They are the first of the list: the latest failed.
        assert_eq!(
            count(&mut database, "status = 'pending' AND id > 108").await,
            10
        );
        let became = |exporter: &Exporter| action(exporter, &answer["action"])["became"].clone();
        let all_wait = json!({"done": 0, "failed_again": 0, "processing": 0, "waiting": 10});
        assert_eq!(became(&exporter), all_wait);
        database
            .run("UPDATE processing_queue SET status = 'completed' WHERE id IN (119, 118, 117)")
            .await;
        database
            .run("UPDATE processing_queue SET status = 'failed' WHERE id = 116")
            .await;
        database
            .run("UPDATE processing_queue SET status = 'processing' WHERE id = 115")
            .await;
        database
            .run("DELETE FROM processing_queue WHERE id = 114")
            .await;
        let expected =
            json!({"done": 3, "failed_again": 1, "processing": 1, "waiting": 4, "gone": 1});
        assert_eq!(became(&exporter), expected);
    }
}

#[tokio::test]
async fn a_paced_action_is_shown_and_can_be_stopped() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 120).await;
        let body = json!({"filter": {}, "per_minute": 5});
        let answer = act(&exporter, "retry", &body);
        assert_eq!(answer.status, 202);
        let number = answer.json()["action"].clone();
        let late = Instant::now() + Duration::from_secs(10);
        while action(&exporter, &number)["outcomes"] != json!({"retried": 5}) {
            assert!(Instant::now() < late);
            std::thread::sleep(Duration::from_millis(20));
        }
        let running = action(&exporter, &number);
        assert_eq!(
            (running["status"].clone(), running["rows"].clone()),
            (json!("running"), json!(120))
        );
        assert_eq!(running["per_minute"], 5);
        let undo = exporter.act(&format!("/api/queue/actions/{number}/undo"), "");
        assert_eq!(undo.status, 409, "{}", undo.text());
        let stop = exporter.act(&format!("/api/queue/actions/{number}/stop"), "");
        assert_eq!(stop.status, 200, "{}", stop.text());
        let stopped = ended(&exporter, &answer);
        assert_eq!(stopped["status"], "stopped");
        assert_eq!(count(&mut database, "status = 'pending'").await, 5);
    }
}

#[tokio::test]
async fn causes_are_counted_over_all_rows() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 2400).await;
        // A busy machine may not have counted them by the end of the first scrape.
        let series = loop {
            let series = exporter.scrape();
            let is_counted = |key: &String| key.starts_with("queueboard_failed_items");
            if series.keys().any(is_counted) {
                break series;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let failed = |stage: &str, cause: &str| {
            let key = crate::model::series(
                "queueboard_failed_items",
                &[("stage", stage), ("machine", "gpu"), ("cause", cause)],
            );
            series.get(&key).copied()
        };
        let (lost, late, memory) = (
            cause_of(&exporter, 2),
            cause_of(&exporter, 1),
            cause_of(&exporter, 10),
        );
        assert_eq!(failed("stt", &lost), Some(960.0), "{series:?}");
        assert_eq!(failed("stt", &late), Some(1200.0));
        assert_eq!(failed("embed", &memory), Some(240.0));
        // Whatever is beyond the most frequent twenty is one number of its stage.
        let words = (0..30).map(|n| {
            format!(
                "UPDATE processing_queue SET error_message = 'reason {}' WHERE id = {}",
                "abcdefghijklmnopqrstuvwxyz".repeat(2)[n..n + 9].to_owned(),
                2 * n + 1
            )
        });
        database.run(&words.collect::<Vec<_>>().join(";")).await;
        // Counting all rows is not done at every scrape.
        let own = loop {
            let mut series = exporter.scrape();
            series.retain(|key, _| key.starts_with("queueboard_failed_items"));
            if series.len() > 3 {
                break series;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(own.len(), 21, "{own:?}");
        assert_eq!(own.values().sum::<f64>(), 2400.0);
        let others = own.iter().find(|(key, _)| key.contains("_other"));
        assert!(others.is_some_and(|(_, rows)| *rows > 1.0), "{own:?}");
    }
}
