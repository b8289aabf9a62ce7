//! One citizen's connection, from its first frame to its last.

mod greet;
mod moved;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base::{Lang, MunicipalityCode};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until, timeout};

use super::crowd::Place;
use super::dialogue::{self, Dialogue, Frame, Joined};
use super::people;
use super::turn::{Done, Refusal, Request, make_good, traced};
use crate::app::App;
use crate::fair;
use crate::websites::Visitor;
use crate::wire::{
    ClientId, Code, Contact, FromCitizen, Hello, Limits, MAX_FRAME, Municipality, ToCitizen,
    VERSION, text, wrong_field,
};

/// The first frame must come within this.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A connection is pinged after this long without a frame, and closed after twice as long again.
const PING_AFTER: Duration = Duration::from_secs(30);
const GONE_AFTER: Duration = Duration::from_secs(90);
/// A frame must be taken by the network within this.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// How long the end waits for the peer's own.
const DRAIN_FOR: Duration = Duration::from_secs(1);
/// Faulty frames before the connection is closed.
const MAX_FAULTS: u32 = 10;
/// Frames within a minute before the connection is closed.
const MAX_FRAMES_A_MINUTE: u32 = 300;
/// Bytes read and written at once: a citizen's frames are short, and there are many citizens.
const BUFFER: usize = 4 << 10;
const MAX_UNSENT: usize = 256 << 10;

pub(crate) async fn upgrade(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    visitor: Visitor,
    ws: WebSocketUpgrade,
) -> Response {
    let from = app.auth.client(peer, &headers);
    let Some(place) = app.crowd.enter(from, app.clock.monotonic()) else {
        app.metrics.refused(Code::Overloaded);
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    ws.max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_UNSENT)
        .on_upgrade(move |socket| async move {
            let _open = app.metrics.chat_socket();
            let (out, mut input) = socket.split();
            let _open = app.drain.enter();
            let mut c = Connection {
                app: Arc::clone(&app),
                out,
                place,
                visitor,
                faults: 0,
                frames: 0,
                minute: Instant::now(),
            };
            c.run(&mut input).await;
            drain(input).await;
        })
}

/// Reads what the peer had sent before it heard the end: a socket closed with unread input is reset, and a
/// reset can overtake the last frames.
async fn drain(mut input: SplitStream<WebSocket>) {
    let read = async { while let Some(Ok(_)) = input.next().await {} };
    let _ = timeout(DRAIN_FOR, read).await;
}

struct Connection {
    app: App,
    out: SplitSink<WebSocket, Message>,
    /// Among those of its network.
    place: Place,
    /// What the website may that it comes from.
    visitor: Visitor,
    faults: u32,
    frames: u32,
    minute: Instant,
}

/// What came in.
enum Incoming {
    Frame(FromCitizen),
    /// Dealt with already.
    Nothing,
    End,
}

/// The peer is gone, or was told to go.
type Flow = ControlFlow<()>;

impl Connection {
    async fn run(&mut self, input: &mut SplitStream<WebSocket>) {
        let Some((joined, lang)) = self.greet(input).await else {
            return;
        };
        let Joined {
            dialogue,
            coming,
            missed,
            unanswered,
            newest,
            ..
        } = joined;
        tracing::debug!(dialogue = %dialogue.id, lang = lang.code(), "connected");
        let mut broken = false;
        for frame in missed {
            broken = broken || self.send(frame).await.is_break();
        }
        if joined.resumed && !broken {
            broken = self.come_back(&dialogue).await.is_break();
        }
        if let Some(message) = unanswered {
            make_good(
                &self.app,
                &dialogue,
                &self.place.flow(&dialogue.id),
                message,
            )
            .await;
        }
        let mut heard = Instant::now();
        let mut pings = 0;
        let mut ear = Ear {
            coming: Some(coming),
            newest,
            held: None,
        };
        let app = Arc::clone(&self.app);
        let mut leaving = pin!(app.drain.leaving());
        while !broken {
            let wake = heard + if pings == 0 { PING_AFTER } else { GONE_AFTER };
            let flow = tokio::select! {
                // What was said first: the next message brings more of it.
                biased;
                frame = hear(&mut ear.coming, newest) => self.forward(frame).await,
                // Before another message is begun: what is not acknowledged is sent again, wherever it is taken.
                () = &mut leaving => {
                    moved::hand_on(&self.app, &dialogue).await;
                    self.close(close_code::RESTART, moved::WHY).await
                }
                message = read(&mut ear.held, input) => {
                    pings = 0;
                    let flow = match self.incoming(message).await {
                        Incoming::Frame(f) => self.act(&dialogue, f, &mut ear, input).await,
                        Incoming::Nothing => Flow::Continue(()),
                        Incoming::End => Flow::Break(()),
                    };
                    heard = Instant::now();
                    flow
                }
                () = sleep_until(wake) => if pings == 0 {
                    pings += 1;
                    self.send(text(&ToCitizen::Ping { n: pings })).await
                } else {
                    self.close(close_code::AWAY, "no sign of life").await
                },
            };
            broken = flow.is_break();
        }
        drop(ear);
        if dialogue::leave(&self.app, &dialogue).await {
            people::absent(&self.app, &dialogue).await;
        }
    }

    /// Sends what the dialogue says.
    async fn forward(&mut self, frame: Result<Frame, RecvError>) -> Flow {
        match frame {
            Ok(frame) => self.send(frame.text.to_string()).await,
            // Nothing is lost: it resumes from the journal.
            Err(RecvError::Lagged(_)) => self.close(close_code::AGAIN, "too slow: resume").await,
            Err(RecvError::Closed) => Flow::Break(()),
        }
    }

    /// Carries something out, and sends meanwhile what comes of it. Who leaves is no listener any more; what was begun is
    /// carried through.
    async fn meanwhile<F: Future>(
        &mut self,
        acting: F,
        ear: &mut Ear,
        input: &mut SplitStream<WebSocket>,
    ) -> (F::Output, Flow) {
        let mut acting = pin!(acting);
        loop {
            let gone = tokio::select! {
                biased;
                frame = hear(&mut ear.coming, ear.newest), if ear.coming.is_some() => self.forward(frame).await.is_break(),
                done = &mut acting => {
                    let flow = match ear.coming {
                        Some(_) => Flow::Continue(()),
                        None => Flow::Break(()),
                    };
                    return (done, flow);
                }
                // One frame is read ahead: the end is heard, and a second question waits for the first.
                message = input.next(), if ear.held.is_none() && ear.coming.is_some() => {
                    let end = matches!(&message, None | Some(Err(_) | Ok(Message::Close(_))));
                    ear.held = Some(message);
                    end
                }
            };
            if gone {
                ear.coming = None;
            }
        }
    }

    /// Who waits or talks with a person is here again, and sees how the place stands.
    async fn come_back(&mut self, dialogue: &Dialogue) -> Flow {
        people::present(&self.app, dialogue).await;
        match people::wait_frame(&self.app, dialogue).await {
            Some(frame) => self.send(frame).await,
            None => Flow::Continue(()),
        }
    }

    /// Reads one message; faults are answered here.
    async fn incoming(&mut self, message: Option<Result<Message, axum::Error>>) -> Incoming {
        let message = match message {
            None => return Incoming::End,
            Some(Err(e)) => {
                let said = e.to_string();
                let flow = if said.contains("too long")
                    || said.contains("too big")
                    || said.contains("limit exceeded")
                {
                    let what = format!("a frame may have {MAX_FRAME} bytes");
                    let _ = self.error(Code::TooLarge, &what, None, None).await;
                    self.close(close_code::SIZE, "too large").await
                } else if said.to_lowercase().contains("utf-8") {
                    self.close(close_code::INVALID, "not UTF-8").await
                } else {
                    Flow::Break(())
                };
                let _ = flow;
                return Incoming::End;
            }
            Some(Ok(m)) => m,
        };
        if self.flooded() {
            let _ = self
                .error(
                    Code::RateLimited,
                    "too many frames",
                    None,
                    Some(Duration::from_secs(60)),
                )
                .await;
            let _ = self.close(close_code::POLICY, "too many frames").await;
            return Incoming::End;
        }
        match message {
            Message::Text(t) => match serde_json::from_str(&t) {
                Ok(frame) => Incoming::Frame(frame),
                Err(e) => self.fault(&t, &e).await,
            },
            Message::Binary(_) => {
                let _ = self
                    .close(close_code::UNSUPPORTED, "text frames only")
                    .await;
                Incoming::End
            }
            Message::Ping(_) | Message::Pong(_) => Incoming::Nothing,
            Message::Close(_) => Incoming::End,
        }
    }

    fn flooded(&mut self) -> bool {
        if self.minute.elapsed() > Duration::from_secs(60) {
            self.minute = Instant::now();
            self.frames = 0;
        }
        self.frames += 1;
        self.frames > MAX_FRAMES_A_MINUTE
    }

    /// Answers a frame that could not be read, naming the field where that is known.
    async fn fault(&mut self, frame: &str, e: &serde_json::Error) -> Incoming {
        self.faults += 1;
        let value: Option<serde_json::Value> = serde_json::from_str(frame).ok();
        let client_id = value
            .as_ref()
            .and_then(|v| v.get("client_id"))
            .and_then(serde_json::Value::as_str)
            .filter(|c| ClientId::try_from((*c).to_owned()).is_ok());
        let said = value
            .as_ref()
            .and_then(wrong_field)
            .unwrap_or_else(|| e.to_string());
        // What could not be read is quoted in the fault.
        let said: String = base::redact(&said).text.chars().take(200).collect();
        let flow = self.error(Code::BadFrame, &said, client_id, None).await;
        if flow.is_break() {
            return Incoming::End;
        }
        if self.faults >= MAX_FAULTS {
            let _ = self
                .close(close_code::POLICY, "too many faulty frames")
                .await;
            return Incoming::End;
        }
        Incoming::Nothing
    }

    /// Carries out a frame of a citizen who has been greeted.
    async fn act(
        &mut self,
        dialogue: &Arc<Dialogue>,
        frame: FromCitizen,
        ear: &mut Ear,
        input: &mut SplitStream<WebSocket>,
    ) -> Flow {
        match frame {
            FromCitizen::Lang { lang } => dialogue.state.lock().await.context.lang = lang,
            FromCitizen::Ping { n } => return self.send(text(&ToCitizen::Pong { n })).await,
            FromCitizen::Typing => people::typing(&self.app, dialogue).await,
            FromCitizen::Pong { .. } => {}
            FromCitizen::Hello(_) => {
                return self
                    .error(Code::BadFrame, "hello was said already", None, None)
                    .await;
            }
            FromCitizen::Bye => {
                let ended = self.app.journal.end(&dialogue.id, self.app.clock.now());
                match ended.await {
                    Ok(()) => self.app.metrics.dialogue_ended(),
                    Err(e) => {
                        tracing::error!(dialogue = %dialogue.id, "the end was not kept: {e}");
                    }
                }
                return self.close(close_code::NORMAL, "goodbye").await;
            }
            frame => {
                let app = Arc::clone(&self.app);
                let flow = self.place.flow(&dialogue.id);
                let acting = carried_out(&app, dialogue, &flow, &frame);
                let (done, flow) = self.meanwhile(acting, ear, input).await;
                if flow.is_break() {
                    return flow;
                }
                return match done {
                    Ok(None) => Flow::Continue(()),
                    Ok(Some(frame)) => self.send(frame).await,
                    Err(Refusal {
                        code,
                        text,
                        retry_after,
                    }) => {
                        let client_id = frame.client_id().map(ClientId::as_str);
                        self.error(code, &text, client_id, retry_after).await
                    }
                };
            }
        }
        Flow::Continue(())
    }

    async fn error(
        &mut self,
        code: Code,
        said: &str,
        client_id: Option<&str>,
        retry_after: Option<Duration>,
    ) -> Flow {
        self.app.metrics.refused(code);
        let frame = text(&ToCitizen::Error {
            code,
            text: said,
            client_id,
            retry_after_ms: retry_after.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        });
        self.send(frame).await
    }

    async fn send(&mut self, frame: String) -> Flow {
        match timeout(SEND_WITHIN, self.out.send(Message::Text(frame.into()))).await {
            Ok(Ok(())) => Flow::Continue(()),
            _ => Flow::Break(()),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Flow {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let _ = timeout(SEND_WITHIN, self.out.send(Message::Close(Some(frame)))).await;
        Flow::Break(())
    }
}

type Said = Option<Result<Message, axum::Error>>;

/// What a connection hears: the dialogue, and its peer.
struct Ear {
    /// None: the peer has left.
    coming: Option<Receiver<Frame>>,
    /// What was missed, up to this number, came already.
    newest: u64,
    /// Read while something was carried out.
    held: Option<Said>,
}

/// The next that the dialogue says. Nothing is lost when it is not waited for to the end.
async fn hear(coming: &mut Option<Receiver<Frame>>, newest: u64) -> Result<Frame, RecvError> {
    let Some(coming) = coming else {
        return Err(RecvError::Closed);
    };
    loop {
        match coming.recv().await {
            Ok(frame) if (1..=newest).contains(&frame.seq) => {}
            other => return other,
        }
    }
}

/// The next that the peer says, the end as none.
async fn read(held: &mut Option<Said>, input: &mut SplitStream<WebSocket>) -> Said {
    match held.take() {
        Some(said) => said,
        None => input.next().await,
    }
}

/// Does what a frame asks for.
async fn carried_out(
    app: &App,
    dialogue: &Arc<Dialogue>,
    flow: &fair::Flow,
    frame: &FromCitizen,
) -> Done {
    let Some(client_id) = frame.client_id() else {
        return Ok(None);
    };
    let request = Request {
        app,
        dialogue,
        flow,
        client_id,
        trace: traced(app, dialogue, frame),
    };
    match frame {
        FromCitizen::Message { text, .. } => request.message(text).await,
        FromCitizen::Choose { article_id, .. } => request.choose(article_id).await,
        FromCitizen::Human { .. } => request.human().await,
        FromCitizen::Callback {
            phone, topic, slot, ..
        } => request.callback(phone, topic.as_deref(), *slot).await,
        FromCitizen::Reveal { epoch, text, .. } => request.reveal(*epoch, text).await,
        FromCitizen::Queue { .. } => request.queue().await,
        FromCitizen::Leave { .. } => request.leave().await,
        FromCitizen::CancelCallback { reference, .. } => request.cancel_callback(reference).await,
        FromCitizen::Rate {
            turn,
            score,
            comment,
            ..
        } => {
            let (turn, comment) = (turn.as_deref(), comment.as_deref());
            request.rate(turn, *score, comment).await
        }
        FromCitizen::Hello(_)
        | FromCitizen::Lang { .. }
        | FromCitizen::Typing
        | FromCitizen::Ping { .. }
        | FromCitizen::Pong { .. }
        | FromCitizen::Bye => Ok(None),
    }
}
