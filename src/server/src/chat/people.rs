//! The citizen's way to a person: into the queue, what is said while somebody is there, and out again. What
//! happens is written by folding the contact centre's log, here as at every other node.

use std::sync::Arc;
use std::time::Duration;

use base::{Lang, hex};
use contact::centre::{
    Centre, Command, Handover, Item, ItemId, ItemState, Link, Refusal as No, Sender,
};
use sha2::{Digest, Sha256};

use super::brief;
use super::dialogue::{Dialogue, State};
use super::turn::{Done, Refusal, Request};
use crate::app::App;
use crate::centre::Error;
use crate::telemetry::Step;
use crate::transcript::{Carried, CarriedEvent, Typing, Typist, citizen_message};
use crate::wire::{Code, Event, ToCitizen};

/// How often, and how far apart, the log is told that a citizen is gone.
const TELL_ABSENCE: u32 = 30;
const TELL_AGAIN: Duration = Duration::from_secs(2);

/// Who answers the citizen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Bot,
    /// The bot, while the citizen waits for a person.
    Waiting(ItemId),
    /// A person alone.
    Person(ItemId),
}

impl Standing {
    /// As the centre knows it; while that is starting there is only the bot.
    pub(crate) async fn of(app: &App, dialogue: &Dialogue) -> Self {
        let stands = |i: &Item| match i.state {
            ItemState::Owned { .. } => Self::Person(i.id.clone()),
            _ => Self::Waiting(i.id.clone()),
        };
        let found = app.centre.read(|c| c.chat_of(&dialogue.id).map(stands));
        found.await.ok().flatten().unwrap_or(Self::Bot)
    }

    pub(crate) fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Bot => None,
            Self::Waiting(item) | Self::Person(item) => Some(item),
        }
    }
}

/// What came of something that was to go through the log.
pub(crate) enum InLog {
    Written,
    /// The chat is over, or not the writer's.
    Refused(No),
}

impl Request<'_> {
    /// The answer to a refusal that may be over soon, or not.
    pub(super) fn centre(&self, e: &Error, lang: Lang) -> Refusal {
        if e.passes() {
            return Refusal {
                retry_after: Some(Duration::from_secs(2)),
                ..Refusal::new(Code::Overloaded, self.say("error_overloaded", lang, &[]))
            };
        }
        tracing::error!(dialogue = %self.dialogue.id, "the contact centre failed: {e}");
        Refusal::new(Code::Internal, self.say("error_internal", lang, &[]))
    }

    /// Sends a command, and the events that it writes when it is allowed; they are sent when this returns.
    pub(super) async fn in_log(
        &self,
        command: Command,
        carried: &Carried,
        lang: Lang,
    ) -> Result<InLog, Refusal> {
        let text = Some(carried.text());
        let asked = self.trace.now();
        let sent = self.app.centre.send_with(command, text).await;
        self.trace.step(Step::Centre, asked);
        match sent {
            // Done before, and asked for again; or done, and what came of it is not known.
            Ok(_) | Err(Error::Unknown | Error::Refused(No::Duplicate)) => {}
            Err(Error::Refused(why)) => return Ok(InLog::Refused(why)),
            Err(e) => return Err(self.centre(&e, lang)),
        }
        let sent = self.dialogue.catch_up(self.app).await;
        sent.map_err(|e| self.journal(&e, lang))?;
        Ok(InLog::Written)
    }

    pub(super) fn carried(&self, events: &[Event<'_>]) -> Carried {
        let key = |n: usize| (n == 0).then(|| self.client_id.as_str());
        let events = events.iter().enumerate();
        let events = events.map(|(n, e)| CarriedEvent::of(e, key(n)));
        Carried::new(self.dialogue.id.clone(), events.collect())
    }

    /// A message of the citizen's to whoever has the chat, or will; redacted.
    pub(super) async fn write(
        &self,
        item: &ItemId,
        message: &str,
        events: &[Event<'_>],
        lang: Lang,
    ) -> Result<InLog, Refusal> {
        let command = Command::Message {
            item: item.clone(),
            message: citizen_message(self.client_id.as_str()),
            from: Sender::Citizen,
            text: message.into(),
        };
        self.in_log(command, &self.carried(events), lang).await
    }

    /// The citizen wants the person that was offered.
    pub(crate) async fn queue(&self) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        self.not_closed(lang).await?;
        if let Some(event) = self.known(lang).await? {
            self.trace.outcome("repeated");
            return Ok(Some(event));
        }
        let text = self.say("queued", lang, &[]);
        let queued = Event::Queued {
            client_id: self.client_id.as_str(),
            text: &text,
        };
        let carried = self.carried(&[queued]).with_copy(&self.app.journal).await;
        let carried = carried.map_err(|e| self.journal(&e, lang))?;
        let command = Command::Request {
            handover: Box::new(self.handover(&state).await?),
            link: Some(link(self.app, self.dialogue)),
            asked_at: self.app.clock.now().into(),
        };
        match self.in_log(command, &carried, lang).await? {
            InLog::Written => {}
            // Another of the citizen's pages asked first.
            InLog::Refused(No::AlreadyOpen(_)) => {
                let queued = Event::Queued {
                    client_id: self.client_id.as_str(),
                    text: &text,
                };
                self.publish(&[queued], lang).await?;
            }
            InLog::Refused(why) => {
                tracing::debug!(dialogue = %self.dialogue.id, "no place in the queue: {why}");
                let mut offer = self.offer(&state).await;
                offer.no_queue();
                self.publish_unkeyed(&[offer.event()], lang).await?;
                let text = self.say("error_no_queue", lang, &[]);
                return Err(Refusal::new(Code::NotPossible, text));
            }
        }
        self.trace.outcome("queued");
        show_wait(self.app, self.dialogue, true).await;
        Ok(None)
    }

    async fn handover(&self, state: &State) -> Result<Handover, Refusal> {
        let made = brief::of(self.app, self.dialogue, &state.context).await;
        let made = made.map_err(|e| self.journal(&e, state.context.lang))?;
        Ok(Handover {
            item: self.item_id(),
            dialogue: self.dialogue.id.clone(),
            municipality: self.dialogue.municipality,
            area: made.area,
            language: state.context.lang,
            audience: made.audience,
            class: made.class,
            brief: made.brief,
        })
    }

    /// The same each time the citizen asks under the same client id, so that it is done once.
    pub(super) fn item_id(&self) -> ItemId {
        let digest = Sha256::digest(self.client_id.as_str().as_bytes());
        let id = format!("{}-{}", self.dialogue.id, hex(&digest[..6]));
        id.parse().expect("letters, digits and - are an id")
    }

    /// The citizen goes on with the bot.
    pub(crate) async fn leave(&self) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        if let Some(event) = self.known(lang).await? {
            return Ok(Some(event));
        }
        let standing = Standing::of(self.app, self.dialogue).await;
        let (outcome, key, can_rate) = match standing {
            Standing::Person(_) => ("left", "handover_ended_left", true),
            _ => ("abandoned", "handover_ended_abandoned", false),
        };
        let text = self.say(key, lang, &[]);
        let ended = || Event::HandoverEnded {
            client_id: Some(self.client_id.as_str()),
            outcome,
            text: &text,
            can_rate,
        };
        if let Some(item) = standing.item() {
            let item = item.clone();
            let carried = self.carried(&[ended()]);
            let left = self.in_log(Command::Leave { item }, &carried, lang).await?;
            if matches!(left, InLog::Written) {
                return Ok(None);
            }
        }
        // There was nothing to leave any more.
        self.publish(&[ended()], lang).await?;
        Ok(None)
    }

    /// The event of this client id, when it was carried out before.
    pub(super) async fn known(&self, lang: Lang) -> Result<Option<String>, Refusal> {
        let known = self.dialogue.known(self.app, self.client_id.as_str()).await;
        known.map_err(|e| self.journal(&e, lang))
    }
}

fn link(app: &App, dialogue: &Dialogue) -> Link {
    Link {
        node: app.centre.node().clone(),
        connection: dialogue.link.clone(),
    }
}

/// The dialogues of which something holds at the centre, and the others, by one look at it; all are others while
/// it is starting.
pub(super) async fn sort(
    app: &App,
    dialogues: Vec<Arc<Dialogue>>,
    holds: fn(&Centre, &Dialogue) -> bool,
) -> (Vec<Arc<Dialogue>>, Vec<Arc<Dialogue>>) {
    let mut these = Vec::new();
    let mut others = dialogues;
    let look = app.centre.read(|c| {
        let (yes, no) = others.drain(..).partition(|d| holds(c, d));
        (these, others) = (yes, no);
    });
    // Not ready: nothing was sorted.
    let _ = look.await;
    (these, others)
}

/// The citizen waits for a person.
pub(super) fn waits(centre: &Centre, dialogue: &Dialogue) -> bool {
    let item = centre.chat_of(&dialogue.id);
    item.is_some_and(|i| !matches!(i.state, ItemState::Owned { .. }))
}

/// The citizen waits or talks, and the centre does not know of this node's connection.
pub(super) fn unknown(centre: &Centre, dialogue: &Dialogue) -> bool {
    let item = centre.chat_of(&dialogue.id);
    item.is_some_and(|i| !i.links.contains_key(&dialogue.link))
}

/// Tells the centre that a citizen who waits or talks is here, unless it knows.
pub(crate) async fn present(app: &App, dialogue: &Dialogue) {
    let look = app.centre.read(|c| {
        let item = c.chat_of(&dialogue.id)?;
        unknown(c, dialogue).then(|| item.id.clone())
    });
    if let Ok(Some(item)) = look.await {
        let link = link(app, dialogue);
        let sent = app
            .centre
            .send(Command::CitizenPresent { item, link })
            .await;
        if let Err(e) = sent {
            tracing::debug!(dialogue = %dialogue.id, "a citizen's return was not noted: {e}");
        }
    }
}

/// Tells the centre that the last of a citizen's pages is closed: its grace decides what becomes of the place.
pub(crate) async fn absent(app: &App, dialogue: &Dialogue) {
    let look = app.centre.read(|c| {
        let item = c.chat_of(&dialogue.id)?;
        let known = item.links.contains_key(&dialogue.link);
        known.then(|| item.id.clone())
    });
    let Ok(Some(item)) = look.await else {
        return;
    };
    // One that is never told keeps a place that nobody comes back to.
    for _ in 0..TELL_ABSENCE {
        let (item, connection) = (item.clone(), dialogue.link.clone());
        let gone = Command::CitizenAbsent { item, connection };
        match app.centre.send(gone).await {
            Err(e) if e.passes() => tokio::time::sleep(TELL_AGAIN).await,
            _ => return,
        }
    }
    tracing::warn!(dialogue = %dialogue.id, "a citizen's absence was not noted");
}

/// Tells the desk that the citizen writes, when a person is there to read it.
pub(crate) async fn typing(app: &App, dialogue: &Dialogue) {
    if let Standing::Person(_) = Standing::of(app, dialogue).await {
        let dialogue = dialogue.id.clone();
        let by = Typist::Citizen;
        // Nobody may listen.
        let _ = app.typing.send(Typing { dialogue, by });
    }
}

/// A place in the queue, as far as it is shown.
struct Place {
    position: u64,
    band: Option<(u32, u32)>,
    held: bool,
    offered: bool,
    lang: Lang,
}

/// The `wait` frame of a citizen who waits; None for others.
pub(crate) async fn wait_frame(app: &App, dialogue: &Dialogue) -> Option<String> {
    let look = app.centre.read(|c| {
        let item = c.chat_of(&dialogue.id)?;
        let offered = matches!(item.state, ItemState::Offered { .. });
        let wait = c.wait_of(&item.id);
        (offered || wait.is_some()).then(|| Place {
            position: wait.map_or(1, |w| w.position),
            band: wait.and_then(|w| w.band).map(|b| (b.low_min, b.high_min)),
            held: wait.is_some_and(|w| w.held),
            offered,
            lang: item.language,
        })
    });
    let p = look.await.ok().flatten()?;
    let key = match p.band {
        _ if p.offered => "wait_offered",
        _ if p.held => "wait_held",
        None => "wait_unknown",
        Some((0, _)) => "wait_short",
        Some(_) => "wait",
    };
    let (low, high) = p.band.unwrap_or_default();
    let fill = [p.position, low.into(), high.into()].map(|n: u64| n.to_string());
    let [position, low, high] = fill.each_ref().map(String::as_str);
    let fill = [("position", position), ("low", low), ("high", high)];
    let snapshot = app.snapshot();
    let text = snapshot.release.texts.get(key, p.lang, &fill);
    let band = p.band.filter(|_| !p.held && !p.offered);
    Some(crate::wire::text(&ToCitizen::Wait {
        position: p.position,
        low_min: band.map(|b| b.0),
        high_min: band.map(|b| b.1),
        held: p.held,
        text: &text,
    }))
}

/// Shows a waiting citizen the place, when it changed or `always`.
pub(crate) async fn show_wait(app: &App, dialogue: &Arc<Dialogue>, always: bool) {
    let frame = wait_frame(app, dialogue).await;
    let mut shown = dialogue.wait.lock().await;
    if let Some(frame) = &frame
        && (always || *shown != Some(frame.clone()))
    {
        dialogue.tell_text(frame);
    }
    *shown = frame;
}
