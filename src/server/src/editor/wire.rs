//! What the studio's API sends and takes: docs/studio-api.md in types.

mod changes;
mod danish;
mod import;
mod insight;
mod replay;

use std::collections::BTreeMap;
use std::sync::Arc;

use knowledge::{Audience, Layer, Severity};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

pub(crate) use self::changes::*;
pub(crate) use self::import::*;
pub(crate) use self::insight::*;
pub(crate) use self::replay::*;

/// `shared`, or the code of a region or a municipality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "0751")]
pub(crate) struct LayerName(pub Layer);

impl TryFrom<String> for LayerName {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse().map(Self)
    }
}

impl From<LayerName> for String {
    fn from(l: LayerName) -> String {
        l.0.to_string()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Who {
    pub user: String,
    pub name: String,
}

/// A fault that the check of the knowledge found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Fault)]
pub(crate) struct FaultShown {
    /// `error`, `expired` or `warning`.
    pub severity: String,
    pub file: String,
    /// From 1; 0 is the whole file.
    pub line: usize,
    pub field: String,
    /// Danish; what has no words yet is as the check says it.
    pub text: String,
}

impl From<&knowledge::Fault> for FaultShown {
    fn from(f: &knowledge::Fault) -> Self {
        let severity = match f.severity {
            Severity::Error => "error",
            Severity::Expired => "expired",
            Severity::Warning => "warning",
        };
        Self {
            severity: severity.to_owned(),
            file: f.file.clone(),
            line: f.line,
            field: f.field.clone(),
            text: danish::danish(f),
        }
    }
}

pub(crate) fn shown(faults: &[knowledge::Fault]) -> Vec<FaultShown> {
    faults.iter().map(FaultShown::from).collect()
}

/// `GET /me`
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    pub user: String,
    pub name: String,
    pub roles: Vec<String>,
    pub csrf: String,
    /// May write the shared layer and the common tables.
    pub everywhere: bool,
    pub municipalities: Vec<String>,
    pub regions: Vec<String>,
}

/// `GET /status`
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    pub release: String,
    pub number: u64,
    pub articles: usize,
    pub examples: usize,
    pub drafts_open: usize,
    pub folder: Folder,
    /// The job that publishes just now.
    pub publishing: Option<String>,
    pub faults: Vec<FaultShown>,
    /// Every node, by name; empty where there is only one.
    pub nodes: Vec<super::NodeShown>,
}

/// What was changed in the knowledge folder by others.
#[derive(Serialize, ToSchema)]
pub(crate) struct Folder {
    pub changed: Vec<String>,
    pub faults: Vec<FaultShown>,
}

/// `GET /knowledge`
#[derive(Serialize, ToSchema)]
pub(crate) struct Knowledge {
    pub release: String,
    pub municipalities: Vec<MunicipalityRow>,
    pub areas: Vec<AreaRow>,
    pub owners: Vec<String>,
    pub articles: Vec<ArticleRow>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MunicipalityRow {
    pub code: String,
    pub name: String,
    pub region: String,
    /// Articles in its own layer.
    pub own: usize,
    pub hidden: usize,
    pub writable: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AreaRow {
    pub id: String,
    pub title: String,
    pub articles: usize,
    /// A second person must approve.
    pub approval: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ArticleRow {
    pub id: String,
    pub title: String,
    pub area: String,
    pub owner: String,
    #[schema(value_type = String)]
    pub audience: Audience,
    pub crisis: bool,
    #[schema(value_type = Vec<String>)]
    pub layers: Vec<LayerName>,
    pub hidden_in: Vec<String>,
    pub examples: usize,
    pub review_by: String,
    pub overdue: bool,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    /// `shared`, `region`, `own`, `hidden` or `none`.
    pub seen: Option<&'static str>,
    pub drafts: Vec<String>,
}

/// `GET /articles/{id}`
#[derive(Serialize, ToSchema)]
pub(crate) struct ArticleVersions {
    pub id: String,
    pub versions: Vec<ArticleVersion>,
    pub seen: Option<Seen>,
    pub hidden_in: Vec<String>,
    pub releases: Vec<ReleaseOf>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ArticleVersion {
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub file: String,
    /// None: the file cannot be read.
    pub article: Option<ArticleFields>,
    pub text: String,
    /// `live`, `added`, `changed` or `removed`, by the draft.
    pub state: &'static str,
    pub live_text: Option<String>,
    pub writable: bool,
    pub faults: Vec<FaultShown>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Seen {
    pub municipality: String,
    #[schema(value_type = Option<String>)]
    pub layer: Option<LayerName>,
    pub hidden: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReleaseOf {
    pub number: u64,
    pub at_ms: i64,
    pub by: Who,
    pub title: String,
}

/// `POST /preview`
#[derive(Deserialize, ToSchema)]
pub(crate) struct PreviewAsked {
    #[schema(value_type = String)]
    pub municipality: base::MunicipalityCode,
    #[schema(value_type = String)]
    pub layer: LayerName,
    pub article: ArticleFields,
    pub draft: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Preview {
    pub title: String,
    /// Markdown, slots filled.
    pub body: String,
    pub links: Vec<LinkFields>,
    pub source: String,
    pub words: usize,
    pub words_min: usize,
    pub words_max: usize,
    pub text: String,
    pub body_line: usize,
    pub faults: Vec<FaultShown>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Slots {
    pub slots: Vec<SlotShown>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SlotShown {
    pub slot: String,
    pub label: String,
    pub value: String,
    /// `rate`, `municipality`, `link` or `crisis`.
    pub kind: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Rates {
    pub rates: Vec<RateFields>,
    pub writable: bool,
}

/// `GET /facts/{code}`
#[derive(Serialize, ToSchema)]
pub(crate) struct FactsShown {
    pub code: String,
    pub name: String,
    pub region: String,
    pub writable: bool,
    pub facts: Facts,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct JobStarted {
    pub job: String,
}

/// `GET /jobs/{id}`
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct JobShown {
    pub id: String,
    pub kind: &'static str,
    pub by: Who,
    /// `running`, `done`, `failed` or `stopped`.
    pub state: &'static str,
    pub step: String,
    pub done: usize,
    pub total: usize,
    #[schema(value_type = Option<Object>)]
    pub error: Option<serde_json::Value>,
    /// `Published`, `Replay`, `Next`, `Imported` or `Links`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Text>,
}

/// A JSON text that is sent as it is: a result may have megabytes, and is asked for again and again.
#[derive(Clone)]
pub(crate) struct Text(Arc<RawValue>);

impl Text {
    pub(crate) fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(to_raw_value(value)?.into()))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.get().len()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Published {
    pub release: Release,
}

/// A release of the history.
#[derive(Serialize, ToSchema)]
pub(crate) struct Release {
    pub number: u64,
    pub hash: String,
    pub at_ms: i64,
    #[serde(flatten)]
    pub meta: ReleaseMeta,
    pub undone_by: Option<u64>,
    pub live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<Vec<FileDiff>>,
}

/// What is kept of a release besides its texts.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReleaseMeta {
    pub by: Who,
    pub title: String,
    pub why: String,
    /// `draft`, `undo`, `folder` or `start`.
    pub kind: String,
    pub draft: Option<String>,
    pub draft_version: Option<u64>,
    pub undoes: Option<u64>,
    pub approved_by: Option<Who>,
    #[serde(rename = "override")]
    pub overridden: Option<String>,
    pub files: Vec<DraftFile>,
}

impl ReleaseMeta {
    /// The draft that it publishes, and at which version.
    pub(super) fn drafted(&self) -> Option<(String, u64)> {
        Some((self.draft.clone()?, self.draft_version?))
    }

    /// Whether the guarded sets are asked before it is live: of what was undone they were, and somebody in need of the
    /// old answers does not wait for them.
    pub(super) fn guarded(&self) -> bool {
        matches!(self.kind.as_str(), "draft" | "folder")
            && !super::replay::excused(self.overridden.as_deref())
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Releases {
    pub releases: Vec<Release>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Why {
    pub why: String,
}

/// `POST /releases/folder`
#[derive(Deserialize, ToSchema)]
pub(crate) struct Adopt {
    pub why: String,
    /// Why it is published although it makes a guarded set worse.
    #[serde(rename = "override")]
    pub overridden: Option<String>,
}

/// An error; some carry more fields.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(
    dead_code,
    reason = "its shape is described; the body is made in `problem`"
)]
pub(crate) struct ProblemShown {
    pub code: String,
    pub text: String,
    pub faults: Option<Vec<FaultShown>>,
    pub conflicts: Option<Vec<Conflict>>,
    pub sets: Option<Vec<String>>,
}

pub(crate) type ByLang = BTreeMap<String, Vec<String>>;
