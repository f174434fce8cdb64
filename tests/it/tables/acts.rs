//! What a retry and a skip answer, and what they make of the rows.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::board::{self, RETRIES, SKIPS};
use super::judge::error;
use super::table::Table;
use crate::equality;
use crate::support::{Engine, Exporter};

/// Rows are retried and skipped, with the outcomes and the contents that they should have.
pub(super) async fn actions(table: &mut Table, exporter: &Exporter) {
    let ids = table.case.names.queue;
    for (action, wanted) in [("retry", RETRIES), ("skip", SKIPS)] {
        let body = json!({"ids": wanted.map(|(id, _)| ids.json(id))}).to_string();
        let act = || {
            let answer = exporter.act(&format!("/api/queue/{action}"), &body);
            assert_eq!(answer.status, 200, "{action}: {}", answer.text());
            answer
        };
        // What bears no mark cannot be taken back.
        let before = contents(table).await;
        if action == "retry" || !table.case.absent.contains(&"payload") {
            undo(exporter, &act().json());
            let after = contents(table).await;
            equality::same(&json!(after), &json!(before), &format!("{action}, undone"));
        }
        let answer = act();
        let results = wanted.map(|(id, outcome)| json!({"id": ids.json(id), "outcome": outcome}));
        equality::same(&answer.json()["results"], &json!(results), action);
    }
    board::act(&mut table.rows, !table.case.absent.contains(&"payload"));
    let (actual, expected) = (contents(table).await, expected_contents(table));
    for (actual, expected) in actual.iter().zip(&expected) {
        equality::same(actual, expected, &format!("row {}", expected[0]));
    }
    assert_eq!(actual.len(), expected.len());
}

/// Takes an action back, all of it.
fn undo(exporter: &Exporter, acted: &Value) {
    let changed = acted.get("retried").or(acted.get("skipped"));
    let path = format!("/api/queue/actions/{}/undo", acted["action"]);
    let undone = exporter.act(&path, "");
    assert_eq!(undone.status, 200, "undo: {}", undone.text());
    assert_eq!(undone.json().get("restored"), changed, "{}", undone.text());
}

fn acted() -> Vec<i64> {
    let all = RETRIES.iter().chain(&SKIPS);
    let mut ids: Vec<i64> = all.map(|(id, _)| *id).filter(|id| *id < 900).collect();
    ids.sort_unstable();
    ids
}

/// The rows that are acted upon: id, status, attempts, error, started, completed, payload.
pub(super) async fn contents(table: &mut Table) -> Vec<Value> {
    let column = |name: &str| match table.case.absent.contains(&name) {
        true => "NULL".to_owned(),
        false => format!("CAST({name} AS text)"),
    };
    let is_set = |name: &str| format!("CASE WHEN {name} IS NULL THEN 'no' ELSE 'yes' END");
    let columns = [
        column("id"),
        column("status"),
        column("attempts"),
        column("error_message"),
        is_set("started_at"),
        is_set("completed_at"),
        column("payload"),
    ];
    let array = match table.engine {
        Engine::Sqlite => "json_array",
        _ => "json_build_array",
    };
    let ids = acted().into_iter();
    let ids: Vec<String> = ids
        .map(|id| format!("'{}'", table.case.names.queue.text(id)))
        .collect();
    let query = format!(
        "SELECT CAST({array}({}) AS text) FROM processing_queue WHERE CAST(id AS text) IN ({})
         ORDER BY CAST(id AS text)",
        columns.join(", "),
        ids.join(", "),
    );
    let texts = table.database.texts(&query).await;
    texts.iter().map(|text| content(text)).collect()
}

/// Reads a row's payload, in which the moment of a skip need only be one.
fn content(text: &str) -> Value {
    let mut row: Value = serde_json::from_str(text).expect("a row");
    row[1] = row[1].as_str().map(str::trim_end).into();
    if let Some(payload) = row[6].as_str() {
        let mut payload = serde_json::from_str(payload).unwrap_or_else(|_| json!(payload));
        if let Some(at) = payload
            .as_object_mut()
            .and_then(|payload| payload.remove("skipped_at"))
        {
            let at = at.as_str().map(str::parse::<DateTime<Utc>>);
            assert!(at.is_some_and(|at| at.is_ok()), "{text}");
        }
        row[6] = payload;
    }
    row
}

fn expected_contents(table: &Table) -> Vec<Value> {
    let [pending, completed, failed] = table.case.words;
    let (untouched, another) = table.case.untouched.unzip();
    let another = another.unwrap_or_default();
    let was_failed = |id: i64| id > 180 && id != 183;
    let is_set = |is_set: bool| if is_set { "yes" } else { "no" };
    let row = |id: i64| {
        let row = table
            .rows
            .queue
            .iter()
            .find(|row| row.id == id)
            .expect("a row");
        let word = match row.status.as_str() {
            _ if untouched == Some(id) => another,
            "pending" => pending,
            "completed" => completed,
            _ => failed,
        };
        let attempts = if was_failed(id) && row.status != "pending" {
            "3"
        } else {
            "0"
        };
        let mut columns = vec![
            json!(table.case.names.queue.text(id)),
            json!(word),
            json!(attempts),
            if was_failed(id) {
                error(table, id)
            } else {
                Value::Null
            },
            json!(is_set(row.started_at.is_some())),
            json!(is_set(row.completed_at.is_some())),
            json!(row.payload),
        ];
        for (place, name) in [(2, "attempts"), (3, "error_message"), (6, "payload")] {
            if table.case.absent.contains(&name) {
                columns[place] = Value::Null;
            }
        }
        Value::from(columns)
    };
    acted().into_iter().map(row).collect()
}
