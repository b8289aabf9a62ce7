//! What citizens are told of what the operator has switched off.

use std::time::Duration;

use base::{Lang, MunicipalityCode, TurnId};
use dialogue::Outcome;

use super::dialogue::State;
use super::people::Standing;
use super::settle::answer;
use super::turn::{Refusal, Request};
use crate::app::App;
use crate::wire::Code;

/// When a page looks again whether a chat that was closed is open.
const LOOK_AFTER: Duration = Duration::from_secs(300);

/// The refusal of whoever comes to a municipality whose chat is closed: who can be rung instead.
pub(super) fn closed(app: &App, code: MunicipalityCode, lang: Lang) -> Refusal {
    let snapshot = app.snapshot();
    let release = &snapshot.release;
    let fill = |slot: &str| release.fill(slot, code);
    let text = release.texts.get(
        "chat_closed",
        lang,
        &[
            ("municipality", &fill("{{kommune.navn}}")),
            ("phone", &fill("{{kommune.telefon}}")),
            ("hours", &fill("{{kommune.aabningstid}}")),
            ("alarm", &fill("{{krise.alarm}}")),
        ],
    );
    Refusal {
        retry_after: Some(LOOK_AFTER),
        ..Refusal::new(Code::Closed, text)
    }
}

impl Request<'_> {
    /// # Errors
    /// The chat of this municipality is closed, and no person has this one or is waited for in it.
    pub(super) async fn not_closed(&self, lang: Lang) -> Result<(), Refusal> {
        let code = self.dialogue.municipality;
        if !self.app.switches.is_closed(code) {
            return Ok(());
        }
        match Standing::of(self.app, self.dialogue).await {
            Standing::Bot => Err(closed(self.app, code, lang)),
            Standing::Waiting(_) | Standing::Person(_) => Ok(()),
        }
    }

    /// Whether the bot says nothing here but help lines.
    pub(super) fn bot_is_off(&self) -> bool {
        let switches = &self.app.switches;
        switches.bot_is_off() || switches.is_closed(self.dialogue.municipality)
    }

    /// Says in place of an answer that the bot is switched off, and who can be asked instead. No turn is recorded:
    /// nothing was answered, and nothing is missing in the knowledge.
    pub(super) async fn say_off(
        &self,
        state: &mut State,
        standing: &Standing,
        spoken: Lang,
    ) -> Result<(), Refusal> {
        // Who waits was told, and whoever comes will read what was written.
        if *standing != Standing::Bot {
            return Ok(());
        }
        let lang = state.context.lang;
        state.context.lang = spoken;
        let turn = TurnId::random();
        let said = self.say("bot_off", spoken, &[]);
        let offer = self.offer(state).await;
        let [start, part, end] = answer(turn.as_str(), Outcome::Handover, spoken, &said);
        self.publish_unkeyed(&[start, part, end, offer.event()], lang)
            .await
    }
}
