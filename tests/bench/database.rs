//! A database with a pipeline of some size, made with SQL alone.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::exporter;
use crate::numbers;
use crate::progress::progress;
use crate::zone::Zone;

const DATA: &str = include_str!("data.sql");

/// How many rows a pipeline has, how many it completes a day, and how many are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub rows: i64,
    pub a_day: i64,
    pub live: i64,
}

impl Shape {
    pub(crate) const fn small(rows: i64) -> Self {
        let (a_day, live) = (1_000, 250);
        Self { rows, a_day, live }
    }

    pub(crate) const fn busy(rows: i64) -> Self {
        let (a_day, live) = (25_000, 5_000);
        Self { rows, a_day, live }
    }
}

/// A pipeline's database; it is dropped by [`Database::remove`].
pub(crate) struct Database {
    pub shape: Shape,
    pub zone: Zone,
    pub connection: PgConnection,
    server: String,
    name: String,
}

impl Database {
    pub(crate) async fn create(server: &str, shape: Shape) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("queue_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let Shape { rows, a_day, .. } = shape;
        progress(&format!(
            "making {} rows, {a_day} a day",
            numbers::rows(rows)
        ));
        admin(server, &format!("CREATE DATABASE {name}")).await?;
        let mut connection = PgConnection::connect(&format!("{server}/{name}")).await?;
        let sizes = [
            ("{rows}", shape.rows),
            ("{a_day}", shape.a_day),
            ("{live}", shape.live),
        ];
        let script = sizes.iter().fold(DATA.to_owned(), |script, (name, size)| {
            script.replace(name, &size.to_string())
        });
        run(&mut connection, &script).await?;
        run(&mut connection, "VACUUM ANALYZE").await?;
        run(&mut connection, "CHECKPOINT").await?;
        let now: DateTime<Utc> = sqlx::query_scalar("SELECT now()")
            .fetch_one(&mut connection)
            .await?;
        let (zone, server) = (Zone::at(now), server.to_owned());
        Ok(Self {
            shape,
            zone,
            connection,
            server,
            name,
        })
    }

    /// Makes ENUM columns of stage and status.
    pub(crate) async fn enumerate(&mut self) -> Result<()> {
        progress("making ENUM columns");
        run(&mut self.connection, include_str!("enums.sql")).await?;
        run(&mut self.connection, "VACUUM FULL ANALYZE processing_queue").await?;
        run(&mut self.connection, "VACUUM").await?;
        run(&mut self.connection, "CHECKPOINT").await
    }

    /// Makes the indexes that the exporter proposes, as their owner would.
    pub(crate) fn index(&self) -> Result<()> {
        progress("making the indexes");
        exporter::indexes(&self.url())
    }

    /// Returns the proposed indexes that there are, with their sizes in bytes.
    pub(crate) async fn index_sizes(&mut self) -> Result<Vec<(String, i64)>> {
        let query = sqlx::query_as(
            "SELECT relname::text, pg_relation_size(oid) FROM pg_class
             WHERE relkind = 'i' AND relname LIKE 'queueboard%' ORDER BY 1",
        );
        Ok(query.fetch_all(&mut self.connection).await?)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Returns the address of the server.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        let authority = self.server.split('@').nth(1).context("no user@host")?;
        Ok(authority.parse()?)
    }

    /// Returns the URL under which it is read through something that stands before the server.
    pub(crate) fn url_through(&self, address: SocketAddr) -> Result<String> {
        let (own, other) = (self.address()?.to_string(), address.to_string());
        Ok(self.url().replace(&own, &other))
    }

    pub(crate) async fn remove(self) -> Result<()> {
        self.connection.close().await?;
        admin(
            &self.server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        )
        .await
    }
}

async fn admin(server: &str, statement: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await?;
    run(&mut connection, statement).await
}

pub(crate) async fn run(connection: &mut PgConnection, script: &str) -> Result<()> {
    let statement = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
    let done = connection.execute(statement).await;
    done.with_context(|| script.to_owned())?;
    Ok(())
}
