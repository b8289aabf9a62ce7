//! What must hold of messages.

use super::super::bench::Record;
use super::super::books::{Place, is_duplicate};
use super::{Checker, is_owner};
use crate::centre::{Command, Effect, Readers, Sender};

impl Checker {
    /// A message that was allowed is delivered exactly once in its step.
    pub(super) fn delivery(&mut self, record: &Record) {
        let Command::Message { item, message, .. } = &record.input.command else {
            return;
        };
        let refused = |e: &&Effect| matches!(e, Effect::Refused { .. });
        let refused = record.effects.iter().find(refused).is_some();
        let delivered = |e: &&Effect| matches!(e, Effect::Deliver { item: i, message: m, .. } if i == item && m == message);
        let times = record.effects.iter().filter(delivered).count();
        if times != usize::from(!refused) {
            self.fault(format!(
                "{message} was delivered {times} times, refused: {refused}"
            ));
        }
        if record.input.recovered && refused && !is_duplicate(record) {
            self.fault(format!("{message} was acknowledged, recovered, and lost"));
        }
    }

    pub(super) fn delivered(&mut self, effect: &Effect) {
        let Effect::Deliver {
            item,
            message,
            from,
            to,
            owner,
            late,
            dialogue,
            ..
        } = effect
        else {
            return;
        };
        let Some(i) = self.books.items.get_mut(item) else {
            // Kept, though its item is not in the log.
            if dialogue.is_some() || !late {
                self.fault(format!("{message} was delivered in an unknown item"));
            }
            return;
        };
        let (place, epoch, code) = (i.place.clone(), i.epoch, i.municipality);
        if !i.messages.insert(message.clone()) {
            self.fault(format!("{message} was delivered twice"));
        }
        let fits = match from {
            Sender::Agent { agent, epoch: e } => is_owner(&place, agent) && *e == epoch,
            Sender::Bot => !matches!(place, Place::Owned { .. } | Place::Closed),
            Sender::Citizen => place != Place::Closed,
            Sender::Supervisor { agent } => self.books.has_right(agent, code),
        };
        if !fits && !late {
            self.fault(format!(
                "{message} of {from:?} was delivered while {place:?}"
            ));
        }
        if let Some(owner) = owner
            && (!is_owner(&place, owner) || !self.books.has_right(owner, code))
        {
            self.fault(format!("{message} went to {owner} while {place:?}"));
        }
        if *to == Readers::Staff && !matches!(from, Sender::Supervisor { .. }) {
            self.fault(format!("{message} was kept from the citizen"));
        }
    }
}
