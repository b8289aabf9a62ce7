//! The citizens' chat: one task a connection, one lock a dialogue, the journal as the truth.

mod connection;
mod dialogue;
mod turn;

pub(crate) use connection::upgrade;
pub(crate) use dialogue::Dialogue;
