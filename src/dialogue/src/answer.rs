//! What a citizen is shown.

use base::Lang;
use knowledge::Link;
use serde::{Deserialize, Serialize};

/// Where an answer's facts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub article_id: String,
    pub title: String,
    /// The page or law that the article names.
    pub source: String,
}

/// One of the articles a citizen can pick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub article_id: String,
    pub title: String,
}

/// The text of a turn and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub title: Option<String>,
    /// A line above the answer in the citizen's language, such as that the answer is in Danish.
    pub notice: Option<String>,
    /// Markdown, slots filled.
    pub text: String,
    /// The language of `text`.
    pub content_lang: Lang,
    pub sources: Vec<Source>,
    pub links: Vec<Link>,
    pub choices: Vec<Choice>,
    /// A person should be offered below.
    pub offer_human: bool,
}
