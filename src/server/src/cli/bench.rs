//! `borgerlinje bench`: speed on this machine.

mod export;
mod full_scale;
mod generate;
mod studio;
mod synthetic;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use base::{Clock, Lang};
use clap::Subcommand;
use dialogue::Context;
use inference::{Encoder, EncoderOptions, Kind, Tokenizer};
use serde::{Deserialize, Serialize};

use super::{Failure, Setting, ask};
use crate::boot;
use crate::config::Config;
use crate::runtime::progress::Bars;
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum BenchCommand {
    /// The encoder alone.
    Encoder {
        /// Print one JSON line.
        #[arg(long)]
        json: bool,
    },
    /// Whole warm turns, one citizen, over the Danish question set.
    Turn {
        #[arg(long)]
        json: bool,
        /// Over a synthetic base of 5,000 articles, 14,000 example sentences and 39 municipalities: building,
        /// starting, publishing, many citizens, memory, processor time. Takes minutes.
        #[arg(long)]
        full_scale: bool,
    },
    /// A language model: prompts, writing, and what it costs citizens who are asked beside it.
    Generate {
        #[arg(long, default_value = "gemma3-270m")]
        model: String,
        #[arg(long)]
        json: bool,
    },
    /// The studio's lists over the synthetic base of 5,000 articles, and grouping as many questions as it groups at
    /// most; encoding is not counted.
    Studio {
        #[arg(long)]
        json: bool,
    },
    /// Writes the base of --full-scale as the old bot would hand it over: 5,000 answers, 14,000 example sentences.
    #[command(hide = true)]
    Export {
        /// A table (.csv) or JSON (.json).
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// What `bench/` drives beside its peers: answers JSON lines on standard input until it ends.
    #[command(hide = true)]
    ServeEncoder {
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// The same of a language model.
    #[command(hide = true)]
    ServeGenerator {
        #[arg(long, default_value = "gemma3-270m")]
        model: String,
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

/// One line of what [`serve_encoder`] is asked.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    /// Token ids of texts.
    Tokenize { texts: Vec<String>, passage: bool },
    /// One batch, `runs` times over; its vectors if they are wanted.
    Encode {
        ids: Vec<Vec<u32>>,
        runs: usize,
        vectors: bool,
    },
}

/// One line of what it answers.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// First, when the model is loaded.
    Kernel(&'static str),
    Ids(Vec<Vec<u32>>),
    /// Nanoseconds of each run, on our own clock: neither pipe nor JSON is in them.
    Encoded {
        ns: Vec<u64>,
        vectors: Vec<Vec<f32>>,
    },
}

#[derive(Serialize)]
struct TurnReport {
    turns: usize,
    turn_ms_p50: f64,
    turn_ms_p99: f64,
    turn_ms_max: f64,
}

pub(super) fn run(setting: &Setting, command: &BenchCommand) -> Result<ExitCode, Failure> {
    match command {
        BenchCommand::Encoder { json } => encoder(setting, *json),
        BenchCommand::Turn { json, full_scale } => turns(setting, *json, *full_scale),
        BenchCommand::Studio { json } => studio::run(setting, *json),
        BenchCommand::Export { out } => {
            export::run(setting, out)?;
            Ok(ExitCode::SUCCESS)
        }
        BenchCommand::Generate { model, json } => {
            generate::run(setting, model, *json)?;
            Ok(ExitCode::SUCCESS)
        }
        BenchCommand::ServeGenerator { model, threads } => {
            generate::serve(setting, model, *threads)?;
            Ok(ExitCode::SUCCESS)
        }
        BenchCommand::ServeEncoder { threads } => serve_encoder(setting, *threads),
    }
}

fn serve_encoder(setting: &Setting, threads: usize) -> Result<ExitCode, Failure> {
    let files = boot::model(&setting.config, &Bars::shown())?;
    let options = EncoderOptions {
        compute: setting.config.kernel,
        threads,
    };
    let (encoder, tokenizer) = inference::load(&files, &options)?;
    let now = || setting.clock.monotonic();
    say(&serde_json::to_string(&Told::Kernel(
        encoder.compute().name(),
    ))?)?;
    for line in std::io::stdin().lines() {
        let ask = serde_json::from_str(&line?)?;
        say(&serde_json::to_string(&told(
            &encoder, &tokenizer, &now, ask,
        )?)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(
    encoder: &Encoder,
    tokenizer: &Tokenizer,
    now: &dyn Fn() -> Duration,
    ask: Ask,
) -> inference::Result<Told> {
    match ask {
        Ask::Tokenize { texts, passage } => {
            let kind = if passage { Kind::Passage } else { Kind::Query };
            let ids = texts.iter().map(|text| tokenizer.encode(kind, text));
            Ok(Told::Ids(ids.collect::<inference::Result<_>>()?))
        }
        Ask::Encode { ids, runs, vectors } => {
            let mut ns = Vec::with_capacity(runs);
            let mut last = Vec::new();
            for _ in 0..runs {
                let start = now();
                last = encoder.encode(&ids)?;
                ns.push(now().saturating_sub(start).as_nanos() as u64);
            }
            last.truncate(if vectors { last.len() } else { 0 });
            Ok(Told::Encoded {
                ns,
                vectors: last.iter().map(|vector| vector.to_vec()).collect(),
            })
        }
    }
}

fn encoder(setting: &Setting, json: bool) -> Result<ExitCode, Failure> {
    let files = boot::model(&setting.config, &Bars::shown())?;
    let options = EncoderOptions {
        compute: setting.config.kernel,
        ..EncoderOptions::default()
    };
    let (mut encoder, _) = inference::load(&files, &options)?;
    let report = inference::bench::encoder(&mut encoder, &|| setting.clock.monotonic())?;
    if json {
        say(&serde_json::to_string(&report)?)?;
    } else {
        say(&format!(
            "kernel {}: 12 tokens {:.2} ms, 38 tokens {:.2} ms (medians, one thread); 32 × 38: {:.0} tokens/s (two threads)",
            report.kernel, report.ms_12_tokens, report.ms_38_tokens, report.tokens_per_s_32x38
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn turns(setting: &Setting, json: bool, full_scale: bool) -> Result<ExitCode, Failure> {
    let path = setting
        .config
        .knowledge
        .join("../tests/questions/danish.tsv");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let questions = dialogue::eval::parse(&text)?;
    if full_scale {
        full_scale::run(setting, &questions, json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config {
        // The first twenty are asked twice.
        recent_bytes: 0,
        ..setting.config.clone()
    };
    let booted = boot::boot(&config, &setting.clock, &Bars::shown())?;
    let context = Context::new(Lang::Da);
    let mut times = Vec::with_capacity(questions.len());
    for (n, q) in questions.iter().take(20).chain(&questions).enumerate() {
        let start = setting.clock.monotonic();
        ask::turn(&booted, q.text.clone(), q.municipality, &context)?;
        let took = setting.clock.monotonic().saturating_sub(start);
        // The first twenty warm the caches.
        if n >= 20 {
            times.push(took.as_secs_f64() * 1e3);
        }
    }
    let report = TurnReport {
        turns: times.len(),
        turn_ms_p50: percentile(&mut times, 0.5),
        turn_ms_p99: percentile(&mut times, 0.99),
        turn_ms_max: percentile(&mut times, 1.0),
    };
    if json {
        say(&serde_json::to_string(&report)?)?;
    } else {
        say(&format!(
            "{} warm turns: median {:.1} ms, 99th percentile {:.1} ms, slowest {:.1} ms",
            report.turns, report.turn_ms_p50, report.turn_ms_p99, report.turn_ms_max
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A quantile by nearest rank; 0 without any. Sorts.
pub(super) fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let rank = (times.len() as f64 * share).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}
