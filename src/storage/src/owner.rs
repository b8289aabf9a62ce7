//! The thread that owns the connection: it takes what waits, writes it in one transaction, then answers.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base::Clock;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::Error;

/// Something to do with the connection, and somebody who waits for the result.
pub(crate) trait Work: Send {
    /// Does it and keeps the result. The error says only that it failed.
    fn run(&mut self, conn: &Connection) -> Result<(), Error>;

    /// Whether nobody waits any more.
    fn abandoned(&self) -> bool;

    /// Sends the result; where there is none, or a success that was not committed, the error of the commit.
    fn answer(self: Box<Self>, commit: Result<(), Error>);
}

pub(crate) struct Job<T, F> {
    /// Taken when it runs.
    op: Option<F>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Job<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
{
    /// The job for the owner, and the end where its result will arrive.
    pub(crate) fn pair(op: F) -> (Box<dyn Work>, oneshot::Receiver<Result<T, Error>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self {
            op: Some(op),
            result: None,
            reply,
        };
        (Box::new(job), answer)
    }
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Error> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), Error> {
        let Some(op) = self.op.take() else {
            return Ok(());
        };
        let result = op(conn);
        let short = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        short
    }

    fn abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn answer(self: Box<Self>, commit: Result<(), Error>) {
        let result = match (self.result, commit) {
            (Some(Err(e)), _) | (_, Err(e)) => Err(e),
            (Some(Ok(t)), Ok(())) => Ok(t),
            (None, Ok(())) => Err(Error::Closed),
        };
        // Whoever asked may have gone; what was written stays written.
        let _ = self.reply.send(result);
    }
}

pub(crate) enum Request {
    /// Written even when its asker has gone meanwhile.
    Write(Box<dyn Work>),
    /// Skipped when its asker has gone meanwhile.
    Read(Box<dyn Work>),
    /// Finish what is queued, close the file, answer.
    Close(oneshot::Sender<Result<(), Error>>),
}

/// Who hears of each transaction: how many writes it held, and how long it took.
pub(crate) struct Watch {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wrote: Box<dyn Fn(usize, Duration) + Send + Sync>,
}

pub(crate) struct Owner {
    pub(crate) conn: Connection,
    pub(crate) queue: mpsc::Receiver<Request>,
    pub(crate) batch: usize,
    /// Transactions committed, for [`crate::Counts`].
    pub(crate) commits: Arc<std::sync::atomic::AtomicU64>,
    pub(crate) watch: Arc<OnceLock<Watch>>,
}

impl Owner {
    /// Until the journal is closed or its last handle is dropped. Blocks: a thread of its own.
    pub(crate) fn work(mut self) {
        let mut closing = None;
        while let Some(first) = self.queue.blocking_recv() {
            let mut waiting = vec![first];
            while waiting.len() < self.batch
                && let Ok(next) = self.queue.try_recv()
            {
                waiting.push(next);
            }
            if let Some(reply) = self.round(waiting) {
                // What is queued already is still done; nothing more gets in. Of two that close at once the
                // first gets the result, the second Closed.
                self.queue.close();
                closing.get_or_insert(reply);
            }
        }
        let closed = self.conn.close().map_err(|(_, e)| Error::from(e));
        if let Some(reply) = closing {
            let _ = reply.send(closed);
        }
    }

    /// One transaction for all writes, then their answers, then the reads.
    pub(crate) fn round(
        &mut self,
        waiting: Vec<Request>,
    ) -> Option<oneshot::Sender<Result<(), Error>>> {
        let (mut writes, mut reads, mut closing) = (Vec::new(), Vec::new(), None);
        for request in waiting {
            match request {
                Request::Write(w) => writes.push(w),
                Request::Read(r) => reads.push(r),
                Request::Close(reply) => {
                    closing.get_or_insert(reply);
                }
            }
        }
        if !writes.is_empty() {
            let watch = self.watch.get().map(|w| (w, w.clock.monotonic()));
            let commit = self.write(&mut writes);
            if let Some((watch, began)) = watch {
                let took = watch.clock.monotonic().saturating_sub(began);
                (watch.wrote)(writes.len(), took);
            }
            if commit.is_err() && !self.conn.is_autocommit() {
                // Nothing can be done when even this fails: the next BEGIN will say so.
                let _ = self.conn.execute_batch("ROLLBACK");
            }
            for w in writes {
                w.answer(commit.clone());
            }
        }
        for mut r in reads {
            if !r.abandoned() {
                let done = r.run(&self.conn);
                r.answer(done);
            }
        }
        closing
    }

    fn write(&self, writes: &mut [Box<dyn Work>]) -> Result<(), Error> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        for w in writes {
            self.conn.execute_batch("SAVEPOINT request")?;
            match w.run(&self.conn) {
                Ok(()) => self.conn.execute_batch("RELEASE request")?,
                // SQLite gives up the whole transaction on some errors (a full disk may be one).
                Err(e) if self.conn.is_autocommit() => return Err(e),
                Err(_) => self
                    .conn
                    .execute_batch("ROLLBACK TO request; RELEASE request")?,
            }
        }
        self.conn.execute_batch("COMMIT")?;
        self.commits
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}
