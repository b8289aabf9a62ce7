//! Messages: one order for everybody, and nothing from a late or second owner.

use super::Centre;
use super::effect::{Effect, Readers, Refusal};
use super::ids::{AgentId, ItemId, MessageId, Text};
use super::input::Sender;
use super::item::{ItemState, Level};

impl Centre {
    /// A message of the chat. One that is recovered was acknowledged: where it has no place any more it is
    /// kept all the same, marked as late.
    pub(super) fn message(
        &mut self,
        id: &ItemId,
        message: &MessageId,
        from: &Sender,
        text: &Text,
        recovered: bool,
    ) -> Result<(), Refusal> {
        let deliver = |to, late| Effect::Deliver {
            item: id.clone(),
            dialogue: None,
            municipality: None,
            message: message.clone(),
            from: from.clone(),
            to,
            owner: None,
            text: text.clone(),
            late,
        };
        let Ok(n) = self.number(id) else {
            if recovered {
                self.out.push(deliver(Readers::All, true));
                return Ok(());
            }
            return Err(Refusal::UnknownItem);
        };
        self.fits("text", text)?;
        if self.item_at(n).seen.contains(message) {
            return Err(Refusal::Duplicate);
        }
        let (to, late) = match self.may_write(n, id, from) {
            Ok(to) => (to, false),
            Err(_) if recovered => (readers(from), true),
            Err(why) => return Err(why),
        };
        let most = usize::from(self.state.settings.limits.recent_messages);
        let item = self.item_mut(n);
        while item.seen.len() >= most {
            item.seen.pop_front();
        }
        item.seen.push_back(message.clone());
        let mut effect = deliver(to, late);
        if let Effect::Deliver {
            dialogue,
            municipality,
            owner,
            ..
        } = &mut effect
        {
            *dialogue = Some(item.dialogue.clone());
            *municipality = Some(item.municipality);
            *owner = item.owner().cloned();
        }
        self.out.push(effect);
        Ok(())
    }

    /// Whether somebody may write now, and for whom.
    fn may_write(&self, n: u64, id: &ItemId, from: &Sender) -> Result<Readers, Refusal> {
        let item = self.item_at(n);
        match (from, &item.state) {
            (_, ItemState::Closed { .. }) => Err(Refusal::Ended),
            (Sender::Citizen, _) => Ok(Readers::All),
            (Sender::Bot, ItemState::Owned { .. }) => Err(Refusal::BotSilenced),
            (Sender::Bot, _) => Ok(Readers::All),
            (Sender::Agent { agent, epoch }, _) => {
                self.owned_by(id, agent, *epoch).map(|_| Readers::All)
            }
            (Sender::Supervisor { agent }, _) => match item.watchers.get(agent) {
                Some(Level::BargeIn) => Ok(Readers::All),
                Some(Level::Coach) => Ok(Readers::Staff),
                Some(Level::Monitor) | None => Err(Refusal::NotAllowed),
            },
        }
    }

    pub(super) fn note(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
        text: &Text,
    ) -> Result<(), Refusal> {
        let n = self.owned_by(id, agent, epoch)?;
        self.fits("text", text)?;
        self.out.push(Effect::Noted {
            item: id.clone(),
            agent: agent.clone(),
            municipality: self.item_at(n).municipality,
            text: text.clone(),
        });
        Ok(())
    }
}

/// Who may read a recovered message whose writer has no part in the chat now: a supervisor's may have been
/// meant for the agent alone.
fn readers(from: &Sender) -> Readers {
    match from {
        Sender::Supervisor { .. } => Readers::Staff,
        Sender::Citizen | Sender::Bot | Sender::Agent { .. } => Readers::All,
    }
}
