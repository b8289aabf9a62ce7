//! Who says answers in other words than the approved ones: the modes that the operator set, and a language model.
//!
//! Everything that keeps a model from being used ends in the same place: the answer is verbatim, and the operator is
//! told why, in the log and under `/health/ready`.

mod meaning;
mod rewrite;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use base::{Clock, MunicipalityCode};
use composition::{Doubt, Material, Mode, Modes, doubt, request};
use dialogue::Settled;
use inference::generator::{Generator, GeneratorOptions, Limits, Request};
use inference::{GeneratorManifest, Handle, Precedence};
use knowledge::Release;

use crate::config::{Config, Generation};

pub(crate) use self::writing::Writing;

/// A message that is this likely an attack gets the approved text.
const ATTACK: f32 = 0.05;

/// Where the language model stands.
enum Model {
    /// No area asks for one.
    Off,
    Loading,
    Ready(Generator),
    /// The log says why.
    Unavailable,
}

pub(crate) struct Composer {
    modes: Modes,
    model: ArcSwap<Model>,
    settings: Generation,
    clock: Arc<dyn Clock>,
    /// Whose questions go before the model's, and who compares what it wrote.
    encoder: Handle,
}

/// How an answer is to be said, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Never verbatim.
    pub mode: Mode,
    pub material: Material,
    /// Why it is not said so after all.
    pub doubt: Option<Doubt>,
}

impl Composer {
    /// Begins to load the model, if one is set; answers are verbatim until it is there.
    pub(crate) fn start(config: &Config, clock: Arc<dyn Clock>, encoder: Handle) -> Arc<Self> {
        let settings = config.generation.clone();
        let wanted = settings.model.clone().filter(|_| settings.wants_model());
        let first = if wanted.is_some() {
            Model::Loading
        } else {
            Model::Off
        };
        let composer = Arc::new(Self {
            modes: settings.modes(),
            model: ArcSwap::from_pointee(first),
            settings,
            clock,
            encoder,
        });
        if let Some(name) = wanted {
            let (own, config) = (Arc::clone(&composer), config.clone());
            let load = move || own.load(&config, &name);
            let thread = std::thread::Builder::new().name("generator-load".into());
            if let Err(e) = thread.spawn(load) {
                composer.unavailable(&format!("no thread to load it: {e}"));
            }
        }
        composer
    }

    /// With a model that is loaded already.
    pub(crate) fn with(
        settings: Generation,
        generator: Generator,
        clock: Arc<dyn Clock>,
        encoder: Handle,
    ) -> Arc<Self> {
        Arc::new(Self {
            modes: settings.modes(),
            model: ArcSwap::from_pointee(Model::Ready(generator)),
            settings,
            clock,
            encoder,
        })
    }

    fn load(&self, config: &Config, name: &str) {
        let precedence = self.encoder.precedence();
        let options = options(config, Arc::clone(&self.clock), precedence);
        let loaded = file(config, name)
            .and_then(|path| Generator::load(&path, &options).map_err(|e| e.to_string()));
        match loaded {
            Ok(generator) => {
                let d = generator.describe();
                tracing::info!(model = %d.name, kernel = d.kernel, "the language model is loaded");
                self.model.store(Arc::new(Model::Ready(generator)));
            }
            Err(why) => self.unavailable(&why),
        }
    }

    fn unavailable(&self, why: &str) {
        tracing::error!("the language model cannot be used, and answers are verbatim: {why}");
        self.model.store(Arc::new(Model::Unavailable));
    }

    /// How the language model is; why it is unavailable stands in the log.
    pub(crate) fn state(&self) -> &'static str {
        match &**self.model.load() {
            Model::Off => "off",
            Model::Loading => "loading",
            Model::Ready(_) => "ready",
            Model::Unavailable => "unavailable",
        }
    }

    /// Settings that do nothing with this release, for the log.
    pub(crate) fn faults(&self, release: &Release) -> Vec<String> {
        let mut faults = self.modes.faults(release);
        if self.settings.model.is_some() && !self.settings.wants_model() {
            faults.push(
                "a `model` is set, no area is `generated` and `rewrite` is not on: it is not loaded"
                    .to_owned(),
            );
        }
        faults
    }

    /// How the answer of a turn is to be said; `None`: verbatim, and nothing else was thought of. `hidden`: the message
    /// held characters that nobody sees, or may have.
    pub(crate) fn plan(
        &self,
        release: &Release,
        settled: &Settled,
        code: MunicipalityCode,
        hidden: bool,
    ) -> Option<Plan> {
        let (article, nearest) = settled.shown?;
        let mode = self.modes.of(release, release.article(article));
        if mode == Mode::Verbatim {
            return None;
        }
        let r = &settled.record;
        let material = Material::of(release, article, code, nearest, &r.message, r.language)?;
        let doubt = match mode {
            Mode::Generated if settled.attack >= ATTACK => Some(Doubt::Instruction),
            Mode::Generated if hidden => Some(Doubt::Markup),
            Mode::Generated if !self.settings.writes(r.language) => Some(Doubt::Language),
            Mode::Generated => doubt(&r.message, r.language),
            // Its own words, in whatever language they were asked for.
            Mode::Shortened | Mode::Verbatim => None,
        };
        Some(Plan {
            mode,
            material,
            doubt,
        })
    }

    /// The model, where it is loaded and free.
    ///
    /// # Errors
    /// Why it is not asked, in a word or two.
    fn generator(&self) -> Result<Generator, String> {
        let model = self.model.load();
        let generator = match &**model {
            Model::Ready(generator) => generator,
            Model::Off => return Err("no model".to_owned()),
            Model::Loading => return Err("the model is being loaded".to_owned()),
            Model::Unavailable => return Err("the model is unavailable".to_owned()),
        };
        let stats = generator.stats();
        if stats.active + stats.waiting >= self.settings.at_once {
            return Err("others are being answered".to_owned());
        }
        Ok(generator.clone())
    }

    /// Asks the model.
    ///
    /// # Errors
    /// Why it is not asked, in a word or two.
    pub(crate) fn write<'a>(&self, material: &'a Material) -> Result<Writing<'a>, String> {
        let generator = self.generator()?;
        let began = self.clock.monotonic();
        let description = generator.describe();
        let request = Request {
            deadline: Some(began + self.settings.budget()),
            ..request(material, description.form)
        };
        let answer = generator.generate(request).map_err(|e| e.to_string())?;
        Ok(Writing::new(
            answer,
            material,
            &description.name,
            self,
            began,
        ))
    }
}

/// Options for this machine: every processor, up to four; the citizens' questions go first.
pub(crate) fn options(
    config: &Config,
    clock: Arc<dyn Clock>,
    precedence: Precedence,
) -> GeneratorOptions {
    let processors = std::thread::available_parallelism().map_or(2, |n| n.get());
    let set = &config.generation;
    GeneratorOptions {
        compute: config.kernel,
        threads: processors.min(4),
        limits: Limits {
            at_once: set.at_once,
            queue: set.at_once,
            kv_bytes: set.cache_mb << 20,
            ..Limits::default()
        },
        precedence,
        ..GeneratorOptions::new(Arc::new(move || clock.monotonic()))
    }
}

/// The file of a model that was fetched, or the file named.
///
/// # Errors
/// What to do about it.
pub(crate) fn file(config: &Config, model: &str) -> Result<PathBuf, String> {
    if Path::new(model).extension().is_some_and(|e| e == "gguf") {
        return Ok(PathBuf::from(model));
    }
    let manifest = config.models.join(format!("{model}.toml"));
    if !manifest.is_file() {
        let known = GeneratorManifest::list(&config.models).map_err(|e| e.to_string())?;
        let known: Vec<String> = known.into_iter().map(|m| m.name).collect();
        return Err(format!(
            "{model}: expected a file that ends in .gguf, or one of {}",
            known.join(", ")
        ));
    }
    let manifest = GeneratorManifest::read(&manifest).map_err(|e| e.to_string())?;
    let mut here = config.caches().map(|cache| manifest.path(cache));
    here.find(|path| path.is_file())
        .ok_or_else(|| format!("{model} is not here: run `borgerlinje model fetch {model}`"))
}
