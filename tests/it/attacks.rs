//! What `docs/security.md` says was tried and held, one file for each line of its table.

mod browsers;
mod credentials;
mod injections;
mod requests;
mod smuggling;
mod statements;

use crate::support::{Database, Engine, Exporter, Options};

const FINGERPRINT: &str =
    "SELECT string_agg(CAST(q AS text), '' ORDER BY id) FROM processing_queue q";

/// A failed row that an attacker would like to read, or to retry.
const ROW: &str = "
INSERT INTO documents (id, title) VALUES (1, 'a secret title');
INSERT INTO processing_queue (id, document_id, stage, status, error_message, created_at)
VALUES (1, 1, 'stt', 'failed', 'a secret error', now())";

async fn exporter() -> (Database, Exporter) {
    let mut database = Database::create(Engine::Postgres).await;
    database.run(ROW).await;
    let exporter = Exporter::serve(database.url(), &Options::default());
    (database, exporter)
}
