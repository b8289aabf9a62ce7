//! The file: its settings and its format.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{Error, Options};

/// What kind of file of this program it is, and how it came to its newest form.
pub(crate) struct Format {
    /// Marks an SQLite file as one of this kind (`application_id`).
    pub(crate) id: i64,
    /// Step n leads from format n to format n + 1 (`user_version`). Steps that were ever released are never
    /// changed, only added to.
    pub(crate) migrations: &'static [&'static str],
    /// What SQL cannot do of the step to format n, done after all steps in the same transaction.
    pub(crate) finish: Option<(i64, Finish)>,
}

pub(crate) type Finish = fn(&Connection) -> Result<(), Error>;

/// The journal: "Borg".
pub(crate) const JOURNAL: Format = Format {
    id: 0x426f_7267,
    migrations: MIGRATIONS,
    finish: None,
};

const MIGRATIONS: &[&str] = &[DIALOGUES, LOG, STAFF, TURNS, RETENTION, ERASED];

/// The first format that knows what was erased.
pub(crate) const ERASED_SINCE: i64 = 6;

const DIALOGUES: &str = "
CREATE TABLE dialogues (
    id           TEXT PRIMARY KEY,
    token_sha256 BLOB NOT NULL CHECK (length(token_sha256) = 32),
    municipality TEXT NOT NULL,
    lang         TEXT NOT NULL,
    created_ms   INTEGER NOT NULL,
    ended_ms     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    dialogue TEXT NOT NULL REFERENCES dialogues (id),
    seq      INTEGER NOT NULL CHECK (seq > 0),
    at_ms    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    json     TEXT NOT NULL,
    PRIMARY KEY (dialogue, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE client_ids (
    dialogue  TEXT NOT NULL,
    client_id TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (dialogue, client_id),
    FOREIGN KEY (dialogue, seq) REFERENCES events (dialogue, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE callbacks (
    reference    TEXT PRIMARY KEY,
    dialogue     TEXT NOT NULL REFERENCES dialogues (id),
    municipality TEXT NOT NULL,
    phone        TEXT NOT NULL,
    topic        TEXT,
    created_ms   INTEGER NOT NULL,
    state        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX callbacks_by_municipality ON callbacks (municipality, created_ms, reference);

CREATE TABLE turns (
    turn     TEXT PRIMARY KEY,
    dialogue TEXT NOT NULL REFERENCES dialogues (id),
    at_ms    INTEGER NOT NULL,
    record   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_by_dialogue ON turns (dialogue, at_ms);

CREATE TABLE counts (
    dialogues INTEGER NOT NULL,
    events    INTEGER NOT NULL,
    callbacks INTEGER NOT NULL,
    turns     INTEGER NOT NULL
) STRICT;
INSERT INTO counts VALUES (0, 0, 0, 0);
CREATE TRIGGER dialogues_in  AFTER INSERT ON dialogues BEGIN UPDATE counts SET dialogues = dialogues + 1; END;
CREATE TRIGGER dialogues_out AFTER DELETE ON dialogues BEGIN UPDATE counts SET dialogues = dialogues - 1; END;
CREATE TRIGGER events_in     AFTER INSERT ON events    BEGIN UPDATE counts SET events = events + 1; END;
CREATE TRIGGER events_out    AFTER DELETE ON events    BEGIN UPDATE counts SET events = events - 1; END;
CREATE TRIGGER callbacks_in  AFTER INSERT ON callbacks BEGIN UPDATE counts SET callbacks = callbacks + 1; END;
CREATE TRIGGER callbacks_out AFTER DELETE ON callbacks BEGIN UPDATE counts SET callbacks = callbacks - 1; END;
CREATE TRIGGER turns_in      AFTER INSERT ON turns     BEGIN UPDATE counts SET turns = turns + 1; END;
CREATE TRIGGER turns_out     AFTER DELETE ON turns     BEGIN UPDATE counts SET turns = turns - 1; END;
";

/// An ordered log, or this node's mirror of it; a link is a u64, kept as the same bits. In the journal that of the
/// contact centre, in the studio's file that of the releases.
pub(crate) const LOG: &str = "
CREATE TABLE log_ends (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    generation  TEXT NOT NULL,
    base        INTEGER NOT NULL,
    base_link   INTEGER NOT NULL,
    base_ms     INTEGER NOT NULL,
    head        INTEGER NOT NULL CHECK (head >= base),
    head_link   INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    beat_ms     INTEGER NOT NULL,
    beat_ttl_ms INTEGER NOT NULL
) STRICT;
INSERT INTO log_ends VALUES (1, lower(hex(randomblob(10))), 0, 0, 0, 0, 0, 0, 0, 0);

CREATE TABLE log (
    seq   INTEGER PRIMARY KEY CHECK (seq > 0),
    link  INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    node  TEXT NOT NULL,
    id    TEXT NOT NULL UNIQUE,
    body  BLOB NOT NULL
) STRICT;

CREATE TABLE log_lost (
    id    TEXT PRIMARY KEY,
    seq   INTEGER NOT NULL,
    link  INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    node  TEXT NOT NULL,
    body  BLOB NOT NULL
) STRICT;

CREATE TABLE log_snapshot (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    seq   INTEGER NOT NULL,
    link  INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE log_nodes (
    node     TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Lines that only staff see, and the file's own name: numbers of events are of this file alone.
const STAFF: &str = "
CREATE INDEX callbacks_waiting ON callbacks (created_ms, reference) WHERE state = 'waiting';

CREATE TABLE staff_lines (
    item     TEXT NOT NULL,
    id       TEXT NOT NULL,
    dialogue TEXT,
    at_ms    INTEGER NOT NULL,
    sender   TEXT NOT NULL,
    name     TEXT,
    text     TEXT NOT NULL,
    PRIMARY KEY (item, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_lines_by_dialogue ON staff_lines (dialogue, at_ms);

CREATE TABLE journal (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
) STRICT;
INSERT INTO journal VALUES (1, lower(hex(randomblob(8))));
";

/// The latest turns of all dialogues, for the editors.
const TURNS: &str = "CREATE INDEX turns_by_time ON turns (at_ms, turn)";

/// What finds the old, what stays of it, and what was deleted when.
const RETENTION: &str = "
CREATE INDEX dialogues_by_time ON dialogues (created_ms);
CREATE INDEX callbacks_by_dialogue ON callbacks (dialogue);
CREATE INDEX callbacks_by_time ON callbacks (created_ms);
CREATE INDEX staff_lines_by_time ON staff_lines (at_ms);
CREATE INDEX log_by_time ON log (at_ms);

CREATE TABLE tallies (
    day          TEXT NOT NULL,
    municipality TEXT NOT NULL,
    what         TEXT NOT NULL,
    n            INTEGER NOT NULL,
    PRIMARY KEY (day, municipality, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE deletions (
    id    INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    json  TEXT NOT NULL
) STRICT;
";

/// Dialogues that were erased, and must not come back with the copies of them in the contact centre's log; of their
/// ids the SHA-256 alone. And the way from a callback's reference to its dialogue.
const ERASED: &str = "
CREATE TABLE erased (
    dialogue_sha256 BLOB PRIMARY KEY CHECK (length(dialogue_sha256) = 32),
    at_ms           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_reference ON events (json_extract(json, '$.reference')) WHERE kind = 'callback_saved';
";

/// Opens or creates the file, readable by its owner alone, and brings it to the newest format.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Connection, Error> {
    open_as(&JOURNAL, path, options)
}

pub(crate) fn in_memory(options: &Options) -> Result<Connection, Error> {
    set_up(&JOURNAL, Connection::open_in_memory()?, options)
}

/// As [`open`], for a file of another kind.
pub(crate) fn open_as(
    format: &Format,
    path: &Path,
    options: &Options,
) -> Result<Connection, Error> {
    create_private(path).map_err(|e| Error::Io(format!("{}: {e}", path.display())))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    set_up(format, Connection::open_with_flags(path, flags)?, options)
}

/// SQLite would create the file for all to read, but it holds what citizens wrote. The WAL takes its
/// permissions from it.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut how = std::fs::OpenOptions::new();
    how.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
    match how.open(path) {
        Ok(_) => sync_folder(path),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

/// A new file is there after a power cut only when its folder has been synced too.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

fn set_up(format: &Format, mut conn: Connection, options: &Options) -> Result<Connection, Error> {
    conn.busy_timeout(options.patience)?;
    // Before anything is changed: is it ours, and do we know it?
    let id: i64 = conn.query_one("PRAGMA application_id", [], |r| r.get(0))?;
    let tables: i64 = conn.query_one("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if id != format.id && (id != 0 || tables > 0) {
        return Err(Error::Corrupt(
            "an SQLite file of another program".to_owned(),
        ));
    }
    // Only a file without tables takes it: pages that are freed can be given back. Zeros are written over what is
    // deleted in any file.
    if tables == 0 {
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    let _: i64 = conn.query_one("PRAGMA secure_delete = ON", [], |r| r.get(0))?;
    // A statement that returns its new value, hence not `execute`; in memory it stays "memory".
    let _: String = conn.query_one("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY",
    )?;
    migrate(format, &mut conn)?;
    if let Some(pages) = options.max_pages {
        let _: i64 = conn.query_one(&format!("PRAGMA max_page_count = {pages}"), [], |r| {
            r.get(0)
        })?;
    }
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

fn migrate(format: &Format, conn: &mut Connection) -> Result<(), Error> {
    // In one immediate transaction, so that two programs that start at once do not both migrate.
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = tx.query_one("PRAGMA user_version", [], |r| r.get(0))?;
    let newest = i64::try_from(format.migrations.len()).unwrap_or(i64::MAX);
    if !(0..=newest).contains(&found) {
        return Err(Error::Version { found, newest });
    }
    for step in format
        .migrations
        .iter()
        .skip(usize::try_from(found).unwrap_or(0))
    {
        tx.execute_batch(step)?;
    }
    if let Some((step, finish)) = format.finish
        && found < step
    {
        finish(&tx)?;
    }
    if found < newest {
        let id = format.id;
        tx.execute_batch(&format!(
            "PRAGMA application_id = {id}; PRAGMA user_version = {newest}"
        ))?;
    }
    tx.commit()?;
    Ok(())
}
