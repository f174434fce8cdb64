//! Whoever changes a table waits until its readers are done, and all others wait behind them. A
//! question that takes long is watched from a second connection: when somebody waits for it, it
//! is cancelled, and its collector fails.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::source::fault::{self, Fault};
use crate::source::pool::{Connect, Pool};
use crate::source::{Limits, Opening, Session};

/// How long a question may go on unwatched, and then until the next look.
const PATIENCE: Duration = Duration::from_millis(400);

/// Waits for the answer to a question, and sees to it that nobody waits long for the same.
pub(super) async fn giving_way<C: Connect + Session, T>(
    pool: &Pool<C>,
    opening: &Opening,
    limits: Limits,
    question: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let mut question = pin!(question);
    let Some(backend) = opening.backend else {
        return question.await;
    };
    let begun = Instant::now();
    if let Ok(answer) = timeout(PATIENCE, &mut question).await {
        return answer;
    }
    let answer = watched(pool, backend, question).await;
    answer.map_err(|error| told_apart(error, begun.elapsed(), limits.statement))
}

async fn watched<C: Connect + Session, T>(
    pool: &Pool<C>,
    backend: i32,
    mut question: impl Future<Output = T> + Unpin,
) -> T {
    loop {
        tokio::select! {
            answer = &mut question => return answer,
            () = look(pool, backend) => {}
        }
        if let Ok(answer) = timeout(PATIENCE, &mut question).await {
            return answer;
        }
    }
}

/// Cancels what the backend does if somebody waits for it. Where there is no second connection to
/// be had, the server's time limits have to do.
async fn look<C: Connect + Session>(pool: &Pool<C>, backend: i32) {
    let Ok(mut lease) = pool.lease(Instant::now() + PATIENCE).await else {
        return;
    };
    if let Ok(Ok(())) = timeout(PATIENCE, lease.give_way(backend)).await {
        lease.give_back();
    }
}

/// A question that is cancelled fails by the same code as one that takes longer than it may; but
/// none takes longer than it may before that time has passed.
fn told_apart(error: sqlx::Error, took: Duration, limit: Duration) -> sqlx::Error {
    if Fault::of(&error) == Fault::TimedOut && took.as_millis() < limit.as_millis() {
        fault::gave_way(error)
    } else {
        error
    }
}
