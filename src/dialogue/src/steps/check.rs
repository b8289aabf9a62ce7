//! The last look before anything is shown: nothing leaves without a source, and no slot leaves unfilled.

use crate::outcome::Outcome;
use crate::turn::{Input, Settled, Turn};

pub(crate) fn run(turn: &Turn, input: &Input, mut settled: Settled) -> Settled {
    let a = &settled.answer;
    let mut faults = Vec::new();
    if settled.outcome == Outcome::Answered && a.sources.is_empty() {
        faults.push("no source".to_owned());
    }
    if a.text.trim().is_empty() {
        faults.push("no text".to_owned());
    }
    if a.text.contains("{{") || a.links.iter().any(|l| l.url.contains("{{")) {
        faults.push("an unfilled slot".to_owned());
    }
    let sees = |id: &str| {
        turn.snapshot
            .release
            .view(input.municipality)
            .is_some_and(|v| v.get(id).is_some())
    };
    let named = a.sources.iter().map(|s| &s.article_id);
    if named
        .chain(a.choices.iter().map(|c| &c.article_id))
        .any(|id| !sees(id))
    {
        faults.push("an article of another municipality".to_owned());
    }
    if !faults.is_empty() {
        let texts = &turn.snapshot.release.texts;
        settled.outcome = Outcome::Failed;
        settled.answer = crate::answer::Answer {
            text: texts.get("error_internal", settled.record.language, &[]),
            content_lang: settled.record.language,
            offer_human: true,
            ..Default::default()
        };
        settled.shown = None;
        settled.record.outcome = Outcome::Failed;
        settled.record.article_id = None;
        settled.record.check = faults;
    }
    settled
}
