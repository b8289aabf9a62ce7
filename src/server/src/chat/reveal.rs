//! What was hidden in a message, shown to the agent who has the chat when the citizen says so (docs/decisions/0012).
//!
//! The citizen's page has the words as they were written, and sends them once more, on purpose, for one message and one
//! ownership. They go from that socket to the owner's desk through memory of this node, and are kept nowhere.

use std::sync::Arc;
use std::time::Duration;

use base::{Lang, clean};
use contact::centre::{AgentId, ItemId};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::turn::{Done, Refusal, Request};
use crate::transcript::Reveal;
use crate::wire::{Code, MAX_TEXT, ToCitizen, text};

/// How long the desk is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whoever has the chat.
struct Owner {
    item: ItemId,
    agent: AgentId,
    epoch: u64,
    name: String,
}

/// What is kept of a message.
#[derive(Deserialize)]
struct Kept {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    masked: Vec<base::Masked>,
}

impl Request<'_> {
    async fn owner(&self) -> Option<Owner> {
        let found = self.app.centre.read(|c| {
            let item = c.chat_of(&self.dialogue.id)?;
            let agent = item.owner()?;
            Some(Owner {
                item: item.id.clone(),
                agent: agent.clone(),
                epoch: item.epoch,
                name: c.agent_state(agent)?.profile.name.clone(),
            })
        });
        found.await.ok().flatten()
    }

    /// Whether that agent's desk is open at this node; with a text, whether it was sent it.
    async fn at_desk(&self, owner: &Owner, text: Option<Arc<str>>) -> bool {
        let (there, mut heard) = mpsc::channel(1);
        let reveal = Reveal {
            item: owner.item.clone(),
            agent: owner.agent.clone(),
            epoch: owner.epoch,
            text,
            there,
        };
        // The sender goes with what is sent, so a desk that is not here is an end and no wait.
        self.app.reveals.send(reveal).is_ok()
            && matches!(timeout(PATIENCE, heard.recv()).await, Ok(Some(())))
    }

    /// Something was hidden in a message to a person: the citizen is told that it can be shown, where it can be.
    pub(super) async fn may_reveal(&self, lang: Lang) {
        let Some(owner) = self.owner().await else {
            return;
        };
        if self.at_desk(&owner, None).await {
            let said = self.say("may_reveal", lang, &[("name", &owner.name)]);
            self.dialogue.tell(&ToCitizen::Reveal {
                client_id: self.client_id.as_str(),
                epoch: Some(owner.epoch),
                text: &said,
            });
        }
    }

    /// The citizen lets the owner of this epoch see a message as it was written. Only what is kept with something hidden
    /// goes this way: it is no second chat beside the one that is kept.
    pub(crate) async fn reveal(&self, epoch: u64, written: &str) -> Done {
        let mut state = self.dialogue.state.lock().await;
        let lang = state.context.lang;
        self.limited(&mut state)?;
        let no = || {
            let said = self.say("error_not_revealed", lang, &[]);
            Err(Refusal::new(Code::NotPossible, said))
        };
        let cleaned = clean(written);
        if cleaned.chars().count() > MAX_TEXT {
            return no();
        }
        let kept = self.known(lang).await?;
        let kept: Option<Kept> = kept.and_then(|k| serde_json::from_str(&k).ok());
        let redacted = self.redacted(&cleaned);
        let same = kept.is_some_and(|k| {
            k.kind == "citizen" && !k.masked.is_empty() && k.text == redacted.text
        });
        let owner = self.owner().await.filter(|o| same && o.epoch == epoch);
        let Some(owner) = owner else {
            return no();
        };
        if !self.at_desk(&owner, Some(cleaned.into())).await {
            return no();
        }
        let said = self.say("revealed", lang, &[("name", &owner.name)]);
        Ok(Some(text(&ToCitizen::Reveal {
            client_id: self.client_id.as_str(),
            epoch: None,
            text: &said,
        })))
    }
}
