//! What is old or is to be forgotten.

use base::DialogueId;
use jiff::Timestamp;

use super::Journal;
use crate::retention::{Before, Forgotten};
use crate::{Citizen, Erased, Error, citizen, retention};

/// Records of the log that are dropped in one transaction.
const PIECE: u32 = 500;

impl Journal {
    /// Deletes some of what is older than it may be: `most` dialogues at once, and as much of everything else. To be
    /// asked until nothing goes any more. The log has [`crate::log::Log::trim`].
    ///
    /// # Errors
    /// Full, Io.
    pub async fn forget(&self, before: Before, most: u32) -> Result<Forgotten, Error> {
        self.write(move |c| retention::forget(c, &before, most))
            .await
    }

    /// How much is here that is older than it may be.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn left(&self, before: Before) -> Result<Forgotten, Error> {
        self.read(move |c| retention::left(c, &before)).await
    }

    /// Sees to it that what was deleted is in no file any more. False when somebody else reads the file just now: the
    /// bytes go with the next time.
    ///
    /// # Errors
    /// Io.
    pub async fn scrub(&self) -> Result<bool, Error> {
        while self.read(retention::give_back).await? {}
        self.read(retention::empty_wal).await
    }

    /// What was deleted, as counts of no person: day (UTC), municipality, what, how many.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn tallies(&self) -> Result<Vec<(String, String, String, u64)>, Error> {
        self.read(retention::tallies).await
    }

    /// Keeps the report of a deletion; JSON without a word of a citizen's.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn keep_report(&self, at: Timestamp, json: String) -> Result<(), Error> {
        self.write(move |c| retention::report(c, at, &json)).await
    }

    /// The newest reports, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn reports(&self, limit: u32) -> Result<Vec<String>, Error> {
        self.read(move |c| retention::reports(c, limit)).await
    }

    /// All that is kept of the dialogue with this code: the reference of a callback, or the dialogue's id.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn citizen(&self, code: &str) -> Result<Option<Citizen>, Error> {
        let code = code.to_owned();
        self.read(move |c| match citizen::find(c, &code)? {
            Some(id) => citizen::all(c, &id),
            None => Ok(None),
        })
        .await
    }

    /// Deletes a dialogue and all that belongs to it, and sees to it that no copy of it in the contact centre's log
    /// brings it back.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn erase(&self, dialogue: &DialogueId, at: Timestamp) -> Result<Erased, Error> {
        let id = dialogue.clone();
        self.write(move |c| citizen::erase(c, &id, at)).await
    }

    /// The last record of the log before an instant that a snapshot makes needless.
    pub(crate) async fn cut(&self, before: Timestamp) -> Result<Option<u64>, Error> {
        self.read(move |c| retention::cut(c, before)).await
    }

    /// Drops records of the log, or of its mirror, that a snapshot makes needless; how many.
    pub(crate) async fn trim(&self, before: Timestamp) -> Result<u64, Error> {
        let mut gone = 0;
        loop {
            let some = self
                .write(move |c| retention::trim(c, before, PIECE))
                .await?;
            if some == 0 {
                return Ok(gone);
            }
            gone += some;
        }
    }
}
