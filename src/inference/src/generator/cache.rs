//! Keys and values of what was read, in pages that dialogues share until one of them writes.

use std::sync::Arc;

use super::architecture::Architecture;
use crate::kernels::decoder::{PAGE, page_part};

/// Keys and values of [`PAGE`] positions in all layers.
#[derive(Clone)]
pub(super) struct Page(Vec<f32>);

/// The keys and values of one text so far.
#[derive(Clone, Default)]
pub(super) struct Cache {
    pages: Vec<Arc<Page>>,
    length: usize,
}

/// Pages that so many positions fill.
pub(super) fn pages_for(positions: usize) -> usize {
    positions.div_ceil(PAGE)
}

/// Bytes of a page.
pub(super) fn page_bytes(a: &Architecture) -> usize {
    a.kv_bytes() * PAGE
}

impl Cache {
    /// Positions that are filled.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Makes room for more positions; nothing that is there changes.
    pub(super) fn grow(&mut self, positions: usize, a: &Architecture) {
        let length = page_bytes(a) / size_of::<f32>();
        while self.pages.len() < pages_for(self.length + positions) {
            self.pages.push(Arc::new(Page(vec![0.0; length])));
        }
    }

    /// The room made is filled.
    pub(super) fn advance(&mut self, positions: usize) {
        self.length += positions;
    }

    /// One head of a layer in the page of a position, to be written: a page that others hold too is copied first.
    pub(super) fn part_mut(&mut self, position: usize, head: usize, width: usize) -> &mut [f32] {
        let page = Arc::make_mut(&mut self.pages[position / PAGE]);
        &mut page.0[head * page_part(width)..][..page_part(width)]
    }

    /// One head of a layer, page by page.
    pub(super) fn parts(&self, head: usize, width: usize) -> Vec<&[f32]> {
        let pages = self.pages.iter();
        pages
            .map(|page| &page.0[head * page_part(width)..][..page_part(width)])
            .collect()
    }
}
