//! The tables at the other end of a connection, and what they are asked accordingly.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, raw_sql};

use crate::snapshot::Scope;
use crate::windows::Windows;

use super::questions::STAGES_BY_INDEX;
use super::relations::{Relations, tells_no_zone};
use super::{catalog, indexes, prepared, stage_values};

/// What a transaction begins with, as it is answered.
#[derive(Debug, FromRow)]
pub(super) struct OpeningRow {
    /// The database's clock.
    pub(super) now: DateTime<Utc>,
    /// The process that serves this session.
    pub(super) backend: i32,
    /// The names of the statements that this server has prepared, with blanks between them.
    pub(super) prepared: String,
    /// What changes when the tables do.
    pub(super) fingerprint: String,
}

/// The tables as they were at the last look.
#[derive(Debug)]
pub(super) struct Tables {
    fingerprint: String,
    scope: Scope,
    settings: String,
    /// The questions' SQL that depends on them.
    pub(super) relations: Relations,
    /// Whether there are background jobs.
    pub(super) has_jobs: bool,
    /// Whether the planner can use every index of ours.
    pub(super) has_indexes: bool,
    /// Whether there are timestamps whose zone nobody tells.
    pub(super) has_naive_timestamps: bool,
}

impl Tables {
    /// Looks at the tables, in a transaction that has just been begun.
    pub(super) async fn look(
        connection: &mut PgConnection,
        opening: &OpeningRow,
        scope: &Scope,
    ) -> sqlx::Result<Self> {
        let shape = catalog::shape(connection).await?;
        let secured = catalog::secured(connection).await?;
        let mut tables = Self {
            fingerprint: opening.fingerprint.clone(),
            scope: scope.clone(),
            settings: catalog::settings(connection, &secured).await?,
            relations: Relations::new(&shape, scope),
            has_jobs: shape.jobs.exists(),
            has_indexes: false,
            has_naive_timestamps: tells_no_zone(&shape.queue, scope),
        };
        tables.set(connection).await?;
        let windows = Windows::at(opening.now, scope.timezone);
        let question = tables.relations.fill(STAGES_BY_INDEX);
        let plan = prepared::explain(&question, &stage_values(&windows, scope));
        match indexes::serve(connection, &plan, &shape, scope).await {
            Ok(serve) => tables.has_indexes = serve,
            // Why this fails is said when the question itself is asked; it is looked at again.
            Err(_) => tables.fingerprint.clear(),
        }
        Ok(tables)
    }

    /// Returns whether these are the tables that a transaction begins with.
    pub(super) fn are_of(&self, fingerprint: &str, scope: &Scope) -> bool {
        self.fingerprint == fingerprint && self.scope == *scope
    }

    /// Makes the settings of the transaction those that these tables need.
    pub(super) async fn set(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.settings.is_empty() {
            return Ok(());
        }
        let settings = raw_sql(AssertSqlSafe(self.settings.as_str()));
        settings.execute(connection).await.map(drop)
    }
}
