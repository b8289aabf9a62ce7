//! From a release to a snapshot: training sentences, sections, vectors, the trained ranker.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use inference::{Kind, Rounded};
use knowledge::{ArticleIx, Audience, Layer, Release, without_slots};

use super::{BM25_HITS, Passages, Snapshot};
use crate::analysis::Analyzer;
use crate::language::Identifier;
use crate::lexical::{Lexical, Side};
use crate::ranker::{Class, ErrorBudget, Ranker, Sample, Training};
use crate::vectors::{VectorCache, io_error};
use crate::{Error, parallel};

/// Raise when the ranker's training or layout changes: stored rankers of other versions are not read.
const RANKER_VERSION: u32 = 5;

/// How a snapshot is built.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where vectors and rankers are kept between runs; `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// Where they are looked for too, and never written.
    pub prepared: Option<PathBuf>,
    /// The encoder's own hash: vectors of different models never mix.
    pub model: String,
    /// Numbers in a vector.
    pub dimensions: usize,
    /// Threads to train with, at least 1.
    pub threads: usize,
    pub budget: ErrorBudget,
}

impl BuildOptions {
    /// The folders that may hold vectors and rankers.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        [self.cache.as_deref(), self.prepared.as_deref()]
            .into_iter()
            .flatten()
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
    /// Builds a snapshot: indexes, encodes what is not known, and trains the ranker (or reads the stored one
    /// of the same release, model and budget).
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
        let lexical = Lexical::build(&release, &analyzer)?;
        let (classes, common, samples) = samples(&release);
        let class_ix: HashMap<&Class, usize> = classes.iter().zip(0..).collect();
        let class_of: Vec<Option<usize>> = release
            .articles
            .iter()
            .map(|a| class_ix.get(&Class::Article(a.id.clone())).copied())
            .collect();
        let mut cache = VectorCache::open(options)?;
        let places = sections(&release);
        let passages: Vec<String> = places.iter().map(|p| p.2.clone()).collect();
        let stored = read_ranker(&release, options).filter(|r| r.classes == classes);
        let texts: Vec<String> = match &stored {
            // Their vectors are in the ranker.
            Some(_) => Vec::new(),
            None => samples.iter().map(|s| s.text.clone()).collect(),
        };
        let total = texts.len() + passages.len();
        let mut done = 0;
        let mut counted = |kind: Kind, t: &[String]| {
            let out = embed(kind, t);
            done += t.len();
            progress(Stage::Encoding, done, total);
            out
        };
        let vectors = cache.get(Kind::Query, &texts, &mut counted)?;
        let raw = cache.get(Kind::Passage, &passages, &mut counted)?;
        let ranker = match stored {
            Some(ranker) => ranker,
            None => {
                let training = Training {
                    bm25: bm25_of_samples(
                        &samples,
                        &lexical,
                        &analyzer,
                        &class_of,
                        options.threads,
                    ),
                    passages: places
                        .iter()
                        .zip(&raw)
                        .filter(|(p, _)| release.article(p.0).layer == Layer::Shared)
                        .filter_map(|(p, v)| {
                            Some((u32::try_from(class_of[p.0 as usize]?).ok()?, v.clone()))
                        })
                        .collect(),
                    classes,
                    common,
                    samples: &samples,
                    vectors: &vectors,
                    budget: options.budget,
                    threads: options.threads,
                };
                let ranker = training.run(&mut |d, t| progress(Stage::Training, d, t));
                if let Some(dir) = &options.cache {
                    write_ranker(&dir.join(ranker_name(&release, options)), &ranker)?;
                }
                ranker
            }
        };
        let centred: Vec<f32> = raw.iter().flat_map(|v| ranker.centre_passage(v)).collect();
        let passages = Passages {
            places: places.into_iter().map(|(a, s, _)| (a, s)).collect(),
            centred: Rounded::new(&centred, options.dimensions),
        };
        let identifier = Identifier::learn(&samples);
        let spread = spread(&samples, &analyzer);
        Ok(Self {
            release,
            analyzer,
            lexical,
            ranker,
            passages,
            class_of,
            identifier,
            spread,
        })
    }
}

/// The classes of a release, which of them every municipality can meet, and the training sentences.
fn samples(release: &Release) -> (Vec<Class>, Vec<bool>, Vec<Sample>) {
    let citizen = || {
        release
            .articles
            .iter()
            .filter(|a| a.audience == Audience::Citizen)
    };
    let mut classes: Vec<Class> = citizen().map(|a| Class::Article(a.id.clone())).collect();
    classes.extend(release.intents.examples.keys().map(|i| Class::Intent(*i)));
    classes.extend(
        release
            .out_of_scope
            .keys()
            .map(|k| Class::OutOfScope(k.clone())),
    );
    classes.sort();
    classes.dedup();
    let place = |class: &Class| {
        classes
            .binary_search(class)
            .ok()
            .and_then(|i| u32::try_from(i).ok())
            .unwrap_or(0)
    };
    let mut common: Vec<bool> = classes
        .iter()
        .map(|c| !matches!(c, Class::Article(_)))
        .collect();
    let mut samples = Vec::new();
    let mut add = |text: &str, lang: Lang, class: u32, written: bool| {
        samples.push(Sample {
            text: base::clean(text),
            lang,
            class,
            written,
        });
    };
    for a in citizen() {
        let class = place(&Class::Article(a.id.clone()));
        common[class as usize] |= a.layer == Layer::Shared;
        for (lang, list) in &a.examples {
            for s in list {
                add(s, *lang, class, true);
            }
        }
        let title = without_slots(&a.title);
        add(&title, Lang::Da, class, false);
        for k in &a.keywords {
            add(k, Lang::Da, class, false);
        }
        for h in a.sections.iter().filter_map(|s| s.heading.as_deref()) {
            add(
                &format!("{title}: {}", without_slots(h)),
                Lang::Da,
                class,
                false,
            );
        }
    }
    for (intent, by_lang) in &release.intents.examples {
        let class = place(&Class::Intent(*intent));
        for (lang, list) in by_lang {
            for s in list {
                add(s, *lang, class, true);
            }
        }
    }
    for (kind, list) in &release.out_of_scope {
        let class = place(&Class::OutOfScope(kind.clone()));
        for (lang, s) in list {
            add(s, *lang, class, true);
        }
    }
    (classes, common, samples)
}

fn spread(samples: &[Sample], analyzer: &Analyzer) -> HashMap<(Lang, String), f32> {
    let mut classes: HashMap<Lang, HashSet<u32>> = HashMap::new();
    let mut seen: HashMap<(Lang, String), HashSet<u32>> = HashMap::new();
    for s in samples.iter().filter(|s| s.written) {
        classes.entry(s.lang).or_default().insert(s.class);
        for t in analyzer.query_terms(&s.text) {
            seen.entry((s.lang, t)).or_default().insert(s.class);
        }
    }
    seen.into_iter()
        .map(|(key, set)| {
            let share = set.len() as f32 / classes[&key.0].len().max(1) as f32;
            (key, share)
        })
        .collect()
}

/// Every section that a citizen can be shown: article, section, and the text to encode.
fn sections(release: &Release) -> Vec<(ArticleIx, u32, String)> {
    let mut out = Vec::new();
    for (ix, a) in (0..).zip(&release.articles) {
        if a.audience != Audience::Citizen {
            continue;
        }
        for (n, s) in (0..).zip(&a.sections) {
            let heading = s.heading.as_deref().unwrap_or("");
            let text = without_slots(&format!("{}. {heading}\n{}", a.title, s.text));
            out.push((ix, n, text));
        }
    }
    out
}

/// No municipality has this code: a search as it sees the shared layer alone.
const NOBODY: &str = "0000";

fn bm25_of_samples(
    samples: &[Sample],
    lexical: &Lexical,
    analyzer: &Analyzer,
    class_of: &[Option<usize>],
    threads: usize,
) -> Vec<Vec<(u32, f32)>> {
    let Ok(nobody) = NOBODY.parse::<MunicipalityCode>() else {
        return vec![Vec::new(); samples.len()];
    };
    parallel::map(samples.len(), threads, |i| {
        if !samples[i].written {
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

fn ranker_name(release: &Release, options: &BuildOptions) -> String {
    let short = |s: &str| s.chars().take(16).collect::<String>();
    let budget = options.budget;
    format!(
        "ranker-{RANKER_VERSION}-{}-{}-{:.4}-{:.4}.bin",
        short(&release.learned_hash),
        short(&options.model),
        budget.wrong,
        budget.unanswerable,
    )
}

/// The stored ranker of this release; one that cannot be read is trained anew.
fn read_ranker(release: &Release, options: &BuildOptions) -> Option<Ranker> {
    let name = ranker_name(release, options);
    options.folders().find_map(|dir| {
        let path = dir.join(&name);
        let bytes = fs::read(&path).ok()?;
        match postcard::from_bytes(&bytes) {
            Ok(r) => Some(r),
            Err(e) => {
                tracing::warn!(path = %path.display(), error = %e, "stored ranker is unreadable: training anew");
                None
            }
        }
    })
}

fn write_ranker(path: &Path, ranker: &Ranker) -> Result<(), Error> {
    let bytes =
        postcard::to_stdvec(ranker).map_err(|e| io_error(path, std::io::Error::other(e)))?;
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
