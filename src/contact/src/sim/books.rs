//! The checker's own books: what it knows of people and items from the history alone.

use std::collections::{BTreeMap, BTreeSet};

use base::MunicipalityCode;

use super::bench::Record;
use crate::centre::{
    AgentId, Command, ConnectionId, Effect, ItemId, MessageId, Mode, Moment, NodeId, Profile,
    Refusal, Settings, Team, TeamId,
};
use crate::{Hours, Status, copenhagen, status};

/// Where the checker believes an item to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between two places, which no step may end in.
    Nowhere,
    Waiting {
        held: bool,
    },
    Offered {
        agent: AgentId,
        offer: u64,
    },
    Owned {
        agent: AgentId,
    },
    /// Promised, due or resting.
    Callback,
    Ringing {
        agent: AgentId,
        until: Moment,
    },
    Closed,
}

pub(super) struct ItemBook {
    pub place: Place,
    pub since: Moment,
    pub asked: Moment,
    pub municipality: MunicipalityCode,
    pub epoch: u64,
    pub messages: BTreeSet<MessageId>,
    pub promised: bool,
    /// How often it was rung, as counted here.
    pub attempts: u8,
}

/// What takes a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Offer,
    Work,
    WrapUp,
}

pub(super) struct AgentBook {
    pub profile: Profile,
    pub links: BTreeMap<ConnectionId, NodeId>,
    pub paused: bool,
    pub mode: Mode,
    pub slots: BTreeMap<ItemId, Slot>,
    /// Since when the agent could have taken something, as far as the books tell.
    pub free_since: Option<Moment>,
}

impl AgentBook {
    pub(super) fn has_room(&self) -> bool {
        self.slots.len() < usize::from(self.profile.capacity)
    }

    fn could_take(&self) -> bool {
        !self.links.is_empty() && !self.paused && self.mode == Mode::Push && self.has_room()
    }
}

#[derive(Default)]
pub(super) struct Books {
    pub settings: Settings,
    pub hours: BTreeMap<MunicipalityCode, Hours>,
    pub teams: BTreeMap<TeamId, Team>,
    pub agents: BTreeMap<AgentId, AgentBook>,
    pub items: BTreeMap<ItemId, ItemBook>,
    /// Those that wait and are not held.
    pub waiting: BTreeSet<ItemId>,
    /// Callbacks not settled, by whose staff and when.
    pub promised: BTreeMap<(Option<TeamId>, Moment), BTreeSet<ItemId>>,
}

impl Books {
    /// Notes what the input says of people and settings, if it was allowed.
    pub(super) fn note(&mut self, record: &Record) {
        let refused = |e: &Effect| matches!(e, Effect::Refused { .. });
        if record.effects.iter().any(refused) {
            return;
        }
        match &record.input.command {
            Command::Configure { settings } => self.settings = (**settings).clone(),
            Command::SetMunicipality { code, hours, .. } => {
                self.hours.insert(*code, (**hours).clone());
            }
            Command::SetTeam { team } => {
                self.teams.insert(team.id.clone(), (**team).clone());
            }
            Command::RemoveTeam { team } => {
                self.teams.remove(team);
            }
            Command::SetAgent { profile } => {
                let book = self.agents.entry(profile.id.clone());
                let book = book.or_insert_with(|| AgentBook {
                    profile: (**profile).clone(),
                    links: BTreeMap::new(),
                    paused: false,
                    mode: Mode::Push,
                    slots: BTreeMap::new(),
                    free_since: None,
                });
                book.profile = (**profile).clone();
                book.free_since = None;
            }
            Command::RemoveAgent { agent } => {
                self.agents.remove(agent);
            }
            Command::NodeLost { node } | Command::NodeStarted { node } => {
                for a in self.agents.values_mut() {
                    a.links.retain(|_, on| on != node);
                }
            }
            Command::AgentPresent { agent, link } => {
                if let Some(a) = self.agents.get_mut(agent) {
                    let link = link.clone();
                    a.links.insert(link.connection, link.node);
                }
            }
            Command::AgentAbsent { agent, connection } => {
                if let Some(a) = self.agents.get_mut(agent) {
                    a.links.remove(connection);
                }
            }
            Command::SetMode { agent, mode } => {
                if let Some(a) = self.agents.get_mut(agent) {
                    a.mode = *mode;
                }
            }
            _ => {}
        }
    }

    /// Settles since when each agent is free, after a step.
    pub(super) fn settle(&mut self, at: Moment) {
        for a in self.agents.values_mut() {
            if a.could_take() {
                a.free_since.get_or_insert(at);
            } else {
                a.free_since = None;
            }
        }
    }

    pub(super) fn has_right(&self, agent: &AgentId, code: MunicipalityCode) -> bool {
        let a = self.agents.get(agent);
        a.is_some_and(|a| a.profile.skills.municipalities.contains(&code))
    }

    /// Whether one more callback could have been promised in a slot.
    pub(super) fn may_promise(
        &self,
        code: MunicipalityCode,
        team: Option<&TeamId>,
        from: Moment,
        to: Moment,
    ) -> Result<(), &'static str> {
        let open = |hours: &Hours| match status(hours, from.timestamp()) {
            Status::Open { until } => Moment::from(until.timestamp()) >= to,
            Status::Closed { .. } => false,
        };
        if !self.hours.get(&code).is_some_and(open) {
            return Err("outside the municipality's hours");
        }
        let planned = match team.and_then(|t| self.teams.get(t)) {
            Some(t) if !open(&t.hours) => return Err("outside the team's hours"),
            Some(t) => {
                let local = from.timestamp().to_zoned(copenhagen().clone());
                let day = local.weekday().to_monday_zero_offset().unsigned_abs();
                let hour = local.hour().unsigned_abs();
                usize::from(t.staffing.0[usize::from(day)][usize::from(hour)])
            }
            None => {
                let may = |a: &&AgentId| self.has_right(a, code);
                self.agents.keys().filter(may).count()
            }
        };
        let promised = self.promised.get(&(team.cloned(), from));
        if promised.map_or(0, BTreeSet::len)
            < planned * usize::from(self.settings.callbacks.per_agent)
        {
            Ok(())
        } else {
            Err("above capacity")
        }
    }

    /// How long something may wait while an agent with the right is free, in ms: until everything else is
    /// relaxed, and a declined offer has rested. For ever when something is never relaxed.
    pub(super) fn patience_ms(&self) -> u64 {
        let r = &self.settings.relax;
        let all = [r.team_ms, r.area_ms, r.audience_ms, r.language_ms];
        if all.contains(&None) || r.target_ms.is_none() {
            return u64::MAX;
        }
        let longest = all.into_iter().flatten().max().unwrap_or(0);
        longest
            + r.target_ms.unwrap_or(0)
            + 2 * self.settings.rest_ms
            + self.settings.steady_ms
            + self.settings.offer_timeout_ms
    }
}

/// Whether an input was refused because the log brought it a second time.
pub(super) fn is_duplicate(record: &Record) -> bool {
    let duplicate = |e: &Effect| {
        matches!(
            e,
            Effect::Refused {
                why: Refusal::Duplicate,
                ..
            }
        )
    };
    record.effects.iter().any(duplicate)
}
