//! A number to be rung back on: for a promised time where the centre can promise one, else whenever somebody can.

use base::{Lang, clean};
use contact::centre::{
    Audience, CallbackRequest, Class, Command, ItemId, ItemState, Moment, Refusal as No,
};
use contact::{Phone, Reference};
use storage::{NewCallback, NewEvent};

use super::dialogue::{State, Written};
use super::people::{InLog, Standing};
use super::turn::{Done, Refusal, Request};
use crate::transcript::slot_text;
use crate::wire::{Code, Event, MAX_TOPIC, text};

/// What the citizen left, found to be right.
struct Wish {
    reference: Reference,
    phone: Phone,
    /// Redacted.
    topic: Option<String>,
}

impl Request<'_> {
    /// Acknowledged when it is on disk; with a slot, when it is promised.
    pub(crate) async fn callback(
        &self,
        phone: &str,
        topic: Option<&str>,
        slot: Option<i64>,
    ) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        self.not_closed(lang).await?;
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
        let wish = Wish {
            reference: Reference::random(),
            phone,
            topic: topic.map(|t| self.redacted(&t).text),
        };
        match slot {
            Some(from) => self.promise(wish, Moment::from_ms(from), &state).await,
            None => self.leave_number(wish, lang).await,
        }
    }

    /// A number without a time.
    async fn leave_number(&self, wish: Wish, lang: Lang) -> Done {
        let reference = wish.reference.as_str();
        let code = self.dialogue.municipality;
        let snapshot = self.app.snapshot();
        let hours = snapshot.release.fill("{{kommune.aabningstid}}", code);
        let said = self.say(
            "callback_saved",
            lang,
            &[("reference", reference), ("hours", &hours)],
        );
        let json = text(&Event::CallbackSaved {
            client_id: self.client_id.as_str(),
            reference,
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
            reference: reference.to_owned(),
            phone: wish.phone.as_e164().to_owned(),
            topic: wish.topic,
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

    /// A call at a time; in place of a place in the queue, when there is one.
    async fn promise(&self, wish: Wish, from: Moment, state: &State) -> Done {
        let lang = state.context.lang;
        if let Some(event) = self.known(lang).await? {
            return Ok(Some(event));
        }
        let to = self.app.centre.read(|c| c.slot_end(from)).await;
        let to = to.map_err(|e| self.centre(&e, lang))?;
        let reference = wish.reference.as_str().to_owned();
        let say = |key: &str, lang: Lang, fill: &[(&str, &str)]| self.say(key, lang, fill);
        let slot = slot_text(&say, lang, from, to);
        let said = self.say(
            "callback_promised",
            lang,
            &[("slot", &slot), ("reference", &reference)],
        );
        let saved = Event::CallbackSaved {
            client_id: self.client_id.as_str(),
            reference: &reference,
            text: &said,
            from_ms: Some(from.as_ms()),
            to_ms: Some(to.as_ms()),
        };
        let carried = self.carried(&[saved]).with_copy(&self.app.journal).await;
        let carried = carried.map_err(|e| self.journal(&e, lang))?;
        let promise = CallbackRequest {
            reference: wish.reference,
            phone: wish.phone,
            topic: wish.topic.map(Into::into),
            from,
        };
        let command = match self.waits().await {
            Some(item) => Command::ConvertToCallback { item, promise },
            None => Command::RequestCallback {
                item: self.item_id(),
                dialogue: self.dialogue.id.clone(),
                municipality: self.dialogue.municipality,
                area: self.area(state),
                language: lang,
                audience: Audience::Citizen,
                class: Class::Normal,
                promise,
            },
        };
        let key = match self.in_log(command, &carried, lang).await? {
            InLog::Written => return Ok(None),
            InLog::Refused(No::AlreadyOpen(_)) => "error_callback_exists",
            InLog::Refused(_) => {
                // What can be chosen now.
                let offer = self.offer(state).await;
                self.publish_unkeyed(&[offer.event()], lang).await?;
                "error_slot"
            }
        };
        Err(Refusal::new(Code::NotPossible, self.say(key, lang, &[])))
    }

    /// The place in the queue that nobody owns yet.
    async fn waits(&self) -> Option<ItemId> {
        match Standing::of(self.app, self.dialogue).await {
            Standing::Waiting(item) => Some(item),
            Standing::Bot | Standing::Person(_) => None,
        }
    }

    /// The citizen wants no call any more.
    pub(crate) async fn cancel_callback(&self, reference: &str) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        if let Some(event) = self.known(lang).await? {
            return Ok(Some(event));
        }
        let gone = || {
            Refusal::new(
                Code::NotPossible,
                self.say("error_callback_gone", lang, &[]),
            )
        };
        let reference: Reference = reference.parse().map_err(|_| gone())?;
        let said = self.say(
            "callback_cancelled",
            lang,
            &[("reference", reference.as_str())],
        );
        let cancelled = Event::CallbackCancelled {
            client_id: Some(self.client_id.as_str()),
            reference: reference.as_str(),
            text: &said,
        };
        let found = self.app.centre.read(|c| {
            let item = c.callback_of(&self.dialogue.id)?;
            let promised = item.callback.as_ref()?;
            let open = !matches!(item.state, ItemState::Closed { .. });
            (open && promised.reference == reference).then(|| item.id.clone())
        });
        let found = found.await.map_err(|e| self.centre(&e, lang))?;
        if let Some(item) = found {
            let carried = self.carried(&[cancelled]);
            let command = Command::CancelCallback { item };
            return match self.in_log(command, &carried, lang).await? {
                InLog::Written => Ok(None),
                InLog::Refused(_) => Err(gone()),
            };
        }
        // A number that was left without a time.
        let json = text(&cancelled);
        let event = NewEvent {
            kind: "callback_cancelled".to_owned(),
            json: json.clone(),
            client_id: Some(self.client_id.as_str().to_owned()),
        };
        let (journal, now) = (&self.app.journal, self.app.clock.now());
        let done = journal.cancel_callback(&self.dialogue.id, reference.as_str(), event, now);
        let Some(appended) = done.await.map_err(|e| self.journal(&e, lang))? else {
            return Err(gone());
        };
        match self.dialogue.sent(self.app, appended, &[json]).await {
            Ok(Written::Known(event)) => Ok(event),
            Ok(Written::New) => Ok(None),
            Err(e) => Err(self.journal(&e, lang)),
        }
    }
}
