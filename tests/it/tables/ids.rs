use serde_json::{Value, json};

use super::case::{Case, Ids, POSTGRES, SQLITE, judge_all};
use super::names::Names;
use super::table::Table;
use crate::rows::Rows;
use crate::support::Engine;

const UUIDS: Names = Names {
    queue: Ids::Uuid,
    ..Names::NUMBERS
};

const TEXTS: Names = Names {
    queue: Ids::Text,
    ..Names::NUMBERS
};

const OF_POSTGRES: [Case; 6] = [
    Case {
        name: "id is a uuid",
        engines: POSTGRES,
        sql: "ALTER TABLE processing_queue ALTER id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid",
        names: UUIDS,
        ..Case::RIGHT
    },
    Case {
        name: "id is text",
        sql: "ALTER TABLE processing_queue ALTER id TYPE text USING 'row-' || id",
        names: TEXTS,
        ..Case::RIGHT
    },
    Case {
        name: "ids of digits are text",
        sql: "ALTER TABLE processing_queue ALTER id TYPE varchar(20) USING id::text;
              ALTER TABLE processing_queue ALTER document_id TYPE text USING document_id::text;
              ALTER TABLE documents ALTER id TYPE text USING id::text",
        ..Case::RIGHT
    },
    Case {
        name: "documents are uuids",
        sql: "ALTER TABLE processing_queue ALTER document_id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(document_id::text, 12, '0'))::uuid;
              ALTER TABLE documents ALTER id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid",
        names: Names {
            documents: Ids::Uuid,
            ..Names::NUMBERS
        },
        ..Case::RIGHT
    },
    Case {
        name: "everything is a uuid",
        sql: "ALTER TABLE processing_queue ALTER id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid;
              ALTER TABLE processing_queue ALTER document_id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(document_id::text, 12, '0'))::uuid;
              ALTER TABLE documents ALTER id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid;
              ALTER TABLE background_jobs ALTER id TYPE uuid
                USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid",
        names: Names {
            queue: Ids::Uuid,
            documents: Ids::Uuid,
            jobs: Ids::Uuid,
            nulls: &[],
        },
        ..Case::RIGHT
    },
    Case {
        name: "some document_ids are null",
        sql: "ALTER TABLE processing_queue ALTER document_id DROP NOT NULL;
              UPDATE processing_queue SET document_id = NULL
              WHERE document_id IN (281, 288, 227, 237, 217)",
        rows: without_nulls,
        names: Names {
            nulls: &NULLS,
            ..Names::NUMBERS
        },
        ..Case::RIGHT
    },
];

/// Two failed rows have these documents, and one that is processing, completed, and pending in the
/// stage of a failed one: rows of no document are rows of different documents.
const NULLS: [i64; 5] = [281, 288, 227, 237, 217];

fn without_nulls(rows: &mut Rows) {
    rows.documents
        .retain(|document| !NULLS.contains(&document.id));
}

const OF_SQLITE: [Case; 4] = [
    Case {
        name: "id is a uuid as text",
        engines: SQLITE,
        sql: "CREATE TABLE queue (id TEXT PRIMARY KEY, document_id INTEGER, stage TEXT, status TEXT,
                attempts INTEGER, max_attempts INTEGER, error_message TEXT, payload TEXT,
                created_at TEXT, started_at TEXT, completed_at TEXT);
              INSERT INTO queue SELECT printf('00000000-0000-4000-8000-%012d', id), document_id,
                stage, status, attempts, max_attempts, error_message, payload, created_at,
                started_at, completed_at FROM processing_queue;
              DROP TABLE processing_queue;
              ALTER TABLE queue RENAME TO processing_queue",
        names: UUIDS,
        ..Case::RIGHT
    },
    Case {
        name: "documents and jobs have uuids as text",
        engines: SQLITE,
        sql: "CREATE TABLE queue (id INTEGER PRIMARY KEY, document_id TEXT, stage TEXT, status TEXT,
                attempts INTEGER, max_attempts INTEGER, error_message TEXT, payload TEXT,
                created_at TEXT, started_at TEXT, completed_at TEXT);
              INSERT INTO queue SELECT id, printf('00000000-0000-4000-8000-%012d', document_id),
                stage, status, attempts, max_attempts, error_message, payload, created_at,
                started_at, completed_at FROM processing_queue;
              DROP TABLE processing_queue;
              ALTER TABLE queue RENAME TO processing_queue;
              CREATE TABLE papers (id TEXT PRIMARY KEY, title TEXT, original_filename TEXT,
                file_path TEXT, ai_model_version TEXT);
              INSERT INTO papers SELECT printf('00000000-0000-4000-8000-%012d', id), title,
                original_filename, file_path, ai_model_version FROM documents;
              DROP TABLE documents;
              ALTER TABLE papers RENAME TO documents;
              CREATE TABLE jobs (id TEXT PRIMARY KEY, kind TEXT, label TEXT, state TEXT,
                processed INTEGER, total INTEGER, started_at TEXT, updated_at TEXT,
                finished_at TEXT, error TEXT);
              INSERT INTO jobs SELECT printf('00000000-0000-4000-8000-%012d', id), kind, label,
                state, processed, total, started_at, updated_at, finished_at, error
                FROM background_jobs;
              DROP TABLE background_jobs;
              ALTER TABLE jobs RENAME TO background_jobs",
        names: Names {
            documents: Ids::Uuid,
            jobs: Ids::Uuid,
            ..Names::NUMBERS
        },
        ..Case::RIGHT
    },
    Case {
        name: "some document_ids are null in SQLite",
        engines: SQLITE,
        sql: "CREATE TABLE queue (id INTEGER PRIMARY KEY, document_id INTEGER, stage TEXT, status TEXT,
                attempts INTEGER, max_attempts INTEGER, error_message TEXT, payload TEXT,
                created_at TEXT, started_at TEXT, completed_at TEXT);
              INSERT INTO queue SELECT * FROM processing_queue;
              UPDATE queue SET document_id = NULL WHERE document_id IN (281, 288, 227, 237, 217);
              DROP TABLE processing_queue;
              ALTER TABLE queue RENAME TO processing_queue",
        rows: without_nulls,
        names: Names {
            nulls: &NULLS,
            ..Names::NUMBERS
        },
        ..Case::RIGHT
    },
    Case {
        name: "ids of digits are text in SQLite",
        engines: SQLITE,
        sql: "CREATE TABLE queue (id TEXT PRIMARY KEY, document_id TEXT, stage TEXT, status TEXT,
                attempts INTEGER, max_attempts INTEGER, error_message TEXT, payload TEXT,
                created_at TEXT, started_at TEXT, completed_at TEXT);
              INSERT INTO queue SELECT * FROM processing_queue;
              DROP TABLE processing_queue;
              ALTER TABLE queue RENAME TO processing_queue",
        ..Case::RIGHT
    },
];

#[tokio::test]
async fn ids_are_read_and_taken_as_they_are() {
    judge_all(&OF_POSTGRES).await;
}

#[tokio::test]
async fn ids_in_sqlite_are_read_and_taken_as_they_are() {
    judge_all(&OF_SQLITE).await;
}

/// Sends ids as they are, and returns the status and what became of each.
async fn retried(engine: Engine, sql: &'static str, ids: Value) -> (u16, Value) {
    let case = Case { sql, ..Case::RIGHT };
    let table = Table::of(case, engine).await;
    let exporter = table.serve("");
    let answer = exporter.act("/api/queue/retry", &json!({ "ids": ids }).to_string());
    (answer.status, answer.json()["results"].clone())
}

#[tokio::test]
async fn a_request_names_ids_as_numbers_or_as_texts() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let (status, results) = retried(engine, "", json!(["181", 185, "999"])).await;
        let expected = json!([{"id": 181, "outcome": "retried"},
            {"id": 185, "outcome": "retried"}, {"id": 999, "outcome": "not_found"}]);
        assert_eq!((status, results), (200, expected), "{engine:?}");
        // The same id in both forms counts once.
        let (status, results) = retried(engine, "", json!(["181", 181])).await;
        let expected = json!([{"id": 181, "outcome": "retried"}]);
        assert_eq!((status, results), (200, expected), "{engine:?}");
    }
}

#[tokio::test]
async fn an_id_that_no_row_of_this_type_can_have_is_refused_or_not_found() {
    const UUID: &str = "ALTER TABLE processing_queue ALTER id TYPE uuid
        USING ('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid";
    for (engine, sql) in [
        (Engine::Postgres, ""),
        (Engine::Postgres, UUID),
        (Engine::Sqlite, ""),
    ] {
        for odd in [
            "row-1",
            "",
            "1; DROP TABLE documents",
            "99999999999999999999",
        ] {
            let (status, results) = retried(engine, sql, json!([odd])).await;
            let is_refused = status == 400;
            let is_not_found = status == 200 && results[0]["outcome"] == "not_found";
            assert!(is_refused || is_not_found, "{odd:?}: {status} {results}");
        }
    }
}
