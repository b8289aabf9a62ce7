//! What can go wrong with a log.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why the log did not do what it was asked. Unless it is said with the variant, nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Redis cannot be reached, is starting, or closed the connection. The last request may have been done:
    /// ask again with the same ids.
    #[error("Redis cannot be reached ({0}): it is tried again by itself")]
    Unavailable(String),
    /// Redis did not answer in time. The request may have been, or may still be, done: ask again with the
    /// same ids.
    #[error("Redis did not answer in time: the server or the network is overloaded or stopped")]
    Timeout,
    /// This Redis is a replica.
    #[error(
        "this Redis only reads: it is a replica, or a failover is under way; point the address at the primary, or use Sentinel"
    )]
    ReadOnly,
    /// Redis has used the memory it may use. Reading still works.
    #[error("Redis is out of memory: raise maxmemory, or take other data out of it")]
    OutOfMemory,
    /// Redis cannot write its own files. Reading still works.
    #[error("Redis cannot save to its disk ({0}): free some space")]
    NotSaving(String),
    /// Redis refuses the user, the password or a command.
    #[error("Redis refuses this user or password, or does not let the user do what is needed: {0}")]
    Denied(String),
    /// The address or another setting cannot be right.
    #[error("the settings for Redis: {0}")]
    Settings(String),
    /// What is stored is not what was stored: keys deleted, evicted or overwritten by somebody else.
    #[error("the log is damaged: {0}")]
    Corrupt(String),
    /// An entry, a name or a batch beyond its limit.
    #[error("too large, or empty, for the log: {0}")]
    Size(&'static str),
    /// Records to mirror that do not follow what this node's journal holds: call `recover`.
    #[error("these records do not follow those in the journal, which end at {head}: recover first")]
    OutOfStep { head: u64 },
    /// This node's own journal.
    #[error(transparent)]
    Journal(#[from] crate::Error),
    /// Anything else Redis says: a fault of this program, or a Redis too old (before 6.2).
    #[error("Redis: {0}")]
    Redis(String),
}

impl Error {
    /// Whether the same request may succeed if it is made again shortly.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Timeout
                | Self::ReadOnly
                | Self::Journal(crate::Error::Overloaded | crate::Error::Locked)
        )
    }

    /// Whether a new connection may help: the old one is dead, slow, or leads to the wrong server.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Timeout | Self::ReadOnly | Self::Denied(_)
        )
    }
}

/// By the code that the error begins with, or, as servers before 7 wrap a script's errors, has in its words.
fn by_code(code: &str, text: &str) -> Option<Error> {
    let is = |c: &str| code == c || text.contains(c);
    if code == "OOM" || text.contains("OOM command not allowed") {
        Some(Error::OutOfMemory)
    } else if is("READONLY") {
        Some(Error::ReadOnly)
    } else if is("MISCONF") {
        Some(Error::NotSaving(text.to_owned()))
    } else if is("NOAUTH") || is("WRONGPASS") || is("NOPERM") {
        Some(Error::Denied(text.to_owned()))
    } else if is("LOADING") || code == "BUSY" || is("NOREPLICAS") || is("MASTERDOWN") {
        Some(Error::Unavailable(text.to_owned()))
    } else if is("WRONGTYPE") || is("CORRUPT") || text.contains("target stream top item") {
        Some(Error::Corrupt(text.to_owned()))
    } else {
        None
    }
}

impl From<RedisError> for Error {
    fn from(e: RedisError) -> Self {
        if e.is_timeout() {
            return Self::Timeout;
        }
        let text = e.to_string();
        match e.kind() {
            ErrorKind::Io => Self::Unavailable(text),
            ErrorKind::Server(ServerErrorKind::TryAgain | ServerErrorKind::ClusterDown) => {
                Self::Unavailable(text)
            }
            ErrorKind::InvalidClientConfig => Self::Settings(text),
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Corrupt(text),
            kind => by_code(e.code().unwrap_or_default(), &text).unwrap_or(
                if kind == ErrorKind::AuthenticationFailed {
                    Self::Denied(text)
                } else {
                    Self::Redis(text)
                },
            ),
        }
    }
}
