//! The example sentences by their vectors: what was asked before, and what it was about.

use std::ops::Range;

use inference::Rounded;
use serde::{Deserialize, Serialize};

use super::FAR;
use super::train::Sample;

/// Vectors of the example sentences, centred and of unit length. Those of a class lie together, and so do the
/// classes that are met together, so that a search reads few stretches of them.
#[derive(Serialize, Deserialize)]
pub(super) struct Examples {
    vectors: Rounded,
    /// Classes in the order of their rows.
    order: Vec<u32>,
    /// Rows of each class: the first, and the one after the last.
    spans: Vec<(u32, u32)>,
}

impl Examples {
    /// `dense` are the samples' vectors, centred, `[samples × d]`; `order` holds each class once.
    pub(super) fn new(dense: &[f32], d: usize, samples: &[Sample], order: Vec<u32>) -> Self {
        let mut of: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        for (i, s) in samples.iter().enumerate() {
            of[s.class as usize].push(i);
        }
        let mut this = Self {
            vectors: Rounded::default(),
            spans: vec![(0, 0); order.len()],
            order: Vec::new(),
        };
        for class in order {
            let rows = of[class as usize].iter();
            let rows = rows.map(|&i| &dense[i * d..(i + 1) * d]);
            this.put(class, |vectors| rows.for_each(|row| vectors.push(row)));
        }
        this
    }

    fn put(&mut self, class: u32, rows: impl FnOnce(&mut Rounded)) {
        let start = self.vectors.len() as u32;
        rows(&mut self.vectors);
        self.spans[class as usize] = (start, self.vectors.len() as u32);
        self.order.push(class);
    }

    /// These as examples of other classes: class c gets those of `from[c]`, or the rows of `new(c)`, which are centred
    /// and of unit length.
    pub(super) fn moved<'a, Rows: Iterator<Item = &'a [f32]>>(
        &self,
        from: &[Option<usize>],
        d: usize,
        new: impl Fn(usize) -> Rows,
    ) -> Self {
        let mut to: Vec<Option<u32>> = vec![None; self.spans.len()];
        for (class, from) in (0..).zip(from) {
            if let Some(from) = from {
                to[*from] = Some(class);
            }
        }
        let mut this = Self {
            vectors: Rounded::default(),
            spans: vec![(0, 0); from.len()],
            order: Vec::with_capacity(from.len()),
        };
        for &old in &self.order {
            if let Some(class) = to[old as usize] {
                let rows = self.rows(old as usize);
                this.put(class, |v| v.extend_from(&self.vectors, rows, d));
            }
        }
        for class in (0..from.len()).filter(|&c| from[c].is_none()) {
            this.put(class as u32, |v| new(class).for_each(|row| v.push(row)));
        }
        this
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.vectors.len()
    }

    fn rows(&self, class: usize) -> Range<usize> {
        let (start, end) = self.spans[class];
        start as usize..end as usize
    }

    /// The vectors of a class, rounded.
    pub(super) fn of(&self, class: usize, d: usize) -> Vec<Vec<f32>> {
        let rows = self.rows(class);
        rows.map(|n| self.vectors.row(n, d).collect()).collect()
    }

    /// For each class that is `allowed`, the cosines of its nearest example with `v`, which is centred and of unit
    /// length, and the mean of its nearest three.
    pub(super) fn nearest(
        &self,
        v: &[f32],
        allowed: &dyn Fn(usize) -> bool,
    ) -> (Vec<f32>, Vec<f32>) {
        let mut near = Nearest::new(self.spans.len());
        let mut ordered = self.order.iter().map(|c| *c as usize).peekable();
        while let Some(class) = ordered.next() {
            if !allowed(class) {
                continue;
            }
            // As many as lie together.
            let mut classes = vec![class];
            while let Some(next) = ordered.next_if(|c| allowed(*c)) {
                classes.push(next);
            }
            let start = self.rows(class).start;
            let end = self.rows(classes[classes.len() - 1]).end;
            let cosines = self.vectors.within(v, start..end);
            for class in classes {
                let rows = self.rows(class);
                for &cosine in &cosines[rows.start - start..rows.end - start] {
                    near.see(class, cosine);
                }
            }
        }
        near.finish()
    }
}

/// The three best cosines of each class.
pub(super) struct Nearest(Vec<[f32; 3]>);

impl Nearest {
    pub(super) fn new(classes: usize) -> Self {
        Self(vec![[FAR; 3]; classes])
    }

    pub(super) fn see(&mut self, class: usize, cosine: f32) {
        let best = &mut self.0[class];
        if cosine > best[2] {
            best[2] = cosine;
            if best[2] > best[1] {
                best.swap(1, 2);
            }
            if best[1] > best[0] {
                best.swap(0, 1);
            }
        }
    }

    /// The best of each class, and the mean of its three best.
    pub(super) fn finish(self) -> (Vec<f32>, Vec<f32>) {
        self.0
            .into_iter()
            .map(|b| (b[0], (b[0] + b[1] + b[2]) / 3.0))
            .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Lang;

    fn sample(class: u32) -> Sample {
        Sample {
            text: String::new(),
            lang: Lang::Da,
            class,
            written: true,
            judges: true,
        }
    }

    #[test]
    fn the_nearest_of_each_allowed_class_is_found_wherever_it_lies() {
        let vectors = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]];
        let samples: Vec<Sample> = [2, 0, 2, 1].map(sample).to_vec();
        let e = Examples::new(&vectors.concat(), 2, &samples, vec![1, 2, 0, 3]);
        let near = |e: &Examples, allowed: &[usize]| {
            let found = e.nearest(&[1.0, 0.0], &|c| allowed.contains(&c)).0;
            let found = found.iter().map(|c| (c * 50.0).round() / 50.0);
            found.collect::<Vec<f32>>()
        };
        assert_eq!(near(&e, &[0, 1, 2, 3]), [0.0, FAR, 1.0, FAR]);
        assert_eq!(near(&e, &[0, 3]), [0.0, FAR, FAR, FAR]);
        // Class 0 goes, 3 comes anew as 1.
        let row: &[f32] = &[0.6, 0.8];
        let new = |c: usize| std::iter::once(row).filter(move |_| c == 1);
        let moved = e.moved(&[Some(2), None, Some(1)], 2, new);
        assert_eq!((e.len(), moved.len()), (4, 4));
        assert!((moved.of(1, 2)[0][1] - 0.8).abs() < 0.01);
        assert_eq!(near(&moved, &[0, 1, 2]), [1.0, 0.6, FAR]);
        assert_eq!(near(&moved, &[1]), [FAR, 0.6, FAR]);
    }
}
