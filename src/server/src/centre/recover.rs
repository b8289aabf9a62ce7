//! When the log is another than the one that was folded: at start, and after Redis forgot something.

use contact::centre::{AgentRow, Centre, Command, Input, QueueRow};
use storage::log::{Entry, Position, Read, Record, Snapshot};

use super::error::Trouble;
use super::fold::{Folded, fold};
use super::handle::News;
use super::worker::{Worker, blocking, unreadable};

impl Worker {
    /// Finds out whether the log is still the one that was folded, puts back what it forgot, and takes note of
    /// what must be appended again.
    pub(super) async fn recover(&mut self) -> Result<(), Trouble> {
        let found = self.shared.log.recover().await?;
        (self.doubt, self.compared, self.behind) = (false, true, true);
        if found.restored > 0 {
            tracing::warn!(
                "{} records that Redis had forgotten were put back",
                found.restored
            );
        }
        let mut settled = Vec::new();
        self.lost.clear();
        for record in found.lost {
            match again(&record) {
                Again::Append(entry) => self.lost.push_back(entry),
                Again::Settle => settled.push(record.id),
                Again::Keep(why) => tracing::error!(
                    "record {} is lost from the log and cannot be read ({why}): it is kept in the journal",
                    record.seq
                ),
            }
        }
        if !self.lost.is_empty() {
            let lost = self.lost.len();
            tracing::warn!("{lost} records that Redis had forgotten are appended again");
            let lost: std::collections::HashSet<&str> =
                self.lost.iter().map(|e| e.id.as_str()).collect();
            self.inbox.queue.retain(|e| !lost.contains(e.id.as_str()));
            let _ = self.shared.news.send(News::Missed);
        }
        if !settled.is_empty() {
            self.shared.log.settle(settled).await?;
        }
        Ok(())
    }

    /// Where a fold begins: at the state that this node kept, so that its sink gets every step since, or at the
    /// beginning; at the newest state of all only when the log is no longer there to be read from there.
    async fn beginning(&mut self) -> Result<Option<Snapshot>, Trouble> {
        let kept = self.shared.log.kept_snapshot().await;
        let kept = kept.map_err(|e| self.doubtful(e))?;
        let from = kept.as_ref().map_or(Position::START, |s| s.position);
        if let Read::Records(_) = self.read(from).await? {
            return Ok(kept);
        }
        let newest = self.shared.log.load_snapshot().await;
        newest.map_err(|e| self.doubtful(e))
    }

    /// Folds the log anew. Until it is done, readers see what they saw before.
    pub(super) async fn refold(&mut self) -> Result<(), Trouble> {
        let loaded = self.beginning().await?;
        let (mut at, mut time) = loaded
            .as_ref()
            .map_or((Position::START, None), |s| (s.position, Some(s.at)));
        let parsed = blocking(move || match loaded {
            None => Ok(Centre::new()),
            Some(s) => serde_json::from_slice(&s.bytes),
        });
        let centre = parsed.await.map_err(|e| Trouble::Snapshot(e.to_string()))?;
        let mut folded = Folded {
            centre,
            whole: true,
        };
        let (mut steps, mut read) = (Vec::new(), 0);
        loop {
            let records = match self.read(at).await? {
                Read::Records(records) if records.is_empty() => break,
                Read::Records(records) => records,
                // Another snapshot came meanwhile.
                Read::Compacted { .. } => return Ok(()),
                Read::Diverged { .. } => {
                    self.doubt = true;
                    return Ok(());
                }
            };
            let mirrored = self.shared.log.mirror(&records).await;
            mirrored.map_err(|e| self.doubtful(e))?;
            let watch = self.watch.clone();
            let (back, done) = blocking(move || {
                let done = fold(&mut folded, at, &records, &watch);
                (folded, done)
            })
            .await;
            folded = back;
            self.hand_on(&done.steps).await?;
            unreadable(done.unreadable)?;
            at = done.at;
            time = done.time.or(time);
            read += done.steps.len() as u64;
            let waited =
                |s: &super::fold::Step| self.inbox.pending.contains_key(s.input.id.as_str());
            steps.extend(done.steps.into_iter().filter(waited));
        }
        self.deadline = folded.centre.next_deadline();
        let (back, nodes) = blocking(move || {
            let nodes = nodes(&folded.centre);
            (folded, nodes)
        })
        .await;
        self.shared
            .log
            .expect_nodes(&nodes, self.shared.options.ttl)
            .await?;
        *self.shared.folded.write().await = back;
        (self.at, self.time, self.unsaved) = (at, time, read);
        (self.anew, self.behind, self.compared) = (false, true, false);
        self.shared.health.send_modify(|h| h.folded = at.seq);
        tracing::debug!("the contact centre was folded anew to record {}", at.seq);
        steps.iter().for_each(|step| self.inbox.told(step));
        let _ = self.shared.news.send(News::Missed);
        Ok(())
    }
}

enum Again {
    Append(Entry),
    Settle,
    Keep(String),
}

/// What is to be done with a record that the log lost. What only says how things stood is settled: time goes on,
/// nodes are looked after by their heartbeats, and who is connected is announced again after [`News::Missed`].
fn again(record: &Record) -> Again {
    let mut input: Input = match serde_json::from_slice(&record.body) {
        Ok(input) => input,
        Err(e) => return Again::Keep(e.to_string()),
    };
    match &mut input.command {
        Command::Tick
        | Command::NodeStarted { .. }
        | Command::NodeLost { .. }
        | Command::AgentPresent { .. }
        | Command::CitizenPresent { .. } => return Again::Settle,
        // A connection of then: the page that is still there is announced again.
        Command::Request { link, .. } => *link = None,
        _ => {}
    }
    input.recovered = true;
    match serde_json::to_vec(&input) {
        Ok(body) => Again::Append(Entry {
            id: record.id.clone(),
            body,
        }),
        Err(e) => Again::Keep(e.to_string()),
    }
}

/// The nodes that hold a connection, as far as the centre knows.
fn nodes(centre: &Centre) -> Vec<String> {
    let mut nodes = std::collections::BTreeSet::new();
    for AgentRow { agent, .. } in centre.agents() {
        let links = centre.agent_state(&agent).into_iter();
        nodes.extend(links.flat_map(|a| a.links.values().map(ToString::to_string)));
    }
    for QueueRow { item, .. } in centre.queue(|_| true) {
        let links = centre.item(&item).into_iter();
        nodes.extend(links.flat_map(|i| i.links.values().map(ToString::to_string)));
    }
    nodes.into_iter().collect()
}
