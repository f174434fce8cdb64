//! How much is read of texts that may be of any length.

/// How many characters of a name are shown.
pub const MAX_NAME: usize = 500;

/// How many characters of a background job's error are shown.
pub const MAX_JOB_ERROR: usize = 2000;

/// How much is read of an error: all of it, or its two ends where it is longer than both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    /// Characters from its beginning.
    pub head: i32,
    /// Characters from its end.
    pub tail: i32,
}

impl Excerpt {
    /// Of an error among many.
    pub const IN_LIST: Self = Self {
        head: 1000,
        tail: 1000,
    };

    /// Of an error by itself: 1 MiB, if a character is a byte.
    pub const ALONE: Self = Self {
        head: 1 << 19,
        tail: 1 << 19,
    };
}
