//! A release's files on their way into the knowledge folder.
//!
//! What will change is in the studio's file before the first byte is written here, and each new text lies whole and
//! synced beside its place before the first file is replaced. So whoever finds a release that did not end can always
//! finish it; a file that somebody else wrote meanwhile is theirs, and is left as it is.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use storage::ReleaseFile;

/// Why a release is not in the folder.
#[derive(Debug)]
pub(super) enum Broke {
    /// Somebody wrote this file just now.
    Changed(String),
    Io(String),
    /// A test stops here, as a kill would.
    #[cfg(test)]
    Killed,
}

/// Told before each step that changes the folder; what it answers ends the work there and then.
pub(super) type Step<'a> = &'a mut dyn FnMut() -> Result<(), Broke>;

fn io(path: &Path, e: &io::Error) -> Broke {
    Broke::Io(format!("{}: {e}", path.display()))
}

/// The text of a file as it lies there.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn read(root: &Path, path: &str) -> io::Result<Option<String>> {
    match fs::read_to_string(root.join(path)) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The new text's place until it is moved: hidden, so that nobody reads it. `tag` tells the nodes apart that write
/// into one folder; empty for one alone.
fn beside(path: &Path, tag: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let dot = if tag.is_empty() { "" } else { "." };
    path.with_file_name(format!(".studio-{name}{dot}{tag}.new"))
}

/// Writes what a release changes.
///
/// # Errors
/// [`Broke`]; then [`undo`] makes the folder what it was.
pub(super) fn write(
    root: &Path,
    tag: &str,
    files: &[ReleaseFile],
    step: Step<'_>,
) -> Result<(), Broke> {
    let changed = || files.iter().filter(|f| f.found != f.after);
    for f in changed() {
        if let Some(text) = &f.after {
            step()?;
            lay_beside(&root.join(&f.path), tag, text)?;
        }
    }
    for f in changed() {
        let now = read(root, &f.path).map_err(|e| io(Path::new(&f.path), &e))?;
        if now != f.found {
            return Err(Broke::Changed(f.path.clone()));
        }
    }
    let mut folders = BTreeSet::new();
    for f in changed() {
        step()?;
        settle(&root.join(&f.path), tag, f.after.is_some(), &mut folders)?;
    }
    step()?;
    sync(&folders)
}

/// Finishes a release that was broken off. The paths that others wrote meanwhile, which stay theirs.
///
/// # Errors
/// What the system says.
pub(super) fn finish(root: &Path, tag: &str, files: &[ReleaseFile]) -> io::Result<Vec<String>> {
    let said = |b: Broke| match b {
        Broke::Changed(e) | Broke::Io(e) => io::Error::other(e),
        #[cfg(test)]
        Broke::Killed => io::Error::other("killed"),
    };
    let mut theirs = Vec::new();
    let mut folders = BTreeSet::new();
    for f in files {
        let path = root.join(&f.path);
        let now = read(root, &f.path)?;
        if now == f.after {
            tidy(&path, tag);
        } else if now == f.found {
            if let Some(text) = &f.after {
                lay_beside(&path, tag, text).map_err(said)?;
            }
            settle(&path, tag, f.after.is_some(), &mut folders).map_err(said)?;
        } else {
            tidy(&path, tag);
            theirs.push(f.path.clone());
        }
    }
    sync(&folders).map_err(said)?;
    Ok(theirs)
}

/// Makes the folder what it was before a release that could not be written.
///
/// # Errors
/// What the system says; the release is then finished at the next start.
pub(super) fn undo(root: &Path, tag: &str, files: &[ReleaseFile]) -> io::Result<()> {
    let back: Vec<ReleaseFile> = files
        .iter()
        .map(|f| ReleaseFile {
            path: f.path.clone(),
            before: None,
            found: f.after.clone(),
            after: f.found.clone(),
        })
        .collect();
    finish(root, tag, &back).map(drop)
}

fn tidy(path: &Path, tag: &str) {
    // It may well not be there.
    let _ = fs::remove_file(beside(path, tag));
}

fn lay_beside(path: &Path, tag: &str, text: &str) -> Result<(), Broke> {
    let new = beside(path, tag);
    let lay = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    lay().map_err(|e| io(&new, &e))
}

fn settle(
    path: &Path,
    tag: &str,
    there: bool,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<(), Broke> {
    let done = if there {
        fs::rename(beside(path, tag), path)
    } else {
        match fs::remove_file(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    };
    done.map_err(|e| io(path, &e))?;
    folders.extend(path.parent().map(Path::to_path_buf));
    Ok(())
}

/// A file that was moved is there after a power cut only when its folder has been synced.
fn sync(folders: &BTreeSet<PathBuf>) -> Result<(), Broke> {
    for folder in folders {
        fs::File::open(folder)
            .and_then(|f| f.sync_all())
            .map_err(|e| io(folder, &e))?;
    }
    Ok(())
}
