//! Retry and skip as PostgreSQL does them.
//!
//! No statement locks rows first: on a distributed PostgreSQL that is refused. The advisory lock
//! is what makes actions take their turn, so that each sees what the one before it changed. No
//! statement is prepared under a name, which would not be known again behind a pooler.

use sqlx::{AssertSqlSafe, PgConnection, query_as, query_scalar, raw_sql};

use crate::snapshot::{Id, Scope, Statuses, Text};
use crate::source::fill;
use crate::source::postgres::values::text;
use crate::source::postgres::words::{is_asked, is_one_of, is_skipped, known_statuses};
use crate::source::postgres::{PostgresSession, WATCH_CLIENT, catalog, time_zone};
use crate::source::shape::{Column, Kind, Relation};

use super::action::{Action, Former, LeftAlone};
use super::holder::Holders;
use super::operator::{Desk, Table};

/// A number of our own, by which actions take their turn.
const TURN: i64 = 7_163_384_699_739_271_780;

/// The server's time-outs are shorter than ours. That it will write is not said: a standby would
/// refuse the word, and not say that it is read-only. Where row level security would hide rows, the
/// server is told to refuse.
const OPEN: &str = "
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = 5000;
SET LOCAL statement_timeout = 10000;
SET LOCAL idle_in_transaction_session_timeout = 15000;
SET LOCAL row_security = off";

/// Of several failed rows of one document and stage only the highest is retried.
const RETRY: &str = "
UPDATE processing_queue AS q
SET status = {pending}, {attempts} started_at = NULL, completed_at = NULL
WHERE {is_asked} AND {is_failed}
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage AND {other_is_active})
  AND NOT EXISTS (
      SELECT 1 FROM processing_queue AS other
      WHERE other.document_id = q.document_id AND other.stage = q.stage
        AND {other_is_failed} AND {other_is_asked} AND other.id > q.id)
RETURNING q.id::text";

const SKIP: &str = "
UPDATE processing_queue AS q
SET status = {completed}, completed_at = now() {payload}
WHERE {is_asked} AND {is_failed}
RETURNING q.id::text";

/// What an action changes of failed rows.
const REMEMBER: &str = "
SELECT former.id::text AS id, to_json(former)::text AS row
FROM (SELECT {former} FROM processing_queue AS q WHERE {is_asked} AND {is_failed}) AS former";

/// A row is put back only if it still is as the action left it.
const RESTORE: &str = "
UPDATE processing_queue AS q
SET {restored}
FROM json_to_recordset($1::text::json) AS former({columns})
WHERE q.id = former.id AND {is_untouched}
RETURNING q.id::text";

const LOOK: &str = "
SELECT q.id::text AS id, {is_failed} AS failed, EXISTS (
    SELECT 1 FROM processing_queue AS other
    WHERE other.document_id = q.document_id AND other.stage = q.stage
      AND {other_is_active}) AS active
FROM processing_queue AS q
WHERE {is_asked}";

const ANY_FAILED: &str = "
SELECT q.id::text FROM processing_queue AS q WHERE {is_failed} LIMIT 1";

/// Who has a lock that an action needs: its turn, or else the table or rows of it.
const HOLDERS: &str = "
WITH held AS (
    SELECT locktype, pid, usename::text AS role, application_name AS application, xact_start AS since
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE granted AND pid <> pg_backend_pid() AND datname = current_database()
      AND (locktype = 'advisory' AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = $1
           OR relation = 'processing_queue'::regclass AND mode <> 'AccessShareLock'))
SELECT DISTINCT pid, role, application, since FROM held
WHERE locktype = (SELECT min(locktype) FROM held)
ORDER BY since, pid LIMIT 3";

/// The payloads of rows that may be skipped, where they are text that may be JSON.
const PAYLOADS: &str = "
SELECT q.payload::text FROM processing_queue AS q
WHERE {is_asked} AND {is_failed} AND q.payload IS NOT NULL";

/// What a skip leaves in a row's payload.
const MARK: &str = r#"jsonb_build_object('skipped_by_user', true, 'skipped_at',
    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))"#;

impl Table {
    /// Writes a statement about what rows were before an action.
    fn fill_former(&self, statement: &str, action: Action) -> AssertSqlSafe<String> {
        let mut ids = self.queue.columns.iter();
        let id = ids.find(|column| column.name == "id");
        let id = id.map_or("text", |column| &column.declared);
        // The former values have names of their own: a condition on the row names its columns. JSON
        // as it was written may hold what no value of a record can: it goes as text.
        let is_json = |column: &Column| column.kind == Kind::Json;
        let as_text = |column: &Column| if is_json(column) { "::text" } else { "" };
        let former = self.list(action, |column| {
            let (name, as_text) = (&column.name, as_text(column));
            format!("q.{name}{as_text} AS former_{name}")
        });
        let columns = self.list(action, |column| {
            let declared = if is_json(column) {
                "text"
            } else {
                &column.declared
            };
            format!("former_{} {declared}", column.name)
        });
        let restored = self.list(action, |Column { name, declared, .. }| {
            format!("{name} = former.former_{name}::{declared}")
        });
        let mut parts = self.parts();
        parts.extend([
            ("{former}", format!("q.id, {former}")),
            ("{columns}", format!("id {id}, {columns}")),
            ("{restored}", restored),
            ("{is_untouched}", self.is_untouched(action)),
        ]);
        AssertSqlSafe(fill(statement, &parts))
    }

    /// The condition that a row is as an action left it.
    fn is_untouched(&self, action: Action) -> String {
        match action {
            Action::Retry => {
                let attempts = match self.queue.kind("attempts") {
                    Some(_) => " AND q.attempts = 0",
                    None => "",
                };
                let is_pending = is_one_of("q.status", &self.statuses.pending);
                format!(
                    "{is_pending} AND q.started_at IS NULL AND q.completed_at IS NULL{attempts}"
                )
            }
            // Without a payload there is no mark.
            Action::Skip => {
                let mark = is_skipped(&self.queue).unwrap_or_else(|| "FALSE".to_owned());
                format!(
                    "{} AND {mark}",
                    is_one_of("q.status", &self.statuses.completed)
                )
            }
        }
    }

    /// Writes a statement for this table.
    fn fill(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(fill(statement, &self.parts()))
    }

    /// The SQL that depends on this table, by the name that statements have for it.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let Statuses {
            pending,
            processing,
            completed,
            failed,
        } = &self.statuses;
        let active = [pending.as_slice(), processing].concat();
        let attempts = match self.queue.kind("attempts") {
            Some(_) => "attempts = 0,",
            None => "",
        };
        vec![
            ("{pending}", first(pending)),
            ("{completed}", first(completed)),
            ("{attempts}", attempts.to_owned()),
            ("{payload}", payload(&self.queue)),
            ("{is_asked}", is_asked(&self.queue, "q.id")),
            ("{other_is_asked}", is_asked(&self.queue, "other.id")),
            ("{is_failed}", is_one_of("q.status", failed)),
            ("{other_is_failed}", is_one_of("other.status", failed)),
            ("{other_is_active}", is_one_of("other.status", &active)),
        ]
    }

    /// Returns those ids that are written as this table's are; no other can be one of them.
    fn own(&self, ids: &[Id]) -> Vec<String> {
        let is_own = |id: &&Id| match self.queue.kind("id") {
            Some(Kind::Integer) => id.number().is_some(),
            Some(Kind::Numeric) => id.as_str().bytes().all(|byte| byte.is_ascii_digit()),
            Some(Kind::Uuid) => is_uuid(id.as_str()),
            _ => true,
        };
        let own = ids.iter().filter(is_own);
        own.map(ToString::to_string).collect()
    }
}

/// The word that is written; a table without any takes none, and the server says so.
fn first(words: &[String]) -> String {
    words.first().map_or("NULL".to_owned(), |word| text(word))
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match byte {
            b'-' => dashes.contains(&place),
            byte => !dashes.contains(&place) && matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The new payload of a skipped row; one that is no object is kept whole under a key.
fn payload(queue: &Relation) -> String {
    match queue.kind("payload") {
        None => String::new(),
        Some(Kind::Jsonb) => format!(
            ", payload = CASE
                 WHEN q.payload IS NULL THEN '{{}}'::jsonb
                 WHEN jsonb_typeof(q.payload) = 'object' THEN q.payload
                 ELSE jsonb_build_object('payload', q.payload) END || {MARK}"
        ),
        Some(Kind::Json) => {
            let object = "CASE
                 WHEN q.payload IS NULL THEN '{}'
                 WHEN json_typeof(q.payload) = 'object' THEN q.payload::text
                 ELSE json_build_object('payload', q.payload)::text END";
            format!(", payload = {}::json", marked(object))
        }
        // Which texts are JSON objects is not for SQL to say: `$2` are those that are, `$3` those
        // that are other JSON.
        Some(_) => {
            let object = "CASE
                 WHEN q.payload IS NULL THEN '{}'
                 WHEN q.payload::text = ANY($2::text[]) THEN q.payload::text
                 WHEN q.payload::text = ANY($3::text[])
                 THEN json_build_object('payload', q.payload::json)::text
                 ELSE json_build_object('payload', q.payload::text)::text END";
            format!(", payload = {}", marked(object))
        }
    }
}

/// Adds to the text of a JSON object, and leaves what was in it as it was written.
fn marked(object: &str) -> String {
    format!(
        "(SELECT left(rtrim(object, E' \\t\\r\\n'), -1)
              || CASE WHEN object ~ '^[[:space:]]*[{{][[:space:]]*[}}]' THEN '' ELSE ', ' END
              || ltrim({MARK}::text, '{{') FROM (SELECT {object} AS object) AS kept)"
    )
}

impl Desk for PostgresSession {
    async fn open(&mut self, scope: &Scope) -> sqlx::Result<Table> {
        let zone = time_zone(scope);
        let open = format!(
            "{OPEN}; SET LOCAL TimeZone = '{zone}'; {WATCH_CLIENT};
             SELECT pg_advisory_xact_lock({TURN})"
        );
        let connection = self.connection();
        raw_sql(AssertSqlSafe(open))
            .execute(&mut *connection)
            .await?;
        let queue = catalog::shape(connection).await?.queue;
        let secured = catalog::secured(connection).await?;
        let settings = catalog::settings(connection, &secured).await?;
        let settings = raw_sql(AssertSqlSafe(settings));
        settings.execute(connection).await?;
        let statuses = known_statuses(&queue, &scope.statuses);
        Ok(Table {
            queue,
            statuses,
            offset: 0,
        })
    }

    async fn change(&mut self, table: &Table, action: Action, ids: &[Id]) -> sqlx::Result<Vec<Id>> {
        let ids = table.own(ids);
        let connection = self.connection();
        match action {
            Action::Retry => {
                let query = query_scalar(table.fill(RETRY)).bind(&ids);
                query.persistent(false).fetch_all(connection).await
            }
            Action::Skip => skip(connection, table, &ids).await,
        }
    }

    async fn remember(
        &mut self,
        table: &Table,
        action: Action,
        ids: &[Id],
    ) -> sqlx::Result<Vec<Former>> {
        let query = query_as(table.fill_former(REMEMBER, action)).bind(table.own(ids));
        let query = query.persistent(false);
        query.fetch_all(self.connection()).await
    }

    async fn restore(
        &mut self,
        table: &Table,
        action: Action,
        rows: &[Former],
    ) -> sqlx::Result<Vec<Id>> {
        let query = query_scalar(table.fill_former(RESTORE, action)).bind(Former::list(rows));
        let query = query.persistent(false);
        query.fetch_all(self.connection()).await
    }

    async fn look(&mut self, table: &Table, ids: &[Id]) -> sqlx::Result<Vec<LeftAlone>> {
        let query = query_as(table.fill(LOOK)).bind(table.own(ids));
        let query = query.persistent(false);
        query.fetch_all(self.connection()).await
    }

    async fn any_failed(&mut self, table: &Table) -> sqlx::Result<Option<Id>> {
        let query = query_scalar(table.fill(ANY_FAILED)).persistent(false);
        query.fetch_optional(self.connection()).await
    }

    async fn holders(&mut self) -> sqlx::Result<Holders> {
        let query = query_as(HOLDERS).bind(TURN).persistent(false);
        query.fetch_all(self.connection()).await.map(Holders)
    }

    async fn commit(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self.connection()).await.map(drop)
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        let roll_back = raw_sql("ROLLBACK");
        roll_back.execute(self.connection()).await.map(drop)
    }
}

async fn skip(
    connection: &mut PgConnection,
    table: &Table,
    ids: &[String],
) -> sqlx::Result<Vec<Id>> {
    let is_typed = matches!(
        table.queue.kind("payload"),
        None | Some(Kind::Json | Kind::Jsonb)
    );
    let query = query_scalar(table.fill(SKIP)).bind(ids);
    let query = query.persistent(false);
    if is_typed {
        return query.fetch_all(connection).await;
    }
    let payloads = query_scalar(table.fill(PAYLOADS)).bind(ids);
    let payloads: Vec<Text> = payloads
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    let is_json = |text: &&Text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let is_object = |text: &String| text.trim_start().starts_with('{');
    let json = payloads.iter().filter(is_json).map(ToString::to_string);
    let (objects, others): (Vec<String>, Vec<String>) = json.partition(is_object);
    query.bind(objects).bind(others).fetch_all(connection).await
}
