//! The jobs that ended in the hours before the demo starts.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;

use crate::demo::timestamp;

const INSERT: &str = "\
    INSERT INTO background_jobs (kind, label, state, processed, total,
                                 started_at, updated_at, finished_at, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

struct Finished {
    kind: &'static str,
    label: &'static str,
    items: (i64, i64),
    /// Minutes before the demo starts.
    started: i64,
    finished: i64,
    error: Option<&'static str>,
}

const FINISHED: [Finished; 5] = [
    Finished {
        kind: "hier_redecompose",
        label: "계층 재분해",
        items: (320, 320),
        started: 338,
        finished: 301,
        error: None,
    },
    Finished {
        kind: "morning_briefing",
        label: "아침 브리핑",
        items: (12, 12),
        started: 194,
        finished: 189,
        error: None,
    },
    Finished {
        kind: "section_summary",
        label: "섹션 요약: 연구노트",
        items: (17, 64),
        started: 151,
        finished: 142,
        error: Some("ReadTimeout: macmini did not answer within 120 s (section 18 of 64)"),
    },
    Finished {
        kind: "section_summary",
        label: "섹션 요약: 연구노트",
        items: (64, 64),
        started: 96,
        finished: 71,
        error: None,
    },
    Finished {
        kind: "global_digest",
        label: "오늘의 다이제스트",
        items: (46, 46),
        started: 7,
        finished: 4,
        error: None,
    },
];

/// Writes the jobs that ended before `now`
pub(super) async fn write(db: &mut SqliteConnection, now: DateTime<Utc>) -> anyhow::Result<()> {
    let before = |minutes| timestamp(now - TimeDelta::minutes(minutes));
    for job in &FINISHED {
        sqlx::query(INSERT)
            .bind(job.kind)
            .bind(job.label)
            .bind(if job.error.is_some() {
                "failed"
            } else {
                "completed"
            })
            .bind(job.items.0)
            .bind(job.items.1)
            .bind(before(job.started))
            .bind(before(job.finished))
            .bind(before(job.finished))
            .bind(job.error)
            .execute(&mut *db)
            .await
            .with_context(|| format!("writing the demo's finished job {}", job.kind))?;
    }
    Ok(())
}
