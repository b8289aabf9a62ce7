//! From a release to a snapshot: vectors, the trained ranker, and what is stored of both.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use inference::{Kind, Rounded};
use knowledge::{Layer, Release};
use serde::{Deserialize, Serialize};

use super::passages::Passages;
use super::{BM25_HITS, Snapshot, material};
use crate::analysis::Analyzer;
use crate::language::Identifier;
use crate::lexical::{Lexical, Side};
use crate::ranker::{Class, ErrorBudget, Ranker, Sample, Scope, Training};
use crate::spelling::Spelling;
use crate::vectors::{VectorCache, io_error};
use crate::{Error, parallel};

/// Raise when the ranker's training or layout changes: stored rankers of other versions are not read.
const RANKER_VERSION: u32 = 15;

/// How a snapshot is built.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where vectors and rankers are kept between runs; `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// Where they are looked for too, and never written.
    pub prepared: Vec<PathBuf>,
    /// The encoder's own hash: vectors of different models never mix.
    pub model: String,
    /// The encoder was trained on the examples, but for those that [`knowledge::held_out`] names.
    pub adapted: bool,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// Threads to train with, at least 1.
    pub threads: usize,
    pub budget: ErrorBudget,
}

impl BuildOptions {
    /// The folders that may hold vectors and rankers.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.cache
            .iter()
            .chain(&self.prepared)
            .map(PathBuf::as_path)
    }
}

/// What is being done, for a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Encoding,
    Training,
}

/// Turns texts into vectors; a scheduler's blocking call in the service.
pub type Embed<'a> = dyn FnMut(Kind, &[String]) -> Result<Vec<Arc<[f32]>>, inference::Error> + 'a;

impl Snapshot {
    /// Builds a snapshot: indexes, encodes what is not known, and trains the ranker (or reads what is stored of
    /// the same release, model and budget, and encodes nothing).
    ///
    /// # Errors
    /// [`Error::Inference`] from `embed`, [`Error::Io`] when the cache cannot be written.
    pub fn build(
        release: Arc<Release>,
        analyzer: Arc<Analyzer>,
        options: &BuildOptions,
        embed: &mut Embed<'_>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Self, Error> {
        let classes = material::classes(&release);
        let class_of = material::class_of(&release, &classes);
        let name = Learned::name(&release, &analyzer, options);
        let stored = Learned::read(&name, options).filter(|l| l.ranker.classes == classes);
        let (lexical, learned) = match stored {
            Some(mut learned) => {
                let files = std::mem::take(&mut learned.lexical);
                (
                    Lexical::from_files(&files, release.articles.len())?,
                    learned,
                )
            }
            None => {
                let lexical = Lexical::build(&release, &analyzer)?;
                let learner = Learner {
                    release: &release,
                    analyzer: &analyzer,
                    lexical: &lexical,
                    class_of: &class_of,
                    options,
                };
                let learned = learner.learn(classes, embed, progress)?;
                if let Some(dir) = &options.cache {
                    learned.write(&dir.join(name))?;
                }
                (lexical, learned)
            }
        };
        Ok(Self::of(release, analyzer, lexical, learned, class_of))
    }

    fn of(
        release: Arc<Release>,
        analyzer: Arc<Analyzer>,
        lexical: Lexical,
        learned: Learned,
        class_of: Vec<Option<usize>>,
    ) -> Self {
        Self {
            passages: Passages::new(&release, learned.passages),
            release,
            analyzer,
            lexical,
            ranker: learned.ranker,
            class_of,
            identifier: Arc::new(learned.identifier),
            spread: Arc::new(learned.spread),
            spelling: Arc::new(learned.spelling),
        }
    }
}

/// The vectors of a release.
struct Vectors {
    /// Of the samples.
    queries: Vec<Arc<[f32]>>,
    /// Of the sections.
    passages: Vec<Arc<[f32]>>,
}

impl Vectors {
    fn of(
        release: &Release,
        samples: &[Sample],
        options: &BuildOptions,
        embed: &mut Embed<'_>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Self, Error> {
        let places = material::places(release);
        let articles = places.chunk_by(|a, b| a.0 == b.0);
        let passages: Vec<String> = articles
            .flat_map(|of| material::sections(release.article(of[0].0)))
            .collect();
        let texts: Vec<String> = samples.iter().map(|s| s.text.clone()).collect();
        let total = texts.len() + passages.len();
        let mut done = 0;
        let mut counted = |kind: Kind, t: &[String]| {
            let out = embed(kind, t);
            done += t.len();
            progress(Stage::Encoding, done, total);
            out
        };
        let mut cache = VectorCache::open(options)?;
        Ok(Self {
            queries: cache.get(Kind::Query, &texts, &mut counted)?,
            passages: cache.get(Kind::Passage, &passages, &mut counted)?,
        })
    }

    /// The sections, for [`Passages::centred`].
    fn centred(&self, ranker: &Ranker, dimensions: usize) -> Rounded {
        let passages = self.passages.iter();
        let centred: Vec<f32> = passages.flat_map(|v| ranker.centre_passage(v)).collect();
        Rounded::new(&centred, dimensions)
    }
}

/// What a release is learned from.
struct Learner<'a> {
    release: &'a Release,
    analyzer: &'a Analyzer,
    lexical: &'a Lexical,
    class_of: &'a [Option<usize>],
    options: &'a BuildOptions,
}

impl Learner<'_> {
    /// Encodes, trains and stores.
    fn learn(
        &self,
        classes: Vec<Class>,
        embed: &mut Embed<'_>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Learned, Error> {
        let options = self.options;
        let samples = material::samples(self.release, &classes, options.adapted, &|_| true);
        let scope = Scope::of(self.release, &classes);
        let places = material::places(self.release);
        let vectors = Vectors::of(self.release, &samples, options, embed, progress)?;
        let training = Training {
            bm25: bm25_of_samples(
                (&samples, &scope),
                self.lexical,
                self.analyzer,
                self.class_of,
                options.threads,
            ),
            passages: places
                .iter()
                .zip(&vectors.passages)
                .filter(|((a, _), _)| self.release.article(*a).layer == Layer::Shared)
                .filter_map(|((a, _), v)| {
                    let class = self.class_of[*a as usize]?;
                    Some((u32::try_from(class).ok()?, v.clone()))
                })
                .collect(),
            fingerprints: material::fingerprints(self.release, &classes, self.class_of),
            classes,
            scope: &scope,
            samples: &samples,
            vectors: &vectors.queries,
            budget: options.budget,
            threads: options.threads,
        };
        let ranker = training.run(&mut |d, t| progress(Stage::Training, d, t));
        Ok(Learned {
            lexical: self.lexical.files()?,
            passages: vectors.centred(&ranker, options.dimensions),
            ranker,
            identifier: Identifier::learn(&samples),
            spread: material::spread(self.release, &samples, self.analyzer),
            spelling: Spelling::learn(self.release, &samples),
        })
    }
}

/// Everything that is learned from a release, as it is stored.
#[derive(Serialize, Deserialize)]
struct Learned {
    /// The files of [`Lexical`].
    lexical: Vec<(String, Vec<u8>)>,
    ranker: Ranker,
    /// See [`Passages::centred`].
    passages: Rounded,
    identifier: Identifier,
    /// See [`Snapshot::spread`].
    spread: HashMap<(Lang, String), f32>,
    spelling: Spelling,
}

impl Learned {
    fn name(release: &Release, analyzer: &Analyzer, options: &BuildOptions) -> String {
        let short = |s: &str| s.chars().take(16).collect::<String>();
        let budget = options.budget;
        format!(
            "ranker-{RANKER_VERSION}-{}-{:08x}-{}-{:.4}-{:.4}.bin",
            short(&release.learned_hash),
            analyzer.fingerprint() as u32,
            short(&options.model),
            budget.wrong,
            budget.unanswerable,
        )
    }

    /// What is stored under this name; what cannot be read is learned anew.
    fn read(name: &str, options: &BuildOptions) -> Option<Self> {
        options.folders().find_map(|dir| {
            let path = dir.join(name);
            let bytes = fs::read(&path).ok()?;
            match postcard::from_bytes(&bytes) {
                Ok(learned) => Some(learned),
                Err(e) => {
                    tracing::warn!(path = %path.display(), error = %e, "stored ranker is unreadable: training anew");
                    None
                }
            }
        })
    }

    fn write(&self, path: &Path) -> Result<(), Error> {
        let bytes =
            postcard::to_stdvec(self).map_err(|e| io_error(path, std::io::Error::other(e)))?;
        let dir = path.parent().unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(dir)?;
            // Rankers of older releases are of no use: they can be trained again.
            for entry in fs::read_dir(dir)? {
                let old = entry?.path();
                let name = old.file_name().and_then(|n| n.to_str()).unwrap_or("");
                if name.starts_with("ranker-") && old != path {
                    fs::remove_file(&old)?;
                }
            }
            let half = path.with_extension(format!("half-{}", std::process::id()));
            fs::write(&half, &bytes)?;
            fs::rename(&half, path)
        };
        write().map_err(|e| io_error(path, e))
    }
}

/// No municipality has this code: a search as it sees the shared layer alone.
const NOBODY: &str = "0000";

/// The best BM25 of each class, for each sentence that judges.
fn bm25_of_samples(
    (samples, scope): (&[Sample], &Scope),
    lexical: &Lexical,
    analyzer: &Analyzer,
    class_of: &[Option<usize>],
    threads: usize,
) -> Vec<Vec<(u32, f32)>> {
    let Ok(nobody) = NOBODY.parse::<MunicipalityCode>() else {
        return vec![Vec::new(); samples.len()];
    };
    parallel::map(samples.len(), threads, |i| {
        if !samples[i].judges || !scope.common(samples[i].class as usize) {
            return Vec::new();
        }
        let terms = analyzer.query_terms(&samples[i].text);
        let hits = lexical
            .search(&terms, Side::Sections, nobody, nobody, BM25_HITS)
            .unwrap_or_default();
        hits.iter()
            .filter_map(|h| {
                let class = class_of[h.article as usize]?;
                Some((u32::try_from(class).ok()?, h.score))
            })
            .collect()
    })
}
