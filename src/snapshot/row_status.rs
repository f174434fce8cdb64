//! How a row is now.

/// Which of the four statuses a row has; none, if its word is none of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct RowStatus {
    /// Whether it waits.
    pub pending: bool,
    /// Whether it is worked on.
    pub processing: bool,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it is done.
    pub completed: bool,
}
