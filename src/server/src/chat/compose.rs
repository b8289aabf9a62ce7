//! An answer in other words than the approved ones, shown sentence by sentence as the gate lets them through.

use base::{Lang, TurnId};
use composition::{Composition, Mode, Part, shorten};
use dialogue::Settled;
use tokio::time::timeout;

use super::people::Standing;
use super::turn::{Refusal, Request};
use crate::composer::{Plan, Writing};
use crate::shed::{self, Load};
use crate::telemetry::Step;
use crate::wire::Event;

/// What the citizen has been shown of it.
pub(super) enum Shown {
    /// Nothing: the approved text is to be shown.
    Nothing,
    /// Nothing yet: this is to be shown, of the approved text.
    Short(String),
    /// Everything but the end.
    Written,
}

impl Request<'_> {
    /// Says the answer as planned, as far as that is safe.
    pub(super) async fn compose(
        &self,
        turn: &TurnId,
        settled: &Settled,
        plan: &Plan,
    ) -> Result<(Shown, Composition), Refusal> {
        let mut composition = Composition {
            mode: plan.mode,
            ..Composition::default()
        };
        let composer = self.app.composer.get();
        let began = self.app.clock.monotonic();
        let done = match (plan.mode, plan.doubt, composer) {
            _ if self.app.switches.generation_is_off() => {
                composition.fell_back = Some("switched off".to_owned());
                Ok((Shown::Nothing, composition))
            }
            (Mode::Shortened, ..) => {
                let short = shorten(&plan.material);
                if short.is_none() {
                    composition.fell_back = Some("hardly shorter".to_owned());
                }
                Ok((short.map_or(Shown::Nothing, Shown::Short), composition))
            }
            (Mode::Generated, None, Some(_)) if shed::load(self.app) > Load::Light => {
                composition.fell_back = Some("the machine is busy".to_owned());
                Ok((Shown::Nothing, composition))
            }
            (Mode::Generated, None, Some(composer)) => match composer.write(&plan.material) {
                Ok(writing) => self.written(turn, settled, writing, plan).await,
                Err(why) => {
                    composition.fell_back = Some(why);
                    Ok((Shown::Nothing, composition))
                }
            },
            (_, doubt, _) => {
                composition.fell_back = Some(match doubt {
                    Some(doubt) => format!("{doubt:?}").to_lowercase(),
                    None => "no model".to_owned(),
                });
                Ok((Shown::Nothing, composition))
            }
        };
        if let Ok((_, told)) = &done {
            let took = self.app.clock.monotonic().saturating_sub(began);
            self.app.metrics.composed(told, took);
            self.trace.step(Step::Compose, began);
        }
        done
    }

    /// Shows what is written as it comes. It ends when the model does, when enough is said, when the citizen has left,
    /// or when nothing could be shown in time.
    async fn written(
        &self,
        turn: &TurnId,
        settled: &Settled,
        mut writing: Writing<'_>,
        plan: &Plan,
    ) -> Result<(Shown, Composition), Refusal> {
        let lang = plan.material.lang;
        let mut told_first = false;
        while !writing.over() && self.dialogue.frames.receiver_count() > 0 {
            let next = timeout(writing.patience(), writing.answer.next()).await;
            let Ok(Some(event)) = next else { break };
            let parts = writing.hear(event).await;
            if parts.is_empty() {
                continue;
            }
            // Switched off meanwhile: nothing more of it is shown.
            if self.app.switches.generation_is_off() {
                break;
            }
            // Somebody may have taken the chat, at another node too.
            if Standing::of(self.app, self.dialogue).await != Standing::Bot {
                break;
            }
            let said = self
                .part_events(turn, settled, &parts, lang, !told_first)
                .await;
            if let Err(refusal) = said {
                if !told_first {
                    return Err(refusal);
                }
                // What is shown gets its end, its sources and the approved text.
                tracing::error!(dialogue = %self.dialogue.id, "an answer was cut short: {}", refusal.text);
                break;
            }
            told_first = true;
        }
        let mut told = writing.told();
        if !told_first && told.kept > 0 {
            told.kept = 0;
            let off = self.app.switches.generation_is_off();
            let why = if off {
                "switched off"
            } else {
                "a person has the chat"
            };
            told.fell_back = Some(why.to_owned());
        }
        if let Some(why) = &told.fell_back {
            tracing::info!(dialogue = %self.dialogue.id, "an answer is verbatim: {why}");
        }
        let shown = if told_first {
            Shown::Written
        } else {
            Shown::Nothing
        };
        Ok((shown, told))
    }

    /// Shows some more of an answer; the first of it with its beginning and its mark, at once or not at all.
    async fn part_events(
        &self,
        turn: &TurnId,
        settled: &Settled,
        parts: &[Part],
        lang: Lang,
        first: bool,
    ) -> Result<(), Refusal> {
        let mark = self.mark(Mode::Generated, settled.record.language);
        let a = &settled.answer;
        let mut events = Vec::new();
        if first {
            events.push(Event::AnswerStart {
                turn: turn.as_str(),
                outcome: settled.outcome,
                lang: settled.record.language,
                content_lang: lang,
                dir: lang.dir(),
                // The approved title is Danish.
                title: a.title.as_deref().filter(|_| lang == a.content_lang),
                notice: None,
                written: Some(Mode::Generated.name()),
                mark: Some(&mark),
            });
        }
        events.extend(parts.iter().map(|part| Event::AnswerPart {
            turn: turn.as_str(),
            text: &part.text,
            sections: &part.sections,
        }));
        self.publish_unkeyed(&events, lang).await
    }

    /// What stands above an answer that is not the approved text.
    pub(super) fn mark(&self, mode: Mode, lang: Lang) -> String {
        let key = match mode {
            Mode::Shortened => "mark_shortened",
            Mode::Generated | Mode::Verbatim => "mark_generated",
        };
        self.say(key, lang, &[])
    }
}
