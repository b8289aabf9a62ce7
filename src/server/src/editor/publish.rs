//! From a draft to what is live: checked whole, built beside, written, swapped in.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use dialogue::Turn;
use index::{Snapshot, Stage};
use knowledge::{Fault, File, Release};
use storage::{DraftText, Editor, NewRelease, ReleaseFile};
use tokio::sync::OwnedMutexGuard;

use super::drafts::Found;
use super::folder::{self, Broke};
use super::jobs::Job;
use super::places::listed;
use super::problem::Problem;
use super::replay::{excused, worse};
use super::texts::{differences, lay_over, text_of, with};
use super::wire::{self, ReleaseMeta, Who};
use super::{Live, Studio, blocking, today};
use crate::app::App;
use crate::boot::{BootError, Maker};
use crate::telemetry::{Root, Step, Trace};

/// A release to be.
pub(super) struct Wanted {
    /// Its `files` are filled in here.
    pub meta: ReleaseMeta,
    pub changes: Vec<DraftText>,
}

impl Studio {
    /// The right to write the one next release.
    ///
    /// # Errors
    /// `busy`.
    pub(super) fn turn_to_publish(&self) -> Result<OwnedMutexGuard<()>, Problem> {
        Arc::clone(&self.publishing).try_lock_owned().map_err(|_| {
            let text = "En anden udgivelse er i gang. Prøv igen om lidt.";
            Problem::conflict("busy", text)
        })
    }

    /// What keeps a draft from being published, as far as can be told at once.
    ///
    /// # Errors
    /// `wrong_state`, `needs_approval`, `worse`, `conflict`, `faults`.
    pub(super) async fn publishable(
        &self,
        app: &App,
        found: &Found,
        overridden: Option<&str>,
    ) -> Result<(), Problem> {
        if found.over() || found.files.is_empty() {
            return Err(super::drafts::wrong_state());
        }
        self.approved(found)?;
        let replay = found.meta.replay.as_ref();
        let found_worse = replay.filter(|r| r.version == found.row.version && !r.worse.is_empty());
        if let Some(r) = found_worse.filter(|_| !excused(overridden)) {
            return Err(worse(&r.worse));
        }
        self.without_faults(app, found).await
    }

    /// Publishes a draft.
    ///
    /// # Errors
    /// As [`Studio::release`].
    pub(super) async fn publish_draft(
        &self,
        app: &App,
        found: Found,
        by: Who,
        overridden: Option<String>,
        job: &Arc<Job>,
    ) -> Result<wire::Release, Problem> {
        let wanted = Wanted {
            meta: ReleaseMeta {
                by,
                title: found.meta.title.clone(),
                why: found.meta.why.clone(),
                kind: "draft".to_owned(),
                draft: Some(found.row.id.clone()),
                draft_version: Some(found.row.version),
                undoes: None,
                approved_by: found.meta.approved.as_ref().map(|a| a.by.clone()),
                overridden,
                files: Vec::new(),
            },
            changes: found.files.clone(),
        };
        // Nobody may have changed it since it was looked at; what is saved from here on makes another version.
        self.found(&found.row.id).await?.at(found.row.version)?;
        let release = self.release(app, wanted, job).await?;
        let mut meta = found.meta.clone();
        meta.release = Some(release.number);
        meta.schedule = None;
        if !self.keep(app, &found, "published", &meta).await? {
            tracing::warn!(draft = %found.row.id, "a draft was changed while it was published");
        }
        Ok(release)
    }

    /// Makes a release and swaps it in. The caller holds [`Studio::turn_to_publish`].
    ///
    /// # Errors
    /// `conflict`, `nothing`, `faults`, `worse`, `stopped`, `not_written`, `unavailable`; among several nodes as
    /// [`Studio::release_among`].
    pub(super) async fn release(
        &self,
        app: &App,
        wanted: Wanted,
        job: &Arc<Job>,
    ) -> Result<wire::Release, Problem> {
        let trace = Trace::begin(app, Root::Publish, &[]);
        let released = match self.nodes() {
            Some(nodes) => self.release_among(nodes, app, wanted, job, &trace).await,
            None => self.release_alone(app, wanted, job, &trace).await,
        };
        trace.outcome(released.as_ref().map_or_else(|e| e.code, |_| "published"));
        released
    }

    async fn release_alone(
        &self,
        app: &App,
        wanted: Wanted,
        job: &Arc<Job>,
        trace: &Trace,
    ) -> Result<wire::Release, Problem> {
        let asked = trace.now();
        job.step("Læser filerne", 0, 0);
        let root = self.root.clone();
        let disk = blocking(move || knowledge::load(&root)).await?;
        let disk = disk.map_err(Problem::unavailable)?;
        let (live, changes) = (self.live.load_full(), wanted.changes);
        let before = Arc::clone(&live);
        let (next, files) = blocking(move || {
            let (laid, conflicts) = lay_over(&changes, &|p| text_of(&disk, p).map(str::to_owned));
            if !conflicts.is_empty() {
                return Err(Problem::clashes(&conflicts));
            }
            let next = with(&disk, &laid);
            let files = release_files(&before.files, &disk, &next);
            Ok((next, files))
        })
        .await??;
        if files.is_empty() {
            let text = "Der er ikke noget at udgive: det hele er som i den udgave, der er i brug.";
            return Err(Problem::conflict("nothing", text));
        }
        job.step("Kontrollerer hele videnmappen", 0, 0);
        let today = today(&*app.clock);
        let (next, built) = blocking(move || {
            let built = live.next(&next, today);
            (next, built)
        })
        .await?;
        let (release, faults) = built.map_err(|f| Problem::faults(&f))?;
        job.go_on()?;
        trace.step(Step::Check, asked);
        let asked = trace.now();
        let live_now = Arc::clone(&app.turn.load().snapshot);
        let (snapshot, quick) = self
            .built(self.maker.clone(), live_now, release, job)
            .await?;
        trace.step(Step::Build, asked);
        if wanted.meta.guarded() {
            self.guard(app, &snapshot, job).await?;
        }
        job.commit()?;
        let asked = trace.now();
        job.step("Skriver og tager i brug", 0, 0);
        let mut meta = wanted.meta;
        meta.files = files.iter().map(|f| listed(&shown(f))).collect();
        let new = NewRelease {
            hash: snapshot.release.hash.clone(),
            at: app.clock.now(),
            meta: serde_json::to_string(&meta).map_err(Problem::unavailable)?,
            files,
            shared: None,
        };
        let number = put(&self.store, &self.root, new, meta.drafted(), || Ok(())).await?;
        self.swap(app, &snapshot, next, faults, number);
        if quick {
            self.learn_whole(app, Arc::clone(&snapshot.release));
        }
        self.noted(app, &meta, number).await;
        trace.step(Step::Put, asked);
        Ok(wire::Release {
            number,
            hash: snapshot.release.hash.clone(),
            at_ms: app.clock.now().as_millisecond(),
            meta,
            undone_by: None,
            live: true,
            diff: None,
        })
    }

    /// Answers citizens by another release from here on.
    pub(super) fn swap(
        &self,
        app: &App,
        snapshot: &Arc<Snapshot>,
        files: Vec<File>,
        faults: Vec<Fault>,
        number: u64,
    ) {
        let policy = app.turn.load().policy;
        let mut turn = Turn::new(Arc::clone(snapshot));
        turn.policy = policy;
        app.turn.store(Arc::new(turn));
        self.keep_thresholds(app, snapshot);
        let release = Arc::clone(&snapshot.release);
        self.live
            .store(Arc::new(Live::new(files, release, faults, number)));
        if let Some(tell) = self.told.get() {
            tell(&snapshot.release);
        }
    }

    /// Who published is in the accounts' own record.
    pub(super) async fn noted(&self, app: &App, meta: &ReleaseMeta, number: u64) {
        if let Ok(user) = meta.by.user.parse() {
            let detail = format!("{number} {}", meta.kind);
            app.auth
                .note(&user, "studio_release", "studio", &detail)
                .await;
        }
    }

    /// Builds a release beside what is live; whether quickly, so that it is to be learned whole.
    pub(super) async fn built(
        &self,
        maker: Maker,
        live: Arc<Snapshot>,
        release: Release,
        job: &Arc<Job>,
    ) -> Result<(Arc<Snapshot>, bool), Problem> {
        let (job, release) = (Arc::clone(job), Arc::new(release));
        let built = blocking(move || {
            let mut progress = |stage: Stage, done, total| {
                let step = match stage {
                    Stage::Encoding => "Læser de ændrede tekster ind",
                    Stage::Training => "Lærer af eksemplerne",
                };
                job.step(step, done, total);
            };
            maker.next(&live, release, &mut progress)
        });
        built.await?.map_err(|e: BootError| Problem::unavailable(e))
    }
}

/// Keeps a release, writes its files and says that they are there; its number.
///
/// # Errors
/// `conflict`, `not_written`, `unavailable`.
pub(super) async fn put(
    store: &Editor,
    root: &Path,
    new: NewRelease,
    draft: Option<(String, u64)>,
    mut step: impl FnMut() -> Result<(), Broke> + Send + 'static,
) -> Result<u64, Problem> {
    let (root, files) = (root.to_owned(), new.files.clone());
    let number = store.begin_release(new).await?;
    let written = blocking(move || {
        folder::write(&root, "", &files, &mut step).map_err(|broke| {
            #[cfg(test)]
            if matches!(broke, Broke::Killed) {
                return (broke, Ok(()));
            }
            let undone = folder::undo(&root, "", &files);
            (broke, undone)
        })
    })
    .await?;
    match written {
        Ok(()) => store.end_release(number, draft).await?,
        #[cfg(test)]
        Err((Broke::Killed, _)) => return Err(not_written(Broke::Killed)),
        Err((broke, undone)) => {
            match undone {
                Ok(()) => store.give_up_release(number).await?,
                // It stays unfinished, and the next start finishes it.
                Err(e) => tracing::error!("release {number} is half written: {e}; start anew"),
            }
            return Err(not_written(broke));
        }
    }
    Ok(number)
}

fn not_written(broke: Broke) -> Problem {
    match broke {
        Broke::Changed(path) => Problem::conflict(
            "conflict",
            format!("{path} blev ændret i mappen i samme øjeblik. Intet er udgivet: prøv igen."),
        ),
        Broke::Io(why) => {
            tracing::error!("the knowledge folder cannot be written: {why}");
            Problem::conflict(
                "not_written",
                "Videnmappen kan ikke skrives, så intet er udgivet. Den, der driver tjenesten, skal give \
                 den ret til at skrive i mappen og plads på disken.",
            )
        }
        #[cfg(test)]
        Broke::Killed => Problem::conflict("not_written", "killed"),
    }
}

/// What the history tells of a file.
fn shown(f: &ReleaseFile) -> DraftText {
    DraftText {
        path: f.path.clone(),
        base: f.before.clone(),
        text: f.after.clone(),
    }
}

/// Every file that differs from what is live, or from what lies in the folder.
pub(super) fn release_files(live: &[File], disk: &[File], next: &[File]) -> Vec<ReleaseFile> {
    let paths: BTreeSet<String> = differences(live, next)
        .into_iter()
        .chain(differences(disk, next))
        .map(|d| d.path)
        .collect();
    let text = |files: &[File], path: &str| text_of(files, path).map(str::to_owned);
    paths
        .into_iter()
        .map(|path| ReleaseFile {
            before: text(live, &path),
            found: text(disk, &path),
            after: text(next, &path),
            path,
        })
        .collect()
}
