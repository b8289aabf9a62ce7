//! A dialogue that somebody is connected to: its memory, its numbering, and who listens.

use std::sync::Arc;
use std::time::Duration;

use base::{DialogueId, Lang, MunicipalityCode, Secret};
use dialogue::Context;
use serde_json::Value;
use storage::{Appended, NewDialogue, NewEvent};
use tokio::sync::{Mutex, broadcast};

use crate::app::App;
use crate::wire::{self, Event, MESSAGES_PER_MINUTE, Resume};

/// Frames a slow reader may lag behind before it is disconnected; it resumes from the journal.
const LAG: usize = 256;
/// Events read from the journal at once.
const PAGE: u32 = 500;

/// A frame on its way to every connection of a dialogue.
pub(crate) type Frame = Arc<str>;

/// A live dialogue.
pub(crate) struct Dialogue {
    pub id: DialogueId,
    pub municipality: MunicipalityCode,
    pub state: Mutex<State>,
    pub frames: broadcast::Sender<Frame>,
}

/// What changes while it lives. Held for the length of a turn: a dialogue's turns follow one another.
pub(crate) struct State {
    pub context: Context,
    pub limit: Bucket,
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
    let (frames, coming) = broadcast::channel(LAG);
    let dialogue = Arc::new(Dialogue {
        id: id.clone(),
        municipality,
        state: Mutex::new(State {
            context: Context::new(lang),
            limit: Bucket::full(app.clock.monotonic()),
        }),
        frames,
    });
    app.live.lock().await.insert(id, dialogue.clone());
    Ok(Joined {
        dialogue,
        token: token.as_str().to_owned(),
        resumed: false,
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
    let dialogue = {
        let mut live = app.live.lock().await;
        live.entry(id.clone())
            .or_insert_with(|| {
                Arc::new(Dialogue {
                    id: id.clone(),
                    municipality,
                    state: Mutex::new(State {
                        context: Context::new(lang),
                        limit: Bucket::full(app.clock.monotonic()),
                    }),
                    frames: broadcast::channel(LAG).0,
                })
            })
            .clone()
    };
    // Under the dialogue's lock nothing is appended: what is loaded and what comes meet without a gap.
    let mut state = dialogue.state.lock().await;
    let coming = dialogue.frames.subscribe();
    let mut missed = Vec::new();
    let mut context = Context::new(lang);
    let mut unanswered = None;
    let mut after = 0;
    loop {
        let page = app.journal.load(&id, after, PAGE).await?;
        let events = page.map_or_else(Vec::new, |p| p.events);
        for e in &events {
            remember(&mut context, &e.json);
            match e.kind.as_str() {
                "citizen" => unanswered = written(&e.json).map(|t| (e.seq, t)),
                "answer_end" | "handover_offer" => unanswered = None,
                _ => {}
            }
            if e.seq > r.seq {
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
    drop(state);
    Ok(Joined {
        dialogue,
        token: r.token.clone(),
        resumed: true,
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

    /// Tells every connection of appended events, or finds the event of a known client id.
    pub(crate) async fn sent(
        &self,
        app: &App,
        appended: Appended,
        texts: &[String],
    ) -> Result<Written, storage::Error> {
        match appended {
            Appended::Written { seqs } => {
                for (seq, json) in seqs.zip(texts) {
                    // Nobody may be listening any more: the journal has it.
                    let _ = self.frames.send(wire::numbered(json, seq).into());
                }
                Ok(Written::New)
            }
            Appended::Known { seq } => {
                let loaded = app.journal.load(&self.id, seq - 1, 1).await?;
                let event = loaded.and_then(|l| l.events.into_iter().next());
                Ok(Written::Known(
                    event.map(|e| wire::numbered(&e.json, e.seq)),
                ))
            }
        }
    }
}

/// Forgets a dialogue that nobody is connected to.
pub(crate) async fn leave(app: &App, dialogue: Arc<Dialogue>) {
    let mut live = app.live.lock().await;
    if dialogue.frames.receiver_count() == 0 {
        live.remove(&dialogue.id);
    }
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
