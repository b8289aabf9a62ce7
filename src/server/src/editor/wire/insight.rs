//! What editors see of the knowledge as a whole: thresholds, sentences in each other's way, links.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LayerName;

/// `GET /thresholds`. Every list of counts is as long as `thresholds` and in its order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Thresholds {
    pub release: String,
    /// At or above this confidence an answer is shown.
    pub answer: f32,
    /// At or above, and below `answer`: the citizen chooses between two or three.
    pub clarify: f32,
    pub budget: Budget,
    /// Falling; `answer` is one of them.
    pub thresholds: Vec<f32>,
    pub all: Curve,
    /// Sorted by title.
    pub areas: Vec<AreaCurve>,
    pub outside: Outside,
}

/// What the operator allows, in per cent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Budget {
    pub wrong: f64,
    pub unanswerable: f64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Curve {
    /// Example sentences that it rests on.
    pub n: u32,
    /// Of them, answered with that threshold, rightly or wrongly.
    pub answered: Vec<u32>,
    pub wrong: Vec<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AreaCurve {
    pub area: String,
    pub title: String,
    #[serde(flatten)]
    pub curve: Curve,
    /// Messages that no article answers, and that would be answered from here.
    pub strays: Vec<u32>,
}

/// Messages that no article answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outside {
    pub n: u32,
    pub answered: Vec<u32>,
}

/// Example sentences of one article that lead to another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Confusion {
    pub of: Named,
    pub with: Named,
    /// Sentences that would be answered wrongly.
    pub shown: usize,
    /// The surest first.
    pub sentences: Vec<Strayed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Named {
    pub id: String,
    pub title: String,
    pub area: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Strayed {
    pub text: String,
    pub lang: String,
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub file: String,
    /// How sure the other article was; absent where only the nearest sentences say so.
    pub confidence: Option<f32>,
    /// The other article would be shown as the answer.
    pub shown: bool,
    /// The sentence of the other article that is nearest.
    pub nearest: Option<String>,
}

/// Two example sentences that say the same.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Twins {
    pub one: Twin,
    pub other: Twin,
    /// Share of their runs of three letters that both have, 0 to 1.
    pub likeness: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Twin {
    pub id: String,
    pub title: String,
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub file: String,
    pub lang: String,
    pub text: String,
}

/// What became of the links when they were last looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Links {
    /// When the last look began; absent before the first.
    pub at_ms: Option<i64>,
    /// Links that were looked at.
    pub checked: usize,
    /// Those that somebody should look at, the worst first.
    pub faults: Vec<LinkFault>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkFault {
    pub url: String,
    /// `gone` (404 or 410), `refused` (another refusal), `failing` (5xx), `unreachable`, `moved` (for good), `private`
    /// (an address of an internal network: it was not asked), `bad` (not an address).
    pub kind: String,
    pub status: Option<u16>,
    /// Where it leads instead.
    pub to: Option<String>,
    /// Danish, for people.
    pub text: String,
    pub at_ms: i64,
    pub used_by: Vec<LinkUse>,
}

/// Where a link stands: in an article, or in a municipality's facts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkUse {
    /// Of the article; absent for facts.
    pub id: Option<String>,
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub title: String,
}
