//! The start of the service: what was broken off is finished, and what others changed meanwhile gets its place in
//! the history.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use base::Clock;
use knowledge::{Fault, File, Release};
use storage::{Editor, NewRelease, ReleaseFile};

use super::places::listed;
use super::texts::differences;
use super::wire::{ReleaseMeta, Who};
use super::{Jobs, Live, NodeShown, Nodes, OfLive, Studio, Tell, folder};
use crate::boot::Maker;
use crate::web::Hosts;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Finishes a release that was broken off. Before the knowledge is read. `tag` is this node's name where several
/// share their releases.
///
/// # Errors
/// When the folder or the studio's file cannot be written.
pub(crate) async fn recover(store: &Editor, root: &Path, tag: &str) -> Result<(), Failure> {
    let Some((row, files)) = store.unfinished().await? else {
        return Ok(());
    };
    let number = row.number;
    tracing::warn!("release {number} was broken off: it is finished now");
    let (root, tag) = (root.to_owned(), tag.to_owned());
    let theirs = tokio::task::spawn_blocking(move || folder::finish(&root, &tag, &files)).await?;
    let theirs = theirs.map_err(|e| format!("release {number} cannot be finished: {e}"))?;
    for path in &theirs {
        tracing::warn!("{path} was changed by others meanwhile: it stays as they left it");
    }
    if row.position.is_some() {
        store.leave(number, theirs).await?;
    }
    let meta: Option<ReleaseMeta> = serde_json::from_str(&row.meta).ok();
    let draft = meta.as_ref().and_then(ReleaseMeta::drafted);
    store.end_release(number, draft).await?;
    Ok(())
}

/// The files of the release that this node had among others; `None`: it was never among others, and serves what is
/// in the folder.
///
/// # Errors
/// When the studio's file cannot be read.
pub(crate) async fn released(store: &Editor) -> Result<Option<Vec<File>>, Failure> {
    if store.placed().await?.is_none() {
        return Ok(None);
    }
    let files = store.live().await?.into_iter();
    Ok(Some(
        files.map(|(path, text)| File { path, text }).collect(),
    ))
}

impl Studio {
    /// The studio over what has just become live.
    ///
    /// # Errors
    /// When its file cannot be read or written.
    pub(crate) async fn start(
        store: Editor,
        maker: Maker,
        root: PathBuf,
        files: Vec<File>,
        (release, faults): (Arc<Release>, Vec<Fault>),
        clock: &dyn Clock,
    ) -> Result<Arc<Self>, Failure> {
        let before = store.live().await?;
        let first = before.is_empty();
        let before: Vec<File> = before
            .into_iter()
            .map(|(path, text)| File { path, text })
            .collect();
        let changed = differences(&before, &files);
        if !changed.is_empty() {
            let meta = ReleaseMeta {
                by: Who {
                    user: String::new(),
                    name: "Filerne i mappen".to_owned(),
                },
                title: if first {
                    "Begyndelsen".to_owned()
                } else {
                    "Ændret i mappen, mens tjenesten var slukket".to_owned()
                },
                why: String::new(),
                kind: "start".to_owned(),
                draft: None,
                draft_version: None,
                undoes: None,
                approved_by: None,
                overridden: None,
                files: if first {
                    Vec::new()
                } else {
                    changed.iter().map(listed).collect()
                },
            };
            let new = NewRelease {
                hash: release.hash.clone(),
                at: clock.now(),
                meta: serde_json::to_string(&meta)?,
                files: changed
                    .into_iter()
                    .map(|c| ReleaseFile {
                        path: c.path,
                        before: c.base,
                        found: c.text.clone(),
                        after: c.text,
                    })
                    .collect(),
                shared: None,
            };
            let number = store.begin_release(new).await?;
            store.end_release(number, None).await?;
        }
        let newest = store.releases(None, 1).await?;
        Ok(Arc::new(Self {
            live: ArcSwap::from_pointee(Live::new(
                files,
                release,
                faults,
                newest.first().map_or(0, |r| r.number),
            )),
            store,
            maker,
            root,
            publishing: Arc::default(),
            learning: Arc::default(),
            jobs: Jobs::default(),
            links: Default::default(),
            looked: OfLive::default(),
            answers: OfLive::default(),
            guard: Default::default(),
            told: OnceLock::new(),
            nodes: OnceLock::new(),
            import_from: OnceLock::new(),
        }))
    }

    /// This node is one of several, which share their releases.
    pub(crate) fn among(&self, nodes: Nodes) {
        self.nodes.get_or_init(|| Arc::new(nodes));
    }

    pub(super) fn nodes(&self) -> Option<&Arc<Nodes>> {
        self.nodes.get()
    }

    /// The number of the release that is served, of the history.
    pub(crate) fn live_number(&self) -> u64 {
        self.live.load().number
    }

    /// How every node is; nothing where there is only this one.
    pub(crate) fn shown_nodes(&self) -> Vec<NodeShown> {
        self.nodes().map(|n| n.shown()).unwrap_or_default()
    }

    /// Has somebody told of every release from here on.
    pub(crate) fn tell(&self, told: Tell) {
        self.told.get_or_init(|| told);
    }

    /// Says whose web pages may be brought in.
    pub(crate) fn import_from(&self, hosts: Hosts) {
        self.import_from.get_or_init(|| Arc::new(hosts));
    }
}
