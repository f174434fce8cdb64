use super::case::{Case, judge_all};
use super::table::Table;
use crate::rows::Rows;
use crate::support::Engine;

/// Both engines know how to drop a column, one at a time.
const EVERYWHERE: &[Engine] = &Engine::ALL;

fn without_payloads(rows: &mut Rows) {
    rows.queue.iter_mut().for_each(|row| row.payload = None);
}

const OF_THE_QUEUE: [Case; 5] = [
    Case {
        name: "no payload",
        engines: EVERYWHERE,
        sql: "ALTER TABLE processing_queue DROP COLUMN payload",
        rows: without_payloads,
        absent: &["payload"],
        ..Case::RIGHT
    },
    Case {
        name: "no attempts",
        engines: EVERYWHERE,
        sql: "ALTER TABLE processing_queue DROP COLUMN attempts",
        absent: &["attempts"],
        ..Case::RIGHT
    },
    Case {
        name: "no max_attempts",
        engines: EVERYWHERE,
        sql: "ALTER TABLE processing_queue DROP COLUMN max_attempts",
        absent: &["max_attempts"],
        ..Case::RIGHT
    },
    Case {
        name: "no error_message",
        engines: EVERYWHERE,
        sql: "ALTER TABLE processing_queue DROP COLUMN error_message",
        absent: &["error_message"],
        ..Case::RIGHT
    },
    Case {
        name: "none of the four, and no documents",
        engines: EVERYWHERE,
        sql: BARE,
        rows: bare,
        absent: &["payload", "attempts", "max_attempts", "error_message"],
        ..Case::RIGHT
    },
];

const BARE: &str = "ALTER TABLE processing_queue DROP COLUMN payload;
    ALTER TABLE processing_queue DROP COLUMN attempts;
    ALTER TABLE processing_queue DROP COLUMN max_attempts;
    ALTER TABLE processing_queue DROP COLUMN error_message;
    DROP TABLE documents";

fn bare(rows: &mut Rows) {
    without_payloads(rows);
    rows.documents.clear();
}

fn without_all_but_ids(rows: &mut Rows) {
    for document in &mut rows.documents {
        document.title = None;
        document.original_filename = None;
        document.file_path = None;
        document.ai_model_version = None;
    }
}

const OF_DOCUMENTS: [Case; 6] = [
    Case {
        name: "no documents",
        engines: EVERYWHERE,
        sql: "DROP TABLE documents",
        rows: |rows| rows.documents.clear(),
        ..Case::RIGHT
    },
    Case {
        name: "no title",
        engines: EVERYWHERE,
        sql: "ALTER TABLE documents DROP COLUMN title",
        rows: |rows| {
            rows.documents
                .iter_mut()
                .for_each(|document| document.title = None)
        },
        ..Case::RIGHT
    },
    Case {
        name: "no original_filename",
        engines: EVERYWHERE,
        sql: "ALTER TABLE documents DROP COLUMN original_filename",
        rows: |rows| {
            let documents = rows.documents.iter_mut();
            documents.for_each(|document| document.original_filename = None);
        },
        ..Case::RIGHT
    },
    Case {
        name: "no file_path",
        engines: EVERYWHERE,
        sql: "ALTER TABLE documents DROP COLUMN file_path",
        rows: |rows| {
            rows.documents
                .iter_mut()
                .for_each(|document| document.file_path = None)
        },
        ..Case::RIGHT
    },
    Case {
        name: "no ai_model_version",
        engines: EVERYWHERE,
        sql: "ALTER TABLE documents DROP COLUMN ai_model_version",
        rows: |rows| {
            let documents = rows.documents.iter_mut();
            documents.for_each(|document| document.ai_model_version = None);
        },
        ..Case::RIGHT
    },
    Case {
        name: "documents with nothing but an id",
        engines: EVERYWHERE,
        sql: "ALTER TABLE documents DROP COLUMN title;
              ALTER TABLE documents DROP COLUMN original_filename;
              ALTER TABLE documents DROP COLUMN file_path;
              ALTER TABLE documents DROP COLUMN ai_model_version",
        rows: without_all_but_ids,
        ..Case::RIGHT
    },
];

/// The script of the roles runs on each of these, and its roles do all that they are for.
const FOR_ROLES: [Case; 4] = [
    Case {
        name: "roles on the usual tables",
        roles: true,
        ..Case::RIGHT
    },
    Case {
        name: "roles without the optional columns and documents",
        sql: BARE,
        rows: bare,
        absent: &["payload", "attempts", "max_attempts", "error_message"],
        roles: true,
        ..Case::RIGHT
    },
    Case {
        name: "roles without documents",
        sql: "DROP TABLE documents",
        rows: |rows| rows.documents.clear(),
        roles: true,
        ..Case::RIGHT
    },
    Case {
        name: "roles without documents and jobs",
        sql: "DROP TABLE documents; DROP TABLE background_jobs",
        rows: |rows| {
            rows.documents.clear();
            rows.jobs = None;
        },
        roles: true,
        ..Case::RIGHT
    },
];

#[tokio::test]
async fn columns_of_the_queue_may_be_absent() {
    judge_all(&OF_THE_QUEUE).await;
}

#[tokio::test]
async fn documents_and_their_columns_may_be_absent() {
    judge_all(&OF_DOCUMENTS).await;
}

#[tokio::test]
async fn the_roles_are_made_for_tables_without_what_may_be_absent() {
    judge_all(&FOR_ROLES).await;
}

/// What may not be absent is missed, by name.
#[tokio::test]
async fn the_columns_that_every_number_needs_are_missed() {
    for engine in [Engine::Postgres, Engine::Sqlite] {
        for column in [
            "stage",
            "status",
            "created_at",
            "started_at",
            "completed_at",
            "document_id",
        ] {
            let mut table = Table::of(Case::RIGHT, engine).await;
            table.script("DROP INDEX uq_queue_active").await;
            let rename = format!("ALTER TABLE processing_queue RENAME COLUMN {column} TO other");
            table.script(&rename).await;
            let exporter = table.serve("");
            table.shows_nothing(&exporter, &["stages"], &[column]).await;
        }
    }
}
