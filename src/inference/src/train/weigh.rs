//! How much of what an adapter has learned is to count.
//!
//! On the line between an encoder and the same one trained further lie some that are better than both ends on texts
//! that are unlike those of the training (Wortsman et al., arXiv:2109.01903). Training goes far; how far along the line
//! is good is found afterwards, in seconds, and held against general retrieval.

use super::data::{Data, Prepared};
use super::development::{self, Development};
use super::{Limits, Recipe};
use crate::adapter::Adapter;
use crate::encoder::{Encoder, EncoderOptions};
use crate::error::Result;
use crate::fetch::ModelFiles;
use crate::tokenize::Tokenizer;

/// The figures of an adapter at one strength, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    pub strength: f64,
    pub found: Development,
}

/// Measures the stock encoder and then an adapter at these strengths, above 0 and at most 1, by the kernel that serves
/// here and on all pairs of general retrieval; `told` hears of each. `adapter` at its whole strength
/// ([`Adapter::read_whole`]).
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) and [`Error::Format`](crate::Error::Format) for the model's files or an adapter of
/// another encoder.
pub fn weigh(
    files: &ModelFiles,
    data: &Data,
    adapter: &Adapter,
    strengths: &[f64],
    threads: usize,
    mut told: impl FnMut(&Weighed),
) -> Result<Vec<Weighed>> {
    let options = EncoderOptions {
        threads,
        ..EncoderOptions::default()
    };
    let stock = Encoder::load(&files.weights, &options)?;
    let most = stock.max_tokens();
    let tokenizer = Tokenizer::open(&files.tokenizer, stock.tokenizer_sha256(), most)?;
    let limits = Limits::of(&Recipe::default(), most);
    let data = Prepared::new(data, &tokenizer, limits)?;
    let mut all = Vec::with_capacity(strengths.len() + 1);
    let mut measure = |strength: f64, encoder: &Encoder| -> Result<()> {
        let (found, _) = development::measure(encoder, &data, usize::MAX)?;
        let weighed = Weighed { strength, found };
        told(&weighed);
        all.push(weighed);
        Ok(())
    };
    measure(0.0, &stock)?;
    drop(stock);
    for &strength in strengths {
        let adapter = adapter.clone().at(strength);
        measure(
            strength,
            &Encoder::load_with(&files.weights, &options, Some(&adapter))?,
        )?;
    }
    Ok(all)
}
