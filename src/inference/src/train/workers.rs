//! A few threads, each with a pool of its own, so that what candle would spread stays on the thread it is on.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

pub(super) struct Workers(Vec<ThreadPool>);

impl Workers {
    /// At least one.
    pub(super) fn new(threads: usize) -> Result<Self> {
        let pool = || ThreadPoolBuilder::new().num_threads(1).build();
        let pools: Result<Vec<ThreadPool>, _> = (0..threads.max(1)).map(|_| pool()).collect();
        Ok(Self(pools.map_err(|e| Error::Failed(e.to_string()))?))
    }

    /// `f(0) .. f(n - 1)`, in order.
    ///
    /// # Panics
    /// When `f` does.
    pub(super) fn map<T: Send>(&self, n: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut mine = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= n {
                    return mine;
                }
                mine.push((i, f(i)));
            }
        };
        let mut all: Vec<(usize, T)> = std::thread::scope(|s| {
            let threads: Vec<_> = self.0.iter().map(|p| s.spawn(|| p.install(work))).collect();
            let parts = threads.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            parts.flatten().collect()
        });
        all.sort_unstable_by_key(|(i, _)| *i);
        all.into_iter().map(|(_, t)| t).collect()
    }
}
