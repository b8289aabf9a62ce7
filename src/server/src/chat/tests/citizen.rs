//! A citizen's page: a socket, and what came through it.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::service::{AARHUS, Service};

const WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Citizen {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(super) welcome: Value,
    pub(super) dialogue: String,
    /// Of the newest event that was read.
    pub(super) seq: u64,
}

impl Citizen {
    pub(super) async fn come(to: &Service) -> Self {
        Self::hello(to, None).await
    }

    /// The same citizen by another socket, at this node or another.
    pub(super) async fn again(&self, at: &Service) -> Self {
        let resume = json!({
            "dialogue": self.dialogue, "token": self.welcome["token"], "seq": self.seq,
            "stream": self.welcome["stream"],
        });
        Self::hello(at, Some(resume)).await
    }

    async fn hello(to: &Service, resume: Option<Value>) -> Self {
        let (socket, _) = connect_async(format!("ws://{}/ws/chat", to.address))
            .await
            .unwrap();
        let mut c = Self {
            socket,
            welcome: Value::Null,
            dialogue: String::new(),
            seq: 0,
        };
        let mut hello = json!({"type": "hello", "v": 1, "municipality": AARHUS, "lang": "da"});
        if let Some(resume) = resume {
            c.seq = resume["seq"].as_u64().unwrap();
            hello["resume"] = resume;
        }
        c.send(hello).await;
        c.welcome = c.frame().await;
        assert_eq!(c.welcome["type"], "welcome", "{}", c.welcome);
        if c.welcome["replay"] == true {
            c.seq = 0;
        }
        c.dialogue = c.welcome["dialogue"].as_str().unwrap().to_owned();
        c
    }

    pub(super) async fn send(&mut self, frame: Value) {
        let sent = self.socket.send(Message::text(frame.to_string()));
        sent.await.unwrap();
    }

    /// The next frame; events must come in their order, without a gap and none twice.
    pub(super) async fn frame(&mut self) -> Value {
        loop {
            let next = timeout(WITHIN, self.socket.next()).await;
            match next.expect("no frame came").expect("closed").unwrap() {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] != "welcome"
                        && let Some(seq) = frame["seq"].as_u64()
                    {
                        assert_eq!(seq, self.seq + 1, "{frame}");
                        self.seq = seq;
                    }
                    return frame;
                }
                Message::Close(c) => panic!("closed: {c:?}"),
                _ => {}
            }
        }
    }

    /// All frames up to the next of a type.
    pub(super) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut out = Vec::new();
        loop {
            let frame = self.frame().await;
            let found = frame["type"] == kind;
            assert!(found || frame["type"] != "error", "{frame} before {kind}");
            out.push(frame);
            if found {
                return out;
            }
        }
    }

    pub(super) async fn next(&mut self, kind: &str) -> Value {
        self.until(kind).await.pop().unwrap()
    }

    /// What has come up to now: all that stands before the answer to a ping.
    pub(super) async fn so_far(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping", "n": 42})).await;
        let mut frames = self.until("pong").await;
        frames.pop();
        frames
    }

    pub(super) async fn say(&mut self, client_id: &str, text: &str) {
        self.send(json!({"type": "message", "client_id": client_id, "text": text}))
            .await;
    }

    pub(super) async fn ask(&mut self, client_id: &str, text: &str) -> Vec<Value> {
        self.say(client_id, text).await;
        self.until("answer_end").await
    }

    /// Asks for a person and waits in the queue.
    pub(super) async fn queue(&mut self) -> Value {
        self.send(json!({"type": "human", "client_id": "human-1"}))
            .await;
        let offer = self.next("handover_offer").await;
        assert_eq!(offer["queue"], true, "{offer}");
        self.send(json!({"type": "queue", "client_id": "queue-1"}))
            .await;
        self.next("queued").await
    }
}

pub(super) fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|f| f["type"].as_str().unwrap()).collect()
}

impl Citizen {
    /// The number of the event that acknowledged a client id.
    pub(super) async fn known(&self, s: &Service, client_id: &str) -> u64 {
        let dialogue = self.dialogue.parse().unwrap();
        let found = s.app.journal.find_client_id(&dialogue, client_id).await;
        found.unwrap().expect("was acknowledged")
    }
}

impl Citizen {
    /// Whether the service ends this connection, once what lies ready is read.
    pub(super) async fn is_let_go(&mut self) -> bool {
        loop {
            match timeout(WITHIN, self.socket.next()).await {
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return true,
                Ok(Some(Ok(_))) => {}
                Err(_) => return false,
            }
        }
    }
}
