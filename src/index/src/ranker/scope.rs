//! Which classes a citizen can meet side by side: those of every municipality, and those of one's own.
//!
//! An article that lies in the shared layer can be met everywhere. One that lies only in a municipality's or a
//! region's layer is met there alone, so it is learned against what is met there, and forty municipalities with
//! a hundred articles each cost forty small problems, not one of four thousand classes.

use std::collections::{BTreeMap, BTreeSet};

use base::MunicipalityCode;
use inference::LANES;
use knowledge::{Audience, Layer, Release};

use super::Class;

/// For each class, who can meet it.
pub(crate) struct Scope {
    /// The municipalities; `None`: all.
    met_in: Vec<Option<BTreeSet<MunicipalityCode>>>,
}

impl Scope {
    /// `classes` are sorted. What a municipality hides is counted as met: it may show it tomorrow.
    pub(crate) fn of(release: &Release, classes: &[Class]) -> Self {
        let everywhere = |c: &Class| !matches!(c, Class::Article(_));
        let mut met_in: Vec<_> = classes
            .iter()
            .map(|c| (!everywhere(c)).then(BTreeSet::new))
            .collect();
        let articles = release.articles.iter();
        for a in articles.filter(|a| a.audience == Audience::Citizen) {
            let Ok(class) = classes.binary_search(&Class::Article(a.id.clone())) else {
                continue;
            };
            let of = &mut met_in[class];
            match a.layer {
                Layer::Shared => *of = None,
                Layer::Municipality(code) => {
                    of.as_mut().map(|of| of.insert(code));
                }
                Layer::Region(region) => {
                    let all = release.municipalities.values();
                    let inside = all.filter(|m| m.region == region).map(|m| m.code);
                    if let Some(of) = of {
                        of.extend(inside);
                    }
                }
            }
        }
        Self { met_in }
    }

    /// Whether every municipality can meet it.
    pub(crate) fn common(&self, class: usize) -> bool {
        self.met_in[class].is_none()
    }

    /// The classes that every municipality can meet, in their order.
    pub(crate) fn commons(&self) -> Vec<usize> {
        (0..self.met_in.len()).filter(|&c| self.common(c)).collect()
    }

    /// The other classes, up to [`LANES`] together that are met in the same places.
    pub(crate) fn blocks(&self) -> Vec<Vec<usize>> {
        // By the first municipality; one that no municipality meets is learned too, as nobody's.
        let mut by_first: BTreeMap<Option<MunicipalityCode>, Vec<usize>> = BTreeMap::new();
        for (class, met_in) in self.met_in.iter().enumerate() {
            if let Some(met_in) = met_in {
                let first = met_in.first().copied();
                by_first.entry(first).or_default().push(class);
            }
        }
        let chunks = by_first.values().flat_map(|classes| classes.chunks(LANES));
        chunks.map(<[usize]>::to_vec).collect()
    }

    /// For each class, whether some municipality can meet it beside one of these.
    pub(crate) fn beside(&self, classes: &[usize]) -> Vec<bool> {
        let mut places: BTreeSet<MunicipalityCode> = BTreeSet::new();
        for &c in classes {
            places.extend(self.met_in[c].iter().flatten());
        }
        let here = |(c, met_in): (usize, &Option<BTreeSet<_>>)| match met_in {
            None => true,
            Some(met_in) => classes.contains(&c) || !met_in.is_disjoint(&places),
        };
        self.met_in.iter().enumerate().map(here).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(met_in: &[Option<&[&str]>]) -> Scope {
        let codes = |of: &&[&str]| of.iter().map(|c| c.parse().unwrap()).collect();
        Scope {
            met_in: met_in.iter().map(|of| of.as_ref().map(codes)).collect(),
        }
    }

    #[test]
    fn blocks_hold_what_is_met_together_and_every_local_class_once() {
        let mut met_in: Vec<Option<&[&str]>> = vec![None, None];
        met_in.extend([Some(&["0751"] as &[&str]); LANES + 2]);
        met_in.extend([Some(&["0101"] as &[&str]); 3]);
        met_in.push(Some(&["0101", "0751"]));
        met_in.push(Some(&[]));
        let s = scope(&met_in);
        assert_eq!(s.commons(), [0, 1]);
        let blocks = s.blocks();
        let mut all: Vec<usize> = blocks.concat();
        all.sort_unstable();
        assert_eq!(all, (2..met_in.len()).collect::<Vec<_>>());
        assert!(blocks.iter().all(|b| b.len() <= LANES));
        let both = LANES + 7;
        for block in &blocks {
            let beside = s.beside(block);
            assert!(beside[0] && beside[1]);
            assert!(block.iter().all(|&c| beside[c]));
            if block.contains(&2) {
                assert!(beside[both] && !beside[LANES + 4]);
            }
            if block.contains(&both) {
                assert!(beside[2] && beside[LANES + 4]);
            }
        }
    }
}
