//! The failed rows, read for a person: what cannot be read is an error, for there is nothing else
//! to show.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::snapshot::{FailedQuestion, FailedRows};
use crate::source::pool::Pool;
use crate::source::{Limits, Session, Source};

/// How long a person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

const LIMITS: Limits = Limits {
    statement: Duration::from_secs(5),
    lock: Duration::from_secs(1),
    idle: Duration::from_secs(5),
};

/// Reads a page of failed rows.
///
/// # Errors
///
/// What the database says, or a time-out.
pub async fn failed(source: &Source, question: &FailedQuestion) -> sqlx::Result<FailedRows> {
    let deadline = Instant::now() + TIMEOUT;
    let read = async {
        match source {
            Source::Postgres(pool) => read(pool, question, deadline).await,
            Source::Sqlite(pool) => read(pool, question, deadline).await,
        }
    };
    timeout_at(deadline, read)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn read<C: sqlx::Connection + Session>(
    pool: &Pool<C>,
    question: &FailedQuestion,
    deadline: Instant,
) -> sqlx::Result<FailedRows> {
    let mut lease = pool.lease(deadline).await?;
    let opening = Session::begin(&mut *lease, LIMITS).await?;
    let now = opening.now.timestamp_micros() as f64 / 1e6;
    let rows = lease.failed(question).await?;
    let total = lease.count_failed(question).await?;
    lease.end().await?;
    lease.give_back();
    Ok(FailedRows { now, rows, total })
}
