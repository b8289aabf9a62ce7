//! A release that the log decided on, on its way into the studio's file and the folder, and into use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use index::Snapshot;
use jiff::Timestamp;
use knowledge::{Fault, File};
use storage::log::Position;
use storage::{Editor, NewRelease, ReleaseFile};

use super::head::Head;
use super::record::{Changed, Decided};
use super::{Joined, Nodes, Trouble};
use crate::app::App;
use crate::editor::folder::{self, Broke};
use crate::editor::wire::ReleaseMeta;
use crate::editor::{Studio, blocking, today};

/// A release that is next.
#[derive(Clone, Debug)]
pub(super) struct Next {
    pub decided: Decided,
    /// In the log, after it.
    pub at: Position,
    /// Texts of the folder that are part of the release, by path: they may be overwritten.
    pub taken: BTreeMap<String, Option<String>>,
    /// The folder is not one that an earlier release was written into. Only texts that were released once are
    /// overwritten then.
    pub joins: bool,
}

/// What is swapped in.
pub(super) struct Built {
    pub snapshot: Arc<Snapshot>,
    pub faults: Vec<Fault>,
    /// It is to be learned whole.
    pub quick: bool,
}

/// What a release does to the folder.
pub(super) struct Plan {
    new: NewRelease,
    /// Files that somebody changed by hand.
    left: Vec<String>,
    draft: Option<(String, u64)>,
    /// Of the files beside their places: a folder may be shared, and another node writes there too.
    tag: String,
}

impl Plan {
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn new(
        root: &Path,
        tag: &str,
        next: &Next,
        known: impl Fn(&str, &str) -> bool,
    ) -> std::io::Result<Self> {
        let (mut files, mut left) = (Vec::new(), Vec::new());
        for Changed {
            path,
            before,
            after,
        } in &next.decided.files
        {
            let disk = folder::read(root, path)?;
            let ours = match &disk {
                _ if disk == *after => true,
                Some(text) if next.joins => known(path, text),
                None if next.joins => true,
                _ => disk == *before || next.taken.get(path) == Some(&disk),
            };
            if !ours {
                left.push(path.clone());
            }
            files.push(ReleaseFile {
                path: path.clone(),
                before: before.clone(),
                // What is left counts as written: nobody touches it, also not a start that finishes this.
                found: if ours { disk } else { after.clone() },
                after: after.clone(),
            });
        }
        let at = Timestamp::from_millisecond(next.decided.at_ms);
        let meta: Option<ReleaseMeta> = serde_json::from_str(&next.decided.meta).ok();
        Ok(Self {
            new: NewRelease {
                hash: next.decided.hash.clone(),
                at: at.unwrap_or(Timestamp::UNIX_EPOCH),
                meta: next.decided.meta.clone(),
                files,
                shared: Some((next.decided.number, next.at)),
            },
            left,
            draft: meta.as_ref().and_then(ReleaseMeta::drafted),
            tag: tag.to_owned(),
        })
    }

    /// Keeps the release, writes its files and says that they are there. It only ever goes forward: what is broken
    /// off is finished by the next attempt, or by the next start.
    ///
    /// # Errors
    /// Stuck.
    pub(super) async fn carry_out(
        self,
        store: &Editor,
        root: &Path,
        mut step: impl FnMut() -> Result<(), Broke> + Send + 'static,
    ) -> Result<(), Trouble> {
        let (root, number) = (root.to_owned(), self.new.shared.map_or(0, |(n, _)| n));
        let (files, tag, mut left) = (self.new.files.clone(), self.tag, self.left);
        let begun = match store.unfinished().await? {
            Some((row, _)) if row.number == number => true,
            Some(_) => return Err(stuck_in_folder("another release is half written")),
            None => false,
        };
        if !begun {
            store.begin_release(self.new).await?;
        }
        let written = blocking(move || {
            let first = if begun {
                Err(Broke::Changed(String::new()))
            } else {
                folder::write(&root, &tag, &files, &mut step)
            };
            match first {
                Ok(()) => Ok(Vec::new()),
                // Somebody wrote there just now; or it is the second attempt.
                Err(Broke::Changed(_)) => {
                    folder::finish(&root, &tag, &files).map_err(|e| Broke::Io(e.to_string()))
                }
                Err(e) => Err(e),
            }
        })
        .await?;
        left.extend(written.map_err(|broke| stuck_in_folder(&format!("{broke:?}")))?);
        store.leave(number, left).await?;
        store.end_release(number, self.draft).await?;
        Ok(())
    }
}

pub(super) fn stuck_in_folder(why: &str) -> Trouble {
    tracing::error!("the knowledge folder: {why}");
    Trouble::Stuck(
        "Videnmappen på denne server kan ikke skrives. Giv tjenesten ret til at skrive i mappen og plads på disken."
            .to_owned(),
    )
}

impl Studio {
    /// Takes everything that is pending, and swaps the newest in.
    ///
    /// # Errors
    /// Stuck: what is live stays.
    pub(super) async fn take_pending(
        &self,
        app: &App,
        nodes: &Nodes,
        joined: &mut Joined,
        built: Option<Built>,
    ) -> Result<(), Trouble> {
        let files = joined.head.files();
        let built = match built {
            Some(built) => built,
            None => self.build_decided(app, &files, &joined.head.hash).await?,
        };
        while let Some(next) = joined.pending.first() {
            let (root, tag) = (self.root.clone(), nodes.name.clone());
            let next = next.clone();
            // What was released once is asked of a whole only.
            let head = if next.joins {
                joined.head.clone()
            } else {
                Head::default()
            };
            let plan = blocking(move || {
                Plan::new(&root, &tag, &next, |path, text| head.knows(path, text))
            });
            let plan = plan.await?.map_err(|e| stuck_in_folder(&e.to_string()))?;
            plan.carry_out(&self.store, &self.root, || Ok(())).await?;
            joined.pending.remove(0);
        }
        let newest = self.store.releases(None, 1).await?;
        let number = newest.first().map_or(0, |r| r.number);
        let Built {
            snapshot,
            faults,
            quick,
        } = built;
        self.swap(app, &snapshot, files, faults, number);
        if quick {
            self.learn_whole(app, Arc::clone(&snapshot.release));
        }
        Ok(())
    }

    /// Builds what the log decided on, beside what is live.
    async fn build_decided(&self, app: &App, files: &[File], hash: &str) -> Result<Built, Trouble> {
        let (today, files) = (today(&*app.clock), files.to_vec());
        let before = self.live.load_full();
        let checked = blocking(move || before.next(&files, today)).await?;
        let (release, faults) = checked.map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            tracing::error!("a release of another node has faults here: {first}");
            Trouble::Stuck(format!(
                "Den nyeste udgivelse har fejl efter denne servers kontrol ({first}). Kør den samme version af \
                 programmet på alle servere."
            ))
        })?;
        if release.hash != hash {
            return Err(
                super::Odd(format!("release {hash} comes to {} here", release.hash)).into(),
            );
        }
        let (maker, live) = (self.maker.clone(), app.snapshot());
        let built = blocking(move || maker.next(&live, Arc::new(release), &mut |_, _, _| {}));
        let (snapshot, quick) = built.await?.map_err(|e: crate::boot::BootError| {
            tracing::error!("a release of another node cannot be built: {e}");
            Trouble::Stuck(
                "Den nyeste udgivelse kan ikke læses ind på denne server. Se serverens log."
                    .to_owned(),
            )
        })?;
        Ok(Built {
            snapshot,
            faults,
            quick,
        })
    }
}
