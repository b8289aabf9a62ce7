//! From evidence to an outcome.

use index::Found;
use knowledge::{ArticleIx, Intent};

use super::guard::Guarded;
use super::rank::Ranking;
use super::understand::Understood;
use crate::turn::Turn;

/// What is to be said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decision {
    Answer(ArticleIx),
    Clarify(Vec<ArticleIx>),
    Intent(Intent),
    /// Help lines, and below them the article that fits, if one does, and what else may have been meant.
    Crisis {
        article: Option<ArticleIx>,
        others: Vec<ArticleIx>,
    },
    /// A kind of message that no article answers.
    Outside(String),
    /// Nothing fits well enough.
    NoAnswer,
    /// There were no words.
    Wordless,
}

/// Titles offered at most.
const CHOICES: usize = 3;
/// Below this probability of danger something else may have been meant, and its titles stand below the help lines.
const IN_DANGER: f32 = 0.7;
/// A title is offered only if it is at least this share as likely as the first.
const WORTH_OFFERING: f32 = 0.12;
/// Two articles are as good as equally likely: the second has at least this share of the first.
const CLOSE: f32 = 0.7;
/// A message of so few words is answered only where they point at one article: "tilskud" is many things.
const FEW_WORDS: usize = 2;
/// Then a second article stands in the way if it is at least this share as likely as the first, and any does of what
/// many matters have in common.
const NEAR: f32 = 0.25;
const WORTH_GUESSING: f32 = 0.005;
/// From this probability of the first titles together they are offered, unsure as the first of them may be: of "pas"
/// each of six articles could be meant.
const LIKELY: f32 = 0.35;
/// Summed probability from which a message counts as one that no article answers, unless the first article is likelier
/// than that to be right.
const OUTSIDE: f32 = 0.45;

pub(crate) fn run(turn: &Turn, understood: &Understood, ranking: &Ranking) -> Decision {
    match understood.guarded {
        Guarded::Crisis => return crisis(turn, ranking, 1.0),
        Guarded::Wordless => return Decision::Wordless,
        Guarded::Pass => {}
    }
    let Some(found) = &ranking.found else {
        return Decision::Wordless;
    };
    let danger = danger(turn, found);
    if danger >= turn.policy.crisis {
        return crisis(turn, ranking, danger);
    }
    if let Some((intent, p)) = found.intent
        && !matches!(intent, Intent::Crisis | Intent::Remark)
        && p >= turn.policy.intent
    {
        return Decision::Intent(intent);
    }
    let Some(first) = found.candidates.first() else {
        return Decision::NoAnswer;
    };
    if found.confidence >= turn.snapshot.answer_threshold() {
        return several(turn, understood, ranking, found)
            .map_or(Decision::Answer(first.article), Decision::Clarify);
    }
    if let Some((kind, p)) = &found.outside
        && *p >= OUTSIDE.max(found.confidence)
    {
        return Decision::Outside(kind.clone());
    }
    if found.confidence >= turn.snapshot.clarify_threshold() || likely(found) >= LIKELY {
        return Decision::Clarify(worth_offering(found, WORTH_OFFERING));
    }
    Decision::NoAnswer
}

/// Probability of the first titles together, given that it is more than a remark.
fn likely(found: &Found) -> f32 {
    let remark = found.intent.filter(|i| i.0 == Intent::Remark);
    let rest = 1.0 - remark.map_or(0.0, |i| i.1);
    let first = found.candidates.iter().take(CHOICES);
    first.map(|c| c.score).sum::<f32>() / rest.max(1e-6)
}

/// The titles to ask back with where the message may well be of another article, sure as the first one looks.
fn several(
    turn: &Turn,
    understood: &Understood,
    ranking: &Ranking,
    found: &Found,
) -> Option<Vec<ArticleIx>> {
    if ranking.elliptical {
        return None;
    }
    let Understood { text, lang, .. } = understood;
    let few = base::words(text).count() <= FEW_WORDS;
    let titles = if few && turn.snapshot.vague(text, *lang) {
        worth_offering(found, WORTH_GUESSING)
    } else if worth_offering(found, if few { NEAR } else { CLOSE }).len() > 1 {
        worth_offering(found, WORTH_OFFERING)
    } else {
        return None;
    };
    (titles.len() > 1).then_some(titles)
}

/// The first articles, those at least `share` as likely as the very first.
fn worth_offering(found: &Found, share: f32) -> Vec<ArticleIx> {
    let first = found.candidates.first().map_or(0.0, |c| c.score);
    let candidates = found.candidates.iter().take(CHOICES);
    candidates
        .filter(|c| c.score >= first * share)
        .map(|c| c.article)
        .collect()
}

/// Probability that the citizen, or somebody near, is in danger: the crisis intent and the articles that are
/// read by people in danger, together.
fn danger(turn: &Turn, found: &Found) -> f32 {
    let release = &turn.snapshot.release;
    let articles: f32 = found
        .candidates
        .iter()
        .filter(|c| release.article(c.article).crisis)
        .map(|c| c.score)
        .sum();
    articles + found.crisis
}

/// Help lines; an article only if it is the first and one for people in danger.
fn crisis(turn: &Turn, ranking: &Ranking, danger: f32) -> Decision {
    let titles = match &ranking.found {
        Some(found) => worth_offering(found, WORTH_OFFERING),
        None => Vec::new(),
    };
    let release = &turn.snapshot.release;
    let article = titles.first().copied();
    let article = article.filter(|ix| release.article(*ix).crisis);
    let others = if danger < IN_DANGER {
        titles
            .into_iter()
            .filter(|ix| Some(*ix) != article)
            .collect()
    } else {
        Vec::new()
    };
    Decision::Crisis { article, others }
}
