//! All that a span may say: its names and its attributes, each from a set that is closed by its type.

use std::borrow::Cow;

use base::{Lang, MunicipalityCode};
use opentelemetry::KeyValue;

/// What a trace is of. A route is one of the table of rights, as it is registered: with the names of its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// From a citizen's message to the end of its answer.
    Turn,
    /// A citizen asks for a person.
    Handover,
    /// Another release goes live.
    Publish,
    /// A request of staff.
    Request {
        method: &'static str,
        route: &'static str,
    },
}

impl Root {
    pub(super) fn name(self) -> Cow<'static, str> {
        match self {
            Self::Turn => "turn".into(),
            Self::Handover => "handover".into(),
            Self::Publish => "publish".into(),
            Self::Request { method, route } => format!("{method} {route}").into(),
        }
    }
}

/// Part of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// In the line, until it is this question's turn.
    Wait,
    Encode,
    /// Searching, ranking and deciding.
    Search,
    /// A language model writes out a follow-up that was not understood.
    Rewrite,
    /// The answer is said in other words than the approved ones.
    Compose,
    /// Events are kept, and sent.
    Journal,
    /// A command goes through the contact centre's log.
    Centre,
    /// Files are read, laid over one another and checked.
    Check,
    /// A release is made searchable.
    Build,
    /// A release is kept, and its files are written.
    Put,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Encode => "encode",
            Self::Search => "search",
            Self::Rewrite => "rewrite",
            Self::Compose => "compose",
            Self::Journal => "journal",
            Self::Centre => "centre",
            Self::Check => "check",
            Self::Build => "build",
            Self::Put => "put",
        }
    }
}

/// An attribute. A `&'static str` is a word of the program's own: nothing that anybody typed is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Municipality(MunicipalityCode),
    Outcome(&'static str),
    Language(Lang),
    /// Of texts that are encoded, of events that are kept.
    Count(usize),
    Method(&'static str),
    Route(&'static str),
    Status(u16),
}

const MUNICIPALITY: &str = "borgerlinje.municipality";
const OUTCOME: &str = "borgerlinje.outcome";
const LANGUAGE: &str = "borgerlinje.language";
const COUNT: &str = "borgerlinje.count";
// As OpenTelemetry's semantic conventions for HTTP have them.
const METHOD: &str = "http.request.method";
const ROUTE: &str = "http.route";
const STATUS: &str = "http.response.status_code";

/// What may leave. Whatever has another key is taken out before a span is sent ([`super::export`]).
pub(super) const KEYS: [&str; 7] = [
    MUNICIPALITY,
    OUTCOME,
    LANGUAGE,
    COUNT,
    METHOD,
    ROUTE,
    STATUS,
];

impl From<Said> for KeyValue {
    fn from(said: Said) -> Self {
        match said {
            Said::Municipality(code) => Self::new(MUNICIPALITY, code.to_string()),
            Said::Outcome(outcome) => Self::new(OUTCOME, outcome),
            Said::Language(lang) => Self::new(LANGUAGE, lang.code()),
            Said::Count(n) => Self::new(COUNT, i64::try_from(n).unwrap_or(i64::MAX)),
            Said::Method(method) => Self::new(METHOD, method),
            Said::Route(route) => Self::new(ROUTE, route),
            Said::Status(status) => Self::new(STATUS, i64::from(status)),
        }
    }
}
