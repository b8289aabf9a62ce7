//! The labels. Each is a word of the program's own or a municipality's code, by type.

use std::fmt::{self, Write as _};

use base::MunicipalityCode;
use composition::{Composition, Mode};
use grounding::Fault;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// A municipality's code as a label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Code(MunicipalityCode);

impl From<MunicipalityCode> for Code {
    fn from(code: MunicipalityCode) -> Self {
        Self(code)
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.0.as_str())
    }
}

/// A release's hash, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hash(String);

impl Hash {
    /// The beginning that people are shown.
    pub(super) fn of(hash: &str) -> Self {
        let hex = hash.chars().filter(char::is_ascii_hexdigit);
        Self(hex.take(12).collect())
    }
}

impl EncodeLabelValue for Hash {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(&self.0)
    }
}

macro_rules! labels {
    ($($name:ident { $($label:ident: $type:ty),+ })+) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $name {
            $(pub(super) $label: $type,)+
        }
    )+};
}

labels! {
    Turn { outcome: &'static str, municipality: Code }
    Town { municipality: Code }
    Reason { reason: &'static str }
    Step { step: &'static str }
    Cause { cause: &'static str }
    Outcome { outcome: &'static str }
    Answer { result: &'static str }
    State { state: &'static str }
    Lane { lane: &'static str }
    What { what: &'static str }
    Build { version: &'static str }
    Version { version: &'static str }
    Served { hash: Hash }
}

/// Why an answer that was to be said in other words is verbatim; `written` and `shortened`: it is not.
pub(super) const CAUSES: [&str; 19] = [
    "written",
    "shortened",
    "long",
    "markup",
    "instruction",
    "case",
    "promise",
    "premise",
    "language",
    "hardly_shorter",
    "switched_off",
    "no_model",
    "busy",
    "late",
    "gate",
    "circles",
    "person",
    "model_failed",
    "other",
];

/// The cause in one word. What the turn's record says in words may be more: it does not become a label.
pub(super) fn cause(told: &Composition) -> &'static str {
    let Some(why) = told.fell_back.as_deref() else {
        return match told.mode {
            Mode::Shortened => "shortened",
            Mode::Generated | Mode::Verbatim => "written",
        };
    };
    match why {
        "hardly shorter" => "hardly_shorter",
        "switched off" => "switched_off",
        "no model" | "the model is being loaded" | "the model is unavailable" => "no_model",
        "others are being answered" | "the machine is busy" => "busy",
        "nothing could be shown in time" => "late",
        "nothing passed the gate" => "gate",
        "the model went in circles" => "circles",
        "a person has the chat" => "person",
        _ if why.starts_with("the model failed") => "model_failed",
        _ => CAUSES.into_iter().find(|c| *c == why).unwrap_or("other"),
    }
}

/// What becomes of a sentence that a model wrote: `shown`, or the first fault that the gate found.
pub(super) const SENTENCES: [&str; 23] = [
    "shown",
    "far",
    "number",
    "limit",
    "date",
    "time",
    "contact",
    "law",
    "name",
    "polarity",
    "only",
    "modality",
    "quantity",
    "hedge",
    "condition",
    "unsupported",
    "meaning",
    "language",
    "promise",
    "decision",
    "advice",
    "leak",
    "empty",
];

/// A fault in one word; none: too far from every approved sentence.
pub(super) fn fault(fault: Option<&Fault>) -> &'static str {
    fault.map_or("far", Fault::name)
}
