//! A citizen who asks for a person now and then.

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Stage;
use super::book::{By, Tag};

/// Bytes of a socket's buffers: thousands of citizens share one machine.
const BUFFER: usize = 4 << 10;

/// What a citizen needs to know of any frame.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    n: u64,
    #[serde(default, borrow)]
    client_id: Option<&'a str>,
    #[serde(default)]
    text: Option<std::borrow::Cow<'a, str>>,
}

struct Citizen<'a> {
    stage: &'a Stage,
    n: usize,
    socket: WebSocketStream<TcpStream>,
    /// The handover under way, and since when a person is wanted.
    now: Option<(usize, Instant)>,
}

/// Connects, then has a conversation for each number that comes. Whether the connection stood to the end.
pub(super) async fn run(
    stage: &Stage,
    n: usize,
    municipality: String,
    gate: &Semaphore,
    mut begin: mpsc::Receiver<usize>,
) -> bool {
    let Ok(permit) = gate.acquire().await else {
        return false;
    };
    let socket = match connect(stage, &municipality).await {
        Ok(socket) => socket,
        Err(e) => {
            tracing::warn!("a citizen cannot connect: {e}");
            return false;
        }
    };
    let mut citizen = Citizen {
        stage,
        n,
        socket,
        now: None,
    };
    let mut over = stage.over.clone();
    let mut permit = Some(permit);
    loop {
        let goes_on = tokio::select! {
            frame = citizen.socket.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    let said = citizen.hear(&text).await;
                    if permit.is_some() && text.contains("\"welcome\"") {
                        permit = None;
                        let _ = stage.free.send(n);
                    }
                    said
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => Ok(()),
            },
            Some(handover) = begin.recv() => citizen.begin(handover).await,
            _ = over.changed() => return true,
        };
        if goes_on.is_err() {
            return false;
        }
    }
}

async fn connect(stage: &Stage, municipality: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(stage.address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(16 * BUFFER);
    let url = format!("ws://{}/ws/chat", stage.address);
    let (mut socket, _) = client_async_with_config(url, stream, Some(config)).await?;
    let hello = json!({"type": "hello", "v": 1, "municipality": municipality, "lang": "da"});
    socket.send(Message::text(hello.to_string())).await?;
    Ok(socket)
}

impl Citizen<'_> {
    async fn say(&mut self, frame: serde_json::Value) -> Result<(), Error> {
        self.socket.send(Message::text(frame.to_string())).await
    }

    /// An id of this citizen's for one step of a handover.
    fn id(handover: usize, step: &str) -> String {
        format!("{step}-{handover}")
    }

    async fn begin(&mut self, handover: usize) -> Result<(), Error> {
        self.now = Some((handover, Instant::now()));
        let id = Self::id(handover, "h");
        self.say(json!({"type": "human", "client_id": id})).await
    }

    async fn hear(&mut self, text: &str) -> Result<(), Error> {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            return Ok(());
        };
        let book = &self.stage.book;
        match (frame.kind, self.now) {
            ("ping", _) => self.say(json!({"type": "pong", "n": frame.n})).await?,
            ("error", _) => {
                tracing::debug!("a citizen was refused: {text}");
                book.was_refused();
            }
            ("handover_offer", Some((handover, _))) => {
                let id = Self::id(handover, "q");
                self.say(json!({"type": "queue", "client_id": id})).await?;
            }
            ("agent_joined", Some((handover, since))) => {
                book.answers.add(since);
                let tag = Tag::new(handover, By::Citizen);
                book.sent(tag);
                let id = Self::id(handover, "m");
                let said = json!({"type": "message", "client_id": id, "text": tag.text()});
                self.say(said).await?;
            }
            ("citizen", Some((handover, _)))
                if frame.client_id == Some(Self::id(handover, "m").as_str()) =>
            {
                book.acknowledged(Tag::new(handover, By::Citizen));
            }
            ("agent", now) => {
                let tag = frame.text.as_deref().and_then(Tag::find);
                match (tag, now) {
                    (Some(tag), Some((handover, _)))
                        if tag.handover() == handover && tag.by() == By::Agent =>
                    {
                        book.came(tag);
                    }
                    _ => book.stray(),
                }
            }
            ("handover_ended", Some(_)) => {
                self.now = None;
                book.finish();
                let _ = self.stage.free.send(self.n);
            }
            _ => {}
        }
        Ok(())
    }
}
