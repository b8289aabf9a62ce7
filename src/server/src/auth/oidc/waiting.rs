//! Who is on the way to a provider and back. In memory: a restart sends whoever is out there to the beginning.

use std::collections::HashMap;
use std::time::Duration;

use contact::centre::AgentId;
use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};

use crate::auth::throttle::Network;

/// For how long a sign-in that was begun is good.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(600);
/// Begun and not ended, at most.
const KEPT: usize = 5_000;
/// Of these, from one network: an office behind one address begins its day together.
const KEPT_OF_NETWORK: usize = 500;

/// The page of ours that a sign-in began at, and leads back to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    #[default]
    Desk,
    Studio,
}

impl Target {
    pub(super) fn from_name(name: Option<&str>) -> Self {
        match name {
            Some("studio") => Self::Studio,
            _ => Self::Desk,
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Desk => "/desk",
            Self::Studio => "/studio",
        }
    }
}

/// What somebody took along to a provider, and must bring back.
pub(super) struct Begun {
    /// The provider's id.
    pub provider: String,
    pub target: Target,
    pub state: CsrfToken,
    pub nonce: Nonce,
    pub verifier: PkceCodeVerifier,
}

/// Somebody whom a provider has named, and who must still show a code of ours.
#[derive(Clone)]
pub(super) struct Named {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub user: AgentId,
}

enum Stage {
    Begun(Box<Begun>),
    Named(Named),
}

struct Entry {
    since: Duration,
    network: Network,
    stage: Stage,
}

/// By SHA-256 of the cookie's value. Times are of a monotonic clock.
#[derive(Default)]
pub(super) struct Waiting(HashMap<[u8; 32], Entry>);

/// There is no room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Waiting {
    /// # Errors
    /// [`Full`]. Of a network that has too many the oldest goes.
    pub(super) fn begin(
        &mut self,
        key: [u8; 32],
        begun: Begun,
        network: Network,
        now: Duration,
    ) -> Result<(), Full> {
        self.put(key, Stage::Begun(Box::new(begun)), network, now)
    }

    /// What was begun with that cookie, once.
    pub(super) fn take(&mut self, key: &[u8; 32], now: Duration) -> Option<Begun> {
        let entry = self.0.remove(key)?;
        match entry.stage {
            Stage::Begun(begun) if good(entry.since, now) => Some(*begun),
            _ => None,
        }
    }

    /// # Errors
    /// As [`Waiting::begin`].
    pub(super) fn name(
        &mut self,
        key: [u8; 32],
        named: Named,
        network: Network,
        now: Duration,
    ) -> Result<(), Full> {
        self.put(key, Stage::Named(named), network, now)
    }

    /// Who is to show a code; they may try again.
    pub(super) fn named(&self, key: &[u8; 32], now: Duration) -> Option<Named> {
        match self.0.get(key) {
            Some(Entry {
                since,
                stage: Stage::Named(named),
                ..
            }) if good(*since, now) => Some(named.clone()),
            _ => None,
        }
    }

    pub(super) fn end(&mut self, key: &[u8; 32]) {
        self.0.remove(key);
    }

    fn put(
        &mut self,
        key: [u8; 32],
        stage: Stage,
        network: Network,
        now: Duration,
    ) -> Result<(), Full> {
        self.0.retain(|_, e| good(e.since, now));
        let of_network = self.0.iter().filter(|(_, e)| e.network == network);
        if of_network.clone().count() >= KEPT_OF_NETWORK {
            let oldest = of_network.min_by_key(|(k, e)| (e.since, **k));
            if let Some(oldest) = oldest.map(|(k, _)| *k) {
                self.0.remove(&oldest);
            }
        }
        if self.0.len() >= KEPT {
            return Err(Full);
        }
        let entry = Entry {
            since: now,
            network,
            stage,
        };
        self.0.insert(key, entry);
        Ok(())
    }
}

fn good(since: Duration, now: Duration) -> bool {
    now.saturating_sub(since) < GOOD_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun() -> Begun {
        Begun {
            provider: "p".into(),
            target: Target::Desk,
            state: CsrfToken::new("s".into()),
            nonce: Nonce::new("n".into()),
            verifier: PkceCodeVerifier::new("v".into()),
        }
    }

    fn key(n: usize) -> [u8; 32] {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_be_bytes());
        key
    }

    const HERE: Network = Network::V4([192, 0, 2, 1]);

    #[test]
    fn what_was_begun_is_good_once_and_for_ten_minutes() {
        let (mut w, now) = (Waiting::default(), Duration::from_secs(5));
        for n in 0..2 {
            w.begin(key(n), begun(), HERE, now).unwrap();
        }
        assert!(w.take(&key(0), now).is_some());
        assert!(w.take(&key(0), now).is_none(), "once");
        assert!(w.take(&key(1), now + GOOD_FOR).is_none(), "too late");
        assert!(w.named(&key(1), now).is_none(), "nobody was named");
    }

    #[test]
    fn the_memory_is_bounded_and_one_network_keeps_no_other_out() {
        let (mut w, mut now) = (Waiting::default(), Duration::from_secs(5));
        for n in 0..=KEPT_OF_NETWORK {
            now += Duration::from_millis(1);
            w.begin(key(n), begun(), HERE, now).unwrap();
        }
        assert_eq!(w.0.len(), KEPT_OF_NETWORK);
        assert!(w.take(&key(0), now).is_none(), "its own oldest went");
        let mut n = KEPT_OF_NETWORK + 1;
        let full = loop {
            n += 1;
            let bytes = u32::try_from(n).unwrap().to_be_bytes();
            if let Err(full) = w.begin(key(n), begun(), Network::V4(bytes), now) {
                break full;
            }
        };
        assert_eq!((full, w.0.len()), (Full, KEPT));
        assert!(w.begin(key(n), begun(), HERE, now + GOOD_FOR).is_ok());
        assert_eq!(w.0.len(), 1, "what is over is forgotten");
    }

    #[test]
    fn one_is_led_back_to_pages_of_ours_alone() {
        let to = |name| Target::from_name(name).path();
        assert_eq!(to(Some("studio")), "/studio");
        for other in [
            None,
            Some("desk"),
            Some("https://evil.example"),
            Some("//x"),
        ] {
            assert_eq!(to(other), "/desk");
        }
    }
}
