//! An agent who takes what is offered, answers the first message and closes.

use std::collections::{BTreeSet, HashMap};

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::book::{By, Tag};
use super::server::Account;
use super::{Failure, Stage, http};

/// What an agent does with a frame.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame {
    Welcome {
        municipalities: Vec<Municipality>,
        codes: Vec<WrapUp>,
    },
    Snapshot {
        cards: Vec<Card>,
    },
    Card {
        card: Card,
    },
    Line {
        item: String,
        line: Line,
    },
    Ok {
        id: String,
    },
    Refused {
        id: String,
        code: String,
    },
    Ping {
        n: u64,
    },
    Error {
        code: String,
        text: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Municipality {
    code: String,
}

#[derive(Deserialize)]
struct WrapUp {
    code: String,
}

#[derive(Deserialize)]
struct Card {
    item: String,
    municipality: Municipality,
    state: State,
    epoch: u64,
}

#[derive(Deserialize)]
struct State {
    kind: String,
    #[serde(default)]
    offer: Option<u64>,
}

#[derive(Deserialize)]
struct Line {
    from: String,
    text: String,
}

struct Agent<'a> {
    stage: &'a Stage,
    socket: WebSocketStream<TcpStream>,
    rights: BTreeSet<String>,
    code: String,
    /// The epoch of each chat held.
    chats: HashMap<String, u64>,
    /// Commands without an answer yet: when, about what, and for which message.
    asked: HashMap<String, (Instant, String, Option<Tag>)>,
    next: u64,
}

/// Signs in, says so, and works to the end. Whether the connection stood.
pub(super) async fn run(
    stage: &Stage,
    account: Account,
    gate: &Semaphore,
    signed_in: &mpsc::Sender<()>,
) -> bool {
    let connected = {
        let Ok(_permit) = gate.acquire().await else {
            return false;
        };
        connect(stage, &account).await
    };
    let mut agent = match connected {
        Ok(socket) => Agent {
            stage,
            socket,
            rights: BTreeSet::new(),
            code: String::new(),
            chats: HashMap::new(),
            asked: HashMap::new(),
            next: 0,
        },
        Err(e) => {
            tracing::warn!("an agent cannot connect: {e}");
            return false;
        }
    };
    let mut over = stage.over.clone();
    let mut welcomed = false;
    loop {
        let goes_on = tokio::select! {
            frame = agent.socket.next() => match frame {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(frame) => {
                        if !welcomed && matches!(frame, Frame::Snapshot { .. }) {
                            welcomed = true;
                            let _ = signed_in.send(()).await;
                        }
                        agent.hear(frame).await
                    }
                    Err(e) => {
                        tracing::debug!("a frame that an agent does not know: {e}: {text}");
                        Ok(())
                    }
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => Ok(()),
            },
            _ = over.changed() => return true,
        };
        if goes_on.is_err() {
            return false;
        }
    }
}

async fn connect(stage: &Stage, account: &Account) -> Result<WebSocketStream<TcpStream>, Failure> {
    let session = http::sign_in(stage.address, &account.user, &account.password).await?;
    let stream = TcpStream::connect(stage.address).await?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{}/ws/desk", stage.address).into_client_request()?;
    let origin = format!("http://{}", stage.address);
    let headers = request.headers_mut();
    headers.insert("cookie", HeaderValue::from_str(&session.cookie)?);
    headers.insert("origin", HeaderValue::from_str(&origin)?);
    let (mut socket, _) = client_async(request, stream).await?;
    let hello = json!({"type": "hello", "v": 1, "csrf": session.csrf, "visible": true});
    socket.send(Message::text(hello.to_string())).await?;
    Ok(socket)
}

impl Agent<'_> {
    /// Sends a command under an id of its own.
    async fn ask(&mut self, what: &str, mut command: Value, tag: Option<Tag>) -> Result<(), Error> {
        self.next += 1;
        let id = format!("{}-{}", what.replace('_', ""), self.next);
        let item = command
            .get("item")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let asked = (Instant::now(), item.to_owned(), tag);
        self.asked.insert(id.clone(), asked);
        command["type"] = what.into();
        command["id"] = id.into();
        self.socket.send(Message::text(command.to_string())).await
    }

    async fn hear(&mut self, frame: Frame) -> Result<(), Error> {
        match frame {
            Frame::Welcome {
                municipalities,
                codes,
            } => {
                self.rights = municipalities.into_iter().map(|m| m.code).collect();
                self.code = codes
                    .into_iter()
                    .next()
                    .map_or_else(String::new, |c| c.code);
            }
            Frame::Snapshot { cards } => {
                self.chats.clear();
                for card in cards {
                    self.card(card).await?;
                }
            }
            Frame::Card { card } => self.card(card).await?,
            Frame::Line { item, line } => self.line(&item, &line).await?,
            Frame::Ok { id } => self.done(&id).await?,
            Frame::Refused { id, code } => {
                self.asked.remove(&id);
                tracing::debug!("{id} was refused: {code}");
                self.stage.book.was_refused();
            }
            Frame::Ping { n } => {
                let pong = json!({"type": "pong", "n": n, "visible": true});
                self.socket.send(Message::text(pong.to_string())).await?;
            }
            Frame::Error { code, text } => {
                tracing::warn!("an agent was told {code}: {text}");
                self.stage.book.was_refused();
            }
            Frame::Other => {}
        }
        Ok(())
    }

    async fn card(&mut self, card: Card) -> Result<(), Error> {
        if !self.rights.contains(&card.municipality.code) {
            self.stage.book.stray();
        }
        match (card.state.kind.as_str(), card.state.offer) {
            ("offered", Some(offer)) => {
                let command = json!({"item": card.item, "offer": offer});
                self.ask("accept", command, None).await?;
            }
            ("owned", _) => {
                self.chats.insert(card.item, card.epoch);
            }
            _ => {}
        }
        Ok(())
    }

    async fn line(&mut self, item: &str, line: &Line) -> Result<(), Error> {
        let Some(tag) = Tag::find(&line.text).filter(|_| line.from == "citizen") else {
            return Ok(());
        };
        let Some(epoch) = self.chats.get(item).copied() else {
            self.stage.book.stray();
            return Ok(());
        };
        self.stage.book.came(tag);
        let answer = Tag::new(tag.handover(), By::Agent);
        self.stage.book.sent(answer);
        let command = json!({"item": item, "epoch": epoch, "text": answer.text()});
        self.ask("message", command, Some(answer)).await
    }

    /// What follows from a command that was carried out.
    async fn done(&mut self, id: &str) -> Result<(), Error> {
        let Some((since, item, tag)) = self.asked.remove(id) else {
            return Ok(());
        };
        let what = id.split('-').next().unwrap_or_default();
        match what {
            "accept" => self.stage.book.accepts.add(since),
            "message" => {
                if let Some(tag) = tag {
                    self.stage.book.acknowledged(tag);
                }
                if let Some(epoch) = self.chats.remove(&item) {
                    let command = json!({"item": item, "epoch": epoch, "code": self.code});
                    self.ask("close", command, None).await?;
                }
            }
            "close" => {
                let command = json!({"item": item});
                self.ask("wrap_up_done", command, None).await?;
            }
            _ => {}
        }
        Ok(())
    }
}
