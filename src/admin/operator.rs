//! The one transaction in which an action is done.
//!
//! Two people may act on the same rows at once, and the pipeline itself works meanwhile. So
//! actions take their turn, each decides and changes in one statement whose condition is the
//! rule itself, and when the pipeline was faster all the same the whole is done again.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{Id, Scope, Statuses};
use crate::source::fault::{Fault, reason};
use crate::source::pool::{Connect, Lease, Pool};
use crate::source::postgres::PostgresSession;
use crate::source::shape::{Column, Relation};
use crate::source::sqlite::SqliteSession;
use crate::source::{Options, options};

use super::action::{Action, Former, LeftAlone, Report};
use super::holder::Holders;

/// How many actions of one exporter are under way at once; the others wait.
const MOST_CONNECTIONS: usize = 2;

/// How long a person waits for an action.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How often an action is done again when the pipeline was faster.
const MOST_ATTEMPTS: usize = 10;

/// Changes rows of a database, by a role that may.
#[derive(Debug)]
pub enum Operator {
    /// PostgreSQL.
    Postgres(Pool<PostgresSession>),
    /// SQLite.
    Sqlite(Pool<SqliteSession>),
}

/// The queue as an action finds it.
#[derive(Debug)]
pub(super) struct Table {
    /// Its columns.
    pub(super) queue: Relation,
    /// The words that its status column knows.
    pub(super) statuses: Statuses,
    /// Seconds from UTC to the zone of timestamps that have none.
    pub(super) offset: i32,
}

impl Table {
    /// Writes something about each column that an action changes, as far as they are there.
    pub(super) fn list(&self, action: Action, write: impl Fn(&Column) -> String) -> String {
        let columns = self.queue.columns.iter();
        let changed = columns.filter(|column| action.columns().contains(&column.name.as_str()));
        changed.map(write).collect::<Vec<_>>().join(", ")
    }
}

/// One read-write transaction on one connection.
pub(super) trait Desk: Send {
    /// Begins the transaction, waits for its turn among the actions, and looks at the table.
    fn open(&mut self, scope: &Scope) -> impl Future<Output = sqlx::Result<Table>> + Send;

    /// Reads what an action would change of those of the rows that are failed.
    fn remember(
        &mut self,
        table: &Table,
        action: Action,
        ids: &[Id],
    ) -> impl Future<Output = sqlx::Result<Vec<Former>>> + Send;

    /// Makes rows what they were before an action, if they are as it left them, and returns the ids
    /// of those that were.
    fn restore(
        &mut self,
        table: &Table,
        action: Action,
        rows: &[Former],
    ) -> impl Future<Output = sqlx::Result<Vec<Id>>> + Send;

    /// Changes those of the rows that may be changed, and returns their ids.
    fn change(
        &mut self,
        table: &Table,
        action: Action,
        ids: &[Id],
    ) -> impl Future<Output = sqlx::Result<Vec<Id>>> + Send;

    /// Looks at rows, in the state in which the transaction leaves them.
    fn look(
        &mut self,
        table: &Table,
        ids: &[Id],
    ) -> impl Future<Output = sqlx::Result<Vec<LeftAlone>>> + Send;

    /// Finds a failed row, if there is one.
    fn any_failed(
        &mut self,
        table: &Table,
    ) -> impl Future<Output = sqlx::Result<Option<Id>>> + Send;

    /// Finds who holds a lock that an action needs, in no transaction.
    fn holders(&mut self) -> impl Future<Output = sqlx::Result<Holders>> + Send;

    /// Makes the change final.
    fn commit(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Takes the change back.
    fn roll_back(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;
}

/// What one transaction changes.
#[derive(Debug)]
enum Change<'a> {
    /// An action to these rows.
    Act(Action, &'a [Id]),
    /// What an action did to these rows.
    Undo(Action, &'a [Former]),
}

/// Why an action was not done, in words for whoever asked for it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The role lacks a right.
    #[error(
        "nothing was changed: the database role may not UPDATE processing_queue; grant it as \
         deploy/roles.sql does, and name the operator's role in --admin.database-url"
    )]
    Forbidden(#[source] sqlx::Error),
    /// Row level security would hide rows from the role.
    #[error(
        "nothing was changed: row level security would hide rows of processing_queue from the \
         database role: give it BYPASSRLS, or a policy that shows it all of them"
    )]
    Hidden(#[source] sqlx::Error),
    /// The database takes no changes.
    #[error(
        "nothing was changed: the database is read-only, a standby perhaps; name the primary in \
         --admin.database-url"
    )]
    ReadOnly(#[source] sqlx::Error),
    /// Something else held the rows for too long.
    #[error("nothing was changed: the rows are locked by {1}; try again")]
    Busy(#[source] sqlx::Error, Holders),
    /// The database could not be reached, or was lost before the change was made final.
    #[error("nothing was changed: the database cannot be reached")]
    Unreachable(#[source] sqlx::Error),
    /// The database was lost while the change was made final.
    #[error(
        "whether it was done is unknown: the database was lost while the change was made final; \
         look at the list again"
    )]
    Unknown(#[source] sqlx::Error),
    /// The database refused for another reason.
    #[error("nothing was changed: processing_queue takes no such change: {}", reason(.0))]
    Refused(#[source] sqlx::Error),
}

impl Operator {
    /// Chooses the engine by the URL's scheme; connects to nothing yet.
    ///
    /// # Errors
    ///
    /// Those of [`crate::source::Source::new`].
    pub fn new(url: &str) -> anyhow::Result<Self> {
        Ok(match options(url)? {
            Options::Postgres(options) => Self::Postgres(Pool::new(*options, MOST_CONNECTIONS)),
            Options::Sqlite(options) => Self::Sqlite(Pool::new(*options, MOST_CONNECTIONS)),
        })
    }

    /// Does an action to the rows that it may be done to, all in one transaction, and returns what
    /// those that it changed were before.
    ///
    /// # Errors
    ///
    /// Why it was not done, or that this is unknown.
    pub async fn act(
        &self,
        action: Action,
        ids: &[Id],
        scope: &Scope,
    ) -> Result<(Report, Vec<Former>), Failure> {
        self.change(&Change::Act(action, ids), scope).await
    }

    /// Makes rows what they were before an action, all in one transaction; one that is not as the
    /// action left it is left alone.
    ///
    /// # Errors
    ///
    /// Why it was not done, or that this is unknown.
    pub async fn undo(
        &self,
        action: Action,
        rows: &[Former],
        scope: &Scope,
    ) -> Result<Report, Failure> {
        let (report, _) = self.change(&Change::Undo(action, rows), scope).await?;
        Ok(report)
    }

    async fn change(
        &self,
        change: &Change<'_>,
        scope: &Scope,
    ) -> Result<(Report, Vec<Former>), Failure> {
        match self {
            Self::Postgres(pool) => change_finally(pool, change, scope).await,
            Self::Sqlite(pool) => change_finally(pool, change, scope).await,
        }
    }

    /// Does each action to one failed row, or to none if there is none, and takes it back.
    ///
    /// # Errors
    ///
    /// Why it could not be done.
    pub async fn rehearse(&self, scope: &Scope) -> Result<(), Failure> {
        let rehearsed = async {
            match self {
                Self::Postgres(pool) => rehearse(pool, scope).await,
                Self::Sqlite(pool) => rehearse(pool, scope).await,
            }
        };
        let rehearsed = within(Instant::now() + TIMEOUT, rehearsed).await;
        rehearsed.map_err(Failure::before_commit)
    }
}

async fn rehearse<C: Connect + Desk>(pool: &Pool<C>, scope: &Scope) -> sqlx::Result<()> {
    let mut lease = pool.lease(Instant::now() + TIMEOUT).await?;
    for action in [Action::Retry, Action::Skip] {
        let table = lease.open(scope).await?;
        let id = lease.any_failed(&table).await?;
        let rows = lease.remember(&table, action, id.as_slice()).await?;
        lease.change(&table, action, id.as_slice()).await?;
        lease.restore(&table, action, &rows).await?;
        lease.roll_back().await?;
    }
    lease.give_back();
    Ok(())
}

async fn change_finally<C: Connect + Desk>(
    pool: &Pool<C>,
    change: &Change<'_>,
    scope: &Scope,
) -> Result<(Report, Vec<Former>), Failure> {
    let deadline = Instant::now() + TIMEOUT;
    let changed = changed(pool, deadline, change, scope);
    let (mut lease, result) = timeout_at(deadline, changed)
        .await
        .unwrap_or(Err(Failure::before_commit(sqlx::Error::PoolTimedOut)))?;
    within(deadline, lease.commit())
        .await
        .map_err(Failure::Unknown)?;
    lease.give_back();
    Ok(result)
}

/// Changes the rows, and leaves the transaction to be made final.
async fn changed<C: Connect + Desk>(
    pool: &Pool<C>,
    deadline: Instant,
    change: &Change<'_>,
    scope: &Scope,
) -> Result<(Lease<C>, (Report, Vec<Former>)), Failure> {
    let mut lease = pool.lease(deadline).await.map_err(Failure::before_commit)?;
    let mut attempts = 1;
    loop {
        match attempt(&mut *lease, change, scope).await {
            Ok(result) => return Ok((lease, result)),
            Err(error) if attempts < MOST_ATTEMPTS && was_overtaken(&error) => {
                attempts += 1;
                lease.roll_back().await.map_err(Failure::before_commit)?;
            }
            Err(error) if Fault::of(&error) == Fault::Locked => {
                // Why nothing was done is known, also where nobody tells who is to blame.
                let holders = holders(&mut *lease).await.unwrap_or_default();
                return Err(Failure::Busy(error, holders));
            }
            Err(error) => return Err(Failure::before_commit(error)),
        }
    }
}

async fn holders(desk: &mut impl Desk) -> sqlx::Result<Holders> {
    desk.roll_back().await?;
    desk.holders().await
}

async fn attempt<C: Desk>(
    desk: &mut C,
    change: &Change<'_>,
    scope: &Scope,
) -> sqlx::Result<(Report, Vec<Former>)> {
    let table = desk.open(scope).await?;
    match *change {
        Change::Act(action, ids) => {
            let mut formers = desk.remember(&table, action, ids).await?;
            let changed = desk.change(&table, action, ids).await?;
            let left = left_alone(desk, &table, ids, &changed).await?;
            let is_changed: HashSet<&Id> = changed.iter().collect();
            formers.retain(|former| is_changed.contains(&former.id));
            Ok((Report::of_action(action, ids, &changed, &left), formers))
        }
        Change::Undo(action, rows) => {
            let ids: Vec<Id> = rows.iter().map(|row| row.id.clone()).collect();
            let changed = desk.restore(&table, action, rows).await?;
            let left = left_alone(desk, &table, &ids, &changed).await?;
            Ok((Report::of_undo(&ids, &changed, &left), Vec::new()))
        }
    }
}

/// Looks at those of the rows that were not changed.
async fn left_alone<C: Desk>(
    desk: &mut C,
    table: &Table,
    ids: &[Id],
    changed: &[Id],
) -> sqlx::Result<Vec<LeftAlone>> {
    let changed: HashSet<&Id> = changed.iter().collect();
    let left = ids.iter().filter(|id| !changed.contains(id));
    let left: Vec<Id> = left.cloned().collect();
    if left.is_empty() {
        return Ok(Vec::new());
    }
    desk.look(table, &left).await
}

async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    timeout_at(deadline, work)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The pipeline queued one of the documents itself, or met us in a deadlock: its change is made,
/// and the next attempt sees it.
fn was_overtaken(error: &sqlx::Error) -> bool {
    Fault::of(error).was_overtaken()
}

impl Failure {
    /// Tells why a change was not made; the transaction was never made final.
    fn before_commit(error: sqlx::Error) -> Self {
        match Fault::of(&error) {
            Fault::Forbidden => Self::Forbidden(error),
            Fault::Hidden => Self::Hidden(error),
            Fault::ReadOnly => Self::ReadOnly(error),
            Fault::Locked | Fault::TimedOut | Fault::Overtaken | Fault::Conflict => {
                Self::Busy(error, Holders::default())
            }
            Fault::CannotOpen | Fault::TooManyConnections => Self::Unreachable(error),
            fault if fault.is_of_session() => Self::Unreachable(error),
            _ => Self::Refused(error),
        }
    }

    /// Returns what the database said, for the log.
    pub fn reason(&self) -> String {
        match self {
            Self::Busy(error, holders) => format!("{}; locked by {holders}", reason(error)),
            Self::Forbidden(error)
            | Self::Hidden(error)
            | Self::ReadOnly(error)
            | Self::Unreachable(error)
            | Self::Unknown(error)
            | Self::Refused(error) => reason(error),
        }
    }
}
