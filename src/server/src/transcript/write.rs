//! From steps of the centre to what the journal keeps.

use std::sync::Arc;

use arc_swap::ArcSwap;
use base::{DialogueId, Lang};
use contact::centre::{Command, Effect, ItemId, Readers, ReleaseReason, Sender};
use dialogue::Turn;
use futures_util::future::BoxFuture;
use storage::{Journal, Kept, NewEvent, StaffLine};

use super::carried::{Carried, CarriedEvent};
use super::say::{Say, ended, offered, slots_shown};
use crate::centre::{About, Sink, Step};
use crate::wire::Event;

/// The centre's sink: keeps the lines of each step in the journal.
pub(crate) struct Writer {
    pub journal: Journal,
    /// The live release, for what the service says.
    pub turn: Arc<ArcSwap<Turn>>,
}

impl Sink for Writer {
    fn take<'a>(&'a self, steps: &'a [Step]) -> BoxFuture<'a, Result<(), storage::Error>> {
        Box::pin(async move {
            let kept: Vec<Kept> = {
                let turn = self.turn.load();
                let texts = &turn.snapshot.release.texts;
                let say = |key: &str, lang: Lang, fill: &[(&str, &str)]| texts.get(key, lang, fill);
                let steps = steps.iter().flat_map(|s| writes(s, &say));
                steps.map(|(_, kept)| kept).collect()
            };
            if kept.is_empty() {
                return Ok(());
            }
            let unknown = self.journal.keep(kept).await?;
            if unknown > 0 {
                tracing::debug!("{unknown} lines are of dialogues that this node does not know");
            }
            Ok(())
        })
    }
}

/// What a step writes, in order, each with its item when that is known.
pub(super) fn writes(step: &Step, say: Say<'_>) -> Vec<(Option<ItemId>, Kept)> {
    let mut out = Vec::new();
    let carried = step.input.carried.as_ref().filter(|_| step.done());
    let carried = carried.and_then(Carried::read);
    if let Some(c) = &carried {
        let item = step.effects.iter().find_map(Effect::item).cloned();
        out.extend(c.copied().map(|copy| (item.clone(), Kept::Dialogue(copy))));
        let events: Vec<NewEvent> = c.events.iter().map(CarriedEvent::new_event).collect();
        if !events.is_empty() {
            let dialogue = c.dialogue.clone();
            out.push((item, of_dialogue(step, dialogue, events)));
        }
    }
    let carried = carried.filter(|c| !c.events.is_empty());
    for (n, effect) in step.effects.iter().enumerate() {
        if let Some(item) = effect.item() {
            let about = step.about(item);
            // Time passes in each step: what befell others then was not told by whoever sent this.
            let told = match (&carried, about) {
                (Some(c), Some(a)) => c.dialogue == a.dialogue,
                (Some(_), None) => matches!(effect, Effect::Deliver { .. }),
                (None, _) => false,
            };
            let key = format!("@{}.{n}", step.input.id);
            let one = One {
                step,
                say,
                told,
                key,
                item,
                about,
            };
            out.extend(one.write(effect).map(|k| (Some(item.clone()), k)));
        }
    }
    out
}

fn of_dialogue(step: &Step, dialogue: DialogueId, events: Vec<NewEvent>) -> Kept {
    let at = step.at.timestamp();
    Kept::Events {
        dialogue,
        events,
        at,
    }
}

/// One effect of a step.
struct One<'a> {
    step: &'a Step,
    say: Say<'a>,
    /// The command carried its own events.
    told: bool,
    key: String,
    item: &'a ItemId,
    about: Option<&'a About>,
}

impl One<'_> {
    fn write(&self, effect: &Effect) -> Option<Kept> {
        match effect {
            Effect::Deliver { to, dialogue, .. } => match (to, dialogue) {
                (Readers::All, Some(dialogue)) => self.message(effect, dialogue),
                // Of an item that nobody knows any more: kept for whoever looks for it.
                _ => self.unseen(effect),
            },
            Effect::Noted { agent, text, .. } => {
                let name = self.name(agent);
                Some(self.staff(self.key.clone(), "note", name, text.as_str()))
            }
            Effect::Transferred {
                agent,
                note: Some(note),
                ..
            } => {
                let name = self.name(agent);
                Some(self.staff(self.key.clone(), "note", name, note.as_str()))
            }
            Effect::Owned { name, .. } => {
                let text = self.say("agent_joined", &[("name", name)]);
                self.event(&Event::AgentJoined { name, text: &text })
            }
            Effect::Released { agent, why, .. } => {
                let name = self.name(agent).unwrap_or_default();
                let (why, key) = match why {
                    ReleaseReason::Transferred => ("transferred", "agent_left_transferred"),
                    _ => ("lost", "agent_left_lost"),
                };
                let text = self.say(key, &[("name", &name)]);
                let (name, text) = (name.as_str(), text.as_str());
                self.event(&Event::AgentLeft { why, name, text })
            }
            Effect::CallbackOffered { why, .. } => {
                let about = self.about?;
                let (reason, key) = offered(*why, !about.slots.is_empty());
                let text = self.say(key, &[]);
                self.event(&Event::CallbackOffer {
                    reason,
                    text: &text,
                    slots: slots_shown(self.say, about.language, &about.slots),
                })
            }
            Effect::Closed { outcome, .. } => self.closed(outcome),
            _ => None,
        }
    }

    fn closed(&self, outcome: &contact::centre::Outcome) -> Option<Kept> {
        let (word, key, can_rate) = ended(outcome);
        let reference = self.about?.reference.as_ref();
        let reference = reference.map_or("", |r| r.as_str());
        let text = self.say(key, &[("reference", reference)]);
        match word {
            _ if self.told && !matches!(self.step.input.command, Command::Message { .. }) => None,
            "cancelled" => self.event(&Event::CallbackCancelled {
                client_id: None,
                reference,
                text: &text,
            }),
            _ => self.event(&Event::HandoverEnded {
                client_id: None,
                outcome: word,
                text: &text,
                can_rate,
            }),
        }
    }

    /// A message that the citizen sees. One that carried its own events is written already.
    fn message(&self, effect: &Effect, dialogue: &DialogueId) -> Option<Kept> {
        let Effect::Deliver {
            message,
            from,
            text,
            late,
            ..
        } = effect
        else {
            return None;
        };
        let (id, text) = (message.as_str(), text.as_str());
        let lang = self.about.map_or(Lang::Da, |a| a.language);
        let events = match from {
            _ if self.told => return None,
            Sender::Citizen => vec![Event::Citizen {
                client_id: id,
                text,
                masked: &[],
            }],
            Sender::Bot => vec![
                Event::AnswerStart {
                    turn: id,
                    outcome: dialogue::Outcome::Answered,
                    lang,
                    content_lang: lang,
                    dir: lang.dir(),
                    title: None,
                    notice: None,
                    written: None,
                    mark: None,
                },
                Event::AnswerPart {
                    turn: id,
                    text,
                    sections: &[],
                },
                Event::AnswerEnd {
                    turn: id,
                    sources: Vec::new(),
                    links: &[],
                    choices: &[],
                    offer_human: false,
                    can_rate: false,
                    approved: None,
                },
            ],
            Sender::Agent { agent, .. } | Sender::Supervisor { agent } => {
                let name = self.name(agent).unwrap_or_default();
                let event = Event::Agent {
                    id,
                    name: &name,
                    text,
                    supervisor: matches!(from, Sender::Supervisor { .. }),
                    late: *late,
                };
                let key = format!("@m.{}.{id}", self.item);
                let events = vec![CarriedEvent::of(&event, Some(&key)).new_event()];
                return Some(of_dialogue(self.step, dialogue.clone(), events));
            }
        };
        let key = format!("@m.{}.{id}", self.item);
        let mut events: Vec<NewEvent> = events
            .iter()
            .map(|e| CarriedEvent::of(e, None).new_event())
            .collect();
        events[0].client_id = Some(key);
        Some(of_dialogue(self.step, dialogue.clone(), events))
    }

    /// A message that the citizen does not see.
    fn unseen(&self, effect: &Effect) -> Option<Kept> {
        let Effect::Deliver {
            message,
            from,
            text,
            to,
            ..
        } = effect
        else {
            return None;
        };
        if self.told {
            return None;
        }
        let name = match from {
            Sender::Agent { agent, .. } | Sender::Supervisor { agent } => self.name(agent),
            Sender::Citizen | Sender::Bot => None,
        };
        let from = match to {
            Readers::Staff => "coach",
            Readers::All => "note",
        };
        Some(self.staff(message.to_string(), from, name, text.as_str()))
    }

    fn staff(&self, id: String, from: &str, name: Option<String>, text: &str) -> Kept {
        Kept::Staff(StaffLine {
            item: self.item.to_string(),
            id,
            dialogue: self.about.map(|a| a.dialogue.clone()),
            at: self.step.at.timestamp(),
            from: from.to_owned(),
            name,
            text: text.to_owned(),
        })
    }

    fn event(&self, event: &Event<'_>) -> Option<Kept> {
        let dialogue = self.about?.dialogue.clone();
        let event = CarriedEvent::of(event, Some(&self.key)).new_event();
        Some(of_dialogue(self.step, dialogue, vec![event]))
    }

    fn say(&self, key: &str, fill: &[(&str, &str)]) -> String {
        let lang = self.about.map_or(Lang::Da, |a| a.language);
        (self.say)(key, lang, fill)
    }

    fn name(&self, agent: &contact::centre::AgentId) -> Option<String> {
        self.step.names.get(agent).cloned()
    }
}
