//! What can go wrong with a journal.

use rusqlite::ErrorCode;

/// Why the journal did not do what it was asked. Nothing of a failed request was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The queue is full: try again shortly.
    #[error("the journal has more to write than it can: try again")]
    Overloaded,
    /// The disk, or the limit set for the file, is full. Reading still works.
    #[error("the disk of the journal is full: free some space")]
    Full,
    /// The file is damaged, or is not a journal of this program.
    #[error("the journal is damaged or is not one: {0}; restore it from a backup")]
    Corrupt(String),
    /// A newer program wrote the file.
    #[error(
        "the journal has format {found}, this program knows formats up to {newest}: use the newer program"
    )]
    Version { found: i64, newest: i64 },
    /// Another process held the file for longer than [`crate::Options::patience`].
    #[error("another process is writing to the journal: only one may")]
    Locked,
    /// The file cannot be read or written.
    #[error("the journal's file: {0}")]
    Io(String),
    /// There is no such dialogue.
    #[error("no such dialogue")]
    UnknownDialogue,
    /// There is no such account, or it was removed.
    #[error("no such account")]
    UnknownAccount,
    /// A dialogue id or a callback reference that exists already: draw another.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// The journal was closed, or its thread has died.
    #[error("the journal is closed")]
    Closed,
    /// Anything else SQLite says: a fault of this program.
    #[error("SQLite: {0}")]
    Sqlite(String),
}

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Corrupt(e.to_string())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Locked,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly,
            ) => Error::Io(e.to_string()),
            Some(_) => Error::Sqlite(e.to_string()),
            // A column that does not hold what we put there.
            None => match e {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => Error::Corrupt(e.to_string()),
                other => Error::Sqlite(other.to_string()),
            },
        }
    }
}
