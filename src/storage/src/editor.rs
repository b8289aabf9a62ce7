//! What the editors' studio keeps: drafts with every version, releases with every text, and what is live.
//!
//! Texts are stored once each, by their SHA-256. A release is written in two steps: [`Editor::begin_release`] keeps
//! what it will change before any file of the knowledge is touched, [`Editor::end_release`] says that the files are
//! as they should be. Whoever starts and finds one that began and did not end brings it to an end. The JSON of
//! drafts, versions, comments and releases is opaque here.

mod drafts;
mod releases;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::log::{Log, Position, RedisOptions};
use crate::schema::{Format, LOG, open_as};
use crate::{Error, Journal, Options};

/// "Bred".
pub(crate) const FORMAT: Format = Format {
    id: 0x4272_6564,
    migrations: &[FIRST, LOG, SHARED, PAGES, THRESHOLDS],
    finish: None,
};

const FIRST: &str = "
CREATE TABLE texts (
    sha256 TEXT PRIMARY KEY,
    text   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE live (
    path TEXT PRIMARY KEY,
    text TEXT NOT NULL REFERENCES texts (sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE releases (
    number INTEGER PRIMARY KEY,
    state  TEXT NOT NULL CHECK (state IN ('writing', 'live', 'undone')),
    hash   TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,
    meta   TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_release_is_written ON releases (state) WHERE state = 'writing';

CREATE TABLE release_files (
    release INTEGER NOT NULL REFERENCES releases (number),
    path    TEXT NOT NULL,
    before  TEXT REFERENCES texts (sha256),
    found   TEXT REFERENCES texts (sha256),
    after   TEXT REFERENCES texts (sha256),
    PRIMARY KEY (release, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_files_by_path ON release_files (path, release);

CREATE TABLE drafts (
    id         TEXT PRIMARY KEY,
    state      TEXT NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    changed_ms INTEGER NOT NULL,
    meta       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_state ON drafts (state, changed_ms);

CREATE TABLE draft_versions (
    draft   TEXT NOT NULL REFERENCES drafts (id),
    version INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    meta    TEXT NOT NULL,
    PRIMARY KEY (draft, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE draft_files (
    draft   TEXT NOT NULL,
    version INTEGER NOT NULL,
    path    TEXT NOT NULL,
    base    TEXT REFERENCES texts (sha256),
    text    TEXT REFERENCES texts (sha256),
    PRIMARY KEY (draft, version, path),
    FOREIGN KEY (draft, version) REFERENCES draft_versions (draft, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE comments (
    id    INTEGER PRIMARY KEY,
    draft TEXT NOT NULL REFERENCES drafts (id),
    at_ms INTEGER NOT NULL,
    meta  TEXT NOT NULL
) STRICT;
CREATE INDEX comments_by_draft ON comments (draft, id);
";

/// Where releases lie in the log that several nodes share, and which files of the folder were not written because
/// somebody had changed them by hand, with the text that they had changed.
const SHARED: &str = "
ALTER TABLE releases ADD COLUMN seq INTEGER;
ALTER TABLE releases ADD COLUMN link INTEGER;

CREATE TABLE by_hand (
    path TEXT PRIMARY KEY,
    base TEXT REFERENCES texts (sha256)
) STRICT, WITHOUT ROWID;
";

/// Pages of the web that articles came from, each as it was when it was last brought in.
const PAGES: &str = "
CREATE TABLE pages (
    layer   TEXT NOT NULL,
    address TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    text    TEXT NOT NULL REFERENCES texts (sha256),
    PRIMARY KEY (layer, address)
) STRICT, WITHOUT ROWID;
";

/// What other thresholds would have given with a release, by its hash.
const THRESHOLDS: &str = "
CREATE TABLE thresholds (
    hash  TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    json  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// The studio's file. Clones share it. Methods fail as [`Journal`]'s do: Overloaded, Closed, Full, Io.
#[derive(Clone)]
pub struct Editor {
    file: Journal,
}

/// A file that a release changes; `None` is a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    pub path: String,
    /// In the release before.
    pub before: Option<String>,
    /// In the folder when the release began: others may have changed it since.
    pub found: Option<String>,
    pub after: Option<String>,
}

/// A release to be.
#[derive(Clone, Debug)]
pub struct NewRelease {
    pub hash: String,
    pub at: Timestamp,
    /// JSON.
    pub meta: String,
    pub files: Vec<ReleaseFile>,
    /// Its number and its place in the log that several nodes share; `None`: the next number, and no log.
    pub shared: Option<(u64, Position)>,
}

/// A release as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    pub number: u64,
    /// `writing`, `live` (it became so), `undone` (its files could not be written).
    pub state: String,
    pub hash: String,
    pub at: Timestamp,
    pub meta: String,
    /// In the log that several nodes share.
    pub position: Option<Position>,
}

/// A file of a draft: from what, to what; `None` is a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftText {
    pub path: String,
    pub base: Option<String>,
    pub text: Option<String>,
}

/// A draft as it is stored, without its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    pub id: String,
    pub state: String,
    pub version: u64,
    pub changed: Timestamp,
    /// JSON.
    pub meta: String,
}

/// One version of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub version: u64,
    pub at: Timestamp,
    pub meta: String,
}

/// What somebody said of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRow {
    pub id: u64,
    pub at: Timestamp,
    pub meta: String,
}

/// What a draft becomes.
#[derive(Clone, Debug)]
pub struct DraftChange {
    pub id: String,
    /// The version that it must have; 0: it must not be there.
    pub expected: u64,
    pub state: String,
    pub at: Timestamp,
    pub meta: String,
    /// A new version with these files, and its JSON; `None` leaves the texts as they are.
    pub version: Option<(String, Vec<DraftText>)>,
}

impl Editor {
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

    /// The log of releases that the nodes of this Redis share, mirrored in this file.
    ///
    /// # Errors
    /// As [`Log::redis`].
    pub fn log(&self, node: &str, options: &RedisOptions) -> Result<Log, crate::log::Error> {
        Log::redis(self.file.clone(), node, options)
    }

    /// What was live when the last release ended, by path. Empty before the first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn live(&self) -> Result<Vec<(String, String)>, Error> {
        self.file.read(releases::live).await
    }

    /// Keeps a release before its files are written; its number.
    ///
    /// # Errors
    /// Taken when another began and did not end.
    pub async fn begin_release(&self, new: NewRelease) -> Result<u64, Error> {
        self.file.write(move |c| releases::begin(c, &new)).await
    }

    /// The release is in the folder: it is live, and the draft that it came from is published, unless that has
    /// another version by now.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn end_release(
        &self,
        number: u64,
        draft: Option<(String, u64)>,
    ) -> Result<(), Error> {
        self.file
            .write(move |c| releases::end(c, number, draft.as_ref()))
            .await
    }

    /// The release could not be written, and the folder is as it was.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn give_up_release(&self, number: u64) -> Result<(), Error> {
        self.file.write(move |c| releases::give_up(c, number)).await
    }

    /// The release that began and did not end.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn unfinished(&self) -> Result<Option<(ReleaseRow, Vec<ReleaseFile>)>, Error> {
        self.file.read(releases::unfinished).await
    }

    /// Releases that became live, newest first, below a number.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn releases(&self, below: Option<u64>, limit: u32) -> Result<Vec<ReleaseRow>, Error> {
        self.file
            .read(move |c| releases::list(c, below, limit))
            .await
    }

    /// A release that became live, and its files.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn release(
        &self,
        number: u64,
    ) -> Result<Option<(ReleaseRow, Vec<ReleaseFile>)>, Error> {
        self.file.read(move |c| releases::one(c, number)).await
    }

    /// Releases that changed a file of one of these paths, newest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn releases_of(
        &self,
        paths: Vec<String>,
        limit: u32,
    ) -> Result<Vec<ReleaseRow>, Error> {
        self.file
            .read(move |c| releases::of(c, &paths, limit))
            .await
    }

    /// The newest release that became live, if it has a place in the log: what came after it without a log, as
    /// while this node was alone, is not in the log.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn placed(&self) -> Result<Option<ReleaseRow>, Error> {
        self.file.read(releases::placed).await
    }

    /// Says where in the log a release lies.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn place(&self, number: u64, at: Position) -> Result<(), Error> {
        self.file
            .write(move |c| releases::place(c, number, at))
            .await
    }

    /// Says which files of a release were left as somebody had changed them by hand; its others are as they should
    /// be. A file that was left before keeps the text that it was changed from.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn leave(&self, number: u64, paths: Vec<String>) -> Result<(), Error> {
        self.file
            .write(move |c| releases::leave(c, number, &paths))
            .await
    }

    /// The files that were left, by path, and what they were changed from.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn by_hand(&self) -> Result<Vec<(String, Option<String>)>, Error> {
        self.file.read(releases::by_hand).await
    }

    /// These files are as the release has them again.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn as_released(&self, paths: Vec<String>) -> Result<(), Error> {
        self.file
            .write(move |c| releases::as_released(c, &paths))
            .await
    }

    /// Adds or changes a draft; false where it has another version by now.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn save_draft(&self, change: DraftChange) -> Result<bool, Error> {
        self.file.write(move |c| drafts::save(c, &change)).await
    }

    /// Drafts in one of these states, the one changed last first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn drafts(&self, states: Vec<String>, limit: u32) -> Result<Vec<DraftRow>, Error> {
        self.file
            .read(move |c| drafts::list(c, &states, limit))
            .await
    }

    /// A draft, and the files of its newest version.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn draft(&self, id: &str) -> Result<Option<(DraftRow, Vec<DraftText>)>, Error> {
        let id = id.to_owned();
        self.file.read(move |c| drafts::one(c, &id)).await
    }

    /// The versions of a draft, oldest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn versions(&self, id: &str) -> Result<Vec<VersionRow>, Error> {
        let id = id.to_owned();
        self.file.read(move |c| drafts::versions(c, &id)).await
    }

    /// The files of one version of a draft.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn version(&self, id: &str, version: u64) -> Result<Vec<DraftText>, Error> {
        let id = id.to_owned();
        self.file
            .read(move |c| drafts::files(c, &id, version))
            .await
    }

    /// Keeps what pages of the web said when they were brought in for a layer: address, text.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn keep_pages(
        &self,
        layer: String,
        at: Timestamp,
        pages: Vec<(String, String)>,
    ) -> Result<(), Error> {
        self.file
            .write(move |c| drafts::keep_pages(c, &layer, at, &pages))
            .await
    }

    /// What these pages said when they were last brought in for a layer: address, text.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn pages(
        &self,
        layer: String,
        addresses: Vec<String>,
    ) -> Result<Vec<(String, String)>, Error> {
        self.file
            .read(move |c| drafts::pages(c, &layer, &addresses))
            .await
    }

    /// The paths that drafts in one of these states change: draft, path.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn touched(&self, states: Vec<String>) -> Result<Vec<(String, String)>, Error> {
        self.file.read(move |c| drafts::touched(c, &states)).await
    }

    /// # Errors
    /// Full, Io.
    pub async fn comment(&self, draft: &str, at: Timestamp, meta: String) -> Result<(), Error> {
        let draft = draft.to_owned();
        self.file
            .write(move |c| drafts::comment(c, &draft, at, &meta))
            .await
    }

    /// What was said of a draft, oldest first.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn comments(&self, draft: &str) -> Result<Vec<CommentRow>, Error> {
        let draft = draft.to_owned();
        self.file.read(move |c| drafts::comments(c, &draft)).await
    }
}

/// Keeps a text once; its key.
fn keep(c: &Connection, text: Option<&str>) -> Result<Option<String>, Error> {
    let Some(text) = text else { return Ok(None) };
    let key = base::hex(Sha256::digest(text.as_bytes()));
    c.prepare_cached("INSERT INTO texts VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![key, text])?;
    Ok(Some(key))
}

fn text_of(c: &Connection, key: Option<String>) -> Result<Option<String>, Error> {
    let Some(key) = key else { return Ok(None) };
    let found: Option<String> = c
        .prepare_cached("SELECT text FROM texts WHERE sha256 = ?1")?
        .query_row([&key], |r| r.get(0))
        .optional()?;
    found
        .map(Some)
        .ok_or_else(|| Error::Corrupt(format!("the text {key} is missing")))
}

/// `?` as often as there are values.
fn marks(n: usize) -> String {
    vec!["?"; n].join(", ")
}

#[cfg(test)]
mod tests;
