//! The one transaction in which an action is done.
//!
//! Two people may act on the same rows at once, and the pipeline itself works meanwhile. So
//! actions take their turn, each decides and changes in one statement whose condition is the
//! rule itself, and when the pipeline was faster all the same the whole is done again.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};
use tokio::time::{Instant, timeout_at};

use crate::source::fault::{Fault, reason};
use crate::source::pool::{Lease, Pool};
use crate::source::{Options, options};

use super::action::{Action, LeftAlone, Report};

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
    Postgres(Pool<PgConnection>),
    /// SQLite.
    Sqlite(Pool<SqliteConnection>),
}

/// One read-write transaction on one connection.
pub(super) trait Desk: Send {
    /// Begins the transaction, and waits for its turn among the actions.
    fn open(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Changes those of the rows that may be changed, and returns their ids.
    fn change(
        &mut self,
        action: Action,
        ids: &[i64],
    ) -> impl Future<Output = sqlx::Result<Vec<i64>>> + Send;

    /// Looks at rows, in the state in which the transaction leaves them.
    fn look(&mut self, ids: &[i64]) -> impl Future<Output = sqlx::Result<Vec<LeftAlone>>> + Send;

    /// Makes the change final.
    fn commit(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Takes the change back.
    fn roll_back(&mut self) -> impl Future<Output = sqlx::Result<()>> + Send;
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
    /// The database takes no changes.
    #[error(
        "nothing was changed: the database is read-only, a standby perhaps; name the primary in \
         --admin.database-url"
    )]
    ReadOnly(#[source] sqlx::Error),
    /// Something else held the rows for too long.
    #[error("nothing was changed: the rows are locked by something else; try again")]
    Busy(#[source] sqlx::Error),
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
    #[error("nothing was changed: the database refused; the exporter's log has the reason")]
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

    /// Does an action to the rows that it may be done to, all in one transaction.
    ///
    /// # Errors
    ///
    /// Why it was not done, or that this is unknown.
    pub async fn act(&self, action: Action, ids: &[i64]) -> Result<Report, Failure> {
        match self {
            Self::Postgres(pool) => act(pool, action, ids).await,
            Self::Sqlite(pool) => act(pool, action, ids).await,
        }
    }
}

async fn act<C: sqlx::Connection + Desk>(
    pool: &Pool<C>,
    action: Action,
    ids: &[i64],
) -> Result<Report, Failure> {
    let deadline = Instant::now() + TIMEOUT;
    let change = changed(pool, deadline, action, ids);
    let (mut lease, report) = within(deadline, change)
        .await
        .map_err(Failure::before_commit)?;
    within(deadline, lease.commit())
        .await
        .map_err(Failure::Unknown)?;
    lease.give_back();
    Ok(report)
}

/// Changes the rows, and leaves the transaction to be made final.
async fn changed<C: sqlx::Connection + Desk>(
    pool: &Pool<C>,
    deadline: Instant,
    action: Action,
    ids: &[i64],
) -> sqlx::Result<(Lease<C>, Report)> {
    let mut lease = pool.lease(deadline).await?;
    let mut attempts = 1;
    loop {
        match attempt(&mut *lease, action, ids).await {
            Ok(report) => return Ok((lease, report)),
            Err(error) if attempts < MOST_ATTEMPTS && was_overtaken(&error) => {
                attempts += 1;
                lease.roll_back().await?;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn attempt<C: Desk>(desk: &mut C, action: Action, ids: &[i64]) -> sqlx::Result<Report> {
    desk.open().await?;
    let changed = desk.change(action, ids).await?;
    let left: Vec<i64> = ids
        .iter()
        .copied()
        .filter(|id| !changed.contains(id))
        .collect();
    let left = if left.is_empty() {
        Vec::new()
    } else {
        desk.look(&left).await?
    };
    Ok(Report::new(action, ids, &changed, &left))
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
            Fault::Forbidden | Fault::Hidden => Self::Forbidden(error),
            Fault::ReadOnly => Self::ReadOnly(error),
            Fault::Locked | Fault::TimedOut | Fault::Overtaken | Fault::Conflict => {
                Self::Busy(error)
            }
            Fault::CannotOpen | Fault::TooManyConnections => Self::Unreachable(error),
            fault if fault.is_of_session() => Self::Unreachable(error),
            _ => Self::Refused(error),
        }
    }

    /// Returns what the database said, for the log.
    pub fn reason(&self) -> String {
        match self {
            Self::Forbidden(error)
            | Self::ReadOnly(error)
            | Self::Busy(error)
            | Self::Unreachable(error)
            | Self::Unknown(error)
            | Self::Refused(error) => reason(error),
        }
    }
}
