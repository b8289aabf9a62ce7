//! The accounts of staff: who may sign in, who has, what was done, and drafts for the editors.
//!
//! A file of its own, so that a command of the operator works while the service runs: either sees what the
//! other wrote (WAL). The JSON of an account is opaque here. An account that was removed stays as a mark, so
//! that the service can tell the contact centre even when it did not run at that time.

mod ops;

use std::path::Path;

use base::{DialogueId, MunicipalityCode};
use jiff::Timestamp;

use crate::schema::{Format, open_as};
use crate::{Error, Journal, Options};

/// "Bkon".
pub(crate) const FORMAT: Format = Format {
    id: 0x426b_6f6e,
    migrations: &[FIRST],
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

/// The file of accounts. Clones share it. Methods fail as [`Journal`]'s do: Overloaded, Closed, Full, Io.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// The thread that owns the connection.
    file: Journal,
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    /// Name, roles and rights, as JSON.
    pub details: String,
    /// In the PHC string format.
    pub password: String,
    pub changed: Timestamp,
    pub removed: bool,
}

/// An account to be.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub user: String,
    pub details: String,
    pub password: String,
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: String,
    pub created: Timestamp,
    /// When it was last used, as far as was noted.
    pub seen: Timestamp,
}

/// What somebody did. No word of a citizen's stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub at: Timestamp,
    pub user: String,
    /// In one word, such as `sign_in`.
    pub what: String,
    /// An address, or `command`.
    pub origin: String,
    pub detail: String,
}

/// A reply that an agent sends to the editors as the beginning of an article. Redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Chosen by whoever sends it; a repetition changes nothing.
    pub id: String,
    pub item: String,
    pub municipality: MunicipalityCode,
    pub question: String,
    pub text: String,
    pub by: String,
    pub at: Timestamp,
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

    /// Begins a session if the account still has that password; whether it has. The oldest of more than
    /// twenty sessions of one account end.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn begin_session(
        &self,
        sha256: [u8; 32],
        user: &str,
        password: &str,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.file
            .write(move |c| ops::begin_session(c, sha256, &user, &password, at))
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
        self.file.write(move |c| ops::audit(c, &line)).await
    }

    /// The newest lines of the audit, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn audited(&self, limit: u32) -> Result<Vec<AuditLine>, Error> {
        self.file.read(move |c| ops::audited(c, limit)).await
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

    /// Deletes drafts and lines of the audit from before these instants; how many of each.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn forget(
        &self,
        drafts_before: Timestamp,
        audit_before: Timestamp,
    ) -> Result<(u64, u64), Error> {
        self.file
            .write(move |c| ops::forget(c, drafts_before, audit_before))
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
