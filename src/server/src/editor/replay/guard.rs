//! The guarded sets, asked of what is about to be live: nobody has to remember to try a draft.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dialogue::Turn;
use index::Snapshot;

use super::super::jobs::Job;
use super::super::of_live::OfLive;
use super::super::problem::Problem;
use super::super::questions::Vector;
use super::super::{Studio, blocking};
use super::asked::{Asked, sets};
use super::count::Counted;
use super::{Answers, answers, pairs};
use crate::app::App;
use crate::boot::Maker;

/// Characters of a reason to publish something that makes a guarded set worse, at least.
const REASON: usize = 10;

/// What need not be done again for the next release.
#[derive(Default)]
pub(in super::super) struct Guard {
    /// Of the sets' questions; they are files, so there are no more than lie there.
    vectors: Mutex<HashMap<String, Vector>>,
    /// What is live made of them.
    answers: OfLive<Turn, Answers>,
}

/// Whether somebody has said why it is to be published all the same.
pub(in super::super) fn excused(overridden: Option<&str>) -> bool {
    overridden.is_some_and(|o| o.trim().chars().count() >= REASON)
}

pub(in super::super) fn worse(sets: &[String]) -> Problem {
    let text = "Kladden gør svarene dårligere i et vogtet spørgsmålssæt. Skriv, hvorfor den skal udgives alligevel.";
    Problem::conflict("worse", text).with("sets", sets)
}

impl Studio {
    /// Asks the guarded sets of a snapshot and of what is live.
    ///
    /// # Errors
    /// `worse`, with the sets that are; `stopped`, `unavailable`.
    pub(in super::super) async fn guard(
        &self,
        app: &App,
        next: &Arc<Snapshot>,
        job: &Arc<Job>,
    ) -> Result<(), Problem> {
        let before = app.turn.load_full();
        let mut after = Turn::new(Arc::clone(next));
        after.policy = before.policy;
        let root = self.root.clone();
        let releases = (
            Arc::clone(&before.snapshot.release),
            Arc::clone(&next.release),
        );
        let asked = blocking(move || sets(&root, &releases.0, &releases.1)).await?;
        if asked.is_empty() {
            return Ok(());
        }
        let vectors = self.of_sets(app, &asked, job).await?;
        let known = self.guard.answers.at(&before).unwrap_or_default();
        let job = Arc::clone(job);
        let (before, answers, worse_sets) = blocking(move || {
            let pairs = pairs((&*before, &after), &asked, &vectors, &known, &job)?;
            let mut counted = Counted::default();
            let releases = [&*before.snapshot.release, &*after.snapshot.release];
            for (a, p) in asked.iter().zip(&pairs) {
                if let (Some(set), Some(p)) = (a.set(), p) {
                    counted.add(set, a, p, releases);
                }
            }
            let worse = counted.sets().into_iter().filter(|s| s.guarded && s.worse);
            let worse: Vec<String> = worse.map(|s| s.set).collect();
            let answers = Arc::new(answers(&asked, &pairs, |_| true));
            Ok::<_, Problem>((before, answers, worse))
        })
        .await??;
        self.guard.answers.keep(&before, &answers);
        if worse_sets.is_empty() {
            return Ok(());
        }
        Err(worse(&worse_sets))
    }

    async fn of_sets(
        &self,
        app: &App,
        asked: &[Asked],
        job: &Arc<Job>,
    ) -> Result<Vec<Vector>, Problem> {
        let kept = || {
            let all = self.guard.vectors.lock();
            all.unwrap_or_else(PoisonError::into_inner)
        };
        let texts: Vec<String> = asked.iter().map(|a| base::without_masks(&a.text)).collect();
        let missing: Vec<String> = {
            let kept = kept();
            let missing = texts.iter().filter(|t| !kept.contains_key(*t));
            missing.cloned().collect()
        };
        if !missing.is_empty() {
            let maker: Maker = self.maker.beside();
            let new = self.vectors(app, maker, missing.clone(), job).await?;
            let mut kept = kept();
            // Of questions that are in no set any more nothing stays.
            kept.retain(|text, _| texts.contains(text));
            kept.extend(missing.into_iter().zip(new));
        }
        let kept = kept();
        Ok(texts.iter().filter_map(|t| kept.get(t).cloned()).collect())
    }
}
