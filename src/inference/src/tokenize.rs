//! Text to token ids with the model's own `tokenizer.json` (a SentencePiece Unigram model).
//!
//! That file takes most of a second to read. So a compact form is laid beside it, `tokenizer.bl`, with the
//! digest of what it was made from; where there is none, the long way still works.

mod unigram;

use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::{IoContext, Result};
use unigram::Unigram;

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
    model: Unigram,
    max_tokens: usize,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("vocabulary", &self.model.vocabulary())
            .finish()
    }
}

/// Where the compact form of a `tokenizer.json` lies.
pub(crate) fn compact_path(json: &Path) -> PathBuf {
    json.with_extension("bl")
}

/// The compact form of a `tokenizer.json`.
///
/// # Errors
/// As [`Tokenizer::load`].
pub(crate) fn compact(json: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(json).at("read", json)?;
    Ok(Unigram::from_json(&bytes)
        .map_err(|e| e.in_file(json))?
        .to_bytes(&digest::of_bytes(&bytes)))
}

impl Tokenizer {
    /// Reads `tokenizer.json`; sequences are cut to `max_tokens`, special tokens included, at least 2.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Tokenizer`](crate::Error::Tokenizer).
    pub fn load(path: &Path, max_tokens: usize) -> Result<Self> {
        let json = std::fs::read(path).at("read", path)?;
        let model = Unigram::from_json(&json).map_err(|e| e.in_file(path))?;
        Ok(Self { model, max_tokens })
    }

    /// As [`Tokenizer::load`], by the compact form beside `tokenizer.json` when it was made from the file of
    /// this digest.
    ///
    /// # Errors
    /// As [`Tokenizer::load`].
    pub fn open(path: &Path, sha256: &str, max_tokens: usize) -> Result<Self> {
        let compact = compact_path(path);
        if let Ok(bytes) = std::fs::read(&compact) {
            match Unigram::from_bytes(&bytes, sha256) {
                Ok(Some(model)) => return Ok(Self { model, max_tokens }),
                Ok(None) => {}
                Err(error) => tracing::warn!("{}: {error}", compact.display()),
            }
        }
        Self::load(path, max_tokens)
    }

    /// Ids of the prefixed text with `<s>` before and `</s>` after it; at least those and the
    /// prefix, at most `max_tokens`.
    ///
    /// # Errors
    /// None: there is no text without ids. Kept for models that may refuse one.
    pub fn encode(&self, kind: Kind, text: &str) -> Result<Vec<u32>> {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
        let prefixed = [kind.prefix(), text].concat();
        let inner = self
            .model
            .encode(&prefixed, self.max_tokens.saturating_sub(2));
        let mut ids = Vec::with_capacity(inner.len() + 2);
        ids.push(self.model.begin);
        ids.extend(inner);
        ids.push(self.model.end);
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
