//! The gate: a sentence that a model wrote is shown only when the cited sections carry all that it says.
//!
//! No model judges here. A sentence is read into clauses, each with its facts (numbers, amounts, dates,
//! times, names, addresses, paragraphs), its polarity, its obligation and what limits it, and is laid
//! beside the stretch of the evidence that speaks of the same. Whatever is not carried there is a fault,
//! and a sentence with a fault is dropped. Errors go one way: a doubtful sentence is dropped, for the
//! approved text is always there to be shown instead. `docs/grounding.md` says what is checked, in what
//! order, and what cannot be seen.

mod clause;
mod content;
pub mod corrupt;
mod evidence;
mod facts;
mod gate;
mod lexicon;
mod text;
mod token;
mod tone;
mod verdict;

pub use evidence::{Evidence, Section};
pub use gate::{Gate, Options};
pub use text::{Sentence, sentences};
pub use verdict::{Fault, Verdict};
