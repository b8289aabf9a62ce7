//! What several targets need.

use std::path::Path;
use std::sync::OnceLock;

/// Calls `read` with a file that holds these bytes. One file a process, written over each time.
pub fn with_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder for the input"));
    let path = folder.path().join("input");
    std::fs::write(&path, bytes).expect("room for the input");
    read(&path);
}
