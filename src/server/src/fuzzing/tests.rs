//! The seeds of `fuzz/`, once through: they and what the targets call stay whole between two runs of the targets.

use std::fs;
use std::path::PathBuf;

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(folder).unwrap();
    let paths = files.map(|f| f.unwrap().path());
    let all: Vec<_> = paths.map(|p| (p.clone(), fs::read(p).unwrap())).collect();
    assert!(!all.is_empty(), "{target}");
    all
}

#[test]
fn every_frame_is_read_or_its_fault_is_short_and_quotes_no_number() {
    let mut read = 0;
    for (path, bytes) in seeds("frames") {
        let text = String::from_utf8(bytes).unwrap();
        let said = [super::chat_frame(&text), super::desk_frame(&text)];
        read += said.iter().filter(|s| s.is_none()).count();
        for fault in said.iter().flatten() {
            assert_eq!(base::redact(fault).text, *fault, "{}", path.display());
        }
    }
    assert!(read > 4, "{read} of the seeds are frames");
}

#[test]
fn every_table_sitemap_and_document_is_read_to_its_end() {
    for (_, bytes) in seeds("tables") {
        super::sitemap(&bytes);
        super::table(&String::from_utf8(bytes).unwrap());
    }
    for (_, bytes) in seeds("documents") {
        super::document(&bytes);
    }
}
