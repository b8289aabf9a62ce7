//! A folder of knowledge as plain values, so that everything after it is pure.

use std::io;
use std::path::Path;

/// A text file, its path relative to the knowledge folder, with `/` between the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub text: String,
}

/// The largest file that is read, in bytes. Articles are a few kilobytes.
const MAX_FILE: u64 = 1 << 20;

/// Reads every `.md`, `.toml` and `.txt` file below `root`, in the order of their paths. Hidden files and folders
/// (a leading dot) are left out, and so are links.
///
/// # Errors
/// When the folder or a file cannot be read, is larger than 1 MiB or is not UTF-8; the error names the path.
pub fn load(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(dir: &Path, prefix: &str, into: &mut Vec<File>) -> io::Result<()> {
    let named =
        |e: io::Error, path: &Path| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    for entry in std::fs::read_dir(dir).map_err(|e| named(e, dir))? {
        let entry = entry.map_err(|e| named(e, dir))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type().map_err(|e| named(e, &path))?;
        if kind.is_dir() {
            walk(&path, &relative, into)?;
        } else if kind.is_file() && [".md", ".toml", ".txt"].iter().any(|e| name.ends_with(e)) {
            let size = entry.metadata().map_err(|e| named(e, &path))?.len();
            if size > MAX_FILE {
                let e = io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{size} bytes: at most {MAX_FILE} are read"),
                );
                return Err(named(e, &path));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| named(e, &path))?;
            into.push(File {
                path: relative,
                text,
            });
        }
    }
    Ok(())
}
