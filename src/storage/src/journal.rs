//! The handle that the rest of the program holds.

mod retention;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use base::{Clock, DialogueId, MunicipalityCode, TurnId};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::owner::{Job, Owner, Request, Watch};
use crate::types::sha256;
use crate::{
    Appended, CallbackRow, Counts, Error, Kept, Loaded, NewCallback, NewDialogue, NewEvent,
    Options, Transcript, TurnRow, read, schema, transcript, write,
};

/// A journal. Clones share it; when the last is dropped what is queued is written and the file closed.
///
/// A write whose future is dropped after it was queued is written all the same: ask again with the same
/// `client_id` to learn what became of it. Every method fails with Overloaded when the queue is full and
/// with Closed after [`Journal::close`]; what else can happen is said with each.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    /// None only while it is dropped.
    queue: Option<mpsc::Sender<Request>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
    watch: Arc<OnceLock<Watch>>,
}

impl Journal {
    /// Opens the journal, creating the file (not its folder) and bringing it to the newest format. Blocks:
    /// for the start of the program, not for an async thread.
    ///
    /// # Errors
    /// Io, Corrupt, Version, Locked or Full.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        Self::over(schema::open(path, options)?, options)
    }

    /// A journal that is gone when it is dropped: for tests.
    ///
    /// # Errors
    /// Sqlite, when there is no memory.
    pub fn in_memory() -> Result<Self, Error> {
        let options = Options::default();
        Self::over(schema::in_memory(&options)?, &options)
    }

    /// A thread that owns a connection, of a journal or of another file.
    pub(crate) fn over(conn: Connection, options: &Options) -> Result<Self, Error> {
        let (sender, queue) = mpsc::channel(options.queue.max(1));
        let commits = Arc::new(AtomicU64::new(0));
        let watch = Arc::new(OnceLock::new());
        let owner = Owner {
            conn,
            queue,
            batch: options.batch.max(1),
            commits: Arc::clone(&commits),
            watch: Arc::clone(&watch),
        };
        let thread = Builder::new()
            .name("journal".to_owned())
            .spawn(move || owner.work())
            .map_err(|e| Error::Io(format!("cannot start its thread: {e}")))?;
        let inner = Inner {
            queue: Some(sender),
            thread: Mutex::new(Some(thread)),
            commits,
            watch,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Writes what is queued, closes the file and ends the thread. Every later request, of any clone, is
    /// answered Closed.
    ///
    /// # Errors
    /// Closed when it was closed before; Io and others when the last tidying of the file failed: what was
    /// acknowledged is safe even then.
    pub async fn close(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.queue()?
            .send(Request::Close(reply))
            .await
            .map_err(|_| Error::Closed)?;
        let closed = answer.await.unwrap_or(Err(Error::Closed));
        // The answer was the thread's last act, so this does not wait.
        self.inner.join();
        closed
    }

    /// Begins a dialogue.
    ///
    /// # Errors
    /// Taken when the id exists; Full, Io.
    pub async fn create(&self, new: NewDialogue<'_>) -> Result<(), Error> {
        let token = sha256(new.token.as_str());
        let (id, municipality, lang, at) = (new.id, new.municipality, new.lang, new.at);
        self.write(move |c| write::create(c, &id, token, municipality, lang, at))
            .await
    }

    /// Marks a dialogue as ended. The first end counts.
    ///
    /// # Errors
    /// UnknownDialogue; Full, Io.
    pub async fn end(&self, dialogue: &DialogueId, at: Timestamp) -> Result<(), Error> {
        let id = dialogue.clone();
        self.write(move |c| write::end(c, &id, at)).await
    }

    /// Appends events, numbered from the newest on, all or none.
    ///
    /// # Errors
    /// UnknownDialogue; Full, Io.
    pub async fn append(
        &self,
        dialogue: &DialogueId,
        events: Vec<NewEvent>,
        at: Timestamp,
    ) -> Result<Appended, Error> {
        let id = dialogue.clone();
        self.write(move |c| write::append(c, &id, &events, at))
            .await
    }

    /// Appends an event and the callback it tells of, both or neither. The callback belongs to the
    /// municipality of the dialogue.
    ///
    /// # Errors
    /// Taken when the reference exists: draw another; UnknownDialogue; Full, Io.
    pub async fn append_callback(
        &self,
        dialogue: &DialogueId,
        event: NewEvent,
        callback: NewCallback,
        at: Timestamp,
    ) -> Result<Appended, Error> {
        let id = dialogue.clone();
        self.write(move |c| write::append_callback(c, &id, &event, &callback, at))
            .await
    }

    /// Appends an event and marks the waiting callback it tells of as cancelled. None, and nothing is written,
    /// when the dialogue has no such callback that waits.
    ///
    /// # Errors
    /// UnknownDialogue; Full, Io.
    pub async fn cancel_callback(
        &self,
        dialogue: &DialogueId,
        reference: &str,
        event: NewEvent,
        at: Timestamp,
    ) -> Result<Option<Appended>, Error> {
        let (id, reference) = (dialogue.clone(), reference.to_owned());
        self.write(move |c| write::cancel_callback(c, &id, &reference, &event, at))
            .await
    }

    /// Callbacks of any municipality that nobody has taken charge of yet, oldest first, `limit` at most.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn waiting_callbacks(&self, limit: u32) -> Result<Vec<CallbackRow>, Error> {
        self.read(move |c| read::waiting_callbacks(c, limit)).await
    }

    /// Marks a waiting callback as the contact centre's. False when it does not wait (any more).
    ///
    /// # Errors
    /// Full, Io.
    pub async fn hand_in_callback(&self, reference: &str) -> Result<bool, Error> {
        let reference = reference.to_owned();
        self.write(move |c| write::hand_in_callback(c, &reference))
            .await
    }

    /// Stores the record of a turn: a JSON object from which the answer can be replayed.
    ///
    /// # Errors
    /// Taken when the turn has a record; UnknownDialogue; Full, Io.
    pub async fn record_turn(
        &self,
        turn: &TurnId,
        dialogue: &DialogueId,
        json: String,
        at: Timestamp,
    ) -> Result<(), Error> {
        let (turn, id) = (turn.clone(), dialogue.clone());
        self.write(move |c| write::record_turn(c, &turn, &id, &json, at))
            .await
    }

    /// A dialogue and its events after a number (0: all), oldest first, `limit` at most. None when there is
    /// no such dialogue.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn load(
        &self,
        dialogue: &DialogueId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Option<Loaded>, Error> {
        let id = dialogue.clone();
        self.read(move |c| read::load(c, &id, after_seq, limit))
            .await
    }

    /// The number of the event that acknowledged this `client_id`, if one did.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn find_client_id(
        &self,
        dialogue: &DialogueId,
        client_id: &str,
    ) -> Result<Option<u64>, Error> {
        let (id, client_id) = (dialogue.clone(), client_id.to_owned());
        self.read(move |c| read::find_client_id(c, &id, &client_id))
            .await
    }

    /// The record of a turn, if it has one.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn turn(&self, turn: &TurnId) -> Result<Option<String>, Error> {
        let turn = turn.clone();
        self.read(move |c| read::turn(c, &turn)).await
    }

    /// Turns since an instant, newest first, `limit` at most, before the one that `after` names (its time and id).
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn turns(
        &self,
        since: Timestamp,
        after: Option<(Timestamp, String)>,
        limit: u32,
    ) -> Result<Vec<TurnRow>, Error> {
        self.read(move |c| read::turns(c, since, after, limit))
            .await
    }

    /// The callbacks of a municipality, oldest first, `limit` at most.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn callbacks(
        &self,
        municipality: MunicipalityCode,
        limit: u32,
    ) -> Result<Vec<CallbackRow>, Error> {
        self.read(move |c| read::callbacks(c, municipality, limit))
            .await
    }

    /// Keeps what the contact centre's log brings into dialogues, in its order, all or nothing; what is there
    /// already stays as it is. Answers how many [`Kept::Events`] had no dialogue here.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn keep(&self, kept: Vec<Kept>) -> Result<usize, Error> {
        self.write(move |c| transcript::keep(c, &kept)).await
    }

    /// Everything that was said in a dialogue, by staff among themselves too. None when it is not here.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn transcript(&self, dialogue: &DialogueId) -> Result<Option<Transcript>, Error> {
        let id = dialogue.clone();
        self.read(move |c| transcript::load(c, &id)).await
    }

    /// The name of this journal, which no other has: the numbers of events are its own.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn identity(&self) -> Result<String, Error> {
        self.read(transcript::identity).await
    }

    /// How much is in the journal. Goes through the queue, and so shows that the journal is alive.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let counts = self.read(read::counts).await?;
        Ok(Counts {
            commits: self.inner.commits.load(Ordering::Relaxed),
            ..counts
        })
    }

    /// Has `wrote` told of every transaction from now on: how many writes it held, and how long it took by that clock.
    /// Runs on the journal's own thread, so it must be quick. The first to ask is told, for as long as the journal is
    /// open.
    pub fn watch(
        &self,
        clock: Arc<dyn Clock>,
        wrote: impl Fn(usize, Duration) + Send + Sync + 'static,
    ) {
        let wrote = Box::new(wrote);
        self.inner.watch.get_or_init(|| Watch { clock, wrote });
    }

    /// Requests that wait for the journal's thread.
    pub fn waiting(&self) -> usize {
        let queue = self.inner.queue.as_ref();
        queue.map_or(0, |q| q.max_capacity() - q.capacity())
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        op: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (job, answer) = Job::pair(op);
        self.ask(Request::Write(job), answer).await
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        op: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (job, answer) = Job::pair(op);
        self.ask(Request::Read(job), answer).await
    }

    async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        self.queue()?.try_send(request).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Closed,
        })?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    fn queue(&self) -> Result<&mpsc::Sender<Request>, Error> {
        self.inner.queue.as_ref().ok_or(Error::Closed)
    }
}

impl Inner {
    fn join(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A panic of the thread has been reported by its own hook, and its askers got Closed.
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        self.join();
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}
