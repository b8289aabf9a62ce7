//! What goes into the log and what comes out of it.

use std::time::Duration;

use jiff::Timestamp;

/// Entries in one append at most.
pub const MAX_BATCH: usize = 256;
/// Bytes of one body at most.
pub const MAX_BODY: usize = 256 * 1024;
/// Bytes of an id, or of a node's name, at most.
pub const MAX_NAME: usize = 128;
/// Records one read returns at most, whatever its limit.
pub const MAX_READ: usize = 1024;

/// A place in one history: a number, and a hash over all that went before. Two logs that agree in a position
/// agree in everything up to it, so a node learns from any answer whether the log is still the one it read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// 0 before the first record.
    pub seq: u64,
    /// 0 before the first record. Opaque: compared, never computed again.
    pub link: u64,
}

impl Position {
    /// Before the first record of any log.
    pub const START: Self = Self { seq: 0, link: 0 };
}

/// An input as the log keeps it. The same for every node, to the bit.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// From 1, without gaps.
    pub seq: u64,
    /// To the millisecond, UTC; never before that of an earlier record.
    pub at: Timestamp,
    /// The node that appended it.
    pub node: String,
    /// Unique in the log.
    pub id: String,
    /// Opaque here, [`MAX_BODY`] bytes at most.
    pub body: Vec<u8>,
    /// See [`Position`].
    pub link: u64,
}

impl Record {
    /// The place after this record: read on, or append, from here.
    pub fn position(&self) -> Position {
        Position {
            seq: self.seq,
            link: self.link,
        }
    }
}

impl std::fmt::Debug for Record {
    /// Without the body: what citizens write belongs in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "#{} {} {} {} ({} bytes)",
            self.seq,
            self.at,
            self.node,
            self.id,
            self.body.len()
        )
    }
}

/// An input to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 to [`MAX_NAME`] bytes. Appending an id that the log has changes nothing and is answered with its number.
    pub id: String,
    pub body: Vec<u8>,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Append {
    /// All entries are in the log.
    Appended(Appended),
    /// Others appended first: read on, fold, try again. Nothing was written.
    Conflict { head: u64 },
    /// The log is not, or no longer, the one that this position is of: call `recover`. Nothing was written.
    Diverged { head: u64 },
}

/// An append that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The number of each entry, in their order.
    pub seqs: Vec<u64>,
    /// The records that this append wrote, following the position it was made from without a gap. An entry
    /// whose id was there already has none.
    pub new: Vec<Record>,
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Following the position without a gap, oldest first; none when there is nothing newer.
    Records(Vec<Record>),
    /// The records that follow were dropped after a snapshot: load it, and read on from there.
    Compacted { base: u64 },
    /// As [`Append::Diverged`].
    Diverged { head: u64 },
}

/// What became of putting records back, or of saving a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Done,
    /// Others appended first. Nothing was written.
    Conflict {
        head: u64,
    },
    /// As [`Append::Diverged`].
    Diverged {
        head: u64,
    },
}

/// The state of a machine that has folded the log up to a position.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub position: Position,
    /// The time of the last record folded.
    pub at: Timestamp,
    /// Opaque here.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "snapshot at #{} ({} bytes)",
            self.position.seq,
            self.bytes.len()
        )
    }
}

/// A node whose heartbeat has ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LostNode {
    pub node: String,
    /// When its last heartbeat ran out. With the name it makes an id that all who notice share.
    pub since: Timestamp,
}

/// What a node said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub node: String,
    /// How long ago, by the store's clock.
    pub age: Duration,
    /// Opaque here.
    pub text: String,
}

/// What `recover` found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records put back under their old numbers.
    pub restored: u64,
    /// Records of this node's journal that the log forgot and whose numbers others have taken, oldest first:
    /// append them again as new, with the same ids. They stay in the journal, and in this list, until a record
    /// with their id is mirrored or they are settled.
    pub lost: Vec<Record>,
}

/// How long the log remembers what a snapshot covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Records kept behind the newest snapshot: so far back a slow node can read on without loading it, an id
    /// is known, and a node that was away can be compared. 10,000 unless said otherwise.
    pub tail: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { tail: 10_000 }
    }
}

/// How a Redis is reached and how long it is waited for.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[user:password@]host[:6379][/db]`, `rediss://…` for TLS, `unix:///path`, or by Sentinel
    /// `redis+sentinel://[user:password@]host[:26379],host…/name[/db]` (`rediss+sentinel://` when the Redis
    /// servers, not the Sentinels, speak TLS; the user and the password are those of the Redis servers).
    pub url: String,
    /// All keys begin with `{prefix}:` and so lie in one hash slot. Letters, digits, `-`, `_` and `.`;
    /// `borgerlinje` unless said otherwise. Each contact centre in one Redis needs its own.
    pub prefix: String,
    /// A certificate authority for `rediss://` in PEM, instead of those the system trusts.
    pub ca: Option<Vec<u8>>,
    /// For one attempt to connect: 1 s.
    pub connect: Duration,
    /// For one answer: 2 s. A connection that keeps us waiting for longer is given up; a snapshot must have passed
    /// within it.
    pub answer: Duration,
    /// For one operation with all its attempts, three at most: 5 s.
    pub patience: Duration,
    /// How often the head is asked for when nobody calls: 1 s. So late at most is a wake-up whose message was lost.
    pub poll: Duration,
    /// How long an empty log waits for a node that knows more, before one that knows nothing may begin it: 3 s.
    pub grace: Duration,
    pub keep: Keep,
}

impl RedisOptions {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "borgerlinje".to_owned(),
            ca: None,
            connect: Duration::from_secs(1),
            answer: Duration::from_secs(2),
            patience: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(3),
            keep: Keep::default(),
        }
    }
}

impl std::fmt::Debug for RedisOptions {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
