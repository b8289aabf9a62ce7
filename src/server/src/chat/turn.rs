//! A citizen's requests, carried out: journalled, answered, sent.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base::{Lang, Masked, Redaction, Rules, TurnId, clean, hides, redact_by};
use dialogue::{Input, Settled, Turn};
use futures_util::future::try_join_all;
use inference::{Kind, Priority, Vector};

use super::dialogue::{Dialogue, State, Written};
use super::offer::Offer;
use super::people::{InLog, Standing, show_wait};
use crate::app::App;
use crate::composer::Plan;
use crate::fair::Flow;
use crate::shed::{self, Load};
use crate::telemetry::{Root, Step, Trace};
use crate::wire::{ClientId, Code, Event, FromCitizen, MAX_COMMENT, MAX_TEXT, ToCitizen};

/// Why a request was not carried out.
pub(crate) struct Refusal {
    pub code: Code,
    pub text: String,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(code: Code, text: String) -> Self {
        Self {
            code,
            text,
            retry_after: None,
        }
    }
}

/// `None`, or a frame for this connection alone: the event of a repeated client id.
pub(crate) type Done = Result<Option<String>, Refusal>;

/// How long to wait before an encoder that was overloaded is asked again, and how often.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
const AGAIN: usize = 8;

/// Answers a message that was acknowledged before the service stopped and that nobody has answered since.
pub(crate) async fn make_good(
    app: &App,
    dialogue: &Arc<Dialogue>,
    flow: &Flow,
    (seq, message): (u64, String),
) {
    let Ok(client_id) = ClientId::try_from("service".to_owned()) else {
        return;
    };
    let request = Request {
        app,
        dialogue,
        flow,
        client_id: &client_id,
        trace: Trace::of(app, Root::Turn, dialogue.municipality),
    };
    let mut state = dialogue.state.lock().await;
    let standing = Standing::of(app, dialogue).await;
    if let Standing::Person(_) = standing {
        return;
    }
    // Another connection of the same dialogue may have been here first.
    let since = app.journal.load(&dialogue.id, seq, 20).await.ok().flatten();
    if since.is_some_and(|l| {
        l.events
            .iter()
            .any(|e| e.kind == "answer_end" || e.kind == "handover_offer")
    }) {
        return;
    }
    // What it hid, if anything, was taken out before it was kept.
    let began = app.clock.monotonic();
    let settled = request.turn(message, true, &mut state).await;
    let settled = request.settle(&mut state, settled, &standing, began);
    if let Err(r) = settled.await {
        tracing::error!(dialogue = %dialogue.id, "an unanswered message stays so: {}", r.text);
    }
}

/// What became of something the citizen sent.
enum Acknowledged {
    /// It was there already, with this event.
    Before(Option<String>),
    /// It is there now; who answers it.
    Now(Standing),
}

/// One citizen's request within its dialogue.
pub(crate) struct Request<'a> {
    pub app: &'a App,
    pub dialogue: &'a Arc<Dialogue>,
    /// Whose place in the line its turns take.
    pub flow: &'a Flow,
    pub client_id: &'a ClientId,
    /// Of what it does, if that is traced.
    pub trace: Trace,
}

/// A trace of what a frame asks for: of messages, and of the wish for a person.
pub(super) fn traced(app: &App, dialogue: &Dialogue, frame: &FromCitizen) -> Trace {
    let root = match frame {
        FromCitizen::Message { .. } | FromCitizen::Choose { .. } => Root::Turn,
        FromCitizen::Queue { .. } => Root::Handover,
        _ => return Trace::default(),
    };
    Trace::of(app, root, dialogue.municipality)
}

impl Request<'_> {
    pub(super) fn say(&self, key: &str, lang: Lang, fill: &[(&str, &str)]) -> String {
        self.app.snapshot().release.texts.get(key, lang, fill)
    }

    /// Without personal numbers; what the municipality publishes itself stays.
    pub(super) fn redacted(&self, text: &str) -> Redaction {
        let published = self
            .app
            .snapshot()
            .release
            .published(self.dialogue.municipality);
        redact_by(text, Rules::except(&published))
    }

    pub(super) fn journal(&self, e: &storage::Error, lang: Lang) -> Refusal {
        match e {
            storage::Error::Overloaded => Refusal {
                retry_after: Some(Duration::from_secs(1)),
                ..Refusal::new(Code::Overloaded, self.say("error_overloaded", lang, &[]))
            },
            e => {
                tracing::error!(dialogue = %self.dialogue.id, "the journal failed: {e}");
                Refusal::new(Code::Internal, self.say("error_internal", lang, &[]))
            }
        }
    }

    pub(super) fn limited(&self, state: &mut State) -> Result<(), Refusal> {
        let lang = state.context.lang;
        state
            .limit
            .take(self.app.clock.monotonic())
            .map_err(|wait| Refusal {
                retry_after: Some(wait),
                ..Refusal::new(Code::RateLimited, self.say("error_rate_limited", lang, &[]))
            })
    }

    /// A message in words.
    pub(crate) async fn message(&self, written: &str) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        self.not_closed(lang).await?;
        let cleaned = clean(written);
        if cleaned.is_empty() {
            return Err(Refusal::new(
                Code::BadFrame,
                self.say("error_empty", lang, &[]),
            ));
        }
        if cleaned.chars().count() > MAX_TEXT {
            let max = MAX_TEXT.to_string();
            return Err(Refusal::new(
                Code::TooLarge,
                self.say("error_too_long", lang, &[("max", &max)]),
            ));
        }
        let Redaction {
            text: message,
            masked,
        } = self.redacted(&cleaned);
        let mut events = vec![Event::Citizen {
            client_id: self.client_id.as_str(),
            text: &message,
            masked: &masked,
        }];
        let notice = self.say("masked_cpr", lang, &[]);
        if masked.contains(&Masked::Cpr) {
            events.push(Event::Notice { text: &notice });
        }
        let standing = match self.acknowledge(&message, &events, lang).await? {
            Acknowledged::Before(event) => {
                self.trace.outcome("repeated");
                return Ok(event);
            }
            Acknowledged::Now(standing) => standing,
        };
        if !masked.is_empty()
            && let Standing::Person(_) = standing
        {
            self.may_reveal(lang).await;
        }
        // Of a person's chat the bot reads only whether help lines are needed; so it does while it is switched off.
        let silent = self.bot_is_off() && standing != Standing::Bot;
        if !silent && !matches!(standing, Standing::Person(_)) {
            self.dialogue.tell(&ToCitizen::Typing);
        }
        let began = self.app.clock.monotonic();
        let settled = self.turn(message, hides(written), &mut state).await;
        self.settle(&mut state, settled, &standing, began).await?;
        Ok(None)
    }

    /// Keeps what the citizen sent, where whoever answers will read it.
    async fn acknowledge(
        &self,
        message: &str,
        events: &[Event<'_>],
        lang: Lang,
    ) -> Result<Acknowledged, Refusal> {
        let standing = Standing::of(self.app, self.dialogue).await;
        if standing == Standing::Bot && self.dialogue.handed.load(Ordering::Relaxed) {
            // Just started: somebody may have this chat, and must not miss what is said.
            let read = self.app.centre.read(|_| ()).await;
            read.map_err(|e| self.centre(&e, lang))?;
        }
        if let Some(item) = standing.item() {
            if let Some(event) = self.known(lang).await? {
                return Ok(Acknowledged::Before(Some(event)));
            }
            if let InLog::Written = self.write(item, message, events, lang).await? {
                return Ok(Acknowledged::Now(standing));
            }
            // It ended meanwhile: the bot has the word again.
        }
        match self.publish(events, lang).await? {
            Written::Known(event) => Ok(Acknowledged::Before(event)),
            Written::New => Ok(Acknowledged::Now(Standing::Bot)),
        }
    }

    /// An article picked by its title.
    pub(crate) async fn choose(&self, article_id: &str) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        self.not_closed(lang).await?;
        let began = self.app.clock.monotonic();
        let input = self.input(String::new());
        let turn = self.app.turn.load_full();
        let Some(mut settled) = turn.pick(article_id, &input, &state.context) else {
            // Whoever sends a number here by mistake need not have it sent back.
            let shown: String = base::redact(article_id).text.chars().take(60).collect();
            return Err(Refusal::new(
                Code::BadFrame,
                format!("article_id: there is no article «{shown}»"),
            ));
        };
        let title = settled.answer.title.clone().unwrap_or_default();
        settled.record.message.clone_from(&title);
        let event = Event::Citizen {
            client_id: self.client_id.as_str(),
            text: &title,
            masked: &[],
        };
        match self.acknowledge(&title, &[event], lang).await? {
            Acknowledged::Before(event) => {
                self.trace.outcome("repeated");
                Ok(event)
            }
            Acknowledged::Now(standing) => {
                self.settle(&mut state, Ok((settled, None)), &standing, began)
                    .await?;
                Ok(None)
            }
        }
    }

    /// A person is asked for by the button.
    pub(crate) async fn human(&self) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        self.not_closed(lang).await?;
        let asked = Event::Citizen {
            client_id: self.client_id.as_str(),
            text: "",
            masked: &[],
        };
        let standing = Standing::of(self.app, self.dialogue).await;
        let offer = match standing {
            Standing::Bot => Some(self.offer(&state).await),
            Standing::Waiting(_) | Standing::Person(_) => None,
        };
        let mut events = vec![asked];
        events.extend(offer.as_ref().map(Offer::event));
        if let Written::Known(event) = self.publish(&events, lang).await? {
            return Ok(event);
        }
        if let Standing::Waiting(_) = standing {
            show_wait(self.app, self.dialogue, true).await;
        }
        Ok(None)
    }

    /// A rating of a turn, or of the dialogue.
    pub(crate) async fn rate(&self, turn: Option<&str>, score: u8, comment: Option<&str>) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        if !(1..=3).contains(&score) {
            return Err(Refusal::new(
                Code::BadFrame,
                format!("score: {score} is not 1, 2 or 3"),
            ));
        }
        if turn.is_some_and(|t| t.parse::<TurnId>().is_err()) {
            return Err(Refusal::new(
                Code::BadFrame,
                "turn: is not the id of a turn".to_owned(),
            ));
        }
        let comment = comment
            .map(|c| self.redacted(&clean(c)).text)
            .filter(|c| !c.is_empty());
        if comment
            .as_ref()
            .is_some_and(|c| c.chars().count() > MAX_COMMENT)
        {
            let max = MAX_COMMENT.to_string();
            return Err(Refusal::new(
                Code::TooLarge,
                self.say("error_too_long", lang, &[("max", &max)]),
            ));
        }
        let event = Event::Rated {
            client_id: self.client_id.as_str(),
            turn,
            score,
            comment: comment.as_deref(),
        };
        match self.publish(&[event], lang).await? {
            Written::Known(event) => Ok(event),
            Written::New => Ok(None),
        }
    }

    pub(super) async fn publish(
        &self,
        events: &[Event<'_>],
        lang: Lang,
    ) -> Result<Written, Refusal> {
        let (asked, key) = (self.trace.now(), Some(self.client_id.as_str()));
        let published = self.dialogue.publish(self.app, events, key).await;
        self.trace.counted(Step::Journal, asked, events.len());
        published.map_err(|e| self.journal(&e, lang))
    }

    /// Events that nothing acknowledges.
    pub(super) async fn publish_unkeyed(
        &self,
        events: &[Event<'_>],
        lang: Lang,
    ) -> Result<(), Refusal> {
        let asked = self.trace.now();
        let published = self.dialogue.publish(self.app, events, None).await;
        self.trace.counted(Step::Journal, asked, events.len());
        published.map(drop).map_err(|e| self.journal(&e, lang))
    }

    fn input(&self, text: String) -> Input {
        Input {
            text,
            municipality: self.dialogue.municipality,
        }
    }

    /// Encodes and decides, a second time where a model could say what was meant.
    async fn turn(
        &self,
        message: String,
        hidden: bool,
        state: &mut State,
    ) -> Result<(Settled, Option<Plan>), String> {
        let in_haste = state.pace.asks(self.app.clock.monotonic());
        let turn: Arc<Turn> = self.app.turn.load_full();
        let input = self.input(message);
        let composer = self.app.composer.get().cloned();
        let code = self.dialogue.municipality;
        let planned = {
            let (turn, composer) = (Arc::clone(&turn), composer.clone());
            move |settled: Settled| {
                let release = &turn.snapshot.release;
                let plan = composer.and_then(|c| c.plan(release, &settled, code, hidden));
                (settled, plan)
            }
        };
        let (settled, plan) = {
            let (app, context) = (Arc::clone(self.app), state.context.clone());
            let trace = self.trace.clone();
            let begun = turn.begin(input.clone(), &context);
            let planned = planned.clone();
            self.at_hand(in_haste, async move {
                let asked = app.clock.monotonic();
                // All at once: a follow-up's readings are one batch.
                let texts = begun.texts();
                let count = texts.len();
                let texts = texts.into_iter().map(|t| encode(&app, t));
                let vectors = try_join_all(texts).await?;
                let encoded = app.clock.monotonic().saturating_sub(asked);
                app.metrics.encoded(encoded);
                trace.counted(Step::Encode, asked, count);
                let finishing = Arc::clone(&app);
                computed(&app, move || {
                    let asked = finishing.clock.monotonic();
                    let settled = begun.finish(&vectors, &context)?;
                    let searched = finishing.clock.monotonic().saturating_sub(asked);
                    finishing.metrics.searched(searched);
                    trace.step(Step::Search, asked);
                    Ok(planned(settled))
                })
                .await
            })
            .await?
        };
        let light = || shed::load(self.app) == Load::Light;
        let model = composer.filter(|_| !self.app.switches.generation_is_off() && light());
        let Some(rewriting) = model.and_then(|c| c.rewrite(&settled, hidden)) else {
            return Ok((settled, plan));
        };
        let asked = self.trace.now();
        let question = rewriting.question().await;
        self.trace.step(Step::Rewrite, asked);
        let Some(question) = question else {
            return Ok((settled, plan));
        };
        let (app, context) = (Arc::clone(self.app), state.context.clone());
        self.at_hand(in_haste, async move {
            let vector = encode(&app, question.clone()).await?;
            computed(&app, move || {
                let settled = turn.reread(&input, &question, &vector, &context, settled)?;
                Ok(planned(settled))
            })
            .await
        })
        .await
    }

    /// Does it when its turn comes, in a task of its own: a connection whose peer does not read stands still in the midst
    /// of whatever it waits for, and must not keep a turn meanwhile.
    async fn at_hand<T: Send + 'static>(
        &self,
        in_haste: bool,
        work: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Result<T, String> {
        let (line, flow) = (Arc::clone(&self.app.line), self.flow.clone());
        let trace = self.trace.clone();
        let task = tokio::spawn(async move {
            let asked = trace.now();
            let _at_hand = line.turn(flow, in_haste).await;
            trace.step(Step::Wait, asked);
            work.await
        });
        task.await.map_err(|e| e.to_string())?
    }
}

/// Computes beside the async threads, one turn a core at a time.
async fn computed<T: Send + 'static>(
    app: &App,
    compute: impl FnOnce() -> Result<T, dialogue::Error> + Send + 'static,
) -> Result<T, String> {
    let _core = app.cores.acquire().await.map_err(|e| e.to_string())?;
    let computed = tokio::task::spawn_blocking(compute);
    let computed = computed.await.map_err(|e| e.to_string())?;
    computed.map_err(|e| e.to_string())
}

/// The vector of a text; a full queue is asked again a few times.
async fn encode(app: &App, text: String) -> Result<Vector, String> {
    let mut tries = 0;
    loop {
        let asked = app
            .encoder
            .encode(Priority::Interactive, Kind::Query, text.clone());
        match asked.await {
            Err(inference::Error::Overloaded) if tries < AGAIN => {
                tries += 1;
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            other => return other.map_err(|e| e.to_string()),
        }
    }
}
