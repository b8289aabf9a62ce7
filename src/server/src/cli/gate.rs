//! `borgerlinje eval --gate`: facts changed in otherwise true sentences, and what the gate lets through.

use std::collections::HashMap;
use std::process::ExitCode;

use base::{Clock, Lang, MunicipalityCode};
use grounding::corrupt::{Article, ByHand, Half, Report, Setup, Written, measure, written};
use grounding::sentences;
use inference::{Kind, Vector};
use knowledge::{Layer, Release};
use serde_json::json;

use super::{Failure, Setting};
use crate::boot;
use crate::runtime::progress::Bars;
use crate::runtime::say;

/// What to measure the gate with.
pub(super) struct Options {
    pub(super) json: bool,
    /// Ask the encoder too.
    pub(super) meaning: bool,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let report = measured(setting, options.meaning)?;
    if options.json {
        lines(&report)?;
    } else {
        table(&report)?;
    }
    say(&last(&report).to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// The harness over the knowledge; with `meaning`, the encoder is asked too.
pub(super) fn measured(setting: &Setting, meaning: bool) -> Result<Report, Failure> {
    let booted = if meaning {
        Some(boot::boot(&setting.config, &setting.clock, &Bars::shown())?)
    } else {
        None
    };
    let read;
    let release = match &booted {
        Some(booted) => &booted.snapshot.release,
        None => {
            read = boot::release(&setting.config, &setting.clock)?.0;
            &read
        }
    };
    let articles = articles(release);
    let written = ByHand {
        english: by_hand(setting, release, "english-sentences.tsv")?,
        paraphrases: by_hand(setting, release, "danish-paraphrases.tsv")?,
    };
    let mut known: HashMap<String, Vector> = HashMap::new();
    let mut vector = |text: &str, kind| -> Option<Vector> {
        if let Some(v) = known.get(text) {
            return Some(v.clone());
        }
        let encoder = &booted.as_ref()?.encoder;
        let texts = [text.to_owned()];
        let v = encoder
            .encode_blocking(kind, &texts, &mut |_, _| {})
            .ok()?
            .pop()?;
        known.insert(text.to_owned(), v.clone());
        Some(v)
    };
    // To the nearest of the sections' sentences: a whole section is about as near to what it does not say.
    let mut meaning = |text: &str, sections: &[&str]| -> Option<f32> {
        let own = vector(text, Kind::Query)?;
        let cosine = |v: Vector| own.iter().zip(v.iter()).map(|(a, b)| a * b).sum::<f32>();
        let approved = sections.iter().flat_map(|s| sentences(s));
        let cosines = approved.filter_map(|s| Some(cosine(vector(&s.text, Kind::Query)?)));
        cosines.reduce(f32::max)
    };
    let clock = || setting.clock.monotonic();
    let setup = Setup::default();
    Ok(measure(&articles, &written, &setup, &clock, &mut meaning))
}

/// Every article as a municipality that sees it shows it: its own, or the first that inherits it.
fn articles(release: &Release) -> Vec<Article> {
    let mut out = Vec::new();
    for (ix, a) in (0..).zip(&release.articles) {
        let sees = |code: &MunicipalityCode| release.render(ix, *code).is_some();
        let Some(code) = release.municipalities.keys().copied().find(sees) else {
            continue;
        };
        let fill = |text: &str| release.fill(text, code);
        out.push(Article {
            id: match a.layer {
                Layer::Shared => a.id.clone(),
                layer => format!("{}@{layer}", a.id),
            },
            area: a.area.clone(),
            title: release.fill_plain(&a.title, code),
            sections: a
                .sections
                .iter()
                .map(|s| (s.heading.as_deref().map(fill), fill(&s.text)))
                .collect(),
        });
    }
    out
}

/// Sentences written by hand, slots filled; none where the question sets are not beside the knowledge.
fn by_hand(setting: &Setting, release: &Release, file: &str) -> Result<Vec<Written>, Failure> {
    let path = setting
        .config
        .knowledge
        .parent()
        .map(|p| p.join("tests/questions").join(file));
    let Some(path) = path.filter(|p| p.is_file()) else {
        return Ok(Vec::new());
    };
    let named = |e: String| format!("{}: {e}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|e| named(e.to_string()))?;
    let code = release.municipalities.keys().next().copied();
    let mut out = written(&text).map_err(named)?;
    for t in &mut out {
        if let Some(code) = code {
            t.text = release.fill_plain(&t.text, code);
        }
    }
    Ok(out)
}

const HALVES: [(Half, &str); 2] = [
    (Half::Developed, "developed on"),
    (Half::HeldOut, "held out"),
];

/// Shares below which a cosine is told.
const QUANTILES: [f64; 6] = [0.0, 0.005, 0.01, 0.05, 0.5, 0.95];

fn quantile(list: &[f32], share: f64) -> f32 {
    let mut sorted = list.to_vec();
    sorted.sort_by(f32::total_cmp);
    let place = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f32::NAN)
}

fn table(report: &Report) -> Result<(), Failure> {
    say(&format!(
        "{:<14}{:<6}{:<18}{:>6}  caught",
        "areas", "lang", "changed", "n"
    ))?;
    for ((half, lang, change), f) in &report.wrong {
        let half = HALVES
            .iter()
            .find(|(h, _)| h == half)
            .map_or("", |(_, n)| n);
        say(&format!(
            "{half:<14}{:<6}{:<18}{:>6}  {:.1} %",
            lang.code(),
            format!("{change:?}"),
            f.n,
            f.percent()
        ))?;
    }
    say(&format!(
        "\n{:<14}{:<6}{:<18}{:>6}  dropped",
        "areas", "lang", "true", "n"
    ))?;
    for ((half, lang, form), f) in &report.truths {
        let half = HALVES
            .iter()
            .find(|(h, _)| h == half)
            .map_or("", |(_, n)| n);
        say(&format!(
            "{half:<14}{:<6}{form:<18}{:>6}  {:.1} %",
            lang.code(),
            f.n,
            f.percent()
        ))?;
    }
    if !report.cosines.is_empty() {
        say(&format!(
            "\n{:<14}{:<6}{:<18}{:>6}  cosine: least, 0.5 %, 1 %, 5 %, half, 95 %",
            "areas", "lang", "sentences", "n"
        ))?;
    }
    for ((half, lang, kind), list) in &report.cosines {
        let half = HALVES
            .iter()
            .find(|(h, _)| h == half)
            .map_or("", |(_, n)| n);
        let at: Vec<String> = QUANTILES
            .iter()
            .map(|q| format!("{:.3}", quantile(list, *q)))
            .collect();
        say(&format!(
            "{half:<14}{:<6}{kind:<18}{:>6}  {}",
            lang.code(),
            list.len(),
            at.join("  ")
        ))?;
    }
    for ((change, why), n) in &report.excluded {
        say(&format!("left out: {n} of {change:?}, for {why}"))?;
    }
    for miss in Report::examples(&report.through) {
        let change = miss.change.map_or(String::new(), |c| format!("{c:?}"));
        say(&format!(
            "LET THROUGH {} {change} «{}»",
            miss.article, miss.text
        ))?;
    }
    for miss in Report::examples(&report.dropped) {
        say(&format!(
            "DROPPED {} «{}»: {}",
            miss.article, miss.text, miss.why
        ))?;
    }
    Ok(())
}

/// One JSON object a figure.
fn lines(report: &Report) -> Result<(), Failure> {
    for ((half, lang, change), f) in &report.wrong {
        say(
            &json!({"areas": half, "lang": lang, "change": change, "cases": f.n, "caught": f.hits})
                .to_string(),
        )?;
    }
    for ((half, lang, form), f) in &report.truths {
        say(
            &json!({"areas": half, "lang": lang, "true": form, "cases": f.n, "dropped": f.hits})
                .to_string(),
        )?;
    }
    for ((change, why), n) in &report.excluded {
        say(&json!({"change": change, "excluded": n, "why": why}).to_string())?;
    }
    for miss in Report::examples(&report.through) {
        say(&json!({"let_through": miss}).to_string())?;
    }
    for miss in Report::examples(&report.dropped) {
        say(&json!({"dropped": miss}).to_string())?;
    }
    Ok(())
}

/// The line that others read: shares in per cent, of all areas and of those held out.
fn last(report: &Report) -> serde_json::Value {
    let round = |x: f64| (x * 100.0).round() / 100.0;
    let of = |half: Option<Half>, lang: Option<Lang>| {
        let (caught, lost) = (report.caught(half, lang), report.lost(half, lang));
        json!({
            "corrupt_caught": round(caught.percent()), "cases": caught.n,
            "true_dropped": round(lost.percent()), "true_cases": lost.n,
        })
    };
    let mut all = of(None, None);
    all["ns_per_sentence"] = json!(report.ns_per_sentence());
    all["held_out"] = of(Some(Half::HeldOut), None);
    all["held_out_da"] = of(Some(Half::HeldOut), Some(Lang::Da));
    all["held_out_en"] = of(Some(Half::HeldOut), Some(Lang::En));
    all
}
