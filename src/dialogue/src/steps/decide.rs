//! From evidence to an outcome.

use index::{Candidate, Found};
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
    /// Help lines, and below them the article that fits, if one does.
    Crisis(Option<ArticleIx>),
    /// A kind of message that no article answers.
    Outside(String),
    /// Nothing fits well enough.
    NoAnswer,
    /// There were no words.
    Wordless,
}

/// Titles offered at most.
const CHOICES: usize = 3;
/// A title is offered only if it is at least this share as likely as the first.
const WORTH_OFFERING: f32 = 0.12;
/// Summed probability from which a message counts as one that no article answers.
const OUTSIDE: f32 = 0.45;

pub(crate) fn run(turn: &Turn, understood: &Understood, ranking: &Ranking) -> Decision {
    match understood.guarded {
        Guarded::Crisis => return Decision::Crisis(crisis_article(turn, ranking)),
        Guarded::Wordless => return Decision::Wordless,
        Guarded::Pass => {}
    }
    let Some(found) = &ranking.found else {
        return Decision::Wordless;
    };
    if danger(turn, found) >= turn.policy.crisis {
        return Decision::Crisis(crisis_article(turn, ranking));
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
        return Decision::Answer(first.article);
    }
    if let Some((kind, p)) = &found.outside
        && *p >= OUTSIDE
    {
        return Decision::Outside(kind.clone());
    }
    if found.confidence >= turn.snapshot.clarify_threshold() {
        let worth = |c: &&Candidate| c.score >= first.score * WORTH_OFFERING;
        let titles: Vec<ArticleIx> = found
            .candidates
            .iter()
            .take(CHOICES)
            .filter(worth)
            .map(|c| c.article)
            .collect();
        return Decision::Clarify(titles);
    }
    Decision::NoAnswer
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

/// The first article, when it is one for people in danger.
fn crisis_article(turn: &Turn, ranking: &Ranking) -> Option<ArticleIx> {
    let first = ranking.found.as_ref()?.candidates.first()?;
    turn.snapshot
        .release
        .article(first.article)
        .crisis
        .then_some(first.article)
}
