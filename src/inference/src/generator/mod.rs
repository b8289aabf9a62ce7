//! A language model on a thread of its own: prompts in, text out, piece by piece.
//!
//! [`Generator::load`] opens a GGUF file, or says why not, before anything large is allocated. [`Generator::generate`]
//! queues a request or refuses it at once; the [`Answer`] gives text as it is written, and dropping it ends the work within
//! one token. Several texts are written at once, a token each in turn. Decoding is greedy: the same prompt gives the same
//! text, whoever else is answered beside it and whatever was cached.
//!
//! Citizens' questions go first: between layers the thread looks at [`Precedence`], and waits.

mod architecture;
mod cache;
mod engine;
mod gguf;
mod loaded;
mod memory;
mod model;
mod prompt;
mod spm;
#[cfg(test)]
mod testing;
mod text;
mod tokenizer;
mod weights;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use self::engine::Engine;
pub use self::loaded::Description;
use self::loaded::Loaded;
pub use self::prompt::{Message, Prompt, PromptForm, Role};
use crate::encoder::Compute;
use crate::error::{Error, Result};
use crate::precedence::Precedence;

/// For `fuzz/` alone: see [`crate::fuzzing`].
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(file: &std::path::Path) {
    let mut options = GeneratorOptions::new(Arc::new(|| Duration::ZERO));
    options.threads = 1;
    // Enough for a small model, and little enough that a file cannot ask for the machine's.
    options.free_bytes = Some(1 << 30);
    options.limits.kv_bytes = 1 << 20;
    let Ok(loaded) = Loaded::read(file, &options) else {
        return;
    };
    let question = || {
        vec![Message {
            role: Role::User,
            text: "Hvad koster et pas?<eos>".to_owned(),
        }]
    };
    for (fixed, prompt) in [
        (
            Prompt::Text("Afsnit:".to_owned()),
            Prompt::Text(" et pas".to_owned()),
        ),
        (Prompt::Messages(Vec::new()), Prompt::Messages(question())),
    ] {
        let Ok((tokens, _)) = loaded.template.tokens(&fixed, &prompt, &loaded.tokenizer) else {
            continue;
        };
        let mut text = Vec::new();
        for token in tokens {
            loaded.tokenizer.decode(token, &mut text);
        }
    }
}

/// Longest wait for others at one look, so that writing does get on under constant load.
const PATIENCE: Duration = Duration::from_millis(20);

/// A monotonic clock: time since some moment.
pub type Now = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that may wait.
    pub queue: usize,
    /// Texts written at once.
    pub at_once: usize,
    /// Longest prompt and answer together, in tokens; never more than the model was made for.
    pub context: usize,
    /// Bytes for keys and values of all texts and prefixes.
    pub kv_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: 32,
            at_once: 4,
            context: 4096,
            kv_bytes: 512 << 20,
        }
    }
}

#[derive(Clone)]
pub struct GeneratorOptions {
    pub compute: Compute,
    /// Threads of a pass, at least 1.
    pub threads: usize,
    pub limits: Limits,
    /// Bytes of memory that are free, where the operator knows better than the machine says.
    pub free_bytes: Option<u64>,
    /// Whom to give way to.
    pub precedence: Precedence,
    /// What deadlines are measured by.
    pub now: Now,
}

impl std::fmt::Debug for GeneratorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GeneratorOptions")
            .field("compute", &self.compute)
            .field("threads", &self.threads)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl GeneratorOptions {
    /// The fastest kernels, two threads, usual limits.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            compute: Compute::default(),
            threads: 2,
            limits: Limits::default(),
            free_bytes: None,
            precedence: Precedence::default(),
            now,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// What many prompts begin with; it is read once and kept while there is room.
    pub prefix: Prompt,
    pub prompt: Prompt,
    /// Texts that end the answer; nothing of them is given.
    pub stop: Vec<String>,
    pub max_tokens: usize,
    /// By [`GeneratorOptions::now`].
    pub deadline: Option<Duration>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The model ended it, or a stop string did.
    Stop,
    Length,
    Deadline,
    /// Nobody listens any more.
    Cancelled,
    /// In words for operators.
    Failed(String),
}

/// An answer's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub reason: Reason,
    pub prompt_tokens: usize,
    /// Of those, how many were known from a prefix.
    pub cached_tokens: usize,
    /// Tokens written.
    pub tokens: usize,
}

/// What comes of a request: any number of texts, then one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Some more of it: whole characters, nothing of a stop string.
    Text(String),
    End(Ended),
}

/// An answer as it is written. Dropping it cancels.
#[derive(Debug)]
pub struct Answer {
    events: mpsc::UnboundedReceiver<Event>,
}

impl Answer {
    /// The next event; none after the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// As [`Answer::next`] for a thread that may wait.
    ///
    /// # Panics
    /// When called on an async thread.
    pub fn next_blocking(&mut self) -> Option<Event> {
        self.events.blocking_recv()
    }
}

/// How busy a generator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    pub waiting: usize,
    pub active: usize,
    pub prefixes: usize,
    /// Set aside for keys and values.
    pub kv_bytes: usize,
}

/// A request and where its answer goes: no more events than it may have tokens, so nothing bounds the channel.
pub(crate) struct Job {
    pub(crate) request: Request,
    events: mpsc::UnboundedSender<Event>,
}

impl Job {
    fn new(request: Request) -> (Self, Answer) {
        let (events, receiver) = mpsc::unbounded_channel();
        let answer = Answer { events: receiver };
        (Self { request, events }, answer)
    }

    fn left(&self) -> bool {
        self.events.is_closed()
    }

    /// Whoever left hears nothing.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn end(&self, reason: Reason, prompt_tokens: usize, cached_tokens: usize, tokens: usize) {
        self.tell(Event::End(Ended {
            reason,
            prompt_tokens,
            cached_tokens,
            tokens,
        }));
    }
}

#[derive(Default)]
struct Door {
    state: Mutex<State>,
    /// There is work, or it is over.
    work: Condvar,
}

#[derive(Default)]
struct State {
    coming: VecDeque<Job>,
    stats: Stats,
    closed: bool,
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Inner {
    door: Arc<Door>,
    thread: Mutex<Option<JoinHandle<()>>>,
    description: Description,
    queue: usize,
}

impl Inner {
    fn stop(&self) {
        self.door.lock().closed = true;
        self.door.work.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the generator's thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Everybody's access to a language model; cheap to clone. When the last one goes, the thread ends.
#[derive(Clone)]
pub struct Generator {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator")
            .field("description", &self.inner.description)
            .finish_non_exhaustive()
    }
}

impl Generator {
    /// Opens a GGUF file and starts its thread. Takes seconds: not for async threads.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`] for a file that is damaged or of a kind that is not known here,
    /// [`Error::TooLarge`] for one that this machine has no room for, [`Error::Failed`] if no threads can be had.
    pub fn load(path: &Path, options: &GeneratorOptions) -> Result<Self> {
        let loaded = Loaded::read(path, options)?;
        let description = loaded.description.clone();
        let mut limits = options.limits;
        limits.context = description.context_tokens;
        limits.at_once = limits.at_once.max(1);
        let mut engine = Engine::new(loaded, limits);
        let door = Arc::new(Door::default());
        let (inside, options) = (Arc::clone(&door), options.clone());
        let thread = std::thread::Builder::new()
            .name("generator".into())
            .spawn(move || run(&inside, &mut engine, &options))
            .map_err(|error| Error::Failed(format!("no thread for the generator: {error}")))?;
        Ok(Self {
            inner: Arc::new(Inner {
                door,
                thread: Mutex::new(Some(thread)),
                description,
                queue: limits.queue.max(1),
            }),
        })
    }

    /// What the model is.
    #[must_use]
    pub fn describe(&self) -> &Description {
        &self.inner.description
    }

    /// Queues a request. Faults of the request itself come as the answer's end.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many wait, [`Error::Stopped`].
    pub fn generate(&self, request: Request) -> Result<Answer> {
        let mut state = self.inner.door.lock();
        if state.closed {
            return Err(Error::Stopped);
        }
        state.coming.retain(|job| !job.left());
        if state.coming.len() + state.stats.waiting >= self.inner.queue {
            return Err(Error::Overloaded);
        }
        let (job, answer) = Job::new(request);
        state.coming.push_back(job);
        self.inner.door.work.notify_all();
        Ok(answer)
    }

    /// As of the latest pass.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.inner.door.lock();
        Stats {
            waiting: state.stats.waiting + state.coming.len(),
            ..state.stats
        }
    }

    /// Ends the thread after the pass it is at; whoever waits hears of it. Blocks for that long.
    pub fn shutdown(&self) {
        self.inner.stop();
    }
}

/// The generator's thread.
fn run(door: &Door, engine: &mut Engine, options: &GeneratorOptions) {
    let between = || options.precedence.give_way(PATIENCE);
    loop {
        let mut state = door.lock();
        state.stats = engine.stats();
        while state.coming.is_empty() && engine.idle() && !state.closed {
            state = door
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let closed = state.closed;
        let coming = std::mem::take(&mut state.coming);
        state.stats.waiting += coming.len();
        drop(state);
        coming.into_iter().for_each(|job| engine.take(job));
        if closed {
            return engine.stop(&Reason::Failed(Error::Stopped.to_string()));
        }
        let step = catch_unwind(AssertUnwindSafe(|| engine.step((options.now)(), &between)));
        let failed = match step {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the decoder panicked".to_owned(),
        };
        tracing::error!(%failed, "a pass of the generator failed");
        engine.stop(&Reason::Failed(failed));
    }
}

#[cfg(test)]
mod tests;
