//! Bringing knowledge in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LayerName;

#[derive(Deserialize, ToSchema)]
pub(crate) struct AskImport {
    /// Of the file; of a website it may be left out.
    #[serde(default)]
    pub name: String,
    /// `csv`, `json`, `rasa`, `docx`, `pdf` or `web`.
    pub format: String,
    /// Of `csv`, `json` and `rasa`.
    #[serde(default)]
    pub text: String,
    /// The file of `docx` and `pdf`, in base64.
    #[serde(default)]
    pub data: String,
    /// Of `web`: the address of a sitemap.
    pub sitemap: Option<String>,
    /// Of `web`: only pages of the sitemap whose address begins so.
    pub under: Option<String>,
    /// Of `web`: pages.
    #[serde(default)]
    pub addresses: Vec<String>,
    #[schema(value_type = String)]
    pub layer: LayerName,
    /// Where a row names none.
    pub area: Option<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// Rows, pages, or articles of a document.
    pub read: usize,
    pub drafts: Vec<ImportedDraft>,
    pub skipped: Vec<Skipped>,
    pub duplicates: Vec<Duplicate>,
    /// Brought in, but live articles answer the question already.
    pub alike: Vec<Duplicate>,
    /// Pages whose articles say what the page says.
    pub unchanged: usize,
    /// Pages that say something else than when they were last brought in.
    pub changed: Vec<ChangedPage>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedDraft {
    pub id: String,
    pub title: String,
    pub articles: usize,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Skipped {
    pub row: usize,
    /// In Danish.
    pub why: String,
    /// The page's address.
    pub address: Option<String>,
}

impl Skipped {
    pub(crate) fn new(row: usize, why: impl Into<String>) -> Self {
        Self {
            row,
            why: why.into(),
            address: None,
        }
    }
}

/// A row that is there already.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Duplicate {
    pub row: usize,
    pub title: String,
    /// An article's id, or `row 17`.
    pub of: String,
    /// The open draft that has that article.
    pub draft: Option<String>,
    /// 0 to 1.
    pub likeness: f32,
}

/// A page whose article is changed by a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ChangedPage {
    pub address: String,
    /// The article's id.
    pub article: String,
    pub title: String,
    /// Lines.
    pub added: usize,
    pub removed: usize,
    /// Editors had changed the same: a draft that has the article open was left as it is, a live article's words are
    /// replaced by the page's in the draft.
    pub clash: bool,
    /// The draft that holds the change; of a clash in an open draft, that one.
    pub draft: String,
}
