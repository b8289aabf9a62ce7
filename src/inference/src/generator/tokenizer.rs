//! Text to tokens and back, by what the GGUF says of its vocabulary.
//!
//! What a person wrote never becomes a control token, whatever it looks like: only a chat template's own text does.

use std::collections::BTreeSet;

use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use super::gguf::{Gguf, Texts, Value};
use super::spm::{self, Merger};
use crate::error::Result;

/// What GGUF says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    /// Of the model's own language: never part of a text.
    Control,
    /// Found in a text before anything is merged.
    Added,
    Byte,
    Unused,
}

/// Tokens of these texts end an answer, whatever the metadata says.
const ENDS: [&str; 7] = [
    "<eos>",
    "</s>",
    "<end_of_turn>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
];

/// How the first splits of a text are made, by GGUF's name of it, for byte-level encoding.
const SPLITS: [(&[&str], &str); 2] = [
    (
        &["qwen2"],
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    (
        &["llama-bpe", "llama3", "llama-v3", "smaug-bpe"],
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
];

/// Ways to split of models whose texts all begin with a token, unless the file says otherwise.
const BEGUN: [&str; 3] = ["llama-bpe", "llama3", "llama-v3"];

enum Method {
    Scores(Merger),
    /// Byte-level, by merges.
    Merges(Box<tokenizers::Tokenizer>),
}

/// A vocabulary and how texts are split into it.
pub(super) struct Tokenizer {
    texts: Texts,
    kinds: Vec<Kind>,
    method: Method,
    /// Tokens that are looked for before merging: the longest first, then by text.
    whole: Vec<u32>,
    /// Bytes that one of those starts with.
    starts: Box<[bool; 256]>,
    begin: Option<u32>,
    /// Whether every text begins with that one.
    begins: bool,
    /// The one that ends an answer by the file's own word.
    end: Option<u32>,
    ends: BTreeSet<u32>,
    space_first: bool,
}

impl Tokenizer {
    pub(super) fn read(file: &mut Gguf) -> Result<Self> {
        let texts = match file.metadata.remove("tokenizer.ggml.tokens") {
            Some(Value::Texts(texts)) if texts.len() > 0 => texts,
            _ => return Err(file.fault("has no vocabulary")),
        };
        let mut kinds = kinds(file, texts.len())?;
        let number = |key: &str| match file.metadata.get(&format!("tokenizer.ggml.{key}")) {
            None => Ok(None),
            Some(Value::Integer(n)) if (0..texts.len() as i64).contains(n) => Ok(Some(*n as u32)),
            Some(other) => Err(file.fault(format!("tokenizer.ggml.{key} is {other:?}"))),
        };
        let flag = |key: &str, otherwise| match file.metadata.get(&format!("tokenizer.ggml.{key}"))
        {
            Some(Value::Bool(found)) => *found,
            _ => otherwise,
        };
        let model = match file.metadata.get("tokenizer.ggml.model") {
            Some(Value::Text(model)) => model.clone(),
            _ => return Err(file.fault("names no kind of tokenizer")),
        };
        let begin = number("bos_token_id")?;
        let unknown = number("unknown_token_id")?.unwrap_or(0);
        let by_scores = model == "llama";
        let pre = match file.metadata.get("tokenizer.ggml.pre") {
            Some(Value::Text(pre)) => pre.as_str(),
            _ => "",
        };
        // Files of Llama 3 do not say it.
        let begins = flag("add_bos_token", by_scores || BEGUN.contains(&pre));
        let end = number("eos_token_id")?;
        let space_first = flag("add_space_prefix", by_scores);
        let mut ends: BTreeSet<u32> = BTreeSet::new();
        for key in ["eos_token_id", "eot_token_id", "eom_token_id"] {
            ends.extend(number(key)?);
        }
        let mut whole = Vec::new();
        for (n, text) in texts.iter().enumerate() {
            if ENDS.contains(&text) && kinds[n] != Kind::Normal {
                ends.insert(n as u32);
            }
            // Some files call them added: then a citizen could write them.
            if kinds[n] == Kind::Added && ends.contains(&(n as u32)) {
                kinds[n] = Kind::Control;
            }
            if matches!(kinds[n], Kind::Control | Kind::Added) && !text.is_empty() {
                whole.push(n as u32);
            }
        }
        let text = |n: &u32| texts.get(*n as usize).unwrap_or_default();
        whole.sort_by(|a, b| (text(b).len(), text(a)).cmp(&(text(a).len(), text(b))));
        let mut starts = Box::new([false; 256]);
        for n in &whole {
            if let Some(first) = text(n).bytes().next() {
                starts[usize::from(first)] = true;
            }
        }
        let method = match model.as_str() {
            "llama" => Method::Scores(scores(file, &texts, &kinds, unknown)?),
            "gpt2" => Method::Merges(Box::new(merges(file, &texts)?)),
            other => {
                return Err(file.fault(format!(
                    "has a tokenizer {other:?}; known here are \"llama\" and \"gpt2\""
                )));
            }
        };
        Ok(Self {
            texts,
            kinds,
            method,
            whole,
            starts,
            begin,
            begins,
            end,
            ends,
            space_first,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether an answer is over with this token.
    pub(super) fn ends(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// The text of the token that begins a text, for templates.
    pub(super) fn text_of_begin(&self) -> &str {
        self.text_of(self.begin)
    }

    /// The text of the token that ends an answer, for templates.
    pub(super) fn text_of_end(&self) -> &str {
        self.text_of(self.end)
    }

    fn text_of(&self, token: Option<u32>) -> &str {
        let text = token.and_then(|n| self.texts.get(n as usize));
        text.unwrap_or_default()
    }

    /// Tokens of a text, after the one that begins every text, if this model has one. With `control`, what looks like a
    /// control token is one: for the output of templates alone.
    pub(super) fn encode(&self, text: &str, control: bool) -> Result<Vec<u32>> {
        let mut to = Vec::with_capacity(text.len() / 3 + 2);
        // A template may have written it.
        let written =
            control && !self.text_of_begin().is_empty() && text.starts_with(self.text_of_begin());
        to.extend(self.begin.filter(|_| self.begins && !written));
        let mut space_first = self.space_first;
        for fragment in self.fragments(text, control) {
            match fragment {
                Fragment::Whole(token) => {
                    to.push(token);
                    space_first = self.space_first;
                }
                Fragment::Text(text) => {
                    self.merge(text, space_first, &mut to)?;
                    space_first = false;
                }
            }
        }
        Ok(to)
    }

    fn merge(&self, text: &str, space_first: bool, to: &mut Vec<u32>) -> Result<()> {
        match &self.method {
            Method::Scores(merger) => {
                let mut spaced = String::with_capacity(text.len() + text.len() / 2);
                if space_first {
                    spaced.push(spm::SPACE);
                }
                spaced.extend(text.chars().map(|c| if c == ' ' { spm::SPACE } else { c }));
                merger.encode(&spaced, &self.texts, to);
            }
            Method::Merges(tokenizer) => {
                let found = tokenizer.encode_fast(text, false);
                let found = found.map_err(|e| crate::Error::Tokenizer(e.to_string()))?;
                to.extend_from_slice(found.get_ids());
            }
        }
        Ok(())
    }

    /// Splits a text at the tokens that stand for themselves, the longest first.
    fn fragments<'a>(&self, text: &'a str, control: bool) -> Vec<Fragment<'a>> {
        let mut fragments = vec![Fragment::Text(text)];
        if !text.bytes().any(|b| self.starts[usize::from(b)]) {
            return fragments;
        }
        for &token in &self.whole {
            if self.kinds[token as usize] == Kind::Control && !control {
                continue;
            }
            let Some(needle) = self.texts.get(token as usize) else {
                continue;
            };
            if !text.contains(needle) {
                continue;
            }
            let mut next = Vec::new();
            for fragment in fragments {
                let Fragment::Text(text) = fragment else {
                    next.push(fragment);
                    continue;
                };
                let mut parts = text.split(needle);
                next.extend(parts.next().map(Fragment::Text));
                for part in parts {
                    next.extend([Fragment::Whole(token), Fragment::Text(part)]);
                }
            }
            next.retain(|f| !matches!(f, Fragment::Text("")));
            fragments = next;
        }
        fragments
    }

    /// Texts of control tokens that `text` holds.
    pub(super) fn control_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let control = self
            .whole
            .iter()
            .filter(|n| self.kinds[**n as usize] == Kind::Control);
        let texts = control.filter_map(|n| self.texts.get(*n as usize));
        texts.filter(move |needle| text.contains(needle))
    }

    /// Adds the bytes that a token stands for; a control token stands for none.
    pub(super) fn decode(&self, token: u32, to: &mut Vec<u8>) {
        let n = token as usize;
        let (Some(text), Some(kind)) = (self.texts.get(n), self.kinds.get(n)) else {
            return;
        };
        match (kind, &self.method) {
            (Kind::Control | Kind::Unused, _) => {}
            (Kind::Added, _) => to.extend_from_slice(text.as_bytes()),
            (Kind::Byte, _) => to.extend(spm::byte_of(text)),
            (Kind::Normal, Method::Scores(_)) => {
                let text = text.replace(spm::SPACE, " ");
                to.extend_from_slice(text.as_bytes());
            }
            (Kind::Normal, Method::Merges(_)) => to.extend(text.chars().filter_map(byte_of)),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Fragment<'a> {
    Text(&'a str),
    Whole(u32),
}

/// The byte that a character of a byte-level vocabulary stands for: printable ones for themselves, the 68 others from 256
/// on in their order.
fn byte_of(c: char) -> Option<u8> {
    let printable = |b: &u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    match u8::try_from(c) {
        Ok(byte) => Some(byte).filter(printable),
        Err(_) => {
            let n = (c as usize).checked_sub(256)?;
            (0..=255).filter(|b| !printable(b)).nth(n)
        }
    }
}

fn kinds(file: &Gguf, count: usize) -> Result<Vec<Kind>> {
    let numbers = match file.metadata.get("tokenizer.ggml.token_type") {
        Some(Value::Integers(numbers)) if numbers.len() == count => numbers,
        None => return Ok(vec![Kind::Normal; count]),
        _ => return Err(file.fault(format!("has other kinds of tokens than its {count} tokens"))),
    };
    let kind = |n: &i32| match n {
        2 | 5 => Kind::Unused,
        3 => Kind::Control,
        4 => Kind::Added,
        6 => Kind::Byte,
        _ => Kind::Normal,
    };
    Ok(numbers.iter().map(kind).collect())
}

fn scores(file: &Gguf, texts: &Texts, kinds: &[Kind], unknown: u32) -> Result<Merger> {
    match file.metadata.get("tokenizer.ggml.scores") {
        Some(Value::Floats(scores)) if scores.len() == texts.len() => {
            let usable = |n: usize| matches!(kinds[n], Kind::Normal | Kind::Added);
            Ok(Merger::new(texts, scores.clone(), usable, unknown))
        }
        _ => Err(file.fault(format!("has no scores for its {} tokens", texts.len()))),
    }
}

fn merges(file: &mut Gguf, texts: &Texts) -> Result<tokenizers::Tokenizer> {
    let pre = match file.metadata.get("tokenizer.ggml.pre") {
        Some(Value::Text(pre)) => pre.clone(),
        _ => "default".to_owned(),
    };
    let split = SPLITS
        .iter()
        .find(|(names, _)| names.contains(&pre.as_str()));
    let Some((_, pattern)) = split else {
        return Err(file.fault(format!(
            "splits texts by {pre:?}; known here are \"qwen2\" and \"llama-bpe\""
        )));
    };
    let pairs = match file.metadata.remove("tokenizer.ggml.merges") {
        Some(Value::Texts(merges)) => merges
            .iter()
            .map(|m| m.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let Some(pairs) = pairs else {
        return Err(file.fault("has no merges, each two texts with a space between"));
    };
    let tokens = texts.iter().map(str::to_owned).zip(0..).collect::<Vec<_>>();
    let fault = |e: tokenizers::Error| {
        file.fault(format!(
            "has a vocabulary that does not fit its merges: {e}"
        ))
    };
    let model = BPE::builder()
        .vocab_and_merges(
            tokens
                .into_iter()
                .collect::<tokenizers::models::bpe::Vocab>(),
            pairs,
        )
        .ignore_merges(pre != "qwen2")
        .build()
        .map_err(fault)?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let split = Split::new(
        SplitPattern::Regex((*pattern).to_owned()),
        SplitDelimiterBehavior::Isolated,
        false,
    )
    .map_err(fault)?;
    let steps = vec![split.into(), ByteLevel::new(false, false, false).into()];
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

#[cfg(test)]
mod tests;
