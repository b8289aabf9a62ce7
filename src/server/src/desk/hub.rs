//! The one task of a node that all desks hang on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use base::MunicipalityCode;
use contact::centre::{AgentId, Command, ItemId, Profile};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::Orders;
use super::follow::{Heard, Shown, made};
use super::lists::{Board, Lists};
use super::show::Show;
use super::suggest::{SUGGESTED, Wanted, articles};
use super::wire::{Article, ToDesk, What, text};
use crate::app::App;
use crate::centre::{News, Step, Subscription};
use crate::transcript::{Reveal, Typing, Typist};

/// Steps that are looked at together.
const TOGETHER: usize = 256;
/// Lists are made this often at most.
const LISTS_EVERY: Duration = Duration::from_secs(1);
/// Frames that may wait for a socket.
pub(super) const OUTBOX: usize = 256;

/// An agent's desk: the agent, and a number of the window's own.
pub(super) type Key = (AgentId, u64);

/// What a session wants of the hub.
pub(super) enum Order {
    Join(Joining),
    Leave {
        desk: Key,
    },
    Watch {
        desk: Key,
        what: BTreeSet<What>,
    },
    /// The account has other rights: everything is sent anew.
    Again {
        agent: AgentId,
    },
    /// Found for a citizen's message.
    Suggested {
        item: ItemId,
        line: String,
        municipality: MunicipalityCode,
        articles: Vec<Article>,
    },
}

/// A desk that has opened.
pub(super) struct Joining {
    pub(super) desk: Key,
    pub(super) out: mpsc::Sender<Out>,
    /// Set when the desk reads too slowly.
    pub(super) slow: Arc<AtomicBool>,
    pub(super) lists: [watch::Sender<Option<Utf8Bytes>>; 3],
}

/// What a session is told.
pub(super) enum Out {
    Frame(Utf8Bytes),
    /// The centre may not know any more who is connected here.
    SayPresent,
    /// The agent has signed out.
    End,
}

struct Session {
    out: mpsc::Sender<Out>,
    slow: Arc<AtomicBool>,
    lists: Lists,
    /// Waits for a snapshot.
    stale: bool,
}

/// Follows the centre for the desks of this node, again from the beginning should it fall. Does not end before
/// the orders do.
pub(crate) async fn serve(app: App, mut orders: Orders) {
    loop {
        let mut steps = app.centre.effects();
        let mut hub = Hub {
            app: app.clone(),
            windows: Windows::default(),
            shown: Shown::default(),
            board: Board::default(),
        };
        let run = AssertUnwindSafe(hub.run(&mut orders.0, &mut steps)).catch_unwind();
        if run.await.is_ok() {
            return;
        }
        tracing::error!("the desk's hub fell: desks connect anew");
    }
}

/// The desks that are open here.
#[derive(Default)]
struct Windows(BTreeMap<Key, Session>);

impl Windows {
    /// The desks of an agent.
    fn of(&self, agent: &AgentId) -> impl Iterator<Item = (&Key, &Session)> {
        self.0.range(all_of(agent))
    }

    /// Sends a frame to every desk of an agent that has had its snapshot; answers those to be forgotten, because
    /// they are gone or read too slowly.
    fn send(&self, agent: &AgentId, frame: &Utf8Bytes) -> Vec<Key> {
        let mut gone = Vec::new();
        for (key, s) in self.of(agent).filter(|(_, s)| !s.stale) {
            match s.out.try_send(Out::Frame(frame.clone())) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::info!(agent = %key.0, "a desk reads too slowly");
                    s.slow.store(true, Ordering::Release);
                    gone.push(key.clone());
                }
                Err(mpsc::error::TrySendError::Closed(_)) => gone.push(key.clone()),
            }
        }
        gone
    }
}

struct Hub {
    app: App,
    windows: Windows,
    shown: Shown,
    board: Board,
}

impl Hub {
    async fn run(&mut self, orders: &mut mpsc::Receiver<Order>, steps: &mut Subscription) {
        let mut typing = self.app.typing.subscribe();
        let mut reveals = self.app.reveals.subscribe();
        let mut tick = interval(LISTS_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => return,
                },
                news = steps.next() => match news {
                    Some(news) => self.news(news, steps).await,
                    None => return,
                },
                // What is missed of it is old already.
                Ok(typing) = typing.recv() => self.typing(typing).await,
                Ok(reveal) = reveals.recv() => self.reveal(reveal).await,
                _ = tick.tick() => self.tick().await,
            }
        }
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Join(j) => {
                let agent = j.desk.0.clone();
                self.shown.add(&agent);
                let session = Session {
                    out: j.out,
                    slow: j.slow,
                    lists: Lists::new(j.lists),
                    stale: true,
                };
                self.windows.0.insert(j.desk, session);
                self.snapshot(&agent).await;
            }
            Order::Leave { desk } => self.leave(&desk),
            Order::Watch { desk, what } => {
                if let Some(s) = self.windows.0.get_mut(&desk) {
                    s.lists.watch(what);
                    self.lists(Some(&desk)).await;
                }
            }
            Order::Again { agent } => self.snapshot(&agent).await,
            Order::Suggested {
                item,
                line,
                municipality,
                articles,
            } => {
                let frame = ToDesk::Suggestions {
                    item: item.clone(),
                    line,
                    articles,
                };
                let viewers: Vec<AgentId> = self.shown.viewers(&item).cloned().collect();
                let may = self.app.centre.read(|c| {
                    let there = c
                        .item(&item)
                        .is_some_and(|i| i.municipality == municipality);
                    let may = |a: &AgentId| there && c.may_serve(a, municipality);
                    viewers.into_iter().filter(may).collect::<Vec<_>>()
                });
                let frame = Utf8Bytes::from(text(&frame));
                for agent in may.await.unwrap_or_default() {
                    self.send(&agent, &frame);
                }
            }
        }
    }

    fn leave(&mut self, desk: &Key) {
        if self.windows.0.remove(desk).is_some() && self.windows.of(&desk.0).next().is_none() {
            self.shown.remove(&desk.0);
        }
    }

    async fn news(&mut self, first: News, steps: &mut Subscription) {
        let mut batch: Vec<Arc<Step>> = Vec::new();
        let mut next = Some(first);
        while let Some(news) = next {
            match news {
                News::Step(step) => batch.push(step),
                News::Missed => return self.missed().await,
            }
            if batch.len() >= TOGETHER {
                break;
            }
            next = steps.next().now_or_never().flatten();
        }
        self.steps(&batch).await;
    }

    /// A citizen writes: whoever has the chat is told.
    async fn typing(&mut self, typing: Typing) {
        if typing.by != Typist::Citizen {
            return;
        }
        let chat = self
            .app
            .centre
            .read(|c| Some(c.chat_of(&typing.dialogue)?.id.clone()));
        let Ok(Some(item)) = chat.await else { return };
        let viewers: Vec<AgentId> = self.shown.viewers(&item).cloned().collect();
        let frame = Utf8Bytes::from(text(&ToDesk::Typing { item }));
        for agent in viewers {
            self.send(&agent, &frame);
        }
    }

    /// A citizen lets the owner of a chat see what was hidden: the owner's own desks, and nobody who watches.
    async fn reveal(&mut self, reveal: Reveal) {
        let Reveal {
            item, agent, epoch, ..
        } = &reveal;
        let owns = self.app.centre.read(|c| {
            let item = c.item(item);
            item.is_some_and(|i| i.owner() == Some(agent) && i.epoch == *epoch)
        });
        let open = self.windows.of(agent).any(|(_, s)| !s.stale);
        if !open || !owns.await.unwrap_or(false) {
            return;
        }
        if let Some(said) = reveal.text.as_deref() {
            let (item, said) = (item.clone(), said.to_owned());
            let frame = Utf8Bytes::from(text(&ToDesk::Revealed { item, text: said }));
            self.send(agent, &frame);
        }
        // Who asked may have left.
        let _ = reveal.there.try_send(());
    }

    /// Everybody is shown all anew, and says again that they are there.
    async fn missed(&mut self) {
        self.board.missed();
        for s in self.windows.0.values_mut() {
            s.stale = true;
            // One that has no room is slow, and found out with the next frame.
            let _ = s.out.try_send(Out::SayPresent);
        }
        self.stale().await;
    }

    /// Snapshots for those who wait for one.
    async fn stale(&mut self) {
        let stale = self.windows.0.iter().filter(|(_, s)| s.stale);
        let agents: BTreeSet<AgentId> = stale.map(|(key, _)| key.0.clone()).collect();
        for agent in agents {
            self.snapshot(&agent).await;
        }
    }

    /// A snapshot for every desk of an agent; it comes later when the centre is not ready.
    async fn snapshot(&mut self, agent: &AgentId) {
        let release = Arc::clone(&self.app.snapshot().release);
        let centre = self.app.centre.clone();
        let shown = &mut self.shown;
        let frame = centre.read(|centre| {
            let show = Show {
                centre,
                release: &release,
            };
            shown.snapshot(show, agent)
        });
        let frame = frame.await.ok();
        for (_, s) in self.windows.0.range_mut(all_of(agent)) {
            s.stale = frame.is_none();
        }
        if let Some(frame) = frame {
            self.send(agent, &text(&frame).into());
        }
    }

    async fn steps(&mut self, batch: &[Arc<Step>]) {
        batch.iter().for_each(|s| self.board.heard(s));
        if self.windows.0.is_empty() {
            return;
        }
        let release = Arc::clone(&self.app.snapshot().release);
        let centre = self.app.centre.clone();
        let shown = &mut self.shown;
        let looked = centre.read(|centre| {
            let show = Show {
                centre,
                release: &release,
            };
            let (mut told, mut heard) = (Vec::new(), Vec::new());
            for step in batch {
                shown.follow(show, step, &mut told);
                shown.heard(show, step, &mut heard);
            }
            (told, heard)
        });
        let Ok((told, heard)) = looked.await else {
            // Being folded anew: the centre says so when it is done.
            self.windows.0.values_mut().for_each(|s| s.stale = true);
            return;
        };
        for (agent, frame) in told.into_iter().map(made) {
            self.send(&agent, &frame.into());
        }
        for h in heard {
            self.suggest(h);
        }
        for step in batch {
            if let Command::SignOut { agent } = &step.input.command {
                for (_, s) in self.windows.of(agent) {
                    let _ = s.out.try_send(Out::End);
                }
            }
        }
    }

    fn send(&mut self, agent: &AgentId, frame: &Utf8Bytes) {
        for key in self.windows.send(agent, frame) {
            self.leave(&key);
        }
    }

    async fn tick(&mut self) {
        if self.windows.0.is_empty() {
            return;
        }
        self.stale().await;
        // Steps have said nearly everything: this is for what follows from the time alone.
        let release = Arc::clone(&self.app.snapshot().release);
        let centre = self.app.centre.clone();
        let shown = &mut self.shown;
        let mut told = Vec::new();
        let looked = centre.read(|centre| {
            let show = Show {
                centre,
                release: &release,
            };
            shown.tidy(show, &mut told);
        });
        if looked.await.is_ok() {
            for (agent, frame) in told.into_iter().map(made) {
                self.send(&agent, &frame.into());
            }
        }
        if self.board.is_due() {
            self.lists(None).await;
        }
    }

    /// Brings the lists up to date, of one session or of all.
    async fn lists(&mut self, only: Option<&Key>) {
        let mut sessions: Vec<(&AgentId, &mut Lists)> = self
            .windows
            .0
            .iter_mut()
            .filter(|(key, s)| only.is_none_or(|o| o == *key) && s.lists.watches())
            .map(|(key, s)| (&key.0, &mut s.lists))
            .collect();
        if !sessions.is_empty() {
            self.board.update(&self.app, &mut sessions).await;
        }
    }

    /// Looks for articles beside everything else.
    fn suggest(&self, h: Heard) {
        let app = self.app.clone();
        tokio::spawn(async move {
            let wanted = Wanted {
                municipality: h.municipality,
                lang: h.lang,
                text: h.text,
                question: Some(h.question).filter(|q| !q.is_empty()),
                most: SUGGESTED,
                likely: true,
            };
            let Some(articles) = articles(&app, wanted).await else {
                return;
            };
            let order = Order::Suggested {
                item: h.item,
                line: h.line,
                municipality: h.municipality,
                articles,
            };
            let _ = app.desk.orders.send(order).await;
        });
    }
}

fn all_of(agent: &AgentId) -> RangeInclusive<Key> {
    (agent.clone(), 0)..=(agent.clone(), u64::MAX)
}

/// What makes two agents' queues the same.
pub(super) fn skills_key(profile: &Profile) -> String {
    serde_json::to_string(&(&profile.skills, &profile.team)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
