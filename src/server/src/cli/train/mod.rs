//! `borgerlinje train encoder`: an adapter for the encoder, learned from this folder's knowledge on this machine.

mod curves;
mod data;
mod strength;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Clock;
use clap::{Args, Subcommand};
use inference::AdapterManifest;
use inference::train::{Data, Development, Recipe, Trainer};

use super::{Failure, Setting};
use crate::boot;
use crate::runtime::progress::Bars;
use crate::runtime::say;

/// Steps between checkpoints.
const CHECKPOINT_EVERY: u32 = 25;

#[derive(Subcommand)]
pub(super) enum TrainCommand {
    /// Teach the encoder municipal language: writes a small adapter and its figures.
    Encoder(Options),
    /// Measure an adapter at several strengths, or write into its manifest how much of it is to count.
    Strength(strength::Options),
}

#[derive(Args)]
pub(super) struct Options {
    /// How long to train.
    #[arg(long, default_value_t = Recipe::default().steps)]
    steps: u32,
    /// Where chance begins: the same seed and knowledge give the same adapter.
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// Size of the adapter: 0.17 MB for each.
    #[arg(long, default_value_t = Recipe::default().rank)]
    rank: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = Recipe::default().rate)]
    rate: f64,
    /// How hard general text is kept where it was.
    #[arg(long, default_value_t = Recipe::default().stay)]
    stay: f64,
    /// How much of what was learned is to count, above 0 and at most 1.
    #[arg(long, default_value_t = strength::HALF)]
    strength: f64,
    /// The adapter's manifest; its weights are written beside it as .safetensors [default: models/adapter.toml]
    #[arg(long, value_name = "FILE.toml")]
    out: Option<PathBuf>,
    /// Go on from the last checkpoint of the same settings.
    #[arg(long)]
    resume: bool,
    /// Processors to use [default: as configured]
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(setting: &Setting, command: TrainCommand) -> Result<ExitCode, Failure> {
    let options = match command {
        TrainCommand::Encoder(options) => options,
        TrainCommand::Strength(options) => return strength::run(setting, options),
    };
    let config = &setting.config;
    let bars = Bars::shown();
    let out = match options.out {
        Some(out) if out.extension().is_none_or(|e| e != "toml") => {
            return Err(format!("--out {}: must end in .toml", out.display()).into());
        }
        Some(out) => out,
        None => config.models.join("adapter.toml"),
    };
    let files = Files::of(&out, &config.cache)?;
    strength::check(options.strength)?;
    let data = collected(setting)?;
    let recipe = Recipe {
        steps: options.steps,
        seed: options.seed,
        rank: options.rank,
        rate: options.rate,
        stay: options.stay,
        ..Recipe::default()
    };
    let model = boot::model(config, &bars)?;
    let threads = options.threads.unwrap_or(config.threads).clamp(1, 256);
    let mut trainer = if options.resume {
        Trainer::resume(&model, &data, recipe, threads, &files.checkpoint)?
    } else {
        Trainer::new(&model, &data, recipe, threads)?
    };
    let stopped = interrupted()?;
    let began = setting.clock.monotonic();
    let first = trainer.done();
    let bar = bars.counted(u64::from(trainer.recipe().steps), "training the encoder");
    let main = data.languages.first().map_or("", String::as_str);
    loop {
        if trainer.measure_is_due() {
            told(trainer.done(), trainer.measure()?, main)?;
            curves::write(trainer.curves(), main, &files.table, &files.picture)?;
        }
        let stop = stopped.load(Ordering::Relaxed);
        if stop || trainer.is_finished() || trainer.done().is_multiple_of(CHECKPOINT_EVERY) {
            trainer.save(&files.checkpoint)?;
        }
        if stop {
            bar.finish_and_clear();
            say(&format!(
                "stopped after {} steps; the same command with --resume goes on from there",
                trainer.done()
            ))?;
            return Ok(ExitCode::FAILURE);
        }
        if trainer.is_finished() {
            break;
        }
        let step = trainer.step()?;
        bar.set_position(u64::from(step.step));
        if step.step.is_multiple_of(10) {
            let spent = setting
                .clock
                .monotonic()
                .saturating_sub(began)
                .as_secs_f64();
            bars.note(&format!(
                "step {}: contrast {:.3}, drift {:.4}, gradient {:.2}, {:.2} s a step",
                step.step,
                step.loss.contrast,
                step.loss.drift,
                step.gradient,
                spent / f64::from(step.step - first)
            ));
        }
    }
    bar.finish_and_clear();
    curves::write(trainer.curves(), main, &files.table, &files.picture)?;
    let about = AdapterManifest {
        title: "Municipal language, learned from this folder's knowledge".to_owned(),
        licence: "MPL-2.0".to_owned(),
        file: files.weights,
        sha256: String::new(),
        bytes: 0,
        base: String::new(),
        data_sha256: String::new(),
        seed: 0,
        rank: 0,
        steps: 0,
        strength: 1.0,
        figures: BTreeMap::new(),
    };
    let about = trainer.finish(&out, about)?;
    drop(trainer);
    say(&format!(
        "{} ({:.1} MB) and {} are written; curves in {} and {}",
        about.file,
        about.bytes as f64 / 1e6,
        out.display(),
        files.table.display(),
        files.picture.display()
    ))?;
    strength::set(&model, &data, &out, threads, options.strength)?;
    Ok(ExitCode::SUCCESS)
}

/// What there is to learn from and to measure on.
fn collected(setting: &Setting) -> Result<Data, Failure> {
    let (release, notes) = boot::release(&setting.config, &setting.clock)?;
    for note in notes {
        tracing::warn!("{note}");
    }
    let data = data::collect(&release);
    let held_out = data.sentences.iter().filter(|s| s.held_out).count();
    say(&format!(
        "{} texts, {held_out} of them held out; {} general texts; {} pairs for general retrieval",
        data.sentences.len(),
        data.general.len(),
        data.retrieval.len()
    ))?;
    Ok(data)
}

/// What a training writes.
struct Files {
    /// Name of the tensors' file, beside the manifest.
    weights: String,
    checkpoint: PathBuf,
    table: PathBuf,
    picture: PathBuf,
}

impl Files {
    fn of(out: &Path, cache: &Path) -> Result<Self, Failure> {
        let stem = out.file_stem().and_then(|s| s.to_str());
        let stem = stem.ok_or_else(|| format!("--out {}: has no file name", out.display()))?;
        let folder = cache.join("train");
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(Self {
            weights: format!("{stem}.safetensors"),
            checkpoint: folder.join(format!("{stem}.checkpoint")),
            table: folder.join(format!("{stem}.tsv")),
            picture: folder.join(format!("{stem}.svg")),
        })
    }
}

fn told(step: u32, found: &Development, main: &str) -> Result<(), Failure> {
    let (first, others) = found.main_and_others(main);
    say(&format!(
        "after {step:>4} steps: right class first {main} {:.1} %, other languages {:.1} %; general retrieval {:.1} %",
        first.percent(),
        others.percent(),
        found.retrieval.percent()
    ))?;
    Ok(())
}

/// Becomes true when somebody asks the program to stop.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(super::serve::stop());
        set.store(true, Ordering::Relaxed);
    });
    Ok(flag)
}
