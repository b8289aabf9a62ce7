//! The sections by their vectors, those that a municipality sees in few stretches.

use std::ops::Range;

use base::MunicipalityCode;
use inference::Rounded;
use knowledge::{ArticleIx, Layer, Release};

use super::material;

/// Every section that a citizen can be shown.
pub(super) struct Passages {
    /// Article and section.
    places: Vec<(ArticleIx, u32)>,
    /// Where the articles of a layer lie together. A layer may lie in several places.
    stretches: Vec<(Layer, Range<usize>)>,
    /// Minus the mean section, unit length.
    centred: Rounded,
}

impl Passages {
    /// `centred` holds the vectors in the order of [`material::places`].
    pub(super) fn new(release: &Release, centred: Rounded) -> Self {
        let places = material::places(release);
        let mut stretches: Vec<(Layer, Range<usize>)> = Vec::new();
        for (n, (article, _)) in places.iter().enumerate() {
            let layer = release.article(*article).layer;
            match stretches.last_mut() {
                Some((last, range)) if *last == layer => range.end = n + 1,
                _ => stretches.push((layer, n..n + 1)),
            }
        }
        Self {
            places,
            stretches,
            centred,
        }
    }

    /// Article, section and cosine with `q`, which is centred and of unit length, of every section in the layers of a
    /// municipality: of those that it replaces or hides too.
    pub(super) fn cosines(
        &self,
        q: &[f32],
        (code, region): (MunicipalityCode, MunicipalityCode),
    ) -> impl Iterator<Item = (ArticleIx, u32, f32)> {
        let ours = [
            Layer::Shared,
            Layer::Region(region),
            Layer::Municipality(code),
        ];
        let stretches = self.stretches.iter();
        let stretches = stretches.filter(move |(layer, _)| ours.contains(layer));
        stretches.flat_map(move |(_, range)| {
            let places = self.places[range.clone()].iter();
            let cosines = self.centred.within(q, range.clone());
            places.zip(cosines).map(|(&(a, n), cosine)| (a, n, cosine))
        })
    }

    /// The rows of each of so many articles.
    pub(super) fn rows(&self, articles: usize) -> Vec<Range<usize>> {
        let mut rows = vec![0..0; articles];
        let mut start = 0;
        for of in self.places.chunk_by(|a, b| a.0 == b.0) {
            rows[of[0].0 as usize] = start..start + of.len();
            start += of.len();
        }
        rows
    }

    pub(super) fn centred(&self) -> &Rounded {
        &self.centred
    }
}
