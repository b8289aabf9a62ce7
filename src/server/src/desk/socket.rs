//! Frames in and out of a desk's socket, and what is wrong with them.

use std::ops::ControlFlow;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::wire::{FromDesk, ToDesk, VERSION, read, text};
use crate::auth::Signed;

/// The first frame must come within this.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// A frame must be taken by the network within this.
const SEND_WITHIN: Duration = Duration::from_secs(20);
/// Faulty frames before the connection is closed; frames within a minute.
const MAX_FAULTS: u32 = 10;
const MAX_FRAMES_A_MINUTE: u32 = 600;

/// The peer is gone, or was told to go.
pub(super) type Flow = ControlFlow<()>;

/// A desk's socket.
pub(super) struct Socket {
    out: SplitSink<WebSocket, Message>,
    faults: u32,
    frames: u32,
    minute: Instant,
}

/// What came in.
pub(super) enum Incoming {
    Frame(FromDesk),
    /// Dealt with already.
    Nothing,
    End,
}

impl Socket {
    pub(super) fn new(out: SplitSink<WebSocket, Message>) -> Self {
        Self {
            out,
            faults: 0,
            frames: 0,
            minute: Instant::now(),
        }
    }

    pub(super) async fn send(&mut self, frame: &ToDesk) -> Flow {
        self.send_text(text(frame).into()).await
    }

    pub(super) async fn send_text(&mut self, frame: Utf8Bytes) -> Flow {
        match timeout(SEND_WITHIN, self.out.send(Message::Text(frame))).await {
            Ok(Ok(())) => Flow::Continue(()),
            _ => Flow::Break(()),
        }
    }

    /// Says why, and closes.
    pub(super) async fn end(&mut self, code: &'static str, said: &str, close: u16) -> Flow {
        let text = said.to_owned();
        if self.send(&ToDesk::Error { code, text }).await.is_continue() {
            let reason = code.into();
            let frame = CloseFrame {
                code: close,
                reason,
            };
            let _ = timeout(SEND_WITHIN, self.out.send(Message::Close(Some(frame)))).await;
        }
        Flow::Break(())
    }

    /// Waits for a `hello` of this session; whether the page is seen.
    pub(super) async fn greet(
        &mut self,
        input: &mut SplitStream<WebSocket>,
        signed: &Signed,
    ) -> Option<bool> {
        let deadline = Instant::now() + HELLO_WITHIN;
        loop {
            let Ok(message) = timeout_at(deadline, input.next()).await else {
                let said = "Der kom intet hello inden for 10 sekunder.";
                let _ = self.end("hello_expected", said, close_code::POLICY).await;
                return None;
            };
            match self.incoming(message).await {
                Incoming::End => return None,
                Incoming::Nothing => {}
                Incoming::Frame(FromDesk::Hello { v, csrf, visible }) => {
                    if v != VERSION {
                        let said = "Siden er for gammel eller for ny. Genindlæs den.";
                        let _ = self
                            .end("unsupported_version", said, close_code::POLICY)
                            .await;
                        return None;
                    }
                    if !signed.vouches(&csrf) {
                        let said = "Siden hører ikke til denne session. Genindlæs den.";
                        let _ = self.end("wrong_csrf", said, close_code::POLICY).await;
                        return None;
                    }
                    return Some(visible);
                }
                Incoming::Frame(_) => {
                    let said = "Den første ramme skal være hello.";
                    let _ = self.end("hello_expected", said, close_code::POLICY).await;
                    return None;
                }
            }
        }
    }

    /// Reads one message; faults are answered here.
    pub(super) async fn incoming(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Incoming {
        let message = match message {
            Some(Ok(message)) => message,
            // Too large, not UTF-8, or the peer has gone.
            Some(Err(_)) | None => return Incoming::End,
        };
        if self.minute.elapsed() > Duration::from_secs(60) {
            (self.minute, self.frames) = (Instant::now(), 0);
        }
        self.frames += 1;
        if self.frames > MAX_FRAMES_A_MINUTE {
            let said = "Siden sendte alt for meget på én gang.";
            let _ = self.end("overloaded", said, close_code::POLICY).await;
            return Incoming::End;
        }
        match message {
            Message::Text(t) => match read(&t) {
                Ok(frame) => Incoming::Frame(frame),
                Err(fault) => {
                    self.faults += 1;
                    // What could not be read is quoted in it.
                    let (code, text) = ("bad_frame", base::redact(&fault.why).text);
                    let answer = match fault.id {
                        Some(id) => ToDesk::Refused { id, code, text },
                        None => ToDesk::Error { code, text },
                    };
                    if self.send(&answer).await.is_break() {
                        return Incoming::End;
                    }
                    if self.faults >= MAX_FAULTS {
                        let said = "Siden sendte for meget, som tjenesten ikke forstår.";
                        let _ = self.end("bad_frame", said, close_code::POLICY).await;
                        return Incoming::End;
                    }
                    Incoming::Nothing
                }
            },
            Message::Binary(_) => {
                let said = "Kun tekst.";
                let _ = self.end("bad_frame", said, close_code::UNSUPPORTED).await;
                Incoming::End
            }
            Message::Ping(_) | Message::Pong(_) => Incoming::Nothing,
            Message::Close(_) => Incoming::End,
        }
    }
}
