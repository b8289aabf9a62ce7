//! A citizen's requests, carried out: journalled, answered, sent.

use std::sync::Arc;
use std::time::Duration;

use base::{Lang, Redaction, TurnId, clean, redact};
use contact::{Phone, Reference};
use dialogue::{Input, Outcome, Settled, Turn};
use futures_util::future::try_join_all;
use inference::{Kind, Priority, Vector};
use knowledge::Intent;
use storage::{NewCallback, NewEvent};

use super::dialogue::{Dialogue, State, Written};
use crate::app::App;
use crate::wire::{
    ClientId, Code, Event, MAX_COMMENT, MAX_TEXT, MAX_TOPIC, SourceShown, ToCitizen, text,
};

/// Why a request was not carried out.
pub(crate) struct Refusal {
    pub code: Code,
    pub text: String,
    pub retry_after: Option<Duration>,
}

impl Refusal {
    fn new(code: Code, text: String) -> Self {
        Self {
            code,
            text,
            retry_after: None,
        }
    }
}

/// `None`, or a frame for this connection alone: the event of a repeated client id.
type Done = Result<Option<String>, Refusal>;

/// How long to wait before an encoder that was overloaded is asked again, and how often.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
const AGAIN: usize = 8;

/// Answers a message that was acknowledged before the service stopped and that nobody has answered since.
pub(crate) async fn make_good(app: &App, dialogue: &Arc<Dialogue>, (seq, message): (u64, String)) {
    let Ok(client_id) = ClientId::try_from("service".to_owned()) else {
        return;
    };
    let request = Request {
        app,
        dialogue,
        client_id: &client_id,
    };
    let mut state = dialogue.state.lock().await;
    // Another connection of the same dialogue may have been here first.
    let since = app.journal.load(&dialogue.id, seq, 20).await.ok().flatten();
    if since.is_some_and(|l| {
        l.events
            .iter()
            .any(|e| e.kind == "answer_end" || e.kind == "handover_offer")
    }) {
        return;
    }
    let settled = request.turn(message, &state).await;
    if let Err(r) = request.settle(&mut state, settled).await {
        tracing::error!(dialogue = %dialogue.id, "an unanswered message stays so: {}", r.text);
    }
}

/// One citizen's request within its dialogue.
pub(crate) struct Request<'a> {
    pub app: &'a App,
    pub dialogue: &'a Arc<Dialogue>,
    pub client_id: &'a ClientId,
}

impl Request<'_> {
    fn say(&self, key: &str, lang: Lang, fill: &[(&str, &str)]) -> String {
        self.app.snapshot().release.texts.get(key, lang, fill)
    }

    fn journal(&self, e: &storage::Error, lang: Lang) -> Refusal {
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

    fn limited(&self, state: &mut State) -> Result<(), Refusal> {
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
        } = redact(&cleaned);
        let mut events = vec![Event::Citizen {
            client_id: self.client_id.as_str(),
            text: &message,
            masked: &masked,
        }];
        let notice = self.say("masked_cpr", lang, &[]);
        if !masked.is_empty() {
            events.push(Event::Notice { text: &notice });
        }
        match self.publish(&events, lang).await? {
            Written::Known(event) => return Ok(event),
            Written::New => {}
        }
        let _ = self.dialogue.frames.send(text(&ToCitizen::Typing).into());
        let settled = self.turn(message, &state).await;
        self.settle(&mut state, settled).await?;
        Ok(None)
    }

    /// An article picked by its title.
    pub(crate) async fn choose(&self, article_id: &str) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        let input = self.input(String::new());
        let turn = self.app.turn.load_full();
        let Some(mut settled) = turn.pick(article_id, &input, &state.context) else {
            let shown: String = article_id.chars().take(60).collect();
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
        match self.publish(&[event], lang).await? {
            Written::Known(event) => Ok(event),
            Written::New => {
                self.settle(&mut state, Ok(settled)).await?;
                Ok(None)
            }
        }
    }

    /// A person is asked for by the button.
    pub(crate) async fn human(&self) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        let asked = Event::Citizen {
            client_id: self.client_id.as_str(),
            text: "",
            masked: &[],
        };
        let offer = self.offer(lang);
        match self.publish(&[asked, offer.event()], lang).await? {
            Written::Known(event) => Ok(event),
            Written::New => Ok(None),
        }
    }

    /// A number to be rung back on; acknowledged when it is on disk.
    pub(crate) async fn callback(&self, phone: &str, topic: Option<&str>) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        let phone = Phone::parse(phone)
            .map_err(|_| Refusal::new(Code::BadFrame, self.say("error_phone", lang, &[])))?;
        let topic = topic.map(clean).filter(|t| !t.is_empty());
        if topic
            .as_ref()
            .is_some_and(|t| t.chars().count() > MAX_TOPIC)
        {
            let max = MAX_TOPIC.to_string();
            return Err(Refusal::new(
                Code::TooLarge,
                self.say("error_too_long", lang, &[("max", &max)]),
            ));
        }
        let reference = Reference::random();
        let hours = self
            .app
            .snapshot()
            .release
            .fill("{{kommune.aabningstid}}", self.dialogue.municipality);
        let said = self.say(
            "callback_saved",
            lang,
            &[("reference", reference.as_str()), ("hours", &hours)],
        );
        let json = text(&Event::CallbackSaved {
            client_id: self.client_id.as_str(),
            reference: reference.as_str(),
            text: &said,
            from_ms: None,
            to_ms: None,
        });
        let event = NewEvent {
            kind: "callback_saved".to_owned(),
            json: json.clone(),
            client_id: Some(self.client_id.as_str().to_owned()),
        };
        let callback = NewCallback {
            reference: reference.as_str().to_owned(),
            phone: phone.as_e164().to_owned(),
            topic: topic.map(|t| redact(&t).text),
        };
        let appended = self
            .app
            .journal
            .append_callback(&self.dialogue.id, event, callback, self.app.clock.now())
            .await
            .map_err(|e| self.journal(&e, lang))?;
        match self.dialogue.sent(self.app, appended, &[json]).await {
            Ok(Written::Known(event)) => Ok(event),
            Ok(Written::New) => Ok(None),
            Err(e) => Err(self.journal(&e, lang)),
        }
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
            .map(|c| redact(&clean(c)).text)
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

    async fn publish(&self, events: &[Event<'_>], lang: Lang) -> Result<Written, Refusal> {
        self.dialogue
            .publish(self.app, events, Some(self.client_id.as_str()))
            .await
            .map_err(|e| self.journal(&e, lang))
    }

    fn input(&self, text: String) -> Input {
        Input {
            text,
            municipality: self.dialogue.municipality,
        }
    }

    /// Encodes and decides. The vectors are waited for, the rest is computed beside the async threads, one
    /// turn a core at a time.
    async fn turn(&self, message: String, state: &State) -> Result<Settled, String> {
        let turn: Arc<Turn> = self.app.turn.load_full();
        let begun = turn.begin(self.input(message), &state.context);
        // All at once: a follow-up's readings are one batch.
        let vectors = try_join_all(begun.texts().into_iter().map(|t| self.encode(t))).await?;
        let _core = self.app.cores.acquire().await.map_err(|e| e.to_string())?;
        let context = state.context.clone();
        tokio::task::spawn_blocking(move || begun.finish(&vectors, &context))
            .await
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())
    }

    /// The vector of a text; a full queue is asked again a few times.
    async fn encode(&self, text: String) -> Result<Vector, String> {
        let mut tries = 0;
        loop {
            let asked = self
                .app
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

    /// Journals and sends the end of a turn, and keeps its record.
    async fn settle(
        &self,
        state: &mut State,
        settled: Result<Settled, String>,
    ) -> Result<(), Refusal> {
        let lang = state.context.lang;
        let settled = settled.map_err(|e| {
            tracing::error!(dialogue = %self.dialogue.id, "a turn failed: {e}");
            Refusal::new(Code::Internal, self.say("error_internal", lang, &[]))
        })?;
        let id = TurnId::random();
        let a = &settled.answer;
        let spoken = settled.record.language;
        let offer = a.offer_human.then(|| self.offer(spoken));
        let mut events = Vec::new();
        // Someone who asked for a person gets the offer, not a text about it as well.
        if settled.record.intent != Some(Intent::Human) {
            events.push(Event::AnswerStart {
                turn: id.as_str(),
                outcome: settled.outcome,
                lang: spoken,
                content_lang: a.content_lang,
                dir: a.content_lang.dir(),
                title: a.title.as_deref(),
                notice: a.notice.as_deref(),
            });
            events.extend(parts(&a.text).map(|text| Event::AnswerPart {
                turn: id.as_str(),
                text,
            }));
            events.push(Event::AnswerEnd {
                turn: id.as_str(),
                sources: a
                    .sources
                    .iter()
                    .map(|s| SourceShown {
                        title: &s.title,
                        url: Some(s.source.as_str()).filter(|u| u.starts_with("https://")),
                        article_id: &s.article_id,
                    })
                    .collect(),
                links: &a.links,
                choices: &a.choices,
                offer_human: a.offer_human,
                can_rate: settled.outcome == Outcome::Answered,
            });
        }
        if let Some(offer) = &offer {
            events.push(offer.event());
        }
        self.dialogue
            .publish(self.app, &events, None)
            .await
            .map_err(|e| self.journal(&e, lang))?;
        let record = text(&settled.record);
        let kept = self
            .app
            .journal
            .record_turn(&id, &self.dialogue.id, record, self.app.clock.now())
            .await;
        if let Err(e) = kept {
            // The citizen has the answer; only its explanation is missing.
            tracing::error!(dialogue = %self.dialogue.id, "a turn's record was not kept: {e}");
        }
        state.context = settled.context;
        Ok(())
    }

    fn offer(&self, lang: Lang) -> Offer {
        let release = &self.app.snapshot().release;
        let code = self.dialogue.municipality;
        let open = self.app.open(code);
        let hours = release.fill("{{kommune.aabningstid}}", code);
        let phone = release.fill("{{kommune.telefon}}", code);
        let key = if open {
            "human_offer_open"
        } else {
            "human_offer_closed"
        };
        Offer {
            text: release
                .texts
                .get(key, lang, &[("hours", &hours), ("phone", &phone)]),
            open,
            hours,
            phone,
        }
    }
}

/// An honest offer of a person: when, and how.
struct Offer {
    text: String,
    open: bool,
    hours: String,
    phone: String,
}

impl Offer {
    fn event(&self) -> Event<'_> {
        Event::HandoverOffer {
            text: &self.text,
            open: self.open,
            hours: &self.hours,
            phone: &self.phone,
            queue: false,
            slots: Vec::new(),
        }
    }
}

/// The parts an answer is streamed in: one a section.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut cuts: Vec<usize> = text.match_indices("\n## ").map(|(i, _)| i + 1).collect();
    cuts.insert(0, 0);
    cuts.push(text.len());
    cuts.windows(2)
        .map(|w| &text[w[0]..w[1]])
        .filter(|p| !p.trim().is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    #[test]
    fn parts_join_to_the_whole() {
        for text in ["", "a", "a\n\n## b\nc\n## d", "## a\nb"] {
            let parts: Vec<&str> = super::parts(text).collect();
            assert_eq!(parts.concat(), text);
        }
        assert_eq!(super::parts("a\n## b\n## c").count(), 3);
    }
}
