//! Bringing knowledge in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LayerName;

#[derive(Deserialize, ToSchema)]
pub(crate) struct AskImport {
    /// Of the file.
    pub name: String,
    /// `csv`, `json` or `rasa`.
    pub format: String,
    pub text: String,
    #[schema(value_type = String)]
    pub layer: LayerName,
    /// Where a row names none.
    pub area: Option<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
}

#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Imported {
    pub read: usize,
    pub drafts: Vec<ImportedDraft>,
    pub skipped: Vec<Skipped>,
    pub duplicates: Vec<Duplicate>,
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
}

/// A row that is there already.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Duplicate {
    pub row: usize,
    pub title: String,
    /// An article's id, or `row 17`.
    pub of: String,
    /// 0 to 1.
    pub likeness: f32,
}
