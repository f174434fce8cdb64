//! The failed rows, read for a person: what cannot be read is an error, for there is nothing else
//! to show.

mod page;
mod size;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{
    FailedQuestion, FailedRow, FailedRows, Id, Position, RowStatus, Scope, Selection, Total,
    UnixSeconds,
};
use crate::source::fault::{Fault, reason};
use crate::source::pool::{Connect, Pool};
use crate::source::{Limits, Opening, Session, Source};

use super::doubt::Doubt;
use super::give_way::giving_way;
use page::Page;

/// How long a person waits for a page.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take to look at every failed row.
const TIMEOUT_OF_ALL: Duration = Duration::from_secs(60);

/// How many rows are read at once.
const READ_AT_ONCE: usize = 200;

const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the failed rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FailedError {
    /// No connection was to be had.
    #[error(transparent)]
    Connection(sqlx::Error),
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What it answered may be wrong.
    #[error(transparent)]
    Doubt(#[from] Doubt),
}

impl FailedError {
    /// Returns whether the database ended the transaction for its own ends.
    pub fn may_be_begun_anew(&self) -> bool {
        matches!(self, Self::Database(error) if Fault::of(error).may_be_begun_anew())
    }

    /// Returns why, for the log.
    pub fn reason(&self) -> String {
        match self {
            Self::Connection(error) | Self::Database(error) => reason(error),
            Self::Doubt(doubt) => doubt.to_string(),
        }
    }
}

/// Reads a page of failed rows.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn page(
    source: &Source,
    question: &FailedQuestion,
    scope: &Scope,
) -> Result<FailedRows, FailedError> {
    let deadline = Instant::now() + TIMEOUT;
    let read = async {
        match source {
            Source::Postgres(pool) => read_page(pool, question, scope, deadline).await,
            Source::Sqlite(pool) => read_page(pool, question, scope, deadline).await,
        }
    };
    within(deadline, read).await
}

/// Reads the page of those failed rows that pass `is_wanted`, which every row is asked.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn sifted_page(
    source: &Source,
    question: &FailedQuestion,
    scope: &Scope,
    is_wanted: impl Fn(&FailedRow) -> bool + Send + Sync,
) -> Result<FailedRows, FailedError> {
    let mut page = Page::new(question.limit);
    let mut total = 0;
    // Rows that stand on the pages before are counted too.
    let all = FailedQuestion {
        after: None,
        ..question.clone()
    };
    let add = |row: FailedRow| {
        if is_wanted(&row) {
            total += 1;
            let after = question.after.as_ref();
            if after.is_none_or(|after| stands_after(&row, after)) {
                page.add(row);
            }
        }
    };
    let now = each(source, &all, scope, add).await?;
    Ok(page.finish(now, Total::Exactly(total)))
}

/// Finds the failed rows that pass `is_wanted`, and keeps the ids of the first `most` of them.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn select(
    source: &Source,
    question: &FailedQuestion,
    scope: &Scope,
    most: usize,
    is_wanted: impl Fn(&FailedRow) -> bool + Send + Sync,
) -> Result<Selection, FailedError> {
    let mut selection = Selection::default();
    let select = |row: FailedRow| {
        if is_wanted(&row) {
            selection.add(row, most);
        }
    };
    selection.now = each(source, question, scope, select).await?;
    Ok(selection)
}

/// Visits every failed row that is asked for, in their order, and returns the database's clock.
///
/// # Errors
///
/// What the database says, or a time-out; the rows visited until then mean nothing.
pub async fn each(
    source: &Source,
    question: &FailedQuestion,
    scope: &Scope,
    visit: impl FnMut(FailedRow) + Send,
) -> Result<UnixSeconds, FailedError> {
    let deadline = Instant::now() + TIMEOUT_OF_ALL;
    let read = async {
        match source {
            Source::Postgres(pool) => read_each(pool, question, scope, deadline, visit).await,
            Source::Sqlite(pool) => read_each(pool, question, scope, deadline, visit).await,
        }
    };
    within(deadline, read).await
}

/// Reads how the rows of these ids are now, those that there are.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn statuses(
    source: &Source,
    ids: &[Id],
    scope: &Scope,
) -> Result<Vec<RowStatus>, FailedError> {
    let deadline = Instant::now() + TIMEOUT;
    let read = async {
        match source {
            Source::Postgres(pool) => read_statuses(pool, ids, scope, deadline).await,
            Source::Sqlite(pool) => read_statuses(pool, ids, scope, deadline).await,
        }
    };
    within(deadline, read).await
}

async fn within<T>(
    deadline: Instant,
    read: impl Future<Output = Result<T, FailedError>>,
) -> Result<T, FailedError> {
    let read = timeout_at(deadline, read).await;
    read.unwrap_or(Err(sqlx::Error::PoolTimedOut.into()))
}

/// A statement may take half of the time, which leaves some for the others; and so may what is done
/// with rows that the server has sent already.
fn limits(timeout: Duration) -> Limits {
    Limits {
        statement: timeout / 2,
        lock: LOCK_TIMEOUT,
        idle: timeout / 2,
    }
}

async fn read_page<C: Connect + Session>(
    pool: &Pool<C>,
    question: &FailedQuestion,
    scope: &Scope,
    deadline: Instant,
) -> Result<FailedRows, FailedError> {
    let limits = limits(TIMEOUT);
    let lease = pool.lease(deadline).await;
    let mut lease = lease.map_err(FailedError::Connection)?;
    let opening = Session::begin(&mut *lease, limits, scope).await?;
    let mut page = Page::new(question.limit);
    // For one row more than asked for is looked, to know whether others follow.
    let places = 0..question.limit.saturating_add(1);
    for start in places.clone().step_by(READ_AT_ONCE) {
        let end = places.end.min(start + READ_AT_ONCE as i64);
        let mut read = 0;
        let rows = lease.failed(question, start..end, |row| {
            read += 1;
            page.add(row);
        });
        rows.await?;
        if page.is_full() || read < end - start {
            break;
        }
    }
    let total = Total::counted(lease.count_failed(question).await?);
    let now = end(&mut *lease, &opening, limits).await?;
    lease.give_back();
    Ok(page.finish(now, total))
}

async fn read_each<C: Connect + Session>(
    pool: &Pool<C>,
    question: &FailedQuestion,
    scope: &Scope,
    deadline: Instant,
    visit: impl FnMut(FailedRow) + Send,
) -> Result<UnixSeconds, FailedError> {
    let limits = limits(TIMEOUT_OF_ALL);
    let lease = pool.lease(deadline).await;
    let mut lease = lease.map_err(FailedError::Connection)?;
    let opening = Session::begin(&mut *lease, limits, scope).await?;
    let rows = lease.failed(question, 0..i64::MAX, visit);
    giving_way(pool, &opening, limits, rows).await?;
    let now = end(&mut *lease, &opening, limits).await?;
    lease.give_back();
    Ok(now)
}

async fn read_statuses<C: Connect + Session>(
    pool: &Pool<C>,
    ids: &[Id],
    scope: &Scope,
    deadline: Instant,
) -> Result<Vec<RowStatus>, FailedError> {
    let lease = pool.lease(deadline).await;
    let mut lease = lease.map_err(FailedError::Connection)?;
    Session::begin(&mut *lease, limits(TIMEOUT), scope).await?;
    let statuses = lease.statuses(ids).await?;
    lease.end().await?;
    lease.give_back();
    Ok(statuses)
}

/// Ends the transaction, unless there is reason to doubt what was read, and returns its clock.
async fn end<S: Session>(
    session: &mut S,
    opening: &Opening,
    limits: Limits,
) -> Result<UnixSeconds, FailedError> {
    let doubts = session.doubts(opening, limits).await?;
    session.end().await?;
    Doubt::of(&doubts, opening.now).map_or(Ok(()), Err)?;
    Ok(opening.now.timestamp_micros() as f64 / 1e6)
}

/// Whether a row stands after a place in the order of [`Position`].
fn stands_after(row: &FailedRow, place: &Position) -> bool {
    let at = |failed_at: Option<UnixSeconds>| failed_at.unwrap_or(f64::NEG_INFINITY);
    let stage = row.stage.as_bytes().cmp(place.stage.as_bytes());
    let time = at(place.failed_at).total_cmp(&at(row.failed_at));
    let id = place.id.cmp(&row.id);
    stage.then(time).then(id).is_gt()
}
