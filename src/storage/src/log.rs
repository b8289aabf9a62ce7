//! An ordered log: the one order of all inputs, which every node folds into the same state. The contact centre has
//! one, and so have the releases of several nodes.
//!
//! Two stores keep it: the journal's own file (one node), or a Redis that several nodes share, each with a mirror
//! in its journal. The bytes of an input are opaque here.
//!
//! Invariants, for both stores:
//! - Records are numbered from 1 without gaps, their times never go back, and an id is in the log once.
//! - An append is whole or not at all, and only from the position it was made for (compare-and-append).
//! - A [`Position`] names a whole history: whoever asks from a position of another one is told so, and is never
//!   given records that do not follow what it has folded.
//! - Asking twice is harmless. After an error that leaves open whether an append was done, the same append with
//!   the same ids finds out.
//! - A mirrored record is never forgotten: it is in Redis, or put back, or among [`Recovered::lost`].
//!
//! A node's duty: `mirror` what it read or appended before it acknowledges any of it; `recover` at its start and
//! whenever it is told Diverged or Corrupt.
//!
//! What can still be lost: a record that Redis forgot and whose number another took, when every node that had seen
//! it stays away until the log has dropped that number, more than a tail behind a snapshot.
//!
//! Time is the caller's clock in the embedded log and that of the Redis server in the other.

mod embedded;
mod error;
mod redis;
mod table;
mod types;

use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use tokio::sync::watch;

pub use self::error::Error;
pub use self::redis::{Finding, Severity};
pub use self::types::{
    Append, Appended, Entry, Keep, LostNode, MAX_BATCH, MAX_BODY, MAX_NAME, MAX_READ, Position,
    Put, Read, Record, Recovered, RedisOptions, Said, Snapshot,
};
use crate::Journal;

/// A log. Clones share it.
#[derive(Clone)]
pub struct Log(Store);

#[derive(Clone)]
enum Store {
    Embedded(embedded::Embedded),
    Redis(Arc<redis::Redis>),
}

/// Does the same with whichever store it is.
macro_rules! both {
    ($log:expr, $store:ident => $does:expr) => {
        match &$log.0 {
            Store::Embedded($store) => $does,
            Store::Redis($store) => $does,
        }
    };
}

impl Log {
    /// The log in the journal's file, for a single node of this name. A journal that mirrored a Redis before goes
    /// on from there.
    ///
    /// # Errors
    /// Size, when the name is empty or too long.
    pub fn embedded(
        journal: Journal,
        clock: Arc<dyn Clock>,
        node: &str,
        keep: Keep,
    ) -> Result<Self, Error> {
        name(node)?;
        let store = embedded::Embedded::new(journal, clock, node.to_owned(), keep);
        Ok(Self(Store::Embedded(store)))
    }

    /// The log in a Redis, mirrored in the journal; `node` is this node's name, another for each. Does not wait:
    /// a task connects, and connects again for as long as a clone of the log is there. To be called inside a
    /// tokio runtime with time and IO.
    ///
    /// # Errors
    /// Settings; Size.
    pub fn redis(journal: Journal, node: &str, options: &RedisOptions) -> Result<Self, Error> {
        name(node)?;
        let store = redis::Redis::open(journal, node.to_owned(), options)?;
        Ok(Self(Store::Redis(Arc::new(store))))
    }

    /// Appends all entries or none, when `after` is the newest position; those whose id is there already are
    /// answered with their number, wherever `after` is in this history. [`MAX_BATCH`] entries at most.
    ///
    /// # Errors
    /// Size; Journal (Full, Overloaded, Io) or Unavailable, Timeout, ReadOnly, OutOfMemory, NotSaving, Denied,
    /// Corrupt. After Unavailable and Timeout the entries may be there: append them again.
    pub async fn append(&self, after: Position, entries: Vec<Entry>) -> Result<Append, Error> {
        if entries.len() > MAX_BATCH {
            return Err(Error::Size("too many entries in one append"));
        }
        for e in &entries {
            name(&e.id)?;
            if e.body.len() > MAX_BODY {
                return Err(Error::Size("a body"));
            }
        }
        both!(self, s => s.append(after, entries).await)
    }

    /// What follows a position, oldest first, `limit` records at most and never more than [`MAX_READ`].
    ///
    /// # Errors
    /// Journal (Corrupt, Io, Overloaded) or Unavailable, Timeout, Denied, Corrupt.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Read, Error> {
        both!(self, s => s.read(after, limit.min(MAX_READ)).await)
    }

    /// The newest position.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn head(&self) -> Result<Position, Error> {
        both!(self, s => s.head().await)
    }

    /// Changes when there may be something new to read, also after every reconnect; the value is the newest
    /// number heard of. A hint: it may come twice, or late ([`RedisOptions::poll`]), and only a read is the truth.
    pub fn watch(&self) -> watch::Receiver<u64> {
        both!(self, s => s.watch())
    }

    /// Keeps the state at a position. Records more than [`Keep::tail`] behind it are dropped then. One that is
    /// older than what is kept already is passed over. With Redis it is kept there and in this node's journal, which
    /// sheds its old records only so: every node saves, at its own pace.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn save_snapshot(&self, snapshot: Snapshot) -> Result<Put, Error> {
        both!(self, s => s.save_snapshot(snapshot).await)
    }

    /// The newest state that was kept; None: fold from [`Position::START`].
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn load_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        both!(self, s => s.load_snapshot().await)
    }

    /// The state that this node keeps itself, which may be older than [`Log::load_snapshot`]'s: as far as the log can
    /// still be read on from there, every record since this node last ran is folded, none is skipped.
    ///
    /// # Errors
    /// The journal's.
    pub async fn kept_snapshot(&self) -> Result<Option<Snapshot>, Error> {
        both!(self, s => s.kept_snapshot().await)
    }

    /// Drops the records from before an instant that a kept snapshot makes needless; how many went here. A node that
    /// comes later than that begins from the snapshot.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn trim(&self, before: jiff::Timestamp) -> Result<u64, Error> {
        both!(self, s => s.trim(before).await)
    }

    /// A random id of this log's life: a store that was wiped has another.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn generation(&self) -> Result<String, Error> {
        both!(self, s => s.generation().await)
    }

    /// Says that this node lives for `ttl` more; to be said three times in that span.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn heartbeat(&self, ttl: Duration) -> Result<(), Error> {
        both!(self, s => s.heartbeat(s.node(), ttl).await)
    }

    /// Gives each of these nodes `ttl` to be heard of, unless something is known of it already: for the nodes
    /// that the folded state knows, at start and after `recover`, so that one that died together with the store's
    /// memory of it is noticed too.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn expect_nodes(&self, nodes: &[String], ttl: Duration) -> Result<(), Error> {
        for node in nodes {
            name(node)?;
        }
        both!(self, s => s.expect_nodes(nodes, ttl).await)
    }

    /// The nodes whose time has run out, longest gone first. None while nobody has been heard of for half a ttl:
    /// then it is the store that was away, and everybody's time begins anew with the next heartbeat.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn lost_nodes(&self) -> Result<Vec<LostNode>, Error> {
        both!(self, s => s.lost_nodes().await)
    }

    /// Strikes a lost node off, once the log says that it is lost; not when it was heard of again since.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn forget_node(&self, lost: &LostNode) -> Result<(), Error> {
        both!(self, s => s.forget_node(lost).await)
    }

    /// Keeps a few words that this node says of itself, for all who ask, for a week. Nothing to the embedded log.
    ///
    /// # Errors
    /// As [`Log::append`], without Size.
    pub async fn say(&self, text: &str) -> Result<(), Error> {
        match &self.0 {
            Store::Embedded(_) => Ok(()),
            Store::Redis(s) => s.say(text).await,
        }
    }

    /// What the nodes said of themselves last, by name.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub async fn said(&self) -> Result<Vec<Said>, Error> {
        match &self.0 {
            Store::Embedded(_) => Ok(Vec::new()),
            Store::Redis(s) => s.said().await,
        }
    }

    /// Puts records back as they were, when `after` is the newest position and they follow it.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub async fn restore(&self, after: Position, records: Vec<Record>) -> Result<Put, Error> {
        let follow = (after.seq + 1..).take(records.len());
        if records.len() > MAX_BATCH || !records.iter().map(|r| r.seq).eq(follow) {
            return Err(Error::Size("records to put back: too many, or with gaps"));
        }
        both!(self, s => s.restore(after, records).await)
    }

    /// Keeps records in this node's journal; on disk when it returns. What is there already is passed over. Nothing
    /// in them may be acknowledged before. The embedded log needs none of it and does nothing.
    ///
    /// # Errors
    /// OutOfStep; Journal (Full, Overloaded, Io).
    pub async fn mirror(&self, records: &[Record]) -> Result<(), Error> {
        match &self.0 {
            Store::Embedded(_) => Ok(()),
            Store::Redis(s) => s.mirror(records).await,
        }
    }

    /// Compares this node's journal with the log: puts back what the log forgot, and says what must be appended
    /// again as new because others took its numbers. A log that is damaged is begun anew from the journal. At the start
    /// of a node, and whenever it is told Diverged or Corrupt. When
    /// its position is still Diverged or Compacted afterwards, its state must be folded anew, from
    /// [`Log::load_snapshot`] or from the start. Waits up to [`RedisOptions::grace`] on an empty log.
    ///
    /// # Errors
    /// As [`Log::append`]. What was done until then stays done, and is not done twice.
    pub async fn recover(&self) -> Result<Recovered, Error> {
        both!(self, s => s.recover().await)
    }

    /// Strikes records off [`Recovered::lost`] that need not be appended again.
    ///
    /// # Errors
    /// Journal (Full, Overloaded, Io).
    pub async fn settle(&self, ids: Vec<String>) -> Result<(), Error> {
        both!(self, s => s.settle(ids).await)
    }

    /// Whether the store can be reached as far as is known now, or why not; the embedded log always can. For a page
    /// that shows how the program is.
    ///
    /// # Errors
    /// Unavailable, Timeout, ReadOnly, Denied.
    pub fn health(&self) -> Result<(), Error> {
        match &self.0 {
            Store::Embedded(_) => Ok(()),
            Store::Redis(s) => s.health(),
        }
    }

    /// What the settings of the store can lose, most severe first; nothing for the embedded log.
    ///
    /// # Errors
    /// Unavailable, Timeout, Denied.
    pub async fn check(&self) -> Result<Vec<Finding>, Error> {
        match &self.0 {
            Store::Embedded(_) => Ok(Vec::new()),
            Store::Redis(s) => s.check().await,
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Store::Embedded(_) => "Log(embedded)",
            Store::Redis(_) => "Log(redis)",
        })
    }
}

fn name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Error::Size("a name or an id"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
