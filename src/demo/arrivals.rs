//! New documents: one now and then, and sometimes somebody drops a whole folder.
//!
//! Pictures come all the time, as from a telephone that uploads them. They need no summary, and so
//! keep the board moving without adding to the backlog that the summaries are steered by.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{
    begin,
    documents::{Document, Medium},
    seconds_between,
    stages::{STT, SUMMARIZE},
    timestamp, until_next,
};

/// The first condition is that of the index of live rows, which is used only where it stands.
const PENDING: &str = "\
    SELECT count(*) FROM processing_queue
    WHERE status IN ('pending', 'processing') AND status = 'pending' AND stage = ?";
const ENQUEUE: &str = "\
    INSERT OR IGNORE INTO processing_queue (document_id, stage, status, payload, created_at)
    VALUES (?, ?, 'pending', ?, ?)";

const FIRST_FOLDER: TimeDelta = TimeDelta::minutes(3);
const BETWEEN_PICTURES: (i64, i64) = (6, 13);
const BETWEEN_FOLDERS: (i64, i64) = (8 * 60, 15 * 60);
const ENOUGH_RECORDINGS: i64 = 15;

/// When the next document, the next picture and the next folder of documents arrive
pub(super) struct Arrivals {
    next: DateTime<Utc>,
    next_picture: DateTime<Utc>,
    next_folder: DateTime<Utc>,
}

impl Arrivals {
    /// Expects the first document at once
    pub(super) fn from(now: DateTime<Utc>) -> Self {
        Arrivals {
            next: now,
            next_picture: now,
            next_folder: now + FIRST_FOLDER,
        }
    }

    /// Stores the documents that have arrived by `now`
    pub(super) async fn tick(
        &mut self,
        db: &mut SqliteConnection,
        rng: &mut Rng,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        if now >= self.next {
            receive_documents(db, rng, now, 1).await?;
            let backlog = pending(db, SUMMARIZE).await?;
            self.next = now + until_next(rng, per_hour(backlog));
        }
        if now >= self.next_picture {
            receive_picture(db, rng, now).await?;
            self.next_picture = now + seconds_between(rng, BETWEEN_PICTURES);
        }
        if now >= self.next_folder {
            let count = rng.u32(12..=20);
            receive_documents(db, rng, now, count).await?;
            self.next_folder = now + seconds_between(rng, BETWEEN_FOLDERS);
        }
        Ok(())
    }
}

/// Counts the rows of a stage that wait
pub(super) async fn pending(db: &mut SqliteConnection, stage: &str) -> anyhow::Result<i64> {
    sqlx::query_scalar(PENDING)
        .bind(stage)
        .fetch_one(db)
        .await
        .with_context(|| format!("counting the demo's pending rows of {stage}"))
}

/// Puts a document in line for a stage, unless it is there already
pub(super) async fn enqueue(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    document_id: i64,
    stage: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    sqlx::query(ENQUEUE)
        .bind(document_id)
        .bind(stage)
        .bind(payload(rng))
        .bind(timestamp(now))
        .execute(db)
        .await
        .with_context(|| format!("enqueuing a document of the demo for {stage}"))?;
    Ok(())
}

/// Draws what a row carries along, which for most is nothing
pub(super) fn payload(rng: &mut Rng) -> Option<&'static str> {
    match rng.u8(0..10) {
        0..2 => Some(r#"{"lang":"ko"}"#),
        2 => Some(r#"{"lang":"en","pages":12}"#),
        _ => None,
    }
}

async fn receive_documents(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    now: DateTime<Utc>,
    count: u32,
) -> anyhow::Result<()> {
    let mut arrival = begin(db).await?;
    let waiting = pending(&mut arrival, STT).await?;
    let recordings = if waiting < ENOUGH_RECORDINGS {
        0.15
    } else {
        0.03
    };
    for _ in 0..count {
        let medium = Medium::draw(rng, recordings);
        receive(&mut arrival, rng, now, medium).await?;
    }
    arrival
        .commit()
        .await
        .context("storing arrived documents of the demo")
}

async fn receive_picture(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut arrival = begin(db).await?;
    receive(&mut arrival, rng, now, Medium::Picture).await?;
    arrival
        .commit()
        .await
        .context("storing an arrived picture of the demo")
}

async fn receive(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    now: DateTime<Utc>,
    medium: Medium,
) -> anyhow::Result<()> {
    let id = Document::invent(rng, medium).store(db, None, None).await?;
    for stage in medium.entry() {
        enqueue(db, rng, id, stage, now).await?;
    }
    Ok(())
}

/// Steers the backlog: the longer it is the fewer documents come, so it neither ends nor explodes.
fn per_hour(backlog: i64) -> f64 {
    let backlog = u16::try_from(backlog).unwrap_or(u16::MAX);
    (180.0 - 2.5 * f64::from(backlog)).clamp(20.0, 180.0)
}
