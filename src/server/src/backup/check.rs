//! Whether a backup is what its manifest says.

use std::path::Path;

use storage::whole;

use super::manifest::Manifest;
use super::{DATA, FILES, Failure, disk};
use crate::runtime::progress::Bars;

/// Reads every byte of a backup. Blocks for seconds, and for minutes where there is much.
///
/// # Errors
/// The first file that is missing, is another, or is damaged.
pub(crate) fn check(backup: &Path, bars: Bars) -> Result<Manifest, Failure> {
    let manifest = Manifest::read(backup)?;
    let bar = bars.sized(manifest.bytes(), "reading the backup");
    for entry in &manifest.files {
        let path = backup.join(&entry.path);
        let found = disk::digest(&path).map_err(disk::said(&path))?;
        if found != (entry.bytes, entry.sha256.clone()) {
            return Err(format!("{} is not the file that was backed up", path.display()).into());
        }
        bar.inc(entry.bytes);
    }
    bar.finish_and_clear();
    let mut formats = manifest.formats;
    for (kind, name) in FILES {
        let path = backup.join(DATA).join(name);
        if *formats.of(kind) > 0 {
            whole::look_through(kind, &path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(manifest)
}
