//! One thing that was looked at.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Advice,
    /// Numbers are missing, or will be.
    Broken,
}

impl Level {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Advice => "advice",
            Self::Broken => "BROKEN",
        }
    }
}

/// One thing that was looked at, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub subject: String,
    /// What was seen.
    pub seen: String,
    /// What to do; nothing where it is good.
    pub fix: Option<String>,
}

impl Finding {
    /// Returns a finding of something as it should be.
    pub fn good(subject: &str, seen: impl Into<String>) -> Self {
        Self {
            level: Level::Good,
            subject: subject.to_owned(),
            seen: seen.into(),
            fix: None,
        }
    }

    /// Returns a finding of something that could be better.
    pub fn advice(subject: &str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level: Level::Advice,
            fix: Some(fix.into()),
            ..Self::good(subject, seen)
        }
    }

    /// Returns a finding of something that numbers are missing by.
    pub fn broken(subject: &str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            level: Level::Broken,
            ..Self::advice(subject, seen, fix)
        }
    }
}
