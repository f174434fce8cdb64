//! What a careful person writes first: every number of the board by a question of its own, one
//! after another on one warm connection, as prepared statements with the windows as parameters.

use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection};
use tokio::runtime::Runtime;

use crate::database::Database;
use queueboard_exporter::windows::Windows;

const STAGES: &str = "
SELECT stage,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > $1) AS completed_15m,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > $2) AS completed_1h,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > $3) AS completed_today,
       count(*) FILTER (WHERE created_at > $2) AS created_1h,
       min(created_at) FILTER (WHERE status = 'pending') AS oldest_pending,
       min(started_at) FILTER (WHERE status = 'processing') AS oldest_processing
FROM processing_queue
GROUP BY stage";

const POOL: &str = "
SELECT d.ai_model_version,
       count(*) FILTER (WHERE q.completed_at > $2) AS completed_1h,
       count(*) FILTER (WHERE q.completed_at > $3) AS completed_today
FROM processing_queue q
JOIN documents d ON d.id = q.document_id
WHERE q.stage = 'summarize' AND q.status = 'completed' AND q.completed_at > $1
GROUP BY d.ai_model_version";

const CREATED: &str = "
SELECT width_bucket(created_at, $1) AS hour, count(*)
FROM processing_queue
WHERE stage = 'summarize' AND created_at >= $2
GROUP BY 1";

const COMPLETED: &str = "
SELECT width_bucket(completed_at, $1) AS hour, count(*)
FROM processing_queue
WHERE stage = 'summarize' AND status = 'completed' AND completed_at >= $2
GROUP BY 1";

const CURRENT: &str = "
SELECT q.id, q.stage, q.document_id, q.started_at, d.title, d.original_filename, d.file_path,
       d.ai_model_version
FROM processing_queue q
JOIN documents d ON d.id = q.document_id
WHERE q.status = 'processing'
ORDER BY q.started_at DESC NULLS LAST
LIMIT 50";

const JOBS: &str = "
SELECT id, kind, label, state, processed, total, started_at, updated_at, finished_at, error
FROM background_jobs
WHERE state = 'running' OR finished_at > $1
ORDER BY (state = 'running') DESC, started_at DESC
LIMIT 20";

/// A connection on which the questions are asked.
pub(crate) struct Naive<'a> {
    runtime: &'a Runtime,
    connection: PgConnection,
    windows: Windows,
}

impl<'a> Naive<'a> {
    /// Connects; `options` are those of a URL, such as `?options=…`.
    pub(crate) fn connect(
        runtime: &'a Runtime,
        database: &Database,
        options: &str,
    ) -> Result<Self> {
        let url = database.url() + options;
        Ok(Self {
            runtime,
            connection: runtime.block_on(PgConnection::connect(&url))?,
            windows: database.zone.windows()?,
        })
    }

    /// Asks them all, and returns how long that took.
    pub(crate) fn run(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.runtime
            .block_on(ask(&mut self.connection, &self.windows))?;
        Ok(begun.elapsed())
    }
}

async fn ask(connection: &mut PgConnection, windows: &Windows) -> sqlx::Result<()> {
    let hours: Vec<DateTime<Utc>> = windows.hour_bounds();
    let since = windows.completions_since();
    let (quarter, hour, midnight) = (windows.quarter_ago, windows.hour_ago, windows.midnight);
    let questions = [
        sqlx::query(STAGES).bind(quarter).bind(hour).bind(midnight),
        sqlx::query(POOL).bind(since).bind(hour).bind(midnight),
        sqlx::query(CREATED).bind(&hours).bind(hours.first()),
        sqlx::query(COMPLETED).bind(&hours).bind(hours.first()),
        sqlx::query(CURRENT),
        sqlx::query(JOBS).bind(windows.jobs_since),
    ];
    for question in questions {
        question.fetch_all(&mut *connection).await?;
    }
    Ok(())
}
