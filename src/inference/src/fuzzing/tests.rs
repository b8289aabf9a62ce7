//! The seeds of `fuzz/`, once through: they and what the targets call stay whole between two runs of the targets.

use std::fs;
use std::path::PathBuf;

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(folder).unwrap();
    let all: Vec<_> = files.map(|f| f.unwrap().path()).collect();
    assert!(!all.is_empty(), "{target}");
    all
}

#[test]
fn every_model_file_is_read_to_its_end() {
    for path in seeds("weights") {
        super::weights(&path);
        super::adapter(&fs::read(&path).unwrap());
    }
    for path in seeds("gguf") {
        super::generator(&path);
    }
}
