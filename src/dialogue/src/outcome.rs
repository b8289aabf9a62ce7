//! How a turn can end. The list is closed: whoever adds to it must say what each edge does with it.

use serde::{Deserialize, Serialize};

/// The outcome of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// An article was shown as the answer.
    Answered,
    /// The citizen was asked which of two or three articles is meant.
    Clarify,
    /// A guided flow began. No flow exists yet; the name is reserved in the protocol.
    Flow,
    /// A greeting, thanks, or talk that no article is about.
    Smalltalk,
    /// Help lines were shown at once.
    Crisis,
    /// A person was offered.
    Handover,
    /// The message was an attack or abuse and was not acted on.
    Refused,
    /// Something broke; nothing was lost.
    Failed,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Clarify => "clarify",
            Outcome::Flow => "flow",
            Outcome::Smalltalk => "smalltalk",
            Outcome::Crisis => "crisis",
            Outcome::Handover => "handover",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
        }
    }
}
