//! The original checkpoint from its hub repository, with curl, which resumes.

use std::path::Path;
use std::process::Command;

use super::pypi::{Failure, run};
use super::{Inputs, Progress};
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::manifest::{Hub, HubFile, Manifest};

/// Every file of the repository in `download`, checked where the manifest knows a digest.
pub(super) fn collect(
    manifest: &Manifest,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<Inputs> {
    let hub = manifest.hub.as_ref().ok_or_else(|| {
        Error::Fetch(format!(
            "the manifest of {} names no hub repository",
            manifest.name
        ))
    })?;
    for file in &hub.files {
        let path = download.join(&file.name);
        if !path.is_file() || digest::check(&path, file.sha256.as_deref()).is_err() {
            get(hub, &manifest.revision, file, &path, progress)?;
        }
    }
    Ok(Inputs::Checkpoint {
        weights: download.join("model.safetensors"),
        config: download.join("config.json"),
        tokenizer: download.join("tokenizer.json"),
    })
}

/// One file of the repository at `path`, checked where its digest is known.
pub(super) fn get(
    hub: &Hub,
    revision: &str,
    file: &HubFile,
    path: &Path,
    progress: &mut dyn Progress,
) -> Result<()> {
    let url = format!(
        "{}/{}/resolve/{revision}/{}",
        hub.endpoint, hub.repository, file.name
    );
    let part = path.with_file_name(format!("{}.part", file.name));
    let mut command = Command::new("curl");
    command
        .args([
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--proto",
            "=https,http,file",
        ])
        .args([
            "--retry",
            "3",
            "--connect-timeout",
            "20",
            "--continue-at",
            "-",
            "--output",
        ])
        .arg(&part)
        .arg(&url);
    progress.begin(&format!("download {}", file.name), file.bytes);
    let grown = || std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
    let advice = format!(
        "Or put {} into one folder and fetch from that folder.",
        hub.files
            .iter()
            .map(|file| file.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    match run(command, |progress| progress.advance(grown()), progress) {
        Ok(()) => {}
        Err(Failure::Start(error)) => {
            return Err(Error::Fetch(format!(
                "cannot start curl ({error}): install it. {advice}"
            )));
        }
        Err(Failure::Exit(words)) => {
            return Err(Error::Fetch(format!(
                "curl could not download {url}; what arrived is kept and the next fetch goes on from there. \
                 Is there a network? {advice}\ncurl said: {words}"
            )));
        }
    }
    if let Err(error) = digest::check(&part, file.sha256.as_deref()) {
        // A wrong file must not be resumed.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    std::fs::rename(&part, path).at("rename", &part)
}
