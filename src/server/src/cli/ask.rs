//! `borgerlinje ask`: the whole turn, from standard input to standard output.

use std::io::{BufRead, Read};
use std::process::ExitCode;

use base::{Clock, Lang, MunicipalityCode, clean, redact};
use dialogue::{Choice, Context, Input, Scored, Settled, Source, Turn};
use inference::Kind;
use knowledge::Intent;
use serde::Serialize;

use super::{Failure, Setting};
use crate::boot::{self, Booted};
use crate::runtime::progress::Bars;
use crate::runtime::say;

pub(super) struct Options {
    pub municipality: MunicipalityCode,
    pub json: bool,
    pub dialogue: bool,
    pub lang: Lang,
}

/// The longest line that is read, in bytes; the rest of it is left out.
const MAX_LINE: u64 = 1 << 16;

/// One line of output.
#[derive(Serialize)]
struct Reply<'a> {
    message: &'a str,
    outcome: &'a str,
    intent: Option<Intent>,
    article_id: Option<&'a str>,
    candidates: &'a [Scored],
    confidence: f32,
    language: Lang,
    answer: &'a str,
    sources: &'a [Source],
    /// Titles that the citizen may choose from.
    choices: &'a [Choice],
    took_ms: f64,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let booted = boot::boot(&setting.config, &setting.clock, &Bars::quiet())?;
    if booted.snapshot.release.view(options.municipality).is_none() {
        return Err(index::Error::UnknownMunicipality(options.municipality).into());
    }
    let mut context = Context::new(options.lang);
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if line.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
        }
        let text = redact(&clean(&String::from_utf8_lossy(&line))).text;
        if text.is_empty() {
            continue;
        }
        if !options.dialogue {
            context = Context::new(options.lang);
        }
        let start = setting.clock.monotonic();
        let settled = turn(&booted, text, options.municipality, &context)?;
        let took = setting.clock.monotonic().saturating_sub(start);
        context = settled.context.clone();
        print(&settled, took.as_secs_f64() * 1e3, options.json)?;
    }
}

/// One whole turn on the calling thread.
///
/// # Errors
/// When the encoder or the index fails.
pub(super) fn turn(
    booted: &Booted,
    text: String,
    municipality: MunicipalityCode,
    context: &Context,
) -> Result<Settled, Failure> {
    let begun = Turn::new(booted.snapshot.clone()).begin(Input { text, municipality }, context);
    let vectors = booted.encoder.ask_blocking(Kind::Query, &begun.texts())?;
    Ok(begun.finish(&vectors, context)?)
}

fn print(s: &Settled, took_ms: f64, json: bool) -> Result<(), Failure> {
    let r = &s.record;
    if json {
        let reply = Reply {
            message: &r.message,
            outcome: r.outcome.name(),
            intent: r.intent,
            article_id: r.article_id.as_deref(),
            candidates: &r.candidates,
            confidence: r.confidence,
            language: r.language,
            answer: &s.answer.text,
            sources: &s.answer.sources,
            choices: &s.answer.choices,
            took_ms: (took_ms * 1000.0).round() / 1000.0,
        };
        say(&serde_json::to_string(&reply)?)?;
        return Ok(());
    }
    say(&format!("> {}", r.message))?;
    if let Some(title) = &s.answer.title {
        say(&format!("# {title}"))?;
    }
    for part in [&s.answer.notice, &Some(s.answer.text.clone())]
        .into_iter()
        .flatten()
    {
        say(part)?;
    }
    for c in &s.answer.choices {
        say(&format!("- {} ({})", c.title, c.article_id))?;
    }
    for source in &s.answer.sources {
        say(&format!("Kilde: {} ({})", source.title, source.source))?;
    }
    say(&format!(
        "[{}, {:.2}, {took_ms:.1} ms]\n",
        r.outcome.name(),
        r.confidence
    ))?;
    Ok(())
}
