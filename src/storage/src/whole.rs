//! A data file as a whole: copied while a service writes it, looked through, and made ready after it came back.
//!
//! A copy is one `VACUUM INTO` over a connection of its own: a reader beside the writers (WAL), which sees one instant.
//! So everything that was answered before it began is in it, and nobody waits for it. Blocks for seconds.

use std::fs::File;
use std::path::Path;

use base::DialogueId;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::read::number;
use crate::schema::{self, Format};
use crate::types::sha256;
use crate::{Accounts, Editor, Error, Journal, Options, accounts, editor};

/// Which of the data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Journal,
    Accounts,
    Editor,
}

impl Kind {
    /// The newest format that this program knows, from 1.
    pub fn newest(self) -> i64 {
        i64::try_from(self.format().migrations.len()).unwrap_or(i64::MAX)
    }

    fn format(self) -> &'static Format {
        match self {
            Self::Journal => &schema::JOURNAL,
            Self::Accounts => &accounts::FORMAT,
            Self::Editor => &editor::FORMAT,
        }
    }
}

/// Copies a file as it is at one instant, into one that its owner alone may read, and syncs it; its format.
///
/// # Errors
/// Corrupt, Version, Locked, Full, Io. What was written then is of no use.
pub fn copy(kind: Kind, from: &Path, to: &Path) -> Result<i64, Error> {
    let conn = Connection::open_with_flags(
        from,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(Options::default().patience)?;
    let found = known(kind, &conn)?;
    // SQLite takes an empty file that is there, and with it who may read it.
    schema::create_private(to).map_err(|e| at(to, &e))?;
    let target = to
        .to_str()
        .ok_or_else(|| Error::Io(format!("{}: not a name in UTF-8", to.display())))?;
    conn.execute("VACUUM INTO ?1", [target])?;
    File::open(to)
        .and_then(|f| f.sync_all())
        .map_err(|e| at(to, &e))?;
    Ok(found)
}

/// Reads every page of a file that nobody writes; its format.
///
/// # Errors
/// Corrupt, Version, Io.
pub fn look_through(kind: Kind, path: &Path) -> Result<i64, Error> {
    let conn = read_only(path)?;
    let found = known(kind, &conn)?;
    let said: String = conn.query_one("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if said == "ok" {
        Ok(found)
    } else {
        Err(Error::Corrupt(said))
    }
}

/// The newest release in the studio's file, also one that is being written: number, state, hash. None before the first.
///
/// # Errors
/// Corrupt, Locked, Io.
pub fn newest_release(path: &Path) -> Result<Option<(u64, String, String)>, Error> {
    let newest = "SELECT number, state, hash FROM releases ORDER BY number DESC LIMIT 1";
    let row = read_only(path)?
        .query_one(newest, [], |r| Ok((number(r, 0)?, r.get(1)?, r.get(2)?)))
        .optional()?;
    Ok(row)
}

/// SHA-256 of the ids of the dialogues that were erased, each with when, oldest first.
///
/// # Errors
/// Corrupt, Locked, Io.
pub fn erased(path: &Path) -> Result<Vec<([u8; 32], Timestamp)>, Error> {
    let conn = read_only(path)?;
    if known(Kind::Journal, &conn)? < schema::ERASED_SINCE {
        return Ok(Vec::new());
    }
    let mut rows =
        conn.prepare("SELECT dialogue_sha256, at_ms FROM erased ORDER BY at_ms, dialogue_sha256")?;
    let rows = rows.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (hash, ms) = row?;
        let at = Timestamp::from_millisecond(ms).map_err(|e| Error::Corrupt(e.to_string()))?;
        Ok((hash, at))
    })
    .collect()
}

/// What [`make_ready`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Dialogues that had been erased and were in the files again.
    pub erased: usize,
    pub dialogues: u64,
}

/// Makes files that came back those of a service: the newest format; another name for the journal, so that a chat
/// that stayed open reads everything anew; nobody signed in; and without the dialogues of these hashes. To be called
/// outside a runtime.
///
/// # Errors
/// As [`Journal::open`].
pub async fn make_ready(
    [journal, accounts, editor]: [&Path; 3],
    erased: &[[u8; 32]],
    now: Timestamp,
) -> Result<Ready, Error> {
    let options = Options::default();
    let journal = Journal::open(journal, &options)?;
    let accounts = Accounts::open(accounts, &options)?;
    let editor = Editor::open(editor, &options)?;
    let wanted = erased.to_vec();
    let again = journal.read(move |c| of_hashes(c, &wanted)).await?;
    for id in &again {
        accounts.erase(id).await?;
        journal.erase(id, now).await?;
    }
    let rest = erased.to_vec();
    journal
        .write(move |c| {
            // Also those that are not here: a copy in the contact centre's log must not bring them back.
            let mut add = c.prepare("INSERT OR IGNORE INTO erased VALUES (?, ?)")?;
            for hash in rest {
                add.execute(rusqlite::params![hash, now.as_millisecond()])?;
            }
            c.execute("UPDATE journal SET id = lower(hex(randomblob(8)))", [])?;
            Ok(())
        })
        .await?;
    accounts
        .end_old_sessions(Timestamp::MAX, Timestamp::MAX)
        .await?;
    let dialogues = journal.counts().await?.dialogues;
    if !again.is_empty() {
        journal.scrub().await?;
        accounts.scrub().await?;
    }
    journal.close().await?;
    accounts.close().await?;
    editor.close().await?;
    Ok(Ready {
        erased: again.len(),
        dialogues,
    })
}

fn of_hashes(conn: &Connection, hashes: &[[u8; 32]]) -> Result<Vec<DialogueId>, Error> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = conn.prepare("SELECT id FROM dialogues")?;
    let ids = all.query_map([], |r| r.get::<_, String>(0))?;
    let mut found = Vec::new();
    for id in ids {
        let id = id?;
        if hashes.contains(&sha256(&id)) {
            let parsed = id.parse();
            found.push(parsed.map_err(|_| Error::Corrupt("the id of a dialogue".to_owned()))?);
        }
    }
    Ok(found)
}

/// The format of a file that is one of this kind and not of a newer program.
fn known(kind: Kind, conn: &Connection) -> Result<i64, Error> {
    let id: i64 = conn.query_one("PRAGMA application_id", [], |r| r.get(0))?;
    if id != kind.format().id {
        return Err(Error::Corrupt(
            "an SQLite file of another kind or program".to_owned(),
        ));
    }
    let found: i64 = conn.query_one("PRAGMA user_version", [], |r| r.get(0))?;
    let newest = kind.newest();
    if (1..=newest).contains(&found) {
        Ok(found)
    } else {
        Err(Error::Version { found, newest })
    }
}

fn read_only(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Options::default().patience)?;
    Ok(conn)
}

fn at(path: &Path, e: &std::io::Error) -> Error {
    Error::Io(format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests;
