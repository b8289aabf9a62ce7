//! Two bounded lanes behind one lock, held only to move requests in and out.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use tokio::sync::oneshot;

use super::recent::Recent;
use super::{Priority, Vector};
use crate::error::{Error, Result};
use crate::precedence::Precedence;
use crate::tokenize::Kind;

/// Where an answer goes.
pub(super) enum Reply {
    Future(oneshot::Sender<Result<Vector>>),
    Thread {
        index: usize,
        sender: mpsc::Sender<(usize, Result<Vector>)>,
    },
}

impl Reply {
    /// An answer nobody takes any more is dropped.
    pub(super) fn send(self, answer: Result<Vector>) {
        match self {
            Self::Future(sender) => drop(sender.send(answer)),
            Self::Thread { index, sender } => drop(sender.send((index, answer))),
        }
    }

    fn abandoned(&self) -> bool {
        matches!(self, Self::Future(sender) if sender.is_closed())
    }
}

/// A text and all who wait for its vector.
pub(super) struct Job {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) replies: Vec<Reply>,
    /// Once counted, kept: a job may be put back when a batch is full.
    pub(super) tokens: Option<Vec<u32>>,
}

#[derive(Default)]
struct Lane {
    /// Ticket numbers in order of arrival.
    order: VecDeque<u64>,
    jobs: HashMap<u64, Job>,
    tickets: HashMap<(Kind, String), u64>,
    next: u64,
    /// Replies over all jobs.
    waiting: usize,
}

impl Lane {
    fn push(&mut self, kind: Kind, text: String, reply: Reply) {
        self.waiting += 1;
        let key = (kind, text);
        if let Some(job) = self
            .tickets
            .get(&key)
            .and_then(|ticket| self.jobs.get_mut(ticket))
        {
            job.replies.push(reply);
            return;
        }
        let ticket = self.next;
        self.next += 1;
        let job = Job {
            kind,
            text: key.1.clone(),
            replies: vec![reply],
            tokens: None,
        };
        self.tickets.insert(key, ticket);
        self.jobs.insert(ticket, job);
        self.order.push_back(ticket);
    }

    /// The oldest job that somebody still waits for.
    fn pop(&mut self) -> Option<Job> {
        while let Some(ticket) = self.order.pop_front() {
            let Some(mut job) = self.jobs.remove(&ticket) else {
                continue;
            };
            self.tickets.remove(&(job.kind, job.text.clone()));
            self.waiting -= job.replies.len();
            job.replies.retain(|reply| !reply.abandoned());
            if !job.replies.is_empty() {
                return Some(job);
            }
        }
        None
    }

    /// Puts a job back to the front, with those who asked for the same text meanwhile.
    fn put_back(&mut self, mut job: Job) {
        self.waiting += job.replies.len();
        let key = (job.kind, job.text.clone());
        // The newer one's ticket stays in `order`, where `pop` passes over it.
        if let Some(newer) = self
            .tickets
            .get(&key)
            .and_then(|ticket| self.jobs.remove(ticket))
        {
            job.replies.extend(newer.replies);
        }
        let ticket = self.next;
        self.next += 1;
        self.tickets.insert(key, ticket);
        self.jobs.insert(ticket, job);
        self.order.push_front(ticket);
    }

    /// Forgets those who gave up, so that they do not count as waiting.
    fn sweep(&mut self) {
        for job in self.jobs.values_mut() {
            let before = job.replies.len();
            job.replies.retain(|reply| !reply.abandoned());
            self.waiting -= before - job.replies.len();
        }
    }
}

struct State {
    interactive: Lane,
    background: Lane,
    /// Interactive batches being encoded.
    running: usize,
    /// Texts of interactive batches being encoded, and who came to wait for them since.
    encoding: HashMap<(Kind, String), Vec<Reply>>,
    recent: Recent,
    closed: bool,
    /// Whether precedence is held for what waits or runs.
    first: bool,
}

impl State {
    fn lane(&mut self, priority: Priority) -> &mut Lane {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Background => &mut self.background,
        }
    }

    /// A job this kind of thread may start now.
    fn take(&mut self, priority: Priority) -> Option<Job> {
        if priority == Priority::Background && (self.running > 0 || self.interactive.waiting > 0) {
            self.interactive.sweep();
            if self.running > 0 || self.interactive.waiting > 0 {
                return None;
            }
        }
        self.lane(priority).pop()
    }
}

pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// There may be work, or it is over.
    work: Condvar,
    /// There may be room in the background lane.
    room: Condvar,
    /// Held while a citizen's text waits or is encoded.
    precedence: Precedence,
}

impl Queue {
    /// `recent_bytes` bounds the vectors of interactive queries that are kept.
    pub(super) fn new(capacity: usize, recent_bytes: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            state: Mutex::new(State {
                interactive: Lane::default(),
                background: Lane::default(),
                running: 0,
                encoding: HashMap::new(),
                recent: Recent::new(recent_bytes),
                closed: false,
                first: false,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
            precedence: Precedence::default(),
        }
    }

    pub(super) fn precedence(&self) -> Precedence {
        self.precedence.clone()
    }

    /// Takes or gives back precedence, after whatever changed.
    fn tell(&self, state: &mut State) {
        let first = state.running > 0 || state.interactive.waiting > 0;
        if first == state.first {
            return;
        }
        state.first = first;
        if first {
            self.precedence.begin();
        } else {
            self.precedence.end();
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock; if it did, the lanes are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn waiting(&self) -> usize {
        let state = self.lock();
        state.interactive.waiting + state.background.waiting
    }

    pub(super) fn waiting_in(&self, priority: Priority) -> usize {
        self.lock().lane(priority).waiting
    }

    /// Queues, or refuses at once; answers at once when the vector is known, and with the others when the text
    /// is being encoded.
    pub(super) fn push(
        &self,
        priority: Priority,
        kind: Kind,
        text: String,
        reply: Reply,
    ) -> Result<()> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::Stopped);
        }
        let key = (kind, text);
        if priority == Priority::Interactive {
            if let Some(vector) = state.recent.get(kind, &key.1) {
                drop(state);
                reply.send(Ok(vector));
                return Ok(());
            }
            if let Some(late) = state.encoding.get_mut(&key) {
                late.push(reply);
                return Ok(());
            }
        }
        let capacity = self.capacity;
        let lane = state.lane(priority);
        if lane.waiting >= capacity {
            lane.sweep();
        }
        if lane.waiting >= capacity {
            return Err(Error::Overloaded);
        }
        lane.push(kind, key.1, reply);
        self.tell(&mut state);
        self.work.notify_all();
        Ok(())
    }

    /// Queues in the background lane, waiting for room.
    pub(super) fn push_waiting(&self, kind: Kind, text: String, reply: Reply) -> Result<()> {
        let mut state = self.lock();
        while !state.closed && state.background.waiting >= self.capacity {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Err(Error::Stopped);
        }
        state.background.push(kind, text, reply);
        self.work.notify_all();
        Ok(())
    }

    /// Waits for a job; `None` when the queue is closed. An interactive job counts as running
    /// until [`Queue::finish`].
    pub(super) fn next(&self, priority: Priority) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.take(priority) {
                if priority == Priority::Interactive {
                    state.running += 1;
                }
                self.tell(&mut state);
                self.room.notify_all();
                return Some(job);
            }
            // Those who waited may have given up.
            self.tell(&mut state);
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Another job for a batch that has begun, if one waits.
    pub(super) fn more(&self, priority: Priority) -> Option<Job> {
        let mut state = self.lock();
        let job = if state.closed {
            None
        } else {
            state.take_more(priority)
        };
        self.room.notify_all();
        job
    }

    pub(super) fn put_back(&self, priority: Priority, job: Job) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            job.replies
                .into_iter()
                .for_each(|reply| reply.send(Err(Error::Stopped)));
            return;
        }
        state.lane(priority).put_back(job);
        self.work.notify_all();
    }

    /// From now on whoever asks for the text waits for this batch. An interactive job's, when it joins a batch.
    pub(super) fn begin(&self, priority: Priority, job: &Job) {
        if priority == Priority::Interactive {
            let key = (job.kind, job.text.clone());
            self.lock().encoding.insert(key, Vec::new());
        }
    }

    /// The vector of a job that was begun, or none when that failed: kept for later. Who came to wait meanwhile
    /// is handed over.
    pub(super) fn done(
        &self,
        priority: Priority,
        job: &Job,
        vector: Option<&Vector>,
    ) -> Vec<Reply> {
        if priority != Priority::Interactive {
            return Vec::new();
        }
        let mut state = self.lock();
        if let Some(vector) = vector {
            state.recent.put(job.kind, &job.text, vector);
        }
        let key = (job.kind, job.text.clone());
        state.encoding.remove(&key).unwrap_or_default()
    }

    /// The batch that began with [`Queue::next`] is answered.
    pub(super) fn finish(&self, priority: Priority) {
        if priority == Priority::Interactive {
            let mut state = self.lock();
            state.running -= 1;
            self.tell(&mut state);
            self.work.notify_all();
        }
    }

    /// Refuses what comes and answers what waits.
    pub(super) fn close(&self) {
        let mut jobs = Vec::new();
        {
            let mut state = self.lock();
            state.closed = true;
            for priority in [Priority::Interactive, Priority::Background] {
                let lane = std::mem::take(state.lane(priority));
                jobs.extend(lane.jobs.into_values());
            }
            self.tell(&mut state);
        }
        self.work.notify_all();
        self.room.notify_all();
        for reply in jobs.into_iter().flat_map(|job| job.replies) {
            reply.send(Err(Error::Stopped));
        }
    }
}

impl State {
    /// As [`State::take`]; an interactive batch under way does not stop itself.
    fn take_more(&mut self, priority: Priority) -> Option<Job> {
        match priority {
            Priority::Interactive => self.interactive.pop(),
            Priority::Background => self.take(priority),
        }
    }
}
