//! `borgerlinje train strength`: how much of what an adapter learned is to count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use inference::train::{Data, Development, Weighed, weigh};
use inference::{Adapter, Figure, ModelFiles};

use super::super::{Failure, Setting};
use super::collected;
use crate::boot;
use crate::runtime::progress::Bars;
use crate::runtime::say;

/// What is taken where nobody says otherwise: what the authors of the method advise where nothing else can judge.
pub(super) const HALF: f64 = 0.5;
/// Those that are measured beside 0, the stock encoder.
const STRENGTHS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

#[derive(Args)]
pub(crate) struct Options {
    /// The adapter's manifest [default: models/adapter.toml]
    #[arg(value_name = "FILE.toml")]
    adapter: Option<PathBuf>,
    /// Write this strength, above 0 and at most 1, and its figures into the manifest.
    #[arg(long)]
    set: Option<f64>,
    /// Processors to use [default: as configured]
    #[arg(long)]
    threads: Option<usize>,
}

pub(super) fn run(setting: &Setting, options: Options) -> Result<ExitCode, Failure> {
    let config = &setting.config;
    let manifest = options
        .adapter
        .unwrap_or_else(|| config.models.join("adapter.toml"));
    options.set.map_or(Ok(()), check)?;
    let data = collected(setting)?;
    let model = boot::model(config, &Bars::shown())?;
    let threads = options.threads.unwrap_or(config.threads).clamp(1, 256);
    match options.set {
        Some(strength) => set(&model, &data, &manifest, threads, strength)?,
        None => {
            let (adapter, _) = Adapter::read_whole(&manifest)?;
            measured(&model, &data, &adapter, &STRENGTHS, threads)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(strength: f64) -> Result<(), Failure> {
    if strength > 0.0 && strength <= 1.0 {
        return Ok(());
    }
    Err(format!("a strength of {strength}: expected a number above 0, at most 1").into())
}

/// Measures an adapter at a strength, and writes both into its manifest.
pub(super) fn set(
    model: &ModelFiles,
    data: &Data,
    manifest: &Path,
    threads: usize,
    strength: f64,
) -> Result<(), Failure> {
    let (adapter, mut about) = Adapter::read_whole(manifest)?;
    let found = measured(model, data, &adapter, &[strength], threads)?;
    about.strength = strength;
    about.figures = figures(&found, main(data));
    about.save(manifest)?;
    say(&format!(
        "strength {strength} is written into {}",
        manifest.display()
    ))?;
    Ok(())
}

fn main(data: &Data) -> &str {
    data.languages.first().map_or("", String::as_str)
}

/// Measures and tells the stock encoder's figures and those at each strength.
fn measured(
    model: &ModelFiles,
    data: &Data,
    adapter: &Adapter,
    strengths: &[f64],
    threads: usize,
) -> Result<Vec<Weighed>, Failure> {
    let main = main(data);
    let mut said = Ok(());
    let found = weigh(model, data, adapter, strengths, threads, |w| {
        let (first, others) = w.found.main_and_others(main);
        let line = say(&format!(
            "strength {:.2}: right class first {main} {:.1} %, other languages {:.1} %; general retrieval {:.1} % first, mean reciprocal rank {:.3}",
            w.strength,
            first.percent(),
            others.percent(),
            w.found.retrieval.percent(),
            w.found.reciprocal_rank
        ));
        if said.is_ok() {
            said = line;
        }
    })?;
    said?;
    Ok(found)
}

/// Of the first measured and the last, in per cent to one decimal.
fn figures(found: &[Weighed], main: &str) -> BTreeMap<String, Figure> {
    let (Some(stock), Some(adapted)) = (found.first(), found.last()) else {
        return BTreeMap::new();
    };
    let of = |d: &Development| {
        let (first, others) = d.main_and_others(main);
        [
            ("held_out_danish", first.percent()),
            ("held_out_other_languages", others.percent()),
            ("general_retrieval", d.retrieval.percent()),
            ("general_reciprocal_rank", 100.0 * d.reciprocal_rank),
        ]
    };
    let rounded = |p: f64| (p * 10.0).round() / 10.0;
    let pairs = of(&stock.found).into_iter().zip(of(&adapted.found));
    pairs
        .map(|((name, stock), (_, adapted))| {
            let figure = Figure {
                stock: rounded(stock),
                adapted: rounded(adapted),
            };
            (name.to_owned(), figure)
        })
        .collect()
}
