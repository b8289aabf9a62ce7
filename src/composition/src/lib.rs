//! How an answer is said: in the municipality's own words, in fewer of them, or written by a language model.
//!
//! A [`Modes`] says which of the three an article may have. [`Material`] is what an answer is made of: the sections
//! that the question is about, every slot filled. [`shorten`] takes the sentences that matter out of them as they
//! stand; [`request`] asks a model, and a [`Writer`] lets through what the gate has read. Nothing here waits or sends:
//! the caller feeds text in and shows what comes out. Errors go one way: whatever is in doubt is said verbatim.

mod material;
mod mode;
mod near;
mod plain;
mod prompt;
mod rewrite;
mod short;
mod writer;

pub use material::{Cited, Material};
pub use mode::{Mode, Modes};
pub use plain::{Doubt, doubt};
pub use prompt::{MAX_TOKENS, request, speaks};
pub use rewrite::{FollowUp, rewriting, rewritten};
pub use short::shorten;
pub use writer::{Candidate, Composition, Dropped, Part, SENTENCES, Wording, Writer};
