//! Memory that is not the allocator's: files whose pages all processes share, and large pages for what every text reads
//! whole.
#![allow(unsafe_code)]

use std::fs::File;
use std::ops::{Deref, DerefMut, Range};
use std::path::Path;
use std::sync::Arc;

use memmap2::{Advice, Mmap, MmapMut};

use crate::error::{Error, IoContext, Result};

/// Bytes of a mapping that nobody changes any more; cheap to clone.
#[derive(Clone)]
pub(crate) struct Piece {
    of: Arc<Mmap>,
    at: Range<usize>,
}

impl Piece {
    /// A whole file. Its pages are those of the system's cache: processes that map it share them, and they come into
    /// memory when they are read.
    pub(crate) fn of_file(path: &Path) -> Result<Self> {
        let file = File::open(path).at("open", path)?;
        // SAFETY: what is mapped must stay as it is. Model files appear whole by a rename and are replaced by another
        // (`fetch::disk::replace`), which leaves what is mapped alone; nothing writes into one that stands. Whoever
        // else may write in that folder may exchange the program too.
        let map = unsafe { Mmap::map(&file) }.at("map", path)?;
        Ok(Self {
            at: 0..map.len(),
            of: Arc::new(map),
        })
    }

    /// Some of these bytes; `None` where they end before.
    pub(crate) fn part(&self, at: Range<usize>) -> Option<Self> {
        let (start, end) = (
            self.at.start.checked_add(at.start)?,
            self.at.start.checked_add(at.end)?,
        );
        (start <= end && end <= self.at.end).then(|| Self {
            of: Arc::clone(&self.of),
            at: start..end,
        })
    }

    /// Asks the system to read them from the disk, if they are not in its cache, without waiting.
    pub(crate) fn ahead(&self) {
        // An advice: where it is not taken, the first text waits instead.
        let _ = self
            .of
            .advise_range(Advice::WillNeed, self.at.start, self.at.len());
    }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Piece").field("at", &self.at).finish()
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.of[self.at.clone()]
    }
}

/// Zeros on large pages, where the system gives them to those who ask: fewer pages to look up for what is read from one
/// end to the other for every text.
pub(crate) struct Large(MmapMut);

impl Large {
    pub(crate) fn new(bytes: usize) -> Result<Self> {
        let failed = |error| Error::Failed(format!("no {bytes} bytes of memory: {error}"));
        let map = MmapMut::map_anon(bytes).map_err(failed)?;
        // An advice: without it pages are small.
        let _ = map.advise(Advice::HugePage);
        Ok(Self(map))
    }

    /// All of it, to be read from now on.
    pub(crate) fn done(self) -> Result<Piece> {
        let failed = |error| Error::Failed(format!("memory cannot be made read-only: {error}"));
        let map = self.0.make_read_only().map_err(failed)?;
        Ok(Piece {
            at: 0..map.len(),
            of: Arc::new(map),
        })
    }
}

impl Deref for Large {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Large {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests;
