//! Appending: in batches, under one id however often it is tried, and a tick when time has come.

use std::time::Duration;

use contact::centre::Command;
use storage::log::{self, Append, Entry};
use tokio::time::Instant;

use super::Error;
use super::error::Trouble;
use super::worker::Worker;

/// How long a tick that changed nothing keeps the next one back, at first and at most.
pub(super) const FIRST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(2);

impl Worker {
    /// What is to be appended next: what was lost, that we started, what people want; and a tick when time has
    /// come and nothing else lets it pass.
    pub(super) fn batch(&mut self) -> Vec<Entry> {
        let most = self.shared.options.batch;
        let mut batch: Vec<Entry> = self.lost.iter().take(most).cloned().collect();
        if batch.len() == most {
            return batch;
        }
        if !self.inbox.started {
            let node = self.shared.options.node.clone();
            let id = self.shared.own_id("start");
            batch.extend(self.shared.entry(&id, Command::NodeStarted { node }));
        }
        self.inbox.gather(most);
        let room = most.saturating_sub(batch.len());
        batch.extend(self.inbox.queue.iter().take(room).cloned());
        if batch.is_empty() && self.tick_in() == Some(Duration::ZERO) {
            let id = self.shared.own_id(&format!("tick-{}", self.at.seq));
            batch.extend(self.shared.entry(&id, Command::Tick));
        }
        batch
    }

    /// How long until a tick is due; None when nothing is to come.
    pub(super) fn tick_in(&self) -> Option<Duration> {
        let now = self.shared.clock.now().as_millisecond() + self.skew_ms;
        let ms = self.deadline?.as_millisecond().saturating_sub(now);
        let due = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        Some(due.max(self.tick_from.saturating_duration_since(Instant::now())))
    }

    pub(super) async fn append_batch(&mut self, batch: Vec<Entry>) -> Result<(), Trouble> {
        let ids: Vec<String> = batch.iter().map(|e| e.id.clone()).collect();
        let (was, deadline) = (self.at.seq, self.deadline);
        match self.append(batch).await {
            Ok(None) => return Ok(()),
            Ok(Some(seqs)) => {
                for (id, seq) in ids.iter().zip(seqs) {
                    self.done(id, seq);
                }
            }
            Err(Trouble::Log(e)) if refuses(&e) && self.at.seq == was && !self.behind => {
                for id in &ids {
                    self.inbox.answer(id, Err(Error::Store(e.clone())));
                }
                self.inbox.gather(0);
                return Err(Trouble::Log(e));
            }
            Err(trouble) => return Err(trouble),
        }
        if self.deadline == deadline && self.tick_in() == Some(Duration::ZERO) {
            self.tick_from = Instant::now() + self.tick_rest;
            self.tick_rest = (self.tick_rest * 2).min(LONGEST_REST);
        } else {
            self.tick_rest = FIRST_REST;
        }
        Ok(())
    }

    /// An entry is in the log under a number.
    fn done(&mut self, id: &str, seq: u64) {
        // Appended from the front, in their order.
        for queue in [&mut self.lost, &mut self.inbox.queue] {
            if queue.front().is_some_and(|e| e.id == id) {
                queue.pop_front();
            }
        }
        self.inbox.started |= id == self.shared.own_id("start");
        if seq > self.at.seq {
            self.behind = true;
        } else {
            // Unless the step has told already: it was folded when nobody waited for it.
            self.inbox.answer(id, Err(Error::Unknown));
        }
    }

    /// Appends and folds; the numbers, or None when something is to be read or found out first.
    pub(super) async fn append(&mut self, batch: Vec<Entry>) -> Result<Option<Vec<u64>>, Trouble> {
        let before = self.shared.clock.now().as_millisecond();
        let appended = match self.shared.log.append(self.at, batch).await {
            Ok(Append::Appended(appended)) => appended,
            Ok(Append::Conflict { .. }) => {
                self.behind = true;
                return Ok(None);
            }
            Ok(Append::Diverged { .. }) => {
                self.doubt = true;
                return Ok(None);
            }
            Err(e) => {
                // It may have been done all the same.
                self.behind |= !refuses(&e);
                return Err(self.doubtful(e));
            }
        };
        let after = self.shared.clock.now().as_millisecond();
        if let Some(last) = appended.new.last() {
            let at = last.at.as_millisecond();
            self.skew_ms = at - at.clamp(before.min(after), after.max(before));
        }
        self.reread = None;
        // Should it fail from here on, the records are there to be read.
        self.behind = true;
        self.fold(appended.new).await?;
        self.behind = false;
        Ok(Some(appended.seqs))
    }
}

/// Whether nothing was written, for certain, and trying at once is of no use.
fn refuses(e: &log::Error) -> bool {
    !e.passes() && !matches!(e, log::Error::Corrupt(_) | log::Error::OutOfStep { .. })
}
