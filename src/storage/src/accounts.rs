//! The accounts of staff: who may sign in, who has, what was done, and drafts for the editors.
//!
//! A file of its own, so that a command of the operator works while the service runs: either sees what the
//! other wrote (WAL). So it also holds what the operator has switched off. The JSON of an account is opaque here. An account that was removed stays as a mark, so
//! that the service can tell the contact centre even when it did not run at that time.

mod audit;
mod identities;
mod keys;
mod ops;
mod second;
mod switches;
mod types;

use std::path::Path;

use base::DialogueId;
use jiff::Timestamp;

pub use self::audit::{AuditHead, AuditWalk};
pub use self::keys::{KeyAdded, SecurityKey};
pub use self::second::{CodeApp, SecondFactor};
pub use self::types::{Account, AuditLine, Draft, NewAccount, NewSession, Proof, Session};

use crate::schema::{Format, open_as};
use crate::{Error, Journal, Options};

pub use self::identities::Identity;
pub use self::switches::SwitchedOff;

/// "Bkon".
pub(crate) const FORMAT: Format = Format {
    id: 0x426b_6f6e,
    migrations: &[
        FIRST,
        CHAINED,
        SECOND,
        switches::TABLE,
        identities::TABLE,
        keys::TABLE,
    ],
    finish: Some((2, audit::chain)),
};

const FIRST: &str = "
CREATE TABLE accounts (
    user       TEXT PRIMARY KEY,
    details    TEXT NOT NULL,
    password   TEXT NOT NULL,
    changed_ms INTEGER NOT NULL,
    removed_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    user       TEXT NOT NULL REFERENCES accounts (user),
    created_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user, created_ms);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    user   TEXT NOT NULL,
    what   TEXT NOT NULL,
    origin TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at_ms);

CREATE TABLE drafts (
    id           TEXT PRIMARY KEY,
    item         TEXT NOT NULL,
    municipality TEXT NOT NULL,
    question     TEXT NOT NULL,
    text         TEXT NOT NULL,
    by           TEXT NOT NULL,
    at_ms        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_time ON drafts (at_ms);
";

/// The audit becomes a chain: see [`audit`]. What stands there already is chained by the program.
const CHAINED: &str = "
ALTER TABLE audit ADD COLUMN salt BLOB CHECK (length(salt) = 16);
ALTER TABLE audit ADD COLUMN detail_sha256 BLOB CHECK (length(detail_sha256) = 32);
ALTER TABLE audit ADD COLUMN hash BLOB CHECK (length(hash) = 32);

CREATE TABLE audit_base (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    id    INTEGER NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    lines INTEGER NOT NULL
) STRICT;
INSERT INTO audit_base VALUES (1, 0, zeroblob(32), 0);
";

/// A second factor, which sessions showed it, and where a session began.
const SECOND: &str = "
CREATE TABLE second_factors (
    user         TEXT PRIMARY KEY REFERENCES accounts (user),
    secret       BLOB NOT NULL,
    confirmed_ms INTEGER,
    last_step    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user   TEXT NOT NULL REFERENCES accounts (user),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (user, sha256)
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN second INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN origin TEXT NOT NULL DEFAULT '';
";

/// The file of accounts. Clones share it. Methods fail as [`Journal`]'s do: Overloaded, Closed, Full, Io.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// The thread that owns the connection.
    file: Journal,
}

impl Accounts {
    /// Opens the file, creating it (readable by its owner alone). Blocks.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let file = Journal::over(open_as(&FORMAT, path, options)?, options)?;
        Ok(Self { file })
    }

    /// # Errors
    /// As [`Journal::close`].
    pub async fn close(&self) -> Result<(), Error> {
        self.file.close().await
    }

    /// Every account by its user name, the removed ones included.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn list(&self) -> Result<Vec<Account>, Error> {
        self.file.read(ops::list).await
    }

    /// Adds accounts, all or none. One that was removed may come again.
    ///
    /// # Errors
    /// Taken when one is there.
    pub async fn add(&self, new: Vec<NewAccount>, at: Timestamp) -> Result<(), Error> {
        self.file.write(move |c| ops::add(c, &new, at)).await
    }

    /// Gives an account other details, and ends its sessions where that is asked for.
    ///
    /// # Errors
    /// UnknownAccount.
    pub async fn change(
        &self,
        user: &str,
        details: String,
        end_sessions: bool,
        at: Timestamp,
    ) -> Result<(), Error> {
        let user = user.to_owned();
        self.file
            .write(move |c| ops::change(c, &user, &details, end_sessions, at))
            .await
    }

    /// Sets a password and ends every session of the account.
    ///
    /// # Errors
    /// UnknownAccount.
    pub async fn set_password(
        &self,
        user: &str,
        password: String,
        at: Timestamp,
    ) -> Result<(), Error> {
        let user = user.to_owned();
        self.file
            .write(move |c| ops::set_password(c, &user, &password, at))
            .await
    }

    /// Removes an account and ends its sessions.
    ///
    /// # Errors
    /// UnknownAccount.
    pub async fn remove(&self, user: &str, at: Timestamp) -> Result<(), Error> {
        let user = user.to_owned();
        self.file.write(move |c| ops::remove(c, &user, at)).await
    }

    /// Begins a session if the account still has that password and the proof was not used before; whether it has.
    /// The oldest of more than twenty sessions of one account end.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn begin_session(&self, new: NewSession, at: Timestamp) -> Result<bool, Error> {
        self.file
            .write(move |c| ops::begin_session(c, &new, at))
            .await
    }

    /// # Errors
    /// Corrupt, Io.
    pub async fn session(&self, sha256: [u8; 32]) -> Result<Option<Session>, Error> {
        self.file.read(move |c| ops::session(c, sha256)).await
    }

    /// Notes that a session was used; one that has ended stays ended.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn touch_session(&self, sha256: [u8; 32], at: Timestamp) -> Result<(), Error> {
        self.file
            .write(move |c| ops::touch_session(c, sha256, at))
            .await
    }

    /// # Errors
    /// Full, Io.
    pub async fn end_session(&self, sha256: [u8; 32]) -> Result<(), Error> {
        self.file.write(move |c| ops::end_session(c, sha256)).await
    }

    /// The sessions of an account, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn sessions_of(&self, user: &str) -> Result<Vec<Session>, Error> {
        let user = user.to_owned();
        self.file.read(move |c| ops::sessions_of(c, &user)).await
    }

    /// Ends every session of an account; how many there were.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn end_sessions_of(&self, user: &str) -> Result<u64, Error> {
        let user = user.to_owned();
        self.file.write(move |c| ops::end_sessions(c, &user)).await
    }

    /// Ends what began before one instant, or was last used before another.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn end_old_sessions(
        &self,
        created_before: Timestamp,
        seen_before: Timestamp,
    ) -> Result<(), Error> {
        self.file
            .write(move |c| ops::end_old_sessions(c, created_before, seen_before))
            .await
    }

    /// # Errors
    /// Full, Io.
    pub async fn audit(&self, line: AuditLine) -> Result<(), Error> {
        self.file.write(move |c| audit::append(c, &line)).await
    }

    /// The newest lines of the audit, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn audited(&self, limit: u32) -> Result<Vec<AuditLine>, Error> {
        self.file.read(move |c| audit::newest(c, limit)).await
    }

    /// Walks the chain of the audit. `noted` is a head that was kept elsewhere.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn walk_audit(&self, noted: Option<AuditHead>) -> Result<AuditWalk, Error> {
        self.file.read(move |c| audit::walk(c, noted)).await
    }

    /// Keeps a draft; one that is there stays as it is.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn add_draft(&self, draft: Draft) -> Result<(), Error> {
        self.file.write(move |c| ops::add_draft(c, &draft)).await
    }

    /// The newest drafts, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn drafts(&self, limit: u32) -> Result<Vec<Draft>, Error> {
        self.file.read(move |c| ops::drafts(c, limit)).await
    }

    /// Deletes drafts and lines of the audit from before these instants; how many of each. A line of the audit says
    /// what went of it.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn forget(
        &self,
        drafts_before: Timestamp,
        audit_before: Timestamp,
        now: Timestamp,
    ) -> Result<(u64, u64), Error> {
        self.file
            .write(move |c| ops::forget(c, drafts_before, audit_before, now))
            .await
    }

    /// How many drafts and lines of the audit there are from before these instants.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn left(
        &self,
        drafts_before: Timestamp,
        audit_before: Timestamp,
    ) -> Result<(u64, u64), Error> {
        self.file
            .read(move |c| ops::left(c, drafts_before, audit_before))
            .await
    }

    /// The drafts that came of a dialogue, oldest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn drafts_of(&self, dialogue: &DialogueId) -> Result<Vec<Draft>, Error> {
        let id = dialogue.clone();
        self.file.read(move |c| ops::drafts_of(c, &id)).await
    }

    /// Deletes the drafts that came of a dialogue and takes what leads to it out of the audit, where it stays that
    /// something was done; how many of each.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn erase(&self, dialogue: &DialogueId) -> Result<(u64, u64), Error> {
        let id = dialogue.clone();
        self.file.write(move |c| ops::erase(c, &id)).await
    }

    /// As [`Journal::scrub`].
    ///
    /// # Errors
    /// Io.
    pub async fn scrub(&self) -> Result<bool, Error> {
        self.file.scrub().await
    }

    /// A number that changes when another process has changed the file.
    ///
    /// # Errors
    /// Io.
    pub async fn version(&self) -> Result<i64, Error> {
        self.file
            .read(|c| Ok(c.query_one("PRAGMA data_version", [], |r| r.get(0))?))
            .await
    }
}

#[cfg(test)]
mod tests;
