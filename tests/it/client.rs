//! A citizen's side of the chat. Every frame of both directions is held against the schema.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::harness::Server;
use crate::schema;

/// Longer than anything takes on a busy machine: a test that waits for this has failed.
const WITHIN: Duration = Duration::from_secs(60);

/// What a chat goes over.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Line>>,
    /// The close frame's code, once there was one.
    pub(crate) closed: Option<u16>,
    /// Of the welcome.
    pub(crate) dialogue: String,
    pub(crate) token: String,
}

impl Client {
    /// A connection on which nothing was said yet.
    pub(crate) async fn open(server: &Server) -> Client {
        Self::open_from(server, None).await.unwrap()
    }

    /// As [`Client::open`], from an address that a proxy tells.
    ///
    /// # Errors
    /// The HTTP status, where no socket came of it.
    pub(crate) async fn open_from(server: &Server, from: Option<&str>) -> Result<Client, u16> {
        Self::open_with(server, "X-Forwarded-For", from).await
    }

    /// As [`Client::open_from`], with a header.
    pub(crate) async fn open_with(
        server: &Server,
        name: &'static str,
        value: Option<&str>,
    ) -> Result<Client, u16> {
        let address = format!("ws://{}/ws/chat", server.address);
        let mut request = address.into_client_request().unwrap();
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let line = TcpStream::connect(&server.address).await.unwrap();
        Self::on(request, Box::new(line)).await
    }

    /// A connection over a line that was laid before, on which nothing was said yet.
    pub(crate) async fn over(server: &Server, line: impl Line + 'static) -> Client {
        let address = format!("ws://{}/ws/chat", server.address);
        let request = address.into_client_request().unwrap();
        Self::on(request, Box::new(line)).await.unwrap()
    }

    async fn on(request: Request, line: Box<dyn Line>) -> Result<Client, u16> {
        match client_async(request, line).await {
            Ok((socket, _)) => Ok(Client {
                socket,
                closed: None,
                dialogue: String::new(),
                token: String::new(),
            }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(e) => panic!("{e}"),
        }
    }

    /// A new dialogue, and its welcome.
    pub(crate) async fn hello(server: &Server, municipality: &str) -> (Client, Value) {
        let mut c = Client::open(server).await;
        c.send(&hello(municipality)).await;
        let welcome = c.next("welcome").await;
        c.dialogue = welcome["dialogue"].as_str().unwrap().to_owned();
        c.token = welcome["token"].as_str().unwrap().to_owned();
        (c, welcome)
    }

    /// Asks for a dialogue from the event after `seq`; the first frame is not read.
    pub(crate) async fn resume(
        server: &Server,
        municipality: &str,
        dialogue: &str,
        token: &str,
        seq: u64,
    ) -> Client {
        let mut c = Client::open(server).await;
        let mut frame = hello(municipality);
        frame["resume"] = json!({"dialogue": dialogue, "token": token, "seq": seq});
        c.send(&frame).await;
        (c.dialogue, c.token) = (dialogue.to_owned(), token.to_owned());
        c
    }

    /// The events of a dialogue after `seq`, as a new connection gets them from the journal.
    pub(crate) async fn events(
        server: &Server,
        municipality: &str,
        dialogue: &str,
        token: &str,
        seq: u64,
    ) -> Vec<Value> {
        let mut c = Client::resume(server, municipality, dialogue, token, seq).await;
        let welcome = c.next("welcome").await;
        assert_eq!(welcome["resumed"], true);
        let newest = welcome["seq"].as_u64().unwrap();
        let mut out = Vec::new();
        while out.len() < usize::try_from(newest - seq).unwrap() {
            out.push(c.frame().await.unwrap());
        }
        // What was missed comes before anything else is read, and so does the answer to what nobody had answered yet.
        c.send(&json!({"type": "ping", "n": 7})).await;
        let mut more = c.until("pong").await;
        assert_eq!(more.pop().unwrap(), json!({"type": "pong", "n": 7}));
        let unanswered = out.last().is_some_and(|e| e["type"] == "citizen");
        assert!(more.is_empty() || unanswered, "{more:#?}");
        out.extend(events(more));
        out
    }

    /// Sends a frame that the schema allows.
    pub(crate) async fn send(&mut self, frame: &Value) {
        schema::hold("citizen", frame);
        self.raw(&frame.to_string()).await;
    }

    pub(crate) async fn raw(&mut self, text: &str) {
        self.message(Message::text(text)).await;
    }

    /// A peer that has closed is found out by reading.
    pub(crate) async fn message(&mut self, message: Message) {
        let _ = timeout(WITHIN, self.socket.send(message)).await.unwrap();
    }

    pub(crate) async fn say(&mut self, client_id: &str, text: &str) {
        self.send(&json!({"type": "message", "client_id": client_id, "text": text}))
            .await;
    }

    /// The next frame; `None` when the connection is over.
    pub(crate) async fn frame(&mut self) -> Option<Value> {
        loop {
            let next = timeout(WITHIN, self.socket.next());
            match next.await.expect("no frame came")? {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    schema::hold("service", &frame);
                    return Some(frame);
                }
                Ok(Message::Close(frame)) => {
                    self.closed = self.closed.or(frame.map(|f| f.code.into()));
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// The next frame of a type; others before it are left out, an unexpected error is not.
    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        self.until(kind).await.pop().unwrap()
    }

    /// All frames up to the next one of a type.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut out = Vec::new();
        loop {
            let Some(frame) = self.frame().await else {
                panic!("closed ({:?}) before {kind}, after {out:#?}", self.closed);
            };
            let found = frame["type"] == kind;
            assert!(
                found || frame["type"] != "error",
                "{frame} before {kind}, after {out:#?}"
            );
            out.push(frame);
            if found {
                return out;
            }
        }
    }

    /// Says something and waits for the whole answer: every event from `citizen` to `answer_end`.
    pub(crate) async fn ask(&mut self, client_id: &str, text: &str) -> Vec<Value> {
        self.say(client_id, text).await;
        events(self.until("answer_end").await)
    }

    /// The next error, which must have this code and a text.
    pub(crate) async fn refused(&mut self, code: &str) -> Value {
        let error = self.next("error").await;
        assert_eq!(error["code"], code, "{error}");
        error
    }

    /// Reads to the end of the connection: the frames before it and the close frame's code.
    pub(crate) async fn end(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut out = Vec::new();
        while let Some(frame) = self.frame().await {
            out.push(frame);
        }
        (out, self.closed)
    }
}

pub(crate) fn hello(municipality: &str) -> Value {
    json!({"type": "hello", "v": 1, "municipality": municipality, "lang": "da"})
}

/// The numbered frames.
pub(crate) fn events(frames: Vec<Value>) -> Vec<Value> {
    frames
        .into_iter()
        .filter(|f| f.get("seq").is_some() && f["type"] != "welcome")
        .collect()
}

pub(crate) fn seqs(events: &[Value]) -> Vec<u64> {
    events.iter().map(|e| e["seq"].as_u64().unwrap()).collect()
}

pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|e| e["type"].as_str().unwrap()).collect()
}

/// The text of an answer's parts.
pub(crate) fn answer(events: &[Value]) -> String {
    events
        .iter()
        .filter(|e| e["type"] == "answer_part")
        .filter_map(|e| e["text"].as_str())
        .collect()
}
