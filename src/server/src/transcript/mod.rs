//! The lines of dialogues that people have taken over: written into the journal of every node by folding the
//! contact centre's log, and read from there. Used by `chat` and `desk`; knows neither.
//!
//! - [`Writer`] is the centre's sink. It turns each step into events of its dialogue and has the journal keep
//!   them before anybody hears of the step. So what is acknowledged is in the log and in the dialogue.
//! - Everything it writes has a key: what citizens sent, their own id; the rest, one that begins with `@`, which
//!   no citizen's id does. Steps may come again; each of their lines is there once.
//! - [`Carried`] travels with a command: the events to be written when it is allowed, and with a request what
//!   another node needs to go on with the dialogue. So the numbers of events may differ between nodes.
//! - Notes and coaching are lines for staff alone and never events of a dialogue.

mod carried;
mod line;
mod say;
mod write;

use std::sync::Arc;

use base::DialogueId;
use contact::centre::{AgentId, ItemId};
use tokio::sync::mpsc;

use crate::app::App;

pub(crate) use self::carried::{Carried, CarriedEvent, citizen_message, unhex};
pub(crate) use self::line::{By, Line};
pub(crate) use self::say::{slot_text, slots_shown};
pub(crate) use self::write::Writer;

/// Somebody writes, at this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typing {
    pub dialogue: DialogueId,
    pub by: Typist,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typist {
    Citizen,
    Agent,
}

/// What was hidden in a message, on its way to the one whom the citizen lets see it. It passes through memory of this
/// node alone: it is in no command, event, log or journal, and no form of it is written anywhere (so: no `Debug`).
#[derive(Clone)]
pub(crate) struct Reveal {
    pub item: ItemId,
    /// Whoever has the chat, by this ownership.
    pub agent: AgentId,
    pub epoch: u64,
    /// None: it is only asked whether that desk is open here.
    pub text: Option<Arc<str>>,
    /// Told when it was there.
    pub there: mpsc::Sender<()>,
}

/// Everything that was said in a dialogue, oldest first: the desk's `lines`. Empty when this node does not know
/// the dialogue.
///
/// # Errors
/// The journal's.
pub(crate) async fn lines(app: &App, dialogue: &DialogueId) -> Result<Vec<Line>, storage::Error> {
    let found = app.journal.transcript(dialogue).await?;
    Ok(found.map_or_else(Vec::new, line::of_transcript))
}

/// The lines that a step adds, each with the item it is a line of, with the same ids as in [`lines`].
pub(crate) fn lines_of(step: &crate::centre::Step) -> Vec<(Option<contact::centre::ItemId>, Line)> {
    line::of_step(step)
}

#[cfg(test)]
mod tests;
