//! Names in the configuration that look like SQL, or like the places that our own SQL is filled at.

use serde_json::{Value, json};

use super::{both_formats, queue_row, rows, sum};
use crate::rows::Document;
use crate::support::{Database, Engine, Exporter, Options};

/// What stages, machines, labels, models and kinds of jobs are called.
const NAMES: [&str; 28] = [
    "{queue}",
    "{is_wanted}",
    "{documents}{of_document}",
    "{{}}",
    "{",
    "}",
    "$1",
    "$12",
    "$$",
    "$do$ $prepare$",
    "?1",
    "?",
    ":name @name",
    "%s %d %",
    "'",
    "''",
    "it's \"quoted\"",
    "\\",
    "\\'; DROP TABLE documents; --",
    "'; DROP TABLE processing_queue; --",
    "/* a comment",
    "a\nb",
    "\t",
    " blank before",
    "NULL",
    "\u{1}",
    "<b>bold</b>",
    "요약 \u{202e}\u{1f4a9}",
];

/// The words of each status, in the order pending, processing, completed, failed.
const STATUSES: [&[&str]; 4] = [
    &["{queue} waits", "$1", "it's"],
    &["?1", "{is_failed}", "%s \\"],
    &["{is_untouched} {completed}", "$prepare$ $do$", "a\nb"],
    &["{other_is_active}", "'; DROP TABLE documents; --", "\\'"],
];

fn configuration() -> String {
    let [pending, processing, completed, failed] = STATUSES;
    let (last, others) = NAMES.split_last().expect("names");
    json!({
        "machines": [
            {"key": NAMES[0], "label": NAMES[1], "stages": others},
            {"key": last, "label": NAMES[6], "stages": [last]},
        ],
        "pools": [{"stage": NAMES[0], "members": [{"model": NAMES[1], "machine": last}]}],
        "deferrals": [{"machine": last, "stages": NAMES}],
        "background_jobs": {"default": last, "kinds": {NAMES[1]: NAMES[0]}},
        "trend": NAMES,
        "statuses": {"pending": pending, "processing": processing,
                     "completed": completed, "failed": failed},
    })
    .to_string()
}

/// Fills each stage with one row of every word, of which the last is completed by another machine.
async fn database(engine: Engine) -> Database {
    let mut database = Database::create(engine).await;
    let mut rows = rows();
    for stage in NAMES {
        for word in STATUSES.into_iter().flatten() {
            let id = rows.queue.len() as i64;
            let mut row = queue_row(id, stage, word);
            let is_completed = STATUSES[2].contains(word);
            row.completed_at = is_completed.then_some(row.created_at);
            rows.queue.push(row);
            rows.documents.push(Document {
                id,
                title: Some(stage.to_owned()),
                original_filename: None,
                file_path: None,
                ai_model_version: Some(NAMES[1].to_owned()),
            });
        }
    }
    database.load(&rows).await;
    database
}

fn act(exporter: &Exporter, path: &str, body: &Value) -> Value {
    let answer = exporter.act(path, &body.to_string());
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), exporter.log());
    answer.json()
}

#[tokio::test]
async fn names_that_look_like_sql_are_names() {
    for engine in [Engine::Postgres, Engine::EnumsIndexed, Engine::Sqlite] {
        let mut database = database(engine).await;
        let options = Options {
            clock: database.clock(),
            configuration: Some(configuration()),
            arguments: vec!["--collector.current".to_owned()],
        };
        let exporter = Exporter::serve(database.url(), &options);
        let page = both_formats(&exporter);
        let rows_of = |status: usize| (NAMES.len() * STATUSES[status].len()) as f64;
        for (place, status) in [(0, "pending"), (1, "processing"), (3, "failed")] {
            let label = format!("status=\"{status}\"");
            for name in ["queueboard_stage_items", "queueboard_machine_items"] {
                assert_eq!(sum(&page, name, &label), rows_of(place), "{name} {status}");
            }
        }
        let completed = "queueboard_stage_completed_1h";
        assert_eq!(sum(&page, completed, ""), rows_of(2), "{engine:?}");
        let by_other = sum(&page, "queueboard_pool_completed_1h", NAMES[27]);
        assert_eq!(by_other, 3.0, "{engine:?}");
        let unknown = sum(&page, "queueboard_stage_unknown_status", "");
        assert_eq!(unknown, 0.0, "{engine:?}");

        let overview = exporter.overview().json();
        let stages = overview["stages"].as_array().expect("stages");
        for (stage, name) in stages.iter().zip(NAMES) {
            let expected = json!([name, 3, 3, 3, 3]);
            let keys = ["stage", "pending", "processing", "failed", "done_1h"];
            assert_eq!(json!(keys.map(|key| &stage[key])), expected, "{engine:?}");
        }
        for name in NAMES {
            let query: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            let list = exporter.ask(&format!("/api/queue/failed?stage={query}"));
            assert_eq!(list.json()["total"], 3, "{engine:?} {name}");
            for (path, limit) in [("retry", 1), ("skip", 2)] {
                let body = json!({"filter": {"stage": name}, "limit": limit});
                let done = act(&exporter, &format!("/api/queue/{path}"), &body);
                assert_eq!(done["requested"], limit, "{engine:?} {name} {path}: {done}");
                let undo = format!("/api/queue/actions/{}/undo", done["action"]);
                let undone = act(&exporter, &undo, &json!({}));
                assert_eq!(
                    undone["restored"], limit,
                    "{engine:?} {name} {path}: {undone}"
                );
            }
        }
        assert_eq!(exporter.ask("/").status, 200);
        assert!(!exporter.log().contains("WARN"), "{}", exporter.log());
        let left = "SELECT CAST(count(*) AS text) FROM documents";
        assert_eq!(database.texts(left).await, [(NAMES.len() * 12).to_string()]);
    }
}
