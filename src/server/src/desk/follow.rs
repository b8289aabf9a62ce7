//! What the steps of the centre mean for the desks that are open at this node.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use contact::centre::{
    AgentId, Command, DialEnd, Effect, Item, ItemId, ItemState, OfferEnd, ReleaseReason, Sender,
};

use super::show::Show;
use super::wire::{Card, Gone, Standing, ToDesk, text};
use crate::centre::Step;
use crate::transcript::lines_of;

/// Cards that are tidied at once, while nobody else can change the centre.
const TIDIED: usize = 64;

/// What each agent with a desk open here is shown.
#[derive(Default)]
pub(super) struct Shown {
    agents: BTreeMap<AgentId, AgentShown>,
    /// By item, who is shown it.
    of_item: BTreeMap<ItemId, BTreeSet<AgentId>>,
    /// The card that was tidied last.
    tidied: Option<(AgentId, ItemId)>,
}

#[derive(Default)]
struct AgentShown {
    /// Each card with a hash of what was sent last.
    cards: BTreeMap<ItemId, u64>,
    standing: Option<Standing>,
}

/// A frame and who gets it.
pub(super) type Told = (AgentId, ToDesk);

/// A citizen's message that agents are to be helped with.
pub(super) struct Heard {
    pub(super) item: ItemId,
    pub(super) line: String,
    pub(super) text: String,
    pub(super) question: String,
    pub(super) lang: Lang,
    pub(super) municipality: MunicipalityCode,
}

fn hash(card: &Card) -> u64 {
    let mut h = DefaultHasher::new();
    serde_json::to_string(card).unwrap_or_default().hash(&mut h);
    h.finish()
}

impl Shown {
    pub(super) fn add(&mut self, agent: &AgentId) {
        self.agents.entry(agent.clone()).or_default();
    }

    pub(super) fn remove(&mut self, agent: &AgentId) {
        let Some(shown) = self.agents.remove(agent) else {
            return;
        };
        for item in shown.cards.keys() {
            self.forget(item, agent);
        }
    }

    fn forget(&mut self, item: &ItemId, agent: &AgentId) {
        if let Some(who) = self.of_item.get_mut(item) {
            who.remove(agent);
            if who.is_empty() {
                self.of_item.remove(item);
            }
        }
    }

    /// Who is shown an item.
    pub(super) fn viewers(&self, item: &ItemId) -> impl Iterator<Item = &AgentId> {
        self.of_item.get(item).into_iter().flatten()
    }

    /// Everything an agent should see, as the first or a new beginning.
    pub(super) fn snapshot(&mut self, show: Show<'_>, agent: &AgentId) -> ToDesk {
        self.remove(agent);
        let mut shown = AgentShown::default();
        let mut cards = Vec::new();
        for item in show.centre.at_desk(agent) {
            if let Some(card) = show.card(item, agent) {
                shown.cards.insert(item.id.clone(), hash(&card));
                let who = self.of_item.entry(item.id.clone()).or_default();
                who.insert(agent.clone());
                cards.push(card);
            }
        }
        shown.standing = show.standing(agent);
        let me = shown.standing.clone();
        self.agents.insert(agent.clone(), shown);
        ToDesk::Snapshot { me, cards }
    }

    /// What a step changed, in the order in which it is to be said. The centre may be further than the step:
    /// cards are as of now, and what has gone is said when its step comes.
    pub(super) fn follow(&mut self, show: Show<'_>, step: &Step, told: &mut Vec<Told>) {
        let mut touched: BTreeSet<&ItemId> = step.effects.iter().filter_map(Effect::item).collect();
        touched.extend(present_at(&step.input.command));
        for id in &touched {
            self.card(show, step, id, told);
        }
        // Every line is of an item of the step.
        let read_here = touched.iter().any(|id| self.of_item.contains_key(*id));
        let lines = read_here.then(|| lines_of(step));
        for (item, line) in lines.into_iter().flatten() {
            let Some(id) = item else { continue };
            let code = written_at(step, &id).or(show.centre.item(&id).map(|i| i.municipality));
            for agent in self.viewers(&id) {
                if code.is_some_and(|c| show.centre.may_serve(agent, c)) {
                    let (item, line) = (id.clone(), line.clone());
                    told.push((agent.clone(), ToDesk::Line { item, line }));
                }
            }
        }
        let mut agents: BTreeSet<&AgentId> = BTreeSet::new();
        for effect in &step.effects {
            if let Effect::AgentChanged { agent, .. } | Effect::SignedOut { agent } = effect {
                agents.insert(agent);
            }
        }
        if let Command::SetMode { agent, .. } = &step.input.command {
            agents.insert(agent);
        }
        for agent in agents {
            let Some(shown) = self.agents.get_mut(agent) else {
                continue;
            };
            let now = show.standing(agent);
            if shown.standing != now {
                shown.standing.clone_from(&now);
                told.extend(now.map(|s| (agent.clone(), ToDesk::Agent(s))));
            }
        }
    }

    /// Brings everybody's card of an item up to date.
    fn card(&mut self, show: Show<'_>, step: &Step, id: &ItemId, told: &mut Vec<Told>) {
        let item = show.centre.item(id);
        let mut concerned: BTreeSet<AgentId> = self.viewers(id).cloned().collect();
        if let Some(item) = item {
            let now = item.holder().into_iter().chain(item.watchers.keys());
            concerned.extend(now.filter(|a| self.agents.contains_key(a)).cloned());
        }
        for agent in concerned {
            let at_desk = item.filter(|i| show.centre.is_at_desk(i, &agent));
            match at_desk.and_then(|i| show.card(i, &agent)) {
                Some(card) => self.put(card, &agent, told),
                None => {
                    if let Some(why) = gone(step, id, &agent) {
                        self.take(id, &agent, why, told);
                    }
                }
            }
        }
    }

    fn put(&mut self, card: Card, agent: &AgentId, told: &mut Vec<Told>) {
        let Some(shown) = self.agents.get_mut(agent) else {
            return;
        };
        let id = card.item.clone();
        let new = hash(&card);
        if shown.cards.insert(id.clone(), new) == Some(new) {
            return;
        }
        self.of_item.entry(id).or_default().insert(agent.clone());
        let card = Box::new(card);
        told.push((agent.clone(), ToDesk::Card { card }));
    }

    fn take(&mut self, id: &ItemId, agent: &AgentId, why: Gone, told: &mut Vec<Told>) {
        if let Some(shown) = self.agents.get_mut(agent)
            && shown.cards.remove(id).is_some()
        {
            let item = id.clone();
            told.push((agent.clone(), ToDesk::CardGone { item, why }));
        }
        self.forget(id, agent);
    }

    /// Brings the next of all cards up to date, and takes away what is not at its desk any more and of which no
    /// step said why.
    pub(super) fn tidy(&mut self, show: Show<'_>, told: &mut Vec<Told>) {
        let last = self.tidied.take();
        let last = last.as_ref().map(|(agent, id)| (agent, id));
        let cards = self.agents.iter();
        let cards = cards.flat_map(|(agent, s)| s.cards.keys().map(move |id| (agent, id)));
        let next: Vec<(AgentId, ItemId)> = cards
            .skip_while(|card| last.is_some_and(|l| *card <= l))
            .take(TIDIED)
            .map(|(agent, id)| (agent.clone(), id.clone()))
            .collect();
        if next.len() == TIDIED {
            self.tidied = next.last().cloned();
        }
        for (agent, id) in next {
            let item = show.centre.item(&id);
            let there = item.filter(|i| show.centre.is_at_desk(i, &agent));
            match there.and_then(|i| show.card(i, &agent)) {
                Some(card) => self.put(card, &agent, told),
                None => self.take(&id, &agent, Gone::Released, told),
            }
        }
    }

    /// Messages of citizens in a step that somebody here is to answer.
    pub(super) fn heard(&self, show: Show<'_>, step: &Arc<Step>, heard: &mut Vec<Heard>) {
        for effect in &step.effects {
            let Effect::Deliver {
                item,
                message,
                from: Sender::Citizen,
                text,
                ..
            } = effect
            else {
                continue;
            };
            let Some(i) = show.centre.item(item).filter(|i| is_answered(i)) else {
                continue;
            };
            if self.of_item.contains_key(item) {
                heard.push(Heard {
                    item: item.clone(),
                    line: message.as_str().to_owned(),
                    text: text.as_str().to_owned(),
                    question: i.brief.question.as_str().to_owned(),
                    lang: i.language,
                    municipality: i.municipality,
                });
            }
        }
    }
}

fn is_answered(item: &Item) -> bool {
    matches!(
        item.state,
        ItemState::Offered { .. } | ItemState::Owned { .. }
    )
}

/// The item of a command that changes only whether the citizen is there.
fn present_at(command: &Command) -> Option<&ItemId> {
    match command {
        Command::CitizenPresent { item, .. } | Command::CitizenAbsent { item, .. } => Some(item),
        _ => None,
    }
}

/// Whose citizen it was when the lines of a step were written.
fn written_at(step: &Step, id: &ItemId) -> Option<MunicipalityCode> {
    step.effects.iter().find_map(|e| match e {
        Effect::Deliver {
            item, municipality, ..
        } if item == id => *municipality,
        Effect::Noted {
            item, municipality, ..
        } if item == id => Some(*municipality),
        _ => None,
    })
}

/// Why an item left an agent's desk in this step.
fn gone(step: &Step, id: &ItemId, who: &AgentId) -> Option<Gone> {
    let mut why = None;
    for effect in &step.effects {
        let now = match effect {
            Effect::OfferEnded {
                item, agent, why, ..
            } if item == id && agent == who => match why {
                OfferEnd::Accepted => None,
                OfferEnd::Declined => Some(Gone::Declined),
                OfferEnd::Ignored => Some(Gone::Ignored),
                OfferEnd::Withdrawn => Some(Gone::Withdrawn),
                OfferEnd::AgentLost => Some(Gone::AgentLost),
                OfferEnd::Revoked => Some(Gone::Revoked),
            },
            Effect::Released {
                item, agent, why, ..
            } if item == id && agent == who => Some(match why {
                ReleaseReason::AgentLost => Gone::AgentLost,
                ReleaseReason::Transferred => Gone::Transferred,
                ReleaseReason::Supervisor => Gone::Released,
                ReleaseReason::Revoked => Gone::Revoked,
            }),
            Effect::DialEnded {
                item, agent, why, ..
            } if item == id && agent == who => Some(match why {
                DialEnd::Result(_) => Gone::Settled,
                DialEnd::LeaseOver => Gone::Released,
                DialEnd::AgentLost => Gone::AgentLost,
                DialEnd::Cancelled => Gone::Withdrawn,
                DialEnd::Revoked => Gone::Revoked,
            }),
            Effect::WrapUpEnded { item, agent } if item == id && agent == who => {
                Some(Gone::Settled)
            }
            Effect::SupervisionEnded { item, supervisor } if item == id && supervisor == who => {
                Some(Gone::Released)
            }
            Effect::Closed { item, .. } if item == id => Some(Gone::Closed),
            _ => None,
        };
        why = now.or(why);
    }
    why
}

/// A frame as it is sent.
pub(super) fn made((agent, frame): Told) -> (AgentId, String) {
    (agent, text(&frame))
}

#[cfg(test)]
mod tests;
