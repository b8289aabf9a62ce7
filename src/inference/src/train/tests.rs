use super::*;
use crate::fetch::ModelFiles;
use crate::manifest::Manifest;
use crate::tokenize::Kind;
use std::path::Path;

/// The model in the cache that the environment names.
fn files() -> ModelFiles {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest = Manifest::read(&root.join("models/e5-small.toml")).unwrap();
    let cache = std::env::var_os("BORGERLINJE_CACHE").map_or_else(|| root.join("cache"), PathBuf::from);
    ModelFiles::open(&cache, &manifest).unwrap()
}

#[test]
fn the_forward_pass_is_the_encoders() {
    let files = files();
    let options = EncoderOptions { compute: Compute::Dense, threads: 2 };
    let stock = Encoder::load(&files.weights, &options).unwrap();
    let tokenizer = Tokenizer::open(&files.tokenizer, stock.tokenizer_sha256(), 512).unwrap();
    let batch: Vec<Vec<u32>> = [
        (Kind::Query, "hvordan får jeg et nyt pas"),
        (Kind::Query, "skraldespanden er ikke blevet tømt i dag, hvad gør jeg så?"),
        (Kind::Passage, "Pas. Du bestiller tid hos borgerservice, når dit pas skal fornyes."),
        (Kind::Passage, "Affald. Skraldespanden tømmes hver anden uge."),
        (Kind::Query, "мені потрібен новий паспорт"),
    ]
    .iter()
    .map(|(k, t)| tokenizer.encode(*k, t).unwrap())
    .collect();
    let model = Model::read(&files.weights, 4, 2.0, 1, &Device::Cpu).unwrap();
    let merged = model.merge(&Workers::new(2).unwrap()).unwrap();
    let found = model.forward(&stock, &merged, &batch).unwrap().to_vec2::<f32>().unwrap();
    let expected = stock.encode(&batch).unwrap();
    for (f, e) in found.iter().zip(&expected) {
        let cosine: f32 = f.iter().zip(e.iter()).map(|(a, b)| a * b).sum();
        eprintln!("{cosine}");
        assert!(cosine > 0.9999);
    }
    for a in &expected {
        eprintln!("{:?}", expected.iter().map(|b| a.iter().zip(b.iter()).map(|(a, b)| a * b).sum::<f32>()).collect::<Vec<_>>());
    }
}
