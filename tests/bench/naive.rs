//! What a careful person writes first: every number of the board by a question of its own, one
//! after another on one warm connection, as SQL that reckons the windows from `now()`.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime::Runtime;

use crate::database::Database;

const STAGES: &str = "
SELECT stage,
       count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'processing') AS processing,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > now() - interval '15 minutes')
           AS completed_15m,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > now() - interval '1 hour')
           AS completed_1h,
       count(*) FILTER (WHERE status = 'completed' AND completed_at > {midnight}) AS completed_today,
       count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS created_1h,
       min(created_at) FILTER (WHERE status = 'pending') AS oldest_pending,
       min(started_at) FILTER (WHERE status = 'processing') AS oldest_processing
FROM processing_queue
GROUP BY stage";

const POOL: &str = "
SELECT d.ai_model_version,
       count(*) FILTER (WHERE q.completed_at > now() - interval '1 hour') AS completed_1h,
       count(*) FILTER (WHERE q.completed_at > {midnight}) AS completed_today
FROM processing_queue q
JOIN documents d ON d.id = q.document_id
WHERE q.stage = 'summarize' AND q.status = 'completed'
  AND q.completed_at > least({midnight}, now() - interval '1 hour')
GROUP BY d.ai_model_version";

const CREATED: &str = "
SELECT date_trunc('hour', created_at AT TIME ZONE '{zone}') AS hour, count(*)
FROM processing_queue
WHERE stage = 'summarize' AND created_at > now() - interval '24 hours'
GROUP BY 1";

const COMPLETED: &str = "
SELECT date_trunc('hour', completed_at AT TIME ZONE '{zone}') AS hour, count(*)
FROM processing_queue
WHERE stage = 'summarize' AND status = 'completed' AND completed_at > now() - interval '24 hours'
GROUP BY 1";

const ARRIVED: &str = "
SELECT stage, floor(extract(epoch FROM created_at) / 300) AS bucket, count(*)
FROM processing_queue
WHERE created_at > now() - interval '24 hours'
GROUP BY 1, 2";

const DONE: &str = "
SELECT stage, floor(extract(epoch FROM completed_at) / 300) AS bucket, count(*),
       count(*) FILTER (WHERE started_at > created_at + interval '1 minute') AS waited,
       sum(completed_at - started_at) AS worked
FROM processing_queue
WHERE status = 'completed' AND completed_at > now() - interval '24 hours'
GROUP BY 1, 2";

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
WHERE state = 'running' OR finished_at > now() - interval '6 hours'
ORDER BY (state = 'running') DESC, started_at DESC
LIMIT 20";

const MIDNIGHT: &str = "date_trunc('day', now() AT TIME ZONE '{zone}') AT TIME ZONE '{zone}'";

/// A connection on which the questions are asked.
pub(crate) struct Naive<'a> {
    runtime: &'a Runtime,
    connection: PgConnection,
    questions: Vec<String>,
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
            questions: questions(&database.zone.name()),
        })
    }

    /// Asks them all, and returns how long that took.
    pub(crate) fn run(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.runtime
            .block_on(ask(&mut self.connection, &self.questions))?;
        Ok(begun.elapsed())
    }
}

fn questions(zone: &str) -> Vec<String> {
    let questions = [
        STAGES, POOL, CREATED, COMPLETED, ARRIVED, DONE, CURRENT, JOBS,
    ];
    let written = |question: &str| {
        let question = question.replace("{midnight}", MIDNIGHT);
        question.replace("{zone}", zone)
    };
    questions.into_iter().map(written).collect()
}

async fn ask(connection: &mut PgConnection, questions: &[String]) -> sqlx::Result<()> {
    for question in questions {
        let question = AssertSqlSafe(question.as_str());
        connection.fetch_all(sqlx::raw_sql(question)).await?;
    }
    Ok(())
}
