//! What a public address meets: each kind at a steady rate, from networks of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::ValueEnum;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::Stage;
use super::wire::{Socket, chat, hello, network, say, tcp};
use crate::cli::Failure;
use crate::cli::load::http::{self, Session};
use crate::cli::load::server::Account;

/// Sockets that ask and never read.
const SLOW_READERS: usize = 50;
const SLOW_EVERY: Duration = Duration::from_secs(3);
/// Sockets that send without pause, from ten networks.
const FLOODERS: usize = 20;
const FLOOD_EVERY: Duration = Duration::from_millis(20);
/// Connections with something malformed, a second.
const MALFORMED_A_SECOND: u32 = 20;
/// Connections of the reconnect storm a second, half of them with a new dialogue, from fifty networks.
const STORM_A_SECOND: u32 = 50;
const STORM_NETWORKS: usize = 50;
/// Connections that never come to the end of their request.
const DRIPPING: usize = 300;
/// Attempts at signing in, a second, from two hundred networks.
const GUESSES_A_SECOND: u32 = 10;
const GUESS_NETWORKS: usize = 200;
/// An editor's hostile file each so often.
const IMPORT_EVERY: Duration = Duration::from_secs(20);
/// Where the networks of foes begin: citizens have the first.
const FOES: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    SlowReaders,
    Floods,
    Malformed,
    Storm,
    Dripping,
    Guesses,
    Imports,
}

/// What one kind did.
#[derive(Default)]
struct Tally {
    tried: AtomicUsize,
    /// Refused in words, closed, or not let in.
    refused: AtomicUsize,
    /// Had what it wanted: an answer, a dialogue, a session, an import begun.
    taken: AtomicUsize,
}

#[derive(Serialize)]
pub(super) struct Counted {
    tried: usize,
    refused: usize,
    taken: usize,
}

impl Tally {
    fn tried(&self) {
        self.tried.fetch_add(1, Relaxed);
    }

    fn ended(&self, taken: bool) {
        let which = if taken { &self.taken } else { &self.refused };
        which.fetch_add(1, Relaxed);
    }

    fn counted(&self) -> Counted {
        Counted {
            tried: self.tried.load(Relaxed),
            refused: self.refused.load(Relaxed),
            taken: self.taken.load(Relaxed),
        }
    }
}

#[derive(Default)]
struct Books {
    slow_readers: Tally,
    floods: Tally,
    malformed: Tally,
    storm: Tally,
    dripping: Tally,
    guesses: Tally,
    imports: Tally,
}

#[derive(Serialize)]
pub(super) struct Tallies {
    slow_readers: Counted,
    floods: Counted,
    malformed: Counted,
    storm: Counted,
    dripping: Counted,
    guesses: Counted,
    imports: Counted,
}

impl Tallies {
    pub(super) fn guessed(&self) -> usize {
        self.guesses.taken
    }
}

pub(super) struct Foes {
    tasks: JoinSet<()>,
    books: Arc<Books>,
}

impl Foes {
    pub(super) async fn begin(
        stage: &Arc<Stage>,
        accounts: &[Account],
        files: Vec<String>,
        kinds: &[Kind],
    ) -> Result<Self, Failure> {
        let comes = |kind: Kind| kinds.is_empty() || kinds.contains(&kind);
        let editor = accounts.last().ok_or("no editor")?;
        let session = http::sign_in(stage.address, &editor.user, &editor.password).await?;
        let books = Arc::new(Books::default());
        let mut tasks = JoinSet::new();
        let both = || (Arc::clone(stage), Arc::clone(&books));
        for n in some(comes(Kind::SlowReaders), SLOW_READERS) {
            let (stage, books) = both();
            tasks.spawn(async move {
                // At a time of its own: people do not ask all in the same instant.
                sleep(SLOW_EVERY * n as u32 / SLOW_READERS as u32).await;
                while !stage.over() {
                    let _ = slow_reader(&stage, &books.slow_readers, n).await;
                    sleep(Duration::from_secs(1)).await;
                }
            });
        }
        for n in some(comes(Kind::Floods), FLOODERS) {
            let (stage, books) = both();
            tasks.spawn(async move {
                while !stage.over() {
                    let _ = flood(&stage, &books.floods, n).await;
                    sleep(Duration::from_millis(100)).await;
                }
            });
        }
        for n in some(comes(Kind::Dripping), DRIPPING) {
            let (stage, books) = both();
            tasks.spawn(async move {
                while !stage.over() {
                    books.dripping.tried();
                    let _ = drip(&stage, n).await;
                    books.dripping.ended(false);
                    sleep(Duration::from_secs(1)).await;
                }
            });
        }
        let (s, b) = both();
        tasks.spawn(steadily(
            s.clone(),
            comes(Kind::Malformed),
            MALFORMED_A_SECOND,
            move |n| {
                let (s, b) = (s.clone(), b.clone());
                async move {
                    b.malformed.tried();
                    let closed = timeout(Duration::from_secs(30), malformed(&s, n)).await;
                    b.malformed.ended(!matches!(closed, Ok(true)));
                }
            },
        ));
        let (s, b) = both();
        tasks.spawn(steadily(
            s.clone(),
            comes(Kind::Storm),
            STORM_A_SECOND,
            move |n| {
                let (s, b) = (s.clone(), b.clone());
                async move {
                    b.storm.tried();
                    let taken = storm(&s, n).await.unwrap_or(false);
                    b.storm.ended(taken);
                }
            },
        ));
        let (s, b) = both();
        let names: Vec<String> = accounts.iter().map(|a| a.user.clone()).collect();
        tasks.spawn(steadily(
            s.clone(),
            comes(Kind::Guesses),
            GUESSES_A_SECOND,
            move |n| {
                let (s, b) = (s.clone(), b.clone());
                // Every other name is somebody's.
                let name = match names.get(n / 2 % names.len().max(1)) {
                    Some(name) if n.is_multiple_of(2) => name.clone(),
                    _ => format!("nobody{n}"),
                };
                async move {
                    b.guesses.tried();
                    b.guesses.ended(guess(&s, n, &name).await);
                }
            },
        ));
        let (s, b) = both();
        let imports = comes(Kind::Imports);
        tasks.spawn(async move {
            let mut n = 0;
            while imports && !s.over() {
                b.imports.tried();
                let body = files.get(n % files.len()).map_or("{}", String::as_str);
                b.imports.ended(import(&s, &session, body).await);
                n += 1;
                sleep(IMPORT_EVERY).await;
            }
        });
        Ok(Self { tasks, books })
    }

    /// Ends them, and says what they did.
    pub(super) async fn end(mut self) -> Tallies {
        self.tasks.shutdown().await;
        let b = &self.books;
        Tallies {
            slow_readers: b.slow_readers.counted(),
            floods: b.floods.counted(),
            malformed: b.malformed.counted(),
            storm: b.storm.counted(),
            dripping: b.dripping.counted(),
            guesses: b.guesses.counted(),
            imports: b.imports.counted(),
        }
    }
}

fn some(at_all: bool, number: usize) -> std::ops::Range<usize> {
    0..if at_all { number } else { 0 }
}

/// Begins so many a second, whether or not the ones before have ended; a thousand at once at most.
async fn steadily<F: Future<Output = ()> + Send + 'static>(
    stage: Arc<Stage>,
    at_all: bool,
    a_second: u32,
    mut one: impl FnMut(usize) -> F,
) {
    let mut beat = interval(Duration::from_secs(1) / a_second);
    let mut running = JoinSet::new();
    let mut n = 0;
    while at_all && !stage.over() {
        beat.tick().await;
        while running.try_join_next().is_some() {}
        if running.len() < 1_000 {
            running.spawn(one(n));
            n += 1;
        }
    }
}

async fn joined(stage: &Stage, from: usize, room: Option<u32>) -> Option<Socket> {
    let stream = tcp(stage.address, room).await.ok()?;
    let mut socket = chat(stream, network(FOES + from)).await.ok()?;
    say(&mut socket, &hello(stage.municipality(from)))
        .await
        .ok()?;
    Some(socket)
}

/// Asks every three seconds and reads nothing, until it is thrown out.
async fn slow_reader(stage: &Stage, tally: &Tally, n: usize) -> Option<()> {
    tally.tried();
    let mut socket = joined(stage, n, Some(2_048)).await?;
    for asked in 0.. {
        sleep(SLOW_EVERY).await;
        let text = stage.question(n * 100 + asked);
        let frame = json!({"type": "message", "client_id": format!("s{asked}"), "text": text});
        let said = timeout(Duration::from_secs(60), say(&mut socket, &frame)).await;
        if !matches!(said, Ok(Ok(()))) {
            tally.ended(false);
            return None;
        }
    }
    None
}

/// Sends without pause and reads along, until it is thrown out.
async fn flood(stage: &Stage, tally: &Tally, n: usize) -> Option<()> {
    let socket = joined(stage, 1_000 + n / 2, None).await?;
    let (mut to, mut from) = socket.split();
    let hearing = async {
        while let Some(Ok(frame)) = from.next().await {
            if let Message::Text(text) = frame {
                if text.contains("\"answer_end\"") {
                    tally.ended(true);
                } else if text.contains("\"error\"") {
                    tally.ended(false);
                }
            }
        }
    };
    let saying = async {
        for asked in 0_usize.. {
            tally.tried();
            let text = stage.question(n * 977 + asked);
            let frame = json!({"type": "message", "client_id": format!("f{asked}"), "text": text});
            if to.send(Message::text(frame.to_string())).await.is_err() {
                break;
            }
            sleep(FLOOD_EVERY).await;
        }
    };
    tokio::select! { () = hearing => {}, () = saying => {} }
    None
}

/// One of several kinds of nonsense; whether the service ended it.
async fn malformed(stage: &Stage, n: usize) -> bool {
    let from = 2_000 + n % 20;
    let Some(mut socket) = joined(stage, from, None).await else {
        return true;
    };
    let junk = match n % 6 {
        0 => Message::binary(vec![0xff; 1_000]),
        1 => Message::text("x".repeat(20_000)),
        2 => Message::text("{\"type\":\"message\",\"client_id\":{},\"text\":[]}"),
        3 => Message::text("[".repeat(8_000)),
        4 => Message::text("{\"type\":\"resume\",\"seq\":-1}"),
        _ => Message::text("\u{202e}{\"type\":\u{0}}"),
    };
    for _ in 0..12 {
        if socket.send(junk.clone()).await.is_err() {
            return true;
        }
    }
    while let Some(Ok(frame)) = socket.next().await {
        if matches!(frame, Message::Close(_)) {
            return true;
        }
    }
    true
}

/// Connects, half of the time with somebody else's dialogue, and is gone again; whether a dialogue was begun.
async fn storm(stage: &Stage, n: usize) -> Option<bool> {
    let stream = tcp(stage.address, None).await.ok()?;
    let from = network(FOES + 3_000 + n % STORM_NETWORKS);
    let mut socket = chat(stream, from).await.ok()?;
    let mut greeting = hello(stage.municipality(n));
    if n.is_multiple_of(2) {
        let secret = base::Secret::random();
        greeting["resume"] =
            json!({"dialogue": secret.as_str(), "token": secret.as_str(), "seq": 0});
    }
    say(&mut socket, &greeting).await.ok()?;
    let frame = timeout(Duration::from_secs(30), socket.next()).await.ok()?;
    let taken = matches!(frame, Some(Ok(Message::Text(text))) if text.contains("\"welcome\""));
    Some(taken)
}

/// A request that comes a letter at a time.
async fn drip(stage: &Stage, n: usize) -> std::io::Result<()> {
    let mut stream = tcp(stage.address, None).await?;
    stream.write_all(b"GET /ws/chat HTTP/1.1\r\nHost: ").await?;
    let begun = Instant::now();
    let mut answer = [0; 256];
    loop {
        let pause = Duration::from_millis(4_000 + (n as u64 % 100) * 20);
        match timeout(pause, stream.read(&mut answer)).await {
            Err(_) => stream.write_all(b"a").await?,
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => drop(read?),
        }
        if begun.elapsed() > Duration::from_secs(300) {
            return Ok(());
        }
    }
}

/// Whether a guessed password was right.
async fn guess(stage: &Stage, n: usize, name: &str) -> bool {
    let body = json!({"user": name, "password": format!("sommer-2026-{n}")}).to_string();
    let address = stage.address;
    let from = network(FOES + 5_000 + n % GUESS_NETWORKS);
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nX-Forwarded-For: {from}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = timeout(Duration::from_secs(60), http::ask(address, &request)).await;
    matches!(answer, Ok(Ok((200, ..))))
}

/// Requests with a file that is large, or broken, or both. Made before anything is measured: they take long.
pub(super) fn files() -> Vec<String> {
    let junk = |first: &[u8], size: usize| {
        let mut bytes = first.to_vec();
        bytes.extend((0..size).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8));
        BASE64_STANDARD.encode(bytes)
    };
    let row =
        |i: usize| format!("Spørgsmål {i}?;Svar {i} på et spørgsmål, som ingen har stillet.\n");
    let rows = "titel;svar\n".to_owned() + &(0..19_000).map(row).collect::<String>();
    let all = [
        json!({"format": "pdf", "data": junk(b"%PDF-1.7\n", 8 << 20)}),
        json!({"format": "docx", "data": junk(b"PK\x03\x04", 8 << 20)}),
        json!({"format": "csv", "text": rows}),
        json!({"format": "json", "text": "[".repeat(4 << 20)}),
    ];
    let named = |mut what: Value| {
        what["name"] = json!("fil");
        what["layer"] = json!("shared");
        what.to_string()
    };
    all.into_iter().map(named).collect()
}

/// Whether a file was taken in for reading.
async fn import(stage: &Stage, session: &Session, body: &str) -> bool {
    let address = stage.address;
    let request = format!(
        "POST /api/studio/import HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {}\r\n\
         X-Borgerlinje-Csrf: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        session.cookie,
        session.csrf,
        body.len()
    );
    let answer = timeout(Duration::from_secs(120), http::ask(address, &request)).await;
    matches!(answer, Ok(Ok((202, ..))))
}
