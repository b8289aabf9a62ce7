//! When citizens can be rung back: slots inside opening hours, as many as the planned staff can ring.

use base::MunicipalityCode;
use serde::{Deserialize, Serialize};

use super::Centre;
use super::effect::Refusal;
use super::ids::{AreaId, Moment, TeamId};
use crate::{Hours, Status, copenhagen, status};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A time in which a citizen can be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub from: Moment,
    pub to: Moment,
    /// How many more can be promised; at least 1.
    pub left: u32,
}

impl Centre {
    /// The slots that can be promised to a citizen of a municipality now, in order; at most `most`.
    pub fn callback_slots(
        &self,
        municipality: MunicipalityCode,
        area: Option<&AreaId>,
        most: usize,
    ) -> Vec<Slot> {
        let Some(m) = self.state.municipalities.get(&municipality) else {
            return Vec::new();
        };
        let team = self.slot_team(municipality, area);
        let rules = &self.state.settings.callbacks;
        let end = self.slots_end();
        let mut slots = Vec::new();
        let mut t = self.state.now.plus(rules.lead_ms);
        while t < end && slots.len() < most {
            match status(&m.hours, t.timestamp()) {
                Status::Open { until } => {
                    let until = Moment::from(until.timestamp());
                    let mut from = align(t, rules.slot_ms);
                    while from.plus(rules.slot_ms) <= until && from < end && slots.len() < most {
                        if let Ok((to, left)) = self.slot(municipality, team.as_ref(), from) {
                            slots.push(Slot { from, to, left });
                        }
                        from = from.plus(rules.slot_ms);
                    }
                    t = until;
                }
                Status::Closed { opens: Some(opens) } => t = opens.timestamp().into(),
                Status::Closed { opens: None } => break,
            }
        }
        slots
    }

    /// Whose staffing counts.
    pub(super) fn slot_team(
        &self,
        municipality: MunicipalityCode,
        area: Option<&AreaId>,
    ) -> Option<TeamId> {
        let fallback = self.state.settings.fallback_team.clone();
        self.fitting_team(municipality, area, false)
            .or(fallback.filter(|t| self.state.teams.contains_key(t)))
    }

    /// Slots begin before this.
    pub(super) fn slots_end(&self) -> Moment {
        let days = u64::from(self.state.settings.callbacks.days);
        self.state.now.plus(days * DAY_MS)
    }

    /// The end of a slot that can be promised.
    pub(super) fn check_slot(
        &self,
        municipality: MunicipalityCode,
        team: Option<&TeamId>,
        from: Moment,
    ) -> Result<Moment, Refusal> {
        self.slot(municipality, team, from).map(|(to, _)| to)
    }

    /// A slot's end and what is left of it, if it can be promised.
    fn slot(
        &self,
        municipality: MunicipalityCode,
        team: Option<&TeamId>,
        from: Moment,
    ) -> Result<(Moment, u32), Refusal> {
        let rules = &self.state.settings.callbacks;
        let to = from.plus(rules.slot_ms);
        let m = self.state.municipalities.get(&municipality);
        let m = m.ok_or(Refusal::UnknownMunicipality)?;
        let first = self.state.now.plus(rules.lead_ms);
        if align(from, rules.slot_ms) != from
            || from < first
            || from >= self.slots_end()
            || !open_through(&m.hours, from, to)
        {
            return Err(Refusal::NoSuchSlot);
        }
        let planned = match team.and_then(|t| self.state.teams.get(t)) {
            Some(t) if !open_through(&t.team.hours, from, to) => return Err(Refusal::NoSuchSlot),
            Some(t) => {
                let local = from.timestamp().to_zoned(copenhagen().clone());
                let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0);
                let hour = usize::try_from(local.hour()).unwrap_or(0);
                u32::from(t.team.staffing.0[day][hour])
            }
            // Without teams there is no plan: whoever has the right counts.
            None => {
                let agents = self.state.agents.values();
                let may =
                    agents.filter(|a| a.profile.skills.municipalities.contains(&municipality));
                u32::try_from(may.count()).unwrap_or(u32::MAX)
            }
        };
        let capacity = planned.saturating_mul(u32::from(rules.per_agent));
        let promised = self.index.promised.get(&(team.cloned(), from));
        match capacity.saturating_sub(promised.copied().unwrap_or(0)) {
            0 => Err(Refusal::SlotFull),
            left => Ok((to, left)),
        }
    }
}

/// The next multiple of a slot's length, this instant included. Copenhagen is whole hours from UTC, so slots
/// of half and whole hours begin at those of its clocks.
fn align(t: Moment, slot_ms: u64) -> Moment {
    let slot = i64::try_from(slot_ms).unwrap_or(i64::MAX).max(1);
    let over = t.as_ms().rem_euclid(slot);
    if over == 0 {
        t
    } else {
        t.plus(slot_ms).minus(over.unsigned_abs())
    }
}

fn open_through(hours: &Hours, from: Moment, to: Moment) -> bool {
    match status(hours, from.timestamp()) {
        Status::Open { until } => Moment::from(until.timestamp()) >= to,
        Status::Closed { .. } => false,
    }
}
