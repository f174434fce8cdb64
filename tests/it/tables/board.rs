//! The board that every table holds: small, but with something of everything.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::rows::{Document, Job, QueueRow, Rows};

const STAGES: [&str; 7] = [
    "extract",
    "embed",
    "stt",
    "classify",
    "summarize",
    "deep_summary",
    "translate",
];

/// What became of a row: its status, and how many seconds ago it was created, started, completed.
const LIVES: [(&str, i64, Option<i64>, Option<i64>); 8] = [
    ("pending", 120, None, None),
    ("pending", 7200, None, None),
    ("processing", 4000, Some(300), None),
    ("completed", 5000, Some(900), Some(400)),
    ("completed", 9000, Some(3000), Some(2000)),
    ("completed", 90_000, Some(80_000), Some(70_000)),
    ("failed", 4500, Some(2500), Some(2420)),
    ("failed", 8000, Some(4100), None),
];

/// Rows to be retried and skipped, by id: document, stage, status, payload.
const SPECIAL: [(i64, i64, &str, &str, &str); 9] = [
    (181, 281, "stt", "failed", ""),
    (182, 282, "stt", "failed", ""),
    (183, 282, "stt", "pending", ""),
    (184, 284, "embed", "failed", ""),
    (185, 284, "embed", "failed", ""),
    (
        186,
        286,
        "summarize",
        "failed",
        r#"{"a":{"b":[1]},"note":"n"}"#,
    ),
    (187, 287, "classify", "failed", r#"[1,"x"]"#),
    (188, 288, "translate", "failed", ""),
    (189, 289, "stt", "failed", r#""text""#),
];

/// The ids that are retried, and what becomes of each.
pub(super) const RETRIES: [(i64, &str); 6] = [
    (181, "retried"),
    (182, "conflict"),
    (184, "conflict"),
    (185, "retried"),
    (183, "not_failed"),
    (999, "not_found"),
];

/// The ids that are skipped, and what becomes of each.
pub(super) const SKIPS: [(i64, &str); 6] = [
    (186, "skipped"),
    (187, "skipped"),
    (188, "skipped"),
    (189, "skipped"),
    (104, "not_failed"),
    (998, "not_found"),
];

/// Returns this second, in which the clock of a test is stopped.
#[expect(
    clippy::disallowed_methods,
    reason = "the database's clock is set to it"
)]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

/// Returns about sixty rows over seven stages, documents and background jobs.
pub(super) fn board() -> Rows {
    let now = now();
    let mut queue = Vec::new();
    for (place, stage) in STAGES.iter().enumerate() {
        for (life, &(status, created, started, completed)) in LIVES.iter().enumerate() {
            // The macbook does nothing, so that it can be deferred.
            if *stage == "deep_summary" && matches!(life, 2..5) {
                continue;
            }
            let shift = (place * 8 + life) as i64;
            let mut row = row(now, 101 + shift, 201 + shift, stage, status);
            let then = now - TimeDelta::seconds(shift);
            let ago = |seconds: Option<i64>| seconds.map(|ago| then - TimeDelta::seconds(ago));
            row.created_at = then - TimeDelta::seconds(created);
            (row.started_at, row.completed_at) = (ago(started), ago(completed));
            row.payload = payload(now, stage, life);
            queue.push(row);
        }
    }
    queue.extend(SPECIAL.map(|(id, document, stage, status, payload)| {
        let mut row = row(now, id, document, stage, status);
        row.payload = serde_json::from_str(payload).ok();
        row
    }));
    // Somebody works on it, but it is not known since when.
    queue.push(row(now, 190, 290, "embed", "processing"));
    Rows {
        now,
        zone: chrono_tz::Tz::Asia__Seoul,
        macbook_enabled: true,
        documents: (201..281).filter_map(document).collect(),
        queue,
        jobs: Some(jobs(now)),
    }
}

fn row(now: DateTime<Utc>, id: i64, document_id: i64, stage: &str, status: &str) -> QueueRow {
    let created_at = now - TimeDelta::seconds(20_000 + id);
    let failed = (status == "failed" && id != 188).then_some(now - TimeDelta::seconds(9000 + id));
    QueueRow {
        id,
        document_id,
        stage: stage.to_owned(),
        status: status.to_owned(),
        payload: None,
        created_at,
        started_at: failed,
        completed_at: failed,
    }
}

fn payload(now: DateTime<Utc>, stage: &str, life: usize) -> Option<Value> {
    let later = (now + TimeDelta::hours(5)).to_rfc3339();
    let past = (now - TimeDelta::hours(1)).format("%Y-%m-%d %H:%M:%S");
    match (stage, life) {
        ("summarize" | "deep_summary" | "extract", 1) => Some(json!({"deferred_until": later})),
        ("stt", 0) => Some(json!({"deferred_until": past.to_string(), "k": 1})),
        ("embed", 0) => Some(json!({"deferred_until": "tomorrow"})),
        ("classify", 0) => Some(json!({"deferred_until": null})),
        ("translate", 0) => Some(json!({"deferred_until": 7})),
        ("translate", 1) => Some(json!([{"deferred_until": later}])),
        ("summarize", 3) => Some(json!({"skipped_by_user": true, "skipped_at": later})),
        (_, 3) => Some(json!({"pages": 3})),
        _ => None,
    }
}

/// Documents have a title, a file name, a path, or nothing; some are gone.
fn document(id: i64) -> Option<Document> {
    let given = |is_given: bool, text: String| is_given.then_some(text);
    let model = match id % 8 {
        1 => None,
        5 | 6 => Some("qwen-macbook"),
        _ => Some("qwen-macmini"),
    };
    (id % 9 != 0).then(|| Document {
        id,
        title: given(id % 4 == 1, format!("Title {id}")).or(given(id % 4 == 2, String::new())),
        original_filename: given(id % 4 == 2, format!("File {id}.pdf")),
        file_path: given(id % 4 == 3, format!("/scans/path {id}.pdf")),
        ai_model_version: model.map(str::to_owned),
    })
}

fn jobs(now: DateTime<Utc>) -> Vec<Job> {
    let ago = |minutes: Option<i64>| minutes.map(|minutes| now - TimeDelta::minutes(minutes));
    let job =
        |id, kind: &str, state: &str, numbers: (Option<i64>, Option<i64>), times: [_; 3]| Job {
            id,
            kind: kind.to_owned(),
            label: Some(format!("Label {id}")),
            state: state.to_owned(),
            processed: numbers.0,
            total: numbers.1,
            started_at: ago(times[0]),
            updated_at: ago(times[1]),
            finished_at: ago(times[2]),
            error: (state == "failed").then(|| format!("Error {id}")),
        };
    let running = [Some(40), Some(1), None];
    vec![
        job(
            301,
            "global_digest",
            "running",
            (Some(25), Some(100)),
            running,
        ),
        job(
            302,
            "hier_backfill",
            "running",
            (None, Some(10)),
            [Some(50), Some(9), None],
        ),
        job(
            303,
            "reindex",
            "done",
            (Some(5), None),
            [Some(90), Some(62), Some(61)],
        ),
        job(
            304,
            "section_summary",
            "failed",
            (Some(1), Some(2)),
            [Some(95), None, Some(70)],
        ),
        job(
            305,
            "reindex",
            "done",
            (Some(5), Some(5)),
            [Some(900), None, Some(800)],
        ),
    ]
}

/// Does to the rows what a retry and then a skip of the ids should do.
pub(super) fn act(rows: &mut Rows, has_payload: bool) {
    let now = rows.now;
    let mut with = |id: i64, change: &dyn Fn(&mut QueueRow)| {
        rows.queue
            .iter_mut()
            .filter(|row| row.id == id)
            .for_each(change);
    };
    for (id, _) in RETRIES.iter().filter(|(_, outcome)| *outcome == "retried") {
        with(*id, &|row| {
            row.status = "pending".to_owned();
            (row.started_at, row.completed_at) = (None, None);
        });
    }
    for (id, _) in SKIPS.iter().filter(|(_, outcome)| *outcome == "skipped") {
        with(*id, &|row| {
            row.status = "completed".to_owned();
            row.completed_at = Some(now);
            row.payload = has_payload.then(|| skipped(row.payload.take()));
        });
    }
}

/// The payload of a skipped row, without the moment of it.
fn skipped(payload: Option<Value>) -> Value {
    let mut payload = match payload {
        None => json!({}),
        Some(payload) if payload.is_object() => payload,
        Some(payload) => json!({ "payload": payload }),
    };
    payload["skipped_by_user"] = true.into();
    payload
}
