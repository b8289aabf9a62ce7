//! `borgerlinje backup` and `borgerlinje restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use base::Clock as _;

use super::{Failure, Setting};
use crate::backup::{self, Manifest, Restored, Wanted};
use crate::runtime::progress::Bars;
use crate::runtime::say;
use crate::transcript::unhex;

/// Days that a backup may be kept at most: as any period of `[retention]`.
const MOST_DAYS: i64 = 3_650;

#[derive(clap::Args)]
pub(super) struct Options {
    /// Where backups lie, each in a folder of its own; with --check one backup
    folder: PathBuf,
    /// For how many days it may be kept; the shortest period of [retention] when absent
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=MOST_DAYS))]
    keep_days: Option<u16>,
    /// Make none: delete those that have expired, which is done after each that is made, too
    #[arg(long, conflicts_with_all = ["keep_days", "check"])]
    prune: bool,
    /// Make none: read every byte of one, and say whether it is whole
    #[arg(long, conflicts_with = "keep_days")]
    check: bool,
}

#[derive(clap::Args)]
pub(super) struct RestoreOptions {
    /// The backup: a folder that `borgerlinje backup` made
    backup: PathBuf,
    /// Set aside what is in the data folder and the knowledge folder; nothing is deleted
    #[arg(long)]
    replace: bool,
    /// Also a backup that has expired
    #[arg(long)]
    expired: bool,
    /// A file with what `borgerlinje citizen erased` printed: those dialogues are erased again
    #[arg(long, value_name = "FILE")]
    erased: Option<PathBuf>,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let folder = &options.folder;
    if options.prune {
        return prune(setting, folder);
    }
    if options.check {
        let manifest = backup::check(folder, Bars::shown())?;
        say(&format!("{} is whole: {}", folder.display(), of(&manifest)))?;
        return Ok(ExitCode::SUCCESS);
    }
    let keep_days = options
        .keep_days
        .unwrap_or_else(|| setting.config.retention.shortest_days());
    let (config, clock) = (&setting.config, &setting.clock);
    let (path, manifest) = backup::make(config, folder, keep_days, clock, Bars::shown())?;
    say(&format!("{}: {}", path.display(), of(&manifest)))?;
    // Whoever makes backups by a timer deletes by the same: what was erased in the service is gone from them in time.
    prune(setting, folder)
}

fn prune(setting: &Setting, folder: &std::path::Path) -> Result<ExitCode, Failure> {
    let pruned = backup::prune(folder, setting.clock.now())?;
    for path in &pruned.gone {
        say(&format!("{} had expired and is deleted", path.display()))?;
    }
    for (path, why) in &pruned.unread {
        say(&format!("{} is left: {why}", path.display()))?;
    }
    let (gone, kept) = (pruned.gone.len(), pruned.kept);
    say(&format!("{gone} deleted, {kept} kept"))?;
    Ok(ExitCode::from(u8::from(!pruned.unread.is_empty())))
}

pub(super) fn restore(setting: &Setting, options: &RestoreOptions) -> Result<ExitCode, Failure> {
    let erased = match &options.erased {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|e| format!("{}: {e}", path.display()))?;
            let hashes = text.lines().enumerate().map(|(n, line)| {
                let first = line.split_whitespace().next();
                first.map(|hash| {
                    unhex(hash).ok_or_else(|| {
                        let path = path.display();
                        format!("{path}, line {}: «{hash}» is no SHA-256", n + 1)
                    })
                })
            });
            hashes.flatten().collect::<Result<Vec<[u8; 32]>, _>>()?
        }
    };
    let wanted = Wanted {
        backup: &options.backup,
        replace: options.replace,
        expired: options.expired,
        erased,
    };
    let (config, clock) = (&setting.config, &setting.clock);
    match backup::restore(config, &wanted, clock, Bars::shown())? {
        Restored::Finished { backup } => say(&format!(
            "the restore of {} is finished; it was broken off before",
            backup.display()
        ))?,
        Restored::New {
            manifest,
            ready,
            aside,
        } => {
            say(&format!(
                "{} is restored: {}; {} dialogues",
                options.backup.display(),
                of(&manifest),
                ready.dialogues
            ))?;
            if ready.erased > 0 {
                say(&format!("{} dialogues were erased again", ready.erased))?;
            }
            for path in aside {
                say(&format!(
                    "what was there is in {}: delete it when you no longer need it",
                    path.display()
                ))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn of(manifest: &Manifest) -> String {
    format!(
        "everything that was acknowledged before {}, {} files, {:.1} MB, to be deleted from {}",
        manifest.begun,
        manifest.files.len(),
        manifest.bytes() as f64 / 1e6,
        manifest.expires
    )
}
