//! `[generation]`: whether and where answers are said in other words than the approved ones.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::Lang;
use composition::{Mode, Modes, Wording, speaks};
use serde::Deserialize;

/// What the operator has set; by default every answer is verbatim.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Generation {
    /// A language model by the name of its manifest, or a GGUF file; none: none is loaded.
    pub model: Option<String>,
    /// Of areas that `areas` does not name.
    pub mode: Mode,
    /// By the area's id.
    pub areas: BTreeMap<String, Mode>,
    /// Languages in which answers are written: those that the gate reads, da and en.
    pub languages: BTreeSet<Lang>,
    /// How far a model may go from the approved words.
    pub wording: Wording,
    /// An answer is written for so long at most, in seconds.
    pub seconds: f32,
    /// When nothing could be shown after so many seconds, the answer is verbatim.
    pub first_seconds: f32,
    /// Answers written at once; whoever comes beyond them is answered verbatim at once.
    pub at_once: usize,
    /// Memory for keys and values, in MB.
    pub cache_mb: usize,
    /// Whether a follow-up that was not understood is written out by the model and searched again; set, it has a model
    /// loaded also where no area is `generated`. Not set: where a model is loaded.
    pub rewrite: Option<bool>,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            model: None,
            mode: Mode::Verbatim,
            areas: BTreeMap::new(),
            // What a small model writes in English has been wrong too often: docs/generation.md.
            languages: BTreeSet::from([Lang::Da]),
            wording: Wording::Close,
            seconds: 12.0,
            first_seconds: 5.0,
            at_once: 2,
            cache_mb: 256,
            rewrite: None,
        }
    }
}

impl Generation {
    /// # Errors
    /// What is out of bounds.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.wants_model() && self.languages.is_empty() {
            return Err("languages: da, en; there is none");
        }
        if !self.languages.iter().all(|l| speaks(*l)) {
            return Err("languages: da, en");
        }
        if !(1.0..=120.0).contains(&self.seconds) {
            return Err("seconds: 1 to 120");
        }
        if !(0.5..=self.seconds).contains(&self.first_seconds) {
            return Err("first_seconds: 0.5 up to seconds");
        }
        if !(1..=16).contains(&self.at_once) {
            return Err("at_once: 1 to 16");
        }
        if !(32..=16_384).contains(&self.cache_mb) {
            return Err("cache_mb: 32 to 16384");
        }
        if self.modes().generates() && self.model.is_none() {
            return Err("an area is `generated`, and there is no `model`");
        }
        if self.rewrite == Some(true) && self.model.is_none() {
            return Err("`rewrite` is on, and there is no `model`");
        }
        Ok(())
    }

    pub(crate) fn writes(&self, lang: Lang) -> bool {
        self.languages.contains(&lang)
    }

    /// Whether the model is to be loaded.
    pub(crate) fn wants_model(&self) -> bool {
        self.model.is_some() && (self.modes().generates() || self.rewrite == Some(true))
    }

    /// Whether a follow-up in that language is written out.
    pub(crate) fn rewrites(&self, lang: Lang) -> bool {
        self.rewrite != Some(false) && self.writes(lang)
    }

    pub(crate) fn modes(&self) -> Modes {
        Modes {
            otherwise: self.mode,
            areas: self.areas.clone(),
        }
    }

    pub(crate) fn budget(&self) -> Duration {
        Duration::from_secs_f32(self.seconds)
    }

    pub(crate) fn first(&self) -> Duration {
        Duration::from_secs_f32(self.first_seconds)
    }
}
