use std::path::PathBuf;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value as V;
use serde::Deserialize;

use super::*;
use crate::generator::architecture::Family;
use crate::generator::testing;
use crate::testing::Folder;

fn read(entries: &testing::Entries) -> Result<Tokenizer> {
    let folder = Folder::new();
    let path = folder.join("x.gguf");
    testing::write_with(&path, entries, &Vec::new(), GgmlDType::F32);
    Tokenizer::read(&mut Gguf::open(&path)?)
}

fn text_of(tokenizer: &Tokenizer, tokens: &[u32]) -> String {
    let mut bytes = Vec::new();
    tokens.iter().for_each(|t| tokenizer.decode(*t, &mut bytes));
    String::from_utf8(bytes).unwrap()
}

fn by_scores() -> Tokenizer {
    read(&testing::metadata(Family::Gemma3)).unwrap()
}

/// The token of this text.
fn id(text: &str) -> u32 {
    testing::vocabulary()
        .0
        .iter()
        .position(|t| t == text)
        .unwrap() as u32
}

#[test]
fn the_pair_with_the_highest_score_is_merged_first() {
    let tokenizer = by_scores();
    // "en" scores higher than "te", so "ten" is t and en, and then one.
    assert_eq!(tokenizer.encode("ten", false).unwrap(), [2, id("ten")]);
    assert_eq!(
        tokenizer.encode("tes", false).unwrap(),
        [2, id("te"), id("s")]
    );
    assert_eq!(
        tokenizer.encode("s a", false).unwrap(),
        [2, id("s▁"), id("a")]
    );
    assert_eq!(tokenizer.encode("", false).unwrap(), [2]);
}

#[test]
fn what_is_in_no_token_is_bytes_and_comes_back_whole() {
    let tokenizer = by_scores();
    for text in ["ø en 👩‍👩‍👧 æ\n\tx", " ", "ten<b>s", "\u{0}", "Паспорт"] {
        let tokens = tokenizer.encode(text, false).unwrap();
        assert_eq!(text_of(&tokenizer, &tokens), text);
    }
    let bytes: Vec<u32> = "æ".bytes().map(|b| 5 + u32::from(b)).collect();
    assert_eq!(tokenizer.encode("æ", false).unwrap()[1..], bytes);
}

#[test]
fn only_a_template_writes_control_tokens() {
    let tokenizer = by_scores();
    let person = tokenizer.encode("a<eos>b<b>", false).unwrap();
    assert!(!person[1..].contains(&1) && person.ends_with(&[id("<b>")]));
    assert_eq!(text_of(&tokenizer, &person), "a<eos>b<b>");
    assert_eq!(
        tokenizer.encode("a<eos>b", true).unwrap(),
        [2, id("a"), 1, id("b")]
    );
    assert_eq!(
        tokenizer.encode("<bos>a", true).unwrap(),
        [2, id("a")],
        "begun once"
    );
    assert!(tokenizer.ends(1) && !tokenizer.ends(2));
    assert_eq!(
        tokenizer.control_in("x<eos>").collect::<Vec<_>>(),
        ["<eos>"]
    );
}

/// A byte-level vocabulary with a few merges.
fn by_merges(pre: &str) -> testing::Entries {
    let printable = |b: &u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut tokens: Vec<String> = (0..=255)
        .filter(printable)
        .map(|b: u8| char::from(b).to_string())
        .collect();
    tokens.extend((256..256 + 68).filter_map(char::from_u32).map(String::from));
    let merges = ["e n", "Ġ en", "1 2", "12 3"];
    tokens.extend(["en", "Ġen", "12", "123"].map(String::from));
    tokens.push("<|im_end|>".into());
    let mut kinds = vec![V::I32(1); tokens.len()];
    *kinds.last_mut().unwrap() = V::I32(3);
    let texts = |texts: Vec<String>| V::Array(texts.into_iter().map(V::String).collect());
    vec![
        ("tokenizer.ggml.model".into(), V::String("gpt2".into())),
        ("tokenizer.ggml.pre".into(), V::String(pre.into())),
        ("tokenizer.ggml.tokens".into(), texts(tokens)),
        ("tokenizer.ggml.token_type".into(), V::Array(kinds)),
        (
            "tokenizer.ggml.merges".into(),
            texts(merges.map(String::from).to_vec()),
        ),
    ]
}

#[test]
fn byte_level_tokens_are_split_and_merged_as_their_models_do() {
    for (pre, digits) in [("qwen2", 3), ("llama-bpe", 1)] {
        let tokenizer = read(&by_merges(pre)).unwrap();
        // Qwen has a token for each digit, Llama for up to three.
        assert_eq!(
            tokenizer.encode("123", false).unwrap().len(),
            digits,
            "{pre}"
        );
        assert_eq!(tokenizer.encode("en en", false).unwrap().len(), 2, "{pre}");
        for text in ["en en  én\n\n 👩 don't 1234", "Паспорт", "", "\u{0}\u{ad}"] {
            let tokens = tokenizer.encode(text, false).unwrap();
            assert_eq!(text_of(&tokenizer, &tokens), text, "{pre}");
        }
        let end = tokenizer.len() as u32 - 1;
        assert!(tokenizer.ends(end));
        assert!(
            !tokenizer
                .encode("<|im_end|>", false)
                .unwrap()
                .contains(&end)
        );
        assert_eq!(tokenizer.encode("<|im_end|>", true).unwrap(), [end]);
    }
}

#[test]
fn llama_begins_every_text_and_a_template_may_name_the_token_anyway() {
    let of = |pre: &str, add: Option<bool>| {
        let mut entries = by_merges(pre);
        entries.push(("tokenizer.ggml.bos_token_id".into(), V::U32(3)));
        if let Some(add) = add {
            entries.push(("tokenizer.ggml.add_bos_token".into(), V::Bool(add)));
        }
        read(&entries).unwrap()
    };
    for (pre, add, begun) in [
        ("llama-bpe", None, true),
        ("llama3", None, true),
        ("llama-v3", None, true),
        ("llama-bpe", Some(false), false),
        ("qwen2", None, false),
        ("qwen2", Some(true), true),
    ] {
        let tokenizer = of(pre, add);
        let tokens = tokenizer.encode("en", false).unwrap();
        assert_eq!(tokens[0] == 3, begun, "{pre} {add:?}");
        assert_eq!(tokenizer.text_of_begin(), "$", "{pre} {add:?}");
    }
}

/// GGUF files of some models call the tokens that end an answer added, not control.
#[test]
fn nobody_writes_a_token_that_ends_an_answer() {
    let mut entries = by_merges("qwen2");
    for (key, value) in &mut entries {
        if key == "tokenizer.ggml.token_type"
            && let V::Array(kinds) = value
        {
            *kinds.last_mut().unwrap() = V::I32(4);
        }
    }
    let tokenizer = read(&entries).unwrap();
    let end = tokenizer.len() as u32 - 1;
    let person = tokenizer.encode("en<|im_end|>en", false).unwrap();
    assert!(!person.contains(&end), "{person:?}");
    assert_eq!(
        tokenizer.control_in("x<|im_end|>").collect::<Vec<_>>(),
        ["<|im_end|>"]
    );
    assert_eq!(tokenizer.encode("<|im_end|>", true).unwrap(), [end]);
}

#[test]
fn a_vocabulary_that_does_not_fit_is_refused() {
    let said = |change: &dyn Fn(&mut testing::Entries), mut entries: testing::Entries| {
        change(&mut entries);
        read(&entries).err().unwrap().to_string()
    };
    let set = |key: &'static str, value: V| {
        move |entries: &mut testing::Entries| {
            entries.retain(|(k, _)| k != key);
            entries.push((key.into(), value.clone()));
        }
    };
    let scores = || testing::metadata(Family::Gemma3);
    let merges = || by_merges("qwen2");
    let floats = V::Array(vec![V::F32(1.0)]);
    assert!(
        said(&set("tokenizer.ggml.scores", floats), scores()).contains("no scores for its 310")
    );
    assert!(
        said(&set("tokenizer.ggml.eos_token_id", V::U32(310)), scores()).contains("eos_token_id")
    );
    assert!(
        said(
            &set("tokenizer.ggml.model", V::String("bert".into())),
            scores()
        )
        .contains("bert")
    );
    assert!(said(&set("tokenizer.ggml.tokens", V::U32(1)), scores()).contains("no vocabulary"));
    let kinds = V::Array(vec![V::I32(1)]);
    assert!(said(&set("tokenizer.ggml.token_type", kinds), scores()).contains("kinds of tokens"));
    assert!(
        said(
            &set("tokenizer.ggml.pre", V::String("tekken".into())),
            merges()
        )
        .contains("tekken")
    );
    let absent = V::Array(vec![V::String("x zzz".into())]);
    assert!(
        said(&set("tokenizer.ggml.merges", absent), merges()).contains("does not fit its merges")
    );
    let none = V::Array(vec![V::String("xz".into())]);
    assert!(said(&set("tokenizer.ggml.merges", none), merges()).contains("has no merges"));
}

#[derive(Deserialize)]
struct Fixture {
    texts: Vec<Ids>,
}

#[derive(Deserialize)]
struct Ids {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn gemmas_tokens_are_those_of_llama_cpp() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cache =
        std::env::var_os("BORGERLINJE_CACHE").map_or_else(|| root.join("cache"), PathBuf::from);
    let path = cache.join("models/gemma3-270m/gemma-3-270m-q4_k_m.gguf");
    if !path.is_file() {
        println!(
            "{} is not here: its tokens were not compared",
            path.display()
        );
        return;
    }
    let tokenizer = Tokenizer::read(&mut Gguf::open(&path).unwrap()).unwrap();
    let fixture: Fixture =
        serde_json::from_str(include_str!("../../../tests/fixtures/gemma3.json")).unwrap();
    assert!(fixture.texts.len() > 10);
    for Ids { text, ids } in fixture.texts {
        let found = tokenizer.encode(&text, false).unwrap();
        assert_eq!(found[1..], ids, "{text:?}");
        assert_eq!(text_of(&tokenizer, &found), text);
    }
}
