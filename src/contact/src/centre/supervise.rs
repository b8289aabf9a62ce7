//! Supervisors: read, coach, barge in, release. Each is an input and an effect, so the log is the audit.

use super::Centre;
use super::effect::{Effect, Refusal, ReleaseReason, WaitReason};
use super::ids::{AgentId, ItemId};
use super::item::{ItemState, Level};

impl Centre {
    /// The item's number, if this account supervises and has the right to the municipality.
    fn supervised(&self, id: &ItemId, supervisor: &AgentId) -> Result<u64, Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        let profile = &self.agent(supervisor)?.profile;
        let right = profile.skills.municipalities.contains(&item.municipality);
        if !profile.supervisor || !right {
            Err(Refusal::NotAllowed)
        } else if !item.is_open() {
            Err(Refusal::Ended)
        } else {
            Ok(n)
        }
    }

    pub(super) fn supervise(
        &mut self,
        id: &ItemId,
        supervisor: &AgentId,
        level: Level,
    ) -> Result<(), Refusal> {
        let n = self.supervised(id, supervisor)?;
        let item = self.item_mut(n);
        item.watchers.insert(supervisor.clone(), level);
        self.out.push(Effect::Supervised {
            item: id.clone(),
            supervisor: supervisor.clone(),
            level,
        });
        Ok(())
    }

    pub(super) fn stop_supervising(
        &mut self,
        id: &ItemId,
        supervisor: &AgentId,
    ) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let watched = self.item_mut(n).watchers.remove(supervisor);
        watched.ok_or(Refusal::WrongState)?;
        self.out.push(Effect::SupervisionEnded {
            item: id.clone(),
            supervisor: supervisor.clone(),
        });
        Ok(())
    }

    /// Back to the queue, at its place, and not to the same agent at once.
    pub(super) fn release_by(&mut self, id: &ItemId, supervisor: &AgentId) -> Result<(), Refusal> {
        let n = self.supervised(id, supervisor)?;
        let ItemState::Owned { agent, .. } = self.item_at(n).state.clone() else {
            return Err(Refusal::WrongState);
        };
        self.disown(n, ReleaseReason::Supervisor);
        self.rest(n, &agent);
        self.wait(n, WaitReason::Released);
        Ok(())
    }

    /// After a transfer to another municipality: who has no right there reads no more.
    pub(super) fn end_watching_without_right(&mut self, n: u64) {
        let item = self.item_at(n);
        let code = item.municipality;
        let may = |a: &AgentId| self.index.may_serve(a, code);
        let ended: Vec<AgentId> = item.watchers.keys().filter(|a| !may(a)).cloned().collect();
        for supervisor in ended {
            let item = self.item_mut(n);
            item.watchers.remove(&supervisor);
            let item = item.id.clone();
            self.out.push(Effect::SupervisionEnded { item, supervisor });
        }
    }
}
