//! How well the gate works: true sentences that must pass, and the same with one fact changed that must not.
//!
//! Everything is made from an article's own sentences and a seed, so a run can be repeated. The gate was
//! developed on the areas of one half; the figures that count are those of the other.

mod changes;
mod conditions;
mod exchange;
mod report;
mod truths;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::Lang;

use crate::evidence::{Evidence, Section};
use crate::gate::{Gate, Options};
use crate::text::Sentence;

pub use changes::Change;
pub use report::{Excluded, Figures, Half, Miss, Report};

/// An article as citizens of one municipality read it.
#[derive(Clone, Debug)]
pub struct Article {
    pub id: String,
    pub area: String,
    pub title: String,
    /// Heading and Markdown, the short answer first.
    pub sections: Vec<(Option<String>, String)>,
}

/// A true sentence, written by hand from a section.
#[derive(Clone, Debug)]
pub struct Written {
    pub article: String,
    /// Empty for the short answer.
    pub heading: String,
    pub text: String,
}

/// What a measure is made with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    /// Cases of one change, language and half, at most, drawn from all articles by the seed.
    pub most: usize,
    pub options: Options,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 7,
            most: 250,
            options: Options::default(),
        }
    }
}

/// Reads `article, heading, sentence`, tab-separated, with a header line.
///
/// # Errors
/// The first line that has not three fields.
pub fn written(text: &str) -> Result<Vec<Written>, String> {
    let rows = text.lines().enumerate().skip(1);
    rows.filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[article, heading, text] = fields.as_slice() else {
                return Err(format!(
                    "line {}: {} fields, expected 3",
                    n + 1,
                    fields.len()
                ));
            };
            Ok(Written {
                article: article.to_owned(),
                heading: heading.to_owned(),
                text: text.to_owned(),
            })
        })
        .collect()
}

/// A sentence that the sections carry.
pub(crate) struct Truth {
    pub(crate) text: String,
    /// How it was made, for the report.
    pub(crate) form: &'static str,
    /// The place of its section.
    pub(crate) section: usize,
    pub(crate) lang: Lang,
}

/// Pseudo-random numbers (splitmix64), the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64, what: &str) -> Self {
        let mix = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        Self(what.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, mix))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn of_list<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        (!list.is_empty()).then(|| list[self.below(list.len())])
    }
}

/// The sections that an answer from one section would cite: it, the short answer, and the next.
fn cited(article: &Article, section: usize) -> Vec<usize> {
    let count = article.sections.len();
    let next = if section + 1 < count {
        section + 1
    } else {
        section.saturating_sub(1)
    };
    let all: BTreeSet<usize> = [0, section, next].into();
    all.into_iter().collect()
}

fn gate(article: &Article, sections: &[usize], lang: Lang, options: &Options) -> Gate {
    let ids: Vec<String> = sections
        .iter()
        .map(|n| format!("{}#{n}", article.id))
        .collect();
    let cited = sections.iter().zip(&ids).map(|(n, id)| Section {
        id,
        heading: article.sections[*n].0.as_deref(),
        body: &article.sections[*n].1,
    });
    let evidence = Evidence {
        title: &article.title,
        municipality: "",
        sections: cited.collect(),
    };
    Gate::new(&evidence, lang, options.clone())
}

/// What was written by hand.
#[derive(Clone, Debug, Default)]
pub struct ByHand {
    pub english: Vec<Written>,
    /// Danish sentences further from the article's own words.
    pub paraphrases: Vec<Written>,
}

/// Measures the gate. `clock` is time since any fixed point; `meaning`, where a model is loaded, gives the
/// cosine of a sentence with the nearest sentence of some sections' texts.
pub fn measure(
    articles: &[Article],
    by_hand: &ByHand,
    setup: &Setup,
    clock: &dyn Fn() -> Duration,
    meaning: &mut dyn FnMut(&str, &[&str]) -> Option<f32>,
) -> Report {
    let areas: BTreeSet<&str> = articles.iter().map(|a| a.area.as_str()).collect();
    let half = |area: &str| {
        let place = areas.iter().position(|a| *a == area).unwrap_or(0);
        if place % 2 == 0 {
            Half::Developed
        } else {
            Half::HeldOut
        }
    };
    let mut report = Report::default();
    let mut judge =
        |gate: &Gate, article: &Article, sections: &[usize], text: &str, report: &mut Report| {
            let bodies: Vec<&str> = sections
                .iter()
                .map(|n| article.sections[*n].1.as_str())
                .collect();
            let cosine = meaning(text, &bodies);
            let from = clock();
            let verdict = gate.judge(&Sentence::new(text), cosine);
            report.spent += clock().saturating_sub(from);
            report.judged += 1;
            (verdict, cosine)
        };
    let own: Vec<Vec<Truth>> = articles.iter().map(truths::danish).collect();
    let mut cases: BTreeMap<(Half, Lang, Change), Vec<Case<'_>>> = BTreeMap::new();
    for (place, article) in articles.iter().enumerate() {
        let half = half(&article.area);
        for truth in truths_of(article, by_hand) {
            let sections = cited(article, truth.section);
            let gate = gate(article, &sections, truth.lang, &setup.options);
            let (verdict, cosine) = judge(&gate, article, &sections, &truth.text, &mut report);
            report.truth(half, &truth, &article.id, &verdict);
            report.near((half, truth.lang, truth.form), cosine);
            // A reworded sentence is changed as it stands in the article, once.
            if !matches!(truth.form, "verbatim" | "translated") {
                continue;
            }
            let around: Vec<&str> = sections
                .iter()
                .map(|n| article.sections[*n].1.as_str())
                .collect();
            let dice = |change| {
                let key = format!("{} {} {change:?}", article.id, truth.text);
                Dice::of(setup.seed, &key)
            };
            if truth.form == "verbatim"
                && let Some((text, order)) =
                    elsewhere(articles, &own, place, dice(Change::Elsewhere))
                && !around.iter().any(|body| changes::holds(body, &text))
            {
                let of = cases
                    .entry((half, Lang::Da, Change::Elsewhere))
                    .or_default();
                of.push(Case {
                    order,
                    article,
                    section: truth.section,
                    text,
                });
            }
            for change in Change::ALL {
                let mut dice = dice(change);
                let why = match changes::change(change, &truth, &around, &mut dice) {
                    changes::Made::None => continue,
                    changes::Made::True(why) => why,
                    changes::Made::Wrong(_) if !verdict.kept() => {
                        "the gate drops the sentence as it stands"
                    }
                    changes::Made::Wrong(text) => {
                        cases
                            .entry((half, truth.lang, change))
                            .or_default()
                            .push(Case {
                                order: dice.next(),
                                article,
                                section: truth.section,
                                text,
                            });
                        continue;
                    }
                };
                report.exclude(change, why);
            }
        }
    }
    for ((half, lang, change), mut list) in cases {
        list.sort_by_key(|case| case.order);
        list.truncate(setup.most);
        for case in list {
            let sections = cited(case.article, case.section);
            let gate = gate(case.article, &sections, lang, &setup.options);
            let (verdict, cosine) = judge(&gate, case.article, &sections, &case.text, &mut report);
            let kind = match change {
                Change::Elsewhere => "elsewhere",
                _ => "changed",
            };
            report.near((half, lang, kind), cosine);
            report.wrong(
                (half, lang, change),
                &case.article.id,
                &case.text,
                !verdict.kept(),
            );
        }
    }
    report
}

/// A sentence of another article, and where it stands among its like.
fn elsewhere(
    articles: &[Article],
    own: &[Vec<Truth>],
    place: usize,
    mut dice: Dice,
) -> Option<(String, u64)> {
    let others = |same: bool| {
        let area = &articles[place].area;
        let id = &articles[place].id;
        let all = articles.iter().enumerate();
        let all = all.filter(move |(_, a)| a.id != *id && (!same || a.area == *area));
        all.flat_map(|(n, _)| own[n].iter().filter(|t| t.form == "verbatim"))
    };
    let same = others(true).next().is_some();
    let count = others(same).count();
    let chosen = others(same).nth(dice.below(count.max(1)))?;
    Some((chosen.text.clone(), dice.next()))
}

/// A changed sentence that waits to be drawn.
struct Case<'a> {
    order: u64,
    article: &'a Article,
    section: usize,
    text: String,
}

fn truths_of(article: &Article, by_hand: &ByHand) -> Vec<Truth> {
    let mut out = truths::danish(article);
    for (list, form, lang) in [
        (&by_hand.english, "translated", Lang::En),
        (&by_hand.paraphrases, "paraphrased", Lang::Da),
    ] {
        out.extend(truths::written(article, list, form, lang));
    }
    out
}

#[cfg(test)]
mod tests;
