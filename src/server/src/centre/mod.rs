//! The contact centre of this program: the pure machine of `contact::centre` over the ordered log of
//! `storage::log`. Knows nothing of sockets; `chat` and `desk` use it.
//!
//! One task of a [`Node`] owns the centre. It reads and folds the log, mirrors each record before anybody hears
//! of it, appends what waits in one go, lets time pass, says that it lives, notices who does not, and saves the
//! state now and then. Every node of one Redis does the same and so holds the same centre.
//!
//! Invariants:
//! - Whoever sent a command hears of it only when it is on disk here, and in Redis when there is one.
//! - Steps are told in the order of the log, each once; who misses some is told so ([`News::Missed`]).
//! - A command is appended under one id however often that is tried: it is done once.
//! - What this node acknowledged and Redis lost is put back, or appended again, before anything new.
//! - A task that falls is started again with a state folded from the log. A record at which it falls twice is
//!   passed over, by every node alike, because every node falls at it.
//! - Queues are bounded: who finds them full is told so.

mod append;
mod error;
mod fold;
mod handle;
mod inbox;
mod node;
mod recover;
mod setup;
mod stands;
mod upkeep;
mod worker;

pub(crate) use self::error::Error;
pub(crate) use self::fold::{About, SLOTS, Step};
pub(crate) use self::handle::Handle;
#[allow(unused_imports, reason = "the desk names them")]
pub(crate) use self::handle::{Health, News, State, Subscription};
pub(crate) use self::node::{Node, Options, Sink, name, open};
pub(crate) use self::setup::{Wanted, keep_set_up};
pub(crate) use self::stands::items_of;

#[cfg(test)]
pub(crate) mod tests;
