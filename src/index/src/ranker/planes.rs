//! The lexical classifier as it is kept: linear over sparse features, eight bits a weight.

use serde::{Deserialize, Serialize};

use super::features::Sparse;
use super::svm::Plane;

/// Planes of all classes, in blocks of those that are met together.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct LexicalPlanes {
    blocks: Vec<Block>,
    /// Of each class: what a unit of its weights stands for, and what is added.
    scale: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Block {
    /// [`GONE`] where there was one.
    classes: Vec<u32>,
    columns: Columns,
    /// `[columns × classes]`
    weights: Vec<i8>,
}

/// The features that a block has weights for.
#[derive(Clone, Serialize, Deserialize)]
enum Columns {
    /// So many, from the first.
    First(u32),
    /// These, ascending.
    These(Vec<u32>),
}

const GONE: u32 = u32::MAX;

impl Columns {
    fn place(&self, column: u32) -> Option<usize> {
        match self {
            Self::First(n) => (column < *n).then_some(column as usize),
            Self::These(columns) => columns.binary_search(&column).ok(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::First(n) => *n as usize,
            Self::These(columns) => columns.len(),
        }
    }
}

/// A plane in eight bits.
pub(super) struct Column {
    weights: Vec<i8>,
    scale: f32,
    bias: f32,
}

impl Column {
    pub(super) fn of(plane: &Plane) -> Self {
        let scale = plane.w.iter().fold(1e-9_f32, |m, w| m.max(w.abs())) / 127.0;
        Self {
            weights: plane.w.iter().map(|w| (w / scale).round() as i8).collect(),
            scale,
            bias: plane.bias,
        }
    }
}

impl LexicalPlanes {
    /// Of so many classes, none of which has a plane yet.
    pub(super) fn new(classes: usize) -> Self {
        Self {
            blocks: Vec::new(),
            scale: vec![0.0; classes],
            bias: vec![0.0; classes],
        }
    }

    /// Adds planes with a weight for each of the first so many features.
    pub(super) fn add_wide(&mut self, features: usize, planes: &[(usize, Column)]) {
        self.add(Columns::First(features as u32), planes);
    }

    /// Adds planes with weights for these features alone, ascending.
    pub(super) fn add_narrow(&mut self, features: Vec<u32>, planes: &[(usize, Column)]) {
        self.add(Columns::These(features), planes);
    }

    fn add(&mut self, columns: Columns, planes: &[(usize, Column)]) {
        let n = planes.len();
        let mut weights = vec![0; columns.len() * n];
        for (lane, (class, column)) in planes.iter().enumerate() {
            for (row, w) in weights.chunks_exact_mut(n).zip(&column.weights) {
                row[lane] = *w;
            }
            self.scale[*class] = column.scale;
            self.bias[*class] = column.bias;
        }
        self.blocks.push(Block {
            classes: planes.iter().map(|(c, _)| *c as u32).collect(),
            columns,
            weights,
        });
    }

    /// The margins of the allowed classes; the others' mean nothing.
    pub(super) fn margins(&self, features: &Sparse, allowed: &dyn Fn(usize) -> bool) -> Vec<f32> {
        let mut out = vec![0.0; self.scale.len()];
        let mut sums = Vec::new();
        for block in &self.blocks {
            let here = |c: &u32| *c != GONE && allowed(*c as usize);
            if !block.classes.iter().any(here) {
                continue;
            }
            let n = block.classes.len();
            sums.clear();
            sums.resize(n, 0.0_f32);
            for &(column, weight) in features {
                let Some(place) = block.columns.place(column) else {
                    continue;
                };
                let row = &block.weights[place * n..(place + 1) * n];
                for (s, &w) in sums.iter_mut().zip(row) {
                    *s += weight * f32::from(w);
                }
            }
            for (&c, sum) in block.classes.iter().zip(&sums) {
                if c != GONE {
                    let c = c as usize;
                    out[c] = sum * self.scale[c] + self.bias[c];
                }
            }
        }
        out
    }

    /// These as planes of other classes: class c gets the plane of `from[c]`, or none yet.
    pub(super) fn moved(&self, from: &[Option<usize>]) -> Self {
        let mut to = vec![GONE; self.scale.len()];
        for (class, from) in (0..).zip(from) {
            if let Some(from) = from {
                to[*from] = class;
            }
        }
        let take = |of: &[f32]| from.iter().map(|f| f.map_or(0.0, |f| of[f])).collect();
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let moved = |c: &u32| to.get(*c as usize).copied().unwrap_or(GONE);
            let classes: Vec<u32> = block.classes.iter().map(moved).collect();
            if classes.iter().any(|c| *c != GONE) {
                blocks.push(Block {
                    classes,
                    ..block.clone()
                });
            }
        }
        Self {
            blocks,
            scale: take(&self.scale),
            bias: take(&self.bias),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(w: &[f32], bias: f32) -> Column {
        Column::of(&Plane {
            w: w.to_vec(),
            bias,
        })
    }

    #[test]
    fn margins_are_the_planes_and_stay_with_their_classes_when_these_move() {
        let mut planes = LexicalPlanes::new(3);
        planes.add_wide(
            3,
            &[
                (0, column(&[1.0, 0.0, 0.5], 0.1)),
                (2, column(&[-1.0, 2.0, 0.0], -1.0)),
            ],
        );
        planes.add_narrow(vec![1, 4], &[(1, column(&[4.0, 3.0], 0.5))]);
        let text: Sparse = vec![(0, 0.5), (1, 0.25), (4, 1.0)];
        let near = |found: f32, want: f32| assert!((found - want).abs() < 0.03, "{found} {want}");
        let m = planes.margins(&text, &|_| true);
        near(m[0], 0.6);
        near(m[1], 4.5);
        near(m[2], -1.0);
        // The first goes, a new one comes in between.
        let moved = planes.moved(&[Some(1), None, Some(2)]);
        let m = moved.margins(&text, &|_| true);
        near(m[0], 4.5);
        near(m[1], 0.0);
        near(m[2], -1.0);
        // A block that nobody asks for is not read.
        near(planes.margins(&text, &|c| c != 1)[1], 0.0);
    }
}
