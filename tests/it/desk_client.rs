//! An agent's side: accounts by the command, sign-in over HTTP, the desk's socket.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as Plain;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{Server, borgerlinje, finish, printed};

pub(crate) const PASSWORD: &str = "lyng tromme kajak fyr";
pub(crate) const ALL: &[&str] = &["--municipalities", "all"];
const WITHIN: Duration = Duration::from_secs(60);

/// Runs `borgerlinje user …` on the server's data folder, the password on standard input.
#[track_caller]
pub(crate) fn user(server: &Server, arguments: &[&str], input: &str) -> String {
    let mut all = vec!["user"];
    all.extend(arguments);
    let mut command = borgerlinje(&all);
    command.env("BORGERLINJE_DATA", server.data());
    printed(&finish(&mut command, input.as_bytes()))
}

/// Adds an account.
#[track_caller]
pub(crate) fn account(server: &Server, user_name: &str, name: &str, more: &[&str]) {
    let mut arguments = vec!["add", user_name, "--name", name];
    arguments.extend(more);
    user(server, &arguments, PASSWORD);
}

/// An HTTP answer: status, head, body.
pub(crate) type Answer = (u16, String, String);

/// A request with these headers besides the usual.
pub(crate) fn request(
    server: &Server,
    method: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    request_at(server, method, "/api/session", headers, body)
}

pub(crate) fn request_at(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = Plain::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
        server.address,
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    write!(stream, "{head}\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

pub(crate) fn origin(server: &Server) -> String {
    format!("http://{}", server.address)
}

/// Who has signed in.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

pub(crate) fn try_sign_in(server: &Server, user_name: &str, password: &str) -> Answer {
    let body = json!({"user": user_name, "password": password}).to_string();
    request(server, "POST", &[("Origin", &origin(server))], &body)
}

#[track_caller]
pub(crate) fn sign_in(server: &Server, user_name: &str) -> Session {
    let (status, head, body) = try_sign_in(server, user_name, PASSWORD);
    assert_eq!(status, 200, "{user_name} could not sign in: {body}");
    let cookie = head.lines().find(|l| l.starts_with("set-cookie:")).unwrap();
    for part in ["; secure", "; httponly", "; samesite=strict", "; path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie["set-cookie: ".len()..].split(';').next().unwrap();
    let cookie = cookie.replace("__host-", "__Host-");
    let body: Value = serde_json::from_str(&body).unwrap();
    let csrf = body["csrf"].as_str().unwrap().to_owned();
    Session { cookie, csrf }
}

pub(crate) struct Desk {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) closed: Option<u16>,
    /// Whether a ping is answered, and the page seen.
    pub(crate) answers: Option<bool>,
    pub(crate) welcome: Value,
    /// The first snapshot.
    pub(crate) snapshot: Value,
    /// What came and was not asked for yet.
    kept: Vec<Value>,
}

/// Ids of commands.
pub(crate) fn id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("t-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Desk {
    /// # Errors
    /// The HTTP status, where no socket came of it.
    pub(crate) async fn connect(
        server: &Server,
        cookie: Option<&str>,
        from: Option<&str>,
    ) -> Result<Desk, u16> {
        match connect_async(Self::request(server, cookie, from)).await {
            Ok((socket, _)) => Ok(Self::over(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(e) => panic!("{e}"),
        }
    }

    fn request(server: &Server, cookie: Option<&str>, from: Option<&str>) -> Request {
        let mut request = format!("ws://{}/ws/desk", server.address)
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        if let Some(cookie) = cookie {
            headers.insert("cookie", cookie.parse().unwrap());
        }
        if let Some(from) = from {
            headers.insert("origin", from.parse().unwrap());
        }
        request
    }

    fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Desk {
        Desk {
            socket,
            closed: None,
            answers: Some(true),
            welcome: Value::Null,
            snapshot: Value::Null,
            kept: Vec::new(),
        }
    }

    /// A desk with its welcome and its first snapshot.
    pub(crate) async fn open(server: &Server, session: &Session) -> Desk {
        let from = origin(server);
        let opened = Desk::connect(server, Some(&session.cookie), Some(&from)).await;
        let mut desk = opened.unwrap();
        let csrf = &session.csrf;
        desk.send(json!({"type": "hello", "v": 1, "csrf": csrf, "visible": true}))
            .await;
        desk.welcome = desk.next("welcome").await;
        desk.snapshot = desk.next("snapshot").await;
        desk
    }

    /// Signs in and opens a desk whose agent is there.
    pub(crate) async fn of(server: &Server, user_name: &str) -> Desk {
        let session = sign_in(server, user_name);
        let mut desk = Desk::open(server, &session).await;
        if desk.snapshot["me"]["state"] == "absent" {
            desk.when("agent", |f| f["state"] != "absent").await;
        }
        desk
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.raw(frame.to_string()).await;
    }

    pub(crate) async fn raw(&mut self, text: String) {
        let _ = timeout(WITHIN, self.socket.send(Message::text(text))).await;
    }

    /// The next frame; pings are answered and left out. None at the end.
    pub(crate) async fn frame(&mut self) -> Option<Value> {
        loop {
            let next = timeout(WITHIN, self.socket.next());
            match next.await.expect("no frame came")? {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] != "ping" {
                        return Some(frame);
                    }
                    if let Some(visible) = self.answers {
                        let n = &frame["n"];
                        self.send(json!({"type": "pong", "n": n, "visible": visible}))
                            .await;
                    }
                }
                Ok(Message::Close(frame)) => {
                    self.closed = self.closed.or(frame.map(|f| f.code.into()));
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// The next frame of a type, also one that came before and was passed over.
    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        self.when(kind, |_| true).await
    }

    /// The next frame of a type that is as wanted; others are kept.
    pub(crate) async fn when(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        let fits = |f: &Value| f["type"] == kind && is(f);
        if let Some(at) = self.kept.iter().position(fits) {
            return self.kept.remove(at);
        }
        loop {
            let Some(frame) = self.frame().await else {
                panic!(
                    "closed ({:?}) before {kind}, after {:#?}",
                    self.closed, self.kept
                );
            };
            if fits(&frame) {
                return frame;
            }
            self.kept.push(frame);
        }
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn ask(&mut self, mut command: Value) -> Value {
        if command["id"].is_null() {
            command["id"] = id().into();
        }
        let id = command["id"].clone();
        self.send(command).await;
        self.answer(&id).await
    }

    pub(crate) async fn answer(&mut self, id: &Value) -> Value {
        loop {
            let at = self
                .kept
                .iter()
                .position(|f| f["id"] == *id && (f["type"] == "ok" || f["type"] == "refused"));
            if let Some(at) = at {
                return self.kept.remove(at);
            }
            let frame = self.frame().await;
            self.kept.push(frame.expect("closed before the answer"));
        }
    }

    /// As [`Desk::ask`]; it must be done.
    pub(crate) async fn done(&mut self, command: Value) -> Value {
        let answer = self.ask(command.clone()).await;
        assert_eq!(answer["type"], "ok", "{command} {answer}");
        answer
    }

    /// As [`Desk::ask`]; it must be refused with this code, and a text.
    pub(crate) async fn refused(&mut self, command: Value, code: &str) {
        let answer = self.ask(command.clone()).await;
        assert_eq!(answer["code"], code, "{command} {answer}");
        assert!(answer["text"].as_str().unwrap().len() > 5, "{answer}");
    }

    /// The frames so far that nobody asked for; those that are under way are read.
    pub(crate) async fn seen(&mut self) -> Vec<Value> {
        // Whatever was sent before the answer to this came before it.
        self.ask(json!({"type": "targets", "item": "none"})).await;
        std::mem::take(&mut self.kept)
    }

    /// Reads to the end.
    pub(crate) async fn end(&mut self) -> (Vec<Value>, Option<u16>) {
        while let Some(frame) = self.frame().await {
            self.kept.push(frame);
        }
        (std::mem::take(&mut self.kept), self.closed)
    }
}
