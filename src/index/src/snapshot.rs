//! A release made searchable. Immutable: built beside the live one and swapped in whole.

mod build;
mod material;
mod overlap;
mod passages;
mod revise;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use base::{Lang, MunicipalityCode, without_masks};
use knowledge::{ArticleIx, Intent, Release};

use crate::Error;
use crate::analysis::Analyzer;
use crate::language::Identifier;
use crate::lexical::{Lexical, Side};
use crate::ranker::{Class, Query, Ranker};
use crate::spelling::Spelling;

use passages::Passages;

pub use build::{BuildOptions, Embed, Stage};
pub use overlap::{Confusion, Judgement, Overlap, Sentence, Strayed, Twins};

/// BM25 hits that are looked at per query.
const BM25_HITS: usize = 60;

/// A searchable release.
pub struct Snapshot {
    pub release: Arc<Release>,
    analyzer: Arc<Analyzer>,
    lexical: Lexical,
    ranker: Ranker,
    passages: Passages,
    /// Class of each article.
    class_of: Vec<Option<usize>>,
    identifier: Arc<Identifier>,
    /// In how many classes' sentences a word's stem stands, by language, as a share of the classes that have
    /// sentences in it.
    spread: Arc<HashMap<(Lang, String), f32>>,
    spelling: Arc<Spelling>,
}

/// Classes from which on something is of many matters, however few the release has in all.
const MANY: f32 = 8.0;

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Redacted; masks are left out of the search.
    pub text: &'a str,
    /// Of the same text, encoded as a query.
    pub vector: &'a [f32],
    pub lang: Lang,
    pub municipality: MunicipalityCode,
}

/// An article that may answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    pub article: ArticleIx,
    /// Probability among everything a message can be about, 0 to 1.
    pub score: f32,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Visible articles, best first.
    pub candidates: Vec<Candidate>,
    /// Probability that the first is the right answer, calibrated, 0 to 1.
    pub confidence: f32,
    /// The likeliest control intent and its probability.
    pub intent: Option<(Intent, f32)>,
    /// Probability of a cry for help.
    pub crisis: f32,
    /// The likeliest kind of message that no article answers, and the probability of all kinds.
    pub outside: Option<(String, f32)>,
    /// Probability that it wants the service to do what it should not: of that kind alone.
    pub attack: f32,
    /// The section of the first article that is nearest to the question.
    pub section: Option<u32>,
}

/// The kind of messages that speak to the machine, by its file in `out_of_scope/`.
const ATTACK: &str = "attack";

impl Snapshot {
    pub fn answer_threshold(&self) -> f32 {
        self.ranker.answer_threshold()
    }

    pub fn clarify_threshold(&self) -> f32 {
        self.ranker.clarify_threshold()
    }

    /// A query's vector less the mean of all example sentences, of unit length: cosines of such vectors tell apart,
    /// where those of the encoder's own crowd together. As long as `vector`, which must be the encoder's.
    pub fn centred(&self, vector: &[f32]) -> Vec<f32> {
        self.ranker.centre_query(vector)
    }

    /// The language of a message; `expected`, the dialogue's, wins where the text says little.
    pub fn language(&self, text: &str, expected: Lang) -> Lang {
        self.identifier.identify(text, expected)
    }

    /// The message as it is meant: Danish words that nobody writes so are read as those that the release has a letter
    /// or two away.
    pub fn spelled<'a>(&self, text: &'a str, lang: Lang) -> Cow<'a, str> {
        match lang {
            Lang::Da => self.spelling.read(text, self.analyzer.compounds()),
            _ => Cow::Borrowed(text),
        }
    }

    /// Whether no word of the message points at a subject: every one of them is used of many matters, as in
    /// "hvad koster det?". Such a message means something only beside what came before.
    pub fn unspecific(&self, text: &str, lang: Lang) -> bool {
        let limit = if lang == Lang::Da { 0.10 } else { 0.02 };
        self.every_word_spreads(text, lang, limit)
    }

    /// Whether a message says no more than what many matters have in common: "tilskud", "kørekort", "nyt kort". Alone
    /// it could be answered with any of them.
    pub fn vague(&self, text: &str, lang: Lang) -> bool {
        let limit: f32 = if lang == Lang::Da { 0.05 } else { 0.01 };
        let limit = limit.max(MANY / self.ranker.classes.len() as f32);
        self.every_word_spreads(text, lang, limit)
    }

    fn every_word_spreads(&self, text: &str, lang: Lang, limit: f32) -> bool {
        let terms = self.analyzer.query_terms(text);
        let spread = |t| self.spread.get(&(lang, t)).copied();
        terms
            .into_iter()
            .all(|t| spread(t).is_some_and(|s| s >= limit))
    }

    /// Finds what a message is about, among what its municipality sees.
    ///
    /// # Errors
    /// [`Error::UnknownMunicipality`], [`Error::Tantivy`].
    pub fn search(&self, ask: &Ask<'_>) -> Result<Found, Error> {
        let (view, region) = self.place(ask.municipality)?;
        let text = without_masks(ask.text);
        // An id has one article per view: the one a class stands for here.
        let mut article_of: Vec<Option<ArticleIx>> = vec![None; self.ranker.classes.len()];
        for ix in view.articles() {
            if let Some(c) = self.class_of[ix as usize] {
                article_of[c] = Some(ix);
            }
        }
        let q = self.ranker.centre_query(ask.vector);
        let mut sections = vec![(-0.3_f32, 0.0_f32); self.ranker.classes.len()];
        let mut nearest: Vec<Option<(f32, u32)>> = vec![None; self.ranker.classes.len()];
        for (article, section, cosine) in self.passages.cosines(&q, (ask.municipality, region)) {
            let Some(c) = self.class_of[article as usize].filter(|_| view.sees(article)) else {
                continue;
            };
            if nearest[c].is_none_or(|(best, _)| cosine > best) {
                nearest[c] = Some((cosine, section));
                sections[c].0 = cosine;
            }
        }
        let terms = self.analyzer.query_terms(&text);
        for hit in
            self.lexical
                .search(&terms, Side::Sections, ask.municipality, region, BM25_HITS)?
        {
            if let Some(c) = self.class_of[hit.article as usize] {
                sections[c].1 = sections[c].1.max(hit.score);
            }
        }
        let ranking = self.ranker.rank(&Query {
            text: &text,
            vector: ask.vector,
            lang: ask.lang,
            allowed: &|c| article_of[c].is_some(),
            sections: &sections,
        });
        let mut found = Found {
            candidates: Vec::with_capacity(view.len()),
            confidence: ranking.confidence,
            intent: None,
            crisis: 0.0,
            outside: None,
            attack: 0.0,
            section: None,
        };
        for r in &ranking.ranked {
            match &self.ranker.classes[r.class] {
                Class::Article(_) => {
                    if let Some(article) = article_of[r.class] {
                        if found.candidates.is_empty() {
                            found.section = nearest[r.class].map(|n| n.1);
                        }
                        found.candidates.push(Candidate {
                            article,
                            score: r.probability,
                        });
                    }
                }
                Class::Intent(i) => {
                    if *i == Intent::Crisis {
                        found.crisis = r.probability;
                    }
                    found.intent.get_or_insert((*i, r.probability));
                }
                Class::OutOfScope(kind) => {
                    if kind == ATTACK {
                        found.attack = r.probability;
                    }
                    found
                        .outside
                        .get_or_insert_with(|| (kind.clone(), ranking.outside));
                }
            }
        }
        Ok(found)
    }

    /// Articles by BM25 alone, sections and example sentences together, best first.
    ///
    /// # Errors
    /// As [`Snapshot::search`].
    pub fn by_words(&self, text: &str, code: MunicipalityCode) -> Result<Vec<Candidate>, Error> {
        let (_, region) = self.place(code)?;
        let terms = self.analyzer.query_terms(text);
        let mut best: HashMap<ArticleIx, (f32, f32)> = HashMap::new();
        for side in [Side::Sections, Side::Examples] {
            for hit in self.lexical.search(&terms, side, code, region, BM25_HITS)? {
                let e = best.entry(hit.article).or_default();
                let slot = if side == Side::Sections {
                    &mut e.0
                } else {
                    &mut e.1
                };
                *slot = slot.max(hit.score);
            }
        }
        Ok(sorted(best.into_iter().map(|(a, (s, e))| (a, s + e))))
    }

    /// Articles by vectors alone, the nearest of sections and example sentences, best first.
    ///
    /// # Errors
    /// As [`Snapshot::search`].
    pub fn by_vectors(
        &self,
        vector: &[f32],
        code: MunicipalityCode,
    ) -> Result<Vec<Candidate>, Error> {
        let (view, region) = self.place(code)?;
        let query = self.ranker.centre_query(vector);
        let class_best = self.ranker.nearest(&query);
        let mut best: HashMap<ArticleIx, f32> = HashMap::new();
        for ix in view.articles() {
            if let Some(c) = self.class_of[ix as usize] {
                best.insert(ix, class_best[c]);
            }
        }
        for (article, _, cosine) in self.passages.cosines(&query, (code, region)) {
            best.entry(article).and_modify(|b| *b = b.max(cosine));
        }
        Ok(sorted(best.into_iter()))
    }

    fn place(&self, code: MunicipalityCode) -> Result<(&knowledge::View, MunicipalityCode), Error> {
        let unknown = Error::UnknownMunicipality(code);
        match (
            self.release.view(code),
            self.release.municipalities.get(&code),
        ) {
            (Some(view), Some(m)) => Ok((view, m.region)),
            _ => Err(unknown),
        }
    }
}

fn sorted(scored: impl Iterator<Item = (ArticleIx, f32)>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = scored
        .map(|(article, score)| Candidate { article, score })
        .collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.article.cmp(&b.article)));
    all
}

#[cfg(test)]
mod tests;
