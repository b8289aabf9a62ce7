//! Small files that are there whole or not at all, also after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where it is laid first; what a kill leaves there is written over by the next.
pub(crate) fn half(path: &Path) -> PathBuf {
    path.with_extension("half")
}

/// Writes a file for its owner alone, over one that may be there, and syncs it and its folder.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half = half(path);
    let mut how = OpenOptions::new();
    how.write(true).create(true).truncate(true).mode(0o600);
    let mut file = how.open(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&half, path)?;
    sync_above(path)
}

/// A file that was made or moved is there after a power cut only when its folder has been synced.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn sync_above(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => sync(above),
        _ => sync(Path::new(".")),
    }
}
