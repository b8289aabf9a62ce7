//! `backup.toml`: what a backup is of, until when it may be kept, and every file of it.

use std::fs;
use std::path::{Component, Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::whole::Kind;

use super::{Failure, disk};

/// The file's name in a backup.
pub(super) const FILE: &str = "backup.toml";
/// The format of the manifest and of the folder.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// What was acknowledged before is in it.
    pub begun: Timestamp,
    pub made: Timestamp,
    /// From then on it is not to be kept any more.
    pub expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Of the data files; 0: there was none.
    pub formats: Formats,
    /// In the order of their paths from the backup's folder.
    #[serde(rename = "file")]
    pub files: Vec<Entry>,
}

/// The newest release of the studio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    pub number: u64,
    pub hash: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Formats {
    pub journal: i64,
    pub accounts: i64,
    pub editor: i64,
}

impl Formats {
    pub(super) fn of(&mut self, kind: Kind) -> &mut i64 {
        match kind {
            Kind::Journal => &mut self.journal,
            Kind::Accounts => &mut self.accounts,
            Kind::Editor => &mut self.editor,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub path: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(super) fn new(begun: Timestamp, made: Timestamp, expires: Timestamp) -> Self {
        Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            begun,
            made,
            expires,
            release: None,
            formats: Formats::default(),
            files: Vec::new(),
        }
    }

    /// Of a folder that may be a backup.
    ///
    /// # Errors
    /// It is none, or one of a newer program; what is wrong with it.
    pub(crate) fn read(backup: &Path) -> Result<Self, Failure> {
        let path = backup.join(FILE);
        let shown = path.display();
        let text = fs::read_to_string(&path)
            .map_err(|e| format!("{} is no whole backup: {shown}: {e}", backup.display()))?;
        let bad = |e: toml::de::Error| format!("{shown}: {e}");
        // The format first: what a newer one has beside it is not known here.
        let table: toml::Table = text.parse().map_err(bad)?;
        let found = table.get("format").and_then(toml::Value::as_integer);
        match found {
            Some(n) if n == i64::from(FORMAT) => {}
            Some(n) if n > i64::from(FORMAT) => {
                let program = table.get("program").and_then(toml::Value::as_str);
                return Err(newer(
                    "backup",
                    n,
                    i64::from(FORMAT),
                    program.unwrap_or("unknown"),
                ));
            }
            _ => return Err(format!("{shown}: format: {found:?} is none that ever was").into()),
        }
        let manifest: Self = toml::from_str(&text).map_err(bad)?;
        let mut formats = manifest.formats;
        for (kind, name) in super::FILES {
            let (found, newest) = (*formats.of(kind), kind.newest());
            if found > newest {
                return Err(newer(name, found, newest, &manifest.program));
            }
        }
        for entry in &manifest.files {
            let plain = |c: Component<'_>| matches!(c, Component::Normal(_));
            let below = [super::DATA, super::KNOWLEDGE]
                .iter()
                .any(|f| Path::new(&entry.path).starts_with(f));
            if !below || !Path::new(&entry.path).components().all(plain) {
                return Err(format!("{shown}: «{}» is no place in a backup", entry.path).into());
            }
        }
        Ok(manifest)
    }

    pub(super) fn write(&self, backup: &Path) -> Result<(), Failure> {
        let path = backup.join(FILE);
        disk::put(&path, toml::to_string(self)?.as_bytes()).map_err(disk::said(&path))
    }

    /// The paths of the files in `knowledge/`, from there.
    pub(super) fn knowledge(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.files.iter().filter_map(|e| {
            let below = e.path.strip_prefix(super::KNOWLEDGE)?;
            Some((below.strip_prefix('/')?, e))
        })
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|e| e.bytes).sum()
    }
}

fn newer(what: &str, found: i64, newest: i64, program: &str) -> Failure {
    format!(
        "{what} has format {found}, this program ({}) knows formats up to {newest}: use the newer program, version \
         {program} or later",
        env!("CARGO_PKG_VERSION")
    )
    .into()
}
