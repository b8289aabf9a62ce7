//! Work that takes long: started by a request, asked after by others.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Clock, Secret};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::Problem;
use super::wire::{JobShown, Text, Who};

/// How long the end of a job can be asked for; the oldest for less while all of them together have more bytes than this.
const KEPT: Duration = Duration::from_secs(3_600);
const KEPT_BYTES: usize = 16 << 20;
/// Imports of one person that may wait or be at hand.
const IMPORTS: usize = 3;
/// How often somebody who waits for their turn looks whether they are to go on.
const LOOK: Duration = Duration::from_millis(200);

/// One piece of work.
pub(super) struct Job {
    shown: Mutex<JobShown>,
    stop: AtomicBool,
    /// It can no longer be stopped.
    committed: AtomicBool,
    ended: Mutex<Option<Duration>>,
}

fn open<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job {
    /// Says what is being done, in Danish.
    pub(super) fn step(&self, step: &str, done: usize, total: usize) {
        let mut shown = open(&self.shown);
        if shown.step != step {
            step.clone_into(&mut shown.step);
        }
        (shown.done, shown.total) = (done, total);
    }

    /// From here on it is carried through.
    ///
    /// # Errors
    /// When somebody has stopped it already.
    pub(super) fn commit(&self) -> Result<(), Problem> {
        self.committed.store(true, Ordering::SeqCst);
        self.go_on()
    }

    /// # Errors
    /// When somebody has stopped it.
    pub(super) fn go_on(&self) -> Result<(), Problem> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Problem::conflict("stopped", "Det blev stoppet."));
        }
        Ok(())
    }

    pub(super) fn shown(&self) -> JobShown {
        open(&self.shown).clone()
    }
}

/// The jobs of this process.
pub(super) struct Jobs {
    all: Mutex<BTreeMap<String, Arc<Job>>>,
    importing: Arc<Semaphore>,
    /// How many imports each person may still begin.
    importers: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            all: Mutex::default(),
            importing: Arc::new(Semaphore::new(1)),
            importers: Mutex::default(),
        }
    }
}

impl Jobs {
    /// Starts `work`; the id to ask for.
    pub(super) fn start<T, F>(
        &self,
        kind: &'static str,
        by: Who,
        clock: Arc<dyn Clock>,
        work: impl FnOnce(Arc<Job>) -> F,
    ) -> String
    where
        T: Serialize,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let id = Secret::random()
            .as_str()
            .chars()
            .take(16)
            .collect::<String>();
        let job = Arc::new(Job {
            shown: Mutex::new(JobShown {
                id: id.clone(),
                kind,
                by,
                state: "running",
                step: "Venter".to_owned(),
                done: 0,
                total: 0,
                error: None,
                result: None,
            }),
            stop: AtomicBool::new(false),
            committed: AtomicBool::new(false),
            ended: Mutex::new(None),
        });
        {
            let mut all = open(&self.all);
            let now = clock.monotonic();
            tidy(&mut all, now);
            all.insert(id.clone(), Arc::clone(&job));
        }
        let work = work(Arc::clone(&job));
        tokio::spawn(async move {
            // Of its own, so that a panic in it ends the job and not only the task.
            let ended = match tokio::spawn(async move { work.await.map(|t| Text::of(&t)) }).await {
                Ok(Ok(Ok(result))) => Ok(result),
                Ok(Ok(Err(e))) => Err(Problem::unavailable(e)),
                Ok(Err(problem)) => Err(problem),
                Err(e) => Err(Problem::unavailable(e)),
            };
            let mut shown = open(&job.shown);
            match ended {
                Ok(result) => {
                    shown.state = "done";
                    shown.result = Some(result);
                }
                Err(p) if p.code == "stopped" => shown.state = "stopped",
                Err(p) => {
                    shown.state = "failed";
                    shown.error = Some(p.body());
                }
            }
            drop(shown);
            *open(&job.ended) = Some(clock.monotonic());
        });
        id
    }

    /// One of the imports that somebody may have at once, from before its file is read until it has ended.
    ///
    /// # Errors
    /// `too_many`: as many of theirs wait or are at hand as may.
    pub(super) fn may_import(&self, who: &Who) -> Result<OwnedSemaphorePermit, Problem> {
        let mut all = open(&self.importers);
        let theirs = all.entry(who.user.clone());
        let theirs = theirs.or_insert_with(|| Arc::new(Semaphore::new(IMPORTS)));
        Arc::clone(theirs).try_acquire_owned().map_err(|_| {
            Problem::too_many(format!(
                "Du har {IMPORTS} importer i gang. Vent, til en af dem er færdig."
            ))
        })
    }

    /// One import at a time: each holds its whole file. Waits for it as `job`.
    ///
    /// # Errors
    /// When somebody has stopped it.
    pub(super) async fn turn_to_import(
        importing: Arc<Semaphore>,
        job: &Job,
    ) -> Result<OwnedSemaphorePermit, Problem> {
        let mut turn = pin!(importing.acquire_owned());
        loop {
            if let Ok(turn) = timeout(LOOK, &mut turn).await {
                return turn.map_err(Problem::unavailable);
            }
            job.go_on()?;
        }
    }

    pub(super) fn importing(&self) -> Arc<Semaphore> {
        Arc::clone(&self.importing)
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Job>> {
        open(&self.all).get(id).cloned()
    }

    /// The job that writes a release just now.
    pub(super) fn publishing(&self) -> Option<String> {
        let all = open(&self.all);
        let running = all.values().map(|j| j.shown());
        let mut publishing = running
            .filter(|s| s.state == "running" && matches!(s.kind, "publish" | "undo" | "folder"));
        publishing.next().map(|s| s.id)
    }

    /// Asks a job to stop.
    ///
    /// # Errors
    /// `not_found`, `too_late`.
    pub(super) fn stop(&self, id: &str) -> Result<(), Problem> {
        let job = self.find(id).ok_or_else(no_job)?;
        if job.shown().state != "running" {
            return Ok(());
        }
        job.stop.store(true, Ordering::SeqCst);
        if job.committed.load(Ordering::SeqCst) {
            let text = "Udgivelsen er i gang og kan ikke stoppes. Du kan fortryde den bagefter.";
            return Err(Problem::conflict("too_late", text));
        }
        Ok(())
    }
}

/// Forgets jobs that ended long ago, and of those with large results the oldest.
fn tidy(all: &mut BTreeMap<String, Arc<Job>>, now: Duration) {
    all.retain(|_, j| open(&j.ended).is_none_or(|at| now.saturating_sub(at) < KEPT));
    let bytes = |j: &Job| open(&j.shown).result.as_ref().map_or(0, Text::bytes);
    let mut ended: Vec<(Duration, String, usize)> = all
        .iter()
        .filter_map(|(id, j)| open(&j.ended).map(|at| (at, id.clone(), bytes(j))))
        .collect();
    ended.sort_unstable();
    let mut sum = 0;
    // The newest first; that one is kept whatever it has.
    for (n, (_, id, bytes)) in ended.iter().rev().enumerate() {
        sum += bytes;
        if n > 0 && sum > KEPT_BYTES {
            all.remove(id);
        }
    }
}

pub(super) fn no_job() -> Problem {
    Problem::not_found("Opgaven findes ikke længere.")
}

#[cfg(test)]
mod tests;
