//! What the rest of the program holds of the contact centre.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{Clock, DialogueId};
use contact::centre::{Centre, Command, Effect, Input, InputId, NodeId, Text};
use storage::log::{Entry, Log, MAX_BODY};
use tokio::sync::{RwLock, broadcast, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::fold::{Folded, Step};
use super::{Error, Options};

/// What came of a command.
pub(super) type Answer = Result<Vec<Effect>, Error>;

/// A command on its way to the log.
pub(super) struct Ask {
    pub(super) entry: Entry,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What all tasks and handles of a node share.
pub(super) struct Shared {
    pub(super) log: Log,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: Options,
    pub(super) folded: Arc<RwLock<Folded>>,
    pub(super) health: watch::Sender<Health>,
    pub(super) news: broadcast::Sender<News>,
    pub(super) stop: watch::Sender<bool>,
    asks: mpsc::Sender<Ask>,
    /// With a number behind it, an id that no other input has.
    run: String,
    next: AtomicU64,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub state: State,
    /// The number of the last record folded.
    pub folded: u64,
    /// How often the watchdog had to start the node's task again.
    pub restarts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The log is being read.
    Starting,
    Serving,
    /// The log cannot be used since then; what was folded can still be read. In words for an operator.
    Away {
        why: String,
        since: Instant,
    },
    Closed,
}

impl State {
    /// In one word, for machines.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Away { .. } => "away",
            Self::Closed => "closed",
        }
    }
}

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// In the order of the log, each once.
    Step(Arc<Step>),
    /// Something was missed, or the state was folded anew, or this node was taken for lost. Look again at
    /// everything that is shown, and send again who is connected here (`AgentPresent`, `CitizenPresent`).
    Missed,
}

/// The steps of the centre from now on.
pub(crate) struct Subscription(broadcast::Receiver<News>);

impl Subscription {
    /// The next; None when the node has ended. Who is more than [`Options::news`] steps behind gets one
    /// [`News::Missed`] instead of what was dropped. Nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<News> {
        match self.0.recv().await {
            Ok(news) => Some(news),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(News::Missed),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// A way to the contact centre. Clones share it.
#[derive(Clone)]
pub(crate) struct Handle(pub(super) Arc<Shared>);

impl Handle {
    pub(super) fn new(
        log: Log,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, waiting) = mpsc::channel(options.queue);
        let shared = Shared {
            log,
            clock,
            folded: Arc::default(),
            health: watch::Sender::new(Health {
                state: State::Starting,
                folded: 0,
                restarts: 0,
            }),
            news: broadcast::Sender::new(options.news),
            stop: watch::Sender::new(false),
            asks,
            run: DialogueId::random().as_str().to_owned(),
            next: AtomicU64::new(0),
            options,
        };
        (Self(Arc::new(shared)), waiting)
    }

    /// Appends a command and answers with its effects, once it is on disk here and, with Redis, in Redis.
    /// A command whose future is dropped may be done or not.
    ///
    /// # Errors
    /// See [`Error`]. Waits up to [`Options::patience`], and not at all when the log has been away for longer.
    pub(crate) async fn send(&self, command: Command) -> Answer {
        self.send_with(command, None).await
    }

    /// As [`Handle::send`], with what every node writes beside the state: see `Input::carried`.
    ///
    /// # Errors
    /// As [`Handle::send`].
    pub(crate) async fn send_with(&self, command: Command, carried: Option<Text>) -> Answer {
        self.append(&self.0.new_id(), command, carried).await
    }

    /// As [`Handle::send`], under an id of the caller's own: the log has it once, however often it is sent.
    ///
    /// # Errors
    /// As [`Handle::send`]; Unknown when it was done before.
    pub(crate) async fn send_as(&self, id: &str, command: Command) -> Answer {
        self.append(id, command, None).await
    }

    async fn append(&self, id: &str, command: Command, carried: Option<Text>) -> Answer {
        if let State::Away { why, since } = &self.0.health.borrow().state
            && since.elapsed() > self.0.options.patience
        {
            return Err(Error::Unavailable(why.clone()));
        }
        let entry = self.0.entry_with(id, command, carried)?;
        if entry.body.len() > MAX_BODY {
            return Err(Error::Store(storage::log::Error::Size("a command")));
        }
        let (reply, answer) = oneshot::channel();
        let sent = self.0.asks.try_send(Ask { entry, reply });
        sent.map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Closed,
        })?;
        match timeout(self.0.options.patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::Closed),
            Err(_) => Err(Error::Unavailable(self.why())),
        }
    }

    /// Looks at the centre, as of the last record folded. Folding waits meanwhile: what takes longer than a few
    /// milliseconds belongs on a copy.
    ///
    /// # Errors
    /// Starting.
    pub(crate) async fn read<R>(&self, look: impl FnOnce(&Centre) -> R) -> Result<R, Error> {
        let folded = self.0.folded.read().await;
        if folded.whole {
            Ok(look(&folded.centre))
        } else {
            Err(Error::Starting)
        }
    }

    /// The steps from now on, of all nodes.
    pub(crate) fn effects(&self) -> Subscription {
        Subscription(self.0.news.subscribe())
    }

    /// This node's name.
    pub(crate) fn node(&self) -> &NodeId {
        &self.0.options.node
    }

    /// Whether this run of this node sent the command of a step: of all nodes exactly one did.
    pub(crate) fn sent_it(&self, step: &Step) -> bool {
        let id = step.input.id.as_str();
        let own = id.strip_prefix(self.0.run.as_str());
        own.is_some_and(|rest| rest.starts_with('-'))
    }

    /// Records of the log, as far as was heard of it, that are not folded yet.
    pub(crate) fn behind(&self) -> u64 {
        let head = *self.0.log.watch().borrow();
        head.saturating_sub(self.0.health.borrow().folded)
    }

    /// How the node is now.
    pub(crate) fn health(&self) -> Health {
        self.0.health.borrow().clone()
    }

    fn why(&self) -> String {
        match &self.0.health.borrow().state {
            State::Away { why, .. } => why.clone(),
            _ => "no answer in time".to_owned(),
        }
    }
}

impl Shared {
    fn new_id(&self) -> String {
        self.own_id(&self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// An id of this run of the program, which no other has.
    pub(super) fn own_id(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    /// # Errors
    /// Store, when the id or the command has no form in the log, which no caller can bring about.
    pub(super) fn entry(&self, id: &str, command: Command) -> Result<Entry, Error> {
        self.entry_with(id, command, None)
    }

    fn entry_with(
        &self,
        id: &str,
        command: Command,
        carried: Option<Text>,
    ) -> Result<Entry, Error> {
        let odd = || Error::Store(storage::log::Error::Size("an id"));
        let input = Input {
            id: id.parse::<InputId>().map_err(|_| odd())?,
            recovered: false,
            command,
            carried,
        };
        let body = serde_json::to_vec(&input).map_err(|_| odd())?;
        Ok(Entry {
            id: id.to_owned(),
            body,
        })
    }
}
