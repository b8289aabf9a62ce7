//! Local model inference on candle: weights, tokenization, encoder, scheduler.
//!
//! A model travels: [`Manifest`] says where it comes from, [`fetch::fetch`] brings it into the
//! cache as two files, [`load`] opens them, [`Scheduler::start`] puts them on their own threads,
//! and the [`Handle`] is what everybody else sees.
//!
//! Invariants: nothing here knows a municipality or a citizen; no wall clock is read; no message
//! can make it panic; unsafe code is in `kernels` and `mapped` alone.

mod adapter;
pub mod bench;
mod container;
mod convert;
mod digest;
mod encoder;
mod error;
pub mod fetch;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod generator;
mod kernels;
mod linear;
pub mod manifest;
mod mapped;
mod precedence;
mod products;
pub mod scheduler;
#[cfg(test)]
mod testing;
mod tokenize;
pub mod train;

pub use adapter::{Adapter, AdapterManifest, Figure};
pub use encoder::{Compute, Encoder, EncoderOptions};
pub use error::{Error, Result};
pub use fetch::ModelFiles;
pub use kernels::Isa;
pub use kernels::lanes::{LANES, Lanes, Row};
pub use manifest::{GeneratorManifest, Manifest};
pub use precedence::{BACKGROUND, Precedence, Turn, WRITING, nice};
pub use products::{Products, Rounded};
pub use scheduler::{Encode, Handle, Priority, Scheduler, SchedulerOptions, Vector};
pub use tokenize::{Kind, Tokenizer};

/// Opens a fetched model as it comes.
///
/// # Errors
/// As [`Encoder::load`] and [`Tokenizer::load`].
pub fn load(files: &ModelFiles, options: &EncoderOptions) -> Result<(Encoder, Tokenizer)> {
    load_with(files, options, None)
}

/// As [`load`], with an adapter of ours merged into it.
///
/// # Errors
/// As [`Encoder::load_with`] and [`Tokenizer::load`].
pub fn load_with(
    files: &ModelFiles,
    options: &EncoderOptions,
    adapter: Option<&Adapter>,
) -> Result<(Encoder, Tokenizer)> {
    let encoder = Encoder::load_with(&files.weights, options, adapter)?;
    let tokenizer = Tokenizer::open(
        &files.tokenizer,
        encoder.tokenizer_sha256(),
        encoder.max_tokens(),
    )?;
    Ok((encoder, tokenizer))
}
