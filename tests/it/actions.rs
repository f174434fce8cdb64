use serde_json::{Value, json};

use crate::support::{Database, Engine, Exporter, Options};

/// Rows by id: document, stage, status, payload.
type Row = (i64, i64, &'static str, &'static str, Option<&'static str>);

const FAILED_AT: &str = "2026-11-24T01:00:00Z";

async fn queue(engine: Engine, rows: &[Row]) -> (Database, Exporter) {
    let mut database = Database::create(engine).await;
    for (id, document, stage, status, payload) in rows {
        let payload = payload.map_or("NULL".to_owned(), |payload| format!("'{payload}'"));
        let values = format!(
            "({id}, {document}, '{stage}', '{status}', {payload}, 3, 'because', '{FAILED_AT}',
              '{FAILED_AT}', '{FAILED_AT}')"
        );
        let columns = "id, document_id, stage, status, payload, attempts, error_message,
                       created_at, started_at, completed_at";
        database
            .run(&format!(
                "INSERT INTO processing_queue ({columns}) VALUES {values}"
            ))
            .await;
    }
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}

fn act(exporter: &Exporter, action: &str, ids: &[i64]) -> Value {
    let answer = exporter.act(
        &format!("/api/queue/{action}"),
        &json!({ "ids": ids }).to_string(),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn outcomes(answer: &Value) -> Vec<(i64, &str)> {
    let results = answer["results"].as_array().expect("results");
    let pair = |result: &Value| result["id"].as_i64().expect("an id");
    results
        .iter()
        .map(|result| {
            (
                pair(result),
                result["outcome"].as_str().expect("an outcome"),
            )
        })
        .collect()
}

async fn state(database: &mut Database, id: i64) -> String {
    let query = format!(
        "SELECT status || ' ' || attempts || ' ' || coalesce(error_message, '-') || ' ' ||
            CASE WHEN started_at IS NULL THEN '-' ELSE 'started' END || ' ' ||
            CASE WHEN completed_at IS NULL THEN '-' ELSE 'completed' END
         FROM processing_queue WHERE id = {id}"
    );
    database.texts(&query).await.remove(0)
}

#[tokio::test]
async fn a_failed_row_is_retried_and_keeps_its_error() {
    for engine in Engine::ALL {
        let (mut database, exporter) = queue(engine, &[(1, 1, "stt", "failed", None)]).await;
        let answer = act(&exporter, "retry", &[1]);
        let expected = json!({"requested": 1, "retried": 1, "not_retried": 0,
                              "results": [{"id": 1, "outcome": "retried"}], "action": 1});
        assert_eq!(answer, expected);
        assert_eq!(state(&mut database, 1).await, "pending 0 because - -");
        // A second time it is no longer failed, and nothing happens to it.
        assert_eq!(
            outcomes(&act(&exporter, "retry", &[1])),
            [(1, "not_failed")]
        );
        assert_eq!(state(&mut database, 1).await, "pending 0 because - -");
    }
}

#[tokio::test]
async fn a_row_whose_document_is_queued_already_is_left_alone() {
    for engine in Engine::ALL {
        let rows = [
            (1, 1, "stt", "failed", None),
            (2, 1, "stt", "pending", None),
            (3, 2, "stt", "failed", None),
            (4, 2, "stt", "processing", None),
            (5, 3, "stt", "failed", None),
            (6, 3, "embed", "pending", None),
            (7, 4, "stt", "failed", None),
            (8, 4, "stt", "completed", None),
        ];
        let (mut database, exporter) = queue(engine, &rows).await;
        let answer = act(&exporter, "retry", &[1, 3, 5, 7]);
        let expected = [
            (1, "conflict"),
            (3, "conflict"),
            (5, "retried"),
            (7, "retried"),
        ];
        assert_eq!(outcomes(&answer), expected);
        assert_eq!(
            (answer["retried"].as_i64(), answer["not_retried"].as_i64()),
            (Some(2), Some(2))
        );
        assert_eq!(
            state(&mut database, 1).await,
            "failed 3 because started completed"
        );
    }
}

#[tokio::test]
async fn of_several_failed_rows_of_a_document_the_highest_is_retried() {
    for engine in Engine::ALL {
        let rows = [
            (1, 1, "stt", "failed", None),
            (5, 1, "stt", "failed", None),
            (3, 1, "stt", "failed", None),
            (9, 1, "stt", "failed", None),
            (4, 1, "embed", "failed", None),
        ];
        let (mut database, exporter) = queue(engine, &rows).await;
        // 9 is not asked for, so it does not matter.
        let answer = act(&exporter, "retry", &[3, 5, 1, 4]);
        let expected = [
            (3, "conflict"),
            (5, "retried"),
            (1, "conflict"),
            (4, "retried"),
        ];
        assert_eq!(outcomes(&answer), expected);
        assert_eq!(
            state(&mut database, 9).await,
            "failed 3 because started completed"
        );
    }
}

#[tokio::test]
async fn rows_that_are_not_failed_or_not_there_are_said_to_be() {
    for engine in Engine::ALL {
        let rows = [
            (1, 1, "stt", "pending", None),
            (2, 2, "stt", "processing", None),
            (3, 3, "stt", "completed", None),
            (4, 4, "stt", "cancelled", None),
        ];
        let (mut database, exporter) = queue(engine, &rows).await;
        for action in ["retry", "skip"] {
            let answer = act(&exporter, action, &[4, 3, 2, 1, 77, -1, i64::MAX, 77]);
            let expected = [
                (4, "not_failed"),
                (3, "not_failed"),
                (2, "not_failed"),
                (1, "not_failed"),
                (77, "not_found"),
                (-1, "not_found"),
                (i64::MAX, "not_found"),
            ];
            assert_eq!(outcomes(&answer), expected);
            assert_eq!(answer["requested"], 7, "an id named twice counts once");
        }
        assert_eq!(
            state(&mut database, 2).await,
            "processing 3 because started completed"
        );
    }
}

#[tokio::test]
async fn a_failed_row_is_skipped_whatever_its_payload() {
    for engine in Engine::ALL {
        let rows = [
            (1, 1, "stt", "failed", None),
            (
                2,
                2,
                "stt",
                "failed",
                Some(r#"{"a": {"b": [1]}, "skipped_by_user": "no"}"#),
            ),
            (3, 3, "stt", "failed", Some(r#"[1, "x"]"#)),
            (4, 4, "stt", "failed", Some(r#""text""#)),
            (5, 5, "stt", "failed", Some("7.5")),
            (6, 6, "stt", "failed", Some("null")),
            // Skipping asks nothing of other rows.
            (7, 7, "stt", "failed", None),
            (8, 7, "stt", "pending", None),
        ];
        let (mut database, exporter) = queue(engine, &rows).await;
        let answer = act(&exporter, "skip", &[1, 2, 3, 4, 5, 6, 7, 2]);
        assert_eq!(
            (answer["skipped"].as_i64(), answer["not_skipped"].as_i64()),
            (Some(7), Some(0))
        );
        for (id, kept) in [
            (1, json!({})),
            (2, json!({"a": {"b": [1]}})),
            (3, json!({"payload": [1, "x"]})),
            (4, json!({"payload": "text"})),
            (5, json!({"payload": 7.5})),
            (6, json!({"payload": null})),
            (7, json!({})),
        ] {
            assert_eq!(
                state(&mut database, id).await,
                "completed 3 because started completed"
            );
            let query =
                format!("SELECT CAST(payload AS text) FROM processing_queue WHERE id = {id}");
            let mut payload: Value =
                serde_json::from_str(&database.texts(&query).await[0]).expect("a payload of JSON");
            let payload = payload.as_object_mut().expect("an object");
            assert_eq!(payload.remove("skipped_by_user"), Some(json!(true)));
            let skipped_at = payload.remove("skipped_at").expect("when it was skipped");
            let skipped_at = skipped_at
                .as_str()
                .map(chrono::DateTime::parse_from_rfc3339);
            assert!(skipped_at.is_some_and(|at| at.is_ok()));
            assert_eq!(Value::Object(payload.clone()), kept, "{engine:?} {id}");
        }
        // It was completed now, not when it failed, and nothing was enqueued after it.
        let page = exporter.scrape();
        assert_eq!(
            page[r#"queueboard_stage_completed_15m{machine="gpu",stage="stt"}"#],
            7.0
        );
        assert_eq!(
            database
                .texts("SELECT CAST(count(*) AS text) FROM processing_queue")
                .await,
            ["8"]
        );
    }
}

#[tokio::test]
async fn an_action_is_logged_and_counted() {
    for engine in Engine::ALL {
        let rows = [(1, 1, "stt", "failed", None), (2, 2, "stt", "failed", None)];
        let (_database, exporter) = queue(engine, &rows).await;
        act(&exporter, "retry", &[1, 9]);
        act(&exporter, "skip", &[2]);
        let page = exporter.scrape();
        let counted = |action: &str, outcome: &str| {
            page[&format!(
                "queueboard_admin_items_total{{action=\"{action}\",outcome=\"{outcome}\"}}"
            )]
        };
        assert_eq!(counted("retry", "retried"), 1.0);
        assert_eq!(counted("retry", "not_found"), 1.0);
        assert_eq!(counted("retry", "conflict"), 0.0);
        assert_eq!(counted("skip", "skipped"), 1.0);
        exporter.log_with(r#"action="retry" actor="token" outcome="retried" rows=1 ids=[1]"#);
        exporter.log_with(r#"outcome="not_found" rows=1 ids=[9]"#);
        let log =
            exporter.log_with(r#"action="skip" actor="token" outcome="skipped" rows=1 ids=[2]"#);
        assert!(!log.contains(crate::support::TOKEN), "{log}");
    }
}

#[tokio::test]
async fn the_actor_is_the_user_of_basic_credentials() {
    let (_database, exporter) = queue(Engine::Sqlite, &[(1, 1, "stt", "failed", None)]).await;
    // "kim\n2026 INFO forged:a-token-for-tests"
    let basic = "Authorization: Basic a2ltCjIwMjYgSU5GTyBmb3JnZWQ6YS10b2tlbi1mb3ItdGVzdHM=";
    let answer = crate::support::post(
        exporter.admin,
        "/api/queue/retry",
        &[basic],
        r#"{"ids": [1]}"#,
    );
    assert_eq!(answer.status, 200);
    let log = exporter.log_with("actor=\"kim\u{fffd}2026 INFO forged\"");
    assert_eq!(
        log.lines().count(),
        1,
        "a name cannot write a log line of its own: {log}"
    );
}
