//! Who goes first: citizens' questions before generated text.
//!
//! A question takes milliseconds and an answer seconds, on the same processors. Whoever serves a citizen's turn holds a
//! [`Turn`]; the generator looks between layers, and waits while anybody holds one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by whoever goes first and whoever gives way; cheap to clone.
#[derive(Clone, Default)]
pub struct Precedence(Arc<Inner>);

#[derive(Default)]
struct Inner {
    turns: AtomicUsize,
    lock: Mutex<()>,
    over: Condvar,
}

impl std::fmt::Debug for Precedence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Precedence").field(&self.taken()).finish()
    }
}

/// Precedence, until it is dropped.
pub struct Turn(Precedence);

impl Precedence {
    /// Goes first from now on.
    #[must_use]
    pub fn turn(&self) -> Turn {
        self.begin();
        Turn(self.clone())
    }

    /// Whether anybody goes first now.
    #[must_use]
    pub fn taken(&self) -> bool {
        self.0.turns.load(Ordering::Acquire) > 0
    }

    /// Waits until nobody goes first, and no longer than `most`, so that who gives way does get on. Blocks: not for async
    /// threads.
    pub fn give_way(&self, most: Duration) {
        if !self.taken() {
            return;
        }
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .0
            .over
            .wait_timeout_while(guard, most, |()| self.taken());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn begin(&self) {
        self.0.turns.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn end(&self) {
        if self.0.turns.fetch_sub(1, Ordering::AcqRel) == 1 {
            // With the lock, so that nobody is between looking and waiting.
            let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
            drop(guard);
            self.0.over.notify_all();
        }
    }
}

/// Niceness of threads that write answers: below citizens' turns, whose threads take a processor from them when they wake.
pub const WRITING: i32 = 10;
/// Of threads that index and learn: below those too.
pub const BACKGROUND: i32 = 15;

/// Makes the calling thread at least this nice, 0 to 19; there is no way back. Where the system refuses, or knows it only
/// of whole processes, the thread goes on as it was.
pub fn nice(level: i32) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let set = |now: i32| setpriority_process(None, level.max(now));
        if let Err(e) = getpriority_process(None).and_then(set) {
            tracing::debug!("a thread keeps its priority: {e}");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = level;
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_writes_is_nicer_than_its_process() {
        let level = || rustix::process::getpriority_process(None).unwrap();
        let before = level();
        let inside = std::thread::spawn(move || {
            nice(WRITING);
            level()
        });
        assert_eq!(inside.join().unwrap(), WRITING.max(before));
        assert_eq!(level(), before, "of that thread alone");
    }

    #[test]
    fn who_gives_way_waits_until_the_last_turn_is_over() {
        let precedence = Precedence::default();
        let turns = [precedence.turn(), precedence.turn()];
        precedence.give_way(Duration::from_millis(1));
        assert!(precedence.taken(), "a short wait ends while turns last");
        let other = precedence;
        let waiting = std::thread::spawn(move || {
            other.give_way(Duration::from_secs(600));
            other.taken()
        });
        drop(turns);
        assert!(!waiting.join().unwrap());
    }
}
