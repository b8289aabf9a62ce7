//! What a node does beside the work: heartbeats, lost nodes, snapshots, and its last words.

use std::sync::Arc;
use std::time::Duration;

use contact::centre::{Command, NodeId};
use jiff::Timestamp;
use storage::log::{Log, Position, Snapshot};
use tokio::sync::OwnedRwLockReadGuard;
use tokio::time::Instant;

use super::error::Trouble;
use super::fold::Folded;
use super::worker::{Worker, blocking};

const DAY: Duration = Duration::from_secs(86_400);

impl Worker {
    /// Says that this node lives, and appends which others do not.
    ///
    /// # Errors
    /// The log cannot be reached, or what came of appending.
    pub(super) async fn beat(&mut self) -> Result<(), Trouble> {
        let shared = Arc::clone(&self.shared);
        let (log, ttl) = (&shared.log, shared.options.ttl);
        self.next_beat = Instant::now() + ttl / 3;
        let heard = async {
            log.heartbeat(ttl).await?;
            log.lost_nodes().await
        };
        let lost = match heard.await {
            Ok(lost) => lost,
            // Also when there is nothing else to do it must be known that the log is away.
            Err(e) if e.passes() => {
                self.next_beat = Instant::now();
                return Err(Trouble::Log(e));
            }
            Err(e) => {
                tracing::debug!("no heartbeat: {e}");
                return Ok(());
            }
        };
        for gone in lost {
            let Ok(node) = gone.node.parse::<NodeId>() else {
                continue;
            };
            if node == shared.options.node {
                continue;
            }
            // The same id from all who notice: it is in the log once.
            let id = format!("lost-{}-{node}", gone.since.as_millisecond());
            let Ok(entry) = shared.entry(&id, Command::NodeLost { node }) else {
                continue;
            };
            if self.append(vec![entry]).await?.is_none() {
                self.next_beat = Instant::now();
                return Ok(());
            }
            tracing::warn!("node {} is lost since {}", gone.node, gone.since);
            if let Err(e) = log.forget_node(&gone).await {
                tracing::debug!("a lost node is not struck off: {e}");
            }
        }
        Ok(())
    }

    /// Begins a snapshot when it is time for one and none is under way.
    pub(super) async fn snapshot(&mut self) {
        let options = &self.shared.options;
        let soon = self.saved_at.elapsed() < options.snapshot_pause;
        let busy = self.saving.as_ref().is_some_and(|s| !s.is_finished());
        // Once a day also where little is said: the log's old records go behind a snapshot alone.
        let old = self.unsaved > 0 && self.saved_at.elapsed() >= DAY;
        let wanted = self.unsaved >= options.snapshot_records || old;
        if !wanted || soon || busy {
            return;
        }
        if let Some(snapshot) = self.begin_snapshot().await {
            self.saving = Some(tokio::spawn(save(self.shared.log.clone(), snapshot)));
        }
    }

    /// The state of now; nothing is folded until [`save`] has copied it.
    async fn begin_snapshot(&mut self) -> Option<Held> {
        let at = self.time?;
        (self.unsaved, self.saved_at) = (0, Instant::now());
        let folded = Arc::clone(&self.shared.folded).read_owned().await;
        Some(Held {
            folded,
            position: self.at,
            at,
        })
    }

    /// What waited is done: says that this node's connections are gone, and saves the state. As far as the log
    /// can be reached: a node that says nothing is missed after its heartbeat.
    pub(super) async fn farewell(mut self) {
        let node = self.shared.options.node.clone();
        let id = self.shared.own_id("end");
        if let Ok(entry) = self.shared.entry(&id, Command::NodeLost { node })
            && let Err(e) = self.append(vec![entry]).await
        {
            tracing::debug!("the last words were not heard: {e}");
        }
        if let Some(saving) = self.saving.take() {
            // A panic in it has been reported by its own hook.
            let _ = saving.await;
        }
        // A state is not saved before its steps were handed on: they would never be folded again.
        if self.unsaved > 0
            && self.untold.is_empty()
            && let Some(snapshot) = self.begin_snapshot().await
        {
            save(self.shared.log.clone(), snapshot).await;
        }
    }
}

/// A state that nobody changes for now, and where in the log it is.
struct Held {
    folded: OwnedRwLockReadGuard<Folded>,
    position: Position,
    at: Timestamp,
}

async fn save(log: Log, held: Held) {
    let Held {
        folded,
        position,
        at,
    } = held;
    let bytes = blocking(move || {
        let copy = folded.whole.then(|| folded.centre.clone());
        drop(folded);
        copy.and_then(|centre| serde_json::to_vec(&centre).ok())
    });
    let Some(bytes) = bytes.await else { return };
    let snapshot = Snapshot {
        position,
        at,
        bytes,
    };
    match log.save_snapshot(snapshot).await {
        Ok(put) => tracing::debug!("snapshot at record {}: {put:?}", position.seq),
        Err(e) => tracing::warn!("the contact centre's state is not saved: {e}"),
    }
}
