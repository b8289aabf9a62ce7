//! The widget's script under a name that says what is in it, of this version and of those before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha384};

/// Where scripts are kept, in the data folder.
pub(crate) const FOLDER: &str = "widget";
const BUILT: &str = "dist/borgerlinje.js";
const BEFORE: &str = "borgerlinje-";
const AFTER: &str = ".js";
/// Bytes of the hash that are in the name.
const NAMED: usize = 16;

/// One version of the script.
pub(crate) struct Script {
    pub bytes: Vec<u8>,
    digest: [u8; 48],
}

impl Script {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let digest = Sha384::digest(&bytes).into();
        Self { bytes, digest }
    }

    /// What it is called where it may be kept for ever.
    pub(crate) fn name(&self) -> String {
        let hash = base::hex(&self.digest[..NAMED]);
        format!("{BEFORE}{hash}{AFTER}")
    }

    /// As browsers hold a script to it.
    pub(crate) fn integrity(&self) -> String {
        format!("sha384-{}", STANDARD.encode(self.digest))
    }
}

/// Which version was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The one that is built.
    Current,
    Earlier,
}

/// The script as it is built, and as it was.
pub(crate) struct Scripts {
    built: PathBuf,
    kept: PathBuf,
}

/// Whether this is the name of a version: nothing else is looked for on the disk.
fn names_one(name: &str) -> bool {
    let hash = name
        .strip_prefix(BEFORE)
        .and_then(|n| n.strip_suffix(AFTER));
    hash.is_some_and(|h| {
        h.len() == 2 * NAMED && h.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

impl Scripts {
    pub(crate) fn new(widget: &Path, data: &Path) -> Self {
        Self {
            built: widget.join(BUILT),
            kept: data.join(FOLDER),
        }
    }

    /// Where it is built.
    pub(crate) fn built(&self) -> &Path {
        &self.built
    }

    /// The one that is built. Blocks.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn current(&self) -> io::Result<Script> {
        fs::read(&self.built).map(Script::of)
    }

    /// The version of that name, where it is built or kept. Blocks.
    pub(crate) fn find(&self, name: &str) -> Option<(Version, Script)> {
        if !names_one(name) {
            return None;
        }
        let named = |script: &Script| script.name() == name;
        if let Some(script) = self.current().ok().filter(named) {
            return Some((Version::Current, script));
        }
        let kept = fs::read(self.kept.join(name)).map(Script::of).ok();
        Some((Version::Earlier, kept.filter(named)?))
    }

    /// Whether that one is kept, whole or not.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.kept.join(name).is_file()
    }

    /// Keeps the one that is built, with the time at which it was the newest. Blocks.
    ///
    /// # Errors
    /// The data folder's. A script that is not built is nobody's fault here.
    pub(crate) fn keep(&self, now: Timestamp) -> io::Result<()> {
        let Ok(script) = self.current() else {
            return Ok(());
        };
        let path = self.kept.join(script.name());
        let whole = fs::read(&path).is_ok_and(|there| there == script.bytes);
        if whole {
            let file = fs::OpenOptions::new().write(true).open(&path)?;
            return file.set_modified(now.into());
        }
        super::put(&path, &script.bytes, false, Some(now)).map(|_| ())
    }

    /// Deletes those that were the newest before that, and answers how many. Blocks.
    ///
    /// # Errors
    /// The data folder's.
    pub(crate) fn forget(&self, before: Timestamp) -> io::Result<usize> {
        let mut gone = 0;
        for (name, last) in self.earlier()? {
            if last < before {
                fs::remove_file(self.kept.join(name))?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Those that were built before, each with the time at which it was still the newest. Blocks.
    ///
    /// # Errors
    /// The data folder's.
    pub(crate) fn earlier(&self) -> io::Result<Vec<(String, Timestamp)>> {
        let current = self.current().ok().map(|s| s.name());
        let entries = match fs::read_dir(&self.kept) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut out = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if names_one(&name) && current.as_ref() != Some(&name) {
                let last = entry.metadata()?.modified()?;
                let last = Timestamp::try_from(last).map_err(io::Error::other)?;
                out.push((name, last));
            }
        }
        out.sort();
        Ok(out)
    }
}
