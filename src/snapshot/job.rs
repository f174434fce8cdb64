//! Background jobs as their rows tell of them.

use super::{Beat, Id, Text, UnixSeconds};

/// Background jobs: some in detail, all of them counted.
#[derive(Debug, Clone, Default)]
pub struct JobRows {
    /// At most twenty: running first, then latest started.
    pub details: Vec<JobRow>,
    /// How many of each kind and state.
    pub counts: Vec<JobCountRow>,
}

/// One background job; the key is the id.
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct JobRow {
    /// Its id.
    pub id: Id,
    /// Its kind.
    pub kind: Option<Text>,
    /// What people call it.
    pub label: Option<Text>,
    /// `running`, or how it ended.
    pub state: Option<Text>,
    /// Items done.
    pub processed: Option<i64>,
    /// Items in all, when known.
    pub total: Option<i64>,
    /// When it started.
    pub started_at: Option<UnixSeconds>,
    /// Its last heartbeat.
    pub updated_at: Option<UnixSeconds>,
    /// When it ended.
    pub finished_at: Option<UnixSeconds>,
    /// Why it failed.
    pub error: Option<Text>,
    /// What earlier scrapes and this one know of its progress while it runs, oldest first: each
    /// beat is later and further than the one before.
    #[sqlx(skip)]
    pub beats: Vec<Beat>,
}

impl JobRow {
    /// The state of a job that has not ended.
    pub const RUNNING: &str = "running";

    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        self.state.as_deref() == Some(Self::RUNNING)
    }
}

/// How many background jobs there are of a kind in a state; the key is (kind, state).
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JobCountRow {
    /// The kind.
    pub kind: Option<Text>,
    /// The state.
    pub state: Option<Text>,
    /// How many.
    pub jobs: i64,
}
