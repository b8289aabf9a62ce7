//! What the log promises, on both stores: `suite` (the same tests over each), `model`, `killed`; and what only a
//! real Redis can do to it: `faults`, `recovery`, `reach`.

mod faults;
mod harness;
mod killed;
mod model;
mod reach;
mod recovery;
mod speed;
mod suite;

use std::collections::BTreeSet;

use crate::log::*;

pub(crate) fn entry(id: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        body: format!("body of {id}").into_bytes(),
    }
}

pub(crate) fn entries(ids: &[&str]) -> Vec<Entry> {
    ids.iter().map(|id| entry(id)).collect()
}

pub(crate) fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|r| r.id.as_str()).collect()
}

/// Appends where the log ends; all must be new.
pub(crate) async fn add(log: &Log, some: &[&str]) -> Vec<Record> {
    let after = log.head().await.unwrap();
    match log.append(after, entries(some)).await.unwrap() {
        Append::Appended(a) => {
            assert_eq!(a.new.len(), some.len());
            a.new
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn read_all(log: &Log, mut after: Position) -> Vec<Record> {
    let mut all = Vec::new();
    loop {
        match log.read(after, MAX_READ).await.unwrap() {
            Read::Records(r) if r.is_empty() => return all,
            Read::Records(r) => {
                after = r.last().unwrap().position();
                all.extend(r);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Beyond so many a test is going in circles.
const ROUNDS: u32 = 1000;

/// A node as the server will run one: what it has folded, and its way with the log.
pub(crate) struct Node {
    pub(crate) log: Log,
    pub(crate) at: Position,
    pub(crate) folded: Vec<Record>,
    /// To be appended again.
    lost: Vec<Record>,
}

impl Node {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            at: Position::START,
            folded: Vec::new(),
            lost: Vec::new(),
        }
    }

    async fn fold(&mut self, records: Vec<Record>) {
        self.log.mirror(&records).await.unwrap();
        self.at = records.last().map_or(self.at, Record::position);
        self.folded.extend(records);
    }

    /// Until there is nothing newer. Begins anew, from a snapshot or the start, when its past is not the log's.
    async fn read_on(&mut self) {
        let mut recovered = false;
        for _ in 0..ROUNDS {
            match self.log.read(self.at, 100).await.unwrap() {
                Read::Records(r) if r.is_empty() => return,
                Read::Records(r) => self.fold(r).await,
                Read::Diverged { .. } if !recovered => {
                    recovered = true;
                    self.lost = self.log.recover().await.unwrap().lost;
                }
                Read::Diverged { .. } | Read::Compacted { .. } => {
                    recovered = false;
                    let snapshot = self.log.load_snapshot().await.unwrap();
                    self.at = snapshot.map_or(Position::START, |s| s.position);
                    self.folded.clear();
                }
            }
        }
        panic!("it never comes to rest");
    }

    async fn append_now(&mut self, some: Vec<Entry>) -> Vec<u64> {
        for _ in 0..ROUNDS {
            self.read_on().await;
            match self.log.append(self.at, some.clone()).await.unwrap() {
                Append::Appended(a) => {
                    self.fold(a.new).await;
                    return a.seqs;
                }
                // Read on, which recovers when it must.
                Append::Conflict { .. } => {}
                // Nobody has begun this log, or again since.
                Append::Diverged { .. } => {
                    self.lost = self.log.recover().await.unwrap().lost;
                }
            }
        }
        panic!("others are always first");
    }

    /// Reads on, and appends again what the log lost.
    pub(crate) async fn catch_up(&mut self) {
        self.read_on().await;
        for _ in 0..ROUNDS {
            if self.lost.is_empty() {
                return;
            }
            let some = std::mem::take(&mut self.lost).into_iter();
            let some: Vec<Entry> = some
                .map(|r| Entry {
                    id: r.id,
                    body: r.body,
                })
                .collect();
            for some in some.chunks(MAX_BATCH) {
                self.append_now(some.to_vec()).await;
            }
            self.read_on().await;
        }
        panic!("what was lost is never found");
    }

    /// How many records were put back, and how many are to be appended again, which is done.
    pub(crate) async fn recover(&mut self) -> (u64, usize) {
        let found = self.log.recover().await.unwrap();
        let lost = found.lost.len();
        self.lost = found.lost;
        self.catch_up().await;
        (found.restored, lost)
    }

    /// Until the entries are in the log; their numbers.
    pub(crate) async fn append(&mut self, some: Vec<Entry>) -> Vec<u64> {
        self.catch_up().await;
        self.append_now(some).await
    }
}

/// One order, without gaps, times that do not go back, every id once.
pub(crate) fn assert_sound(records: &[Record]) {
    assert!(
        records.windows(2).all(|w| w[0].seq + 1 == w[1].seq),
        "gaps: {records:?}"
    );
    assert!(records.is_sorted_by_key(|r| r.at), "times go back");
    let unique: BTreeSet<&str> = records.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(unique.len(), records.len(), "an id twice: {records:?}");
}
