//! A SentencePiece Unigram model: the likeliest cut of a text into pieces (Kudo, arXiv:1804.10959), by
//! Viterbi over the pieces that begin at each place.
//!
//! Ids are those of the package `tokenizers` with the same `tokenizer.json`, but for one thing: a citizen who
//! writes `<s>` or `<mask>` has written those characters, not the model's own marks.

use fst::raw::Fst;
use serde::Deserialize;
use spm_precompiled::Precompiled;

use crate::error::{Error, Result};

/// A piece that stands for a space, in front of each word.
const SPACE: char = '\u{2581}';
/// What a character that is in no piece costs beyond the rarest piece, as SentencePiece has it.
const UNKNOWN_PENALTY: f64 = 10.0;

const MAGIC: &[u8; 8] = b"BLTOKENS";
const VERSION: u32 = 1;
/// Magic, version, SHA-256 of the source in hexadecimal, lengths of the three parts, unknown, begin and end.
const HEADER: usize = 8 + 4 + 64 + 3 * 4 + 3 * 4;

/// The model, ready to cut.
pub(super) struct Unigram {
    /// What replaces characters before anything else; as it was read, and as it is used.
    charsmap: Vec<u8>,
    normaliser: Option<Precompiled>,
    /// Natural logarithm of each piece's probability, by id.
    scores: Vec<f64>,
    /// From a piece to its id.
    pieces: Fst<Vec<u8>>,
    unknown_score: f64,
    unknown: u32,
    pub(super) begin: u32,
    pub(super) end: u32,
}

#[derive(Deserialize)]
struct Json {
    added_tokens: Vec<Added>,
    normalizer: Option<Normalizer>,
    pre_tokenizer: Metaspace,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Normalizer {
    Sequence {
        normalizers: Vec<Normalizer>,
    },
    Precompiled {
        precompiled_charsmap: String,
    },
    /// Runs of spaces become one; what else it could be is refused below.
    Replace {
        pattern: Pattern,
        content: String,
    },
}

#[derive(Deserialize)]
enum Pattern {
    Regex(String),
    String(String),
}

#[derive(Deserialize)]
struct Metaspace {
    r#type: String,
    replacement: char,
}

#[derive(Deserialize)]
struct Model {
    unk_id: u32,
    vocab: Vec<(String, f64)>,
    #[serde(default)]
    byte_fallback: bool,
}

fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::Tokenizer(format!("not a tokenizer this program knows: {what}"))
}

impl Unigram {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for damage, and for anything that this model does not do.
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        let json: Json = serde_json::from_slice(json).map_err(unsupported)?;
        if json.pre_tokenizer.r#type != "Metaspace" || json.pre_tokenizer.replacement != SPACE {
            return Err(unsupported(json.pre_tokenizer.r#type));
        }
        if json.model.byte_fallback {
            return Err(unsupported("byte_fallback"));
        }
        let mut charsmap = Vec::new();
        if let Some(normalizer) = &json.normalizer {
            read_normalizer(normalizer, &mut charsmap)?;
        }
        let vocab = &json.model.vocab;
        let special = |name: &str| {
            let id = (0..).zip(vocab).find(|(_, (piece, _))| piece == name);
            id.map(|(id, _)| id)
                .ok_or_else(|| unsupported(format!("no token {name}")))
        };
        let ids = [json.model.unk_id, special("<s>")?, special("</s>")?];
        let marks: Vec<u32> = json.added_tokens.iter().map(|t| t.id).chain(ids).collect();
        let mut pieces: Vec<(&[u8], u64)> = (0..)
            .zip(vocab)
            .filter(|(id, _)| !marks.contains(id))
            .map(|(id, (piece, _))| (piece.as_bytes(), u64::from(id)))
            .collect();
        pieces.sort_unstable();
        let map = fst::Map::from_iter(pieces).map_err(unsupported)?;
        let scores = vocab.iter().map(|(_, score)| *score).collect();
        Self::new(charsmap, scores, map.into_fst().into_inner(), ids)
    }

    fn new(charsmap: Vec<u8>, scores: Vec<f64>, fst: Vec<u8>, ids: [u32; 3]) -> Result<Self> {
        let normaliser = match charsmap.as_slice() {
            [] => None,
            some => Some(
                Precompiled::from(some)
                    .map_err(|e| unsupported(format!("its character map: {e:?}")))?,
            ),
        };
        let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Self {
            charsmap,
            normaliser,
            unknown_score: lowest - UNKNOWN_PENALTY,
            scores,
            pieces: Fst::new(fst).map_err(unsupported)?,
            unknown: ids[0],
            begin: ids[1],
            end: ids[2],
        })
    }

    /// The compact form, stamped with the SHA-256 of the file it was made from.
    pub(super) fn to_bytes(&self, source: &str) -> Vec<u8> {
        let fst = self.pieces.as_bytes();
        let mut out = Vec::with_capacity(HEADER + fst.len() + 8 * self.scores.len());
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(source.as_bytes());
        for n in [self.charsmap.len(), self.scores.len(), fst.len()] {
            // A vocabulary is some megabytes.
            out.extend(u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
        }
        for id in [self.unknown, self.begin, self.end] {
            out.extend(id.to_le_bytes());
        }
        out.extend(&self.charsmap);
        for score in &self.scores {
            out.extend(score.to_le_bytes());
        }
        out.extend(fst);
        out
    }

    /// Reads what [`Unigram::to_bytes`] wrote; None when it was made from another file or by another version.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for damage.
    pub(super) fn from_bytes(bytes: &[u8], source: &str) -> Result<Option<Self>> {
        let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
            return Ok(None);
        };
        let number = |at: usize| {
            let b = &header[at..at + 4];
            u32::from_le_bytes([b[0], b[1], b[2], b[3]])
        };
        if &header[..8] != MAGIC || number(8) != VERSION || &header[12..76] != source.as_bytes() {
            return Ok(None);
        }
        let [charsmap, scores, fst] = [76, 80, 84].map(|at| number(at) as usize);
        if rest.len() != charsmap + 8 * scores + fst {
            return Err(Error::Tokenizer("the compact form is torn".into()));
        }
        let (charsmap, rest) = rest.split_at(charsmap);
        let (scores, fst) = rest.split_at(8 * scores);
        let scores = scores.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
        let ids = [88, 92, 96].map(number);
        Self::new(charsmap.to_vec(), scores.collect(), fst.to_vec(), ids).map(Some)
    }

    pub(super) fn vocabulary(&self) -> usize {
        self.scores.len()
    }

    /// Ids of the pieces of `text`, without begin and end, `limit` at most.
    pub(super) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let mapped = match &self.normaliser {
            Some(n) => n.normalize_string(text),
            None => text.to_owned(),
        };
        // Every word with the mark of a space in front; runs of spaces are one.
        let mut marked = String::with_capacity(mapped.len() + 8);
        let mut space = false;
        for c in mapped.chars() {
            let now = c == ' ';
            if !(now && space) {
                marked.push(if now { SPACE } else { c });
            }
            space = now;
        }
        if !marked.is_empty() && !marked.starts_with(SPACE) {
            marked.insert(0, SPACE);
        }
        let mut ids = Vec::new();
        let mut work = Vec::new();
        let mut start = 0;
        while start < marked.len() && ids.len() < limit {
            let after = start + SPACE.len_utf8();
            let end = marked[after.min(marked.len())..]
                .find(SPACE)
                .map_or(marked.len(), |at| after + at);
            self.word(&marked[start..end], &mut work, &mut ids);
            start = end;
        }
        ids.truncate(limit);
        ids
    }

    /// Appends the ids of the likeliest cut of one word.
    fn word(&self, word: &str, best: &mut Vec<Step>, ids: &mut Vec<u32>) {
        best.clear();
        best.resize(word.len() + 1, Step::default());
        for (start, c) in word.char_indices() {
            let so_far = best[start].score;
            let mut reach = |end: usize, id: u32, score: f64| {
                let step = &mut best[end];
                if step.start.is_none() || score > step.score {
                    *step = Step {
                        start: Some(start),
                        id,
                        score,
                    };
                }
            };
            let mut alone = false;
            let mut node = self.pieces.root();
            let mut value = 0;
            for (n, &byte) in word.as_bytes()[start..].iter().enumerate() {
                let Some(at) = node.find_input(byte) else {
                    break;
                };
                let transition = node.transition(at);
                value += transition.out.value();
                node = self.pieces.node(transition.addr);
                if node.is_final() {
                    // Written from 32 bits by `from_json`.
                    let id = (value + node.final_output().value()) as u32;
                    if let Some(score) = self.scores.get(id as usize) {
                        alone |= n + 1 == c.len_utf8();
                        reach(start + n + 1, id, so_far + score);
                    }
                }
            }
            if !alone {
                reach(
                    start + c.len_utf8(),
                    self.unknown,
                    so_far + self.unknown_score,
                );
            }
        }
        let first = ids.len();
        let mut end = word.len();
        while let Some(start) = best[end].start {
            let id = best[end].id;
            // Unknown characters side by side are one piece.
            if id != self.unknown || ids[first..].last() != Some(&id) {
                ids.push(id);
            }
            end = start;
        }
        ids[first..].reverse();
    }
}

/// The best way to the end of a piece.
#[derive(Clone, Copy, Default)]
struct Step {
    start: Option<usize>,
    id: u32,
    score: f64,
}

fn read_normalizer(normalizer: &Normalizer, charsmap: &mut Vec<u8>) -> Result<()> {
    match normalizer {
        Normalizer::Sequence { normalizers } => normalizers
            .iter()
            .try_for_each(|n| read_normalizer(n, charsmap)),
        Normalizer::Precompiled {
            precompiled_charsmap,
        } => {
            *charsmap = base64(precompiled_charsmap).ok_or_else(|| unsupported("base64"))?;
            Ok(())
        }
        Normalizer::Replace { pattern, content } => {
            let (Pattern::Regex(p) | Pattern::String(p)) = pattern;
            if p == " {2,}" && content == " " {
                Ok(())
            } else {
                Err(unsupported(format!("replaces {p}")))
            }
        }
    }
}

/// Decodes standard base64 with padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| {
        Some(match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits = (0_u32, 0_u32);
    for b in text.trim_end_matches('=').bytes() {
        bits = (bits.0 << 6 | u32::from(digit(b)?), bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            // The low eight bits of what is shifted.
            out.push((bits.0 >> bits.1) as u8);
        }
    }
    Some(out)
}
