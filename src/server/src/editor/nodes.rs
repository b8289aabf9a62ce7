//! Several nodes, one release: what is published at one is decided on in a log that all share, and every node takes
//! what the log says, or says why it does not. See docs/decisions/0011.
//!
//! Invariants:
//! - The log decides. Whoever has not seen all that went before appends nothing, so no release is published over
//!   another that its editor's server did not know.
//! - A node serves a release of the log whole, the newest that it can; nobody's folder becomes everybody's by a
//!   restart alone.
//! - A file of the folder that somebody changed by hand is never overwritten: it is said that it differs, and it is
//!   published when an editor says so.
//! - What is in the log is in the studio's file of each node that took it, before anybody hears of it.

mod follow;
mod head;
mod join;
mod lay;
mod publish;
mod record;
mod tell;

use std::sync::{Mutex as Short, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use serde::Serialize;
use storage::log::{self, Log, RedisOptions};
use tokio::sync::{Mutex, watch};
use utoipa::ToSchema;

use self::head::Head;
use self::lay::Next;
use self::record::Odd;
use self::tell::Own;
use super::problem::Problem;

pub(crate) use self::follow::follow;
pub(crate) use self::tell::keep_told;

/// How many records behind the newest copy Redis keeps: with a copy after every [`SAVE_AFTER`] it holds less than
/// 200 records of 256 KiB at most, and nearly always of a few.
const TAIL: u64 = 128;
const SAVE_AFTER: u64 = 64;

/// This node among the others.
pub(crate) struct Nodes {
    log: Log,
    name: String,
    /// `None` until the log was read. Whoever holds it also has the turn to publish.
    joined: Mutex<Option<Joined>>,
    own: watch::Sender<Own>,
    /// What the others said last.
    heard: ArcSwap<Vec<log::Said>>,
    /// What was found last in the folder that is not released.
    by_hand: Short<Vec<String>>,
}

/// A node that has read the log.
struct Joined {
    head: Head,
    /// Decided, and not yet in the folder, oldest first.
    pending: Vec<Next>,
}

/// A node as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Node)]
pub(crate) struct NodeShown {
    pub node: String,
    /// The one that answers.
    pub me: bool,
    /// The release that it serves; 0 while that is not known.
    pub number: u64,
    pub release: String,
    /// `starting`, `same`, `folder` (it serves the newest release, and its folder was changed by hand), `behind` (it
    /// is taking a newer one), `stuck` (it cannot), `away` (it does not reach Redis), `gone` (nothing is heard of it).
    pub state: String,
    /// Danish; of what is not as it should be.
    pub why: Option<String>,
    /// Since it was heard of.
    pub age_ms: u64,
}

/// Why a node does not get on.
#[derive(Debug)]
enum Trouble {
    /// The log cannot be reached: it is tried again by itself.
    Away(log::Error),
    /// The log is another than the one that was read: it is read anew.
    Other,
    /// Danish; it is tried again now and then.
    Stuck(String),
}

impl From<log::Error> for Trouble {
    fn from(e: log::Error) -> Self {
        match e {
            log::Error::Corrupt(_) | log::Error::OutOfStep { .. } => Self::Other,
            log::Error::Journal(e) => Self::from(e),
            e => Self::Away(e),
        }
    }
}

impl From<storage::Error> for Trouble {
    fn from(e: storage::Error) -> Self {
        tracing::error!("a release of the other nodes: {e}");
        Self::Stuck(
            "Der kan ikke skrives i tjenestens mappe på denne server. Giv den plads på disken."
                .to_owned(),
        )
    }
}

impl From<Odd> for Trouble {
    fn from(e: Odd) -> Self {
        tracing::error!("the log of releases: {e}");
        Self::Stuck(
            "De fælles udgivelser kan ikke læses her. Kør den samme version af programmet på alle servere."
                .to_owned(),
        )
    }
}

impl From<Problem> for Trouble {
    fn from(p: Problem) -> Self {
        Self::Stuck(p.text)
    }
}

impl Nodes {
    /// This node, by its name. To be called inside a tokio runtime; does not wait.
    ///
    /// # Errors
    /// An address or a setting that cannot be.
    pub(crate) fn open(
        store: &storage::Editor,
        name: &str,
        options: &RedisOptions,
    ) -> Result<Self, log::Error> {
        let mut options = options.clone();
        options.prefix += ".releases";
        options.keep.tail = TAIL;
        Ok(Self {
            log: store.log(name, &options)?,
            name: name.to_owned(),
            joined: Mutex::default(),
            own: watch::Sender::default(),
            heard: ArcSwap::default(),
            by_hand: Short::default(),
        })
    }

    /// Whether something could be published, as far as is known now.
    pub(super) fn reachable(&self) -> bool {
        self.log.health().is_ok()
    }

    fn by_hand(&self) -> MutexGuard<'_, Vec<String>> {
        self.by_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing is published without the log: what would be is not known to be the newest.
fn away(because: Option<&log::Error>) -> Problem {
    let why = match because {
        Some(log::Error::OutOfMemory | log::Error::NotSaving(_)) => {
            "Redis har ikke plads til mere, så der kan ikke udgives lige nu. Den, der driver tjenesten, skal give den \
             mere."
        }
        Some(e) if !unsure(e) => {
            tracing::error!("releases: {e}");
            "Redis tager ikke imod, så der kan ikke udgives lige nu. Årsagen står i serverens log."
        }
        _ => "Forbindelsen til de andre servere er væk, så der kan ikke udgives lige nu.",
    };
    Problem::conflict(
        "nodes_away",
        format!("{why} Borgerne får svar som før, og kladden er gemt. Prøv igen om lidt."),
    )
}

/// Whether what was asked may have been done all the same.
fn unsure(e: &log::Error) -> bool {
    matches!(e, log::Error::Unavailable(_) | log::Error::Timeout)
}

#[cfg(test)]
mod tests;
