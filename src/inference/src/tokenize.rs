//! Text to token ids with the model's own `tokenizer.json` (a SentencePiece Unigram model).

use std::path::Path;

use tokenizers::TruncationParams;

use crate::error::{Error, IoContext, Result};

/// Which side of the search a text is on; E5 was trained with these prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// What a citizen asks.
    Query,
    /// What an answer says.
    Passage,
}

impl Kind {
    /// With its trailing space.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Query => "query: ",
            Self::Passage => "passage: ",
        }
    }
}

/// Bytes of a text that are looked at: 512 tokens are far fewer, and a megabyte of anything costs
/// no more than this.
const TEXT_BYTES: usize = 64 << 10;

/// Turns text into ids. Text is expected in NFC: the caller normalises once for all its uses.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("vocabulary", &self.inner.get_vocab_size(true))
            .finish()
    }
}

impl Tokenizer {
    /// Reads `tokenizer.json`; sequences are cut to `max_tokens`, special tokens included.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Tokenizer`].
    pub fn load(path: &Path, max_tokens: usize) -> Result<Self> {
        let json = std::fs::read(path).at("read", path)?;
        let fault =
            |error: tokenizers::Error| Error::Tokenizer(format!("{}: {error}", path.display()));
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(fault)?;
        let truncation = TruncationParams {
            max_length: max_tokens,
            ..TruncationParams::default()
        };
        inner.with_truncation(Some(truncation)).map_err(fault)?;
        inner.with_padding(None);
        Ok(Self { inner })
    }

    /// Ids of the prefixed text with `<s>` before and `</s>` after it; at least those and the
    /// prefix, at most `max_tokens`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`]; not known to happen for any text.
    pub fn encode(&self, kind: Kind, text: &str) -> Result<Vec<u32>> {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
        let prefixed = [kind.prefix(), text].concat();
        let encoding = self
            .inner
            .encode_fast(prefixed, true)
            .map_err(|error| Error::Tokenizer(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }
}

#[cfg(test)]
mod tests;
