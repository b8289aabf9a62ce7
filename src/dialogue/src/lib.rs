//! One turn as a readable list of steps that ends in a closed outcome.
//!
//! A turn has two halves with the encoder between them: [`Turn::begin`] guards and understands the message
//! and says which texts to encode; [`Begun::finish`] retrieves, ranks, decides and answers. Neither half
//! waits for anything, so the caller chooses the threads. Nothing here stores or sends: the caller gets an
//! [`Answer`] and a [`Record`].

mod answer;
mod context;
pub mod eval;
mod outcome;
mod steps;
mod turn;

pub use answer::{Answer, Choice, Source};
pub use context::Context;
pub use outcome::Outcome;
pub use turn::{Begun, Error, Input, Policy, Record, Scored, Settled, Turn, Unsure};
