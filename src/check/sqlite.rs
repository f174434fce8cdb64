//! What a file of SQLite tells of the pipeline's tables.

use std::time::Instant;

use anyhow::Context;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, query_as, query_scalar};

use super::facts::{Column, Facts};

const COLUMNS: &str = "
SELECT t.value AS relation, c.name, c.type AS kind, TRUE AS readable, TRUE AS writable
FROM json_each('[\"processing_queue\", \"documents\", \"background_jobs\"]') AS t,
     pragma_table_info(t.value) AS c";

/// Opens the file and asks.
///
/// # Errors
///
/// Why it cannot be opened, or is no database.
pub async fn facts(options: &SqliteConnectOptions) -> anyhow::Result<Facts> {
    let file = options.get_filename().display().to_string();
    let opened = options.clone().read_only(true).connect().await;
    let mut connection = opened.with_context(|| format!("opening {file}"))?;
    let asked = Instant::now();
    let version: String = query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut connection)
        .await?;
    let round_trip = asked.elapsed();
    let columns: Vec<Column> = query_as(COLUMNS).fetch_all(&mut connection).await?;
    let journal: String = query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut connection)
        .await?;
    let metadata = std::fs::metadata(options.get_filename());
    Ok(Facts {
        engine: format!("SQLite {version}, {file}"),
        read_only: metadata.is_ok_and(|metadata| metadata.permissions().readonly()),
        round_trip,
        columns,
        journal: Some(journal).filter(|journal| journal != "wal"),
        ..Facts::default()
    })
}
