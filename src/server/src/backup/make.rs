//! Making a backup.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use base::Clock;
use indicatif::ProgressBar;
use jiff::SignedDuration;
use storage::whole::{self, Kind};

use super::manifest::{Entry, Manifest, Release};
use super::{DATA, FILES, Failure, KNOWLEDGE, NODE, disk, refuse_unfinished};
use crate::config::Config;
use crate::embed;
use crate::runtime::progress::Bars;

/// What a backup's name begins with; what one that is being made, or deleted, begins with.
pub(super) const NAME: &str = "borgerlinje-";
pub(super) const HALF: &str = ".half-";
/// One backup at a time is made into a folder, or pruned from it.
pub(super) const LOCK: &str = ".backup-lock";
/// How often it is tried to find a moment without a release.
const TRIES: u32 = 5;
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// Makes a backup below a folder and answers its path. A service may run. Blocks for seconds, and for minutes where
/// there is much. What fails leaves nothing behind; what is killed leaves a hidden folder, which the next one deletes.
///
/// # Errors
/// What cannot be read or written, in words for an operator.
pub(crate) fn make(
    config: &Config,
    into: &Path,
    keep_days: u16,
    clock: &dyn Clock,
    bars: Bars,
) -> Result<(PathBuf, Manifest), Failure> {
    refuse_unfinished(&config.data)?;
    if !config.data.join("journal.sqlite").is_file() {
        return Err(format!(
            "there is no journal in {}: set BORGERLINJE_DATA",
            config.data.display()
        )
        .into());
    }
    disk::folder(into).map_err(disk::said(into))?;
    let _lock = disk::lock(into, LOCK)?
        .ok_or_else(|| format!("another backup is being made in {}", into.display()))?;
    disk::tidy(into, &[HALF, super::prune::GONE]).map_err(disk::said(into))?;
    let begun = clock.now();
    let mut name = format!("{NAME}{}", begun.strftime("%Y%m%dT%H%M%SZ"));
    while into.join(&name).exists() {
        name.push('x');
    }
    let half = into.join(format!("{HALF}{name}"));
    let made = fill(config, &half, bars).and_then(|mut manifest| {
        manifest.begun = begun;
        manifest.made = clock.now();
        let kept = SignedDuration::from_hours(24 * i64::from(keep_days));
        manifest.expires = manifest.made.checked_add(kept)?;
        manifest.write(&half)?;
        disk::sync_tree(&half).map_err(disk::said(&half))?;
        let whole = into.join(&name);
        fs::rename(&half, &whole).map_err(disk::said(&whole))?;
        disk::sync(into).map_err(disk::said(into))?;
        Ok((whole, manifest))
    });
    if made.is_err() {
        // It holds what citizens wrote, and is of no use.
        let _ = fs::remove_dir_all(&half);
    }
    made
}

fn fill(config: &Config, half: &Path, bars: Bars) -> Result<Manifest, Failure> {
    for folder in [DATA, KNOWLEDGE] {
        let path = half.join(folder);
        disk::folder(&path).map_err(disk::said(&path))?;
    }
    let zero = jiff::Timestamp::UNIX_EPOCH;
    let mut manifest = Manifest::new(zero, zero, zero);
    let data = half.join(DATA);
    for (kind, name) in FILES {
        let (from, to) = (config.data.join(name), data.join(name));
        if !from.is_file() {
            continue;
        }
        *manifest.formats.of(kind) = if kind == Kind::Editor {
            let (format, release) = studio(&config.knowledge, &from, half, bars)?;
            manifest.release = release;
            format
        } else {
            copied(kind, &from, &to, bars)?
        };
    }
    if manifest.formats.editor == 0 {
        folder(&config.knowledge, &half.join(KNOWLEDGE), bars)?;
    }
    for name in [NODE, embed::FILE] {
        let from = config.data.join(name);
        if from.is_file() {
            disk::copy(&from, &data.join(name)).map_err(disk::said(&from))?;
        }
    }
    scripts(config, &data)?;
    manifest.files = listed(half, bars)?;
    Ok(manifest)
}

/// Copies the scripts that websites may still name. One that is deleted meanwhile has had its days.
fn scripts(config: &Config, data: &Path) -> Result<(), Failure> {
    let (from, to) = (config.data.join(embed::FOLDER), data.join(embed::FOLDER));
    for name in disk::files(&from).map_err(disk::said(&from))? {
        disk::folder(&to).map_err(disk::said(&to))?;
        match disk::copy(&from.join(&name), &to.join(&name)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                fs::remove_file(to.join(&name)).map_err(disk::said(&to))?;
            }
            copied => {
                copied.map_err(disk::said(&from))?;
            }
        }
    }
    Ok(())
}

/// Copies the studio's file and the folder so that both are of one release, or of one that is being written, which a
/// start finishes: again, when a release came between.
fn studio(
    knowledge: &Path,
    from: &Path,
    half: &Path,
    bars: Bars,
) -> Result<(i64, Option<Release>), Failure> {
    let (to, into) = (
        half.join(DATA).join(crate::editor::FILE),
        half.join(KNOWLEDGE),
    );
    for _ in 0..TRIES {
        let format = copied(Kind::Editor, from, &to, bars)?;
        let newest = whole::newest_release(&to)?;
        let still = folder(knowledge, &into, bars)?;
        if still && whole::newest_release(from)? == newest {
            let release = newest.map(|(number, _, hash)| Release { number, hash });
            return Ok((format, release));
        }
        bars.note("the knowledge changed meanwhile: once more");
        fs::remove_file(&to).map_err(disk::said(&to))?;
        fs::remove_dir_all(&into).map_err(disk::said(&into))?;
        disk::folder(&into).map_err(disk::said(&into))?;
    }
    Err("the knowledge changes all the time: try again when nothing is published".into())
}

/// Copies the knowledge folder; whether it stayed as it was meanwhile.
fn folder(knowledge: &Path, into: &Path, bars: Bars) -> Result<bool, Failure> {
    let paths = disk::files(knowledge).map_err(disk::said(knowledge))?;
    let bar = bars.counted(paths.len() as u64, "copying the knowledge");
    let mut read = Vec::new();
    for path in &paths {
        let to = into.join(path);
        if let Some(above) = to.parent() {
            disk::folder(above).map_err(disk::said(above))?;
        }
        match disk::copy(&knowledge.join(path), &to) {
            Ok(digest) => read.push(digest),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(disk::said(&knowledge.join(path))(e)),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let same = |(path, digest): (&String, &(u64, String))| {
        disk::digest(&knowledge.join(path)).is_ok_and(|now| now == *digest)
    };
    let now = disk::files(knowledge).map_err(disk::said(knowledge))?;
    Ok(now == paths && paths.iter().zip(&read).all(same))
}

/// Copies a data file on a thread of its own, and shows how much is there.
fn copied(kind: Kind, from: &Path, to: &Path, bars: Bars) -> Result<i64, Failure> {
    let bytes = fs::metadata(from).map_err(disk::said(from))?.len();
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    let bar = bars.sized(bytes, &format!("copying {name}"));
    let copied = std::thread::scope(|s| {
        let (done, wait) = channel();
        s.spawn(move || {
            // Whoever waits has not gone: the scope outlives this thread.
            let _ = done.send(whole::copy(kind, from, to));
        });
        loop {
            match wait.recv_timeout(SHOW_EVERY) {
                Ok(copied) => break copied,
                Err(RecvTimeoutError::Timeout) => {
                    bar.set_position(fs::metadata(to).map_or(0, |m| m.len()));
                }
                Err(RecvTimeoutError::Disconnected) => break Err(storage::Error::Closed),
            }
        }
    });
    bar.finish_and_clear();
    copied.map_err(|e| format!("{}: {e}", from.display()).into())
}

/// Every file of a backup that is being made, read back from the disk.
fn listed(half: &Path, bars: Bars) -> Result<Vec<Entry>, Failure> {
    let paths = disk::files(half).map_err(disk::said(half))?;
    let bytes = paths.iter().filter_map(|p| fs::metadata(half.join(p)).ok());
    let bar: ProgressBar = bars.sized(bytes.map(|m| m.len()).sum(), "summing it up");
    let mut out = Vec::new();
    for path in paths {
        let at = half.join(&path);
        let (bytes, sha256) = disk::digest(&at).map_err(disk::said(&at))?;
        bar.inc(bytes);
        out.push(Entry {
            path,
            bytes,
            sha256,
        });
    }
    bar.finish_and_clear();
    Ok(out)
}
