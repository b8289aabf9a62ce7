//! The way back from a backup.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base::Clock;
use storage::whole;

use super::lay::{ASIDE, READY, Step, Told, Under, old};
use super::manifest::Manifest;
use super::{DATA, FILES, Failure, disk};
use crate::config::Config;
use crate::runtime::progress::Bars;

/// What is asked of a restore.
pub(crate) struct Wanted<'a> {
    pub backup: &'a Path,
    /// Sets aside what is there.
    pub replace: bool,
    /// Also from a backup that should have been deleted.
    pub expired: bool,
    /// SHA-256 of the ids of dialogues that were erased since, as `citizen erased` prints them.
    pub erased: Vec<[u8; 32]>,
}

/// What a restore did.
#[derive(Debug)]
pub(crate) enum Restored {
    /// One that was broken off is finished.
    Finished { backup: PathBuf },
    New {
        manifest: Box<Manifest>,
        ready: whole::Ready,
        /// Where the old is, when there was any.
        aside: Vec<PathBuf>,
    },
}

/// # Errors
/// There is a restore in this data folder that was not finished: it must not be served from, or written to.
pub(crate) fn refuse_unfinished(data: &Path) -> Result<(), Failure> {
    match Under::read(data)? {
        None => Ok(()),
        Some(under) => Err(format!(
            "the restore into {} was not finished: run `borgerlinje restore {}` again",
            data.display(),
            under.backup.display()
        )
        .into()),
    }
}

/// Restores a backup into the configuration's data folder and knowledge folder, or finishes a restore that was broken
/// off. Blocks for seconds, and for minutes where there is much.
///
/// # Errors
/// The folder is in use, or not empty; the backup is not whole, has expired, or is of a newer program. Then everything
/// is as it was.
pub(crate) fn restore(
    config: &Config,
    wanted: &Wanted<'_>,
    clock: &dyn Clock,
    bars: Bars,
) -> Result<Restored, Failure> {
    restore_told(config, wanted, clock, bars, &mut || Ok(()))
}

/// As [`restore`]; tests end it at any step, as a kill would.
pub(super) fn restore_told(
    config: &Config,
    wanted: &Wanted<'_>,
    clock: &dyn Clock,
    bars: Bars,
    told: Told<'_>,
) -> Result<Restored, Failure> {
    let data = &config.data;
    let _held = super::claim(data)?;
    if let Some(under) = Under::read(data)? {
        return finish(config, wanted, under, told);
    }
    let manifest = Manifest::read(wanted.backup)?;
    if manifest.formats.journal == 0 {
        return Err(format!("{} has no journal", wanted.backup.display()).into());
    }
    if manifest.expires <= clock.now() && !wanted.expired {
        return Err(format!(
            "the backup expired at {}: what was deleted since would come back. With --expired it is restored all the same",
            manifest.expires
        )
        .into());
    }
    // What a restore that was killed before its first move left.
    for folder in [data, &config.knowledge] {
        disk::tidy(folder, &[READY]).map_err(disk::said(folder))?;
    }
    let knowledge = Some(&config.knowledge).filter(|k| !same(k, &manifest));
    let mut full = Vec::new();
    for folder in [Some(data), knowledge].into_iter().flatten() {
        if !old(folder).map_err(disk::said(folder))?.is_empty() {
            full.push(folder.clone());
        }
    }
    if let Some(first) = full.first().filter(|_| !wanted.replace) {
        return Err(format!(
            "{} is not empty: with --replace what is there is set aside, and nothing is deleted",
            first.display()
        )
        .into());
    }
    let mut erased = wanted.erased.clone();
    erased.extend(erased_before(&data.join("journal.sqlite")));
    let ready = lay_ready(data, knowledge, wanted.backup, &manifest, bars)
        .and_then(|()| made_ready(&data.join(READY), &erased, clock));
    let ready = match ready {
        Ok(ready) => ready,
        Err(e) => {
            // It holds what citizens wrote, and is of no use.
            for folder in [data, &config.knowledge] {
                let _ = fs::remove_dir_all(folder.join(READY));
            }
            return Err(e);
        }
    };
    let aside = format!("{ASIDE}{}", clock.now().strftime("%Y%m%dT%H%M%S%3fZ"));
    let hidden = format!(".{aside}");
    let under = Under {
        backup: fs::canonicalize(wanted.backup).map_err(disk::said(wanted.backup))?,
        step: Step::SettingAside,
        aside: aside.clone(),
        knowledge: knowledge.cloned(),
    };
    under.carry_out(data, told)?;
    let aside = full.into_iter().map(|folder| {
        let name = if folder == *data { &aside } else { &hidden };
        folder.join(name)
    });
    Ok(Restored::New {
        manifest: Box::new(manifest),
        ready,
        aside: aside.collect(),
    })
}

/// Goes on with a restore that was broken off after its first move: it needs nothing of the backup any more.
fn finish(
    config: &Config,
    wanted: &Wanted<'_>,
    under: Under,
    told: Told<'_>,
) -> Result<Restored, Failure> {
    let backup = under.backup.clone();
    let same =
        fs::canonicalize(wanted.backup).is_ok_and(|b| b == backup) || wanted.backup == backup;
    let here = under
        .knowledge
        .as_ref()
        .is_none_or(|k| *k == config.knowledge);
    if !same || !here {
        return Err(format!(
            "another restore is under way here: finish it first, by `borgerlinje restore {}`, with the knowledge in {}",
            backup.display(),
            under.knowledge.as_ref().unwrap_or(&config.knowledge).display()
        )
        .into());
    }
    under.carry_out(&config.data, told)?;
    Ok(Restored::Finished { backup })
}

/// Whether the knowledge folder holds just what the backup does.
fn same(knowledge: &Path, manifest: &Manifest) -> bool {
    let theirs: BTreeMap<&str, _> = manifest.knowledge().collect();
    let Ok(ours) = disk::files(knowledge) else {
        return false;
    };
    ours.len() == theirs.len()
        && ours.iter().all(|path| {
            let there = theirs.get(path.as_str());
            there.is_some_and(|entry| {
                let digest = disk::digest(&knowledge.join(path));
                digest.is_ok_and(|d| d == (entry.bytes, entry.sha256.clone()))
            })
        })
}

/// What was erased since the backup, where the old journal can still say.
fn erased_before(journal: &Path) -> Vec<[u8; 32]> {
    if !journal.is_file() {
        return Vec::new();
    }
    match whole::erased(journal) {
        Ok(all) => all.into_iter().map(|(hash, _)| hash).collect(),
        Err(e) => {
            tracing::warn!(
                "what was erased since cannot be read from the journal that is there: {e}"
            );
            Vec::new()
        }
    }
}

/// Copies the backup beside its places, each file held to its hash.
fn lay_ready(
    data: &Path,
    knowledge: Option<&PathBuf>,
    backup: &Path,
    manifest: &Manifest,
    bars: Bars,
) -> Result<(), Failure> {
    let bar = bars.sized(manifest.bytes(), "copying the backup");
    let knowledge = knowledge.map(|folder| (folder.as_path(), super::KNOWLEDGE));
    for (folder, below) in [Some((data, DATA)), knowledge].into_iter().flatten() {
        let ready = folder.join(READY);
        disk::folder(&ready).map_err(disk::said(&ready))?;
        for entry in &manifest.files {
            let Ok(path) = Path::new(&entry.path).strip_prefix(below) else {
                continue;
            };
            let (from, to) = (backup.join(&entry.path), ready.join(path));
            if let Some(above) = to.parent() {
                disk::folder(above).map_err(disk::said(above))?;
            }
            let copied = disk::copy(&from, &to).map_err(disk::said(&from))?;
            if copied != (entry.bytes, entry.sha256.clone()) {
                return Err(format!(
                    "{} is not the file that was backed up: take another backup",
                    from.display()
                )
                .into());
            }
            bar.inc(entry.bytes);
        }
        disk::sync_tree(&ready).map_err(disk::said(&ready))?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Makes the files that lie ready those of a service, and syncs everything.
fn made_ready(
    ready: &Path,
    erased: &[[u8; 32]],
    clock: &dyn Clock,
) -> Result<whole::Ready, Failure> {
    for (kind, name) in FILES {
        let path = ready.join(name);
        if path.is_file() {
            whole::look_through(kind, &path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    let [accounts, journal, editor] = FILES.map(|(_, name)| ready.join(name));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let made = runtime.block_on(whole::make_ready(
        [&journal, &accounts, &editor],
        erased,
        clock.now(),
    ))?;
    for name in disk::names(ready).map_err(disk::said(ready))? {
        let path = ready.join(&name);
        let synced = fs::File::open(&path).and_then(|f| f.sync_all());
        synced.map_err(disk::said(&path))?;
    }
    disk::sync(ready).map_err(disk::said(ready))?;
    Ok(made)
}
