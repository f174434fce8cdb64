//! The demo: a small document pipeline that lives in a database of its own.
//!
//! History is simulated once and written in one transaction; after that a tick twice a second
//! moves the queue as a real pipeline would. The queue itself is only ever in the database, so
//! a row that somebody retries or skips there is really worked on, or left alone.

mod arrivals;
mod attempts;
mod documents;
mod history;
mod jobs;
mod macbook;
mod retention;
mod stages;
mod troubles;
mod workers;

use std::{
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;
use tokio::time::MissedTickBehavior;

use crate::source::fault::Fault;

use arrivals::Arrivals;
use jobs::Jobs;
use macbook::Macbook;
use retention::Retention;
use workers::Workers;

const SCHEMA: &str = include_str!("demo/schema.sql");
const CONFIG: &str = "deadlines:\n  - stage: summarize\n    by: \"18:00\"\n";
const NOW: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const TICK: Duration = Duration::from_millis(500);
/// Short, because a tick that waits for a lock also keeps a shutdown waiting.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// An embedded pipeline: its database, and the machines that work on it
pub struct Demo {
    // Declared before the directory, so that the database is let go of before it is removed.
    connection: SqliteConnection,
    pipeline: Pipeline,
    database: PathBuf,
    config_file: PathBuf,
    home: TempDir,
}

impl Demo {
    /// Makes the database in a new temporary directory and fills it with 24 hours of history
    pub async fn create() -> anyhow::Result<Demo> {
        let home = tempfile::Builder::new()
            .prefix("queueboard-demo-")
            .tempdir()
            .context("making a temporary directory for the demo")?;
        let config_file = home.path().join("config.yml");
        std::fs::write(&config_file, CONFIG).context("writing the demo's configuration")?;
        let database = home.path().join("pipeline.db");
        let mut connection = SqliteConnectOptions::new()
            .filename(&database)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging()
            .connect()
            .await
            .with_context(|| format!("creating the demo's database {}", database.display()))?;
        sqlx::raw_sql(SCHEMA)
            .execute(&mut connection)
            .await
            .context("creating the demo's tables")?;
        let pipeline = Pipeline::found(&mut connection).await?;
        Ok(Demo {
            connection,
            pipeline,
            database,
            config_file,
            home,
        })
    }

    /// Returns the path of the demo's configuration, which is the built-in one and a deadline
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Returns the `sqlite://…` URL of the demo's database
    pub fn database_url(&self) -> String {
        // A temporary directory may be called anything; these two would end or bend the path.
        let path = self.database.to_string_lossy();
        format!("sqlite://{}", path.replace('%', "%25").replace('?', "%3F"))
    }

    /// Works on the queue until `shutdown` resolves, then closes the database and removes it
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut shutdown = pin!(shutdown);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                _ = ticks.tick() => {}
            }
            match self.pipeline.tick(&mut self.connection).await {
                Err(error) if is_busy(&error) => {
                    tracing::warn!("the demo's database is busy, trying again: {error:#}");
                }
                outcome => outcome?,
            }
        }
        self.connection
            .close()
            .await
            .context("closing the demo's database")?;
        self.home.close().context("removing the demo's database")
    }
}

/// Everything that happens in the pipeline, each with the little that it remembers
struct Pipeline {
    rng: Rng,
    workers: Workers,
    macbook: Macbook,
    arrivals: Arrivals,
    jobs: Jobs,
    retention: Retention,
}

impl Pipeline {
    /// Writes the history that ends now and sets the machines to work where it ends
    async fn found(connection: &mut SqliteConnection) -> anyhow::Result<Self> {
        let now = now(connection).await?;
        let mut rng = Rng::new();
        let mut past = begin(connection).await?;
        history::write(&mut past, &mut rng, now).await?;
        let jobs = Jobs::found(&mut past, &mut rng, now).await?;
        let workers = Workers::adopt(&mut past, &mut rng).await?;
        past.commit().await.context("writing the demo's history")?;
        Ok(Pipeline {
            workers,
            macbook: Macbook::awake(&mut rng, now),
            arrivals: Arrivals::from(now),
            jobs,
            retention: Retention::from(now),
            rng,
        })
    }

    /// Does what is due; each step is a transaction of its own and may be done again
    async fn tick(&mut self, db: &mut SqliteConnection) -> anyhow::Result<()> {
        let now = now(db).await?;
        self.macbook.tick(db, now).await?;
        self.workers.finish(db, &mut self.rng, now).await?;
        self.arrivals.tick(db, &mut self.rng, now).await?;
        let macbook_awake = self.macbook.is_awake(now);
        self.workers
            .claim(db, &mut self.rng, now, macbook_awake)
            .await?;
        self.jobs.tick(db, &mut self.rng, now).await?;
        self.retention.tick(db, now).await
    }
}

/// Reads the database's clock, the one that its rows are later measured by
async fn now(db: &mut SqliteConnection) -> anyhow::Result<DateTime<Utc>> {
    sqlx::query_scalar(NOW)
        .fetch_one(db)
        .await
        .context("reading the clock of the demo's database")
}

/// Starts a transaction that already holds the write lock, so that it cannot lose it half-way
async fn begin(db: &mut SqliteConnection) -> anyhow::Result<sqlx::Transaction<'_, sqlx::Sqlite>> {
    db.begin_with("BEGIN IMMEDIATE")
        .await
        .context("starting a transaction in the demo's database")
}

/// Writes a moment the one way the demo writes them; as text, they sort as they happened
fn timestamp(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Draws a span of time between two numbers of seconds
fn seconds_between(rng: &mut Rng, (least, most): (i64, i64)) -> TimeDelta {
    TimeDelta::milliseconds(rng.i64(least * 1000..=most * 1000))
}

/// Draws the time until the next of events that come by chance, so many an hour
fn until_next(rng: &mut Rng, per_hour: f64) -> TimeDelta {
    let hours = -(1.0 - rng.f64()).ln() / per_hour;
    Duration::try_from_secs_f64(hours * 3600.0)
        .ok()
        .and_then(|span| TimeDelta::from_std(span).ok())
        .unwrap_or(TimeDelta::hours(1))
}

/// Says whether somebody else held the database's lock for too long
fn is_busy(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    let error = causes.find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    error.is_some_and(|error| Fault::of(error) == Fault::Locked)
}
