//! How a service stops: it says that it is not ready and takes no new dialogue, then sends everybody away, each when
//! what was begun is done, and ends when they have gone or the time is up.
//!
//! Citizens and staff come back by themselves, with jitter: to another node, which knows every dialogue that was open
//! here, or to this one when it runs again.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

/// So many sockets are sent away each second, so that whoever takes them is not met by all at once.
const A_SECOND: u32 = 2_000;

/// Where a service is between its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    /// The proxy is to notice; whoever is here is served.
    Unready,
    /// Everybody goes.
    Leaving,
}

pub(crate) struct Drain {
    phase: watch::Sender<Phase>,
    /// Sockets that are open, and those whose absence is not told yet.
    open: watch::Sender<usize>,
    /// Who has been given a time to go.
    gone: AtomicU32,
}

/// Somebody is here for as long as this lives.
pub(crate) struct Open(watch::Sender<usize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drained {
    pub sockets: usize,
    /// Who was still here when the time was up.
    pub left: usize,
}

impl Drain {
    pub(crate) fn new() -> Self {
        Self {
            phase: watch::Sender::new(Phase::Serving),
            open: watch::Sender::new(0),
            gone: AtomicU32::new(0),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Somebody has come.
    pub(crate) fn enter(&self) -> Open {
        self.open.send_modify(|n| *n += 1);
        Open(self.open.clone())
    }

    /// Resolves when it is this socket's turn to go.
    pub(crate) fn leaving(&self) -> impl Future<Output = ()> + Send + use<'_> {
        let mut phase = self.phase.subscribe();
        async move {
            if phase.wait_for(|p| *p == Phase::Leaving).await.is_err() {
                pending::<()>().await;
            }
            let before = self.gone.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(1) * before / A_SECOND).await;
        }
    }

    /// Sends everybody away: after `notice`, and for `wait` at most.
    pub(crate) async fn carry_out(&self, notice: Duration, wait: Duration) -> Drained {
        self.phase.send_replace(Phase::Unready);
        sleep(notice).await;
        let sockets = *self.open.borrow();
        self.phase.send_replace(Phase::Leaving);
        let mut open = self.open.subscribe();
        let nobody = open.wait_for(|n| *n == 0);
        // Its sender is here, so it ends with nobody or not in time.
        let _ = timeout_at(Instant::now() + wait, nobody).await;
        Drained {
            sockets,
            left: *self.open.borrow(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const NOTICE: Duration = Duration::from_millis(50);
    /// Longer than anything takes: whoever waits for this has failed.
    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn everybody_goes_in_turn_and_then_it_ends() {
        let drain = Arc::new(Drain::new());
        let begun = Instant::now();
        let people: Vec<_> = (0..401)
            .map(|_| {
                let (drain, open) = (Arc::clone(&drain), drain.enter());
                tokio::spawn(async move {
                    drain.leaving().await;
                    drop(open);
                    begun.elapsed()
                })
            })
            .collect();
        let drained = drain.carry_out(NOTICE, LONG).await;
        assert_eq!((drained.sockets, drained.left), (401, 0));
        let mut last = Duration::ZERO;
        for p in people {
            last = last.max(p.await.unwrap());
        }
        assert!(
            last >= NOTICE + Duration::from_secs(1) * 400 / A_SECOND,
            "{last:?}"
        );
    }

    #[tokio::test]
    async fn whoever_does_not_go_is_not_waited_for_for_ever() {
        let drain = Drain::new();
        let _stays = drain.enter();
        let begun = Instant::now();
        let drained = drain.carry_out(NOTICE, NOTICE * 4).await;
        assert_eq!((drained.sockets, drained.left), (1, 1));
        assert!(begun.elapsed() >= NOTICE * 5);
        assert_eq!(drain.phase(), Phase::Leaving);
    }

    #[tokio::test]
    async fn with_nobody_here_it_ends_after_the_notice() {
        let drained = Drain::new().carry_out(NOTICE, LONG).await;
        assert_eq!((drained.sockets, drained.left), (0, 0));
    }
}
