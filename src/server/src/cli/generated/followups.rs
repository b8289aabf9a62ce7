//! Follow-ups that the rules do not place, written out by the model.

use base::{Clock, Lang, MunicipalityCode, clean, hides, redact};
use dialogue::{Context, Input, Outcome, Settled, Turn};
use inference::Kind;
use serde_json::{Value, json};

use super::super::Failure;
use super::Bench;
use crate::runtime::say;

/// What came of the elliptical turns of the dialogues.
#[derive(Default)]
struct Counts {
    turns: usize,
    /// Answered with the right article, by the rules alone and with the model.
    right: usize,
    right_with: usize,
    /// Answered with another.
    wrong: usize,
    wrong_with: usize,
    unsure: usize,
    /// A question came that may be searched with.
    written: usize,
    /// And found an article.
    taken: usize,
    ms: Vec<f64>,
    /// Messages that no article answers, after a question that one does; and of these the answered.
    strangers: usize,
    strangers_answered: usize,
    strangers_answered_with: usize,
}

/// Every dialogue of `dialogues.tsv` and `followups.tsv`, turn by turn; later turns of one stand on what the rules alone made of the
/// earlier, so that both are asked the same.
pub(super) fn measured(bench: &Bench<'_>, json: bool) -> Result<Value, Failure> {
    let sets = [bench.set("dialogues.tsv")?, bench.set("followups.tsv")?];
    let rows = sets.iter().flatten().flat_map(|set| set.lines().skip(1));
    let strangers = bench.set("unanswerable.tsv")?.unwrap_or_default();
    let mut unanswerable = strangers.lines().skip(1).filter_map(|l| l.split_once('\t'));
    let mut counts = Counts::default();
    let (mut dialogue, mut context) = (String::new(), Context::default());
    for row in rows.filter(|l| !l.trim().is_empty()) {
        let fields: Vec<&str> = row.split('\t').collect();
        let &[id, _, message, code, expected, elliptical, lang] = fields.as_slice() else {
            return Err(format!("a dialogue's row «{row}» has not seven fields").into());
        };
        let lang: Lang = lang.parse()?;
        if id != dialogue {
            id.clone_into(&mut dialogue);
            context = Context::new(lang);
        }
        let input = Input {
            text: redact(&clean(message)).text,
            municipality: code.parse::<MunicipalityCode>()?,
        };
        let turn = Turn::new(bench.booted.snapshot.clone());
        let begun = turn.begin(input.clone(), &context);
        let vectors = bench
            .booted
            .encoder
            .ask_blocking(Kind::Query, &begun.texts())?;
        let settled = begun.finish(&vectors, &context)?;
        let next = settled.context.clone();
        if elliptical == "1" {
            let case = Case {
                turn: &turn,
                input: &input,
                hidden: hides(message),
                context: &context,
                expected,
            };
            counts.add(bench, &case, settled, json)?;
        } else if let Some((text, unanswerable)) = unanswerable.next() {
            // In the same place, where it could be taken for a follow-up.
            let input = Input {
                text: redact(&clean(text)).text,
                municipality: input.municipality,
            };
            let begun = turn.begin(input.clone(), &next);
            let vectors = (bench.booted.encoder).ask_blocking(Kind::Query, &begun.texts())?;
            let case = Case {
                turn: &turn,
                input: &input,
                hidden: hides(text),
                context: &next,
                expected: unanswerable,
            };
            counts.stranger(bench, &case, begun.finish(&vectors, &next)?)?;
        }
        context = next;
    }
    let median = (!counts.ms.is_empty()).then(|| super::percentile(&mut counts.ms, 0.5).round());
    Ok(json!({
        "turns": counts.turns, "right": counts.right, "wrong": counts.wrong,
        "unsure": counts.unsure, "written": counts.written, "taken": counts.taken,
        "right_with_model": counts.right_with, "wrong_with_model": counts.wrong_with,
        "strangers": counts.strangers, "strangers_answered": counts.strangers_answered,
        "strangers_answered_with_model": counts.strangers_answered_with, "ms_p50": median,
    }))
}

/// One elliptical turn.
struct Case<'a> {
    turn: &'a Turn,
    input: &'a Input,
    hidden: bool,
    context: &'a Context,
    /// Ids, any of which is right.
    expected: &'a str,
}

impl Counts {
    fn add(
        &mut self,
        bench: &Bench<'_>,
        case: &Case<'_>,
        settled: Settled,
        json: bool,
    ) -> Result<(), Failure> {
        let expected = case.expected;
        let judged = |s: &Settled| {
            let shown = s.record.article_id.as_deref();
            let right = shown.is_some_and(|a| expected.split('|').any(|e| e == a));
            (right, shown.is_some() && !right)
        };
        let (right, wrong) = judged(&settled);
        self.turns += 1;
        self.right += usize::from(right);
        self.wrong += usize::from(wrong);
        self.unsure += usize::from(settled.unsure.is_some());
        let (with, written) = self.with_model(bench, case, settled)?;
        if let Some(written) = written {
            let (message, article) = (&case.input.text, &with.record.article_id);
            let written = written.trim();
            let used = with.record.rewritten.is_some();
            let line = if json {
                json!({"follow_up": message, "written": written, "used": used, "article": article, "expected": expected})
                    .to_string()
            } else {
                let used = if used { "" } else { " (not used)" };
                let found = article.as_deref().unwrap_or("-");
                format!("~ {message}\n  {written}{used}\n  {found} ({expected})")
            };
            say(&line)?;
        }
        self.taken += usize::from(with.record.rewritten.is_some());
        let (right, wrong) = judged(&with);
        self.right_with += usize::from(right);
        self.wrong_with += usize::from(wrong);
        Ok(())
    }

    fn stranger(
        &mut self,
        bench: &Bench<'_>,
        case: &Case<'_>,
        settled: Settled,
    ) -> Result<(), Failure> {
        let answered = |s: &Settled| usize::from(s.outcome == Outcome::Answered);
        self.strangers += 1;
        self.strangers_answered += answered(&settled);
        let (with, _) = self.with_model(bench, case, settled)?;
        self.strangers_answered_with += answered(&with);
        Ok(())
    }

    /// The turn as a service with a model ends it, and what the model wrote where it was asked.
    fn with_model(
        &mut self,
        bench: &Bench<'_>,
        case: &Case<'_>,
        settled: Settled,
    ) -> Result<(Settled, Option<String>), Failure> {
        let began = bench.setting.clock.monotonic();
        let Some(rewriting) = bench.composer.rewrite(&settled, case.hidden) else {
            return Ok((settled, None));
        };
        let (written, question) = rewriting.question_blocking();
        let mut with = settled;
        if let Some(question) = question {
            self.written += 1;
            let encoder = &bench.booted.encoder;
            let vectors = encoder.ask_blocking(Kind::Query, std::slice::from_ref(&question))?;
            if let Some(vector) = vectors.first() {
                with = (case.turn).reread(case.input, &question, vector, case.context, with)?;
            }
        }
        let took = bench.setting.clock.monotonic().saturating_sub(began);
        self.ms.push(took.as_secs_f64() * 1e3);
        Ok((with, Some(written)))
    }
}
