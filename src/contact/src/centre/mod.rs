//! The contact centre: a deterministic state machine over one ordered log of inputs.
//!
//! Every node folds the same log through [`Centre::step`] and so holds the same state. Nothing else changes
//! it; there is no clock, no chance and no fraction in it. An input that is not allowed changes nothing and
//! is answered with [`Effect::Refused`].
//!
//! A step lets time pass first, up to the instant of the input: offers run out, skills relax, places end.
//! So an answer that comes late is late, whoever noticed first. [`Centre::next_deadline`] says when the next
//! of these is due; a node then appends [`Command::Tick`].
//!
//! What always holds, and is tested after every step:
//! - an item is waiting, offered, owned, callback or closed, and exactly one of them;
//! - it has at most one holder, and that agent's slots show it; nobody gets more than the capacity;
//! - whoever holds it has the right to its municipality;
//! - `place`, when the citizen asked, never changes;
//! - nothing waits while an agent who fits is free, but for the short rest after a declined offer;
//! - every deadline lies ahead.

mod agent;
mod callback;
#[cfg(any(test, feature = "sim"))]
mod check;
mod effect;
mod estimate;
mod ids;
mod index;
mod input;
mod item;
mod message;
mod offer;
mod own;
mod presence;
mod request;
mod route;
mod settings;
mod setup;
mod slots;
mod stats;
mod supervise;
mod time;
mod view;

use std::collections::{BTreeMap, VecDeque};

use base::MunicipalityCode;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::agent::{MunicipalityState, TeamState};
use self::estimate::Estimator;
use self::index::{Index, Timer};
use self::stats::Stats;

pub use self::agent::{
    Agent, AgentState, Allowed, Hold, Mode, Pause, Profile, Skills, Staffing, Team,
};
pub use self::effect::{
    DialEnd, Effect, HoursNow, OfferEnd, Readers, Refusal, ReleaseReason, WaitReason,
};
pub use self::estimate::{Band, Promise};
pub use self::ids::{
    AgentId, AreaId, ConnectionId, InputId, ItemId, MessageId, Moment, NodeId, TeamId, Text,
};
pub use self::input::{CallbackRequest, Command, DialResult, Input, Sender};
pub use self::item::{
    Audience, Brief, Callback, CallbackReason, Chosen, Class, Decision, Handover, Item, ItemState,
    Level, Link, Needs, Outcome, Reason, Route, Stage, Target,
};
pub use self::settings::{CallbackSettings, HeadStart, Limits, Relax, Settings};
pub use self::slots::Slot;
pub use self::stats::Figures;
pub use self::view::{AgentRow, Card, Gap, MunicipalityRow, Offers, QueueRow, Wait};

/// The whole centre. Serialises as its state, for snapshots; two nodes that folded the same log serialise
/// alike.
#[derive(Clone, Debug, Default)]
pub struct Centre {
    state: State,
    index: Index,
    /// The effects of the step that is being made.
    out: Vec<Effect>,
    #[cfg(any(test, feature = "sim"))]
    fault: Option<Fault>,
}

/// What is in a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The latest instant that an input had. It never goes back.
    now: Moment,
    settings: Settings,
    municipalities: BTreeMap<MunicipalityCode, MunicipalityState>,
    teams: BTreeMap<TeamId, TeamState>,
    agents: BTreeMap<AgentId, Agent>,
    /// Open items and those settled lately, by number.
    items: BTreeMap<u64, Item>,
    last_number: u64,
    /// Settled items in the order of settling.
    settled: VecDeque<(Moment, u64)>,
    estimator: Estimator,
    stats: Stats,
}

/// A deliberate mistake, for showing that the checks find it.
#[cfg(any(test, feature = "sim"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An accept is granted without a look at who was offered the item and whether it was taken since.
    AcceptUnchecked,
    /// An owner's words and deeds are heeded without a look at the epoch.
    EpochUnchecked,
    /// The municipality's right is relaxed with the area.
    RightRelaxed,
}

impl Centre {
    /// An empty centre: municipalities, teams and agents come by inputs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Folds one input. An `at` before an earlier one counts as that one: time may stand still, it does not
    /// go back.
    pub fn step(&mut self, input: &Input, at: Timestamp) -> Vec<Effect> {
        self.advance(at.into());
        if let Err(why) = self.apply(input) {
            let input = input.id.clone();
            self.out.push(Effect::Refused { input, why });
        }
        // A change of the settings, or a time set to nothing, can make something due at once.
        self.expire();
        self.dispatch();
        self.foretell();
        self.forget();
        std::mem::take(&mut self.out)
    }

    /// When a [`Command::Tick`] is due at the latest; None when nothing is to come. Always later than the
    /// latest step.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.index.next_timer().map(Moment::timestamp)
    }

    /// The instant of the latest step.
    pub fn now(&self) -> Moment {
        self.state.now
    }

    fn apply(&mut self, input: &Input) -> Result<(), Refusal> {
        use Command as C;
        match &input.command {
            C::Tick => Ok(()),
            C::Configure { settings } => self.configure(settings),
            C::SetMunicipality {
                code,
                hours,
                fair_share_permille,
            } => self.set_municipality(*code, hours, *fair_share_permille),
            C::SetTeam { team } => self.set_team(team),
            C::RemoveTeam { team } => self.remove_team(team),
            C::SetAgent { profile } => self.set_agent(profile),
            C::RemoveAgent { agent } => self.remove_agent(agent),
            C::NodeStarted { node } | C::NodeLost { node } => self.node_lost(node),
            C::AgentPresent { agent, link } => self.agent_present(agent, link),
            C::AgentAbsent { agent, connection } => self.agent_absent(agent, connection),
            C::SignOut { agent } => self.sign_out_by(agent),
            C::Pause { agent, why } => self.pause(agent, *why),
            C::Resume { agent } => self.resume(agent),
            C::SetMode { agent, mode } => self.set_mode(agent, *mode),
            C::Request {
                handover,
                link,
                asked_at,
            } => {
                let asked_at = input.recovered.then_some(*asked_at);
                self.request(handover, link.as_ref(), asked_at)
            }
            C::CitizenPresent { item, link } => self.citizen_present(item, link),
            C::CitizenAbsent { item, connection } => self.citizen_absent(item, connection),
            C::Leave { item } => self.leave(item),
            C::Accept { item, agent, offer } => self.accept(item, agent, *offer),
            C::Decline { item, agent, offer } => self.decline(item, agent, *offer),
            C::Pick { item, agent } => self.pick(item, agent),
            C::Transfer {
                item,
                agent,
                epoch,
                to,
                note,
            } => self.transfer(item, agent, *epoch, to, note.as_ref()),
            C::Close {
                item,
                agent,
                epoch,
                code,
            } => self.close_by(item, agent, *epoch, code),
            C::WrapUpDone { item, agent } => self.wrap_up_done(item, agent),
            C::Message {
                item,
                message,
                from,
                text,
            } => self.message(item, message, from, text, input.recovered),
            C::Note {
                item,
                agent,
                epoch,
                text,
            } => self.note(item, agent, *epoch, text),
            C::ConvertToCallback { item, promise } => self.convert(item, promise, input.recovered),
            C::RequestCallback { .. } => self.request_callback(&input.command, input.recovered),
            C::CancelCallback { item } => self.cancel(item),
            C::Dial { item, agent } => self.dial(item, agent),
            C::RenewDial { item, agent, epoch } => self.renew(item, agent, *epoch),
            C::EndDial {
                item,
                agent,
                epoch,
                result,
            } => self.end_dial(item, agent, *epoch, *result),
            C::Supervise {
                item,
                supervisor,
                level,
            } => self.supervise(item, supervisor, *level),
            C::StopSupervising { item, supervisor } => self.stop_supervising(item, supervisor),
            C::Release { item, supervisor } => self.release_by(item, supervisor),
        }
    }

    fn number(&self, item: &ItemId) -> Result<u64, Refusal> {
        let number = self.index.number_of.get(item).copied();
        number.ok_or(Refusal::UnknownItem)
    }

    /// Numbers come from the index, which knows only what is there.
    fn item_at(&self, n: u64) -> &Item {
        &self.state.items[&n]
    }

    fn item_mut(&mut self, n: u64) -> &mut Item {
        self.state
            .items
            .get_mut(&n)
            .expect("the index knows only items that are there")
    }

    fn agent(&self, id: &AgentId) -> Result<&Agent, Refusal> {
        self.state.agents.get(id).ok_or(Refusal::UnknownAgent)
    }

    fn agent_mut(&mut self, id: &AgentId) -> Result<&mut Agent, Refusal> {
        self.state.agents.get_mut(id).ok_or(Refusal::UnknownAgent)
    }

    /// Brings the index up to date after an item changed.
    fn touch_item(&mut self, n: u64) {
        let placing = self.placing(n);
        let deadline = self.item_deadline(n);
        self.index.place(n, placing);
        self.index.set_timer(Timer::Item(n), deadline);
    }

    /// Brings the index up to date after an agent changed.
    fn touch_agent(&mut self, id: &AgentId) {
        let agent = self.state.agents.get(id);
        self.index.count_slots(id, agent.map(Agent::slots));
        if agent.is_some_and(Agent::takes_offers) {
            self.index.free.insert(id.clone());
            self.index.dirty_agents.insert(id.clone());
        } else {
            self.index.free.remove(id);
            self.index.dirty_agents.remove(id);
        }
        let deadline = self.agent_deadline(id);
        self.index.set_timer(Timer::Agent(id.clone()), deadline);
    }

    /// Tells the desk how an agent stands.
    fn show_agent(&mut self, id: &AgentId) {
        if let Some(agent) = self.state.agents.get(id) {
            let (state, paused) = (agent.state(), agent.paused);
            self.out.push(Effect::AgentChanged {
                agent: id.clone(),
                state,
                paused,
            });
        }
    }

    /// Lets the oldest of the settled items go.
    fn forget(&mut self) {
        let (keep, ms) = (
            self.state.settings.keep_closed as usize,
            self.state.settings.keep_closed_ms,
        );
        while let Some((at, n)) = self.state.settled.front().copied() {
            let age = self.state.now.since(at);
            // Somebody may still be wrapping it up.
            let wrapping = age <= self.state.settings.wrap_up_ms;
            if wrapping || self.state.settled.len() <= keep && age < ms {
                break;
            }
            self.state.settled.pop_front();
            if let Some(item) = self.state.items.remove(&n) {
                self.index.drop_item(&item);
            }
        }
    }

    /// The state with a fresh index.
    fn from_state(state: State) -> Self {
        let mut centre = Self {
            state,
            ..Self::default()
        };
        for agent in centre.state.agents.values() {
            centre.index.set_able(agent);
        }
        for item in centre.state.items.values() {
            centre.index.add_item(item);
            if let (true, Some(c)) = (item.is_open(), &item.callback) {
                centre.index.promise(c.team.clone(), c.from, true);
            }
        }
        let numbers: Vec<u64> = centre.state.items.keys().copied().collect();
        numbers.into_iter().for_each(|n| centre.touch_item(n));
        let agents: Vec<AgentId> = centre.state.agents.keys().cloned().collect();
        agents.iter().for_each(|a| centre.touch_agent(a));
        let codes: Vec<MunicipalityCode> = centre.state.municipalities.keys().copied().collect();
        codes.iter().for_each(|c| centre.touch_municipality(*c));
        let teams: Vec<TeamId> = centre.state.teams.keys().cloned().collect();
        teams.iter().for_each(|t| centre.touch_team(t));
        // A snapshot is taken between steps, when everything has been looked at.
        centre.index.dirty_items.clear();
        centre.index.dirty_agents.clear();
        centre
    }
}

impl PartialEq for Centre {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl Serialize for Centre {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Centre {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        State::deserialize(deserializer).map(Self::from_state)
    }
}

#[cfg(test)]
mod tests;
