//! The chat on pages of others: the script that they name with its hash, and the configuration that the operator has
//! signed for them. Why it is so: docs/decisions/0021.
//!
//! Invariants:
//! - Under a name with a hash nothing is served but bytes of that hash, and what was served under it is kept.
//! - The keys that configurations are signed with are read and never said.

mod keys;
mod leave;
mod scripts;
mod serve;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::MunicipalityCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

pub(crate) use self::keys::{FILE, Keys};
pub(crate) use self::leave::{Leave, Refused};
pub(crate) use self::scripts::{FOLDER, Scripts};
use self::scripts::{Script, Version};
pub(crate) use self::serve::{hashed, plain};
use crate::app::App;
use crate::websites::Visitor;

/// How soon a running service uses keys that a command has made.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often old scripts are looked at, in looks for keys.
const TIDY_EACH: u32 = 3_600;
/// Websites that the log names; beyond them the metrics alone count.
const MOST_TOLD: usize = 200;

/// `[embed]` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Whether every website must bring a configuration that the operator has signed.
    pub signed: bool,
    /// For how many days an earlier script is served after it was the newest.
    pub keep_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            signed: false,
            keep_days: 180,
        }
    }
}

impl Settings {
    /// # Errors
    /// What is out of bounds.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.keep_days > 3_650 {
            return Err("keep_days: 0 to 3650");
        }
        Ok(())
    }

    fn before(&self, now: Timestamp) -> Timestamp {
        let span = SignedDuration::from_hours(24 * i64::from(self.keep_days));
        now.checked_sub(span).unwrap_or(Timestamp::MIN)
    }
}

/// What the running service knows of the pages of others.
pub(crate) struct Embed {
    settings: Settings,
    data: PathBuf,
    scripts: Scripts,
    keys: ArcSwap<Keys>,
    /// What was wrong with the file of keys at the last look.
    fault: Mutex<Option<String>>,
    /// What the log has said of websites.
    told: Mutex<BTreeSet<String>>,
}

impl Embed {
    /// `widget` is the folder with the built pages. Nothing is read yet.
    pub(crate) fn new(settings: Settings, widget: &Path, data: &Path) -> Self {
        Self {
            settings,
            data: data.to_owned(),
            scripts: Scripts::new(widget, data),
            keys: ArcSwap::default(),
            fault: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Whether this page may begin a dialogue there, by what it brought. Our own pages are no website.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn admits(
        &self,
        brought: Option<&str>,
        code: MunicipalityCode,
        visitor: &Visitor,
        now: Timestamp,
    ) -> Result<(), Refused> {
        if visitor.is_ours() {
            return Ok(());
        }
        match brought {
            None if self.settings.signed => Err(Refused::Missing),
            None => Ok(()),
            Some(text) => Leave::check(text, &self.keys.load(), code, visitor.origin(), now),
        }
    }

    /// Says in the log what became of a website, once in the life of the process.
    pub(crate) fn tell(&self, visitor: Option<&str>, what: &str) {
        let from: String = visitor.unwrap_or("no website").chars().take(100).collect();
        let line = format!("{from}: {what}");
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < MOST_TOLD && told.insert(line.clone()) {
            tracing::warn!("{line}");
        }
    }

    /// Reads the keys, as commands of the operator have left them. Blocks for a moment.
    pub(crate) fn look(&self) {
        let (found, fault) = match Keys::read(&self.data) {
            Ok(Some(keys)) => (Some(keys), None),
            Ok(None) if self.settings.signed => {
                let why = "every website must bring a signed configuration, and there is no key: \
                           `borgerlinje widget snippet --signed` makes one";
                (Some(Keys::default()), Some(why.to_owned()))
            }
            Ok(None) => (Some(Keys::default()), None),
            Err(e) => (None, Some(e)),
        };
        if let Some(keys) = found
            && keys != **self.keys.load()
        {
            self.keys.store(Arc::new(keys));
        }
        let mut last = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != fault {
            if let Some(why) = &fault {
                tracing::error!("[embed]: {why}");
            }
            *last = fault;
        }
    }

    /// The script of that name; one that is asked for is kept from then on. Blocks for a moment.
    fn script(&self, name: &str, now: Timestamp) -> Option<(Version, Script)> {
        let found = self.scripts.find(name)?;
        if found.0 == Version::Current && !self.scripts.keeps(name) {
            self.keep(now);
        }
        Some(found)
    }

    fn keep(&self, now: Timestamp) {
        if let Err(e) = self.scripts.keep(now) {
            tracing::warn!(
                "the widget's script is not kept for websites that name it after an upgrade: {e}"
            );
        }
    }

    /// Keeps the script of today, and deletes those that were the newest too long ago. Blocks for a moment.
    pub(crate) fn tidy(&self, now: Timestamp) {
        self.keep(now);
        match self.scripts.forget(self.settings.before(now)) {
            Ok(0) => {}
            Ok(n) => tracing::info!("{n} earlier scripts of the widget are served no more"),
            Err(e) => tracing::warn!("earlier scripts of the widget: {e}"),
        }
    }
}

/// Follows the keys and keeps the scripts, until the service stops. The first look was before anybody was let in.
pub(crate) async fn keep_up(app: App) {
    let mut stopping = app.stopping();
    let mut looks = 1_u32;
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = sleep(LOOK_EVERY) => {}
        }
        let (here, tidy) = (App::clone(&app), looks.is_multiple_of(TIDY_EACH));
        looks = looks.wrapping_add(1);
        let looked = spawn_blocking(move || {
            here.embed.look();
            if tidy {
                here.embed.tidy(here.clock.now());
            }
        });
        if looked.await.is_err() {
            tracing::error!("the widget's keys and scripts could not be looked at");
        }
    }
}

/// Writes a file for its owner alone, whole under its name or not at all. With `anew` one that is there stays as it is,
/// and that is answered by false.
fn put(path: &Path, bytes: &[u8], anew: bool, at: Option<Timestamp>) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let half = folder.join(format!(".{name}-{}", std::process::id()));
    let mut how = fs::OpenOptions::new();
    how.write(true).create(true).truncate(true).mode(0o600);
    let written = how.open(&half).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Some(at) = at {
            file.set_modified(at.into())?;
        }
        file.sync_all()
    });
    let placed = written.and_then(|()| {
        if anew {
            // A link, unlike a move, never lays itself over another.
            match fs::hard_link(&half, path) {
                Ok(()) => Ok(true),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(e) => Err(e),
            }
        } else {
            fs::rename(&half, path).map(|()| true)
        }
    });
    match fs::remove_file(&half) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let placed = placed?;
    fs::File::open(folder)?.sync_all()?;
    Ok(placed)
}

#[cfg(test)]
mod tests;
