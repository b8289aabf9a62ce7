//! One desk's socket, from its first frame to its last.

mod wait;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base::DialogueId;
use contact::centre::{Centre, Command, ConnectionId, ItemId, Link, Refusal as Why};
use futures_util::future::BoxFuture;
use futures_util::stream::SplitStream;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use self::wait::{at, changed, running};
use super::commands::{Commander, Done};
use super::hub::{Joining, Key, OUTBOX, Order, Out};
use super::presence::Presence;
use super::refusal::{Refusal, not_for_you, refusal};
use super::socket::{Flow, Incoming, Socket};
use super::welcome::welcome;
use super::wire::{Ask, CommandId, FromDesk, MAX_FRAME, ToDesk, What};
use crate::app::App;
use crate::auth::{Address, Denied, Signed, rights};
use crate::centre::Error;
use crate::drain::{Open, Phase};
use crate::transcript::{Typing, Typist};

const DRAIN_FOR: Duration = Duration::from_secs(1);
/// Commands that wait for the one before them.
const MAX_WAITING: usize = 32;
/// How often the session is looked at without a reason, and presence is told again after it failed.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const TELL_AGAIN: Duration = Duration::from_secs(1);
/// How often a desk that has gone is reported, should the log be away.
const FAREWELLS: u32 = 30;
const BUFFER: usize = 4 << 10;
const MAX_UNSENT: usize = 1 << 20;

/// `GET /ws/desk`
pub(crate) async fn upgrade(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    ws: WebSocketUpgrade,
) -> Response {
    if app.drain.phase() != Phase::Serving {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let ws = ws
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_UNSENT);
    ws.on_upgrade(move |socket| async move {
        let _open = app.metrics.desk_socket();
        let (out, mut input) = socket.split();
        let mut socket = Socket::new(out);
        let open = app.drain.enter();
        if let Some(visible) = socket.greet(&mut input, &signed).await {
            Desk::new(app, socket, signed, from, visible)
                .run(&mut input, open)
                .await;
        }
        // A socket closed with unread input is reset, and a reset can overtake the last frames.
        let rest = async { while let Some(Ok(_)) = input.next().await {} };
        let _ = timeout(DRAIN_FOR, rest).await;
    })
}

/// A command under way.
type Running = BoxFuture<'static, (CommandId, Result<Done, Refusal>)>;
/// Telling the centre whether somebody is there; what was told, and whether it was heard.
type Telling = BoxFuture<'static, (bool, Result<(), Error>)>;

struct Desk {
    app: App,
    socket: Socket,
    signed: Signed,
    from: IpAddr,
    key: Key,
    link: Link,
    presence: Presence,
    /// What the centre was told last.
    told: Option<bool>,
    telling: Option<Telling>,
    tell_from: Instant,
    running: Option<Running>,
    waiting: VecDeque<(CommandId, Ask)>,
    /// Something was done since the session was last looked at.
    used: bool,
    pings: u64,
}

impl Desk {
    fn new(app: App, socket: Socket, signed: Signed, from: IpAddr, visible: bool) -> Self {
        let number = app.desk.next.fetch_add(1, Ordering::Relaxed);
        let connection = format!("d-{}", DialogueId::random());
        let link = Link {
            node: app.centre.node().clone(),
            connection: connection
                .parse::<ConnectionId>()
                .expect("letters and digits are an id"),
        };
        let now = Instant::now();
        Self {
            key: (signed.account.user.clone(), number),
            app,
            socket,
            signed,
            from,
            link,
            presence: Presence::new(visible, now),
            told: None,
            telling: None,
            tell_from: now,
            running: None,
            waiting: VecDeque::new(),
            used: false,
            pings: 0,
        }
    }

    async fn run(mut self, input: &mut SplitStream<WebSocket>, open: Open) {
        let (out, mut coming) = mpsc::channel(OUTBOX);
        let slow = Arc::new(AtomicBool::new(false));
        let (lists, mut shown) = (0..3)
            .map(|_| watch::channel(None))
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let Ok(lists) = <[_; 3]>::try_from(lists) else {
            return;
        };
        let account = Arc::clone(&self.signed.account);
        if self
            .socket
            .send(&welcome(&self.app, &account))
            .await
            .is_break()
        {
            return;
        }
        let joining = Joining {
            desk: self.key.clone(),
            out,
            slow: Arc::clone(&slow),
            lists,
        };
        if self
            .app
            .desk
            .orders
            .send(Order::Join(joining))
            .await
            .is_err()
        {
            return;
        }
        tracing::debug!(agent = %self.key.0, "a desk has opened");
        let mut changes = self.app.auth.changes();
        let app = self.app.clone();
        let mut leaving = pin!(app.drain.leaving());
        let mut ping = interval(self.app.desk.patience.ping());
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = interval(LOOK_EVERY);
        loop {
            self.tell();
            self.start();
            let tell_at = self.tell_at();
            let [queue, callbacks, supervisor] = &mut shown[..] else {
                return;
            };
            let flow = tokio::select! {
                out = coming.recv() => match out {
                    Some(Out::Frame(frame)) => self.socket.send_text(frame).await,
                    Some(Out::SayPresent) => {
                        self.told = None;
                        Flow::Continue(())
                    }
                    Some(Out::End) => self.signed_out().await,
                    None if slow.load(Ordering::Acquire) => {
                        let said = "Siden læste for langsomt. Den forbinder igen.";
                        self.socket.end("too_slow", said, close_code::AGAIN).await
                    }
                    None => self.socket.end("unavailable", "Forbind igen.", close_code::AGAIN).await,
                },
                message = input.next() => match self.socket.incoming(message).await {
                    Incoming::Frame(frame) => self.act(frame).await,
                    Incoming::Nothing => Flow::Continue(()),
                    Incoming::End => Flow::Break(()),
                },
                (id, done) = running(&mut self.running) => {
                    self.running = None;
                    self.answer(id, done).await
                }
                (told, heard) = running(&mut self.telling) => {
                    self.telling = None;
                    self.heard(told, heard).await
                }
                list = changed(queue) => self.list(list).await,
                list = changed(callbacks) => self.list(list).await,
                list = changed(supervisor) => self.list(list).await,
                _ = ping.tick() => self.ping().await,
                () = at(tell_at) => Flow::Continue(()),
                _ = look.tick() => self.look().await,
                heard = changes.changed() => match heard {
                    Ok(()) => self.look().await,
                    Err(_) => Flow::Break(()),
                },
                () = &mut leaving => self.sent_away().await,
            };
            if flow.is_break() {
                break;
            }
        }
        drop(coming);
        let desk = self.key.clone();
        let _ = self.app.desk.orders.send(Order::Leave { desk }).await;
        self.farewell(open);
    }

    /// Tells the centre when somebody has come or gone.
    fn tell(&mut self) {
        let now = Instant::now();
        if self.telling.is_some() || now < self.tell_from {
            return;
        }
        let present = self.presence.is_present(&self.app.desk.patience, now);
        if self.is_told(present) {
            return;
        }
        let command = self.present(present);
        let centre = self.app.centre.clone();
        let telling = async move { (present, centre.send(command).await.map(|_| ())) };
        self.telling = Some(telling.boxed());
    }

    /// Whoever was never there need not be said to be gone.
    fn is_told(&self, present: bool) -> bool {
        self.told == Some(present) || self.told.is_none() && !present
    }

    /// When [`Desk::tell`] has something to say, if nothing happens before.
    fn tell_at(&self) -> Option<Instant> {
        let patience = &self.app.desk.patience;
        let present = self.presence.is_present(patience, Instant::now());
        match (&self.telling, self.is_told(present)) {
            (Some(_), _) => None,
            (None, false) => Some(self.tell_from),
            (None, true) => present.then(|| self.presence.lapses(patience)),
        }
    }

    fn present(&self, present: bool) -> Command {
        let agent = self.key.0.clone();
        if present {
            let link = self.link.clone();
            Command::AgentPresent { agent, link }
        } else {
            let connection = self.link.connection.clone();
            Command::AgentAbsent { agent, connection }
        }
    }

    async fn heard(&mut self, told: bool, heard: Result<(), Error>) -> Flow {
        match heard {
            Ok(()) => self.told = Some(told),
            Err(Error::Refused(Why::Full)) => {
                let said = "Skrivebordet er åbent i for mange vinduer. Luk nogle af dem.";
                return self.socket.end("elsewhere", said, close_code::POLICY).await;
            }
            // The log is away, or the centre has not heard of a new account yet.
            Err(_) => self.tell_from = Instant::now() + TELL_AGAIN,
        }
        Flow::Continue(())
    }

    /// Begins the next command when there is none under way: they are done in their order.
    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some((id, ask)) = self.waiting.pop_front() else {
            return;
        };
        let commander = Commander {
            app: self.app.clone(),
            account: Arc::clone(&self.signed.account),
            from: self.from,
        };
        let running = async move {
            let done = commander.carry_out(&id, ask).await;
            (id, done)
        };
        self.running = Some(running.boxed());
    }

    async fn answer(&mut self, id: CommandId, done: Result<Done, Refusal>) -> Flow {
        match done {
            Ok(Done { said, suggested }) => {
                let flow = self.socket.send(&ToDesk::Ok { id, said }).await;
                match suggested {
                    Some((item, line, articles)) if flow.is_continue() => {
                        let frame = ToDesk::Suggestions {
                            item,
                            line,
                            articles,
                        };
                        self.socket.send(&frame).await
                    }
                    _ => flow,
                }
            }
            Err(Refusal { code, text }) => {
                let frame = ToDesk::Refused { id, code, text };
                self.socket.send(&frame).await
            }
        }
    }

    async fn act(&mut self, frame: FromDesk) -> Flow {
        let now = Instant::now();
        if !frame.right().who.includes(&self.signed.account) {
            return self.socket.send(&not_for_you(frame)).await;
        }
        match frame {
            FromDesk::Pong { visible } => self.presence.pong(visible, now),
            FromDesk::Watch { what } => {
                let account = &self.signed.account;
                let may =
                    |w: &What| *w != What::Supervisor || rights::SUPERVISORS_LIST.includes(account);
                let order = Order::Watch {
                    desk: self.key.clone(),
                    what: what.into_iter().filter(may).collect(),
                };
                if self.app.desk.orders.send(order).await.is_err() {
                    return Flow::Break(());
                }
            }
            FromDesk::Typing { item } => {
                self.presence.acted(now);
                self.typing(&item).await;
            }
            FromDesk::Ask { id, ask } => {
                self.presence.acted(now);
                self.used = true;
                if self.waiting.len() >= MAX_WAITING {
                    let Refusal { code, text } = refusal("overloaded");
                    return self.socket.send(&ToDesk::Refused { id, code, text }).await;
                }
                self.waiting.push_back((id, ask));
            }
            FromDesk::Hello { .. } => {
                let frame = ToDesk::Error {
                    code: "bad_frame",
                    text: "hello was said already".to_owned(),
                };
                return self.socket.send(&frame).await;
            }
        }
        Flow::Continue(())
    }

    async fn list(&mut self, list: Option<Utf8Bytes>) -> Flow {
        match list {
            Some(list) => self.socket.send_text(list).await,
            None => Flow::Continue(()),
        }
    }

    async fn ping(&mut self) -> Flow {
        if self
            .presence
            .is_dead(&self.app.desk.patience, Instant::now())
        {
            return Flow::Break(());
        }
        self.pings += 1;
        self.socket.send(&ToDesk::Ping { n: self.pings }).await
    }

    /// Whether the session still goes on, and with which rights.
    async fn look(&mut self) -> Flow {
        let used = std::mem::take(&mut self.used);
        match self.app.auth.still(&self.signed, used).await {
            Ok(now) if !now.account.works_at_desk() => self.signed_out().await,
            Ok(now) if now.account == self.signed.account => Flow::Continue(()),
            Ok(now) => {
                self.signed = now;
                let account = Arc::clone(&self.signed.account);
                if self
                    .socket
                    .send(&welcome(&self.app, &account))
                    .await
                    .is_break()
                {
                    return Flow::Break(());
                }
                let agent = self.key.0.clone();
                match self.app.desk.orders.send(Order::Again { agent }).await {
                    Ok(()) => Flow::Continue(()),
                    Err(_) => Flow::Break(()),
                }
            }
            Err(Denied::SignedOut) => self.signed_out().await,
            Err(Denied::Store(e)) => {
                tracing::warn!("a session cannot be looked at: {e}");
                Flow::Continue(())
            }
        }
    }

    /// The service stops. What was not begun is the page's to send again.
    async fn sent_away(&mut self) -> Flow {
        if self.last_answer().await.is_break() {
            return Flow::Break(());
        }
        let said = "Tjenesten genstarter. Siden forbinder igen.";
        self.socket
            .end("unavailable", said, close_code::AGAIN)
            .await
    }

    /// The answer to a command that is under way.
    async fn last_answer(&mut self) -> Flow {
        match self.running.take() {
            Some(running) => match timeout(DRAIN_FOR, running).await {
                Ok((id, done)) => self.answer(id, done).await,
                Err(_) => Flow::Continue(()),
            },
            None => Flow::Continue(()),
        }
    }

    /// The end, after the answer to a command that is under way.
    async fn signed_out(&mut self) -> Flow {
        if self.last_answer().await.is_break() {
            return Flow::Break(());
        }
        let said = "Du er logget ud.";
        self.socket
            .end("signed_out", said, close_code::POLICY)
            .await
    }

    /// Tells the citizen that the agent writes, if this is the one who has the chat.
    async fn typing(&mut self, item: &ItemId) {
        let me = &self.key.0;
        let owned = |c: &Centre| {
            let item = c.item(item).filter(|i| i.owner() == Some(me));
            item.map(|i| i.dialogue.clone())
        };
        if let Ok(Some(dialogue)) = self.app.centre.read(owned).await {
            let by = Typist::Agent;
            // Nobody may be there to hear it.
            let _ = self.app.typing.send(Typing { dialogue, by });
        }
    }

    /// The connection is gone: the centre hears of it, even when it takes a while.
    fn farewell(mut self, open: Open) {
        if self.told.is_none() && self.telling.is_none() {
            return;
        }
        let (command, centre) = (self.present(false), self.app.centre.clone());
        let telling = self.telling.take();
        tokio::spawn(async move {
            // A service that stops waits for this.
            let _open = open;
            if let Some(telling) = telling {
                let _ = telling.await;
            }
            for _ in 0..FAREWELLS {
                match centre.send(command.clone()).await {
                    Err(e) if e.passes() => sleep(TELL_AGAIN).await,
                    _ => return,
                }
            }
        });
    }
}
