//! What is said to people of a database error.

use sqlx::postgres::PgDatabaseError;

use super::{Fault, GaveWay};

impl Fault {
    /// Returns what to do about it, for whoever reads the log.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Locked => "something else holds a lock on the table",
            Self::TimedOut => "it took too long: allow more with a longer scrape_timeout",
            Self::GaveWay => "it gave way to somebody who waits to change the table",
            Self::Down => "the server stops or starts: it is asked again at the next scrape",
            Self::Conflict => {
                "the standby needs the rows' room: raise its max_standby_streaming_delay, or set \
                 hot_standby_feedback"
            }
            Self::ReadOnly => {
                "the file's journal must be written even to read it: let the exporter write to \
                 the file and its folder"
            }
            Self::Forbidden => "grant SELECT on the table to the exporter's role",
            Self::Hidden => {
                "row level security would hide rows: give the exporter's role BYPASSRLS, or a \
                 policy that shows it all of them (FOR SELECT TO … USING (true))"
            }
            Self::Credentials => "check user and password in --database-url",
            Self::NotAdmitted => {
                "let this host, user and database in, in the server's pg_hba.conf; it may ask \
                 for encryption too"
            }
            Self::NoDatabase => "check the database's name in --database-url",
            Self::WrongSchema => "check that the tables and columns are the pipeline's",
            Self::CannotOpen => "check the file's path in --database-url, and that it can be read",
            Self::Corrupt => {
                "the file is damaged, or no database: check its path in --database-url"
            }
            Self::Lost | Self::Unanswered => "check that the database runs and can be reached",
            Self::Insecure => {
                "check sslmode and the certificates' files in --database-url, and the server's \
                 certificate"
            }
            Self::TooManyConnections => {
                "the exporter needs up to four connections: raise the limit of its role, or the \
                 server's max_connections"
            }
            Self::Ended | Self::Overtaken | Self::Other => "it is asked again at the next scrape",
        }
    }
}

/// Returns what the database said, on one line; never a URL, and no line of its source code.
pub fn reason(error: &sqlx::Error) -> String {
    let said = match error {
        sqlx::Error::PoolTimedOut => "no answer in time".to_owned(),
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => said(error),
            None => error.to_string(),
        },
        sqlx::Error::AnyDriverError(inner) => match inner.downcast_ref::<GaveWay>() {
            Some(GaveWay(error)) => reason(error),
            None => error.to_string(),
        },
        error => error.to_string(),
    };
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// What PostgreSQL said, with its own detail and hint.
fn said(error: &PgDatabaseError) -> String {
    let said = [Some(error.message()), error.detail(), error.hint()];
    let said: Vec<&str> = said.into_iter().flatten().collect();
    said.join("; ")
}
