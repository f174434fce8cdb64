//! Whoever holds what an action waits for, as far as the role that acts may see.

use std::fmt::{self, Display};

use chrono::{DateTime, SecondsFormat, Utc};

/// A session of the database with a lock that an action needs.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Holder {
    /// The process that serves it.
    pub pid: i32,
    /// Its role.
    pub role: Option<String>,
    /// What its client calls itself.
    pub application: Option<String>,
    /// When its transaction began, which other roles than its own are not told.
    pub since: Option<DateTime<Utc>>,
}

/// The sessions with a lock that an action needs; none where that is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders(pub Vec<Holder>);

impl Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.pid)?;
        if let Some(role) = &self.role {
            write!(f, " of {role}")?;
        }
        if let Some(application) = self.application.as_deref().filter(|name| !name.is_empty()) {
            write!(f, " ({application})")?;
        }
        if let Some(since) = self.since {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            write!(f, " in a transaction since {since}")?;
        }
        Ok(())
    }
}

impl Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else {
            return f.write_str("something else");
        };
        let named: Vec<String> = self.0.iter().map(Holder::to_string).collect();
        write!(
            f,
            "{}; its own role or a superuser ends one with SELECT pg_terminate_backend({})",
            named.join(", "),
            first.pid
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_told_as_far_as_it_is_known() {
        let hidden = Holder {
            pid: 7,
            role: None,
            application: Some(String::new()),
            since: None,
        };
        let known = Holder {
            pid: 8,
            role: Some("worker".to_owned()),
            application: Some("psql".to_owned()),
            since: Some(DateTime::UNIX_EPOCH),
        };
        assert_eq!(Holders::default().to_string(), "something else");
        assert_eq!(
            Holders(vec![hidden, known]).to_string(),
            "session 7, session 8 of worker (psql) in a transaction since 1970-01-01T00:00:00Z; \
             its own role or a superuser ends one with SELECT pg_terminate_backend(7)"
        );
    }
}
