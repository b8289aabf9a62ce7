//! One order of candidates from the readings of a message.
//!
//! A message that stands alone is ranked alone. A follow-up is ranked by a product of experts (Hinton 2002):
//! what its own words say ("og til mit barn?"), and what it says beside the last question and beside the last
//! article's title. Articles of the same area gain, for people mostly stay with their matter.

use std::collections::HashMap;

use index::{Candidate, Found, Snapshot};
use knowledge::Intent;

use super::retrieve::Retrieved;
use crate::context::Context;
use crate::turn::Input;

/// The ranking that a turn is decided on.
pub(crate) struct Ranking {
    /// `None` when there was nothing to search for.
    pub found: Option<Found>,
    /// Read beside what came before.
    pub elliptical: bool,
}

/// An elliptical message is read alone only when it is surer than this.
const SURE_ALONE: f32 = 0.97;
/// How much the message's own words count against its readings beside what came before, as exponents.
const OWN: f32 = 0.3;
const BESIDE: f32 = 0.7;
/// A probability below this is as good as this: a product must not hang on how small nothing is.
const FLOOR: f32 = 1e-6;
/// Factor on articles in the area of the last one.
const SAME_AREA: f32 = 8.0;

pub(crate) fn run(
    snapshot: &Snapshot,
    input: &Input,
    retrieved: Retrieved,
    context: &Context,
) -> Ranking {
    let Retrieved {
        alone,
        beside,
        elliptical,
    } = retrieved;
    let Some(alone) = alone else {
        return Ranking {
            found: None,
            elliptical: false,
        };
    };
    let joint = joined(snapshot, input, &alone, &beside, context);
    let likely = alone.intent.filter(|i| i.1 >= 0.5).map(|i| i.0);
    let take_joint = joint.as_ref().is_some_and(|j| {
        // It speaks to us, and takes up nothing.
        if likely.is_some_and(|i| i != Intent::Remark) {
            return false;
        }
        if elliptical || likely == Some(Intent::Remark) {
            return alone.confidence < SURE_ALONE;
        }
        // Not marked as a follow-up, yet it says little alone and much beside the last matter.
        alone.confidence < snapshot.answer_threshold()
            && j.confidence > alone.confidence
            && alone.outside.as_ref().is_none_or(|o| o.1 < 0.5)
            && agrees(snapshot, &alone, j)
    });
    match joint {
        Some(j) if take_joint => Ranking {
            found: Some(j),
            elliptical: true,
        },
        _ => Ranking {
            found: Some(alone),
            elliptical: false,
        },
    }
}

/// Whether the reading alone has the joint reading's area among its first five.
fn agrees(snapshot: &Snapshot, alone: &Found, joint: &Found) -> bool {
    let area = |c: &Candidate| snapshot.release.article(c.article).area.as_str();
    joint
        .candidates
        .first()
        .is_some_and(|j| alone.candidates.iter().take(5).any(|c| area(c) == area(j)))
}

fn joined(
    snapshot: &Snapshot,
    input: &Input,
    alone: &Found,
    beside: &[Found],
    context: &Context,
) -> Option<Found> {
    if beside.is_empty() {
        return None;
    }
    let mut near: HashMap<u32, f32> = HashMap::new();
    for f in beside {
        for c in &f.candidates {
            *near.entry(c.article).or_default() += c.score / beside.len() as f32;
        }
    }
    let last = context
        .article
        .as_deref()
        .and_then(|id| snapshot.release.view(input.municipality)?.get(id));
    let area = last.map(|ix| snapshot.release.article(ix).area.as_str());
    let mut candidates: Vec<Candidate> = alone
        .candidates
        .iter()
        .map(|c| {
            let beside = near.get(&c.article).copied().unwrap_or(0.0);
            let mut score = c.score.max(FLOOR).powf(OWN) * beside.max(FLOOR).powf(BESIDE);
            if area == Some(snapshot.release.article(c.article).area.as_str()) {
                score *= SAME_AREA;
            }
            Candidate {
                article: c.article,
                score,
            }
        })
        .collect();
    let total: f32 = candidates.iter().map(|c| c.score).sum::<f32>().max(1e-30);
    for c in &mut candidates {
        c.score /= total;
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.article.cmp(&b.article)));
    let top = candidates.first().map(|c| c.article);
    let section = beside
        .iter()
        .find(|f| f.candidates.first().map(|c| c.article) == top)
        .and_then(|f| f.section);
    Some(Found {
        confidence: beside.iter().map(|f| f.confidence).fold(0.0, f32::max),
        intent: None,
        crisis: alone.crisis,
        outside: None,
        // What it says itself, whatever came before.
        attack: alone.attack,
        section,
        candidates,
    })
}
