//! What another threshold would give, area by area, from the example sentences that the thresholds rest on.

use std::collections::BTreeMap;
use std::sync::Arc;

use dialogue::eval::calibration::{Point, Trial, curve, reached};
use index::{ErrorBudget, Snapshot};
use jiff::Timestamp;
use knowledge::Release;
use serde_json::value::RawValue;
use storage::Editor;

use super::problem::Problem;
use super::wire::{AreaCurve, Budget, Curve, Outside, Thresholds};
use super::{Studio, blocking, long};
use crate::app::App;

/// Thresholds that a curve is drawn with, at most, besides the one that holds.
const STEPS: usize = 60;

impl Thresholds {
    /// Of what is live.
    pub(super) fn of(snapshot: &Snapshot, budget: ErrorBudget) -> Self {
        let areas = areas(&snapshot.release);
        let area = |id: &str| areas.get(id).copied();
        let mut all = Vec::new();
        let mut by_area: BTreeMap<&str, (Vec<Trial>, Vec<Trial>)> = BTreeMap::new();
        for j in snapshot.judged() {
            let trial = Trial {
                confidence: j.confidence,
                right: j.expected.is_some() && j.first == j.expected,
                answerable: j.expected.is_some(),
                settled: false,
            };
            all.push(trial);
            match (j.expected.and_then(area), j.first.and_then(area)) {
                (Some(own), _) => by_area.entry(own).or_default().0.push(trial),
                (None, Some(first)) if !trial.answerable => {
                    by_area.entry(first).or_default().1.push(trial);
                }
                // Of an article that is gone since.
                _ => {}
            }
        }
        let answer = snapshot.answer_threshold();
        let thresholds = steps(&all, answer);
        let count = |trials: &[Trial], of: fn(&Point) -> u32| -> Vec<u32> {
            let curve = curve(trials);
            thresholds
                .iter()
                .map(|t| of(&reached(&curve, *t)))
                .collect()
        };
        let drawn = |trials: &[Trial]| Curve {
            n: number(trials, true),
            answered: count(trials, |p| p.answered),
            wrong: count(trials, |p| p.wrong),
        };
        let release = &snapshot.release;
        let mut areas: Vec<AreaCurve> = by_area
            .iter()
            .map(|(id, (own, strays))| AreaCurve {
                area: (*id).to_owned(),
                title: release
                    .areas
                    .get(*id)
                    .map_or(*id, String::as_str)
                    .to_owned(),
                curve: drawn(own),
                strays: count(strays, |p| p.anyway),
            })
            .collect();
        areas.sort_by(|a, b| a.title.cmp(&b.title));
        Self {
            release: release.hash.clone(),
            answer,
            clarify: snapshot.clarify_threshold(),
            budget: Budget {
                wrong: percent(budget.wrong),
                unanswerable: percent(budget.unanswerable),
            },
            all: drawn(&all),
            areas,
            outside: Outside {
                n: number(&all, false),
                answered: count(&all, |p| p.anyway),
            },
            thresholds,
        }
    }
}

/// Keeps with a release what its thresholds give, so that a later one can be held against it.
pub(super) async fn keep(
    store: Editor,
    budget: ErrorBudget,
    at: Timestamp,
    snapshot: Arc<Snapshot>,
) {
    let hash = snapshot.release.hash.clone();
    let drawn = long(move || serde_json::to_string(&Thresholds::of(&snapshot, budget))).await;
    let kept = match drawn {
        Ok(Ok(json)) => store.keep_thresholds(hash, at, json).await,
        Ok(Err(e)) => return tracing::warn!("thresholds are not kept: {e}"),
        Err(_) => return,
    };
    if let Err(e) = kept {
        tracing::warn!("thresholds are not kept: {e}");
    }
}

impl Studio {
    /// Keeps what the thresholds of a snapshot give, beside everything else.
    pub(crate) fn keep_thresholds(&self, app: &App, snapshot: &Arc<Snapshot>) {
        let (store, budget) = (self.store.clone(), self.maker.budget());
        let at = app.clock.now();
        tokio::spawn(keep(store, budget, at, Arc::clone(snapshot)));
    }

    /// What the thresholds give with what is live, or gave with a release of the history.
    ///
    /// # Errors
    /// `not_found`: there is no such release, or of its time nothing was kept.
    pub(super) async fn thresholds(
        &self,
        app: &App,
        release: Option<u64>,
    ) -> Result<Box<RawValue>, Problem> {
        let snapshot = app.snapshot();
        let kept = match release {
            None => None,
            Some(n) => match self.store.thresholds(n).await? {
                None => return Err(Problem::not_found(format!("Der er ingen udgivelse {n}."))),
                Some((hash, _)) if hash == snapshot.release.hash => None,
                Some((_, Some(kept))) => Some(kept),
                Some((_, None)) => {
                    let text = format!("Der er ikke gemt tal for grænserne i udgivelse {n}.");
                    return Err(Problem::not_found(text));
                }
            },
        };
        let drawn = match kept {
            Some(kept) => RawValue::from_string(kept),
            None => {
                let budget = self.maker.budget();
                let draw =
                    move || serde_json::value::to_raw_value(&Thresholds::of(&snapshot, budget));
                blocking(draw).await?
            }
        };
        drawn.map_err(Problem::unavailable)
    }
}

/// Without what a fraction of two powers adds to it.
fn percent(share: f32) -> f64 {
    (f64::from(share) * 1e4).round() / 100.0
}

fn number(trials: &[Trial], answerable: bool) -> u32 {
    let of = trials.iter().filter(|t| t.answerable == answerable);
    of.count().try_into().unwrap_or(u32::MAX)
}

/// The area of each article, by id: of the first layer that has it.
fn areas(release: &Release) -> BTreeMap<&str, &str> {
    let mut out = BTreeMap::new();
    for a in &release.articles {
        out.entry(a.id.as_str()).or_insert(a.area.as_str());
    }
    out
}

/// Thresholds between which about as many answerable sentences lie, falling, and the one that holds.
fn steps(trials: &[Trial], answer: f32) -> Vec<f32> {
    let answerable = trials.iter().filter(|t| t.answerable);
    let mut all: Vec<f32> = answerable.map(|t| t.confidence).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    let every = all.len().div_ceil(STEPS).max(1);
    let last = all.last().copied();
    let mut out: Vec<f32> = all.into_iter().step_by(every).chain(last).collect();
    out.push(answer);
    out.sort_by(|a, b| b.total_cmp(a));
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(confidence: f32) -> Trial {
        Trial {
            confidence,
            right: true,
            answerable: true,
            settled: false,
        }
    }

    #[test]
    fn steps_fall_and_hold_the_threshold_and_the_ends() {
        let trials: Vec<Trial> = (0..1000).map(|i| trial(i as f32 / 1000.0)).collect();
        let steps = steps(&trials, 0.1234);
        assert!(steps.is_sorted_by(|a, b| a > b), "{steps:?}");
        assert!(steps.contains(&0.1234));
        assert_eq!((steps[0], steps[steps.len() - 1]), (0.999, 0.0));
        assert!((40..=STEPS + 2).contains(&steps.len()));
        assert_eq!(super::steps(&[], 0.5), [0.5]);
        assert!((percent(0.03) - 3.0).abs() < 1e-12);
    }
}
