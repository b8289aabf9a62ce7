//! The end of a turn: what the bot says, where it says it, and its record.

use std::time::Duration;

use base::{Lang, TurnId};
use composition::{Composition, Mode};
use contact::centre::{Command, Refusal as No, Sender};
use dialogue::{Outcome, Record, Settled};
use knowledge::Intent;
use serde::Serialize;

use super::compose::Shown;
use super::dialogue::State;
use super::offer::Offer;
use super::people::{InLog, Standing, wait_frame};
use super::turn::{Refusal, Request};
use crate::composer::Plan;
use crate::metrics::SWITCHED_OFF;
use crate::telemetry::Step;
use crate::transcript::{Carried, CarriedEvent};
use crate::wire::{Approved, Code, Event, SourceShown, text};

impl Request<'_> {
    /// Journals and sends the end of a turn, and keeps its record.
    pub(super) async fn settle(
        &self,
        state: &mut State,
        settled: Result<(Settled, Option<Plan>), String>,
        standing: &Standing,
        began: Duration,
    ) -> Result<(), Refusal> {
        let lang = state.context.lang;
        let person = matches!(standing, Standing::Person(_));
        let ended = |outcome: &'static str| {
            let took = self.app.clock.monotonic().saturating_sub(began);
            let code = self.dialogue.municipality;
            self.app.metrics.turn(outcome, code, took);
            self.trace.outcome(outcome);
        };
        let (settled, plan) = match settled {
            Ok(settled) => settled,
            Err(e) => {
                tracing::error!(dialogue = %self.dialogue.id, "a turn failed: {e}");
                // Whoever has the chat has the message.
                return if person {
                    self.trace.outcome(PERSON);
                    Ok(())
                } else if self.bot_is_off() {
                    ended(SWITCHED_OFF);
                    self.say_off(state, standing, lang).await
                } else {
                    ended(Outcome::Failed.name());
                    let said = self.say("error_internal", lang, &[]);
                    Err(Refusal::new(Code::Internal, said))
                };
            }
        };
        if !settled.record.check.is_empty() {
            // An answer that must not leave: of the knowledge, and so for its editors.
            let faults = settled.record.check.join(", ");
            tracing::error!(dialogue = %self.dialogue.id, "an answer was held back: {faults}");
        }
        let crisis = settled.outcome == Outcome::Crisis;
        if person && !crisis {
            self.trace.outcome(PERSON);
            return Ok(());
        }
        if self.bot_is_off() && !crisis {
            ended(SWITCHED_OFF);
            let spoken = settled.record.language;
            return self.say_off(state, standing, spoken).await;
        }
        let id = TurnId::random();
        let a = &settled.answer;
        let spoken = settled.record.language;
        self.trace.language(spoken);
        state.context.lang = spoken;
        // Who waits already has asked for a person.
        let offer = match standing {
            Standing::Bot if a.offer_human => Some(self.offer(state).await),
            _ => None,
        };
        let waits = self.place_in_words(&settled, standing).await;
        // Whoever waits for a person has what the bot says in the log too, whole: the approved text.
        let (shown, composition) = match &plan {
            Some(plan) if *standing == Standing::Bot => {
                let (shown, how) = self.compose(&id, &settled, plan).await?;
                (shown, Some(how))
            }
            _ => (Shown::Nothing, None),
        };
        let (own, written, mark) = match &shown {
            Shown::Short(text) => {
                let mark = self.mark(Mode::Shortened, spoken);
                (text.as_str(), Some(Mode::Shortened.name()), Some(mark))
            }
            Shown::Nothing | Shown::Written => (a.text.as_str(), None, None),
        };
        let whole = !matches!(shown, Shown::Nothing);
        let cited = composition.as_ref().map_or(&[][..], |c| &c.sections[..]);
        let mut events = Vec::new();
        // Someone who asked for a person gets the offer, not a text about it as well.
        if settled.record.intent != Some(Intent::Human) {
            if !matches!(shown, Shown::Written) {
                events.push(Event::AnswerStart {
                    turn: id.as_str(),
                    outcome: settled.outcome,
                    lang: spoken,
                    content_lang: a.content_lang,
                    dir: a.content_lang.dir(),
                    title: a.title.as_deref(),
                    notice: a.notice.as_deref(),
                    written,
                    mark: mark.as_deref(),
                });
                events.extend(parts(own).map(|text| Event::AnswerPart {
                    turn: id.as_str(),
                    text,
                    sections: &[],
                }));
            }
            events.push(Event::AnswerEnd {
                turn: id.as_str(),
                sources: a
                    .sources
                    .iter()
                    .map(|s| SourceShown {
                        title: &s.title,
                        url: Some(s.source.as_str()).filter(|u| u.starts_with("https://")),
                        article_id: &s.article_id,
                        sections: cited,
                    })
                    .collect(),
                links: &a.links,
                choices: &a.choices,
                offer_human: a.offer_human && *standing == Standing::Bot,
                can_rate: settled.outcome == Outcome::Answered,
                approved: whole.then(|| Approved {
                    text: &a.text,
                    content_lang: a.content_lang,
                    dir: a.content_lang.dir(),
                }),
            });
        }
        events.extend(
            waits
                .iter()
                .flat_map(|said| answer(id.as_str(), Outcome::Smalltalk, spoken, said)),
        );
        events.extend(offer.as_ref().map(Offer::event));
        let said = waits.as_deref().unwrap_or(&a.text);
        if !self.as_bot(standing, &id, said, &events, lang).await? && !crisis {
            // A person took over meanwhile.
            self.trace.outcome(PERSON);
            return Ok(());
        }
        ended(settled.outcome.name());
        let record = text(&Kept {
            record: &settled.record,
            composition: composition.as_ref(),
        });
        let asked = self.trace.now();
        let kept = self
            .app
            .journal
            .record_turn(&id, &self.dialogue.id, record, self.app.clock.now())
            .await;
        self.trace.step(Step::Journal, asked);
        if let Err(e) = kept {
            // The citizen has the answer; only its explanation is missing.
            tracing::error!(dialogue = %self.dialogue.id, "a turn's record was not kept: {e}");
        }
        state.context = settled.context;
        Ok(())
    }

    /// Who waits and asks for a person again is told how the place stands.
    async fn place_in_words(&self, settled: &Settled, standing: &Standing) -> Option<String> {
        if settled.record.intent != Some(Intent::Human) || *standing == Standing::Bot {
            return None;
        }
        let frame = wait_frame(self.app, self.dialogue).await?;
        let frame: serde_json::Value = serde_json::from_str(&frame).ok()?;
        frame.get("text")?.as_str().map(str::to_owned)
    }

    /// Says what the bot has to say, in the log when somebody waits; whether it was said.
    async fn as_bot(
        &self,
        standing: &Standing,
        turn: &TurnId,
        said: &str,
        events: &[Event<'_>],
        lang: Lang,
    ) -> Result<bool, Refusal> {
        if let (Standing::Waiting(item), false) = (standing, events.is_empty()) {
            let key = format!("@b.{}", turn.as_str());
            let keyed = events.iter().enumerate();
            let keyed = keyed.map(|(n, e)| CarriedEvent::of(e, (n == 0).then_some(key.as_str())));
            let carried = Carried::new(self.dialogue.id.clone(), keyed.collect());
            let text: String = said.chars().take(MAX_IN_LOG).collect();
            let command = Command::Message {
                item: item.clone(),
                message: turn.as_str().parse().expect("letters and digits are an id"),
                from: Sender::Bot,
                text: text.into(),
            };
            match self.in_log(command, &carried, lang).await {
                Ok(InLog::Written) => return Ok(true),
                Ok(InLog::Refused(No::BotSilenced)) if !events.iter().any(is_crisis) => {
                    return Ok(false);
                }
                // The citizen gets the answer all the same; the agent will not see it.
                Ok(InLog::Refused(_)) | Err(_) => {}
            }
        }
        self.publish_unkeyed(events, lang).await?;
        Ok(true)
    }
}

/// What the trace of a message ends in that a person answers.
const PERSON: &str = "person";

/// A turn's record as it is stored.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    record: &'a Record,
    /// How the answer was said, where it was not to be verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    composition: Option<&'a Composition>,
}

/// Characters of an answer in the log: the centre takes no longer ones. Nodes get it whole beside that.
const MAX_IN_LOG: usize = 4_000;

fn is_crisis(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::AnswerStart {
            outcome: Outcome::Crisis,
            ..
        }
    )
}

/// A short answer of the service's own.
pub(super) fn answer<'a>(
    turn: &'a str,
    outcome: Outcome,
    lang: Lang,
    text: &'a str,
) -> [Event<'a>; 3] {
    [
        Event::AnswerStart {
            turn,
            outcome,
            lang,
            content_lang: lang,
            dir: lang.dir(),
            title: None,
            notice: None,
            written: None,
            mark: None,
        },
        Event::AnswerPart {
            turn,
            text,
            sections: &[],
        },
        Event::AnswerEnd {
            turn,
            sources: Vec::new(),
            links: &[],
            choices: &[],
            offer_human: false,
            can_rate: false,
            approved: None,
        },
    ]
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
