//! A simulated centre, and a checker of what was recorded of it.
//!
//! Everything follows from a seed: citizens by the hour of the week, agents who answer, decline, ignore,
//! drop and flap, nodes that die, ticks that come late, clocks that stand still or jump. [`Sim`] folds it
//! all through a [`Centre`](crate::centre::Centre) and keeps a history; [`violations`] reads the history
//! alone, keeps its own books, and never looks at the centre's state.

mod bench;
mod books;
mod checker;
mod people;
mod rng;
mod world;

pub use bench::{Bench, Record, id, link, office, profile, team};
pub use checker::violations;
pub use rng::Rng;
pub use world::{Plan, Promised, Sim};

#[cfg(test)]
mod tests;
