//! Publishing among several nodes: over the newest release of all, and decided by one append.

use std::collections::BTreeMap;
use std::sync::Arc;

use knowledge::File;
use storage::DraftText;

use super::join::{Said, fold, next};
use super::lay::Built;
use super::record::{Changed, Decided, Line};
use super::{Nodes, Trouble};
use crate::app::App;
use crate::editor::drafts::wrong_state;
use crate::editor::jobs::Job;
use crate::editor::places::listed;
use crate::editor::problem::Problem;
use crate::editor::publish::Wanted;
use crate::editor::texts::{differences, lay_over, text_of, with};
use crate::editor::{Studio, blocking, today, wire};
use crate::telemetry::{Step, Trace};

/// How often others may be quicker before an editor is asked to try again.
const TRIES: u32 = 5;

/// What a release would be, and what of the folder goes into it.
struct Laid {
    next: Vec<File>,
    changed: Vec<DraftText>,
    taken: BTreeMap<String, Option<String>>,
}

impl Studio {
    /// As [`Studio::release`], among several nodes.
    ///
    /// # Errors
    /// `conflict`, `nothing`, `faults`, `worse`, `stopped`, `wrong_state`, `nodes_away`, `not_known`, `not_here`, `busy`,
    /// `unavailable`.
    pub(in crate::editor) async fn release_among(
        &self,
        nodes: &Nodes,
        app: &App,
        wanted: Wanted,
        job: &Arc<Job>,
        trace: &Trace,
    ) -> Result<wire::Release, Problem> {
        let mut asked = trace.now();
        job.step("Ser efter, hvad de andre servere har udgivet", 0, 0);
        if !nodes.reachable() {
            return Err(super::away(None));
        }
        let mut slot = nodes.joined.lock().await;
        for _ in 0..TRIES {
            match self.catch_up(app, nodes, &mut slot).await {
                Ok(()) => {}
                Err(Trouble::Other) => continue,
                Err(Trouble::Away(e)) => return Err(super::away(Some(&e))),
                Err(Trouble::Stuck(why)) => {
                    nodes.show(super::tell::State::Stuck, Some(why.clone()));
                    return Err(Problem::conflict(
                        "behind",
                        format!(
                            "Denne server er bagud for de andre, så der kan ikke udgives herfra. {why}"
                        ),
                    ));
                }
            }
            let Some(joined) = slot.as_mut() else {
                continue;
            };
            self.still_open(&wanted).await?;
            let laid = self.laid_over_live(&wanted).await?;
            if laid.changed.is_empty() {
                let text =
                    "Der er ikke noget at udgive: det hele er som i den udgave, der er i brug.";
                return Err(Problem::conflict("nothing", text));
            }
            trace.step(Step::Check, asked);
            asked = trace.now();
            let built = self.build_wanted(app, &laid.next, job).await?;
            trace.step(Step::Build, asked);
            if wanted.meta.guarded() {
                self.guard(app, &built.snapshot, job).await?;
            }
            asked = trace.now();
            job.commit()?;
            job.step("Sender til de andre servere og tager i brug", 0, 0);
            let mut meta = wanted.meta.clone();
            meta.files = laid.changed.iter().map(listed).collect();
            let changed = laid.changed.into_iter().map(|d| Changed {
                path: d.path,
                before: d.base,
                after: d.text,
            });
            let decided = Decided {
                number: joined.head.number + 1,
                hash: built.snapshot.release.hash.clone(),
                at_ms: app.clock.now().as_millisecond(),
                meta: serde_json::to_string(&meta).map_err(Problem::unavailable)?,
                files: changed.collect(),
            };
            let line = Line::Release(decided.clone());
            let records = match nodes.append(&joined.head, line).await {
                Ok(Said::Done(records)) => records,
                Ok(Said::Conflict) => continue,
                Err(Trouble::Other) => {
                    *slot = None;
                    continue;
                }
                Err(Trouble::Away(e)) if !super::unsure(&e) => {
                    return Err(super::away(Some(&e)));
                }
                Err(Trouble::Away(e)) => {
                    tracing::error!("whether a release was decided is not known: {e}");
                    return Err(not_known());
                }
                // It is in the log, and not in this node's mirror.
                Err(e) => {
                    *slot = None;
                    return Err(not_here(nodes, e));
                }
            };
            let mut pending = next(decided, joined.head.at);
            pending.taken = laid.taken;
            let number = pending.decided.number;
            if let Err(e) = fold(&mut joined.head, records).await {
                *slot = None;
                return Err(not_here(nodes, e));
            }
            pending.at = joined.head.at;
            let (hash, at_ms) = (pending.decided.hash.clone(), pending.decided.at_ms);
            joined.pending.push(pending);
            if let Err(e) = self.take_pending(app, nodes, joined, Some(built)).await {
                return Err(not_here(nodes, e));
            }
            self.settled(nodes, joined).await;
            self.noted(app, &meta, number).await;
            trace.step(Step::Put, asked);
            return Ok(wire::Release {
                number,
                hash,
                at_ms,
                meta,
                undone_by: None,
                live: true,
                diff: None,
            });
        }
        let text = "De andre servere udgiver hele tiden noget nyt. Prøv igen om lidt.";
        Err(Problem::conflict("busy", text))
    }

    /// A draft that another release has published meanwhile is not published twice.
    async fn still_open(&self, wanted: &Wanted) -> Result<(), Problem> {
        let Some(id) = &wanted.meta.draft else {
            return Ok(());
        };
        if self.found(id).await?.over() {
            return Err(wrong_state());
        }
        Ok(())
    }

    /// What is wanted, over what is live. Of the folder only those files go into it that the draft changes too, or
    /// all that were changed by hand when just that is wanted.
    async fn laid_over_live(&self, wanted: &Wanted) -> Result<Laid, Problem> {
        let (live, root) = (self.live.load_full(), self.root.clone());
        let disk = blocking(move || knowledge::load(&root)).await?;
        let disk = disk.map_err(Problem::unavailable)?;
        let left: BTreeMap<String, Option<String>> =
            self.store.by_hand().await?.into_iter().collect();
        let mut taken = BTreeMap::new();
        let (laid, conflicts) = if wanted.meta.kind == "folder" {
            let mut changes = differences(&live.files, &disk);
            for change in &mut changes {
                // It was changed from an older text than the one that is live.
                if let Some(base) = left.get(&change.path) {
                    change.base.clone_from(base);
                }
                taken.insert(change.path.clone(), change.text.clone());
            }
            lay_over(&changes, &|p| text_of(&live.files, p).map(str::to_owned))
        } else {
            let theirs = |p: &str| {
                let of = if left.contains_key(p) {
                    &live.files
                } else {
                    &disk
                };
                text_of(of, p).map(str::to_owned)
            };
            let paths = wanted.changes.iter().map(|c| c.path.clone());
            let paths = paths.filter(|p| !left.contains_key(p));
            taken.extend(paths.map(|p| {
                let text = theirs(&p);
                (p, text)
            }));
            lay_over(&wanted.changes, &theirs)
        };
        if !conflicts.is_empty() {
            return Err(Problem::clashes(&conflicts));
        }
        let next = with(&live.files, &laid);
        let changed = differences(&live.files, &next);
        Ok(Laid {
            next,
            changed,
            taken,
        })
    }

    async fn build_wanted(
        &self,
        app: &App,
        next: &[File],
        job: &Arc<Job>,
    ) -> Result<Built, Problem> {
        job.step("Kontrollerer hele videnmappen", 0, 0);
        let (today, files) = (today(&*app.clock), next.to_vec());
        let before = self.live.load_full();
        let checked = blocking(move || before.next(&files, today)).await?;
        let (release, faults) = checked.map_err(|f| Problem::faults(&f))?;
        job.go_on()?;
        let (snapshot, quick) = self
            .built(self.maker.clone(), app.snapshot(), release, job)
            .await?;
        Ok(Built {
            snapshot,
            faults,
            quick,
        })
    }
}

/// The answer to an append did not come.
fn not_known() -> Problem {
    Problem::conflict(
        "not_known",
        "Forbindelsen til de andre servere blev afbrudt, mens der blev udgivet. Se under Udgivelser om lidt: enten er \
         den udgivet på alle servere, eller også er intet ændret.",
    )
}

/// It is decided, and the others take it.
fn not_here(nodes: &Nodes, e: Trouble) -> Problem {
    let why = match e {
        Trouble::Stuck(why) => why,
        Trouble::Away(e) => e.to_string(),
        Trouble::Other => String::new(),
    };
    nodes.show(super::tell::State::Stuck, Some(why.clone()));
    Problem::conflict(
        "not_here",
        format!(
            "Det er udgivet på de andre servere, men denne server kan ikke tage det i brug endnu. {why}"
        ),
    )
}
