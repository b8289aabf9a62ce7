//! What the gate says of a sentence, in a form that a turn's record can keep.

use serde::{Deserialize, Serialize};

/// The judgement of one sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The ids of the sections that carry it, one or two, best first.
    Kept { sections: Vec<String> },
    /// At least one fault.
    Dropped { why: Vec<Fault> },
}

impl Verdict {
    pub fn kept(&self) -> bool {
        matches!(self, Verdict::Kept { .. })
    }
}

/// A reason to drop a sentence. Each carries the piece of the sentence, or of the evidence, that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// A number, an amount, a share or a duration that the section does not carry for this matter.
    Number { text: String },
    /// The number is there, but under another limit: under for over, at least for at most, before for after.
    Limit { text: String },
    /// A date, month or weekday.
    Date { text: String },
    /// A time of day.
    Time { text: String },
    /// A telephone number, e-mail or web address.
    Contact { text: String },
    /// A paragraph of law.
    Law { text: String },
    /// An authority, form, system, place or product.
    Name { text: String },
    /// The clause is denied where the section's is not, or the other way; `without` and `unless` included.
    Polarity { text: String },
    /// `only` came or went.
    Only { text: String },
    /// Must, may and should do not agree.
    Modality { text: String },
    /// All, most, some or always do not agree.
    Quantity { text: String },
    /// The section says normally or often, the sentence says it outright.
    Hedge { text: String },
    /// The section says so under a condition that the sentence leaves out.
    Condition { text: String },
    /// Too little of the sentence is in the sections.
    Unsupported { share: f32 },
    /// The vectors put it too far from the sections.
    Meaning { cosine: f32 },
    /// Not the language that was asked for, or one whose facts the gate cannot read.
    Language { text: String },
    /// A promise or a guarantee.
    Promise { text: String },
    /// A decision in the citizen's case.
    Decision { text: String },
    /// Personal advice.
    Advice { text: String },
    /// A piece of the instructions, or talk of them.
    Leak { text: String },
    /// Nothing that can be read as a sentence.
    Empty,
}

impl Fault {
    /// The name under which it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Number { .. } => "number",
            Fault::Limit { .. } => "limit",
            Fault::Date { .. } => "date",
            Fault::Time { .. } => "time",
            Fault::Contact { .. } => "contact",
            Fault::Law { .. } => "law",
            Fault::Name { .. } => "name",
            Fault::Polarity { .. } => "polarity",
            Fault::Only { .. } => "only",
            Fault::Modality { .. } => "modality",
            Fault::Quantity { .. } => "quantity",
            Fault::Hedge { .. } => "hedge",
            Fault::Condition { .. } => "condition",
            Fault::Unsupported { .. } => "unsupported",
            Fault::Meaning { .. } => "meaning",
            Fault::Language { .. } => "language",
            Fault::Promise { .. } => "promise",
            Fault::Decision { .. } => "decision",
            Fault::Advice { .. } => "advice",
            Fault::Leak { .. } => "leak",
            Fault::Empty => "empty",
        }
    }
}
