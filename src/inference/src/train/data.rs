//! What is learned from: sentences with a class, a language and a role. Nothing here knows what a class stands for.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Recipe;
use super::random::Random;
use crate::digest;
use crate::error::Result;
use crate::tokenize::{Kind, Tokenizer};

/// One text to learn from.
#[derive(Debug, Clone)]
pub struct Sentence {
    /// In NFC.
    pub text: String,
    /// What it asks for; none: it belongs to no class, and is to be far from all.
    pub class: Option<u32>,
    /// Index into [`Data::languages`].
    pub language: usize,
    pub kind: Kind,
    /// Only measured, never trained on.
    pub held_out: bool,
}

/// Everything that a training sees.
#[derive(Debug, Clone, Default)]
pub struct Data {
    pub sentences: Vec<Sentence>,
    /// Names for people; the first is the one that half of every class' sentences are drawn from.
    pub languages: Vec<String>,
    /// Ordinary text, on which the encoder is to stay as it was.
    pub general: Vec<String>,
    /// Pairs of a text and what it belongs to: how well general retrieval still works. Never trained on as pairs.
    pub retrieval: Vec<(String, String)>,
}

impl Data {
    /// SHA-256 over everything, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        let mut add = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        for s in &self.sentences {
            add(&s.text);
            let class = s.class.map_or_else(String::new, |class| class.to_string());
            let held = if s.held_out { "held out" } else { "" };
            let about = [s.kind.prefix(), &class, &self.languages[s.language], held];
            about.into_iter().for_each(&mut add);
        }
        let pairs = self.retrieval.iter().flat_map(|(a, b)| [a, b]);
        self.general.iter().chain(pairs).for_each(|text| add(text));
        digest::hex(hasher)
    }
}

/// Token ids of a text, cut.
pub(super) type Ids = Vec<u32>;

/// The same in token ids, sorted by class.
pub(super) struct Prepared {
    pub(super) languages: Vec<String>,
    pub(super) classes: Vec<Class>,
    /// Without a class: to be far from all.
    pub(super) outside: Vec<Ids>,
    /// Class, language and ids of what is only measured.
    pub(super) held_out: Vec<(u32, usize, Ids)>,
    /// As queries and as passages.
    pub(super) general: Vec<Ids>,
    pub(super) retrieval: Vec<(Ids, Ids)>,
}

/// The training part of one class.
#[derive(Default)]
pub(super) struct Class {
    /// Queries by language.
    pub(super) queries: Vec<Vec<Ids>>,
    pub(super) passages: Vec<Ids>,
}

/// Longest sequences, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Limits {
    pub(super) query: usize,
    pub(super) passage: usize,
}

impl Limits {
    pub(super) fn of(recipe: &Recipe, most: usize) -> Self {
        Self {
            query: recipe.query_tokens.min(most),
            passage: recipe.passage_tokens.min(most),
        }
    }
}

impl Prepared {
    pub(super) fn new(data: &Data, tokenizer: &Tokenizer, limits: Limits) -> Result<Self> {
        // The last token ends the sequence, also where it is cut.
        let cut = |mut ids: Ids, most: usize| {
            if ids.len() > most {
                let end = ids.last().copied();
                ids.truncate(most - 1);
                ids.extend(end);
            }
            ids
        };
        let encode = |kind: Kind, text: &str| -> Result<Ids> {
            let most = match kind {
                Kind::Query => limits.query,
                Kind::Passage => limits.passage,
            };
            Ok(cut(tokenizer.encode(kind, text)?, most))
        };
        let count = data.sentences.iter().filter_map(|s| s.class).max();
        let mut classes = Vec::new();
        classes.resize_with(count.map_or(0, |c| c as usize + 1), || Class {
            queries: vec![Vec::new(); data.languages.len()],
            passages: Vec::new(),
        });
        let (mut outside, mut held_out) = (Vec::new(), Vec::new());
        for s in &data.sentences {
            let ids = encode(s.kind, &s.text)?;
            match (s.class, s.kind) {
                (Some(class), _) if s.held_out => held_out.push((class, s.language, ids)),
                _ if s.held_out => {}
                (None, _) => outside.push(ids),
                (Some(class), Kind::Passage) => classes[class as usize].passages.push(ids),
                (Some(class), Kind::Query) => {
                    classes[class as usize].queries[s.language].push(ids);
                }
            }
        }
        let mut general = Vec::new();
        for text in &data.general {
            general.push(encode(Kind::Query, text)?);
            general.push(encode(Kind::Passage, text)?);
        }
        // Measured as the index does it: nothing is cut but by the encoder.
        let whole = |(from, to): &(String, String)| -> Result<(Ids, Ids)> {
            let query = tokenizer.encode(Kind::Query, from)?;
            Ok((query, tokenizer.encode(Kind::Passage, to)?))
        };
        Ok(Self {
            languages: data.languages.clone(),
            classes,
            outside,
            held_out,
            general,
            retrieval: data.retrieval.iter().map(whole).collect::<Result<_>>()?,
        })
    }

    /// Sentences that stand for each class when it is measured: up to `main` of the first language and one of each
    /// other. The same whatever the seed.
    pub(super) fn stand_for(&self, main: usize) -> Vec<Vec<Ids>> {
        let sample = |(n, class): (usize, &Class)| {
            let mut random = Random::of(&[2, n as u64]);
            let mut chosen = Vec::new();
            for (language, list) in class.queries.iter().enumerate() {
                let list: Vec<&Ids> = list.iter().collect();
                let wanted = if language == 0 { main } else { 1 };
                chosen.extend(random.some(&list, wanted).into_iter().cloned());
            }
            chosen
        };
        self.classes.iter().enumerate().map(sample).collect()
    }
}
