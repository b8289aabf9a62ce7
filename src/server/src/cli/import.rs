//! `borgerlinje import`: rows of question and answer become drafts of the studio.

use std::path::PathBuf;
use std::process::ExitCode;

use base::Clock as _;
use clap::Args;
use knowledge::Layer;

use super::{Failure, Setting};
use crate::boot;
use crate::editor::{self, Format, Plan, import_by_command};
use crate::runtime::say;

#[derive(Args)]
pub(super) struct Options {
    /// A table (.csv, .tsv), JSON (.json, .jsonl) or Rasa's NLU in YAML (.yml, .yaml).
    file: PathBuf,
    /// Where its articles belong: shared, a region's code or a municipality's.
    #[arg(long, default_value = "shared")]
    layer: Layer,
    /// The id in omraader.toml of rows that name no area.
    #[arg(long)]
    area: Option<String>,
    /// The team that answers for the articles.
    #[arg(long)]
    owner: Option<String>,
    /// Where the facts come from, for rows that do not say.
    #[arg(long)]
    source: Option<String>,
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let file = &options.file;
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    let format = match ending.to_lowercase().as_str() {
        "csv" | "tsv" => Format::Csv,
        "json" | "jsonl" => Format::Json,
        "yml" | "yaml" => Format::Rasa,
        other => {
            let known = "csv, tsv, json, jsonl, yml and yaml are";
            return Err(
                format!("{}: «{other}» is no known ending: {known}", file.display()).into(),
            );
        }
    };
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let (files, release, _) = boot::read(&setting.config, &setting.clock)?;
    if let Some(area) = options
        .area
        .as_ref()
        .filter(|a| !release.areas.contains_key(*a))
    {
        return Err(format!("--area: «{area}» is not in omraader.toml").into());
    }
    let data = &setting.config.data;
    std::fs::create_dir_all(data)
        .map_err(|e| format!("the data folder {}: {e}", data.display()))?;
    let path = data.join(editor::FILE);
    let store = storage::Editor::open(&path, &storage::Options::default())
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let plan = Plan {
        name: file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        format,
        layer: options.layer,
        area: options.area.clone(),
        owner: options.owner.clone(),
        source: options.source.clone(),
    };
    let bar = indicatif::ProgressBar::new(0);
    let mut progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let imported = runtime.block_on(async {
        let now = setting.clock.now();
        let done = import_by_command(
            &store,
            (&plan, &text),
            (&files, &release),
            now,
            &mut progress,
        );
        let imported = done.await.map_err(Failure::from)?;
        store.close().await?;
        Ok::<_, Failure>(imported)
    })?;
    bar.finish_and_clear();
    for s in &imported.skipped {
        say(&format!("række {}: {}", s.row, s.why))?;
    }
    for d in &imported.duplicates {
        let percent = (100.0 * d.likeness).round();
        say(&format!(
            "række {}: «{}» findes allerede ({}, {percent} %)",
            d.row, d.title, d.of
        ))?;
    }
    for d in &imported.drafts {
        say(&format!(
            "kladde {}: {} ({} artikler)",
            d.id, d.title, d.articles
        ))?;
    }
    let articles: usize = imported.drafts.iter().map(|d| d.articles).sum();
    say(&format!(
        "{} rækker læst, {articles} artikler i {} kladder, {} sprunget over, {} fandtes allerede",
        imported.read,
        imported.drafts.len(),
        imported.skipped.len(),
        imported.duplicates.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
