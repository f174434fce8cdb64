//! What PostgreSQL tells of itself and of the pipeline's tables.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgConnection, query_as, query_scalar};

use crate::snapshot::Scope;
use crate::source::pool::Connect;
use crate::source::postgres::{PostgresSession, catalog, indexes};
use crate::source::{Inspection, Session};

use super::LIMITS;
use super::facts::{Facts, Index, Right, Role};

/// The oldest version whose answers are tested.
const OLDEST: i32 = 130_000;

const SERVER: &str = "
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_number,
       current_user::text AS role, rolsuper AS is_superuser, rolconnlimit AS connections,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only,
       inet_server_port() AS port,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'transaction_timeout') AS transaction_ms,
       (SELECT reltuples::float8 FROM pg_class WHERE oid = to_regclass('processing_queue')) AS rows
FROM pg_roles WHERE rolname = current_user";

const RIGHTS: &str = "
SELECT c.relname::text AS relation, a.attname::text AS name,
       has_column_privilege(c.oid, a.attnum, 'SELECT') AS readable,
       has_column_privilege(c.oid, a.attnum, 'UPDATE') AS writable
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.oid IN (to_regclass('processing_queue'),
    to_regclass('documents'), to_regclass('background_jobs'))";

#[derive(sqlx::FromRow)]
struct Server {
    version: String,
    version_number: i32,
    role: String,
    is_superuser: bool,
    connections: i32,
    read_only: bool,
    port: Option<i32>,
    transaction_ms: Option<i64>,
    rows: Option<f64>,
}

/// Connects and asks.
///
/// # Errors
///
/// Why it cannot be connected to, or does not answer.
pub async fn facts(options: &PgConnectOptions, scope: &Scope) -> anyhow::Result<Facts> {
    let session = PostgresSession::connect(options).await;
    let mut session = session.context("connecting")?;
    let connection = session.connection();
    // What is asked here goes through a pooler too, so nothing is prepared for later.
    let server: Server = query_as(SERVER)
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    let rights: Vec<Right> = query_as(RIGHTS)
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    let shape = catalog::shape(connection).await?;
    let secured = catalog::secured(connection).await?;
    let hidden = secured.into_iter().filter(|table| !table.is_open);
    let of_scrapes = indexes::of_scrapes(&shape.queue, &scope.statuses);
    let of_lists = indexes::of_lists(&shape.queue, scope);
    let scrape_indexes = found(connection, of_scrapes).await?;
    let list_indexes = found(connection, of_lists).await?;
    let (round_trip, skew) = clock(connection).await?;
    // What keeps a collection from being begun is told of the collection itself.
    let inspected = inspect(&mut session, scope).await.ok();
    let ports = server.port.and_then(|port| u16::try_from(port).ok());
    let ports = ports.map(|port| (options.get_port(), port));
    let transaction = server.transaction_ms.and_then(|ms| u64::try_from(ms).ok());
    Ok(Facts {
        engine: format!("PostgreSQL {}", server.version),
        too_old: (server.version_number < OLDEST).then_some("PostgreSQL 13"),
        role: Some(Role {
            name: server.role,
            is_superuser: server.is_superuser,
            connections: Some(server.connections).filter(|most| *most >= 0),
        }),
        read_only: server.read_only,
        round_trip,
        skew,
        shape,
        rights,
        hidden: hidden.map(|table| table.relation).collect(),
        indexes: scrape_indexes,
        list_indexes,
        indexes_serve: inspected.as_ref().is_some_and(|(serve, _)| *serve),
        inspection: inspected.map(|(_, inspection)| inspection),
        rows: server.rows.filter(|rows| *rows >= 0.0),
        ports: ports.filter(|(ours, theirs)| ours != theirs),
        transaction_timeout: transaction.filter(|ms| *ms > 0).map(Duration::from_millis),
        journal: None,
    })
}

/// Looks for indexes by their names.
async fn found(
    connection: &mut PgConnection,
    indexes: impl IntoIterator<Item = indexes::Index>,
) -> sqlx::Result<Vec<Index>> {
    let mut found = Vec::new();
    for index in indexes {
        found.push(Index {
            name: index.name,
            is_valid: indexes::is_valid(connection, index.name).await?,
        });
    }
    Ok(found)
}

/// Returns whether the indexes serve, and what stands in the queue.
async fn inspect(session: &mut PostgresSession, scope: &Scope) -> sqlx::Result<(bool, Inspection)> {
    let opening = session.begin(LIMITS, scope).await?;
    let inspection = session.inspect(&opening, LIMITS).await?;
    session.end().await?;
    Ok((opening.has_indexes, inspection))
}

/// Its clock is taken to have been read in the middle of the round trip.
async fn clock(connection: &mut PgConnection) -> anyhow::Result<(Duration, f64)> {
    let asked = Instant::now();
    let question = query_scalar("SELECT clock_timestamp()").persistent(false);
    let theirs: DateTime<Utc> = question.fetch_one(connection).await?;
    let round_trip = asked.elapsed();
    let ours = super::facts::our_clock() - round_trip / 2;
    Ok((round_trip, (theirs - ours).as_seconds_f64()))
}
