//! `borgerlinje import`: tables, documents and web pages become drafts of the studio.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use base::Clock as _;
use clap::{ArgGroup, Args};
use indicatif::ProgressBar;
use knowledge::Layer;

use super::{Failure, Setting};
use crate::boot;
use crate::editor::{self, Format, Plan, Problem, Progress, Site, What, import_by_command};
use crate::reader::Kind;
use crate::runtime::progress::Bars;
use crate::runtime::say;

#[derive(Args)]
#[command(group(ArgGroup::new("from").required(true).multiple(true).args(["file", "sitemap", "address"])))]
pub(super) struct Options {
    /// A table (.csv, .tsv), JSON (.json, .jsonl), Rasa's NLU in YAML (.yml, .yaml), Word (.docx) or PDF.
    #[arg(conflicts_with_all = ["sitemap", "address"])]
    file: Option<PathBuf>,
    /// The address of a website's sitemap. Only hosts of BORGERLINJE_IMPORT_HOSTS are asked.
    #[arg(long, value_name = "URL")]
    sitemap: Option<String>,
    /// Only those pages of the sitemap whose address begins so.
    #[arg(long, value_name = "URL", requires = "sitemap")]
    under: Option<String>,
    /// The address of a page; may be given more than once.
    #[arg(long, value_name = "URL")]
    address: Vec<String>,
    /// Where its articles belong: shared, a region's code or a municipality's.
    #[arg(long, default_value = "shared")]
    layer: Layer,
    /// The id in omraader.toml of what names no area.
    #[arg(long)]
    area: Option<String>,
    /// The team that answers for the articles.
    #[arg(long)]
    owner: Option<String>,
    /// Where the facts come from, for rows that do not say.
    #[arg(long)]
    source: Option<String>,
}

/// What is brought in, and its name.
fn what(options: &Options) -> Result<(What, String), Failure> {
    let Some(file) = &options.file else {
        let site = Site {
            sitemap: options.sitemap.clone(),
            under: options.under.clone(),
            addresses: options.address.clone(),
        };
        let name = site.name();
        return Ok((What::Site(site), name));
    };
    let name = file.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    Ok((of_file(file)?, name))
}

fn of_file(file: &Path) -> Result<What, Failure> {
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    let wrong = |e: std::io::Error| format!("{}: {e}", file.display());
    let format = match ending.to_lowercase().as_str() {
        "csv" | "tsv" => Format::Csv,
        "json" | "jsonl" => Format::Json,
        "yml" | "yaml" => Format::Rasa,
        "docx" => return Ok(What::Paper(Kind::Docx, std::fs::read(file).map_err(wrong)?)),
        "pdf" => return Ok(What::Paper(Kind::Pdf, std::fs::read(file).map_err(wrong)?)),
        other => {
            let known = "csv, tsv, json, jsonl, yml, yaml, docx and pdf are";
            return Err(
                format!("{}: «{other}» is no known ending: {known}", file.display()).into(),
            );
        }
    };
    Ok(What::Rows(
        format,
        std::fs::read_to_string(file).map_err(wrong)?,
    ))
}

/// A bar for each step, on standard error.
#[derive(Default)]
struct Shown(Mutex<Option<(String, ProgressBar)>>);

impl Progress for Shown {
    fn step(&self, step: &str, done: usize, total: usize) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.as_ref().is_none_or(|(s, _)| s != step) {
            if let Some((_, bar)) = now.take() {
                bar.finish_and_clear();
            }
            let bar = Bars::shown().counted(total as u64, step);
            *now = Some((step.to_owned(), bar));
        }
        if let Some((_, bar)) = &*now {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        }
    }

    fn go_on(&self) -> Result<(), Problem> {
        Ok(())
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let now = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bar)) = now.take() {
            bar.finish_and_clear();
        }
    }
}

pub(super) fn run(setting: &Setting, options: &Options) -> Result<ExitCode, Failure> {
    let (what, name) = what(options)?;
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
        name,
        layer: options.layer,
        area: options.area.clone(),
        owner: options.owner.clone(),
        source: options.source.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let imported = runtime.block_on(async {
        let now = setting.clock.now();
        let progress = Shown::default();
        let done = import_by_command(
            &store,
            (&plan, what),
            (&files, &release),
            setting.config.import_from.clone(),
            now,
            &progress,
        );
        let imported = done.await.map_err(Failure::from)?;
        store.close().await?;
        Ok::<_, Failure>(imported)
    })?;
    for s in &imported.skipped {
        let which = s.address.clone();
        let which = which.unwrap_or_else(|| format!("række {}", s.row));
        say(&format!("{which}: {}", s.why))?;
    }
    for d in &imported.duplicates {
        let percent = (100.0 * d.likeness).round();
        let of = match &d.draft {
            Some(draft) => format!("{} i kladden {draft}", d.of),
            None => d.of.clone(),
        };
        say(&format!(
            "række {}: «{}» findes allerede ({of}, {percent} %)",
            d.row, d.title
        ))?;
    }
    for c in &imported.changed {
        let what = if c.clash {
            ", og artiklen er også ændret"
        } else {
            ""
        };
        say(&format!(
            "{}: siden er ændret{what} ({}, +{} -{} linjer, kladde {})",
            c.address, c.article, c.added, c.removed, c.draft
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
        "{} {} læst, {articles} artikler i {} kladder, {} sprunget over, {} fandtes allerede, {} uændrede sider, {} ændrede",
        imported.read,
        if options.file.is_some() {
            "rækker"
        } else {
            "sider"
        },
        imported.drafts.len(),
        imported.skipped.len(),
        imported.duplicates.len(),
        imported.unchanged,
        imported.changed.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
