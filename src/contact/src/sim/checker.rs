//! Reads a history and finds what must not be in it.

mod callbacks;
mod messages;

use std::collections::{BTreeMap, BTreeSet};

use super::bench::Record;
use super::books::{Books, ItemBook, Place, Slot};
use crate::centre::{AgentId, AgentState, Command, Effect, ItemId, Moment, Outcome};

/// How often it looks for items that wait while somebody is free, in ms.
const LOOK_MS: u64 = 60_000;
/// No more violations than these are listed.
const MOST: usize = 50;

/// Everything in a history that must not be, each with the record's number and the time; empty when all is
/// well. What is checked is listed at [`crate::centre`]; besides: every allowed message is delivered once,
/// an agent's only while that agent owns the item in the right epoch, the bot's only while nobody does; a
/// callback is promised inside hours and below capacity, and rung by one agent at a time, not too often.
pub fn violations(history: &[Record]) -> Vec<String> {
    let mut checker = Checker {
        books: Books::default(),
        found: Vec::new(),
        now: Moment::default(),
        looked: Moment::default(),
        shown: BTreeMap::new(),
    };
    for (n, record) in history.iter().enumerate() {
        checker.now = checker.now.max(record.at);
        let before = checker.found.len();
        checker.record(record);
        for fault in &mut checker.found[before..] {
            *fault = format!("record {n}, {}: {fault}", record.at.timestamp());
        }
        if checker.found.len() >= MOST {
            break;
        }
    }
    checker.found
}

struct Checker {
    books: Books,
    found: Vec<String>,
    now: Moment,
    looked: Moment,
    /// How agents are shown after the step.
    shown: BTreeMap<AgentId, AgentState>,
}

impl Checker {
    fn fault(&mut self, text: String) {
        self.found.push(text);
    }

    fn record(&mut self, record: &Record) {
        self.books.note(record);
        self.shown.clear();
        let mut touched: BTreeSet<ItemId> = BTreeSet::new();
        for effect in &record.effects {
            if let Some(item) = item_of(effect) {
                touched.insert(item.clone());
            }
            self.effect(record, effect);
        }
        for id in touched {
            if let Some(i) = self.books.items.get(&id)
                && i.place == Place::Nowhere
            {
                self.fault(format!("{id} is nowhere"));
            }
        }
        for (agent, state) in std::mem::take(&mut self.shown) {
            let absent = self.books.agents.get(&agent).map(|a| a.links.is_empty());
            if absent.is_some_and(|a| a != (state == AgentState::Absent)) {
                self.fault(format!("{agent} is shown {state:?}"));
            }
        }
        self.delivery(record);
        self.books.settle(self.now);
        if self.now.since(self.looked) >= LOOK_MS {
            self.looked = self.now;
            self.look_for_the_forgotten();
        }
    }

    /// The book of an item that must be known and open.
    fn item(&mut self, id: &ItemId, what: &str) -> Option<&mut ItemBook> {
        match self.books.items.get(id).map(|i| &i.place) {
            None => self.found.push(format!("{what}: {id} is unknown")),
            Some(Place::Closed) => self.found.push(format!("{what}: {id} is closed")),
            Some(_) => {}
        }
        self.books.items.get_mut(id)
    }

    fn go(&mut self, id: &ItemId, place: Place) {
        let now = self.now;
        if place == (Place::Waiting { held: false }) {
            self.books.waiting.insert(id.clone());
        } else {
            self.books.waiting.remove(id);
        }
        if let Some(i) = self.books.items.get_mut(id) {
            i.place = place;
            i.since = now;
        }
    }

    /// An agent gets something: has the room, the right, and is there.
    fn gets(&mut self, agent: &AgentId, id: &ItemId, slot: Slot, what: &str) {
        let code = self.books.items.get(id).map(|i| i.municipality);
        if !code.is_some_and(|c| self.books.has_right(agent, c)) {
            self.fault(format!("{what}: {agent} has no right to {id}"));
        }
        let Some(book) = self.books.agents.get_mut(agent) else {
            return;
        };
        let mut faults = Vec::new();
        if !book.slots.contains_key(id) && !book.has_room() {
            faults.push(format!("{what}: {agent} is over capacity with {id}"));
        }
        if book.links.is_empty() {
            faults.push(format!("{what}: {agent} is absent and gets {id}"));
        }
        if slot == Slot::Offer && book.paused {
            faults.push(format!("{what}: {agent} is paused and gets {id}"));
        }
        book.slots.insert(id.clone(), slot);
        self.found.extend(faults);
    }

    fn gives_up(&mut self, agent: &AgentId, id: &ItemId) {
        if let Some(book) = self.books.agents.get_mut(agent) {
            book.slots.remove(id);
        }
    }

    /// The epoch goes up, by one.
    fn epoch(&mut self, id: &ItemId, epoch: u64, what: &str) {
        if let Some(i) = self.books.items.get_mut(id) {
            if epoch != i.epoch + 1 {
                let was = i.epoch;
                self.found
                    .push(format!("{what}: {id} went from epoch {was} to {epoch}"));
            }
            i.epoch = epoch;
        }
    }

    fn expect(&mut self, id: &ItemId, what: &str, right: impl Fn(&Place) -> bool) {
        let place = self.item(id, what).map(|i| i.place.clone());
        if let Some(place) = place
            && !right(&place)
            && place != Place::Closed
        {
            self.fault(format!("{what}: {id} was {place:?}"));
        }
    }

    fn effect(&mut self, record: &Record, effect: &Effect) {
        match effect {
            Effect::Requested {
                item,
                municipality,
                place,
                ..
            } => self.requested(item, *municipality, *place),
            Effect::Waiting {
                item, held, place, ..
            } => {
                let asked = self.books.items.get(item).map(|i| i.asked);
                if asked.is_some_and(|a| a != *place) {
                    self.fault(format!("{item} lost its place: {asked:?} became {place:?}"));
                }
                self.expect(item, "waiting", |p| {
                    matches!(p, Place::Nowhere | Place::Waiting { .. })
                });
                self.go(item, Place::Waiting { held: *held });
            }
            Effect::Offered { item, decision, .. } => {
                let (agent, offer) = (decision.agent.clone(), decision.offer);
                self.expect(item, "offered", |p| {
                    matches!(p, Place::Waiting { held: false } | Place::Callback)
                });
                self.gets(&agent, item, Slot::Offer, "offered");
                self.go(item, Place::Offered { agent, offer });
            }
            Effect::OfferEnded {
                item, agent, offer, ..
            } => {
                self.expect(item, "offer ended", |p| {
                    matches!(p, Place::Offered { agent: a, offer: o } if a == agent && o == offer)
                });
                self.gives_up(agent, item);
                self.go(item, Place::Nowhere);
            }
            Effect::Owned {
                item, agent, epoch, ..
            } => {
                self.expect(item, "owned", |p| {
                    matches!(p, Place::Nowhere | Place::Waiting { .. })
                });
                self.epoch(item, *epoch, "owned");
                self.gets(agent, item, Slot::Work, "owned");
                let agent = agent.clone();
                self.go(item, Place::Owned { agent });
            }
            Effect::Released {
                item, agent, epoch, ..
            } => {
                self.expect(item, "released", |p| is_owner(p, agent));
                self.epoch(item, *epoch, "released");
                self.gives_up(agent, item);
                self.go(item, Place::Nowhere);
            }
            Effect::Transferred {
                item, municipality, ..
            } => {
                if let Some(i) = self.item(item, "transferred") {
                    i.municipality = *municipality;
                }
            }
            Effect::Deliver { .. } => self.delivered(effect),
            Effect::Noted { item, agent, .. } => {
                self.expect(item, "noted", |p| is_owner(p, agent));
            }
            Effect::Closed {
                item,
                outcome,
                by,
                epoch,
                ..
            } => self.closed(item, outcome, by.as_ref(), *epoch),
            Effect::WrapUpEnded { item, agent } => self.gives_up(agent, item),
            Effect::AgentChanged {
                agent,
                paused,
                state,
            } => {
                if let Some(a) = self.books.agents.get_mut(agent) {
                    a.paused = paused.is_some();
                }
                self.shown.insert(agent.clone(), *state);
            }
            Effect::SignedOut { agent } => {
                let Some(a) = self.books.agents.get_mut(agent) else {
                    return;
                };
                a.links.clear();
                // The grace ran out before this very input brought the agent back.
                if let Command::AgentPresent { agent: back, link } = &record.input.command
                    && back == agent
                {
                    let link = link.clone();
                    a.links.insert(link.connection, link.node);
                }
                if !a.slots.is_empty() {
                    let left: Vec<String> = a.slots.keys().map(ToString::to_string).collect();
                    self.fault(format!("{agent} signed out with {left:?}"));
                }
            }
            Effect::Supervised {
                item, supervisor, ..
            } => {
                let code = self.item(item, "supervised").map(|i| i.municipality);
                let book = self.books.agents.get(supervisor);
                let may = book.is_some_and(|b| b.profile.supervisor);
                if !may || !code.is_some_and(|c| self.books.has_right(supervisor, c)) {
                    self.fault(format!("{supervisor} may not read {item}"));
                }
            }
            _ => self.of_callbacks(record, effect),
        }
    }

    fn requested(&mut self, item: &ItemId, code: base::MunicipalityCode, asked: Moment) {
        let book = ItemBook {
            place: Place::Nowhere,
            since: self.now,
            asked,
            municipality: code,
            epoch: 0,
            messages: BTreeSet::new(),
            promised: false,
            attempts: 0,
        };
        if asked > self.now {
            self.fault(format!("{item} was asked in the future"));
        }
        if self.books.items.insert(item.clone(), book).is_some() {
            self.fault(format!("{item} was requested twice"));
        }
    }

    fn closed(&mut self, id: &ItemId, outcome: &Outcome, by: Option<&AgentId>, epoch: u64) {
        self.expect(id, "closed", |p| match p {
            Place::Owned { agent } => Some(agent) == by,
            Place::Offered { .. } | Place::Ringing { .. } => false,
            _ => true,
        });
        let owned = match self.books.items.get(id).map(|i| &i.place) {
            Some(Place::Owned { .. }) => {
                self.epoch(id, epoch, "closed");
                true
            }
            _ => false,
        };
        // The slot stays taken for wrapping up.
        if let (true, Some(agent)) = (owned || *outcome == Outcome::Reached, by)
            && let Some(book) = self.books.agents.get_mut(agent)
        {
            book.slots.insert(id.clone(), Slot::WrapUp);
        }
        for some in self.books.promised.values_mut() {
            some.remove(id);
        }
        self.books.promised.retain(|_, some| !some.is_empty());
        self.go(id, Place::Closed);
    }
}

fn is_owner(place: &Place, agent: &AgentId) -> bool {
    matches!(place, Place::Owned { agent: a } if a == agent)
}

/// The item that an effect is about.
fn item_of(effect: &Effect) -> Option<&ItemId> {
    match effect {
        Effect::Requested { item, .. }
        | Effect::Waiting { item, .. }
        | Effect::Offered { item, .. }
        | Effect::OfferEnded { item, .. }
        | Effect::Owned { item, .. }
        | Effect::Released { item, .. }
        | Effect::Closed { item, .. }
        | Effect::CallbackPromised { item, .. }
        | Effect::Dialing { item, .. }
        | Effect::DialEnded { item, .. } => Some(item),
        _ => None,
    }
}
