//! Starting a node, watching over it, and ending it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, DialogueId};
use contact::centre::NodeId;
use futures_util::future::BoxFuture;
use storage::Journal;
use storage::log::{self, Keep, Log, RedisOptions, Severity};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::fold::{Step, Watch};
use super::handle::{Handle, Shared, State};
use super::inbox::Inbox;
use super::worker::Worker;
use crate::runtime::put;

/// Takes every step of the log, in order, before anybody hears of it and before a state that has it is saved. The
/// same steps come again after a restart, and after a failure: what was done is not to be done twice.
pub(crate) trait Sink: Send + Sync {
    /// # Errors
    /// The journal's: then the same steps come again.
    fn take<'a>(&'a self, steps: &'a [Step]) -> BoxFuture<'a, Result<(), storage::Error>>;
}

/// How a node is run.
#[derive(Clone)]
pub(crate) struct Options {
    /// This node's name; each node of one Redis has another.
    pub node: NodeId,
    /// Commands that may wait; one more is answered Overloaded.
    pub queue: usize,
    /// Records in one append at most.
    pub batch: usize,
    /// How long a command waits for a log that is away.
    pub patience: Duration,
    /// How long a node may be silent before it is lost; it says that it lives three times in that span.
    pub ttl: Duration,
    /// How late at most a deadline is noticed when somebody sets the clock.
    pub look: Duration,
    /// So many steps a subscriber may be behind.
    pub news: usize,
    /// A snapshot is saved after so many records, and not more often than this.
    pub snapshot_records: u64,
    pub snapshot_pause: Duration,
    pub sink: Option<Arc<dyn Sink>>,
    #[cfg(test)]
    pub(super) before: Option<super::fold::Before>,
}

impl Options {
    pub(crate) fn new(node: NodeId) -> Self {
        Self {
            node,
            queue: 1024,
            batch: log::MAX_BATCH,
            patience: Duration::from_secs(6),
            ttl: Duration::from_secs(9),
            look: Duration::from_secs(1),
            news: 4096,
            snapshot_records: 5_000,
            snapshot_pause: Duration::from_secs(30),
            sink: None,
            #[cfg(test)]
            before: None,
        }
    }
}

/// A running node. Ends with this value.
pub(crate) struct Node {
    handle: Handle,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts the task of a node; does not wait for the log. To be called inside a tokio runtime.
    pub(crate) fn start(log: Log, clock: Arc<dyn Clock>, options: Options) -> Self {
        let (handle, asks) = Handle::new(log, clock, options);
        let task = tokio::spawn(watch_over(Arc::clone(&handle.0), Inbox::new(asks)));
        Self { handle, task }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Takes no more commands, does those that wait, says goodbye and saves the state; gives up after
    /// [`Options::patience`].
    pub(crate) async fn shutdown(mut self) {
        self.handle.0.stop.send_replace(true);
        let patience = self.handle.0.options.patience;
        if timeout(patience, &mut self.task).await.is_err() {
            tracing::warn!("the contact centre's log is away: what waited is not done");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs the worker, again whenever it falls.
async fn watch_over(shared: Arc<Shared>, inbox: Inbox) {
    let inbox = Arc::new(Mutex::new(inbox));
    let mut watch = Watch::default();
    #[cfg(test)]
    watch.before.clone_from(&shared.options.before);
    let mut falls = BTreeMap::new();
    let mut pause = Duration::from_millis(50);
    loop {
        let guard = Arc::clone(&inbox).lock_owned().await;
        let worker = Worker::new(Arc::clone(&shared), guard, watch.clone());
        // Ends with this future.
        let mut task = JoinSet::new();
        task.spawn(worker.run());
        let fell = match task.join_next().await {
            Some(Err(e)) => e.is_panic(),
            _ => false,
        };
        if !fell {
            break;
        }
        shared.health.send_modify(|h| {
            h.restarts += 1;
            h.state = State::Starting;
        });
        if let Some(at) = watch.fell_at() {
            let times: &mut u32 = falls.entry(at).or_default();
            *times += 1;
            tracing::error!(
                "the contact centre fell at record {}: it is started again",
                at.seq
            );
            if *times > 1 {
                tracing::error!("record {} is passed over", at.seq);
                watch.faulty.insert(at);
            }
        } else {
            tracing::error!("the contact centre's task fell: it is started again");
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }
    shared.health.send_modify(|h| h.state = State::Closed);
}

/// Opens the log: in the journal, or in the Redis of this address with a mirror in the journal. What can be lost
/// with the settings of that Redis is said in the program's own log as soon as it answers. Does not wait for it.
///
/// # Errors
/// An address or a setting that cannot be.
pub(crate) fn open(
    journal: Journal,
    clock: Arc<dyn Clock>,
    node: &NodeId,
    redis: Option<&RedisOptions>,
) -> Result<Log, log::Error> {
    let Some(options) = redis else {
        return Log::embedded(journal, clock, node.as_str(), Keep::default());
    };
    let log = Log::redis(journal, node.as_str(), options)?;
    tokio::spawn(say_findings(log.clone()));
    Ok(log)
}

/// Says what the settings of the store can lose.
async fn say_findings(log: Log) {
    let mut pause = Duration::from_secs(1);
    loop {
        match log.check().await {
            Ok(findings) => {
                for finding in findings {
                    match finding.severity() {
                        Severity::Severe => tracing::error!("Redis: {finding}"),
                        Severity::Warning => tracing::warn!("Redis: {finding}"),
                    }
                }
                return;
            }
            Err(e) if e.passes() => tracing::warn!("{e}"),
            Err(e) => return tracing::warn!("nobody knows what Redis can lose: {e}"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}

/// The file in the data folder that holds the node's name.
const NAME_FILE: &str = "node";

/// The node's name: the one given, else the one that was made for this data folder the first time. A folder that
/// is copied for a second node needs another name.
///
/// # Errors
/// The file cannot be read or written, or holds no name.
pub(crate) fn name(given: Option<&NodeId>, data: &Path) -> io::Result<NodeId> {
    if let Some(name) = given {
        return Ok(name.clone());
    }
    let path = data.join(NAME_FILE);
    let parse = |text: &str| {
        let odd = |why| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: {why}", path.display()),
            )
        };
        text.trim().parse::<NodeId>().map_err(odd)
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => return parse(&text),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let made = format!("node-{}", DialogueId::random());
    put(&path, made.as_bytes())?;
    parse(&made)
}
