//! The plain data of one test board, independent of any database.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// One row of `documents`.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The key that queue rows join on.
    pub id: i64,
    /// The first choice for the displayed title.
    pub title: Option<String>,
    /// The second choice for the displayed title.
    pub original_filename: Option<String>,
    /// The path whose last segment is the third choice.
    pub file_path: Option<String>,
    /// The model that summarized it, which tells the pool's machines apart.
    pub ai_model_version: Option<String>,
}

/// One row of `processing_queue`.
#[derive(Debug, Clone)]
pub(crate) struct QueueRow {
    /// The row's key.
    pub id: i64,
    /// The document, which may have vanished.
    pub document_id: i64,
    /// The stage, known or not.
    pub stage: String,
    /// The status, known or not.
    pub status: String,
    /// The payload; `None` is SQL NULL and `Some(Value::Null)` is JSON null.
    pub payload: Option<Value>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When work on it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// One row of `background_jobs`.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The row's key.
    pub id: i64,
    /// The kind, known or not.
    pub kind: String,
    /// The free text that describes it.
    pub label: Option<String>,
    /// `running`, or how it ended.
    pub state: String,
    /// How many items are done.
    pub processed: Option<i64>,
    /// How many items there are.
    pub total: Option<i64>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// Its heartbeat.
    pub updated_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Everything that one scrape reads, with the clock and the settings that it is read under.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// The time zone of local days and hours.
    pub zone: Tz,
    /// Whether the macbook is switched on.
    pub macbook_enabled: bool,
    /// The rows of `documents`.
    pub documents: Vec<Document>,
    /// The rows of `processing_queue`.
    pub queue: Vec<QueueRow>,
    /// The rows of `background_jobs`; `None` when the table is absent.
    pub jobs: Option<Vec<Job>>,
}

/// How many bytes a label of a PostgreSQL ENUM may have.
const LONGEST_LABEL: usize = 63;

impl Rows {
    /// Drops the rows with a word that can be no label of an ENUM.
    pub(crate) fn keep_what_enums_hold(&mut self) {
        let fits = |word: &str| word.len() <= LONGEST_LABEL;
        self.queue
            .retain(|row| fits(&row.stage) && fits(&row.status));
        self.jobs
            .iter_mut()
            .for_each(|jobs| jobs.retain(|job| fits(&job.kind) && fits(&job.state)));
    }
}
