//! The journal: what was acknowledged is on disk.
//!
//! One SQLite file (WAL, `synchronous=FULL`) is owned by one thread. Callers on async threads put requests
//! into a bounded queue and await the answer; nothing here blocks them. The thread writes all that is
//! waiting in one transaction, and answers each only after `COMMIT` has returned: an answer means that the
//! data are on disk.
//!
//! Invariants:
//! - The `seq` of a dialogue's events starts at 1 and has no gaps.
//! - A `client_id` of a dialogue is written once, with its event.
//! - A callback and the event that tells the citizen of it are written together or not at all.
//! - A request that fails leaves nothing behind and fails no other, unless the whole transaction failed:
//!   then all that were in it fail. The journal stays usable.
//!
//! [`log`] is the contact centre's ordered log, in the same file or in a Redis that several nodes share.
//!
//! [`Accounts`] is a file beside it: who may sign in to the desk, who has, and what they did.
//!
//! [`Editor`] is another: drafts and releases of the editors' studio.
//!
//! [`whole`] copies such a file while it is written, for a backup, and makes it ready when it has come back.
//!
//! Absent on purpose: a clock of its own (times come in), redaction (`base` did it before), the meaning of an event
//! (its JSON is opaque here).

mod accounts;
mod citizen;
mod editor;
mod error;
mod journal;
pub mod log;
mod owner;
mod read;
mod retention;
mod schema;
mod transcript;
mod types;
pub mod whole;
mod write;

pub use accounts::{
    Account, Accounts, AuditHead, AuditLine, AuditWalk, CodeApp, Draft, Identity, KeyAdded,
    NewAccount, NewSession, Proof, SecondFactor, SecurityKey, Session, SwitchedOff,
};
pub use citizen::{Citizen, Erased};
pub use editor::{
    CommentRow, DraftChange, DraftRow, DraftText, Editor, NewRelease, ReleaseFile, ReleaseRow,
    VersionRow,
};
pub use error::Error;
pub use journal::Journal;
pub use retention::{Before, Forgotten};
pub use transcript::{Copied, Kept, StaffLine, Transcript};
pub use types::{
    Appended, CallbackRow, Counts, Event, Loaded, Meta, NewCallback, NewDialogue, NewEvent,
    Options, TurnRow,
};

#[cfg(test)]
mod tests;
