use super::case::{Case, POSTGRES, SQLITE, failure};
use super::table::Table;
use crate::rows::Rows;
use crate::support::{Database, Engine};

/// One byte of 0xff stands in a title, an error, a stage, a label and a payload.
const IN_POSTGRES: &str = "
    UPDATE processing_queue SET error_message = error_message || chr(255) WHERE id = 182;
    UPDATE documents SET title = 'T' || chr(255) WHERE id = 227;
    UPDATE processing_queue SET stage = 'x' || chr(255) WHERE id = 188;
    UPDATE background_jobs SET label = 'L' || chr(255), error = 'E' || chr(255) WHERE id = 304;
    ALTER TABLE processing_queue ALTER payload TYPE text USING payload::text;
    UPDATE processing_queue SET payload = replace(payload, '{', '{\"note\": \"' || chr(255) || '\", ')
    WHERE id = 102";

const IN_SQLITE: &str = "
    UPDATE processing_queue SET error_message = CAST(CAST(error_message AS BLOB) || x'ff' AS TEXT)
    WHERE id = 182;
    UPDATE documents SET title = CAST(x'54ff' AS TEXT) WHERE id = 227;
    UPDATE processing_queue SET stage = CAST(x'78ff' AS TEXT) WHERE id = 188;
    UPDATE background_jobs SET label = CAST(x'4cff' AS TEXT), error = CAST(x'45ff' AS TEXT)
    WHERE id = 304;
    UPDATE processing_queue SET payload =
        CAST(replace(payload, '{', '{\"note\": \"' || CAST(x'ff' AS TEXT) || '\", ') AS TEXT)
    WHERE id = 102";

/// Each is what it was, but for that byte.
fn with_replacements(rows: &mut Rows) {
    for document in rows
        .documents
        .iter_mut()
        .filter(|document| document.id == 227)
    {
        document.title = Some("T\u{fffd}".to_owned());
    }
    for row in rows.queue.iter_mut().filter(|row| row.id == 188) {
        row.stage = "x\u{fffd}".to_owned();
    }
    for job in rows.jobs.iter_mut().flatten().filter(|job| job.id == 304) {
        (job.label, job.error) = (Some("L\u{fffd}".to_owned()), Some("E\u{fffd}".to_owned()));
    }
}

fn error(id: i64) -> String {
    let end = if id == 182 { "\u{fffd}" } else { "" };
    format!("Error {id}{end}")
}

/// The row whose error is odd is read by the tests as well, who cannot read it; so its error is
/// looked at in the list alone.
const MENDED: &str = "UPDATE processing_queue SET error_message = 'Error 182' WHERE id = 182";

const CASE: Case = Case {
    name: "one byte that is no text",
    rows: with_replacements,
    error,
    ..Case::RIGHT
};

async fn is_right(database: Database, case: Case, engine: Engine) {
    let mut table = Table::within(database, case, engine).await;
    let exporter = table.serve("");
    super::judge::numbers(&table, &exporter);
    super::judge::failures(&table, &exporter);
    table.script(MENDED).await;
    table.case.error = Case::RIGHT.error;
    table.is_right(&exporter, "").await;
}

#[tokio::test]
async fn a_byte_that_is_no_text_spoils_nothing_but_its_value() {
    let mut failures = Vec::new();
    for &engine in POSTGRES {
        let case = Case {
            sql: IN_POSTGRES,
            ..CASE
        };
        let judged = async move { is_right(Database::of_bytes().await, case, engine).await };
        failures.extend(failure(tokio::spawn(judged).await, case.name, engine));
    }
    for &engine in SQLITE {
        let case = Case {
            sql: IN_SQLITE,
            ..CASE
        };
        let judged = async move { is_right(Database::create(engine).await, case, engine).await };
        failures.extend(failure(tokio::spawn(judged).await, case.name, engine));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}
