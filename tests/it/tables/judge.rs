//! The numbers and lists of a table, compared with the model.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::names::forget_titles;
use super::table::Table;
use crate::rows::{QueueRow, Rows};
use crate::support::{Exporter, of_board};
use crate::{equality, model};

/// Every series that the model knows has its value, and so has the whole overview.
pub(super) fn numbers(table: &Table, exporter: &Exporter) {
    let names = &table.case.names;
    let actual = of_board(exporter.scrape());
    let is_loose = |key: &String| {
        let of_null = !names.nulls.is_empty() && key.starts_with("queueboard_current_");
        of_null || table.case.loose.iter().any(|loose| key.starts_with(loose))
    };
    let expected = model::metrics(&table.rows).into_iter();
    let expected: BTreeMap<String, f64> = expected
        .map(|(key, value)| (names.series(&key), value))
        .collect();
    let mut wrong = Vec::new();
    for (key, value) in expected.iter().filter(|(key, _)| !is_loose(key)) {
        match actual.get(key) {
            Some(known) if (known - value).abs() <= tolerance(*value) => {}
            known => wrong.push(format!("{key} is {known:?}, not {value}")),
        }
    }
    let families: BTreeSet<&str> = expected.keys().map(|key| family(key)).collect();
    let unknown = actual
        .keys()
        .filter(|key| families.contains(family(key)) && !expected.contains_key(*key));
    wrong.extend(
        unknown
            .filter(|key| !is_loose(key))
            .map(|key| format!("{key} should be absent")),
    );
    let (number, some) = (wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    assert!(
        wrong.is_empty(),
        "{number} numbers are wrong:\n{some}\n{}",
        exporter.log()
    );

    let answer = exporter.overview();
    assert_eq!(answer.status, 200, "the overview: {}", answer.text());
    let (mut actual, mut expected) = (exporter.former_overview(), model::overview(&table.rows));
    names.json(&mut expected, false);
    forget_titles(&mut actual);
    forget_titles(&mut expected);
    equality::same(&actual, &expected, "the overview");
}

/// A difference of two instants is as exact as a timestamp is.
fn tolerance(value: f64) -> f64 {
    f64::max(1e-6, 1e-9 * value.abs())
}

fn family(key: &str) -> &str {
    key.split('{').next().unwrap_or(key)
}

/// The list of failed rows holds each, with all that is known of it.
pub(super) fn failures(table: &Table, exporter: &Exporter) {
    let mut actual = Vec::new();
    let mut next = Some(String::new());
    while let Some(after) = next {
        let answer = exporter.ask(&format!("/api/queue/failed?limit=7&after={after}"));
        assert_eq!(answer.status, 200, "the list: {}", answer.text());
        let page = answer.json();
        actual.extend(page["items"].as_array().expect("items").iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
        assert!(actual.len() < 100, "the list does not end");
    }
    let order = |item: &Value| {
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        let at = text("failed_at").and_then(|at| at.parse::<DateTime<Utc>>().ok());
        (text("stage"), at.is_none(), Reverse(at))
    };
    assert!(
        actual.is_sorted_by_key(order),
        "the list is in no order: {actual:?}"
    );
    let key = |item: &Value| item["id"].to_string();
    actual.sort_by_key(key);
    let failed = table.rows.queue.iter().filter(|row| row.status == "failed");
    let mut expected: Vec<Value> = failed.map(|row| failure(table, row)).collect();
    expected.sort_by_key(key);
    for item in &mut actual {
        // What the cause of an error is has tests of its own.
        let cause = item
            .as_object_mut()
            .and_then(|item| item.shift_remove("cause"));
        assert!(cause.is_some_and(|cause| cause.as_str().is_some_and(|cause| !cause.is_empty())));
    }
    let (mut actual, mut expected) = (Value::from(actual), Value::from(expected));
    forget_titles(&mut actual);
    forget_titles(&mut expected);
    equality::same(&actual, &expected, "the list");
}

fn failure(table: &Table, row: &QueueRow) -> Value {
    let known = |column: &str, value: Value| match table.case.absent.contains(&column) {
        true => Value::Null,
        false => value,
    };
    let failed_at = row.completed_at.or(row.started_at);
    // Where there is no table of documents, none is gone.
    let mut documents = table.rows.documents.iter();
    let is_gone = !table.rows.documents.is_empty()
        && documents.all(|document| document.id != row.document_id);
    let mut item = json!({
        "id": row.id, "stage": row.stage, "machine": machine(&table.rows, &row.stage),
        "document_id": row.document_id, "document_gone": is_gone, "title": model::display_title(&table.rows, row.document_id),
        "attempts": known("attempts", 3.into()), "max_attempts": known("max_attempts", 3.into()),
        "error_message": known("error_message", error(table, row.id)),
        "failed_at": failed_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
    });
    table.case.names.json(&mut item, false);
    if item["document_id"].is_null() {
        item["document_gone"] = false.into();
    }
    item
}

/// What the table says of a failed row.
pub(super) fn error(table: &Table, id: i64) -> Value {
    (table.case.error)(id).into()
}

fn machine(rows: &Rows, stage: &str) -> Value {
    let overview = model::overview(rows);
    let machines = overview["machines"].as_array().expect("machines");
    let has = |machine: &&Value| {
        let stages = machine["stages"].as_array().expect("stages");
        stages.iter().any(|known| known == stage)
    };
    machines
        .iter()
        .find(has)
        .map_or("unassigned".into(), |machine| machine["key"].clone())
}

/// Collectors have failed, none of their numbers is shown, and no answer pretends to know them.
pub(super) fn nothing(exporter: &Exporter, collectors: &[&str]) {
    let page = exporter.scrape();
    for collector in collectors {
        let success = format!("queueboard_collector_success{{collector=\"{collector}\"}}");
        assert_eq!(
            page.get(&success),
            Some(&0.0),
            "{success}:\n{}",
            exporter.log()
        );
        let names: &[&str] = match *collector {
            "stages" => &[
                "stage_items",
                "stage_deferred",
                "stage_completed",
                "stage_created",
                "stage_skipped",
                "stage_oldest",
                "stage_wait",
                "stage_processing",
                "stage_eta",
                "stage_forecast",
                "pool_",
                "machine_items",
                "machine_state",
                "machine_completed",
                "machine_deferred",
            ],
            "trend" => &["trend_"],
            "causes" => &["failed_items"],
            "outlook" => &["stage_drain", "stage_pace", "stage_outlook", "pipeline_"],
            _ => &["background_"],
        };
        for name in names {
            let name = format!("queueboard_{name}");
            // That there are rows of unknown words is known.
            let is_number =
                |key: &&String| key.starts_with(&name) && !key.contains("_unknown_status");
            let shown = page.keys().find(is_number);
            assert_eq!(shown, None, "{collector} failed, but shows a number");
        }
    }
    let overview = exporter.overview();
    assert_eq!(overview.status, 503, "the overview: {}", overview.text());
    let list = exporter.ask("/api/queue/failed");
    let is_empty = list.status == 200 && list.json()["total"] == 0;
    assert!(!is_empty, "rows have failed, but the list is empty");
}
