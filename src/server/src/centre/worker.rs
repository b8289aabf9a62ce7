//! The task that owns the centre: reads on, folds, has what waits appended, and waits for more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contact::centre::Command;
use jiff::Timestamp;
use storage::log::{self, Entry, MAX_READ, Position, Read, Record};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::append::FIRST_REST;
use super::error::Trouble;
use super::fold::{Done, Step, Watch, fold};
use super::handle::{News, Shared, State};
use super::inbox::Inbox;

/// More records than this are folded on a blocking thread: so many take a millisecond or two.
const INLINE: usize = 32;
/// Rounds without coming to rest, after which a node pauses.
const ROUNDS: u32 = 64;
/// How long a head that lies behind us may be just a late word.
const REREAD: Duration = Duration::from_millis(200);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: OwnedMutexGuard<Inbox>,
    pub(super) watch: Watch,
    /// Everything up to here is folded.
    pub(super) at: Position,
    /// The time of the last record folded.
    pub(super) time: Option<Timestamp>,
    pub(super) deadline: Option<Timestamp>,
    /// Folded, and not yet told: the sink has not taken them.
    pub(super) untold: Vec<Step>,
    /// To be appended again before anything else.
    pub(super) lost: VecDeque<Entry>,
    /// Whether the log is still the one that was folded must be found out.
    pub(super) doubt: bool,
    /// It was found out, and nothing was read since.
    pub(super) compared: bool,
    /// The state must be folded anew.
    pub(super) anew: bool,
    /// There may be something to read.
    pub(super) behind: bool,
    /// A head was heard of that lies behind us, late or because the log forgot: then it is looked at.
    pub(super) reread: Option<Instant>,
    pub(super) next_beat: Instant,
    /// Records folded since the last snapshot, when it was begun, and its task.
    pub(super) unsaved: u64,
    pub(super) saved_at: Instant,
    pub(super) saving: Option<JoinHandle<()>>,
    /// How much later, in ms, the store's clock is than ours; negative when earlier.
    pub(super) skew_ms: i64,
    /// A tick that changed nothing keeps the next one back until then, and the one after for so long.
    pub(super) tick_from: Instant,
    pub(super) tick_rest: Duration,
    hint: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, inbox: OwnedMutexGuard<Inbox>, watch: Watch) -> Self {
        let now = Instant::now();
        Self {
            hint: shared.log.watch(),
            stop: shared.stop.subscribe(),
            shared,
            inbox,
            watch,
            at: Position::START,
            time: None,
            deadline: None,
            untold: Vec::new(),
            lost: VecDeque::new(),
            doubt: true,
            compared: false,
            anew: true,
            behind: true,
            reread: None,
            next_beat: now,
            unsaved: 0,
            saved_at: now,
            saving: None,
            skew_ms: 0,
            tick_from: now,
            tick_rest: FIRST_REST,
        }
    }

    /// Until the node is stopped, and what waited then is done.
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let round = self.round().await;
            let stopping = *self.stop.borrow();
            match round {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    self.show(State::Serving);
                    if stopping {
                        if self.inbox.is_idle() {
                            return self.farewell().await;
                        }
                    } else if self.inbox.queue.is_empty() && self.lost.is_empty() {
                        self.idle().await;
                    }
                }
                Err(trouble) => {
                    self.away(&trouble);
                    if stopping && self.inbox.is_idle() {
                        return;
                    }
                    self.rest(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Everything that can be done now.
    async fn round(&mut self) -> Result<(), Trouble> {
        self.behind |= self.reread.is_some_and(|at| at <= Instant::now());
        for _ in 0..ROUNDS {
            if !self.untold.is_empty() {
                self.tell().await?;
            } else if self.doubt {
                self.recover().await?;
            } else if self.anew {
                self.refold().await?;
            } else if self.behind {
                self.read_on().await?;
            } else if self.next_beat <= Instant::now() {
                self.beat().await?;
            } else {
                let batch = self.batch();
                if batch.is_empty() {
                    self.snapshot().await;
                    return Ok(());
                }
                self.append_batch(batch).await?;
            }
        }
        // Under load there is always more: let others have the thread, and look at the clock of the heartbeat.
        tokio::task::yield_now().await;
        if self.doubt || self.anew || self.behind {
            return Err(Trouble::Restless);
        }
        Ok(())
    }

    /// Reads and folds what is new.
    async fn read_on(&mut self) -> Result<(), Trouble> {
        match self.read(self.at).await? {
            Read::Records(records) => {
                (self.compared, self.reread) = (false, None);
                if records.is_empty() {
                    self.behind = false;
                } else {
                    self.fold(records).await?;
                }
            }
            Read::Compacted { .. } => self.anew = true,
            // Found out already, and still not the same.
            Read::Diverged { .. } if self.compared => self.anew = true,
            Read::Diverged { .. } => self.doubt = true,
        }
        Ok(())
    }

    pub(super) async fn read(&mut self, after: Position) -> Result<Read, Trouble> {
        let read = self.shared.log.read(after, MAX_READ).await;
        read.map_err(|e| self.doubtful(e))
    }

    /// Notes what an error says of the log itself.
    pub(super) fn doubtful(&mut self, e: log::Error) -> Trouble {
        let journal = matches!(e, log::Error::Journal(_));
        if matches!(e, log::Error::Corrupt(_) | log::Error::OutOfStep { .. }) && !journal {
            self.doubt = true;
        }
        Trouble::Log(e)
    }

    /// Mirrors and folds records that follow, and tells everybody.
    pub(super) async fn fold(&mut self, records: Vec<Record>) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        let mirrored = self.shared.log.mirror(&records).await;
        mirrored.map_err(|e| self.doubtful(e))?;
        let done = if records.len() > INLINE {
            let mut folded = Arc::clone(&self.shared.folded).write_owned().await;
            let (at, watch) = (self.at, self.watch.clone());
            blocking(move || fold(&mut folded, at, &records, &watch)).await
        } else {
            let mut folded = self.shared.folded.write().await;
            fold(&mut folded, self.at, &records, &self.watch)
        };
        self.took(&done);
        self.untold.extend(done.steps);
        self.tell().await?;
        unreadable(done.unreadable)
    }

    /// Hands on what was folded, then answers and tells everybody. What the sink does not take is handed on
    /// again, before anything else is done.
    async fn tell(&mut self) -> Result<(), Trouble> {
        self.hand_on(&self.untold).await?;
        for step in std::mem::take(&mut self.untold) {
            self.inbox.told(&step);
            // Nobody may listen.
            let _ = self.shared.news.send(News::Step(Arc::new(step)));
        }
        Ok(())
    }

    /// Has the sink take steps.
    pub(super) async fn hand_on(&self, steps: &[Step]) -> Result<(), Trouble> {
        match &self.shared.options.sink {
            Some(sink) if !steps.is_empty() => {
                let taken = sink.take(steps).await;
                taken.map_err(|e| Trouble::Log(log::Error::Journal(e)))
            }
            _ => Ok(()),
        }
    }

    /// Goes on from where a fold ended.
    pub(super) fn took(&mut self, done: &Done) {
        if done.steps.iter().any(|s| self.ends_us(s)) {
            let _ = self.shared.news.send(News::Missed);
        }
        self.unsaved += done.steps.len() as u64;
        self.at = done.at;
        self.time = done.time.or(self.time);
        self.deadline = done.deadline;
        self.shared.health.send_modify(|h| h.folded = done.at.seq);
    }

    /// Whether a step takes this node's connections away, though it lives.
    fn ends_us(&self, step: &Step) -> bool {
        let (me, id) = (&self.shared.options.node, step.input.id.as_str());
        match &step.input.command {
            Command::NodeLost { node } if node == me && id != self.shared.own_id("end") => {
                tracing::warn!("another node took this one for lost");
                true
            }
            Command::NodeStarted { node } if node == me && id != self.shared.own_id("start") => {
                tracing::error!(
                    "another process runs under this node's name, {me}: give it another"
                );
                true
            }
            _ => false,
        }
    }

    /// Waits until there is something to do.
    async fn idle(&mut self) {
        let options = &self.shared.options;
        let beat = self.next_beat.saturating_duration_since(Instant::now());
        let reread = self
            .reread
            .map_or(beat, |at| at.saturating_duration_since(Instant::now()));
        let tick = self.tick_in().unwrap_or(beat);
        let wait = tick.min(beat).min(reread).min(options.look);
        let room = self.inbox.queue.len() < options.batch;
        tokio::select! {
            () = async { let _ = self.stop.wait_for(|stop| *stop).await; } => {}
            ask = self.inbox.asks.recv(), if room => {
                if let Some(ask) = ask {
                    self.inbox.take(ask);
                }
            }
            changed = self.hint.changed() => {
                let head = *self.hint.borrow_and_update();
                self.behind |= changed.is_ok() && head > self.at.seq;
                if head < self.at.seq {
                    self.reread.get_or_insert(Instant::now() + REREAD);
                }
            }
            () = sleep(wait) => {}
        }
    }

    /// Waits before another attempt, less when the log is heard of again.
    async fn rest(&mut self, pause: Duration) {
        self.inbox.gather(self.shared.options.batch);
        sleep(FIRST_PAUSE.min(pause)).await;
        tokio::select! {
            _ = self.hint.changed() => self.behind = true,
            () = sleep(pause.saturating_sub(FIRST_PAUSE)) => {}
        }
    }

    fn show(&self, state: State) {
        self.shared.health.send_if_modified(|h| {
            let news = h.state != state;
            if news && matches!(h.state, State::Away { .. }) {
                tracing::info!("the contact centre's log can be used again");
            }
            h.state = state;
            news
        });
    }

    fn away(&self, trouble: &Trouble) {
        let why = trouble.to_string();
        self.shared.health.send_modify(|h| {
            let (since, known) = match &h.state {
                State::Away { since, why: before } => (*since, *before == why),
                _ => (Instant::now(), false),
            };
            if !known {
                tracing::warn!("the contact centre waits: {why}");
            }
            h.state = State::Away { why, since };
        });
    }
}

pub(super) fn unreadable(found: Option<(u64, String)>) -> Result<(), Trouble> {
    match found {
        None => Ok(()),
        Some((seq, why)) => Err(Trouble::Unreadable { seq, why }),
    }
}

/// Runs work that takes long on a thread for it; a panic of it is this task's.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending: this task ends with it.
            Err(_) => std::future::pending().await,
        },
    }
}
