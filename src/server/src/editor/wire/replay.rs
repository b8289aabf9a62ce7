//! What a draft would change, and what to write next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ArticleFields, Confusion, LayerName, Links, Twins};

#[derive(Deserialize, ToSchema)]
pub(crate) struct AskReplay {
    pub version: u64,
    /// Recent questions of citizens to ask, at most 2,000.
    pub questions: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Replay {
    pub draft: String,
    pub version: u64,
    pub release: String,
    pub asked: Counts,
    /// Worst first, at most 500.
    pub changes: Vec<Flip>,
    pub unchanged: usize,
    pub areas: Vec<AreaFigures>,
    pub sets: Vec<SetFigures>,
}

#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    pub sets: usize,
    pub examples: usize,
    pub questions: usize,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Flip {
    /// `flipped`, `lost`, `answered` or `contested`.
    pub kind: &'static str,
    pub text: String,
    /// `set`, `example` or `question`.
    pub from: &'static str,
    pub set: Option<String>,
    pub municipality: String,
    pub lang: String,
    pub before: GotShown,
    pub after: GotShown,
    pub expected: Option<Vec<String>>,
    pub better: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Got)]
pub(crate) struct GotShown {
    pub outcome: String,
    pub article: Option<String>,
    pub title: Option<String>,
    pub confidence: f32,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AreaFigures {
    pub area: String,
    pub title: String,
    pub n: u32,
    pub before: Figures,
    pub after: Figures,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SetFigures {
    pub set: String,
    pub guarded: bool,
    pub n: u32,
    pub before: Figures,
    pub after: Figures,
    pub worse: bool,
}

#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Figures {
    pub right: ShareShown,
    pub wrong: ShareShown,
    pub answered: ShareShown,
}

/// A share in per cent, with its 95 % interval.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = Share)]
pub(crate) struct ShareShown {
    pub percent: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct AskNext {
    pub municipality: Option<String>,
    pub days: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Next {
    pub since_ms: i64,
    /// Turns.
    pub looked_at: usize,
    /// Largest first, at most 50.
    pub groups: Vec<Group>,
    pub overdue: Vec<Overdue>,
    pub unreached: Vec<Unreached>,
    /// Most sentences answered wrongly first, at most 200.
    pub confusions: Vec<Confusion>,
    /// Those of two articles first, at most 200.
    pub twins: Vec<Twins>,
    pub links: Links,
    pub replies: Vec<Reply>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Group {
    pub id: String,
    pub size: usize,
    pub municipalities: Vec<String>,
    pub why: Reasons,
    /// Redacted, the most typical first, at most 20.
    pub examples: Vec<String>,
    pub nearest: Option<Nearest>,
    pub draft: Suggested,
}

#[derive(Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Reasons {
    pub unanswered: usize,
    /// A choice was offered, or an answer shown in the lowest quarter between the threshold and certainty.
    pub unsure: usize,
    /// 1 of 3.
    pub rated: usize,
    /// It was the last question before the citizen took a place in the queue or left a number.
    pub person: usize,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Nearest {
    pub id: String,
    pub title: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Suggested {
    pub title: String,
    pub area: String,
    pub article: ArticleFields,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Overdue {
    pub id: String,
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub title: String,
    pub owner: String,
    pub review_by: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Unreached {
    pub id: String,
    pub title: String,
    pub area: String,
}

/// An agent's reply that was sent to the editors.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reply {
    pub id: String,
    pub question: String,
    pub text: String,
    pub municipality: String,
    pub by: String,
    pub at_ms: i64,
}
