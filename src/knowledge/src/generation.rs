//! `generation.toml`: what is only ever said in the municipality's own words. Nothing is learned from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::front_matter::{line_of, parse};
use crate::{Article, Fault, File};

/// Its path.
pub(crate) const FILE: &str = "generation.toml";

/// What stays verbatim, whatever an operator sets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Generation {
    /// Ids of areas.
    #[serde(rename = "verbatim_areas")]
    pub areas: BTreeSet<String>,
    /// Ids of articles, in every layer.
    #[serde(rename = "verbatim_articles")]
    pub articles: BTreeSet<String>,
    /// Articles with `crisis = true`.
    #[serde(rename = "verbatim_crisis")]
    pub crisis: bool,
}

impl Default for Generation {
    /// In a crisis every word counts.
    fn default() -> Self {
        Self {
            areas: BTreeSet::new(),
            articles: BTreeSet::new(),
            crisis: true,
        }
    }
}

impl Generation {
    pub(crate) fn parse(file: &File) -> Result<Self, Fault> {
        parse(&file.path, &file.text, 1)
    }

    /// Whether that article is only ever shown as it stands.
    pub fn verbatim(&self, article: &Article) -> bool {
        (self.crisis && article.crisis)
            || self.areas.contains(&article.area)
            || self.articles.contains(&article.id)
    }

    /// Names that are not there: a slip of the pen must not take a protection away unseen.
    pub(crate) fn check(
        &self,
        text: &str,
        areas: &BTreeMap<String, String>,
        articles: &[Article],
        faults: &mut Vec<Fault>,
    ) {
        let said = |name: &str, why: &str| (line_of(text, name), format!("«{name}» {why}"));
        for area in self.areas.iter().filter(|a| !areas.contains_key(*a)) {
            let (line, why) = said(area, "is not in omraader.toml");
            faults.push(Fault::error(FILE, line, "verbatim_areas", why));
        }
        // An article may have gone, and nothing of it is left to protect.
        for id in &self.articles {
            if !articles.iter().any(|a| a.id == *id) {
                let (line, why) = said(id, "is no article's id");
                faults.push(Fault::warning(FILE, line, "verbatim_articles", why));
            }
        }
    }
}
