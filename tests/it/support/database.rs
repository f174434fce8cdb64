//! A database of its own for each test, on either engine.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection,
};
use tempfile::TempDir;

use crate::rows::Rows;
use crate::support::{Server, repository_file};

/// The engines, and the kinds of tables on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    /// PostgreSQL with the indexes that `indexes` prints.
    Indexed,
    /// PostgreSQL where stage, status, kind and state are ENUM columns.
    Enums,
    /// The same with the indexes that `indexes` prints for it.
    EnumsIndexed,
    Sqlite,
}

impl Engine {
    /// Those that every test of numbers runs on.
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::Indexed, Self::Sqlite];

    /// Tells whether some columns hold only the labels of their types.
    pub(crate) fn has_enums(self) -> bool {
        matches!(self, Self::Enums | Self::EnumsIndexed)
    }
}

/// A pipeline's empty database, whose clock can be set.
pub(crate) struct Database {
    engine: Engine,
    connection: Connected,
    url: String,
    folder: TempDir,
}

enum Connected {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Database {
    /// Makes a database with the pipeline's tables.
    pub(crate) async fn create(engine: Engine) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (connection, url) = match engine {
            // Types, and indexes of columns of such types, are made anew for each board.
            Engine::Postgres | Engine::Enums | Engine::EnumsIndexed => {
                let (connection, url) = postgres(&server()).await;
                (Connected::Postgres(connection), url)
            }
            Engine::Indexed => {
                let (mut connection, url) = postgres(&server()).await;
                add_indexes(&mut connection, &["indexes"]).await;
                (Connected::Postgres(connection), url)
            }
            Engine::Sqlite => sqlite(&folder).await,
        };
        Self {
            engine,
            connection,
            url,
            folder,
        }
    }

    /// Makes a database with the pipeline's tables on a server of its own.
    pub(crate) async fn on(server: &Server) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (connection, url) = postgres(&server.url()).await;
        Self {
            engine: Engine::Postgres,
            connection: Connected::Postgres(connection),
            url,
            folder,
        }
    }

    /// Makes the indexes that the command prints for it.
    pub(crate) async fn add_indexes(&mut self) {
        let arguments = ["indexes", "--database-url", &self.url];
        if let Connected::Postgres(connection) = &mut self.connection {
            add_indexes(connection, &arguments).await;
        }
    }

    /// Returns the URL under which the exporter reads it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs a script that should be refused, and returns the database's code for why.
    pub(crate) async fn refusal(&mut self, script: &str) -> Option<String> {
        let Connected::Postgres(connection) = &mut self.connection else {
            return None;
        };
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        let error = connection.execute(script).await.err()?;
        error
            .as_database_error()?
            .code()
            .map(std::borrow::Cow::into_owned)
    }

    /// Makes a database of PostgreSQL that takes every byte for text.
    pub(crate) async fn of_bytes() -> Self {
        let mut database = Self::create(Engine::Postgres).await;
        let settings = "TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'";
        let (connection, url) = postgres_with(&server(), settings).await;
        (database.connection, database.url) = (Connected::Postgres(connection), url);
        database
    }

    /// Ends every session but this one.
    pub(crate) async fn kill_sessions(&mut self) {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.run(kill).await;
    }

    /// Counts the other sessions.
    pub(crate) async fn sessions(&mut self) -> usize {
        // In a transaction they would be those of its first look.
        self.run("SELECT pg_stat_clear_snapshot()").await;
        let sessions = "SELECT pid::text FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                          AND backend_type = 'client backend'";
        self.texts(sessions).await.len()
    }

    /// Returns what a query of one column answers to a new session.
    pub(crate) async fn ask_at(url: &str, query: &str) -> sqlx::Result<Vec<String>> {
        let options: PgConnectOptions = url.parse()?;
        let mut connection = options.extra_float_digits(None).connect().await?;
        let query = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
        let rows = query.fetch_all(&mut connection).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Returns the address of the PostgreSQL server.
    pub(crate) fn server(&self) -> SocketAddr {
        let authority = self.url.split(['@', '/']).nth(3).expect("host and port");
        authority.parse().expect("an address")
    }

    /// Returns the URL under which it is read through something that stands before the server.
    pub(crate) fn url_through(&self, address: SocketAddr) -> String {
        self.url
            .replace(&self.server().to_string(), &address.to_string())
    }

    /// Returns the texts that a query of one column answers; null is `null`.
    pub(crate) async fn texts(&mut self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        let rows: sqlx::Result<Vec<Option<String>>> = match &mut self.connection {
            Connected::Postgres(connection) => {
                sqlx::query_scalar(query).fetch_all(connection).await
            }
            Connected::Sqlite(connection) => sqlx::query_scalar(query).fetch_all(connection).await,
        };
        let rows = rows.expect("the query is answered").into_iter();
        rows.map(|text| text.unwrap_or_else(|| "null".to_owned()))
            .collect()
    }

    /// Returns the file that tells an exporter the time: in SQLite it is its own process's.
    pub(crate) fn clock(&self) -> Option<PathBuf> {
        let is_sqlite = matches!(self.connection, Connected::Sqlite(_));
        is_sqlite.then(|| self.folder.path().join("clock"))
    }

    /// Runs a script.
    pub(crate) async fn run(&mut self, script: &str) {
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        let result = match &mut self.connection {
            Connected::Postgres(connection) => connection.execute(script).await.map(drop),
            Connected::Sqlite(connection) => connection.execute(script).await.map(drop),
        };
        result.expect("the script runs");
    }

    /// Stops the database's clock at an instant.
    pub(crate) async fn set_clock(&mut self, now: DateTime<Utc>) {
        let text = now.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        match self.clock() {
            Some(file) => std::fs::write(file, text).expect("the clock is written"),
            None => {
                self.run(&format!("UPDATE clock.instant SET at = '{text}Z'"))
                    .await
            }
        }
    }

    /// Sets the clock, and replaces all rows.
    pub(crate) async fn load(&mut self, rows: &Rows) {
        self.set_clock(rows.now).await;
        self.run("DELETE FROM processing_queue; DELETE FROM documents; DROP TABLE IF EXISTS background_jobs")
            .await;
        if self.engine.has_enums() {
            self.make_enums(rows).await;
        }
        if rows.jobs.is_some() {
            self.run(&jobs_table(self.engine)).await;
        }
        self.insert("documents", DOCUMENTS, documents(rows)).await;
        self.insert("processing_queue", QUEUE, queue(rows)).await;
        self.insert("background_jobs", JOBS, jobs(rows)).await;
    }

    /// Gives the empty tables types whose labels are those of the rows, and indexes of them.
    async fn make_enums(&mut self, rows: &Rows) {
        self.run(FREE_OF_ENUMS).await;
        self.run(&enums(rows)).await;
        self.run(OF_ENUMS).await;
        if self.engine == Engine::EnumsIndexed
            && let Connected::Postgres(connection) = &mut self.connection
        {
            let arguments = ["indexes", "--database-url", &self.url];
            add_indexes(connection, &arguments).await;
        }
    }

    /// Inserts rows given as JSON objects, all in one statement.
    async fn insert(&mut self, table: &str, columns: &[(&str, &str)], rows: Vec<Value>) {
        if rows.is_empty() {
            return;
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let rows = Value::from(rows).to_string();
        let into = format!("INSERT INTO {table} ({}) SELECT", names.join(", "));
        let result = match &mut self.connection {
            Connected::Postgres(connection) => {
                let text: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
                let cast: Vec<String> = columns
                    .iter()
                    .map(|(name, of)| format!("{name}::{}", column_type(self.engine, name, of)))
                    .collect();
                let from = format!("jsonb_to_recordset($1::jsonb) AS r({})", text.join(", "));
                let sql = format!("{into} {} FROM {from}", cast.join(", "));
                sqlx::query(AssertSqlSafe(sql))
                    .bind(rows)
                    .execute(connection)
                    .await
                    .map(drop)
            }
            Connected::Sqlite(connection) => {
                let values: Vec<String> = names
                    .iter()
                    .map(|name| format!("value ->> '$.{name}'"))
                    .collect();
                let sql = format!("{into} {} FROM json_each(?)", values.join(", "));
                sqlx::query(AssertSqlSafe(sql))
                    .bind(rows)
                    .execute(connection)
                    .await
                    .map(drop)
            }
        };
        result.unwrap_or_else(|error| panic!("filling {table}: {error}"));
    }
}

const DOCUMENTS: &[(&str, &str)] = &[
    ("id", "bigint"),
    ("title", "text"),
    ("original_filename", "text"),
    ("file_path", "text"),
    ("ai_model_version", "text"),
];

const QUEUE: &[(&str, &str)] = &[
    ("id", "bigint"),
    ("document_id", "bigint"),
    ("stage", "text"),
    ("status", "text"),
    ("payload", "jsonb"),
    ("created_at", "timestamptz"),
    ("started_at", "timestamptz"),
    ("completed_at", "timestamptz"),
];

const JOBS: &[(&str, &str)] = &[
    ("id", "bigint"),
    ("kind", "text"),
    ("label", "text"),
    ("state", "text"),
    ("processed", "bigint"),
    ("total", "bigint"),
    ("started_at", "timestamptz"),
    ("updated_at", "timestamptz"),
    ("finished_at", "timestamptz"),
    ("error", "text"),
];

/// Names the type of a column that is of another type on other engines.
fn column_type<'a>(engine: Engine, column: &str, otherwise: &'a str) -> &'a str {
    match column {
        "stage" if engine.has_enums() => "public.queue_stage",
        "status" if engine.has_enums() => "public.queue_status",
        "kind" if engine.has_enums() => "public.job_kind",
        "state" if engine.has_enums() => "public.job_state",
        _ => otherwise,
    }
}

/// Makes the types of the ENUM columns, with labels in no order.
fn enums(rows: &Rows) -> String {
    let queue = || rows.queue.iter();
    let jobs = || rows.jobs.iter().flatten();
    let seed = queue().map(|row| row.id.unsigned_abs()).sum();
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut make = |name: &str, labels: BTreeSet<&str>| {
        let quote = |label: &str| format!("'{}'", label.replace('\'', "''"));
        let mut labels: Vec<String> = labels.into_iter().map(quote).collect();
        rng.shuffle(&mut labels);
        format!("CREATE TYPE public.{name} AS ENUM ({});", labels.join(", "))
    };
    // No pipeline's types lack the words of its own work, used or not.
    let statuses = ["pending", "processing", "completed", "failed"].into_iter();
    let states = ["running"].into_iter();
    [
        make(
            "queue_stage",
            queue().map(|row| row.stage.as_str()).collect(),
        ),
        make(
            "queue_status",
            statuses
                .chain(queue().map(|row| row.status.as_str()))
                .collect(),
        ),
        make("job_kind", jobs().map(|job| job.kind.as_str()).collect()),
        make(
            "job_state",
            states.chain(jobs().map(|job| job.state.as_str())).collect(),
        ),
    ]
    .concat()
}

fn jobs_table(engine: Engine) -> String {
    let kind = column_type(engine, "kind", "text");
    let state = column_type(engine, "state", "text");
    let timestamp = match engine {
        Engine::Sqlite => "text",
        _ => "timestamptz",
    };
    format!(
        "CREATE TABLE background_jobs (id bigint PRIMARY KEY, kind {kind}, label text, state {state},
         processed bigint, total bigint, started_at {timestamp}, updated_at {timestamp},
         finished_at {timestamp}, error text)"
    )
}

fn documents(rows: &Rows) -> Vec<Value> {
    let document = |d: &crate::rows::Document| {
        json!({"id": d.id, "title": d.title, "original_filename": d.original_filename,
               "file_path": d.file_path, "ai_model_version": d.ai_model_version})
    };
    rows.documents.iter().map(document).collect()
}

fn queue(rows: &Rows) -> Vec<Value> {
    let row = |q: &crate::rows::QueueRow| {
        json!({"id": q.id, "document_id": q.document_id, "stage": q.stage, "status": q.status,
               "payload": q.payload.as_ref().map(Value::to_string),
               "created_at": text(q.created_at, q.id, rows.now), "started_at": q.started_at.map(|at| text(at, q.id, rows.now)),
               "completed_at": q.completed_at.map(|at| text(at, q.id, rows.now))})
    };
    rows.queue.iter().map(row).collect()
}

fn jobs(rows: &Rows) -> Vec<Value> {
    let job = |j: &crate::rows::Job| {
        let time = |at: Option<DateTime<Utc>>| at.map(|at| text(at, j.id, rows.now));
        json!({"id": j.id, "kind": j.kind, "label": j.label, "state": j.state,
               "processed": j.processed, "total": j.total, "started_at": time(j.started_at),
               "updated_at": time(j.updated_at), "finished_at": time(j.finished_at), "error": j.error})
    };
    rows.jobs.iter().flatten().map(job).collect()
}

/// An instant in one of the forms that RFC 3339 allows for UTC, or without a zone, unless it lies
/// so far in the future that this is refused.
fn text(at: DateTime<Utc>, id: i64, now: DateTime<Utc>) -> String {
    match id % 5 {
        3 if at > now + chrono::TimeDelta::minutes(4) => at.to_rfc3339(),
        0 => at.to_rfc3339_opts(SecondsFormat::Micros, true),
        1 => at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        2 => at.to_rfc3339_opts(SecondsFormat::Millis, false),
        3 => at.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        _ => at.to_rfc3339_opts(SecondsFormat::Millis, true),
    }
}

/// A new database of the server that `tests/run` started. Its `now()` can be set: a function of
/// that name stands before the server's own in the search path.
async fn postgres(server: &str) -> (PgConnection, String) {
    postgres_with(server, "").await
}

/// The same, with settings of the database.
async fn postgres_with(server: &str, settings: &str) -> (PgConnection, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("queueboard_{}_{number}", std::process::id());
    let mut admin = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .expect("the server");
    let create = format!("CREATE DATABASE {name} {settings}");
    admin
        .execute(sqlx::raw_sql(AssertSqlSafe(create)))
        .await
        .expect("a database");
    let url = format!("{server}/{name}?options=-c%20search_path%3Dclock,pg_catalog,public");
    let mut connection = PgConnection::connect(&url).await.expect("the new database");
    connection
        .execute(sqlx::raw_sql(POSTGRES))
        .await
        .expect("the pipeline's tables");
    (connection, url)
}

/// Runs what the command prints, one statement after another: they are for no transaction.
async fn add_indexes(connection: &mut PgConnection, arguments: &[&str]) {
    let printed = super::run(arguments, &[]);
    let script = String::from_utf8(printed.stdout).expect("statements of text");
    for statement in script.split_inclusive(";\n") {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        connection.execute(statement).await.expect("an index");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests/run says where the server is"
)]
fn server() -> String {
    let server = std::env::var("QUEUEBOARD_TEST_POSTGRES");
    server.expect("QUEUEBOARD_TEST_POSTGRES names a PostgreSQL server; use tests/run")
}

const POSTGRES: &str = "
CREATE SCHEMA clock;
CREATE TABLE clock.instant (at timestamptz);
INSERT INTO clock.instant VALUES (NULL);
CREATE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT coalesce(at, pg_catalog.now()) FROM clock.instant';
SET search_path = public, pg_catalog;
CREATE TABLE documents (id bigint PRIMARY KEY, title text, original_filename text,
    file_path text, ai_model_version text);
CREATE TABLE processing_queue (id bigint PRIMARY KEY, document_id bigint NOT NULL,
    stage text NOT NULL, status text NOT NULL, attempts int NOT NULL DEFAULT 0,
    max_attempts int NOT NULL DEFAULT 3, error_message text, payload jsonb,
    created_at timestamptz NOT NULL, started_at timestamptz, completed_at timestamptz);
CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
    WHERE status IN ('pending', 'processing');
CREATE TABLE background_jobs (id bigint PRIMARY KEY);
SET search_path = clock, pg_catalog, public;";

/// Takes the types of the last board away, with the indexes that depend on them.
const FREE_OF_ENUMS: &str = "
DO $$ DECLARE index regclass; BEGIN
    FOR index IN SELECT indexrelid FROM pg_index
        WHERE indrelid = 'processing_queue'::regclass AND NOT indisprimary
    LOOP EXECUTE format('DROP INDEX %s', index); END LOOP;
END $$;
ALTER TABLE processing_queue ALTER stage TYPE text, ALTER status TYPE text;
DROP TYPE IF EXISTS public.queue_stage, public.queue_status, public.job_kind, public.job_state;";

const OF_ENUMS: &str = "
ALTER TABLE processing_queue
    ALTER stage TYPE public.queue_stage USING stage::public.queue_stage,
    ALTER status TYPE public.queue_status USING status::public.queue_status;
CREATE UNIQUE INDEX uq_queue_active ON processing_queue (document_id, stage)
    WHERE status IN ('pending', 'processing');";

async fn sqlite(folder: &TempDir) -> (Connected, String) {
    let path = folder.path().join("pipeline.db");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .expect("a database");
    let schema = repository_file("src/demo/schema.sql");
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(schema)))
        .await
        .expect("the pipeline's tables");
    (
        Connected::Sqlite(connection),
        format!("sqlite://{}", path.display()),
    )
}
