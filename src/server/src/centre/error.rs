//! Why a command came to nothing.

use contact::centre::Refusal;
use storage::log;

/// Why [`super::Handle::send`] or [`super::Handle::read`] did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The centre does not allow it. The refusal is in the log; nothing else changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// More commands wait than are taken. Nothing was done: try again shortly.
    #[error("the contact centre has more to do than it can: try again")]
    Overloaded,
    /// The log could not be reached in time. It may have been done, or may yet be: ask again with the same
    /// item and message, which does it once.
    #[error("the contact centre cannot be reached: {0}")]
    Unavailable(String),
    /// The log did not take it. Nothing was done.
    #[error(transparent)]
    Store(log::Error),
    /// It is in the log, and what came of it is not known any more: look at the centre.
    #[error("it is done, and what came of it is not known: look again")]
    Unknown,
    /// The program fails at this input. Every node passes it over.
    #[error("the program fails at this input: it is passed over")]
    Faulty,
    /// The log is being read, at start or after a failure.
    #[error("the contact centre is starting")]
    Starting,
    /// The program is ending. Nothing was done.
    #[error("the contact centre is closed")]
    Closed,
}

impl Error {
    /// Whether the same command may succeed if it is sent again shortly.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Overloaded | Self::Unavailable(_) | Self::Starting => true,
            Self::Store(e) => !matches!(e, log::Error::Size(_)),
            Self::Refused(_) | Self::Unknown | Self::Faulty | Self::Closed => false,
        }
    }
}

/// Why a node cannot go on at present. It tries again by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Log(#[from] log::Error),
    /// Written by a newer program: to pass it over would make this node's state another than theirs.
    #[error("record {seq} of the log cannot be read ({why}): is another node newer than this one?")]
    Unreadable { seq: u64, why: String },
    #[error("the snapshot of the log cannot be read ({0}): is another node newer than this one?")]
    Snapshot(String),
    #[error("others change the log faster than this node can follow it")]
    Restless,
}
