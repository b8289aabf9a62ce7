//! A dialogue that somebody is connected to: its memory, its numbering, and who listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::{DialogueId, Lang, MunicipalityCode, Secret};
use contact::centre::ConnectionId;
use dialogue::Context;
use serde_json::Value;
use storage::{Appended, NewDialogue, NewEvent};
use tokio::sync::{Mutex, broadcast};

use crate::app::App;
use crate::fair::Pace;
use crate::wire::{self, Event, MESSAGES_PER_MINUTE, Resume};

/// Frames a slow reader may lag behind before it is disconnected; it resumes from the journal.
/// Each takes some 50 bytes of every dialogue that is open.
const LAG: usize = 64;
/// Events read from the journal at once.
const PAGE: u32 = 500;

/// A frame on its way to every connection of a dialogue.
#[derive(Clone)]
pub(crate) struct Frame {
    /// The event's number; 0 when it is none.
    pub seq: u64,
    pub text: Arc<str>,
}

/// A live dialogue.
pub(crate) struct Dialogue {
    pub id: DialogueId,
    pub municipality: MunicipalityCode,
    /// What the contact centre knows its connections at this node by, all together.
    pub link: ConnectionId,
    pub state: Mutex<State>,
    pub frames: broadcast::Sender<Frame>,
    /// The number of the event to be sent next; 0 before it is known. Events come from here and from the contact
    /// centre's log, and are sent in the order of the journal: whoever holds this may send.
    next: Mutex<u64>,
    /// When it was loaded, a person had it or was asked for: what holds until the contact centre is read.
    pub handed: AtomicBool,
    /// The place in the queue as it was last shown.
    pub wait: Mutex<Option<String>>,
}

/// What changes while it lives. Held for the length of a turn: a dialogue's turns follow one another.
pub(crate) struct State {
    pub context: Context,
    pub limit: Bucket,
    pub pace: Pace,
}

/// A token bucket: so many at once, and so many a minute.
pub(crate) struct Bucket {
    tokens: f64,
    filled: Duration,
}

const BURST: f64 = MESSAGES_PER_MINUTE as f64;

impl Bucket {
    pub(crate) fn full(now: Duration) -> Self {
        Self {
            tokens: BURST,
            filled: now,
        }
    }

    /// Takes one; otherwise says how long until there is one.
    pub(crate) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let rate = f64::from(MESSAGES_PER_MINUTE) / 60.0;
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(BURST);
        self.filled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / rate))
    }
}

/// A dialogue joined by a connection: what it missed, and what comes.
pub(crate) struct Joined {
    pub dialogue: Arc<Dialogue>,
    pub token: String,
    pub resumed: bool,
    /// All events are in `missed`, whatever the client had seen.
    pub replay: bool,
    pub newest: u64,
    pub lang: Lang,
    pub missed: Vec<String>,
    /// A message that was acknowledged and never answered: the service stopped in between.
    pub unanswered: Option<(u64, String)>,
    pub coming: broadcast::Receiver<Frame>,
}

/// Why a dialogue could not be joined.
pub(crate) enum JoinError {
    Unknown,
    Journal(storage::Error),
}

impl From<storage::Error> for JoinError {
    fn from(e: storage::Error) -> Self {
        Self::Journal(e)
    }
}

/// Begins a dialogue: it is on disk when this returns.
pub(crate) async fn begin(
    app: &App,
    municipality: MunicipalityCode,
    lang: Lang,
) -> Result<Joined, JoinError> {
    let (id, token) = (DialogueId::random(), Secret::random());
    app.journal
        .create(NewDialogue {
            id: id.clone(),
            token: &token,
            municipality,
            lang,
            at: app.clock.now(),
        })
        .await?;
    let dialogue = Arc::new(Dialogue::new(app, id.clone(), municipality, lang, 1));
    let coming = dialogue.frames.subscribe();
    app.live.lock().await.insert(id, dialogue.clone());
    Ok(Joined {
        dialogue,
        token: token.as_str().to_owned(),
        resumed: false,
        replay: false,
        newest: 0,
        lang,
        missed: Vec::new(),
        unanswered: None,
        coming,
    })
}

/// Goes on with a dialogue of the same municipality, from whatever the client has not seen.
pub(crate) async fn resume(
    app: &App,
    municipality: MunicipalityCode,
    lang: Lang,
    r: &Resume,
) -> Result<Joined, JoinError> {
    let id: DialogueId = r.dialogue.parse().map_err(|_| JoinError::Unknown)?;
    let loaded = app
        .journal
        .load(&id, 0, 0)
        .await?
        .ok_or(JoinError::Unknown)?;
    let meta = loaded.meta;
    if !meta.owned_by(&r.token) || meta.municipality != municipality || meta.ended.is_some() {
        return Err(JoinError::Unknown);
    }
    let (dialogue, coming) = {
        let mut live = app.live.lock().await;
        let dialogue = live.entry(id.clone()).or_insert_with(|| {
            let id = id.clone();
            Arc::new(Dialogue::new(app, id, municipality, lang, 0))
        });
        // Before the lock is given back: from now on it is not forgotten.
        (dialogue.clone(), dialogue.frames.subscribe())
    };
    let mut state = dialogue.state.lock().await;
    // Meanwhile nothing is sent: what is loaded and what comes meet without a gap. What is in both is passed over
    // by its number.
    let mut next = dialogue.next.lock().await;
    let replay = r.stream.as_ref().is_some_and(|s| *s != app.stream);
    let seen = if replay { 0 } else { r.seq };
    let mut missed = Vec::new();
    let mut context = Context::new(lang);
    let mut unanswered = None;
    let (mut owned, mut handed) = (false, false);
    let mut after = 0;
    loop {
        let page = app.journal.load(&id, after, PAGE).await?;
        let events = page.map_or_else(Vec::new, |p| p.events);
        for e in &events {
            remember(&mut context, &e.json);
            match e.kind.as_str() {
                // A person answers those.
                "citizen" if owned => {}
                "citizen" => unanswered = written(&e.json).map(|t| (e.seq, t)),
                "answer_end" | "handover_offer" => unanswered = None,
                "queued" => handed = true,
                "agent_joined" => (owned, handed, unanswered) = (true, true, None),
                "agent_left" => owned = false,
                "handover_ended" => (owned, handed) = (false, false),
                _ => {}
            }
            if e.seq > seen {
                missed.push(wire::numbered(&e.json, e.seq));
            }
            after = e.seq;
        }
        if events.len() < PAGE as usize {
            break;
        }
    }
    if state.context.article.is_none() {
        let spoken = state.context.lang;
        state.context = Context {
            lang: if context.article.is_some() {
                context.lang
            } else {
                spoken
            },
            ..context
        };
    }
    if *next == 0 {
        *next = after + 1;
        dialogue.handed.store(handed, Ordering::Relaxed);
    }
    drop(next);
    drop(state);
    Ok(Joined {
        dialogue,
        token: r.token.clone(),
        resumed: true,
        replay,
        newest: after,
        lang,
        missed,
        unanswered,
        coming,
    })
}

/// The text of a `citizen` event, when there is any.
fn written(json: &str) -> Option<String> {
    let v: Value = serde_json::from_str(json).ok()?;
    let text = v.get("text")?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Rebuilds the memory of a dialogue from its events.
fn remember(context: &mut Context, json: &str) {
    let Ok(v) = serde_json::from_str::<Value>(json) else {
        return;
    };
    let text = |key: &str| v.get(key).and_then(Value::as_str);
    match text("type") {
        Some("citizen") => {
            if let Some(t) = written(json) {
                context.question = Some(t);
            }
        }
        Some("answer_start") => {
            if let Some(lang) = text("lang").and_then(|l| l.parse().ok()) {
                context.lang = lang;
            }
        }
        Some("answer_end") => {
            let id = v.pointer("/sources/0/article_id").and_then(Value::as_str);
            if let Some(id) = id {
                context.article = Some(id.to_owned());
            }
        }
        _ => {}
    }
}

/// What became of events that were written under a client id.
pub(crate) enum Written {
    New,
    /// The client id was known: this is its first event.
    Known(Option<String>),
}

impl Dialogue {
    /// Journals events and sends them to every connection once they are on disk. `client_id` makes the
    /// first of them idempotent.
    ///
    /// # Errors
    /// What the journal says; nothing was sent then.
    pub(crate) async fn publish(
        &self,
        app: &App,
        events: &[Event<'_>],
        client_id: Option<&str>,
    ) -> Result<Written, storage::Error> {
        let new: Vec<NewEvent> = events
            .iter()
            .enumerate()
            .map(|(i, e)| NewEvent {
                kind: e.kind().to_owned(),
                json: wire::text(e),
                client_id: client_id.filter(|_| i == 0).map(str::to_owned),
            })
            .collect();
        let texts: Vec<String> = new.iter().map(|e| e.json.clone()).collect();
        let appended = app.journal.append(&self.id, new, app.clock.now()).await?;
        self.sent(app, appended, &texts).await
    }

    fn new(
        app: &App,
        id: DialogueId,
        municipality: MunicipalityCode,
        lang: Lang,
        next: u64,
    ) -> Self {
        // Another each time it comes alive: a goodbye that is late takes nobody else's place away.
        let link = format!("c-{}", DialogueId::random());
        Self {
            id,
            municipality,
            link: link.parse().expect("letters and digits are an id"),
            state: Mutex::new(State {
                context: Context::new(lang),
                limit: Bucket::full(app.clock.monotonic()),
                pace: Pace::default(),
            }),
            frames: broadcast::channel(LAG).0,
            next: Mutex::new(next),
            handed: AtomicBool::new(false),
            wait: Mutex::new(None),
        }
    }

    /// Tells every connection something that is no event.
    pub(crate) fn tell(&self, frame: &wire::ToCitizen<'_>) {
        self.tell_text(&wire::text(frame));
    }

    pub(crate) fn tell_text(&self, frame: &str) {
        let text = frame.into();
        // Nobody may be listening any more.
        let _ = self.frames.send(Frame { seq: 0, text });
    }

    /// Sends what is in the journal and was not sent yet.
    ///
    /// # Errors
    /// What the journal says; what was not sent then is sent the next time.
    pub(crate) async fn catch_up(&self, app: &App) -> Result<(), storage::Error> {
        let mut next = self.next.lock().await;
        self.catch_up_from(app, &mut next).await
    }

    async fn catch_up_from(&self, app: &App, next: &mut u64) -> Result<(), storage::Error> {
        // Before it is known where to begin nobody has been told anything: it will be loaded.
        while *next > 0 {
            let page = app.journal.load(&self.id, *next - 1, PAGE).await?;
            let events = page.map_or_else(Vec::new, |p| p.events);
            for e in &events {
                self.send(e.seq, &e.json);
                *next = e.seq + 1;
            }
            if events.len() < PAGE as usize {
                break;
            }
        }
        Ok(())
    }

    fn send(&self, seq: u64, json: &str) {
        let text = wire::numbered(json, seq).into();
        // Nobody may be listening any more: the journal has it.
        let _ = self.frames.send(Frame { seq, text });
    }

    /// The event of a client id, when there is one.
    ///
    /// # Errors
    /// What the journal says.
    pub(crate) async fn known(
        &self,
        app: &App,
        client_id: &str,
    ) -> Result<Option<String>, storage::Error> {
        match app.journal.find_client_id(&self.id, client_id).await? {
            Some(seq) => self.event(app, seq).await,
            None => Ok(None),
        }
    }

    async fn event(&self, app: &App, seq: u64) -> Result<Option<String>, storage::Error> {
        let loaded = app.journal.load(&self.id, seq - 1, 1).await?;
        let event = loaded.and_then(|l| l.events.into_iter().next());
        Ok(event.map(|e| wire::numbered(&e.json, e.seq)))
    }

    /// Tells every connection of appended events, or finds the event of a known client id.
    pub(crate) async fn sent(
        &self,
        app: &App,
        appended: Appended,
        texts: &[String],
    ) -> Result<Written, storage::Error> {
        match appended {
            Appended::Written { seqs } => {
                let mut next = self.next.lock().await;
                if *next == seqs.start {
                    *next = seqs.end;
                    for (seq, json) in seqs.zip(texts) {
                        self.send(seq, json);
                    }
                } else if *next < seqs.end {
                    self.catch_up_from(app, &mut next).await?;
                }
                Ok(Written::New)
            }
            Appended::Known { seq } => Ok(Written::Known(self.event(app, seq).await?)),
        }
    }
}

/// Forgets a dialogue that nobody is connected to; whether it was.
pub(crate) async fn leave(app: &App, dialogue: &Dialogue) -> bool {
    let mut live = app.live.lock().await;
    let last = dialogue.frames.receiver_count() == 0;
    if last {
        live.remove(&dialogue.id);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let at = Duration::from_secs;
        let mut b = Bucket::full(at(0));
        for _ in 0..MESSAGES_PER_MINUTE {
            assert!(b.take(at(0)).is_ok());
        }
        let wait = b.take(at(0)).unwrap_err();
        assert!((wait.as_secs_f64() - 3.0).abs() < 0.01, "{wait:?}");
        assert!(b.take(at(4)).is_ok());
        assert!(b.take(at(4)).is_err());
    }

    #[test]
    fn memory_is_rebuilt_from_events() {
        let mut c = Context::default();
        for json in [
            r#"{"type":"citizen","client_id":"a","text":"як поновити паспорт","masked":[]}"#,
            r#"{"type":"answer_start","turn":"t","outcome":"answered","lang":"uk"}"#,
            r#"{"type":"answer_end","turn":"t","sources":[{"title":"x","article_id":"pas-forny"}]}"#,
            "broken",
        ] {
            remember(&mut c, json);
        }
        assert_eq!(c.lang, Lang::Uk);
        assert_eq!(c.article.as_deref(), Some("pas-forny"));
        assert_eq!(c.question.as_deref(), Some("як поновити паспорт"));
    }
}
