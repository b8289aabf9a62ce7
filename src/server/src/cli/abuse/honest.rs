//! Citizens who ask, wait for the answer, and ask again; and who look in the end whether all of it is still there.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Stage;
use super::wire::{Socket, chat, hello, network, say, tcp};

/// How long a frame is waited for before the connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// The network of a library, where every third citizen sits.
const LIBRARY: usize = 0;
/// How often a dialogue is read in the end, where something is missing.
const LOOKS: usize = 3;
/// How long a whole dialogue may take to be read.
const READING: Duration = Duration::from_secs(60);

/// What they noticed, all together.
#[derive(Default)]
pub(super) struct Diary {
    /// Of each turn, from sending the question to the end of its answer, whatever came between, in ms.
    turns: Mutex<Vec<f64>>,
    reconnects: AtomicUsize,
    refused: AtomicUsize,
}

impl Diary {
    /// Empties it.
    pub(super) fn take(&self) -> Vec<f64> {
        std::mem::take(&mut *self.turns.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, since: Instant) {
        let ms = since.elapsed().as_secs_f64() * 1e3;
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.push(ms);
    }

    pub(super) fn reconnects(&self) -> usize {
        self.reconnects.load(Relaxed)
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.load(Relaxed)
    }
}

pub(super) struct Citizen {
    n: usize,
    stage: Arc<Stage>,
    diary: Arc<Diary>,
    /// Of the dialogue, once it has begun.
    key: Option<(String, String)>,
    /// The newest number seen, and whose numbers these are.
    seq: u64,
    stream: String,
    /// Messages that were acknowledged.
    acknowledged: HashSet<String>,
}

impl Citizen {
    pub(super) fn new(n: usize, stage: Arc<Stage>, diary: Arc<Diary>) -> Self {
        Self {
            n,
            stage,
            diary,
            key: None,
            seq: 0,
            stream: String::new(),
            acknowledged: HashSet::new(),
        }
    }

    /// To the end; then how many of the acknowledged messages are missing or unanswered, `None` if nothing can be read.
    pub(super) async fn live(mut self, pause: Duration) -> Option<usize> {
        let mut socket = None;
        let mut asked = 0;
        while !self.stage.over() {
            let spread = (self.n * 31 + asked * 17) % 100;
            sleep(pause / 2 + pause * spread as u32 / 100).await;
            if self.stage.over() {
                break;
            }
            asked += 1;
            self.ask(&mut socket, asked).await;
        }
        drop(socket);
        // An answer may still be on its way.
        let mut found = None;
        for _ in 0..LOOKS {
            found = timeout(READING, self.read_all()).await.ok().flatten();
            if found == Some(0) {
                return found;
            }
            sleep(Duration::from_secs(2)).await;
        }
        tracing::warn!(citizen = self.n, ?found, "not all of a dialogue is there");
        found
    }

    /// One question, sent until it is answered.
    async fn ask(&mut self, socket: &mut Option<Socket>, number: usize) {
        let since = Instant::now();
        // After a loss all of this turn is read anew.
        let before = self.seq;
        let id = format!("c{}-{number}", self.n);
        let text = self.stage.question(self.n * 1_000 + number);
        let frame = json!({"type": "message", "client_id": id, "text": text});
        let mut wait = Duration::from_millis(500);
        while !self.stage.over() {
            let mut open = match socket.take() {
                Some(open) => open,
                None => match self.connect(before).await {
                    Some((open, _)) => open,
                    None => {
                        self.diary.reconnects.fetch_add(1, Relaxed);
                        sleep(wait).await;
                        wait = (wait * 2).min(Duration::from_secs(10));
                        continue;
                    }
                },
            };
            if say(&mut open, &frame).await.is_err() {
                self.diary.reconnects.fetch_add(1, Relaxed);
                continue;
            }
            match self.answer(&mut open, &id).await {
                Heard::Answer => {
                    self.diary.note(since);
                    *socket = Some(open);
                    return;
                }
                Heard::Wait(ms) => {
                    self.diary.refused.fetch_add(1, Relaxed);
                    *socket = Some(open);
                    sleep(Duration::from_millis(ms)).await;
                }
                Heard::Lost => {
                    self.diary.reconnects.fetch_add(1, Relaxed);
                }
            }
        }
    }

    /// Reads to the end of the answer to a message.
    async fn answer(&mut self, socket: &mut Socket, id: &str) -> Heard {
        let mut turn = None;
        loop {
            let Some(frame) = next(socket).await else {
                return Heard::Lost;
            };
            self.seq = frame["seq"].as_u64().unwrap_or(self.seq);
            match frame["type"].as_str().unwrap_or_default() {
                "citizen" if frame["client_id"] == id => {
                    self.acknowledged.insert(id.to_owned());
                    turn = Some(());
                }
                "answer_end" | "handover_offer" if turn.is_some() => return Heard::Answer,
                "error" if frame["client_id"] == id => {
                    return Heard::Wait(frame["retry_after_ms"].as_u64().unwrap_or(1_000));
                }
                _ => {}
            }
        }
    }

    /// Connects and says hello, with the dialogue if there is one: its events after `seq` follow.
    async fn connect(&mut self, seq: u64) -> Option<(Socket, Value)> {
        let from = if self.n.is_multiple_of(3) {
            network(LIBRARY)
        } else {
            network(1 + self.n)
        };
        let stream = tcp(self.stage.address, None).await.ok()?;
        let mut socket = chat(stream, from).await.ok()?;
        let mut greeting = hello(self.stage.municipality(self.n));
        if let Some((dialogue, token)) = &self.key {
            greeting["resume"] =
                json!({"dialogue": dialogue, "token": token, "seq": seq, "stream": self.stream});
        }
        say(&mut socket, &greeting).await.ok()?;
        loop {
            let frame = next(&mut socket).await?;
            match frame["type"].as_str()? {
                "welcome" => {
                    let key = (frame["dialogue"].as_str()?, frame["token"].as_str()?);
                    self.key = Some((key.0.to_owned(), key.1.to_owned()));
                    frame["stream"].as_str()?.clone_into(&mut self.stream);
                    return Some((socket, frame));
                }
                "error" => {
                    self.diary.refused.fetch_add(1, Relaxed);
                    let ms = frame["retry_after_ms"].as_u64().unwrap_or(1_000);
                    sleep(Duration::from_millis(ms.min(10_000))).await;
                    return None;
                }
                _ => {}
            }
        }
    }

    /// Reads the whole dialogue again.
    async fn read_all(&mut self) -> Option<usize> {
        if self.acknowledged.is_empty() {
            return Some(0);
        }
        let (mut socket, welcome) = loop {
            match self.connect(0).await {
                Some(found) => break found,
                None => sleep(Duration::from_secs(1)).await,
            }
        };
        let newest = welcome["seq"].as_u64()?;
        let (mut there, mut unanswered, mut open) = (HashMap::new(), 0, false);
        loop {
            let frame = next(&mut socket).await?;
            match frame["type"].as_str()? {
                "citizen" => {
                    let id = frame["client_id"].as_str()?.to_owned();
                    *there.entry(id).or_insert(0) += 1;
                    unanswered += usize::from(open);
                    open = true;
                }
                "answer_end" | "handover_offer" => open = false,
                _ => {}
            }
            if frame["seq"].as_u64() == Some(newest) {
                break;
            }
        }
        let once = |id: &&String| there.get(*id) != Some(&1);
        let missing = self.acknowledged.iter().filter(once).count();
        Some(missing + unanswered + usize::from(open))
    }
}

enum Heard {
    Answer,
    /// Refused for now: so many ms.
    Wait(u64),
    Lost,
}

/// The next frame of an open socket, pings answered on the way.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        let Ok(Some(Ok(message))) = timeout(PATIENCE, socket.next()).await else {
            return None;
        };
        let Message::Text(text) = message else {
            if matches!(message, Message::Close(_)) {
                return None;
            }
            continue;
        };
        let frame: Value = serde_json::from_str(&text).ok()?;
        if frame["type"] == "ping" {
            let pong = json!({"type": "pong", "n": frame["n"]});
            say(socket, &pong).await.ok()?;
            continue;
        }
        return Some(frame);
    }
}
