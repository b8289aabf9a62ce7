//! The figures of question sets, before and after.

use std::collections::BTreeMap;

use dialogue::Outcome;
use dialogue::eval::Share;
use knowledge::Release;

use super::super::wire::{AreaFigures, Figures, SetFigures, ShareShown};
use super::{Asked, Pair, right};

/// A set counts as worse when more than one question in this many is lost on balance.
const NOISE: u32 = 200;

#[derive(Clone, Copy, Default)]
struct Sums {
    n: u32,
    right: u32,
    wrong: u32,
    answered: u32,
}

impl Sums {
    fn add(&mut self, right: bool, answered: bool) {
        self.n += 1;
        self.right += u32::from(right);
        self.wrong += u32::from(answered && !right);
        self.answered += u32::from(answered);
    }

    fn shown(self) -> Figures {
        let share = |hits| {
            let s = Share::of(hits, self.n);
            ShareShown {
                percent: if self.n == 0 { 0.0 } else { s.percent },
                low: s.low,
                high: s.high,
            }
        };
        Figures {
            right: share(self.right),
            wrong: share(self.wrong),
            answered: share(self.answered),
        }
    }
}

/// Sums by set and by area.
#[derive(Default)]
pub(super) struct Counted {
    sets: BTreeMap<String, (Sums, Sums)>,
    areas: BTreeMap<String, (Sums, Sums)>,
}

impl Counted {
    /// `releases` are that before and that after: what a draft takes away still has its area.
    pub(super) fn add(&mut self, set: &str, a: &Asked, p: &Pair, releases: [&Release; 2]) {
        let answered = |o: Outcome| o == Outcome::Answered;
        let put = |(before, after): &mut (Sums, Sums)| {
            before.add(
                right(a, &p.before) == Some(true),
                answered(p.before.outcome),
            );
            after.add(right(a, &p.after) == Some(true), answered(p.after.outcome));
        };
        put(self.sets.entry(set.to_owned()).or_default());
        let expected = a.expected.iter().flatten().next();
        let [before, after] = releases;
        let mut all = after.articles.iter().chain(&before.articles);
        let article = expected.and_then(|id| all.find(|x| x.id == *id));
        if let Some(article) = article {
            put(self.areas.entry(article.area.clone()).or_default());
        }
    }

    pub(super) fn sets(&self) -> Vec<SetFigures> {
        let all = self.sets.iter();
        all.map(|(set, (before, after))| SetFigures {
            set: set.clone(),
            guarded: true,
            n: before.n,
            before: before.shown(),
            after: after.shown(),
            worse: before.right.saturating_sub(after.right) > before.n / NOISE,
        })
        .collect()
    }

    pub(super) fn areas(&self, release: &Release) -> Vec<AreaFigures> {
        let all = self.areas.iter();
        all.map(|(area, (before, after))| AreaFigures {
            area: area.clone(),
            title: release
                .areas
                .get(area)
                .cloned()
                .unwrap_or_else(|| area.clone()),
            n: before.n,
            before: before.shown(),
            after: after.shown(),
        })
        .collect()
    }
}
