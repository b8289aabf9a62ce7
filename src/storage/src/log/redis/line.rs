//! One connection, kept by a task: it connects, looks after the head, and connects again.
//!
//! Requests of all callers go over the one connection and their answers come back in order; an answer that nobody
//! waits for any more is read and dropped, so a request that is given up leaves nothing behind for the next.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, PushInfo, PushKind, Value};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::address::Address;
use crate::log::{Error, RedisOptions};

const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Clone)]
enum State {
    Down(Error),
    /// The how-manieth connection it is.
    Up(u64, MultiplexedConnection),
}

pub(crate) struct Line {
    state: watch::Receiver<State>,
    trouble: mpsc::Sender<u64>,
    heads: watch::Sender<u64>,
    patience: Duration,
}

impl Line {
    /// Starts the task, which ends when the line is dropped.
    pub(crate) fn new(address: Address, options: &RedisOptions, keys: &super::Keys) -> Self {
        let (state, seen) = watch::channel(State::Down(Error::Unavailable(
            "not connected yet".to_owned(),
        )));
        let (trouble, reports) = mpsc::channel(16);
        let heads = watch::Sender::new(0);
        let keeper = Keeper {
            address,
            options: options.clone(),
            channel: keys.wake.clone(),
            meta: keys.meta.clone(),
            state,
            reports,
            heads: heads.clone(),
            nth: 0,
        };
        tokio::spawn(keeper.run());
        Self {
            state: seen,
            trouble,
            heads,
            patience: options.patience,
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.heads.subscribe()
    }

    /// Whether there is a connection, or why not.
    pub(crate) fn health(&self) -> Result<(), Error> {
        match &*self.state.borrow() {
            State::Up(..) => Ok(()),
            State::Down(why) => Err(why.clone()),
        }
    }

    /// Asks, three times at most, over a new connection when the old one failed. What is asked must be harmless to
    /// ask twice.
    pub(crate) async fn call<F>(
        &self,
        ask: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<Value, Error>
    where
        F: Future<Output = redis::RedisResult<Value>>,
    {
        let asked = async {
            let mut last = Error::Timeout;
            for _ in 0..ATTEMPTS {
                let (nth, conn) = self.current().await?;
                match ask(conn).await {
                    Ok(value) => return Ok(value),
                    Err(e) => last = e.into(),
                }
                if !last.ends_connection() {
                    return Err(last);
                }
                // Full of such reports: one of them does it.
                let _ = self.trouble.try_send(nth);
                self.gone(nth).await?;
            }
            Err(last)
        };
        match timeout(self.patience, asked).await {
            Ok(done) => done,
            Err(_) => Err(self.health().err().unwrap_or(Error::Timeout)),
        }
    }

    async fn current(&self) -> Result<(u64, MultiplexedConnection), Error> {
        let mut state = self.state.clone();
        let up = state.wait_for(|s| matches!(s, State::Up(..))).await;
        match up.map_err(|_| closed())?.clone() {
            State::Up(nth, conn) => Ok((nth, conn)),
            State::Down(why) => Err(why),
        }
    }

    /// Until this connection is no longer the current one.
    async fn gone(&self, nth: u64) -> Result<(), Error> {
        let mut state = self.state.clone();
        state
            .wait_for(|s| !matches!(s, State::Up(n, _) if *n == nth))
            .await
            .map_err(|_| closed())?;
        Ok(())
    }
}

fn closed() -> Error {
    Error::Unavailable("the program is closing".to_owned())
}

struct Keeper {
    address: Address,
    options: RedisOptions,
    channel: String,
    meta: String,
    state: watch::Sender<State>,
    reports: mpsc::Receiver<u64>,
    heads: watch::Sender<u64>,
    nth: u64,
}

impl Keeper {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let cut = Arc::new(Notify::new());
            let push = listener(self.heads.clone(), Arc::clone(&cut));
            let dialled = self.address.dial(&self.options, &self.channel, push).await;
            let (why, lived) = match dialled {
                Ok(conn) => match self.keep(conn, &cut).await {
                    Some(why) => (why, true),
                    None => return,
                },
                Err(why) => (why, false),
            };
            self.state.send_replace(State::Down(why));
            pause = if lived {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            // Reports of the connection that has gone are taken meanwhile; their end is ours.
            let wait = sleep(pause);
            tokio::pin!(wait);
            loop {
                tokio::select! {
                    () = &mut wait => break,
                    report = self.reports.recv() => if report.is_none() { return },
                }
            }
        }
    }

    /// While the connection lives: why it ended. None when nobody needs one any more.
    async fn keep(&mut self, mut conn: MultiplexedConnection, cut: &Notify) -> Option<Error> {
        self.nth += 1;
        // What was said while we were away went unheard: everybody reads.
        match head(&mut conn, &self.meta).await {
            Ok(head) => self.heads.send_replace(head),
            Err(e) => return Some(e),
        };
        self.state.send_replace(State::Up(self.nth, conn.clone()));
        loop {
            tokio::select! {
                report = self.reports.recv() => match report {
                    None => return None,
                    Some(nth) if nth == self.nth => {
                        return Some(Error::Unavailable("the connection failed".to_owned()));
                    }
                    Some(_) => {}
                },
                () = cut.notified() => {
                    return Some(Error::Unavailable("Redis closed the connection".to_owned()));
                }
                () = sleep(self.options.poll) => match head(&mut conn, &self.meta).await {
                    Ok(head) => {
                        self.heads.send_if_modified(|h| {
                            let news = *h != head;
                            *h = head;
                            news
                        });
                    }
                    Err(e) if e.ends_connection() => return Some(e),
                    Err(_) => {}
                },
            }
        }
    }
}

async fn head(conn: &mut MultiplexedConnection, meta: &str) -> Result<u64, Error> {
    let head: Option<u64> = redis::cmd("HGET")
        .arg(meta)
        .arg("head")
        .query_async(conn)
        .await?;
    Ok(head.unwrap_or(0))
}

/// Passes on the head that an append announces, and the end of the connection.
fn listener(
    heads: watch::Sender<u64>,
    cut: Arc<Notify>,
) -> impl Fn(PushInfo) -> Result<(), redis::aio::SendError> + Send + Sync + 'static {
    move |info| {
        match info.kind {
            PushKind::Message => {
                if let Some(head) = info.data.into_iter().next_back()
                    && let Ok(head) = u64::from_redis_value(head)
                {
                    heads.send_replace(head);
                }
            }
            PushKind::Disconnection => cut.notify_one(),
            _ => {}
        }
        Ok(())
    }
}
