//! The 24 hours before the demo starts, as the same machines would have spent them.
//!
//! Documents arrive by the hour of the day; then each stage, in the order work flows, serves its
//! arrivals first come, first served. What is not done by the end is the backlog. The last of some
//! imports of many notes is what the summaries are still draining from.

mod arrivals;
mod service;

use std::collections::HashMap;

use anyhow::Context;
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sqlx::SqliteConnection;

use super::{
    stages::{EMBED, EXTRACT, STAGES, SUMMARIZE, Stage},
    timestamp,
};
use service::{Row, Waiting};

const INSERT: &str = "\
    INSERT INTO processing_queue (document_id, stage, status, attempts, error_message, payload,
                                  created_at, started_at, completed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// How many rows failed for good, over the whole history.
const FAILED: [(&str, usize); 3] = [(EXTRACT, 5), (EMBED, 3), (SUMMARIZE, 4)];

/// Writes the history that ends at `now`
pub(super) async fn write(
    db: &mut SqliteConnection,
    rng: &mut Rng,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let arrivals = arrivals::draw(rng, now);
    let mut lines: HashMap<&str, Vec<Waiting>> = HashMap::new();
    for (document_id, arrival) in (1..).zip(&arrivals) {
        for stage in arrival.document.medium.entry() {
            let since = arrival.at;
            lines
                .entry(stage)
                .or_default()
                .push(Waiting { document_id, since });
        }
    }
    let mut rows = Vec::new();
    for stage in &STAGES {
        let line = lines.remove(stage.name).unwrap_or_default();
        let mut served = service::serve(rng, stage, line, now);
        fail_some(rng, &mut served);
        for (next, waiting) in followers(rng, stage, &served) {
            lines.entry(next).or_default().push(waiting);
        }
        rows.append(&mut served);
    }
    rows.sort_by_key(|row| row.created_at);

    let models: HashMap<i64, &str> = rows.iter().filter_map(Row::signature).collect();
    for (id, arrival) in (1..).zip(&arrivals) {
        let model = models.get(&id).copied();
        arrival.document.store(db, Some(id), model).await?;
    }
    for row in &rows {
        insert(db, row)
            .await
            .context("writing the demo's past rows")?;
    }
    Ok(())
}

/// Lets the right number of a stage's finished rows have failed instead
fn fail_some(rng: &mut Rng, rows: &mut [Row]) {
    let stage = rows.first().map_or("", |row| row.stage);
    let Some(&(_, count)) = FAILED.iter().find(|(name, _)| *name == stage) else {
        return;
    };
    let completed: Vec<usize> = (0..rows.len())
        .filter(|&at| rows[at].is_completed())
        .collect();
    for at in rng.choose_multiple(completed, count) {
        rows[at].fail(rng);
    }
}

/// Draws who goes on to which stage
fn followers(rng: &mut Rng, stage: &Stage, served: &[Row]) -> Vec<(&'static str, Waiting)> {
    let mut followers = Vec::new();
    for &(next, share) in stage.next {
        for row in served.iter().filter(|row| row.is_completed()) {
            if let Some(since) = row.completed_at
                && rng.f64() < share
            {
                let document_id = row.document_id;
                followers.push((next, Waiting { document_id, since }));
            }
        }
    }
    followers
}

async fn insert(db: &mut SqliteConnection, row: &Row) -> Result<(), sqlx::Error> {
    sqlx::query(INSERT)
        .bind(row.document_id)
        .bind(row.stage)
        .bind(row.status)
        .bind(row.attempts)
        .bind(row.error_message.as_deref())
        .bind(row.payload.as_deref())
        .bind(timestamp(row.created_at))
        .bind(row.started_at.map(timestamp))
        .bind(row.completed_at.map(timestamp))
        .execute(db)
        .await?;
    Ok(())
}
