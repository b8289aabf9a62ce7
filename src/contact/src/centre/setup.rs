//! What administrators change.

use base::MunicipalityCode;

use super::Centre;
use super::agent::{Agent, Hold, MunicipalityState, Profile, Team, TeamState};
use super::effect::{Effect, Refusal};
use super::ids::{AgentId, AreaId, ItemId, TeamId};
use super::item::Item;
use super::settings::Settings;
use crate::Hours;

/// Characters in a name that citizens see.
const NAME_CHARS: usize = 80;

impl Centre {
    pub(super) fn configure(&mut self, settings: &Settings) -> Result<(), Refusal> {
        let fault = |why: &str| Refusal::Setting(why.to_owned());
        settings.check().map_err(fault)?;
        self.state.settings = settings.clone();
        let codes: Vec<MunicipalityCode> = self.state.municipalities.keys().copied().collect();
        codes.into_iter().for_each(|c| self.refresh_municipality(c));
        let open: Vec<u64> = self.open_items().map(|i| i.number).collect();
        open.into_iter().for_each(|n| self.touch_item(n));
        let agents: Vec<AgentId> = self.state.agents.keys().cloned().collect();
        agents.iter().for_each(|a| self.touch_agent(a));
        Ok(())
    }

    pub(super) fn set_municipality(
        &mut self,
        code: MunicipalityCode,
        hours: &Hours,
        fair_share_permille: Option<u16>,
    ) -> Result<(), Refusal> {
        if fair_share_permille.is_some_and(|p| p > 1000) {
            return Err(Refusal::Setting("fair_share_permille: at most 1000".into()));
        }
        let fresh = MunicipalityState {
            hours: Hours::default(),
            fair_share_permille: None,
            open: false,
            changes_at: None,
            draining_since: None,
            credit: 0,
        };
        let m = self.state.municipalities.entry(code).or_insert(fresh);
        m.hours = hours.clone();
        m.fair_share_permille = fair_share_permille;
        self.refresh_municipality(code);
        Ok(())
    }

    pub(super) fn set_team(&mut self, team: &Team) -> Result<(), Refusal> {
        if team.name.chars().count() > NAME_CHARS {
            return Err(Refusal::TooLong("name".into()));
        }
        let fresh = TeamState {
            team: team.clone(),
            open: false,
            changes_at: None,
        };
        self.state.teams.insert(team.id.clone(), fresh);
        self.refresh_team(&team.id);
        self.touch_all();
        Ok(())
    }

    /// Items of the team are looked at again; agents keep its name until they get another.
    pub(super) fn remove_team(&mut self, id: &TeamId) -> Result<(), Refusal> {
        self.state.teams.remove(id).ok_or(Refusal::UnknownTeam)?;
        self.touch_team(id);
        self.touch_all();
        Ok(())
    }

    /// A new account, or other skills for one. What the agent holds without the right goes back to the
    /// queue, and so do offers when the new capacity is too small for them; chats go on.
    pub(super) fn set_agent(&mut self, profile: &Profile) -> Result<(), Refusal> {
        if profile.name.chars().count() > NAME_CHARS {
            return Err(Refusal::TooLong("name".into()));
        }
        let now = self.state.now;
        let (id, right) = (&profile.id, &profile.skills.municipalities);
        let agents = &mut self.state.agents;
        let agent = agents
            .entry(id.clone())
            .or_insert_with(|| Agent::new(profile.clone(), now));
        agent.profile = profile.clone();
        self.index.set_able(agent);
        let over = agent.holds.len() > usize::from(profile.capacity);
        let held: Vec<(u64, Hold)> = agent.holds.iter().map(|(n, h)| (*n, *h)).collect();
        for (n, hold) in held {
            let works = !matches!(hold, Hold::WrapUp { .. });
            let may = || right.contains(&self.item_at(n).municipality);
            if works && (over && hold == Hold::Offer || !may()) {
                self.lose(n, id, true);
            }
        }
        self.end_watching(id, |item| {
            !profile.supervisor || !right.contains(&item.municipality)
        });
        self.touch_agent(id);
        self.show_agent(id);
        self.tell_unstaffed(None);
        Ok(())
    }

    pub(super) fn remove_agent(&mut self, id: &AgentId) -> Result<(), Refusal> {
        self.agent(id)?;
        self.sign_out(id, true);
        self.end_watching(id, |_| true);
        self.state.agents.remove(id);
        self.index.able.remove(id);
        self.touch_agent(id);
        self.tell_unstaffed(None);
        Ok(())
    }

    /// A supervisor reads no more where a condition holds.
    pub(super) fn end_watching(&mut self, supervisor: &AgentId, ends: impl Fn(&Item) -> bool) {
        let mut ended: Vec<ItemId> = Vec::new();
        for item in self.state.items.values_mut() {
            if item.watchers.contains_key(supervisor) && ends(item) {
                item.watchers.remove(supervisor);
                ended.push(item.id.clone());
            }
        }
        for item in ended {
            let supervisor = supervisor.clone();
            self.out.push(Effect::SupervisionEnded { item, supervisor });
        }
    }

    pub(super) fn open_items(&self) -> impl Iterator<Item = &Item> {
        self.state.items.values().filter(|i| i.is_open())
    }

    /// Whether somebody of a team has the right to a municipality.
    pub(super) fn has_members(&self, team: &TeamId, municipality: MunicipalityCode) -> bool {
        let mut agents = self.state.agents.values();
        agents.any(|a| {
            a.profile.team.as_ref() == Some(team)
                && a.profile.skills.municipalities.contains(&municipality)
        })
    }

    /// The team that fits best: it answers for the municipality and the area, has members, and is open
    /// when that is asked for; the most particular first.
    pub(super) fn fitting_team(
        &self,
        municipality: MunicipalityCode,
        area: Option<&AreaId>,
        open: bool,
    ) -> Option<TeamId> {
        let fits = |t: &&TeamState| {
            t.team.municipalities.contains(&municipality)
                && area.is_none_or(|a| t.team.areas.contains(a))
                && (t.open || !open)
                && self.has_members(&t.team.id, municipality)
        };
        let by = |t: &&TeamState| {
            (
                t.team.areas.breadth(),
                t.team.municipalities.breadth(),
                t.team.id.clone(),
            )
        };
        let teams = self.state.teams.values().filter(fits).min_by_key(by);
        teams.map(|t| t.team.id.clone())
    }
}
