use serde_json::json;

use super::board;
use crate::rows::Rows;
use crate::support::{Database, Engine, Exporter, Options};

const FAILED: &str = "INSERT INTO processing_queue (id, document_id, stage, status, attempts,
        created_at, started_at, completed_at)
    WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 300)
    SELECT n, n, 'stt', 'failed', 3, '2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z',
        '2020-01-01T00:00:00Z' FROM numbers";

/// The usual tables, and some on which a skip is written in another way.
const TABLES: [(&[Engine], &str); 3] = [
    (&Engine::ALL, ""),
    (
        &[Engine::Postgres],
        "ALTER TABLE processing_queue ALTER payload TYPE text USING payload::text",
    ),
    (
        &[Engine::Postgres],
        "DROP INDEX uq_queue_active;
         ALTER TABLE processing_queue ALTER payload TYPE json USING payload::json;
         CREATE TYPE public.word AS ENUM ('pending', 'processing', 'completed', 'failed');
         ALTER TABLE processing_queue ALTER status TYPE public.word USING status::public.word",
    ),
];

/// What is skipped is completed, but nobody worked.
const EXPECTED: [(&str, f64); 12] = [
    (
        r#"queueboard_stage_completed_15m{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_completed_1h{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_completed_today{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_skipped_15m{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_skipped_1h{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_skipped_today{machine="gpu",stage="stt"}"#,
        300.0,
    ),
    (
        r#"queueboard_stage_skipped_15m{machine="gpu",stage="embed"}"#,
        0.0,
    ),
    (
        r#"queueboard_stage_items{machine="gpu",stage="stt",status="failed"}"#,
        0.0,
    ),
    (r#"queueboard_machine_completed_15m{machine="gpu"}"#, 300.0),
    (
        r#"queueboard_machine_state{machine="gpu",state="active"}"#,
        0.0,
    ),
    (
        r#"queueboard_machine_state{machine="gpu",state="idle"}"#,
        1.0,
    ),
    (
        r#"queueboard_machine_state{machine="macmini",state="idle"}"#,
        1.0,
    ),
];

#[tokio::test]
async fn three_hundred_skipped_rows_leave_an_idle_machine_idle() {
    for (engines, sql) in TABLES {
        for &engine in engines {
            let mut database = Database::create(engine).await;
            let empty = Rows {
                documents: vec![],
                queue: vec![],
                jobs: None,
                ..board::board()
            };
            database.load(&empty).await;
            database.run(FAILED).await;
            database.run(sql).await;
            let options = Options {
                clock: database.clock(),
                ..Options::default()
            };
            let exporter = Exporter::serve(database.url(), &options);
            let ids: Vec<i64> = (1..=300).collect();
            let answer = exporter.act("/api/queue/skip", &json!({ "ids": ids }).to_string());
            assert_eq!(
                answer.json()["skipped"],
                300,
                "{engine:?}: {}",
                answer.text()
            );
            let page = exporter.scrape();
            for (key, value) in EXPECTED {
                assert_eq!(page.get(key), Some(&value), "{engine:?} {sql}: {key}");
            }
            let gpu = &exporter.overview().json()["machines"][0];
            assert_eq!(gpu["state"], "idle", "{engine:?}");
        }
    }
}
