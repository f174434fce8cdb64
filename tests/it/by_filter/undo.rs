use serde_json::{Value, json};

use super::{act, action, served};
use crate::support::{Answer, Database, Engine, Exporter};

fn undo(exporter: &Exporter, number: &Value) -> Answer {
    exporter.act(&format!("/api/queue/actions/{number}/undo"), "")
}

/// Every column that an action may change, of every row.
async fn rows(database: &mut Database, engine: Engine) -> Vec<String> {
    let payload = match engine {
        Engine::Sqlite => "typeof(payload) || coalesce(CAST(payload AS TEXT), '')",
        _ => "coalesce(payload::text, '-')",
    };
    let query = format!(
        "SELECT CAST(id AS text) || ' ' || status || ' ' || attempts || ' '
             || coalesce(CAST(started_at AS text), '-') || ' '
             || coalesce(CAST(completed_at AS text), '-') || ' ' || {payload}
         FROM processing_queue ORDER BY id"
    );
    database.texts(&query).await
}

#[tokio::test]
async fn what_was_retried_or_skipped_is_failed_again_as_it_was() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 60).await;
        for (id, change) in [
            (1, "payload = '{\"a\": [1, 2.50], \"한\": \"\\u0027\"}'"),
            (2, "payload = '[1, 2]'"),
            (
                3,
                "completed_at = NULL, started_at = '2026-11-23T10:11:12.123456Z'",
            ),
            (4, "attempts = 7, completed_at = NULL, started_at = NULL"),
            (5, "payload = '{\"skipped_by_user\": false}'"),
        ] {
            database
                .run(&format!(
                    "UPDATE processing_queue SET {change} WHERE id = {id}"
                ))
                .await;
        }
        let before = rows(&mut database, engine).await;
        for (name, body) in [
            ("retry", json!({"filter": {}})),
            ("skip", json!({"filter": {}})),
            ("retry", json!({"ids": [1, 2, 3, 4, 5]})),
            ("skip", json!({"ids": [1, 2, 3, 4, 5]})),
        ] {
            let answer = act(&exporter, name, &body).json();
            let number = &answer["action"];
            assert_eq!(action(&exporter, number)["can_undo"], true, "{answer}");
            assert_ne!(rows(&mut database, engine).await, before);
            let undone = undo(&exporter, number);
            assert_eq!(undone.status, 200, "{}", undone.text());
            let undone = undone.json();
            assert_eq!(
                undone["restored"], answer["requested"],
                "{engine:?} {name}: {undone}"
            );
            assert_eq!(
                rows(&mut database, engine).await,
                before,
                "{engine:?} {name}"
            );
            // It can be taken back once, and the taking back not at all.
            assert_eq!(undo(&exporter, number).status, 409);
            assert_eq!(undo(&exporter, &undone["action"]).status, 409);
        }
        assert_eq!(undo(&exporter, &json!(99)).status, 404);
    }
}

#[tokio::test]
async fn what_was_touched_since_is_left_alone() {
    for engine in Engine::ALL {
        let (mut database, exporter) = served(engine, 8).await;
        let answer = act(&exporter, "retry", &json!({"ids": [1, 2, 3, 4, 5, 6, 99]})).json();
        for script in [
            "UPDATE processing_queue SET status = 'processing' WHERE id = 1",
            "UPDATE processing_queue SET started_at = '2026-11-25T00:00:00Z' WHERE id = 2",
            "UPDATE processing_queue SET attempts = 1 WHERE id = 3",
            "UPDATE processing_queue SET status = 'completed' WHERE id = 4",
            "DELETE FROM processing_queue WHERE id = 5",
        ] {
            database.run(script).await;
        }
        let before = rows(&mut database, engine).await;
        let undone = undo(&exporter, &answer["action"]).json();
        let outcomes = undone["results"].as_array().expect("results").iter();
        let outcomes: Vec<_> = outcomes
            .map(|row| json!([row["id"], row["outcome"]]))
            .collect();
        let mut outcomes = outcomes;
        outcomes.sort_by_key(|row| row[0].as_i64());
        let expected = json!([
            [1, "touched"],
            [2, "touched"],
            [3, "touched"],
            [4, "touched"],
            [5, "not_found"],
            [6, "restored"]
        ]);
        assert_eq!(Value::from(outcomes), expected, "{engine:?}");
        let after = rows(&mut database, engine).await;
        let changed: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");

        let answer = act(&exporter, "skip", &json!({"ids": [7, 8]})).json();
        database
            .run("UPDATE processing_queue SET payload = '{}' WHERE id = 7")
            .await;
        let undone = undo(&exporter, &answer["action"]).json();
        assert_eq!(
            (undone["restored"].clone(), undone["not_restored"].clone()),
            (json!(1), json!(1))
        );
    }
}

#[tokio::test]
async fn the_latest_fifty_are_remembered_with_who_did_them() {
    let (_database, exporter) = served(Engine::Sqlite, 60).await;
    for id in 1..=51 {
        assert_eq!(act(&exporter, "retry", &json!({"ids": [id]})).status, 200);
    }
    let recent = exporter.ask("/api/queue/actions").json();
    let recent = recent["actions"].as_array().expect("actions");
    assert_eq!(recent.len(), 50);
    assert_eq!(
        (recent[0]["action"].clone(), recent[49]["action"].clone()),
        (json!(51), json!(2))
    );
    assert_eq!(
        (recent[0]["actor"].clone(), recent[0]["what"].clone()),
        (json!("token"), json!("retry"))
    );
    assert_eq!(exporter.ask("/api/queue/actions/1").status, 404);
    for path in [
        "/api/queue/actions/x",
        "/api/queue/actions/51/x",
        "/api/queue/actionsx",
    ] {
        assert_eq!(exporter.ask(path).status, 404, "{path}");
    }
    assert_eq!(exporter.ask("/api/queue/actions/51/undo").status, 405);
}
