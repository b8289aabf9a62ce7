//! The last part of a restore: what is there is set aside, and what lies ready is moved into place.
//!
//! `restore.toml` in the data folder is there from before the first move until after the last. Each of its two steps
//! can be done again from wherever it was broken off, without the backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Failure, disk};
use crate::runtime::half;

/// The note of a restore that is under way, in the data folder.
pub(super) const NOTE: &str = "restore.toml";
/// What lies ready, in the data folder and in the knowledge folder.
pub(super) const READY: &str = ".restore";
/// What was there, in the data folder; with a dot before it in the knowledge folder, where only what is not hidden
/// counts.
pub(super) const ASIDE: &str = "before-restore-";

/// A restore from its first move to its last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Under {
    /// The backup's folder.
    pub backup: PathBuf,
    pub step: Step,
    /// What the old is called, once it is aside.
    pub aside: String,
    /// The knowledge folder, where it is replaced; absent where it is the backup's already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Nothing new is in place yet.
    SettingAside,
    /// Everything old is aside.
    Laying,
}

/// Told before each change; what it answers ends the work there, as a kill would.
pub(super) type Told<'a> = &'a mut dyn FnMut() -> Result<(), Failure>;

impl Under {
    pub(super) fn read(data: &Path) -> Result<Option<Self>, Failure> {
        let path = data.join(NOTE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let under = toml::from_str(&text);
                Ok(Some(under.map_err(|e| format!("{}: {e}", path.display()))?))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(disk::said(&path)(e)),
        }
    }

    fn note(&self, data: &Path) -> Result<(), Failure> {
        let path = data.join(NOTE);
        disk::put(&path, toml::to_string(self)?.as_bytes()).map_err(disk::said(&path))
    }

    /// Carries it out from wherever it is. What lies ready must have been synced.
    pub(super) fn carry_out(mut self, data: &Path, told: Told<'_>) -> Result<(), Failure> {
        told()?;
        self.note(data)?;
        if self.step == Step::SettingAside {
            set_aside(data, &self.aside, told)?;
            if let Some(knowledge) = &self.knowledge {
                set_aside(knowledge, &format!(".{}", self.aside), told)?;
            }
            self.step = Step::Laying;
            told()?;
            self.note(data)?;
        }
        lay(data, told)?;
        if let Some(knowledge) = &self.knowledge {
            lay(knowledge, told)?;
        }
        told()?;
        let note = data.join(NOTE);
        fs::remove_file(&note).map_err(disk::said(&note))?;
        disk::sync(data).map_err(disk::said(data))
    }
}

/// What a folder has that a restore would replace, by name. In a data folder nothing of ours but its lock and what a
/// restore made counts as not there; in a knowledge folder all that is hidden.
pub(super) fn old(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = disk::names(folder)?;
    let ours = [disk::LOCK, NOTE];
    let half = half(Path::new(NOTE));
    names.retain(|n| {
        let hidden = n.starts_with('.');
        !hidden && !n.starts_with(ASIDE) && !ours.contains(&n.as_str()) && Path::new(n) != half
    });
    Ok(names)
}

fn set_aside(folder: &Path, aside: &str, told: Told<'_>) -> Result<(), Failure> {
    let into = folder.join(aside);
    let names = old(folder).map_err(disk::said(folder))?;
    if names.is_empty() {
        return Ok(());
    }
    told()?;
    disk::folder(&into).map_err(disk::said(&into))?;
    for name in names {
        told()?;
        let from = folder.join(&name);
        fs::rename(&from, into.join(&name)).map_err(disk::said(&from))?;
    }
    let synced = disk::sync(&into).and_then(|()| disk::sync(folder));
    synced.map_err(disk::said(folder))
}

fn lay(folder: &Path, told: Told<'_>) -> Result<(), Failure> {
    let ready = folder.join(READY);
    for name in disk::names(&ready).map_err(disk::said(&ready))? {
        told()?;
        let to = folder.join(&name);
        fs::rename(ready.join(&name), &to).map_err(disk::said(&to))?;
    }
    told()?;
    match fs::remove_dir(&ready) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(disk::said(&ready)(e)),
        _ => {}
    }
    disk::sync(folder).map_err(disk::said(folder))
}
