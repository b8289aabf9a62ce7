//! How much of the chat one network may have: sockets that are open at once, and new dialogues.
//!
//! So that one machine cannot take the chat from everybody else. A whole library may share one address, so the limits
//! are generous, and whoever meets one is told when to come back. A network is one IPv4 address or one IPv6 /64.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::DialogueId;

use crate::auth::{Network, network};
use crate::config::PerNetwork;
use crate::fair::Flow;

/// Networks without an open socket that are remembered; beyond it the one that was longest quiet is forgotten.
const KEPT: usize = 20_000;
/// When a place may have become free.
const PLACE_AFTER: Duration = Duration::from_secs(30);
/// How fast it is forgotten that a network has begun a dialogue: one each half minute. Slower than dialogues come back, or
/// whoever keeps to that rate would never be a crowd.
const FORGOTTEN_A_SECOND: f64 = 1.0 / 30.0;
/// The longest that a new dialogue waits for its turn.
const IN_LINE: Duration = Duration::from_secs(5);
/// After so much quiet its worth of dialogues begins at once: a class that opens the chat together.
const QUIET: Duration = Duration::from_secs(120);

#[derive(Clone, Copy)]
struct Count {
    sockets: u32,
    /// Dialogues that may begin now.
    tokens: f64,
    /// Dialogues begun and not forgotten yet: by this a network is a crowd.
    lately: f64,
    filled: Duration,
}

/// The counts of this node. Times are of a monotonic clock.
pub(crate) struct Crowd {
    limits: PerNetwork,
    networks: Mutex<HashMap<Network, Count>>,
    /// When the next of the line of crowds begins; none: nobody ever stood in it.
    line: Mutex<Option<Duration>>,
}

/// A socket's place; given back when it is dropped.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    /// None: it is not known whose it is, and nothing is counted.
    network: Option<Network>,
    /// Its network has as many as it may.
    over: bool,
}

impl Crowd {
    pub(crate) fn new(limits: PerNetwork) -> Arc<Self> {
        let networks = Mutex::default();
        let line = Mutex::default();
        Arc::new(Self {
            limits,
            networks,
            line,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, Count>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket is opened from there. None: there are twice as many as there may be, and it is not worth a word.
    pub(crate) fn enter(self: &Arc<Self>, from: Option<IpAddr>, now: Duration) -> Option<Place> {
        let network = from.map(network);
        let most = self.limits.sockets;
        let mut over = false;
        if let Some(network) = network {
            let mut networks = self.lock();
            let count = networks.entry(network).or_insert(Count {
                sockets: 0,
                tokens: f64::from(self.limits.dialogues),
                lately: 0.0,
                filled: now,
            });
            if most > 0 && count.sockets >= most.saturating_mul(2) {
                return None;
            }
            over = most > 0 && count.sockets >= most;
            count.sockets += 1;
            tidy(&mut networks);
        }
        Some(Place {
            crowd: Arc::clone(self),
            network,
            over,
        })
    }
}

impl Crowd {
    /// A place in the line of crowds: so long until it comes up.
    fn stand_in_line(&self, now: Duration) -> Result<Duration, Duration> {
        if self.limits.crowds_a_second == 0 {
            return Ok(Duration::ZERO);
        }
        let each = Duration::from_secs(1) / self.limits.crowds_a_second;
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // As if the clock had begun that much earlier: a service that has just started has been quiet.
        let now = now + QUIET;
        let next = line.unwrap_or_default().max(now - QUIET);
        let delay = next.saturating_sub(now);
        if delay > IN_LINE {
            return Err(PLACE_AFTER);
        }
        *line = Some(next + each);
        Ok(delay)
    }
}

impl Place {
    /// Whose turns are counted with those of this socket.
    pub(crate) fn flow(&self, dialogue: &DialogueId) -> Flow {
        match self.network {
            Some(network) => Flow::Network(network),
            None => Flow::Dialogue(dialogue.clone()),
        }
    }

    /// # Errors
    /// There are too many sockets of this network: when to come back.
    pub(crate) fn fits(&self) -> Result<(), Duration> {
        if self.over {
            return Err(PLACE_AFTER);
        }
        Ok(())
    }

    /// Counts a new dialogue, and says after how long it may begin: at once, but for crowds while there are many.
    ///
    /// # Errors
    /// This network has begun too many, or the line is too long: when to come back.
    pub(crate) fn begins(&self, now: Duration) -> Result<Duration, Duration> {
        let limits = &self.crowd.limits;
        let Some(network) = self.network.filter(|_| limits.dialogues > 0) else {
            return Ok(Duration::ZERO);
        };
        let most = f64::from(limits.dialogues);
        let rate = f64::from(limits.dialogues_an_hour) / 3_600.0;
        let mut networks = self.crowd.lock();
        let Some(count) = networks.get_mut(&network) else {
            return Ok(Duration::ZERO);
        };
        let passed = now.saturating_sub(count.filled).as_secs_f64();
        count.tokens = (count.tokens + passed * rate).min(most);
        count.lately = (count.lately - passed * FORGOTTEN_A_SECOND).max(0.0);
        count.filled = now;
        if count.tokens >= 1.0 {
            let crowd = count.lately >= f64::from(limits.crowd);
            let delay = if crowd {
                self.crowd.stand_in_line(now)?
            } else {
                Duration::ZERO
            };
            count.tokens -= 1.0;
            count.lately += 1.0;
            return Ok(delay);
        }
        let wait = Duration::from_secs_f64((1.0 - count.tokens) / rate);
        Err(wait.max(Duration::from_secs(1)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        if let Some(count) = self.crowd.lock().get_mut(&network) {
            count.sockets = count.sockets.saturating_sub(1);
        }
    }
}

/// Forgets some that have no socket, when there are too many; those with one are as many as files may be open.
fn tidy(networks: &mut HashMap<Network, Count>) {
    if networks.len() <= KEPT {
        return;
    }
    let quiet = |(n, c): (&Network, &Count)| (c.sockets == 0).then_some((c.filled, *n));
    let mut quiet: Vec<(Duration, Network)> = networks.iter().filter_map(quiet).collect();
    quiet.sort_unstable();
    // Many at once, so that this is seldom.
    for (_, network) in quiet.into_iter().take(KEPT / 10) {
        networks.remove(&network);
    }
}

#[cfg(test)]
mod tests;
