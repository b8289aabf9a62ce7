//! Which articles may be said how.

use std::collections::BTreeMap;

use knowledge::{Article, Release};
use serde::{Deserialize, Serialize};

/// How an answer is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The approved text, whole.
    #[default]
    Verbatim,
    /// Sentences of the approved text, as they stand.
    Shortened,
    /// Written by a language model from the approved text.
    Generated,
}

impl Mode {
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Mode::Verbatim, Mode::Shortened, Mode::Generated];
        all.into_iter().find(|m| m.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Mode::Verbatim => "verbatim",
            Mode::Shortened => "shortened",
            Mode::Generated => "generated",
        }
    }
}

/// What the operator has set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// Of areas that are not named.
    pub otherwise: Mode,
    /// By the area's id.
    pub areas: BTreeMap<String, Mode>,
}

impl Modes {
    /// How that article may be said. What the knowledge keeps verbatim stays so, whatever the operator has set.
    pub fn of(&self, release: &Release, article: &Article) -> Mode {
        if release.generation.verbatim(article) {
            return Mode::Verbatim;
        }
        let own = self.areas.get(&article.area);
        own.copied().unwrap_or(self.otherwise)
    }

    /// Whether a language model is asked at all.
    pub fn generates(&self) -> bool {
        let mut all = self.areas.values().chain([&self.otherwise]);
        all.any(|m| *m == Mode::Generated)
    }

    /// What the operator should hear of these settings: areas that are not there, or that stay verbatim.
    pub fn faults(&self, release: &Release) -> Vec<String> {
        let fault = |(area, mode): (&String, &Mode)| {
            if !release.areas.contains_key(area) {
                return Some(format!("«{area}» is not in omraader.toml"));
            }
            let kept = *mode != Mode::Verbatim && release.generation.areas.contains(area);
            kept.then(|| format!("«{area}» stays verbatim: generation.toml names it"))
        };
        self.areas.iter().filter_map(fault).collect()
    }
}
