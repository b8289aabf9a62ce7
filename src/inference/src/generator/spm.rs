//! Byte-pair encoding by scores, as SentencePiece has it (arXiv:1808.06226) and GGUF calls "llama": characters are merged,
//! the pair with the highest score first, the first of equals.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::gguf::Texts;

/// What stands for a space in the vocabulary.
pub(super) const SPACE: char = '\u{2581}';

/// The tokens that texts are made of.
pub(super) struct Merger {
    /// By the hash of a token's text; the text itself lies in the vocabulary.
    ids: HashMap<u64, u32>,
    scores: Vec<f32>,
    /// Of each byte, where there is one.
    bytes: Vec<Option<u32>>,
    unknown: u32,
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Two neighbours that could be one token.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// Bytes of both: another length means that one of them has been merged since.
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        let score = self.score.total_cmp(&other.score);
        score.then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// A piece of the text between merges; one of no length was merged into another.
#[derive(Clone, Copy)]
struct Symbol {
    start: usize,
    length: usize,
    before: Option<usize>,
    after: Option<usize>,
}

impl Merger {
    /// `usable` says which tokens text may become; one for each score.
    pub(super) fn new(
        texts: &Texts,
        scores: Vec<f32>,
        usable: impl Fn(usize) -> bool,
        unknown: u32,
    ) -> Self {
        let usable = (0..texts.len()).filter(|n| usable(*n));
        let pairs = usable.filter_map(|n| Some((hash(texts.get(n)?), n as u32)));
        let ids: HashMap<u64, u32> = pairs.collect();
        let mut bytes = vec![None; 256];
        for (n, text) in texts.iter().enumerate() {
            if let Some(byte) = byte_of(text) {
                bytes[usize::from(byte)] = Some(n as u32);
            }
        }
        Self {
            ids,
            scores,
            bytes,
            unknown,
        }
    }

    fn id(&self, text: &str, texts: &Texts) -> Option<u32> {
        let id = *self.ids.get(&hash(text))?;
        (texts.get(id as usize) == Some(text)).then_some(id)
    }

    /// Adds the tokens of `text`, in which spaces are [`SPACE`].
    pub(super) fn encode(&self, text: &str, texts: &Texts, to: &mut Vec<u32>) {
        let starts = text.char_indices().enumerate();
        let mut symbols: Vec<Symbol> = starts
            .map(|(n, (start, c))| Symbol {
                start,
                length: c.len_utf8(),
                before: n.checked_sub(1),
                after: Some(n + 1),
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.after = None;
        }
        let mut heap = BinaryHeap::new();
        for n in 1..symbols.len() {
            self.consider(text, texts, &symbols, n - 1, n, &mut heap);
        }
        while let Some(pair) = heap.pop() {
            let (left, right) = (symbols[pair.left], symbols[pair.right]);
            if left.length == 0 || right.length == 0 || left.length + right.length != pair.length {
                continue;
            }
            symbols[pair.left].length = pair.length;
            symbols[pair.left].after = right.after;
            symbols[pair.right].length = 0;
            if let Some(after) = right.after {
                symbols[after].before = Some(pair.left);
                self.consider(text, texts, &symbols, pair.left, after, &mut heap);
            }
            if let Some(before) = left.before {
                self.consider(text, texts, &symbols, before, pair.left, &mut heap);
            }
        }
        for symbol in symbols.iter().filter(|s| s.length > 0) {
            let piece = &text[symbol.start..symbol.start + symbol.length];
            match self.id(piece, texts) {
                Some(id) => to.push(id),
                None => {
                    let bytes = piece.bytes();
                    to.extend(bytes.map(|b| self.bytes[usize::from(b)].unwrap_or(self.unknown)));
                }
            }
        }
    }

    fn consider(
        &self,
        text: &str,
        texts: &Texts,
        symbols: &[Symbol],
        left: usize,
        right: usize,
        heap: &mut BinaryHeap<Pair>,
    ) {
        let length = symbols[left].length + symbols[right].length;
        let start = symbols[left].start;
        let Some(id) = self.id(&text[start..start + length], texts) else {
            return;
        };
        heap.push(Pair {
            score: self.scores[id as usize],
            left,
            right,
            length,
        });
    }
}

/// The byte that `<0xAB>` stands for.
pub(super) fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}
