//! The task that follows the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::tell::State;
use super::{Joined, Nodes, SAVE_AFTER, Trouble};
use crate::app::App;
use crate::editor::texts::differences;
use crate::editor::{Studio, blocking};

/// How often it is looked whether something was missed.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// Between two attempts at something that does not work.
const FIRST_REST: Duration = Duration::from_millis(200);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How often the folder is compared with what is live.
const COMPARE_AFTER: Duration = Duration::from_secs(20);

/// Takes what others publish, until the service stops.
pub(crate) async fn follow(app: App, studio: Arc<Studio>) {
    let Some(nodes) = studio.nodes().cloned() else {
        return;
    };
    let mut heads = nodes.log.watch();
    let mut stopping = app.stopping();
    let (mut rest, mut compared) = (FIRST_REST, None::<(Instant, String)>);
    loop {
        let seen = *heads.borrow_and_update();
        let wait = match studio.settle(&app, &nodes, seen).await {
            Ok(busy) => {
                rest = FIRST_REST;
                let live = studio.live.load().release.hash.clone();
                let due = compared
                    .as_ref()
                    .is_none_or(|(at, of)| *of != live || at.elapsed() > COMPARE_AFTER);
                if due && !busy {
                    if let Err(e) = studio.compare(&nodes).await {
                        tracing::warn!("the knowledge folder: {e:?}");
                    }
                    compared = Some((Instant::now(), live));
                }
                LOOK_AFTER
            }
            Err(()) => {
                rest = (rest * 2).min(LONGEST_REST);
                rest
            }
        };
        tokio::select! {
            _ = heads.changed() => {}
            () = sleep(wait) => {}
            _ = stopping.wait_for(|s| *s) => return,
        }
    }
}

impl Studio {
    /// Everything that can be done now; whether somebody publishes, who does it then.
    async fn settle(&self, app: &App, nodes: &Nodes, seen: u64) -> Result<bool, ()> {
        let Ok(mut joined) = nodes.joined.try_lock() else {
            return Ok(true);
        };
        let live = self.live.load_full();
        let quiet = joined.as_ref().is_some_and(|j| {
            j.pending.is_empty() && j.head.at.seq == seen && j.head.hash == live.release.hash
        });
        if quiet {
            return Ok(false);
        }
        let Ok(_turn) = self.turn_to_publish() else {
            return Ok(true);
        };
        let caught_up = self.catch_up(app, nodes, &mut joined).await;
        if let Err(trouble) = &caught_up {
            match trouble {
                Trouble::Away(e) => nodes.show(State::Away, Some(super::away(Some(e)).text)),
                Trouble::Other => tracing::warn!("the log of releases is read anew"),
                Trouble::Stuck(why) => nodes.show(State::Stuck, Some(why.clone())),
            }
        }
        caught_up.map(|()| false).map_err(drop)
    }

    /// Reads the log to its end and takes what it says. The caller has the turn to publish.
    ///
    /// # Errors
    /// Away, Other, Stuck.
    pub(super) async fn catch_up(
        &self,
        app: &App,
        nodes: &Nodes,
        slot: &mut Option<Joined>,
    ) -> Result<(), Trouble> {
        let live = self.live.load_full();
        nodes.serves(live.number, &live.release.hash);
        let caught_up = self.catch_up_from(app, nodes, slot.take()).await;
        let (joined, outcome) = match caught_up {
            Ok(joined) => (Some(joined), Ok(())),
            Err((joined, trouble)) => (joined, Err(trouble)),
        };
        *slot = joined;
        outcome
    }

    async fn catch_up_from(
        &self,
        app: &App,
        nodes: &Nodes,
        joined: Option<Joined>,
    ) -> Result<Joined, (Option<Joined>, Trouble)> {
        let mut joined = match joined {
            None => self.join(nodes, app).await.map_err(|t| (None, t))?,
            Some(mut joined) => match nodes.read_on(&mut joined.head).await {
                Ok(decided) => {
                    let more = decided
                        .into_iter()
                        .map(|(decided, at)| super::join::next(decided, at));
                    joined.pending.extend(more);
                    joined
                }
                // What was read cannot be gone on with; or it is only that nobody answers.
                Err(t @ Trouble::Away(_)) => return Err((Some(joined), t)),
                Err(t) => return Err((None, t)),
            },
        };
        let live = self.live.load_full();
        if !joined.pending.is_empty() || joined.head.hash != live.release.hash {
            // What did not work is still not so while it is tried again.
            if nodes.own.borrow().state != State::Stuck {
                nodes.show(State::Behind, None);
            }
            if let Err(t) = self.take_pending(app, nodes, &mut joined, None).await {
                return Err((Some(joined), t));
            }
        }
        self.settled(nodes, &mut joined).await;
        Ok(joined)
    }

    /// All is taken: it is said, and kept as a whole now and then.
    pub(super) async fn settled(&self, nodes: &Nodes, joined: &mut Joined) {
        let live = self.live.load_full();
        nodes.serves(live.number, &live.release.hash);
        nodes.show_folder();
        if joined.head.unsaved < SAVE_AFTER {
            return;
        }
        joined.head.unsaved = 0;
        let copy = match joined.head.copy() {
            Ok(copy) => copy,
            Err(e) => return tracing::error!("the releases are not copied: {e}"),
        };
        if let Err(e) = nodes.log.save_snapshot(copy).await {
            tracing::warn!("the releases are not copied: {e}");
        }
    }

    /// Looks for what was changed in the folder by hand.
    async fn compare(&self, nodes: &Nodes) -> Result<(), Trouble> {
        let (live, root) = (self.live.load_full(), self.root.clone());
        let disk = blocking(move || knowledge::load(&root).map(|d| differences(&live.files, &d)));
        let changed: Vec<String> = match disk.await? {
            Ok(changed) => changed.into_iter().map(|d| d.path).collect(),
            Err(e) => return Err(super::lay::stuck_in_folder(&e.to_string())),
        };
        let as_released = self.store.by_hand().await?.into_iter();
        let as_released = as_released.map(|(path, _)| path);
        let as_released: Vec<String> = as_released.filter(|p| !changed.contains(p)).collect();
        if !as_released.is_empty() {
            self.store.as_released(as_released).await?;
        }
        *nodes.by_hand() = changed;
        nodes.show_folder();
        Ok(())
    }
}

impl Nodes {
    /// Says that the newest release is served, and what in the folder is not part of it.
    fn show_folder(&self) {
        let changed = self.by_hand().clone();
        if changed.is_empty() {
            return self.show(State::Same, None);
        }
        let some = changed
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let (what, more) = match changed.len() {
            1 => ("En fil".to_owned(), ""),
            n => (format!("{n} filer"), if n > 3 { " …" } else { "" }),
        };
        self.show(
            State::Folder,
            Some(format!(
                "{what} i videnmappen på denne server er ændret uden om redaktionen og gælder ikke: {some}{more}. \
                 Udgiv ændringerne, eller læg filerne tilbage."
            )),
        );
    }
}
