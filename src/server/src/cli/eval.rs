//! `borgerlinje eval`: a question set, answered by words alone, by vectors alone and by the whole turn.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;

use base::{Clock, clean, fold, redact, words};
use dialogue::eval::{Given, Question, Share, Tally, Verdict, parse, tally};
use dialogue::{Context, Record};
use index::Candidate;
use inference::Kind;
use knowledge::Release;

use super::report::{self, Case, Study, Target};
use super::{Failure, Setting, ask};
use crate::boot;
use crate::runtime::progress::Bars;
use crate::runtime::say;

pub(super) fn run(
    setting: &Setting,
    file: &Path,
    misses: bool,
    page: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let named = |e: String| format!("{}: {e}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| named(e.to_string()))?;
    let questions = parse(&text).map_err(named)?;
    // Whoever waits for a report hears at once that it cannot be written.
    let target = page.map(|page| Target::open(page, file)).transpose()?;
    if target.is_some() && questions.is_empty() {
        return Err(named("there is no question in it to report on".to_owned()).into());
    }
    let booted = boot::boot(&setting.config, &setting.clock, &Bars::shown())?;
    let texts: Vec<String> = questions
        .iter()
        .map(|q| redact(&clean(&q.text)).text)
        .collect();
    let vectors = booted
        .encoder
        .encode_blocking(Kind::Query, &texts, &mut |_, _| {})?;
    let release = &booted.snapshot.release;
    let ids = |list: Vec<Candidate>| Given {
        ranked: list
            .iter()
            .take(10)
            .map(|c| release.article(c.article).id.clone())
            .collect(),
        offered: Vec::new(),
        outcome: None,
        lang: None,
    };
    let (mut by_words, mut by_vectors, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut records = Vec::new();
    for ((q, text), vector) in questions.iter().zip(&texts).zip(&vectors) {
        by_words.push(ids(booted.snapshot.by_words(text, q.municipality)?));
        by_vectors.push(ids(booted.snapshot.by_vectors(vector, q.municipality)?));
        let settled = ask::turn(&booted, text.clone(), q.municipality, &Context::default())?;
        let candidates = settled.record.candidates.iter();
        let offered = settled.answer.choices.into_iter();
        let given = Given {
            ranked: candidates.map(|c| c.article_id.clone()).collect(),
            offered: offered.map(|c| c.article_id).collect(),
            outcome: Some(settled.outcome),
            lang: Some(settled.record.language),
        };
        if misses {
            miss(q, &given, &settled.record)?;
        }
        whole.push(given);
        records.push(settled.record);
    }
    for (name, given) in [
        ("words alone (BM25)", &by_words),
        ("vectors alone", &by_vectors),
        ("the whole turn", &whole),
    ] {
        say(&format!("\n{name}"))?;
        table(
            &tally(questions.iter().zip(given)),
            given.iter().any(|g| g.outcome.is_some()),
        )?;
    }
    if let Some(target) = target {
        let manifest = boot::manifest(&setting.config)?;
        let case = |(((question, text), given), record)| Case {
            question,
            text,
            given,
            record,
        };
        let texts = texts.iter().map(String::as_str);
        let rows = questions.iter().zip(texts).zip(&whole).zip(&records);
        let study = Study {
            file,
            release,
            model: format!(
                "{} ({}, {})",
                manifest.title,
                manifest.revision,
                setting.config.kernel.family()
            ),
            budget: setting.config.budget,
            answer: booted.snapshot.answer_threshold(),
            clarify: booted.snapshot.clarify_threshold(),
            now: setting.clock.now(),
            cases: rows.map(case).collect(),
        };
        target.write(&report::page(&study)?)?;
        say(&format!("\nthe report is in {}", target.path().display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn miss(q: &Question, given: &Given, r: &Record) -> Result<(), Failure> {
    let kind = match Verdict::of(q, given) {
        Verdict::Anyway => "ANSWERED",
        Verdict::Wrong => "WRONG",
        Verdict::Missed => "missed",
        Verdict::Unsure => "unsure",
        Verdict::Right | Verdict::Quiet => return Ok(()),
    };
    let top: Vec<String> = r
        .candidates
        .iter()
        .take(3)
        .map(|c| format!("{} {:.2}", c.article_id, c.score))
        .collect();
    say(&format!(
        "{kind:8} {:9} {:.2} «{}» expected {} got {}",
        r.outcome.name(),
        r.confidence,
        q.text,
        if q.expected.is_empty() {
            "-".to_owned()
        } else {
            q.expected.join("|")
        },
        top.join(", ")
    ))?;
    Ok(())
}

fn table(slices: &BTreeMap<String, Tally>, decides: bool) -> Result<(), Failure> {
    let mut head = format!(
        "{:<16}{:>5}  {:<20}{:<20}{:<8}",
        "slice", "n", "recall@1", "recall@3", "MRR@10"
    );
    if decides {
        head += &format!(
            "{:<20}{:<18}{:<20}{:<22}",
            "answered", "wrong", "right in one click", "unanswerable answered"
        );
    }
    say(&head)?;
    for (name, t) in slices {
        let of = |hits| Share::of(hits, t.answerable).to_string();
        let mrr = if t.answerable == 0 {
            "—".to_owned()
        } else {
            format!("{:.3}", t.mrr())
        };
        let mut line = format!(
            "{name:<16}{:>5}  {:<20}{:<20}{mrr:<8}",
            t.answerable + t.unanswerable,
            of(t.first),
            of(t.third)
        );
        if decides {
            line += &format!(
                "{:<20}{:<18}{:<20}{:<22}",
                of(t.answered),
                of(t.wrong),
                of(t.one_click),
                Share::of(t.unanswerable_answered, t.unanswerable).to_string()
            );
        }
        say(line.trim_end())?;
    }
    Ok(())
}

/// Question sets beside the knowledge must not hold a sentence that the ranker learns from.
pub(super) fn overlaps(setting: &Setting, release: &Release) -> Result<Vec<String>, Failure> {
    let Some(folder) = setting
        .config
        .knowledge
        .parent()
        .map(|p| p.join("tests/questions"))
    else {
        return Ok(Vec::new());
    };
    let key = |s: &str| words(&fold(s)).collect::<Vec<_>>().join(" ");
    let mut known: HashMap<String, &str> = HashMap::new();
    for a in &release.articles {
        for s in a.examples.values().flatten() {
            known.insert(key(s), &a.file);
        }
    }
    for s in release
        .intents
        .examples
        .values()
        .flat_map(|b| b.values())
        .flatten()
    {
        known.insert(key(s), "intents.toml");
    }
    for (_, s) in release.out_of_scope.values().flatten() {
        known.insert(key(s), "out_of_scope");
    }
    let mut out = Vec::new();
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Ok(out);
    };
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "tsv"))
    {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let column = if name == "dialogues.tsv" { 2 } else { 0 };
        for (n, line) in std::fs::read_to_string(path)?.lines().enumerate().skip(1) {
            let text = line.split('\t').nth(column).unwrap_or("");
            // Two words are said by many; a sentence is not.
            if let Some(file) = known
                .get(&key(text))
                .filter(|_| key(text).split(' ').count() > 3)
            {
                out.push(format!(
                    "tests/questions/{name}:{}: error: question: «{text}» is an example of {file}",
                    n + 1
                ));
            }
        }
    }
    Ok(out)
}
