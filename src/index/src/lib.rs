//! Retrieval: Danish analysis, tantivy, vectors, the learned ranker, snapshots.
//!
//! A [`Snapshot`] is one release made searchable, for all municipalities at once. It is immutable: a new
//! release is built beside it and swapped in. What a municipality may not see is excluded inside each
//! search, never filtered from its results.

mod analysis;
mod error;
mod language;
mod lexical;
mod parallel;
mod ranker;
mod snapshot;
mod spelling;
mod vectors;

pub use analysis::{Analyzer, Compounds, DictionaryError, Term};
pub use error::Error;
pub use lexical::{Hit, Lexical, Side};
pub use ranker::{ErrorBudget, sentence_key};
pub use snapshot::{
    Ask, BuildOptions, Candidate, Confusion, Embed, Found, Judgement, Overlap, Sentence, Snapshot,
    Stage, Strayed, Twins,
};
pub use vectors::known_vectors;
