use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::case::{Case, judge_all};
use crate::rows::Rows;
use crate::support::{Database, Engine, Exporter, Options};

/// Changes columns of the queue on which its index depends.
macro_rules! retyped {
    ($before:literal, $alter:literal) => {
        concat!(
            $before,
            ";DROP INDEX uq_queue_active; ALTER TABLE processing_queue ",
            $alter,
            ";CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
                WHERE status IN ('pending', 'processing')"
        )
    };
}

const STAGE_AND_STATUS: [Case; 7] = [
    Case {
        name: "stage is an ENUM",
        sql: retyped!(
            "CREATE TYPE stage_name AS ENUM ('translate', 'stt', 'extract', 'deep_summary',
                'embed', 'chunk', 'summarize', 'classify')",
            "ALTER stage TYPE stage_name USING stage::stage_name"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "status is an ENUM in lower case",
        sql: retyped!(
            "CREATE TYPE status_name AS ENUM ('pending', 'processing', 'completed', 'failed')",
            "ALTER status TYPE status_name USING status::status_name"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "stage and status are ENUMs with names to be quoted",
        sql: retyped!(
            r#"CREATE SCHEMA "Types";
               CREATE TYPE "Types"."Stage" AS ENUM ('extract', 'embed', 'stt', 'classify',
                'summarize', 'deep_summary', 'translate');
               CREATE TYPE "Types"."Status" AS ENUM ('failed', 'completed', 'processing', 'pending')"#,
            r#"ALTER stage TYPE "Types"."Stage" USING stage::"Types"."Stage",
               ALTER status TYPE "Types"."Status" USING status::"Types"."Status",
               ALTER status SET DEFAULT 'pending'"#
        ),
        ..Case::RIGHT
    },
    Case {
        name: "stage and status are domains over text",
        sql: retyped!(
            "CREATE DOMAIN word AS text CHECK (VALUE <> '');
             CREATE DOMAIN short AS varchar(20) NOT NULL",
            "ALTER stage TYPE word, ALTER status TYPE short"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "stage and status are varchar",
        sql: retyped!(
            "",
            "ALTER stage TYPE varchar(32), ALTER status TYPE varchar(16)"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "stage and status are citext",
        sql: retyped!(
            "CREATE EXTENSION citext",
            "ALTER stage TYPE citext, ALTER status TYPE citext"
        ),
        ..Case::RIGHT
    },
    Case {
        name: "stage and status are char(20)",
        sql: retyped!("", "ALTER stage TYPE char(20), ALTER status TYPE char(20)"),
        ..Case::RIGHT
    },
];

/// As PostgreSQL prints it.
fn object_of(text: &str) -> String {
    format!("{{\"t\": \"{text}\"}}")
}

fn titles_are_objects(rows: &mut Rows) {
    for document in &mut rows.documents {
        document.title = document.title.as_deref().map(object_of);
    }
}

const TEXTS: [Case; 3] = [
    Case {
        name: "title and error_message are jsonb",
        sql: "ALTER TABLE documents ALTER title TYPE jsonb
                USING CASE WHEN title IS NOT NULL THEN jsonb_build_object('t', title) END;
              ALTER TABLE processing_queue ALTER error_message TYPE jsonb
                USING CASE WHEN error_message IS NOT NULL
                           THEN jsonb_build_object('t', error_message) END",
        rows: titles_are_objects,
        error: |id| object_of(&format!("Error {id}")),
        ..Case::RIGHT
    },
    Case {
        name: "all texts of documents and error_message are citext",
        sql: "CREATE EXTENSION citext;
              ALTER TABLE documents ALTER title TYPE citext, ALTER original_filename TYPE citext,
                ALTER file_path TYPE citext, ALTER ai_model_version TYPE citext;
              ALTER TABLE processing_queue ALTER error_message TYPE citext",
        ..Case::RIGHT
    },
    Case {
        name: "texts of documents and of jobs are varchar and char(n)",
        sql: "ALTER TABLE documents ALTER title TYPE varchar(200), ALTER file_path TYPE varchar,
                ALTER ai_model_version TYPE char(40);
              ALTER TABLE background_jobs ALTER kind TYPE char(40), ALTER state TYPE char(20)",
        ..Case::RIGHT
    },
];

fn some_payloads_are_no_json(rows: &mut Rows) {
    for row in &mut rows.queue {
        match row.id {
            // As the text it is, a skip keeps it.
            188 => row.payload = Some("no {json".into()),
            101 | 103 | 104 => row.payload = None,
            _ => {}
        }
    }
}

const PAYLOADS: [Case; 4] = [
    Case {
        name: "payload is json",
        sql: "ALTER TABLE processing_queue ALTER payload TYPE json USING payload::json",
        ..Case::RIGHT
    },
    Case {
        name: "payload is text",
        sql: "ALTER TABLE processing_queue ALTER payload TYPE text USING payload::text",
        ..Case::RIGHT
    },
    Case {
        name: "payload is varchar in which some rows hold no JSON",
        sql: "ALTER TABLE processing_queue ALTER payload TYPE varchar USING payload::text;
              UPDATE processing_queue SET payload = 'no {json' WHERE id IN (101, 103, 188);
              UPDATE processing_queue SET payload = NULL WHERE id = 104",
        rows: some_payloads_are_no_json,
        // Whether that is a malformed deferral is not said.
        loose: &[r#"queueboard_stage_deferred_malformed{machine="gpu",stage="extract"}"#],
        ..Case::RIGHT
    },
    Case {
        name: "payload is json with a NUL in it",
        sql: r#"ALTER TABLE processing_queue ALTER payload TYPE json USING payload::json;
                UPDATE processing_queue SET payload = '{"note": "\u0000"}' WHERE id IN (101, 103, 188)"#,
        rows: |rows| {
            let of = |id: &i64| matches!(id, 101 | 103 | 188);
            let rows = rows.queue.iter_mut().filter(|row| of(&row.id));
            rows.for_each(|row| row.payload = Some(json!({"note": "\u{0}"})));
        },
        loose: &[r#"queueboard_stage_deferred_malformed{machine="gpu",stage="extract"}"#],
        ..Case::RIGHT
    },
];

/// A column of that name takes the place of what the payloads say.
pub(super) fn deferred_by_column(rows: &mut Rows) {
    let later = (rows.now + TimeDelta::hours(9)).to_rfc3339_opts(SecondsFormat::Secs, true);
    for row in &mut rows.queue {
        if let Some(Value::Object(payload)) = &mut row.payload {
            payload.remove("deferred_until");
        }
        let is_first = row.status == "pending" && matches!(row.stage.as_str(), "summarize" | "stt");
        if is_first && row.id != 183 {
            row.payload = Some(json!({ "deferred_until": later }));
        }
    }
}

const OTHERS: [Case; 5] = [
    Case {
        name: "a column deferred_until takes the payload's place",
        sql: "ALTER TABLE processing_queue ADD deferred_until timestamptz;
              UPDATE processing_queue SET deferred_until = clock.now() + interval '9 hours'
              WHERE status = 'pending' AND stage IN ('summarize', 'stt') AND id <> 183;
              UPDATE processing_queue SET deferred_until = clock.now() - interval '1 second'
              WHERE status = 'pending' AND stage = 'embed'",
        rows: deferred_by_column,
        ..Case::RIGHT
    },
    Case {
        name: "a column deferred_until without a zone",
        sql: "ALTER TABLE processing_queue ADD deferred_until timestamp;
              UPDATE processing_queue
              SET deferred_until = (clock.now() + interval '9 hours') AT TIME ZONE 'UTC'
              WHERE status = 'pending' AND stage IN ('summarize', 'stt') AND id <> 183",
        rows: deferred_by_column,
        ..Case::RIGHT
    },
    Case {
        name: "kind and state of jobs are ENUMs",
        sql: "CREATE TYPE kind_name AS ENUM ('reindex', 'hier_backfill', 'section_summary', 'global_digest');
              CREATE TYPE state_name AS ENUM ('done', 'failed', 'running', 'queued');
              ALTER TABLE background_jobs ALTER kind TYPE kind_name USING kind::kind_name,
                ALTER state TYPE state_name USING state::state_name",
        ..Case::RIGHT
    },
    Case {
        name: "numbers of other widths",
        sql: "ALTER TABLE processing_queue ALTER attempts TYPE smallint,
                ALTER max_attempts TYPE bigint, ALTER document_id TYPE int;
              ALTER TABLE background_jobs ALTER processed TYPE int, ALTER total TYPE smallint",
        ..Case::RIGHT
    },
    Case {
        name: "a job's processed is null",
        engines: &Engine::ALL,
        rows: |rows| {
            let jobs = rows.jobs.iter_mut().flatten();
            jobs.for_each(|job| job.processed = job.processed.or(Some(0)));
        },
        ..Case::RIGHT
    },
];

#[tokio::test]
async fn stage_and_status_are_read_by_what_they_mean() {
    judge_all(&STAGE_AND_STATUS).await;
}

#[tokio::test]
async fn texts_of_other_types_are_read() {
    judge_all(&TEXTS).await;
}

#[tokio::test]
async fn payloads_of_other_types_are_read_and_written() {
    judge_all(&PAYLOADS).await;
}

#[tokio::test]
async fn columns_of_other_types_are_read() {
    judge_all(&OTHERS).await;
}

/// JSON as it was written may hold what no text can: it is shown as it was written.
#[tokio::test]
async fn json_that_is_no_text_is_shown_as_it_was_written() {
    let mut database = Database::create(Engine::Postgres).await;
    database
        .run(
            r#"ALTER TABLE processing_queue ALTER error_message TYPE json USING NULL;
               INSERT INTO processing_queue (id, document_id, stage, status, error_message, created_at)
               VALUES (1, 1, 'stt', 'failed', '"a \u0000 b"', now()),
                      (2, 2, 'stt', 'failed', '"lone \ud800"', now()),
                      (3, 3, 'stt', 'failed', '"plain \uac00"', now())"#,
        )
        .await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    let answer = exporter.ask("/api/queue/failed");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let items = answer.json()["items"].clone();
    let messages = items.as_array().expect("a list").iter();
    let messages: Vec<&str> = messages
        .filter_map(|item| item["error_message"].as_str())
        .collect();
    assert_eq!(
        messages,
        ["plain 가", r#""lone \ud800""#, r#""a \u0000 b""#]
    );
}
