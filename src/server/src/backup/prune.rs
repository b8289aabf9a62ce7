//! Deleting backups that have expired: what was deleted or erased in the service is gone from them then.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::make::{HALF, LOCK, NAME};
use super::manifest::Manifest;
use super::{Failure, disk};

/// What a backup is called before it is deleted, so that half of one never looks whole.
pub(super) const GONE: &str = ".gone-";

/// What pruning did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    pub gone: Vec<PathBuf>,
    pub kept: usize,
    /// Backups whose manifest cannot be read, each with why: somebody has to look at them.
    pub unread: Vec<(PathBuf, String)>,
}

/// Deletes the backups below a folder that have expired, and what a killed command left of others.
///
/// # Errors
/// What cannot be read or deleted.
pub(crate) fn prune(folder: &Path, now: Timestamp) -> Result<Pruned, Failure> {
    if !folder.is_dir() {
        return Err(format!("{} is no folder", folder.display()).into());
    }
    let _lock = disk::lock(folder, LOCK)?
        .ok_or_else(|| format!("a backup is being made in {}", folder.display()))?;
    disk::tidy(folder, &[HALF, GONE]).map_err(disk::said(folder))?;
    let mut out = Pruned::default();
    for name in disk::names(folder).map_err(disk::said(folder))? {
        let path = folder.join(&name);
        if !name.starts_with(NAME) || !path.is_dir() {
            continue;
        }
        match Manifest::read(&path) {
            Ok(m) if m.expires <= now => {
                let gone = folder.join(format!("{GONE}{name}"));
                fs::rename(&path, &gone).map_err(disk::said(&path))?;
                fs::remove_dir_all(&gone).map_err(disk::said(&gone))?;
                out.gone.push(path);
            }
            Ok(_) => out.kept += 1,
            Err(e) => out.unread.push((path, e.to_string())),
        }
    }
    disk::sync(folder).map_err(disk::said(folder))?;
    Ok(out)
}
