//! Drafts, and what changes them.

use std::collections::BTreeMap;

use base::MunicipalityCode;
use jiff::civil::Date;
use knowledge::{Article, Audience};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ByLang, FaultShown, LayerName, Who};

/// An article's front matter as fields, and its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Article)]
pub(crate) struct ArticleFields {
    pub id: String,
    pub area: String,
    pub title: String,
    #[schema(value_type = String)]
    pub audience: Audience,
    pub source: String,
    pub owner: String,
    pub review_by: String,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    pub kle: Option<String>,
    #[serde(default)]
    pub keywords: Vec<String>,
    #[serde(default)]
    pub crisis: bool,
    #[serde(default)]
    pub links: Vec<LinkFields>,
    /// Sentences citizens write, by language.
    #[serde(default)]
    pub examples: ByLang,
    /// Markdown, slots not filled.
    pub body: String,
    #[serde(default, skip_deserializing)]
    pub sections: Vec<SectionShown>,
}

impl ArticleFields {
    /// An article for citizens that nobody has written yet, to be read again in half a year.
    pub(crate) fn begun(id: String, area: String, title: String, today: Date) -> Self {
        let review_by = today.saturating_add(jiff::Span::new().months(6));
        Self {
            id,
            area,
            title,
            audience: Audience::Citizen,
            source: String::new(),
            owner: String::new(),
            review_by: review_by.to_string(),
            valid_from: None,
            valid_to: None,
            kle: None,
            keywords: Vec::new(),
            crisis: false,
            links: Vec::new(),
            examples: ByLang::default(),
            body: String::new(),
            sections: Vec::new(),
        }
    }
}

impl From<&Article> for ArticleFields {
    fn from(a: &Article) -> Self {
        let date = |d: &jiff::civil::Date| d.to_string();
        Self {
            id: a.id.clone(),
            area: a.area.clone(),
            title: a.title.clone(),
            audience: a.audience,
            source: a.source.clone(),
            owner: a.owner.clone(),
            review_by: date(&a.review_by),
            valid_from: a.valid_from.as_ref().map(date),
            valid_to: a.valid_to.as_ref().map(date),
            kle: a.kle.clone(),
            keywords: a.keywords.clone(),
            crisis: a.crisis,
            links: a.links.iter().map(LinkFields::from).collect(),
            examples: a
                .examples
                .iter()
                .map(|(lang, list)| (lang.code().to_owned(), list.clone()))
                .collect(),
            body: a.body.clone(),
            sections: a
                .sections
                .iter()
                .map(|s| SectionShown {
                    heading: s.heading.clone(),
                    text: s.text.clone(),
                })
                .collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkFields {
    pub title: String,
    pub url: String,
}

impl From<&knowledge::Link> for LinkFields {
    fn from(l: &knowledge::Link) -> Self {
        Self {
            title: l.title.clone(),
            url: l.url.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Section)]
pub(crate) struct SectionShown {
    pub heading: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Rate)]
pub(crate) struct RateFields {
    pub id: String,
    pub name: String,
    pub value: String,
    pub unit: String,
    pub year: i16,
    pub source: String,
    #[serde(default)]
    pub sample: bool,
    /// Articles that use it.
    #[serde(default, skip_deserializing)]
    pub used_by: Vec<String>,
}

/// What a municipality says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Facts {
    pub sample: bool,
    pub contact: BTreeMap<String, String>,
    /// By weekday: `08:00-20:00` or `lukket`.
    pub hours: BTreeMap<String, String>,
    pub closed: Vec<String>,
    pub accent: String,
    pub links: BTreeMap<String, String>,
    pub hidden: Vec<String>,
}

/// One thing that a draft changes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    Article {
        #[schema(value_type = String)]
        layer: LayerName,
        article: Box<ArticleFields>,
        was: Option<String>,
    },
    RemoveArticle {
        #[schema(value_type = String)]
        layer: LayerName,
        id: String,
    },
    Hide {
        #[schema(value_type = String)]
        municipality: MunicipalityCode,
        id: String,
        hidden: bool,
    },
    Rate {
        rate: RateFields,
    },
    RemoveRate {
        id: String,
    },
    Facts {
        #[schema(value_type = String)]
        municipality: MunicipalityCode,
        facts: Box<Facts>,
    },
    File {
        file: String,
        text: Option<String>,
    },
    Revert {
        file: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DraftFile {
    pub file: String,
    /// `added`, `changed` or `removed`.
    pub change: String,
    #[schema(value_type = Option<String>)]
    pub layer: Option<LayerName>,
    pub article: Option<String>,
    pub title: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Draft {
    pub id: String,
    pub title: String,
    pub why: String,
    pub state: String,
    pub author: Who,
    pub writers: Vec<Who>,
    pub created_ms: i64,
    pub changed_ms: i64,
    pub version: u64,
    pub base: String,
    pub source: Option<String>,
    pub schedule: Option<Schedule>,
    pub approval: Approval,
    pub release: Option<u64>,
    pub files: Vec<DraftFile>,
    pub faults: Vec<FaultShown>,
    pub conflicts: Vec<String>,
    pub comments: Vec<Comment>,
    pub replay: Option<ReplayNote>,
    pub may: May,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedule {
    pub at_ms: i64,
    pub by: Who,
    /// Why it was not published then.
    pub problem: Option<String>,
    /// Why it is published although it makes a guarded set worse.
    #[serde(rename = "override", default)]
    pub overridden: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Approval {
    pub needed: bool,
    pub why: Vec<String>,
    pub by: Option<Who>,
    pub at_ms: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Comment {
    pub id: u64,
    pub by: Who,
    pub at_ms: i64,
    pub text: String,
    pub file: Option<String>,
}

/// What is kept of a comment.
#[derive(Serialize, Deserialize)]
pub(crate) struct CommentMeta {
    pub by: Who,
    pub text: String,
    pub file: Option<String>,
}

/// The last replay of a draft.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReplayNote {
    pub version: u64,
    pub job: String,
    pub worse: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct May {
    pub edit: bool,
    pub approve: bool,
    pub publish: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Drafts {
    pub drafts: Vec<Draft>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewDraft {
    pub title: String,
    #[serde(default)]
    pub why: String,
    #[serde(default)]
    pub changes: Vec<Change>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Changes {
    pub version: u64,
    #[serde(default)]
    pub changes: Vec<Change>,
    pub title: Option<String>,
    pub why: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Resolve {
    pub version: u64,
    pub file: String,
    pub theirs_hash: String,
    pub text: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewComment {
    pub text: String,
    pub file: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewState {
    pub version: u64,
    /// `open`, `waiting`, `approved`, `scheduled` or `dropped`.
    pub to: String,
    pub at_ms: Option<i64>,
    pub comment: Option<String>,
    /// Of what is scheduled: why it is published although it makes a guarded set worse.
    #[serde(rename = "override")]
    pub overridden: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Publish {
    pub version: u64,
    #[serde(rename = "override")]
    pub overridden: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Versions {
    pub versions: Vec<Version>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Version {
    pub version: u64,
    pub by: Who,
    pub at_ms: i64,
    pub files: Vec<DraftFile>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Conflicts {
    pub conflicts: Vec<Conflict>,
}

/// A file that two have changed in the same places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Conflict {
    pub file: String,
    pub base: Option<String>,
    pub yours: Option<String>,
    pub theirs: Option<String>,
    pub theirs_hash: String,
    pub merged: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Diffs {
    pub files: Vec<FileDiff>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FileDiff {
    #[serde(flatten)]
    pub file: DraftFile,
    /// Lines.
    pub added: usize,
    pub removed: usize,
    pub hunks: Vec<Hunk>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Hunk {
    pub old_line: usize,
    pub new_line: usize,
    pub lines: Vec<DiffLine>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DiffLine {
    /// A blank, `+` or `-`.
    pub op: &'static str,
    pub parts: Vec<DiffPart>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DiffPart {
    pub text: String,
    pub changed: bool,
}
