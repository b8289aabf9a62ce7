//! The citizens' chat: one task a connection, one lock a dialogue, the journal as the truth. What people of the
//! contact centre do comes back through its log: one task of the node sends it on.

mod brief;
mod callback;
mod compose;
mod connection;
mod crowd;
mod dialogue;
mod dispatch;
mod hand_in;
mod off;
mod offer;
mod people;
mod reveal;
mod settle;
mod turn;

#[cfg(test)]
mod tests;

pub(crate) use connection::upgrade;
pub(crate) use crowd::Crowd;
pub(crate) use dialogue::Dialogue;
pub(crate) use dispatch::begin;
