//! Nodes over a real log, with a clock that the test moves.
//!
//! Embedded there is one node, and every [`Bench::on`] is that one. In Redis the time of a record is that of the
//! server, but never before that of the record before; so the test moves it by putting records of a later time
//! into the log, as after a failover to a server with another clock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, ManualClock};
use contact::centre::*;
use contact::sim::{Record as Told, id, office, violations};
use jiff::Timestamp;
use storage::log::{Keep, Log, MAX_READ, Position, Put, Read, Record, RedisOptions};
use storage::{Journal, Options as JournalOptions};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::super::{Handle, Node, Options};
use super::redis;

pub(super) const AARHUS: &str = "0751";
pub(super) const BILLUND: &str = "0530";
pub(super) const HERNING: &str = "0657";
pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60_000;
pub(super) const HOUR: u64 = 60 * MINUTE;
/// Longer than anything takes here, in steps of a few ms.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Embedded,
    Redis,
}

/// What a test changes about its nodes.
pub(super) type Change = fn(&mut Options);

struct Home {
    dir: tempfile::TempDir,
    journal: Option<Journal>,
    node: Option<Node>,
    log: Option<Log>,
}

pub(super) struct Bench {
    pub(super) kind: Kind,
    pub(super) server: Option<redis::Server>,
    /// Puts records of a later time into Redis.
    time: Option<Log>,
    clock: ManualClock,
    homes: Vec<Home>,
    change: Change,
    pub(super) journal_options: JournalOptions,
    pub(super) keep: Keep,
    /// Messages that were acknowledged.
    pub(super) acked: Mutex<BTreeSet<(ItemId, MessageId)>>,
}

/// A time in Copenhagen, such as `2091-03-05T09:00`.
pub(super) fn local(text: &str) -> Moment {
    let at: jiff::civil::DateTime = text.parse().unwrap();
    let at = at.to_zoned(contact::copenhagen().clone()).unwrap();
    at.timestamp().into()
}

impl Bench {
    /// Two nodes (one when embedded) with three municipalities, open from 8 to 20, on a Monday at nine. None
    /// when there is no redis-server.
    pub(super) async fn new(kind: Kind, change: Change) -> Option<Self> {
        if kind == Kind::Redis && !redis::is_here() {
            return None;
        }
        let mut bench = Self::bare(kind, change).await;
        let nodes = if kind == Kind::Redis { 2 } else { 1 };
        for n in 0..nodes {
            bench.add_home();
            bench.start(n).await;
        }
        bench.configure(Settings::default()).await;
        for code in [AARHUS, BILLUND, HERNING] {
            let hours = office().into();
            let (code, fair_share_permille) = (id(code), None);
            bench
                .ok(
                    0,
                    Command::SetMunicipality {
                        code,
                        hours,
                        fair_share_permille,
                    },
                )
                .await;
        }
        Some(bench)
    }

    async fn bare(kind: Kind, change: Change) -> Self {
        let begin = local("2091-03-05T09:00");
        let server = match kind {
            Kind::Embedded => None,
            Kind::Redis => Some(redis::Server::start().await),
        };
        let bench = Self {
            kind,
            time: server.as_ref().map(|s| {
                Log::redis(Journal::in_memory().unwrap(), "time", &hasty(s.url())).unwrap()
            }),
            server,
            clock: ManualClock::at(begin.timestamp()),
            homes: Vec::new(),
            change,
            journal_options: JournalOptions::default(),
            keep: Keep::default(),
            acked: Mutex::default(),
        };
        bench.put_time(begin).await;
        bench
    }

    pub(super) fn add_home(&mut self) {
        self.homes.push(Home {
            dir: tempfile::tempdir().unwrap(),
            journal: None,
            node: None,
            log: None,
        });
    }

    /// Starts the nth node, on the data it had before.
    pub(super) async fn start(&mut self, n: usize) {
        self.start_without_waiting(n);
        self.until("the node serves", async |b: &Bench| {
            b.on(n).health().state == super::super::State::Serving
        })
        .await;
    }

    pub(super) fn start_without_waiting(&mut self, n: usize) {
        let n = n % self.homes.len();
        let path = self.journal_path(n);
        let journal = Journal::open(&path, &self.journal_options).unwrap();
        let name = format!("node-{n}");
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let log = match &self.server {
            None => Log::embedded(journal.clone(), clock.clone(), &name, self.keep),
            Some(s) => {
                let mut options = hasty(s.url());
                options.keep = self.keep;
                Log::redis(journal.clone(), &name, &options)
            }
        };
        let mut options = Options::new(id(&name));
        options.look = Duration::from_millis(5);
        options.ttl = Duration::from_millis(900);
        options.patience = Duration::from_secs(10);
        (self.change)(&mut options);
        let log = log.unwrap();
        let home = &mut self.homes[n];
        home.node = Some(Node::start(log.clone(), clock, options));
        (home.journal, home.log) = (Some(journal), Some(log));
    }

    /// As a crash: nothing is said, nothing is saved.
    pub(super) async fn kill(&mut self, n: usize) {
        let n = n % self.homes.len();
        let home = &mut self.homes[n];
        drop(home.node.take());
        home.log = None;
        // The file is free for the next; on a full disk it is not tidied up.
        let _ = home.journal.take().unwrap().close().await;
    }

    pub(super) async fn shut_down(&mut self, n: usize) {
        let n = n % self.homes.len();
        let home = &mut self.homes[n];
        home.node.take().unwrap().shutdown().await;
        home.log = None;
        home.journal.take().unwrap().close().await.unwrap();
    }

    pub(super) fn journal_path(&self, n: usize) -> std::path::PathBuf {
        self.homes[n % self.homes.len()]
            .dir
            .path()
            .join("journal.sqlite")
    }

    pub(super) fn on(&self, n: usize) -> Handle {
        let n = n % self.homes.len();
        self.homes[n].node.as_ref().expect("runs").handle()
    }

    pub(super) fn log(&self) -> &Log {
        let mut logs = self.homes.iter().filter_map(|h| h.log.as_ref());
        logs.next_back().expect("some node runs")
    }

    /// A way to the log in Redis that is no node's.
    pub(super) fn outside(&self) -> Log {
        self.time.clone().expect("with Redis")
    }

    fn running(&self) -> impl Iterator<Item = Handle> {
        let nodes = self.homes.iter().filter_map(|h| h.node.as_ref());
        nodes.map(Node::handle)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now().into()
    }

    /// Waits for something, for a while.
    #[track_caller]
    pub(super) fn until(
        &self,
        what: &str,
        mut is: impl AsyncFnMut(&Self) -> bool,
    ) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let end = tokio::time::Instant::now() + PATIENCE;
            while !is(self).await {
                assert!(
                    tokio::time::Instant::now() < end,
                    "not so in time: {what} ({at})"
                );
                sleep(Duration::from_millis(2)).await;
            }
        }
    }

    /// Until all nodes have folded the whole log.
    pub(super) async fn sync(&self) {
        self.until("all nodes have folded everything", async |b: &Bench| {
            let head = b.log().head().await.map_or(u64::MAX, |h| h.seq);
            b.running().all(|n| n.health().folded == head)
        })
        .await;
    }

    /// In Redis: a record of this time.
    async fn put_time(&self, at: Moment) {
        let Some(log) = &self.time else { return };
        loop {
            let head = log.head().await.unwrap();
            let id = format!("time-{}-{}", at.as_ms(), head.seq);
            let input = Input {
                id: self::id(&id),
                recovered: false,
                command: Command::Tick,
                carried: None,
            };
            let record = Record {
                seq: head.seq + 1,
                at: at.timestamp(),
                node: "time".to_owned(),
                id,
                body: serde_json::to_vec(&input).unwrap(),
                link: head.link.wrapping_add(0x9e37_79b9_7f4a_7c15),
            };
            if log.restore(head, vec![record]).await.unwrap() == Put::Done {
                return;
            }
        }
    }

    async fn move_to(&self, at: Moment) {
        self.put_time(at).await;
        let by = at.since(self.now());
        self.clock.advance(Duration::from_millis(by));
    }

    /// Lets time pass; each deadline on the way is noticed at its time.
    pub(super) async fn pass(&self, ms: u64) {
        let end = self.now().plus(ms);
        loop {
            self.sync().await;
            let due = self.deadline().await;
            let Some(due) = due.filter(|d| *d <= end) else {
                break;
            };
            self.move_to(due).await;
            self.until("a deadline is noticed", async |b: &Bench| {
                b.deadline().await.is_none_or(|d| d > due)
            })
            .await;
        }
        self.move_to(end).await;
        self.sync().await;
    }

    /// Lets time jump: whatever was due on the way is noticed late, at once.
    pub(super) async fn leap(&self, to: Moment) {
        self.move_to(to).await;
        self.until("what is overdue is noticed", async |b: &Bench| {
            b.deadline().await.is_none_or(|d| d > to)
        })
        .await;
        self.sync().await;
    }

    async fn deadline(&self) -> Option<Moment> {
        let node = self.running().next().expect("runs");
        let deadline = node.read(Centre::next_deadline).await.unwrap();
        deadline.map(Moment::from)
    }

    /// What was recorded of the log, folded once more, with its effects.
    pub(super) async fn history(&self) -> (Vec<Told>, Centre) {
        self.sync().await;
        let (mut centre, mut at, mut told) = (Centre::new(), Position::START, Vec::new());
        loop {
            let Read::Records(records) = self.log().read(at, MAX_READ).await.unwrap() else {
                panic!("the log does not begin at its beginning");
            };
            let Some(last) = records.last() else { break };
            at = last.position();
            for r in records {
                let input: Input = serde_json::from_slice(&r.body).unwrap();
                let effects = centre.step(&input, r.at);
                let at: Timestamp = r.at;
                told.push(Told {
                    at: at.into(),
                    input,
                    effects,
                });
            }
        }
        (told, centre)
    }

    /// What must hold after every scenario, checked on the log.
    pub(super) async fn finish(&self) {
        let (history, centre) = self.history().await;
        assert_eq!(violations(&history), Vec::<String>::new());
        assert_eq!(centre.faults(), Vec::<String>::new());
        for node in self.running() {
            let same = node.read(|c| *c == centre).await.unwrap();
            assert!(same, "a node holds another state than the log gives");
        }
        let mut delivered = BTreeSet::new();
        for effect in history.iter().flat_map(|h| &h.effects) {
            if let Effect::Deliver { item, message, .. } = effect {
                let first = delivered.insert((item.clone(), message.clone()));
                assert!(first, "{message} was delivered twice");
            }
        }
        for acked in &*self.acked.lock().await {
            assert!(
                delivered.contains(acked),
                "{acked:?} was acknowledged and is lost"
            );
        }
    }
}

/// Settings that make tests short.
pub(super) fn hasty(url: String) -> RedisOptions {
    RedisOptions {
        connect: Duration::from_millis(300),
        answer: Duration::from_millis(1000),
        patience: Duration::from_millis(2000),
        poll: Duration::from_millis(100),
        grace: Duration::ZERO,
        ..RedisOptions::new(url)
    }
}
