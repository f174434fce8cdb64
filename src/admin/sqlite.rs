//! Retry and skip as SQLite does them: there is one writer at a time, so actions take their turn
//! by themselves.
//!
//! No table has another name in what is changed: a view that triggers write through takes none.

use chrono::{DateTime, Offset, TimeZone, Utc};
use sqlx::{AssertSqlSafe, query_as, query_scalar, raw_sql};

use crate::snapshot::{Id, Scope, Statuses};
use crate::source::fill;
use crate::source::shape::Column;
use crate::source::sqlite::relations::{is_one_of, is_skipped, literal};
use crate::source::sqlite::{SqliteSession, asked};

use super::action::{Action, Former, LeftAlone};
use super::holder::Holders;
use super::operator::{Desk, Table};

const OPEN: &str = "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE";

/// Of several failed rows of one document and stage only the highest is retried.
const RETRY: &str = "
UPDATE processing_queue
SET status = {pending}, {attempts} started_at = NULL, completed_at = NULL
WHERE id IN (
    SELECT q.id FROM {queue} AS q
    WHERE q.is_asked AND q.is_failed
      AND NOT EXISTS (
          SELECT 1 FROM {queue} AS other
          WHERE other.document_id = q.document_id AND other.stage = q.stage AND other.is_active)
      AND NOT EXISTS (
          SELECT 1 FROM {queue} AS other
          WHERE other.document_id = q.document_id AND other.stage = q.stage
            AND other.is_failed AND other.is_asked AND other.id > q.id))
RETURNING CAST(id AS TEXT)";

/// The time is written as the row's other times are. Text that is no JSON is kept as a string.
const SKIP: &str = "
UPDATE processing_queue
SET status = {completed}, completed_at = CASE typeof(created_at)
        WHEN 'integer' THEN unixepoch('now')
        WHEN 'real' THEN unixepoch('now', 'subsec')
        ELSE CASE
            WHEN created_at NOT GLOB '*[^0-9.]*' THEN unixepoch('now')
            WHEN created_at GLOB '*Z' OR substr(created_at, 12) GLOB '*[+-]*'
            THEN strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
            ELSE strftime('%Y-%m-%d' || substr(created_at, 11, 1) || '%H:%M:%f', 'now', {offset}) END
    END {payload}
WHERE id IN (SELECT q.id FROM {queue} AS q WHERE q.is_asked AND q.is_failed)
RETURNING CAST(id AS TEXT)";

const PAYLOAD: &str = ",
    payload = json_set(
        CASE
            WHEN payload IS NULL THEN '{}'
            WHEN NOT json_valid(payload) THEN json_object('payload', CAST(payload AS TEXT))
            WHEN json_type(payload) = 'object' THEN payload
            ELSE json_object('payload', json(payload))
        END,
        '$.skipped_by_user', json('true'),
        '$.skipped_at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

/// What an action changes of failed rows. JSON has no bytes.
const REMEMBER: &str = "
SELECT CAST(id AS TEXT) AS id, json_object('id', id, {former}) AS row FROM processing_queue
WHERE id IN (SELECT q.id FROM {queue} AS q WHERE q.is_asked AND q.is_failed)";

/// A row is put back only if it still is as the action left it.
const RESTORE: &str = "
UPDATE processing_queue
SET {restored}
FROM (SELECT value ->> '$.id' AS former_id, value AS former FROM json_each(?1)) AS formers
WHERE id = former_id AND {is_untouched}
RETURNING CAST(id AS TEXT)";

const LOOK: &str = "
SELECT CAST(q.id AS TEXT) AS id, q.is_failed AS failed, EXISTS (
    SELECT 1 FROM {queue} AS other
    WHERE other.document_id = q.document_id AND other.stage = q.stage AND other.is_active) AS active
FROM {queue} AS q
WHERE q.is_asked";

const ANY_FAILED: &str = "
SELECT CAST(id AS TEXT) FROM processing_queue WHERE {is_failed} LIMIT 1";

impl Table {
    /// Writes a statement about what rows were before an action.
    fn fill_former_sqlite(&self, statement: &str, action: Action) -> AssertSqlSafe<String> {
        let former = |Column { name, .. }: &Column| {
            format!(
                "'{name}', CASE typeof({name})
                     WHEN 'blob' THEN json_object('hex', hex({name})) ELSE {name} END"
            )
        };
        let restored = |Column { name, .. }: &Column| {
            format!(
                "{name} = CASE json_type(former, '$.{name}')
                     WHEN 'object' THEN unhex(former ->> '$.{name}.hex')
                     ELSE former ->> '$.{name}' END"
            )
        };
        let is_untouched = match action {
            Action::Retry => format!(
                "{} AND started_at IS NULL AND completed_at IS NULL{}",
                is_one_of(&self.statuses.pending),
                match self.queue.kind("attempts") {
                    Some(_) => " AND attempts = 0",
                    None => "",
                }
            ),
            Action::Skip => format!(
                "{} AND {}",
                is_one_of(&self.statuses.completed),
                is_skipped(&self.queue)
            ),
        };
        let mut parts = self.parts_sqlite();
        parts.extend([
            ("{former}", self.list(action, former)),
            ("{restored}", self.list(action, restored)),
            ("{is_untouched}", is_untouched),
        ]);
        AssertSqlSafe(fill(statement, &parts))
    }

    fn fill_sqlite(&self, statement: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(fill(statement, &self.parts_sqlite()))
    }

    /// The SQL that depends on this table, by the name that statements have for it.
    fn parts_sqlite(&self) -> Vec<(&'static str, String)> {
        let Statuses {
            pending,
            processing,
            completed,
            failed,
        } = &self.statuses;
        let queue = format!(
            "(SELECT id, document_id, stage, {} AS is_failed, {} AS is_active,
                     id IN (SELECT value FROM json_each(?1)) AS is_asked FROM processing_queue)",
            is_one_of(failed),
            is_one_of(&[pending.as_slice(), processing].concat())
        );
        let has = |column, sql: &str| match self.queue.kind(column) {
            Some(_) => sql.to_owned(),
            None => String::new(),
        };
        let first = |words: &[String]| {
            words
                .first()
                .map_or("NULL".to_owned(), |word| literal(word))
        };
        vec![
            ("{payload}", has("payload", PAYLOAD)),
            ("{attempts}", has("attempts", "attempts = 0,")),
            ("{pending}", first(pending)),
            ("{completed}", first(completed)),
            ("{offset}", format!("'{} seconds'", self.offset)),
            ("{queue}", queue),
            ("{is_failed}", is_one_of(failed)),
        ]
    }
}

impl Desk for SqliteSession {
    async fn open(&mut self, scope: &Scope) -> sqlx::Result<Table> {
        raw_sql(OPEN).execute(self.connection()).await?;
        let now = query_scalar("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')");
        let now: DateTime<Utc> = now.fetch_one(self.connection()).await?;
        let offset = scope.naive_timestamps.map_or(0, |zone| {
            let offset = zone.offset_from_utc_datetime(&now.naive_utc());
            offset.fix().local_minus_utc()
        });
        let queue = self.shape(scope, now).await?.queue.clone();
        Ok(Table {
            queue,
            statuses: scope.statuses.clone(),
            offset,
        })
    }

    async fn change(&mut self, table: &Table, action: Action, ids: &[Id]) -> sqlx::Result<Vec<Id>> {
        let change = match action {
            Action::Retry => RETRY,
            Action::Skip => SKIP,
        };
        let change = query_scalar(table.fill_sqlite(change)).bind(asked(ids));
        change.fetch_all(self.connection()).await
    }

    async fn remember(
        &mut self,
        table: &Table,
        action: Action,
        ids: &[Id],
    ) -> sqlx::Result<Vec<Former>> {
        let remember = query_as(table.fill_former_sqlite(REMEMBER, action)).bind(asked(ids));
        remember.fetch_all(self.connection()).await
    }

    async fn restore(
        &mut self,
        table: &Table,
        action: Action,
        rows: &[Former],
    ) -> sqlx::Result<Vec<Id>> {
        let restore = query_scalar(table.fill_former_sqlite(RESTORE, action));
        let restore = restore.bind(Former::list(rows));
        restore.fetch_all(self.connection()).await
    }

    async fn look(&mut self, table: &Table, ids: &[Id]) -> sqlx::Result<Vec<LeftAlone>> {
        let look = query_as(table.fill_sqlite(LOOK)).bind(asked(ids));
        look.fetch_all(self.connection()).await
    }

    async fn any_failed(&mut self, table: &Table) -> sqlx::Result<Option<Id>> {
        let query = query_scalar(table.fill_sqlite(ANY_FAILED));
        query.fetch_optional(self.connection()).await
    }

    /// Who has locked a file, nobody tells.
    async fn holders(&mut self) -> sqlx::Result<Holders> {
        Ok(Holders::default())
    }

    async fn commit(&mut self) -> sqlx::Result<()> {
        raw_sql("COMMIT").execute(self.connection()).await.map(drop)
    }

    async fn roll_back(&mut self) -> sqlx::Result<()> {
        let roll_back = raw_sql("ROLLBACK");
        roll_back.execute(self.connection()).await.map(drop)
    }
}
