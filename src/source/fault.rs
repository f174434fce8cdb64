//! The only place that knows what a database error means.
//!
//! An engine tells its errors apart by codes, which `postgres` and `sqlite` read. The words of
//! an error are in the server's language, so nothing is told by them.

mod postgres;
mod sqlite;
mod words;

use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;
use tokio_rustls::rustls;

pub use words::reason;

/// What an error means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Something else held a lock for too long.
    Locked,
    /// The database gave up a statement that took too long.
    TimedOut,
    /// Nothing was heard within our own time.
    Unanswered,
    /// A question was cancelled by us, since somebody waited for it to end.
    GaveWay,
    /// Somebody ended the session; the server goes on.
    Ended,
    /// The server stops, starts or recovers.
    Down,
    /// Another transaction, or a standby's recovery, took away what this one had read.
    Conflict,
    /// Another transaction made the same change first, or met this one in a deadlock.
    Overtaken,
    /// The database takes no changes.
    ReadOnly,
    /// The role lacks a right.
    Forbidden,
    /// Row security would keep rows from the role.
    Hidden,
    /// The user is unknown, or the password is wrong.
    Credentials,
    /// The server lets nobody in from this host as this user.
    NotAdmitted,
    /// There is no such database.
    NoDatabase,
    /// The tables, their columns or what stands in them are not the pipeline's.
    WrongSchema,
    /// The file is not there, was moved, or may not be opened.
    CannotOpen,
    /// The file is damaged, or no database.
    Corrupt,
    /// There is no connection, or there is none any more.
    Lost,
    /// No encrypted connection could be agreed on.
    Insecure,
    /// The server or the role has no connection left.
    TooManyConnections,
    /// None of these.
    Other,
}

impl Fault {
    /// Tells what an error means.
    pub fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::of_database(&**error),
            sqlx::Error::PoolTimedOut => Self::Unanswered,
            sqlx::Error::AnyDriverError(error) if error.is::<GaveWay>() => Self::GaveWay,
            sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => Self::Insecure,
            sqlx::Error::Io(error) if is_of_tls(error) => Self::Insecure,
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::Decode(_) => Self::WrongSchema,
            _ => Self::Lost,
        }
    }

    fn of_database(error: &(dyn sqlx::error::DatabaseError + 'static)) -> Self {
        if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            return postgres::fault(error.code(), error.routine());
        }
        let is_of_sqlite = error.try_downcast_ref::<SqliteError>().is_some();
        let code = error.code().filter(|_| is_of_sqlite);
        code.and_then(|code| code.parse().ok())
            .map_or(Self::Other, sqlite::fault)
    }

    /// Returns whether a transaction that met it may do better when it is begun anew at once.
    pub fn may_be_begun_anew(self) -> bool {
        self == Self::Ended || self.was_overtaken()
    }

    /// Returns whether another transaction came first: the next attempt sees what it did.
    pub fn was_overtaken(self) -> bool {
        matches!(self, Self::Overtaken | Self::Conflict)
    }

    /// Returns whether the session is gone, or must not be used any more.
    pub fn is_of_session(self) -> bool {
        matches!(
            self,
            Self::Unanswered | Self::Ended | Self::Down | Self::Lost | Self::Insecure
        )
    }
}

/// The mark of a question that was cancelled by us. The server's code for it is that of a
/// statement which took too long, and only its words differ.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct GaveWay(sqlx::Error);

/// Returns the error of a question that was cancelled by us, so that it is known as that.
pub fn gave_way(error: sqlx::Error) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(GaveWay(error)))
}

/// Names the certificates' file in an error of connecting, which it is otherwise silent about.
pub fn of_connecting(error: sqlx::Error, options: &impl sqlx::ConnectOptions) -> sqlx::Error {
    let sqlx::Error::Io(why) = &error else {
        return error;
    };
    let url = options.to_url_lossy();
    let files = url
        .query_pairs()
        .filter(|(name, _)| ["sslrootcert", "sslcert", "sslkey"].contains(&&**name));
    let mut missing = files.filter_map(|(name, value)| {
        let path = value.strip_prefix("file: ")?;
        let unread = std::fs::File::open(path).err()?;
        (unread.kind() == why.kind()).then(|| format!("{name} {path}: {unread}"))
    });
    let named = missing.next();
    named.map_or(error, |named| sqlx::Error::Tls(named.into()))
}

fn is_of_tls(error: &std::io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>())
}
