//! One owner of the model, on threads of its own.
//!
//! Two lanes of bounded length lead to it. One thread serves the interactive lane and nothing
//! else, so a citizen's question starts at once whatever is being indexed; the background threads
//! take small batches and start none while a question is waiting or running. A batch is whatever
//! waits when a thread becomes free, cut by tokens: nobody waits for a batch to fill.
//!
//! Invariants: a full lane answers [`Error::Overloaded`]; work nobody waits for any more is not
//! done; equal texts that wait or are being encoded are encoded once, and the vectors of recent
//! interactive texts are kept, by a hash of the text; whoever waits gets exactly one answer,
//! also when the model fails, panics or is shut down.

mod queue;
mod recent;
mod worker;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::precedence::Precedence;
use crate::tokenize::{Kind, Tokenizer};
use queue::{Queue, Reply};

/// Shared, because equal texts are answered with one vector.
pub type Vector = Arc<[f32]>;

/// Who waits for a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A citizen, now.
    Interactive,
    /// Indexing, evaluation: whenever nobody else does.
    Background,
}

#[derive(Debug, Clone, Copy)]
pub struct SchedulerOptions {
    /// Requests that may wait in each lane, at least 1.
    pub queue_capacity: usize,
    /// Tokens in an interactive batch; a single longer text is its own batch.
    pub max_batch_tokens: usize,
    /// Threads for the background lane, and for one interactive batch; at least 1.
    pub threads: usize,
    /// Bytes for vectors of the latest interactive texts, which are then not encoded again; 0 keeps none.
    pub recent_bytes: usize,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            queue_capacity: 256,
            max_batch_tokens: 256,
            threads: 1,
            // About 4,700 vectors of 384 numbers.
            recent_bytes: 8 << 20,
        }
    }
}

/// Tokens in a background batch: about 50 ms of one thread at 4,000 tokens a second.
pub(crate) const BACKGROUND_TOKENS: usize = 192;

/// What the scheduler runs: a model and its tokenizer, or a test's stand-in.
pub trait Encode: Send + Sync {
    /// # Errors
    /// For a text that has no tokens; only its own waiters hear of it.
    fn tokens(&self, kind: Kind, text: &str) -> Result<Vec<u32>>;

    /// One vector a sequence, in order. Background batches run on the calling thread alone.
    ///
    /// # Errors
    /// All waiters of the batch hear of it.
    fn encode(&self, priority: Priority, batch: &[Vec<u32>]) -> Result<Vec<Vector>>;
}

struct Model {
    encoder: Encoder,
    tokenizer: Tokenizer,
}

impl Encode for Model {
    fn tokens(&self, kind: Kind, text: &str) -> Result<Vec<u32>> {
        self.tokenizer.encode(kind, text)
    }

    fn encode(&self, priority: Priority, batch: &[Vec<u32>]) -> Result<Vec<Vector>> {
        match priority {
            Priority::Interactive => self.encoder.encode(batch),
            Priority::Background => self.encoder.encode_serial(batch),
        }
    }
}

/// Starts the threads; see [`Handle`].
pub struct Scheduler;

impl Scheduler {
    /// Gives the model to its threads.
    ///
    /// # Errors
    /// [`Error::Failed`] if the operating system gives no threads.
    pub fn start(
        mut encoder: Encoder,
        tokenizer: Tokenizer,
        options: SchedulerOptions,
    ) -> Result<Handle> {
        encoder.set_threads(options.threads)?;
        let model: Arc<dyn Encode> = Arc::new(Model { encoder, tokenizer });
        Self::start_with(&model, options)
    }

    /// As [`Scheduler::start`], with anything that encodes.
    ///
    /// # Errors
    /// As [`Scheduler::start`].
    pub fn start_with(model: &Arc<dyn Encode>, options: SchedulerOptions) -> Result<Handle> {
        let queue = Arc::new(Queue::new(options.queue_capacity, options.recent_bytes));
        // Made first: if a thread cannot be had, dropping it ends those that were.
        let inner = Arc::new(Inner {
            queue: Arc::clone(&queue),
            threads: Mutex::new(Vec::new()),
        });
        let background =
            (0..options.threads.max(1)).map(|_| (Priority::Background, BACKGROUND_TOKENS));
        for (priority, budget) in [(Priority::Interactive, options.max_batch_tokens)]
            .into_iter()
            .chain(background)
        {
            let (queue, model) = (Arc::clone(&queue), Arc::clone(model));
            let thread = std::thread::Builder::new()
                .name("model".into())
                .spawn(move || worker::run(&queue, &*model, priority, budget))
                .map_err(|error| Error::Failed(format!("no thread for the model: {error}")))?;
            inner
                .threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(thread);
        }
        Ok(Handle { inner })
    }
}

struct Inner {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    fn stop(&self) {
        self.queue.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a model thread panicked outside a batch");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Everybody's access to the model; cheap to clone. When the last one goes, the threads end.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl Handle {
    /// Queues at once, not when first polled. Dropping the future cancels: if nobody else waits
    /// for the same text, it is not encoded.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if the lane is full, [`Error::Failed`] if the model failed,
    /// [`Error::Tokenizer`], [`Error::Stopped`].
    pub fn encode(
        &self,
        priority: Priority,
        kind: Kind,
        text: String,
    ) -> impl Future<Output = Result<Vector>> + Send + 'static {
        let (sender, receiver) = oneshot::channel();
        let queued = self
            .inner
            .queue
            .push(priority, kind, text, Reply::Future(sender));
        async move {
            queued?;
            receiver.await.unwrap_or(Err(Error::Stopped))
        }
    }

    /// As [`Handle::encode`] for the few texts of one question, at once and blocking: not for async threads.
    ///
    /// # Errors
    /// As [`Handle::encode`].
    pub fn ask_blocking(&self, kind: Kind, texts: &[String]) -> Result<Vec<Vector>> {
        let queue = &self.inner.queue;
        let waiting: Vec<oneshot::Receiver<Result<Vector>>> = texts
            .iter()
            .map(|text| {
                let (sender, receiver) = oneshot::channel();
                let reply = Reply::Future(sender);
                queue.push(Priority::Interactive, kind, text.clone(), reply)?;
                Ok(receiver)
            })
            .collect::<Result<_>>()?;
        let answers = waiting.into_iter().map(oneshot::Receiver::blocking_recv);
        answers
            .map(|answer| answer.unwrap_or(Err(Error::Stopped)))
            .collect()
    }

    /// Encodes many texts in the background lane and blocks until all are done: not for async
    /// threads. Waits for room rather than being refused, and never fills the lane alone.
    /// `progress` hears (done, total) after each text. Vectors are in the order of `texts`.
    ///
    /// # Errors
    /// The first error of any text; the rest of the texts are then not waited for.
    pub fn encode_blocking(
        &self,
        kind: Kind,
        texts: &[String],
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Vector>> {
        let window = (self.inner.queue.capacity() / 2).max(1);
        let (sender, receiver) = mpsc::channel();
        let mut vectors: Vec<Option<Vector>> = vec![None; texts.len()];
        let (mut sent, mut done) = (0, 0);
        while done < texts.len() {
            while sent < texts.len() && sent - done < window {
                let reply = Reply::Thread {
                    index: sent,
                    sender: sender.clone(),
                };
                self.inner
                    .queue
                    .push_waiting(kind, texts[sent].clone(), reply)?;
                sent += 1;
            }
            let (index, vector) = receiver.recv().map_err(|_| Error::Stopped)?;
            vectors[index] = Some(vector?);
            done += 1;
            progress(done, texts.len());
        }
        vectors
            .into_iter()
            .map(|vector| vector.ok_or(Error::Stopped))
            .collect()
    }

    /// Requests waiting in both lanes; those being encoded are not counted.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner.queue.waiting()
    }

    /// Requests waiting in one lane.
    #[must_use]
    pub fn waiting_in(&self, priority: Priority) -> usize {
        self.inner.queue.waiting_in(priority)
    }

    /// Held while a citizen's text waits or is encoded: for whatever should give way to that.
    #[must_use]
    pub fn precedence(&self) -> Precedence {
        self.inner.queue.precedence()
    }

    /// Ends the threads after the batches they are at and answers all who wait with
    /// [`Error::Stopped`]. Blocks for that long. Calling it again does nothing.
    pub fn shutdown(&self) {
        self.inner.stop();
    }
}

#[cfg(test)]
mod tests;
