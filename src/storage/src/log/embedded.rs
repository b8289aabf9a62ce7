//! The log in the journal's own file: one node, and nothing else to run.

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use jiff::Timestamp;
use tokio::sync::watch;

use super::types::{
    Append, Entry, Keep, LostNode, Position, Put, Read, Record, Recovered, Snapshot,
};
use super::{Error, table};
use crate::Journal;

/// What is shared by the clones of an embedded log.
#[derive(Clone)]
pub(crate) struct Embedded {
    journal: Journal,
    clock: Arc<dyn Clock>,
    node: String,
    keep: Keep,
    heads: watch::Sender<u64>,
}

pub(crate) fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX / 4)
}

impl Embedded {
    pub(crate) fn new(journal: Journal, clock: Arc<dyn Clock>, node: String, keep: Keep) -> Self {
        Self {
            journal,
            clock,
            node,
            keep,
            heads: watch::Sender::new(0),
        }
    }

    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn append(
        &self,
        after: Position,
        entries: Vec<Entry>,
    ) -> Result<Append, Error> {
        let (node, now) = (self.node.clone(), self.now());
        let done = self
            .journal
            .write(move |c| table::append(c, &node, after, entries, now))
            .await?;
        if let Append::Appended(a) = &done
            && let Some(last) = a.new.last()
        {
            self.heads.send_replace(last.seq);
        }
        Ok(done)
    }

    pub(crate) async fn read(&self, after: Position, limit: usize) -> Result<Read, Error> {
        Ok(self
            .journal
            .read(move |c| table::read(c, after, limit))
            .await?)
    }

    pub(crate) async fn head(&self) -> Result<Position, Error> {
        Ok(self.journal.read(|c| Ok(table::ends(c)?.head)).await?)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    pub(crate) async fn restore(
        &self,
        after: Position,
        records: Vec<Record>,
    ) -> Result<Put, Error> {
        let last = records.last().map(|r| r.seq);
        let put = self
            .journal
            .write(move |c| table::restore(c, after, &records))
            .await?;
        if let (Put::Done, Some(last)) = (put, last) {
            self.heads.send_replace(last);
        }
        Ok(put)
    }

    pub(crate) async fn save_snapshot(&self, snapshot: Snapshot) -> Result<Put, Error> {
        let tail = self.keep.tail;
        Ok(self
            .journal
            .write(move |c| table::save_snapshot(c, &snapshot, tail))
            .await?)
    }

    pub(crate) async fn trim(&self, before: Timestamp) -> Result<u64, Error> {
        Ok(self.journal.trim(before).await?)
    }

    pub(crate) async fn kept_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        self.load_snapshot().await
    }

    pub(crate) async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        Ok(self.journal.read(table::load_snapshot).await?)
    }

    pub(crate) async fn generation(&self) -> Result<String, Error> {
        Ok(self
            .journal
            .read(|c| Ok(table::ends(c)?.generation))
            .await?)
    }

    pub(crate) async fn heartbeat(&self, node: &str, ttl: Duration) -> Result<(), Error> {
        let (node, now) = (node.to_owned(), self.now().as_millisecond());
        Ok(self
            .journal
            .write(move |c| table::beat(c, &node, now, millis(ttl)))
            .await?)
    }

    pub(crate) async fn expect_nodes(&self, nodes: &[String], ttl: Duration) -> Result<(), Error> {
        let (nodes, now) = (nodes.to_vec(), self.now().as_millisecond());
        Ok(self
            .journal
            .write(move |c| table::expect(c, &nodes, now + millis(ttl)))
            .await?)
    }

    pub(crate) async fn lost_nodes(&self) -> Result<Vec<LostNode>, Error> {
        let now = self.now().as_millisecond();
        Ok(self
            .journal
            .read(move |c| table::lost_nodes(c, now))
            .await?)
    }

    pub(crate) async fn forget_node(&self, lost: &LostNode) -> Result<(), Error> {
        let lost = lost.clone();
        Ok(self.journal.write(move |c| table::forget(c, &lost)).await?)
    }

    /// Nothing of it can be forgotten. What an earlier life with Redis lost is still to be appended again.
    pub(crate) async fn recover(&self) -> Result<Recovered, Error> {
        let lost = self.journal.read(table::lost).await?;
        Ok(Recovered { restored: 0, lost })
    }

    pub(crate) async fn settle(&self, ids: Vec<String>) -> Result<(), Error> {
        Ok(self.journal.write(move |c| table::settle(c, &ids)).await?)
    }
}
