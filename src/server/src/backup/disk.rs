//! Files and folders that outlive a power cut, and who holds a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::Failure;
pub(super) use crate::runtime::{put, sync};

/// The file whose lock says who has a folder. It stays: a lock on a file that is deleted holds nobody off.
pub(super) const LOCK: &str = "lock";
const BLOCK: usize = 1 << 20;

pub(super) fn said(path: &Path) -> impl FnOnce(io::Error) -> Failure + use<> {
    let path = path.display().to_string();
    move |e| format!("{path}: {e}").into()
}

/// Takes a data folder for this process, for as long as the file lives; the folder is made where it is not there,
/// for its owner alone. The system gives it back however the process ends.
///
/// # Errors
/// Another process has it, or the system says no.
pub(crate) fn claim(data: &Path) -> Result<File, Failure> {
    folder(data).map_err(|e| format!("the data folder {}: {e}", data.display()))?;
    lock(data, LOCK)?.ok_or_else(|| {
        format!(
            "the data folder {} is in use: another process serves from it or restores into it",
            data.display()
        )
        .into()
    })
}

/// Takes the lock of a name in a folder; none when another process has it.
pub(super) fn lock(folder: &Path, name: &str) -> Result<Option<File>, Failure> {
    let path = folder.join(name);
    let mut how = OpenOptions::new();
    how.write(true).create(true).truncate(false).mode(0o600);
    let file = how.open(&path).map_err(said(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(said(&path)(e)),
    }
}

/// Makes a folder and those above it, where they are not there, for the owner alone.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Copies a file for its owner alone, and syncs it: its bytes and its SHA-256 in hexadecimal.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<(u64, String)> {
    let mut how = OpenOptions::new();
    how.write(true).create_new(true).mode(0o600);
    let mut out = how.open(to)?;
    let read = through(&mut File::open(from)?, |block| out.write_all(block))?;
    out.sync_all()?;
    Ok(read)
}

/// The bytes of a file and their SHA-256 in hexadecimal.
pub(super) fn digest(path: &Path) -> io::Result<(u64, String)> {
    through(&mut File::open(path)?, |_| Ok(()))
}

fn through(
    from: &mut File,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut block) = (Sha256::new(), 0, vec![0; BLOCK]);
    loop {
        let n = from.read(&mut block)?;
        let Some(read @ [_, ..]) = block.get(..n) else {
            return Ok((bytes, base::hex(hash.finalize())));
        };
        hash.update(read);
        each(read)?;
        bytes += n as u64;
    }
}

/// Syncs every folder below one, and itself.
pub(super) fn sync_tree(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync(root)
}

/// The plain files below a folder, by their paths from there, in order. What is hidden is nobody's knowledge, and a
/// link is not followed; a folder that is not there has none.
pub(super) fn files(root: &Path) -> io::Result<Vec<String>> {
    fn walk(dir: &Path, prefix: &str, into: &mut Vec<String>) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| {
                let why = format!("{}: not a name in UTF-8", dir.join(name).display());
                io::Error::new(io::ErrorKind::InvalidData, why)
            })?;
            if name.starts_with('.') {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                walk(&entry.path(), &format!("{prefix}{name}/"), into)?;
            } else if kind.is_file() {
                into.push(format!("{prefix}{name}"));
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    match walk(root, "", &mut out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound && !root.exists() => {}
        other => other?,
    }
    out.sort();
    Ok(out)
}

/// The entries of a folder by name, in order; none of one that is not there.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut out = Vec::new();
    for entry in entries {
        out.push(entry?.file_name().to_string_lossy().into_owned());
    }
    out.sort();
    Ok(out)
}

/// Deletes the hidden folders that a killed command left, whose names begin so. Their owner is gone: its lock was taken.
pub(super) fn tidy(folder: &Path, beginnings: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut gone = Vec::new();
    for name in names(folder)? {
        if beginnings.iter().any(|b| name.starts_with(b)) {
            let path = folder.join(name);
            fs::remove_dir_all(&path)?;
            gone.push(path);
        }
    }
    Ok(gone)
}
