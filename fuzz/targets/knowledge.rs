//! Files of knowledge: whatever editors or git write, the check names faults and does not panic, and a release that is
//! made from the one before is the same as one that is read whole.
//!
//! The input is files one after another: a line `=== PATH`, then the text. They replace those of a small sound release,
//! or join them.

#![no_main]

use std::sync::OnceLock;

use jiff::civil::{Date, date};
use knowledge::{Fault, File, Release};
use libfuzzer_sys::fuzz_target;

const TODAY: Date = date(2026, 11, 21);

fn sound() -> &'static (Vec<File>, Release) {
    static SOUND: OnceLock<(Vec<File>, Release)> = OnceLock::new();
    SOUND.get_or_init(|| {
        let files = parted(include_str!("../seeds/knowledge/sound"));
        let release = match Release::build(&files, TODAY) {
            Ok((release, _)) => release,
            Err(faults) => panic!("{faults:?}"),
        };
        (files, release)
    })
}

/// In the order of their paths, each path once.
fn parted(text: &str) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for part in text.split("=== ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        let (path, text) = (path.to_owned(), text.to_owned());
        files.retain(|f| f.path != path);
        files.push(File { path, text });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn told(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

fuzz_target!(|text: &str| {
    let (its_files, before) = sound();
    let mut files = parted(text);
    for file in its_files {
        if !files.iter().any(|f| f.path == file.path) {
            files.push(file.clone());
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let whole = Release::build(&files, TODAY);
    let after = Release::build_after(before, its_files, &files, TODAY);
    match (whole, after) {
        (Ok((whole, notes)), Ok((after, its_notes))) => {
            assert_eq!(whole.hash, after.hash);
            assert_eq!(told(&notes), told(&its_notes));
            for code in whole.municipalities.keys() {
                assert_eq!(whole.view(*code), after.view(*code));
                let _ = (whole.slots(*code), whole.published(*code));
                for ix in 0..whole.articles.len() as u32 {
                    let read = whole.render(ix, *code);
                    assert_eq!(read, after.render(ix, *code));
                    assert!(read.is_none_or(|r| knowledge::slots_in(&r.title).next().is_none()));
                }
            }
        }
        (Err(faults), Err(its_faults)) => assert_eq!(told(&faults), told(&its_faults)),
        (whole, after) => panic!("whole: {:?}, after: {:?}", whole.err(), after.err()),
    }
});
