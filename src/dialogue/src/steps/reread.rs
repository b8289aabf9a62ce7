//! A follow-up read by a whole question that a model made of it.

use index::{Ask, Found};
use inference::Vector;

use super::decide::{self, Decision};
use super::rank::Ranking;
use super::{answer, check, guard, understand};
use crate::context::Context;
use crate::turn::{Error, Input, Settled, Turn};

pub(crate) fn run(
    turn: &Turn,
    input: &Input,
    (question, vector): (&str, &Vector),
    context: &Context,
    before: Settled,
) -> Result<Settled, Error> {
    let found = turn.snapshot.search(&Ask {
        text: question,
        vector,
        lang: before.record.language,
        municipality: input.municipality,
    })?;
    let known = |f: &Found| {
        let first = f.candidates.first()?;
        let id = &turn.snapshot.release.article(first.article).id;
        let mut all = before.record.candidates.iter();
        all.find(|c| c.article_id == *id).map(drop)
    };
    if found.confidence <= before.record.confidence || known(&found).is_none() {
        return Ok(before);
    }
    let guarded = guard::run(&turn.snapshot.release, input);
    let understood = understand::run(&turn.snapshot, input, context, guarded);
    let ranking = Ranking {
        found: Some(Found {
            // What it says itself, whoever wrote it out.
            attack: before.attack,
            ..found
        }),
        elliptical: true,
    };
    let decision = decide::run(turn, &understood, &ranking);
    let Decision::Answer(_) = decision else {
        return Ok(before);
    };
    let mut settled = answer::run(turn, input, &understood, &ranking, decision, context);
    settled.record.rewritten = Some(question.to_owned());
    Ok(check::run(turn, input, settled))
}
