use super::*;
use crate::Error;
use crate::testing::{Folder, TOKENIZER};

fn tokenizer(max_tokens: usize) -> Tokenizer {
    let folder = Folder::new();
    let path = folder.join("tokenizer.json");
    std::fs::write(&path, TOKENIZER).unwrap();
    Tokenizer::load(&path, max_tokens).unwrap()
}

#[test]
fn the_prefix_comes_first_and_specials_around() {
    let tokenizer = tokenizer(16);
    assert_eq!(tokenizer.encode(Kind::Query, "pas").unwrap(), [0, 4, 6, 2]);
    assert_eq!(
        tokenizer.encode(Kind::Passage, "pas pas").unwrap(),
        [0, 5, 6, 6, 2]
    );
}

#[test]
fn long_text_is_cut_with_its_end_mark() {
    let ids = tokenizer(6)
        .encode(Kind::Query, &"pas ".repeat(100_000))
        .unwrap();
    assert_eq!(ids, [0, 4, 6, 6, 6, 2]);
}

#[test]
fn the_cut_respects_characters() {
    let text = ["a", &"ø".repeat(TEXT_BYTES)].concat();
    assert!(tokenizer(16).encode(Kind::Query, &text).is_ok());
}

#[test]
fn a_bad_file_is_named() {
    let folder = Folder::new();
    let path = folder.join("tokenizer.json");
    std::fs::write(&path, "{}").unwrap();
    assert!(
        Tokenizer::load(&path, 16)
            .unwrap_err()
            .to_string()
            .contains("tokenizer.json")
    );
    assert!(matches!(
        Tokenizer::load(&folder.join("none"), 16),
        Err(Error::Io { .. })
    ));
}
