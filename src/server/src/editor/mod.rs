//! The editors' studio, after docs/studio-api.md: drafts, releases, and what they would change.
//!
//! The files of the knowledge folder are what is true; a checkout without the studio works as before. A draft is a
//! set of changed files. A release lays them over the folder, is checked whole, built beside what is live, written,
//! and swapped in with one pointer; every text that was ever live is kept, so that any release can be undone.
//!
//! Invariants:
//! - A save that would overwrite what its writer has not seen is merged or refused, never done.
//! - The folder holds the old release or the new one, whole, whenever the service is killed ([`folder`]).
//! - Nothing is live that the check of the whole knowledge has not passed.

mod api;
mod changes;
mod diff;
mod drafts;
mod fields;
mod folder;
mod import;
mod jobs;
mod learn;
mod links;
mod next;
mod nodes;
mod of_live;
mod overlap;
mod places;
mod preview;
mod problem;
mod publish;
mod questions;
mod replay;
mod scale;
mod schedule;
mod shelf;
mod start;
mod texts;
mod thresholds;
mod undo;
mod wire;

#[cfg(any(fuzzing, test))]
pub(crate) use self::import::{fuzz_markdown, fuzz_table};

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use arc_swap::ArcSwap;
use base::Clock;
use jiff::civil::Date;
use knowledge::{Article, Fault, File, Release};
use storage::Editor;

pub(crate) use self::api::routes;
pub(crate) use self::import::{
    Format, Plan, Progress, Site, What, by_command as import_by_command,
};
pub(crate) use self::links::{FILE as LINKS, Settings as LinkSettings, look_nightly};
pub(crate) use self::nodes::{NodeShown, Nodes, follow, keep_told};
pub(crate) use self::overlap::InTheWay;
pub(crate) use self::problem::Problem;
pub(crate) use self::scale::measure as measure_at_scale;
pub(crate) use self::schedule::keep_time;
pub(crate) use self::start::{recover, released};

use self::jobs::Jobs;
use self::of_live::OfLive;
use crate::boot::Maker;
use crate::web::Hosts;

/// The file in the data folder.
pub(crate) const FILE: &str = "editor.sqlite";

/// What the studio keeps for the whole node.
pub(crate) struct Studio {
    store: Editor,
    maker: Maker,
    /// The knowledge folder.
    root: PathBuf,
    live: ArcSwap<Live>,
    /// One release at a time.
    publishing: Arc<tokio::sync::Mutex<()>>,
    /// One release at a time is learned whole.
    learning: Arc<Mutex<()>>,
    jobs: Jobs,
    links: links::Keeper,
    /// The last look at a release's sentences.
    looked: OfLive<index::Snapshot, overlap::InTheWay>,
    /// What was made of example sentences, the last time that all were asked.
    answers: OfLive<dialogue::Turn, replay::Answers>,
    /// What is kept of asking the guarded sets.
    guard: replay::Guard,
    /// Hears of every release that becomes live.
    told: OnceLock<Tell>,
    /// Set where several nodes share their releases.
    nodes: OnceLock<Arc<Nodes>>,
    /// Whose web pages may be brought in; not set: nobody's.
    import_from: OnceLock<Arc<Hosts>>,
}

/// Whoever else must know of a release, such as the contact centre of its hours.
pub(crate) type Tell = Box<dyn Fn(&Release) + Send + Sync>;

/// What is live.
struct Live {
    /// In the order of their paths.
    files: Vec<File>,
    release: Arc<Release>,
    /// Warnings, and what has expired.
    faults: Vec<Fault>,
    /// Of the history.
    number: u64,
    /// Every article, also those that are not served; read when first asked for.
    articles: OnceLock<Vec<Arc<Article>>>,
}

impl Live {
    /// The release of these files, in the order of their paths; what is as it is live is not read again.
    ///
    /// # Errors
    /// Every fault, when at least one is an error.
    fn next(&self, files: &[File], today: Date) -> Result<(Release, Vec<Fault>), Vec<Fault>> {
        Release::build_after(&self.release, &self.files, files, today)
    }

    fn new(files: Vec<File>, release: Arc<Release>, faults: Vec<Fault>, number: u64) -> Self {
        Self {
            files,
            release,
            faults,
            number,
            articles: OnceLock::new(),
        }
    }

    fn articles(&self) -> &[Arc<Article>] {
        self.articles.get_or_init(|| shelf::read(&self.files))
    }
}

/// The date in Copenhagen.
fn today(clock: &dyn Clock) -> Date {
    clock.now().to_zoned(contact::copenhagen().clone()).date()
}

/// Runs what takes long beside the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, problem::Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(problem::Problem::unavailable)
}

/// The same for what takes seconds and nobody waits for at the moment: it gives way to everything else.
async fn long<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, problem::Problem> {
    crate::runtime::politely(inference::BACKGROUND, work)
        .await
        .map_err(problem::Problem::unavailable)
}

#[cfg(test)]
mod tests;
