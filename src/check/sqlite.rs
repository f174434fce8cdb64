//! What a file of SQLite tells of the pipeline's tables.

use std::time::Instant;

use anyhow::Context;
use sqlx::query_scalar;
use sqlx::sqlite::SqliteConnectOptions;

use crate::snapshot::Scope;
use crate::source::pool::Connect;
use crate::source::sqlite::{SqliteSession, shape};
use crate::source::{Inspection, Session};

use super::LIMITS;
use super::facts::Facts;

/// Opens the file and asks.
///
/// # Errors
///
/// Why it cannot be opened, or is no database.
pub async fn facts(options: &SqliteConnectOptions, scope: &Scope) -> anyhow::Result<Facts> {
    let file = options.get_filename().display().to_string();
    let opened = SqliteSession::connect(&options.clone().read_only(true)).await;
    let mut session = opened.with_context(|| format!("opening {file}"))?;
    let asked = Instant::now();
    let version: String = query_scalar("SELECT sqlite_version()")
        .fetch_one(session.connection())
        .await?;
    let round_trip = asked.elapsed();
    let shape = shape(session.connection()).await?;
    let journal: String = query_scalar("PRAGMA journal_mode")
        .fetch_one(session.connection())
        .await?;
    let metadata = std::fs::metadata(options.get_filename());
    Ok(Facts {
        engine: format!("SQLite {version}, {file}"),
        read_only: metadata.is_ok_and(|metadata| metadata.permissions().readonly()),
        round_trip,
        shape,
        // What keeps a collection from being begun is told of the collection itself.
        inspection: inspect(&mut session, scope).await.ok(),
        journal: Some(journal).filter(|journal| journal != "wal"),
        ..Facts::default()
    })
}

async fn inspect(session: &mut SqliteSession, scope: &Scope) -> sqlx::Result<Inspection> {
    let opening = session.begin(LIMITS, scope).await?;
    let inspection = session.inspect(&opening, LIMITS).await?;
    session.end().await?;
    Ok(inspection)
}
