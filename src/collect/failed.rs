//! The failed rows, read for a person: what cannot be read is an error, for there is nothing else
//! to show.

mod size;

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{FailedQuestion, FailedRow, FailedRows, Scope};
use crate::source::fault::reason;
use crate::source::pool::{Connect, Pool};
use crate::source::{Limits, Session, Source};

use super::doubt::Doubt;

/// How long a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many rows are read at once.
const READ_AT_ONCE: usize = 200;

/// How much text a page has, in bytes of an answer; with what stands around the texts of some
/// hundred rows, that is about 1 MiB.
const MAX_TEXT: usize = 768 << 10;

const LIMITS: Limits = Limits {
    statement: Duration::from_secs(5),
    lock: Duration::from_secs(1),
    idle: Duration::from_secs(5),
};

/// Why the failed rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FailedError {
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What it answered may be wrong.
    #[error(transparent)]
    Doubt(#[from] Doubt),
}

impl FailedError {
    /// Returns why, for the log.
    pub fn reason(&self) -> String {
        match self {
            Self::Database(error) => reason(error),
            Self::Doubt(doubt) => doubt.to_string(),
        }
    }
}

/// Reads a page of failed rows.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn failed(
    source: &Source,
    question: &FailedQuestion,
    scope: &Scope,
) -> Result<FailedRows, FailedError> {
    let deadline = Instant::now() + TIMEOUT;
    let read = async {
        match source {
            Source::Postgres(pool) => read(pool, question, scope, deadline).await,
            Source::Sqlite(pool) => read(pool, question, scope, deadline).await,
        }
    };
    timeout_at(deadline, read)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut.into()))
}

async fn read<C: Connect + Session>(
    pool: &Pool<C>,
    question: &FailedQuestion,
    scope: &Scope,
    deadline: Instant,
) -> Result<FailedRows, FailedError> {
    let mut lease = pool.lease(deadline).await?;
    let opening = Session::begin(&mut *lease, LIMITS, scope).await?;
    let now = opening.now.timestamp_micros() as f64 / 1e6;
    let (rows, goes_on) = page(&mut *lease, question).await?;
    let total = lease.count_failed(question).await?;
    let doubts = lease.doubts(&opening, LIMITS).await?;
    lease.end().await?;
    lease.give_back();
    Doubt::of(&doubts, opening.now).map_or(Ok(()), Err)?;
    Ok(FailedRows {
        now,
        rows,
        goes_on,
        total,
    })
}

/// Reads rows until there are as many as asked for, or their text is enough for a page; and
/// whether others follow, for which one row more is looked at.
async fn page<S: Session>(
    session: &mut S,
    question: &FailedQuestion,
) -> sqlx::Result<(Vec<FailedRow>, bool)> {
    let mut rows = Vec::new();
    let mut text = 0;
    let places = 0..question.limit + 1;
    for start in places.clone().step_by(READ_AT_ONCE) {
        let end = places.end.min(start + READ_AT_ONCE as i64);
        let read = session.failed(question, start..end).await?;
        let is_last = (read.len() as i64) < end - start;
        for row in read {
            text += size::of(&row);
            let is_enough = text > MAX_TEXT && !rows.is_empty();
            if is_enough || rows.len() as i64 == question.limit {
                return Ok((rows, true));
            }
            rows.push(row);
        }
        if is_last {
            break;
        }
    }
    Ok((rows, false))
}
