//! `borgerlinje eval --generated`: answers that a language model writes, what the gate keeps of them, and the attacks.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use base::{Clock, Lang, MunicipalityCode, clean, hides, redact};
use composition::{Composition, Mode};
use dialogue::Context;
use inference::generator::{Event, Generator};
use serde_json::{Value, json};

use super::bench::percentile;
use super::{Failure, Setting, ask, gate, generate};
use crate::boot::{self, Booted};
use crate::composer::{self, Composer, Plan};
use crate::config::Generation;
use crate::runtime::progress::Bars;
use crate::runtime::say;

mod followups;

/// What is asked with.
struct Bench<'a> {
    setting: &'a Setting,
    booted: Booted,
    composer: Arc<Composer>,
}

/// A message to be answered.
struct Asked {
    text: String,
    municipality: MunicipalityCode,
}

/// What came of a message whose article may be answered in other words.
struct Answered {
    plan: Plan,
    said: String,
    composition: Composition,
    /// Tokens a second that were read and written, where the model came to its end.
    rates: Option<(f64, f64)>,
}

pub(super) fn run(
    setting: &Setting,
    model: &str,
    questions: usize,
    json: bool,
) -> Result<ExitCode, Failure> {
    let booted = boot::boot(&setting.config, &setting.clock, &Bars::shown())?;
    let clock: Arc<dyn Clock> = Arc::new(setting.clock);
    let precedence = booted.encoder.precedence();
    let options = composer::options(&setting.config, Arc::clone(&clock), precedence);
    let generator: Generator = generate::load(setting, model, &options)?;
    let settings = Generation {
        mode: Mode::Generated,
        // One at a time; what was broken off may still be in its last pass.
        at_once: 4,
        languages: BTreeSet::from([Lang::Da, Lang::En]),
        model: Some(model.to_owned()),
        ..setting.config.generation.clone()
    };
    let composer = Composer::with(settings, generator, clock, booted.encoder.clone());
    let bench = Bench {
        setting,
        booted,
        composer,
    };
    let asked = bench.questions(questions)?;
    if asked.is_empty() {
        return Err("there are no question sets beside the knowledge: nothing to measure".into());
    }
    // What comes before every prompt is read once a language, before anything is timed.
    for a in [asked.first(), asked.last()].into_iter().flatten() {
        bench.answer(a)?;
    }
    let mut answered = Vec::new();
    for a in &asked {
        answered.extend(bench.answer(a)?.inspect(|r| show(r, json)));
    }
    let attacks = bench.attacks()?;
    let mut through = 0;
    for a in &attacks {
        if let Some(r) = bench.answer(a)?
            && r.composition.kept > 0
        {
            through += 1;
            show(&r, json);
        }
    }
    let report = gate::measured(setting, false)?;
    let mut last = figures(answered.iter());
    for lang in [Lang::Da, Lang::En] {
        let own = answered.iter().filter(|r| r.plan.material.lang == lang);
        last[lang.code()] = figures(own);
    }
    let round = |x: f64| (x * 100.0).round() / 100.0;
    last["corrupt_caught"] = json!(round(report.caught(None, None).percent()));
    last["true_dropped"] = json!(round(report.lost(None, None).percent()));
    last["attacks"] = json!(attacks.len());
    last["attacks_through"] = json!(through);
    last["follow_ups"] = followups::measured(&bench, json)?;
    say(&last.to_string())?;
    Ok(ExitCode::SUCCESS)
}

impl Bench<'_> {
    fn set(&self, name: &str) -> Result<Option<String>, Failure> {
        let sets = self.setting.config.knowledge.parent();
        let path = sets.map(|p| p.join("tests/questions").join(name));
        match path.filter(|p| p.is_file()) {
            None => Ok(None),
            Some(p) => Ok(Some(
                std::fs::read_to_string(&p).map_err(|e| format!("{}: {e}", p.display()))?,
            )),
        }
    }

    /// So many Danish questions, evenly spread, and the English ones after them.
    fn questions(&self, most: usize) -> Result<Vec<Asked>, Failure> {
        let mut out = Vec::new();
        for (name, lang) in [("danish.tsv", Lang::Da), ("languages.tsv", Lang::En)] {
            let Some(text) = self.set(name)? else {
                continue;
            };
            let mut all = dialogue::eval::parse(&text).map_err(|e| format!("{name}: {e}"))?;
            all.retain(|q| q.lang == lang);
            let each = all.len().div_ceil(most.max(1)).max(1);
            out.extend(all.into_iter().step_by(each).map(|q| Asked {
                text: q.text,
                municipality: q.municipality,
            }));
        }
        Ok(out)
    }

    /// The messages of `attacks.tsv`.
    fn attacks(&self) -> Result<Vec<Asked>, Failure> {
        let text = self.set("attacks.tsv")?.unwrap_or_default();
        let rows = text.lines().skip(1).filter(|l| !l.trim().is_empty());
        let read = |row: &str| -> Result<Asked, Failure> {
            let mut fields = row.split('\t');
            let (text, code) = (fields.next(), fields.next());
            let (Some(text), Some(code)) = (text, code) else {
                return Err(format!("attacks.tsv: «{row}» has no municipality").into());
            };
            Ok(Asked {
                text: text.replace("\\n", "\n"),
                municipality: code.parse()?,
            })
        };
        rows.map(read).collect()
    }

    /// A whole turn, and its answer as the model writes it; `None` where the answer is verbatim whatever is set.
    fn answer(&self, asked: &Asked) -> Result<Option<Answered>, Failure> {
        let text = redact(&clean(&asked.text)).text;
        let code = asked.municipality;
        let settled = ask::turn(&self.booted, text, code, &Context::default())?;
        let release = &self.booted.snapshot.release;
        let Some(plan) = self
            .composer
            .plan(release, &settled, code, hides(&asked.text))
        else {
            return Ok(None);
        };
        let mut composition = Composition {
            mode: plan.mode,
            ..Composition::default()
        };
        if let Some(doubt) = plan.doubt {
            composition.fell_back = Some(format!("{doubt:?}").to_lowercase());
            return Ok(Some(Answered {
                plan,
                said: String::new(),
                composition,
                rates: None,
            }));
        }
        let now = || self.setting.clock.monotonic();
        let began = now();
        let mut writing = self.composer.write(&plan.material)?;
        let (mut said, mut first, mut rates) = (String::new(), None, None);
        while !writing.over()
            && let Some(event) = writing.answer.next_blocking()
        {
            let first = *first.get_or_insert_with(now);
            if let Event::End(end) = &event
                && end.tokens > 1
            {
                let read = (end.prompt_tokens - end.cached_tokens) as f64;
                let (before, after) = (first.saturating_sub(began), now().saturating_sub(first));
                let wrote = (end.tokens - 1) as f64;
                rates = Some((read / before.as_secs_f64(), wrote / after.as_secs_f64()));
            }
            said.extend(writing.hear_blocking(event).into_iter().map(|p| p.text));
        }
        composition = writing.told();
        Ok(Some(Answered {
            plan,
            said,
            composition,
            rates,
        }))
    }
}

fn show(r: &Answered, json: bool) {
    let line = if json {
        json!({"question": r.plan.material.question, "title": r.plan.material.title, "said": r.said, "how": r.composition})
            .to_string()
    } else {
        let why = r.composition.fell_back.as_deref().unwrap_or("");
        let dropped = r.composition.dropped.iter();
        let dropped: String = dropped
            .map(|d| format!("\n  DROPPED «{}»: {}", d.text, names(d)))
            .collect();
        format!(
            "> {}\n# {}\n{}{why}{dropped}\n",
            r.plan.material.question, r.plan.material.title, r.said
        )
    };
    // Whoever closed the pipe has seen enough.
    let _ = say(&line);
}

fn names(d: &composition::Dropped) -> String {
    let names: Vec<&str> = d.why.iter().map(|f| f.name()).collect();
    if names.is_empty() {
        return "not near".to_owned();
    }
    names.join(", ")
}

/// The figures of the answers, beside the approved texts of the same questions.
fn figures<'a>(all: impl Iterator<Item = &'a Answered>) -> Value {
    let all: Vec<&Answered> = all.collect();
    let asked: Vec<&Answered> = all
        .iter()
        .copied()
        .filter(|r| r.plan.doubt.is_none())
        .collect();
    let written: Vec<&Answered> = asked
        .iter()
        .copied()
        .filter(|r| r.composition.kept > 0)
        .collect();
    let sentences: usize = asked.iter().map(|r| r.composition.kept).sum();
    let dropped: usize = asked.iter().map(|r| r.composition.dropped.len()).sum();
    let share = |part: usize, of: usize| (1e4 * part as f64 / of.max(1) as f64).round() / 100.0;
    let words = |text: &str| text.split_whitespace().count() as f64;
    let median = |mut list: Vec<f64>| {
        if list.is_empty() {
            return Value::Null;
        }
        json!((percentile(&mut list, 0.5) * 10.0).round() / 10.0)
    };
    json!({
        "answers": all.len(),
        "asked_of_model": asked.len(),
        "verbatim_by_message": all.len() - asked.len(),
        "kept": share(written.len(), asked.len()),
        "sentences": sentences + dropped,
        "sentences_kept": share(sentences, sentences + dropped),
        "words_p50": median(written.iter().map(|r| words(&r.said)).collect()),
        "words_verbatim_p50": median(written.iter().map(|r| words(&r.plan.material.whole)).collect()),
        "first_sentence_ms_p50": median(written.iter().filter_map(|r| r.composition.first_sentence_ms).collect()),
        "prompt_tokens_per_s": median(asked.iter().filter_map(|r| Some(r.rates?.0)).collect()),
        "tokens_per_s": median(asked.iter().filter_map(|r| Some(r.rates?.1)).collect()),
    })
}
