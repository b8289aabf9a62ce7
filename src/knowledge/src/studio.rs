//! `studio.toml`: what the editors' studio asks before something is published. Nothing is learned from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::front_matter::{line_of, parse};
use crate::{Fault, File};

/// Its path.
pub(crate) const FILE: &str = "studio.toml";

/// Where a second person must approve a change.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Studio {
    /// Ids of areas.
    pub approve_areas: BTreeSet<String>,
    /// Articles with `crisis = true`, whatever their area.
    pub approve_crisis: bool,
    /// Paths of files that are no articles, such as `krise.toml`.
    pub approve_files: BTreeSet<String>,
}

impl Default for Studio {
    /// A wrong word or number can cost a life there.
    fn default() -> Self {
        Self {
            approve_areas: BTreeSet::new(),
            approve_crisis: true,
            approve_files: BTreeSet::from(["krise.toml".to_owned()]),
        }
    }
}

impl Studio {
    pub(crate) fn parse(file: &File) -> Result<Self, Fault> {
        parse(&file.path, &file.text, 1)
    }

    pub(crate) fn check(
        &self,
        text: &str,
        areas: &BTreeMap<String, String>,
        faults: &mut Vec<Fault>,
    ) {
        for area in self
            .approve_areas
            .iter()
            .filter(|a| !areas.contains_key(*a))
        {
            let line = line_of(text, area);
            let why = format!("«{area}» is not in omraader.toml");
            faults.push(Fault::error(FILE, line, "approve_areas", why));
        }
    }
}
