//! The cited sections, read once, and where in them a clause is at home.

use std::collections::HashMap;

use crate::clause::{Clause, clauses};
use crate::content::meets;
use crate::facts::{Fact, What};
use crate::lexicon::{Tongue, field, key};
use crate::text::{lines_and_addresses, sentences};
use crate::token::tokens;

/// The sections of one article that an answer cites, slots filled.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    pub title: &'a str,
    /// The municipality that is asked, as it names itself; it may be named wherever a section says "we".
    pub municipality: &'a str,
    pub sections: Vec<Section<'a>>,
}

/// One section: Markdown, slots filled.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    pub id: &'a str,
    pub heading: Option<&'a str>,
    pub body: &'a str,
}

/// Clauses of one stretch of the evidence, at most.
const SPAN: usize = 6;
/// What facts count for when clauses are compared: less than words, for a wrong number must not lead away.
const FACT: f32 = 0.5;

/// A clause of the evidence and where it stands.
pub(crate) struct Placed {
    pub(crate) clause: Clause,
    /// `None` for the article's title.
    pub(crate) section: Option<usize>,
    pub(crate) sentence: usize,
    pub(crate) heading: bool,
    /// Lines are not read across: an item of a list stands for itself.
    line: usize,
    /// What it says, by number, each with its weight.
    features: Vec<(usize, f32)>,
}

pub(crate) struct Ground {
    pub(crate) ids: Vec<String>,
    pub(crate) placed: Vec<Placed>,
    pub(crate) addresses: Vec<Fact>,
    /// The words of the municipality's name, as names are compared.
    pub(crate) municipality: Vec<String>,
    words: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// Where a sentence of the evidence stands.
#[derive(Clone, Copy)]
struct Place {
    section: Option<usize>,
    line: usize,
    sentence: usize,
    heading: bool,
}

/// A stretch of clauses, and how alike it is to a clause of the answer: 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) alike: f32,
}

/// A clause of the answer laid beside every clause of the evidence.
pub(crate) struct Beside {
    /// By feature of the clause: its weight, and how well each clause of the evidence has it.
    rows: Vec<(f32, Vec<f32>)>,
    /// By clause of the evidence: the weight of its features, and how much of that is met.
    met: Vec<(f32, f32)>,
    /// How many of the rows are terms; names and facts follow.
    terms: usize,
}

impl Ground {
    pub(crate) fn read(evidence: &Evidence<'_>, tongue: Tongue) -> Self {
        let mut out = Self {
            ids: evidence.sections.iter().map(|s| s.id.to_owned()).collect(),
            placed: Vec::new(),
            addresses: Vec::new(),
            municipality: tokens(evidence.municipality)
                .iter()
                .filter(|t| t.word())
                .map(|t| key(&t.text))
                .collect(),
            words: Vec::new(),
            numbers: HashMap::new(),
        };
        let (mut sentence, mut line) = (0, 0);
        let at = |section, line, sentence, heading| Place {
            section,
            line,
            sentence,
            heading,
        };
        out.place(evidence.title, at(None, line, sentence, true), tongue);
        let mut addresses = Vec::new();
        for (n, section) in evidence.sections.iter().enumerate() {
            if let Some(heading) = section.heading {
                sentence += 1;
                line += 1;
                out.place(heading, at(Some(n), line, sentence, true), tongue);
            }
            for text in lines_and_addresses(section.body, &mut addresses) {
                line += 1;
                for text in sentences(&text) {
                    sentence += 1;
                    out.place(&text.text, at(Some(n), line, sentence, false), tongue);
                }
            }
        }
        for address in addresses {
            let found = crate::facts::facts(&tokens(&address), tongue);
            out.addresses
                .extend(found.into_iter().filter(|f| f.what == What::Contact));
        }
        out
    }

    fn place(&mut self, text: &str, at: Place, tongue: Tongue) {
        for clause in clauses(text, tongue, 1) {
            let mut features = Vec::new();
            let mut add = |key: String, weight: f32, words: &mut Vec<String>| {
                let next = words.len();
                let id = *self.numbers.entry(key.clone()).or_insert(next);
                if id == next {
                    words.push(key);
                }
                if !features.iter().any(|(i, _)| *i == id) {
                    features.push((id, weight));
                }
            };
            for term in &clause.terms {
                add(term.forms[0].clone(), term.weight, &mut self.words);
            }
            for name in &clause.names {
                add(format!("@{}", name.key), 1.0, &mut self.words);
            }
            if clause.we {
                add("@kommune".to_owned(), 1.0, &mut self.words);
            }
            for fact in &clause.facts {
                add(feature(fact), FACT, &mut self.words);
            }
            self.placed.push(Placed {
                clause,
                section: at.section,
                sentence: at.sentence,
                heading: at.heading,
                line: at.line,
                features,
            });
        }
    }

    /// Lays a clause beside the evidence.
    pub(crate) fn beside(&self, clause: &Clause) -> Beside {
        let mut rows = Vec::new();
        let mut reached = vec![0.0_f32; self.words.len()];
        let mut hits = vec![0.0_f32; self.words.len()];
        let mut row = |weight: f32, hits: &[f32], reached: &mut [f32]| {
            let of = |p: &Placed| {
                p.features
                    .iter()
                    .map(|(id, _)| hits[*id])
                    .fold(0.0, f32::max)
            };
            for (r, h) in reached.iter_mut().zip(hits) {
                *r = r.max(*h);
            }
            rows.push((weight, self.placed.iter().map(of).collect()));
        };
        for term in &clause.terms {
            hits.fill(0.0);
            for (id, word) in self.words.iter().enumerate() {
                hits[id] = term
                    .forms
                    .iter()
                    .map(|f| meets(f, word))
                    .fold(0.0, f32::max);
            }
            row(term.weight, &hits, &mut reached);
        }
        for name in &clause.names {
            hits.fill(0.0);
            for (id, word) in self.words.iter().enumerate() {
                hits[id] = if word.strip_prefix('@') == Some(name.key.as_str()) {
                    1.0
                } else if !word.starts_with(['@', '#']) && field().within(&name.key, word) {
                    0.7
                } else {
                    0.0
                };
            }
            row(1.0, &hits, &mut reached);
        }
        let exact = clause
            .we
            .then(|| ("@kommune".to_owned(), 1.0))
            .into_iter()
            .chain(clause.facts.iter().map(|f| (feature(f), FACT)));
        for (key, weight) in exact {
            hits.fill(0.0);
            if let Some(id) = self.numbers.get(&key) {
                hits[*id] = 1.0;
            }
            row(weight, &hits, &mut reached);
        }
        let met = self
            .placed
            .iter()
            .map(|p| {
                let whole = p.features.iter().map(|(_, w)| w).sum();
                (
                    whole,
                    p.features.iter().map(|(id, w)| w * reached[*id]).sum(),
                )
            })
            .collect();
        Beside {
            rows,
            met,
            terms: clause.terms.len(),
        }
    }

    /// Every stretch of clauses of one line, from and to.
    fn stretches(&self) -> impl Iterator<Item = (usize, usize)> {
        self.placed
            .iter()
            .enumerate()
            .flat_map(move |(from, first)| {
                let most = (from + SPAN).min(self.placed.len());
                (from + 1..=most)
                    .take_while(|to| self.placed[to - 1].line == first.line)
                    .map(move |to| (from, to))
            })
    }

    /// The stretches most like a clause, best first, all within `margin` of the best.
    pub(crate) fn homes(&self, beside: &Beside, margin: f32) -> Vec<Span> {
        let spans = self.stretches().map(|(from, to)| Span {
            from,
            to,
            alike: beside.alike(from, to),
        });
        let mut all: Vec<Span> = spans.filter(|s| s.alike > 0.0).collect();
        all.sort_by(|a, b| {
            b.alike
                .total_cmp(&a.alike)
                .then((a.to - a.from).cmp(&(b.to - b.from)))
        });
        let best = all.first().map_or(0.0, |s| s.alike);
        all.retain(|s| s.alike >= best - margin);
        all.truncate(12);
        all
    }

    /// The stretches in the same words, small ones included, for a clause that says too little to be found by
    /// what it is about.
    pub(crate) fn homes_by_wording(&self, clause: &Clause) -> Vec<Span> {
        let spans = self.stretches().map(|(from, to)| {
            let mut span = Span {
                from,
                to,
                alike: 0.0,
            };
            span.alike = self.wording(clause, span);
            span
        });
        let mut all: Vec<Span> = spans.collect();
        let best = all.iter().map(|s| s.alike).fold(0.0, f32::max);
        all.retain(|s| s.alike >= (best - 0.02).max(0.6));
        all
    }

    /// The share of words that a clause and a stretch have in common, small ones included (Dice).
    pub(crate) fn wording(&self, clause: &Clause, span: Span) -> f32 {
        let there = || {
            self.placed[span.from..span.to]
                .iter()
                .flat_map(|p| &p.clause.words)
        };
        let shared = clause
            .words
            .iter()
            .filter(|w| there().any(|t| t == *w))
            .count();
        2.0 * shared as f32 / (clause.words.len() + there().count()).max(1) as f32
    }

    /// The stretch of whole sentences around a span.
    pub(crate) fn sentences_of(&self, span: Span) -> (usize, usize) {
        let (first, last) = (
            self.placed[span.from].sentence,
            self.placed[span.to - 1].sentence,
        );
        let from = self
            .placed
            .iter()
            .position(|p| p.sentence == first)
            .unwrap_or(span.from);
        let to = self
            .placed
            .iter()
            .rposition(|p| p.sentence == last)
            .map_or(span.to, |n| n + 1);
        (from, to)
    }
}

impl Beside {
    /// Twice what is shared, over all that either says (Dice 1945).
    fn alike(&self, from: usize, to: usize) -> f32 {
        let (mut all, mut shared) = (0.0, 0.0);
        for (weight, hits) in &self.rows {
            all += weight;
            shared += weight * hits[from..to].iter().copied().fold(0.0, f32::max);
        }
        for (whole, met) in &self.met[from..to] {
            all += whole;
            shared += met;
        }
        if all > 0.0 { shared / all } else { 0.0 }
    }

    /// The weight of a stretch, and what of it the clause says.
    pub(crate) fn restated(&self, from: usize, to: usize) -> (f32, f32) {
        let sums = self.met[from..to].iter();
        sums.fold((0.0, 0.0), |(w, m), (x, y)| (w + x, m + y))
    }

    /// Whether any of the evidence has a term of the clause.
    pub(crate) fn known(&self, term: usize) -> bool {
        self.rows[term].1.iter().any(|hit| *hit > 0.0)
    }

    /// How much the clause says at all.
    pub(crate) fn weight(&self) -> f32 {
        self.rows.iter().map(|(w, _)| w).sum()
    }

    /// The weight of the clause's terms, and what of it stands in clauses that pass.
    pub(crate) fn covered(&self, pass: impl Fn(usize) -> bool) -> (f32, f32) {
        let mut out = (0.0, 0.0);
        for (weight, hits) in &self.rows[..self.terms] {
            let best = hits
                .iter()
                .enumerate()
                .filter(|(n, _)| pass(*n))
                .map(|(_, h)| *h);
            out.0 += weight;
            out.1 += weight * best.fold(0.0, f32::max);
        }
        out
    }
}

fn feature(fact: &Fact) -> String {
    format!("#{:?} {}", fact.what, fact.value)
}
