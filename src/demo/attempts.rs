//! How the work on a row ends: it is passed on, tried again, or given up.

use chrono::{DateTime, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{
    arrivals::{enqueue, pending},
    begin,
    stages::{self, DEEP_SUMMARY, Machine, SUMMARIZE},
    timestamp, troubles,
};

const ATTEMPT: &str = "\
    SELECT document_id, stage, attempts, max_attempts, error_message
    FROM processing_queue WHERE id = ? AND status = 'processing'";
const COMPLETE: &str = "\
    UPDATE processing_queue SET status = 'completed', completed_at = ? WHERE id = ?";
const SIGN: &str = "UPDATE documents SET ai_model_version = ? WHERE id = ?";
const TRY_AGAIN: &str = "\
    UPDATE processing_queue SET status = 'pending', started_at = NULL, error_message = ?
    WHERE id = ?";
const GIVE_UP: &str = "\
    UPDATE processing_queue SET status = 'failed', completed_at = ?, error_message = ?
    WHERE id = ?";
const FAILED: &str = "SELECT count(*) FROM processing_queue WHERE status = 'failed'";

/// Failed rows wait for a human; when none comes, this many are enough to look at.
const ENOUGH_FAILED: i64 = 25;
/// From here on few summaries ask for a deep one, or the macbook would never catch up.
const ENOUGH_DEEP: i64 = 36;

#[derive(sqlx::FromRow)]
struct Attempt {
    document_id: i64,
    stage: String,
    attempts: i64,
    max_attempts: i64,
    error_message: Option<String>,
}

/// Ends the work on one row, unless somebody took the row away meanwhile
pub(super) async fn finish(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    id: i64,
    machine: Machine,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut end = begin(db).await?;
    let attempt: Option<Attempt> = sqlx::query_as(ATTEMPT)
        .bind(id)
        .fetch_optional(&mut *end)
        .await?;
    if let Some(attempt) = attempt {
        if goes_wrong(&mut end, rng, &attempt).await? {
            fail(&mut end, rng, id, &attempt, now).await?;
        } else {
            complete(&mut end, rng, id, &attempt, machine, now).await?;
        }
    }
    Ok(end.commit().await?)
}

async fn goes_wrong(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    attempt: &Attempt,
) -> anyhow::Result<bool> {
    if !troubles::strikes(rng, attempt.error_message.as_deref()) {
        return Ok(false);
    }
    let failed: i64 = sqlx::query_scalar(FAILED).fetch_one(db).await?;
    Ok(failed < ENOUGH_FAILED)
}

async fn complete(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    id: i64,
    attempt: &Attempt,
    machine: Machine,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    sqlx::query(COMPLETE)
        .bind(timestamp(now))
        .bind(id)
        .execute(&mut *db)
        .await?;
    if attempt.stage == SUMMARIZE {
        sqlx::query(SIGN)
            .bind(machine.model())
            .bind(attempt.document_id)
            .execute(&mut *db)
            .await?;
    }
    let next = stages::stage(&attempt.stage).map_or(&[][..], |stage| stage.next);
    for &(stage, share) in next {
        let crowded = stage == DEEP_SUMMARY && pending(db, stage).await? >= ENOUGH_DEEP;
        let share = if crowded { share / 5.0 } else { share };
        if rng.f64() < share {
            enqueue(db, rng, attempt.document_id, stage, now).await?;
        }
    }
    Ok(())
}

async fn fail(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    id: i64,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let error = troubles::message(rng, &attempt.stage, attempt.document_id);
    let update = if attempt.attempts < attempt.max_attempts {
        sqlx::query(TRY_AGAIN).bind(error)
    } else {
        sqlx::query(GIVE_UP).bind(timestamp(now)).bind(error)
    };
    update.bind(id).execute(db).await?;
    Ok(())
}
