//! Drafts: found, changed, shown.

mod made;
mod shown;
mod state;

use std::collections::BTreeMap;

use knowledge::{Fault, File, Release};
use serde::{Deserialize, Serialize};
use storage::{DraftChange, DraftRow, DraftText, Editor};

pub(super) use self::made::{amended, begun};
use self::made::{join, touched};
use super::changes::Workbench;
use super::places::{Noted, Rights, noted};
use super::problem::Problem;
use super::texts::{lay_over, text_hash, with};
use super::wire::{Change, Conflict, ReplayNote, Resolve, Schedule, Who};
use super::{Studio, blocking, folder, today};
use crate::app::App;
use crate::auth::Account;

/// What is kept of a draft besides its texts and its state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    pub title: String,
    pub why: String,
    pub author: Who,
    /// Whoever made a version of it.
    pub writers: Vec<Who>,
    pub created_ms: i64,
    pub base: String,
    pub source: Option<String>,
    pub schedule: Option<Schedule>,
    pub approved: Option<Approved>,
    pub release: Option<u64>,
    pub replay: Option<ReplayNote>,
    /// The newest version's files as lists show them; absent in drafts of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<Noted>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Approved {
    pub by: Who,
    pub at_ms: i64,
}

/// What is kept of a version.
#[derive(Serialize, Deserialize)]
pub(super) struct VersionMeta {
    pub by: Who,
}

/// A draft as it is stored.
pub(super) struct Found {
    pub row: DraftRow,
    pub meta: Meta,
    pub files: Vec<DraftText>,
}

impl Found {
    /// # Errors
    /// `not_found`, `unavailable`.
    pub(super) async fn of(store: &Editor, id: &str) -> Result<Self, Problem> {
        let found = store.draft(id).await?;
        let (row, files) = found.ok_or_else(|| Problem::not_found("Kladden findes ikke."))?;
        let meta = serde_json::from_str(&row.meta).map_err(Problem::unavailable)?;
        Ok(Self { row, meta, files })
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|f| f.path.as_str())
    }

    /// Nothing more comes of it.
    pub(super) fn over(&self) -> bool {
        over(&self.row.state)
    }

    /// # Errors
    /// `draft_changed`.
    pub(super) fn at(&self, version: u64) -> Result<(), Problem> {
        if version == self.row.version {
            return Ok(());
        }
        let text = "Kladden er ændret, siden du åbnede den. Genindlæs den, og prøv igen.";
        Err(Problem::conflict("draft_changed", text))
    }
}

fn over(state: &str) -> bool {
    matches!(state, "published" | "dropped")
}

/// States in which a draft can still become something.
pub(super) fn alive() -> Vec<String> {
    ["open", "waiting", "approved", "scheduled"]
        .map(str::to_owned)
        .to_vec()
}

pub(super) fn who(account: &Account) -> Who {
    Who {
        user: account.user.as_str().to_owned(),
        name: account.details.name.clone(),
    }
}

/// Characters of a title, and of everything else that people write about a draft.
const MAX_TITLE: usize = 120;
const MAX_WORDS: usize = 4_000;

/// # Errors
/// `bad_request` when it is empty or too long.
pub(super) fn title(text: &str) -> Result<String, Problem> {
    let text = base::redact(&base::clean(text)).text;
    if (1..=MAX_TITLE).contains(&text.chars().count()) {
        return Ok(text);
    }
    Err(Problem::bad(format!(
        "Skriv en titel på højst {MAX_TITLE} tegn."
    )))
}

/// # Errors
/// `bad_request` when it is too long.
pub(super) fn words(text: &str) -> Result<String, Problem> {
    let text = base::redact(text.trim()).text;
    if text.chars().count() <= MAX_WORDS {
        return Ok(text);
    }
    Err(Problem::bad(format!("Skriv højst {MAX_WORDS} tegn.")))
}

/// A draft to be.
pub(super) struct New {
    pub title: String,
    pub why: String,
    pub source: Option<String>,
    pub changes: Vec<Change>,
}

impl Studio {
    /// # Errors
    /// `not_found`.
    pub(super) async fn found(&self, id: &str) -> Result<Found, Problem> {
        Found::of(&self.store, id).await
    }

    /// A draft over what lies in the folder now.
    pub(super) async fn laid(
        &self,
        files: &[DraftText],
    ) -> Result<(Vec<(String, Option<String>)>, Vec<Conflict>), Problem> {
        let (root, files) = (self.root.clone(), files.to_vec());
        blocking(move || {
            let mut now = BTreeMap::new();
            for f in &files {
                now.insert(f.path.clone(), folder::read(&root, &f.path)?);
            }
            Ok::<_, std::io::Error>(lay_over(&files, &|p| now.get(p).cloned().flatten()))
        })
        .await?
        .map_err(Problem::unavailable)
    }

    /// What is live, with a draft over it.
    pub(super) async fn files_with(&self, draft: Option<&str>) -> Result<Vec<File>, Problem> {
        let live = self.live.load_full();
        let Some(id) = draft else {
            return Ok(live.files.clone());
        };
        let found = self.found(id).await?;
        let (laid, _) = self.laid(&found.files).await?;
        blocking(move || with(&live.files, &laid)).await
    }

    /// Checks all knowledge: the release, if it may be one, and what is wrong.
    pub(super) async fn check(
        &self,
        app: &App,
        files: Vec<File>,
    ) -> Result<(Option<Release>, Vec<Fault>), Problem> {
        let (today, live) = (today(&*app.clock), self.live.load_full());
        blocking(move || match live.next(&files, today) {
            Ok((release, faults)) => (Some(release), faults),
            Err(faults) => (None, faults),
        })
        .await
    }

    /// # Errors
    /// `bad_request`, `no_right`, and what a change can end in.
    pub(super) async fn new_draft(
        &self,
        app: &App,
        account: &Account,
        new: New,
    ) -> Result<Found, Problem> {
        let live = self.live.load_full();
        let now = app.clock.now();
        let by = who(account);
        let hash = live.release.hash.clone();
        let change = blocking(move || begun(new, by, &live.files, hash, now)).await??;
        let files = change.version.as_ref().map(|(_, files)| files.as_slice());
        let paths = files.unwrap_or_default().iter().map(|f| f.path.as_str());
        self.may_write(account, paths)?;
        let id = change.id.clone();
        if !self.store.save_draft(change).await? {
            return Err(Problem::unavailable("a draft's id was taken"));
        }
        self.found(&id).await
    }

    pub(super) fn may_write<'p>(
        &self,
        account: &Account,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> Result<(), Problem> {
        let live = self.live.load();
        let rights = Rights {
            account,
            release: &live.release,
        };
        match paths.into_iter().find(|p| !rights.writes(p)) {
            None => Ok(()),
            Some(path) => Err(Problem::no_right(format!(
                "Du har ikke ret til at ændre {path}."
            ))),
        }
    }

    /// Carries out changes that were made over version `seen` of a draft.
    ///
    /// # Errors
    /// `draft_changed` with both texts where somebody else changed the same; `wrong_state`, `no_right`, and what a
    /// change can end in.
    pub(super) async fn save(
        &self,
        app: &App,
        account: &Account,
        id: &str,
        seen: u64,
        mut edit: impl FnMut(&mut Meta, &mut Workbench<'_>) -> Result<(), Problem>,
    ) -> Result<Found, Problem> {
        loop {
            let mut found = self.found(id).await?;
            if found.over() {
                return Err(wrong_state());
            }
            if seen == 0 || seen > found.row.version {
                return Err(Problem::bad("Kladden har ikke den version."));
            }
            let live = self.live.load_full();
            let old = if seen == found.row.version {
                found.files.clone()
            } else {
                self.store.version(id, seen).await?
            };
            let mut bench = Workbench::new(&live.files, old.clone());
            edit(&mut found.meta, &mut bench)?;
            let mine = bench.files();
            let touched = touched(&old, &mine);
            self.may_write(account, touched.iter().map(String::as_str))?;
            let files = if seen == found.row.version {
                mine
            } else {
                match join(&live.files, &old, &mine, &found.files) {
                    Ok(files) => files,
                    Err(conflicts) => {
                        let text = "En anden har ændret det samme imens. Intet er gået tabt: se begge tekster, og vælg.";
                        let draft = self.shown(app, &found, account).await?;
                        return Err(Problem::conflict("draft_changed", text)
                            .with("draft", draft)
                            .with("conflicts", conflicts));
                    }
                }
            };
            if !found
                .meta
                .writers
                .iter()
                .any(|w| w.user == account.user.as_str())
            {
                found.meta.writers.push(who(account));
            }
            // What was approved is another text than this one.
            let new_text = files != found.files;
            if new_text {
                (found.meta.approved, found.meta.schedule) = (None, None);
            }
            let state = if new_text { "open" } else { &found.row.state };
            found.meta.files = Some(noted(&files));
            let change = DraftChange {
                id: id.to_owned(),
                expected: found.row.version,
                state: state.to_owned(),
                at: app.clock.now(),
                meta: serde_json::to_string(&found.meta).map_err(Problem::unavailable)?,
                version: if new_text {
                    Some((version_meta(account)?, files))
                } else {
                    None
                },
            };
            if self.store.save_draft(change).await? {
                return self.found(id).await;
            }
            // Somebody was quicker: once more, over what they made.
        }
    }

    /// Says what a file that others changed as well should be.
    ///
    /// # Errors
    /// `conflict` when it was changed again; as [`Studio::save`].
    pub(super) async fn resolve(
        &self,
        app: &App,
        account: &Account,
        id: &str,
        asked: Resolve,
    ) -> Result<Found, Problem> {
        let found = self.found(id).await?;
        found.at(asked.version)?;
        if found.over() {
            return Err(wrong_state());
        }
        self.may_write(account, [asked.file.as_str()])?;
        let (root, path) = (self.root.clone(), asked.file.clone());
        let theirs = blocking(move || folder::read(&root, &path)).await?;
        let theirs = theirs.map_err(Problem::unavailable)?;
        if text_hash(theirs.as_deref()) != asked.theirs_hash {
            let (_, conflicts) = self.laid(&found.files).await?;
            return Err(Problem::clashes(&conflicts));
        }
        let mut files = found.files.clone();
        let Some(f) = files.iter_mut().find(|f| f.path == asked.file) else {
            return Err(Problem::not_found("Filen er ikke i kladden."));
        };
        f.base = theirs;
        f.text = asked.text.map(super::changes::without_numbers);
        files.retain(|f| f.base != f.text);
        let mut meta = found.meta;
        (meta.approved, meta.schedule) = (None, None);
        if !meta.writers.iter().any(|w| w.user == account.user.as_str()) {
            meta.writers.push(who(account));
        }
        meta.files = Some(noted(&files));
        let change = DraftChange {
            id: id.to_owned(),
            expected: asked.version,
            state: "open".to_owned(),
            at: app.clock.now(),
            meta: serde_json::to_string(&meta).map_err(Problem::unavailable)?,
            version: Some((version_meta(account)?, files)),
        };
        if !self.store.save_draft(change).await? {
            self.found(id).await?.at(asked.version)?;
        }
        self.found(id).await
    }
}

pub(super) fn wrong_state() -> Problem {
    Problem::conflict("wrong_state", "Det kan ikke gøres, som kladden står nu.")
}

fn version_meta(account: &Account) -> Result<String, Problem> {
    serde_json::to_string(&VersionMeta { by: who(account) }).map_err(Problem::unavailable)
}
