//! How soon somebody may try to sign in again.
//!
//! Three counts, each with a delay that doubles after a number of free attempts: of an account from one
//! network, of a network, and of an account from anywhere. The last is lenient and its delay short, so that
//! nobody can keep a colleague out by guessing at the name. Nothing is ever locked, and all is forgotten after
//! half an hour of quiet.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

#[derive(Clone, Copy)]
struct Rule {
    /// Attempts without a delay.
    free: u32,
    longest: Duration,
}

const PAIR: Rule = Rule {
    free: 4,
    longest: Duration::from_secs(15 * 60),
};
const NETWORK: Rule = Rule {
    free: 30,
    longest: Duration::from_secs(15 * 60),
};
const USER: Rule = Rule {
    free: 50,
    longest: Duration::from_secs(20),
};
/// Codes of a second factor, from anywhere: who guesses at them knows the password.
const CODE: Rule = Rule {
    free: 5,
    longest: Duration::from_secs(15 * 60),
};
/// After so long without an attempt all is as if there never was one.
const QUIET: Duration = Duration::from_secs(30 * 60);
/// Counts kept; beyond it the one that was longest quiet goes.
const KEPT: usize = 10_000;

/// A digest: what strangers type is not kept.
type Key = [u8; 16];

#[derive(Clone, Copy)]
struct Count {
    attempts: u32,
    last: Duration,
    next: Duration,
}

/// The counts. Times are of a monotonic clock.
#[derive(Default)]
pub(super) struct Throttle(HashMap<Key, Count>);

/// An attempt that was let through.
pub(super) struct Attempt([(Key, Rule); 3]);

fn key(kind: u8, parts: &[&[u8]]) -> Key {
    let mut h = Sha256::new();
    h.update([kind]);
    for p in parts {
        h.update((p.len() as u64).to_le_bytes());
        h.update(p);
    }
    let mut key = Key::default();
    key.copy_from_slice(&h.finalize()[..16]);
    key
}

/// One IPv4 address, or the first half of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Network {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Network {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(a) => a,
            Self::V6(a) => a,
        }
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
pub(crate) fn network(address: IpAddr) -> Network {
    match address.to_canonical() {
        IpAddr::V4(a) => Network::V4(a.octets()),
        IpAddr::V6(a) => {
            let [a, b, c, d, e, f, g, h, ..] = a.octets();
            Network::V6([a, b, c, d, e, f, g, h])
        }
    }
}

impl Throttle {
    /// Counts an attempt before it is made, so that many at once are many.
    ///
    /// # Errors
    /// How long to wait; then nothing is counted.
    pub(super) fn begin(
        &mut self,
        user: &str,
        address: IpAddr,
        now: Duration,
    ) -> Result<Attempt, Duration> {
        let (user, net) = (user.as_bytes(), network(address));
        let net = net.bytes();
        let counted = [
            (key(0, &[user, net]), PAIR),
            (key(1, &[net]), NETWORK),
            (key(2, &[user]), USER),
        ];
        let waits = counted.iter().filter_map(|(k, _)| {
            let count = self.current(k, now)?;
            count.next.checked_sub(now).filter(|w| !w.is_zero())
        });
        if let Some(longest) = waits.max() {
            return Err(longest);
        }
        for (k, rule) in &counted {
            self.count(*k, *rule, now);
        }
        self.tidy(now);
        Ok(Attempt(counted))
    }

    /// Counts a guess at a code of an account before it is judged.
    ///
    /// # Errors
    /// How long to wait; then nothing is counted.
    pub(super) fn begin_code(&mut self, user: &str, now: Duration) -> Result<(), Duration> {
        let key = key(3, &[user.as_bytes()]);
        let wait = self
            .current(&key, now)
            .and_then(|c| c.next.checked_sub(now));
        match wait.filter(|w| !w.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                self.count(key, CODE, now);
                self.tidy(now);
                Ok(())
            }
        }
    }

    /// The code was right: nothing is held against the account.
    pub(super) fn code_succeeded(&mut self, user: &str) {
        self.0.remove(&key(3, &[user.as_bytes()]));
    }

    fn count(&mut self, key: Key, rule: Rule, now: Duration) {
        let attempts = self.current(&key, now).map_or(0, |c| c.attempts) + 1;
        let count = Count {
            attempts,
            last: now,
            next: now + rule.delay(attempts),
        };
        self.0.insert(key, count);
    }

    /// The password was right: nothing is held against the account, and this attempt against nobody.
    pub(super) fn succeeded(&mut self, attempt: &Attempt) {
        let [pair, network, user] = &attempt.0;
        self.0.remove(&pair.0);
        for (k, rule) in [network, user] {
            if let Some(c) = self.0.get_mut(k) {
                c.attempts = c.attempts.saturating_sub(1);
                c.next = c.last + rule.delay(c.attempts);
            }
        }
    }

    fn current(&self, key: &Key, now: Duration) -> Option<&Count> {
        let count = self.0.get(key)?;
        (now.saturating_sub(count.last) < QUIET).then_some(count)
    }

    fn tidy(&mut self, now: Duration) {
        if self.0.len() <= KEPT {
            return;
        }
        self.0.retain(|_, c| now.saturating_sub(c.last) < QUIET);
        while self.0.len() > KEPT {
            let Some(oldest) = self.0.iter().min_by_key(|(k, c)| (c.last, **k)) else {
                return;
            };
            let oldest = *oldest.0;
            self.0.remove(&oldest);
        }
    }
}

impl Rule {
    /// How long after so many attempts the next may come.
    fn delay(self, attempts: u32) -> Duration {
        match attempts.checked_sub(self.free + 1) {
            None => Duration::ZERO,
            Some(doublings) => {
                let seconds = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
                Duration::from_secs(seconds).min(self.longest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn there(n: u16) -> IpAddr {
        IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 1))
    }

    fn wait(t: &mut Throttle, user: &str, from: IpAddr, now: Duration) -> u64 {
        t.begin(user, from, now).err().unwrap_or_default().as_secs()
    }

    #[test]
    fn the_delay_doubles_and_ends() {
        let mut t = Throttle::default();
        let mut now = Duration::from_secs(1);
        let mut waits = Vec::new();
        for _ in 0..20 {
            let w = wait(&mut t, "anna", HERE, now);
            waits.push(w);
            now += Duration::from_secs(w);
            if w > 0 {
                assert_eq!(wait(&mut t, "anna", HERE, now), 0, "after the wait it may");
            }
        }
        assert_eq!(
            waits[..12],
            [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64],
            "five, and then a wait between any two"
        );
        assert_eq!(*waits.last().unwrap(), 15 * 60, "never for good");
        assert_eq!(wait(&mut t, "anna", HERE, now + QUIET), 0);
    }

    #[test]
    fn success_clears_the_account_and_others_are_not_kept_out() {
        let mut t = Throttle::default();
        let now = Duration::from_secs(1);
        for _ in 0..5 {
            assert_eq!(wait(&mut t, "anna", HERE, now), 0);
        }
        assert!(wait(&mut t, "anna", HERE, now) > 0);
        assert_eq!(wait(&mut t, "bo", HERE, now), 0, "a colleague beside");
        let attempt = t.begin("anna", there(1), now).ok().unwrap();
        t.succeeded(&attempt);
        assert!(
            wait(&mut t, "anna", HERE, now) > 0,
            "the guesser goes on waiting"
        );
        for _ in 0..5 {
            assert_eq!(
                wait(&mut t, "anna", there(1), now),
                0,
                "and Anna starts anew"
            );
        }
    }

    #[test]
    fn a_network_and_a_crowd_are_slowed() {
        let mut t = Throttle::default();
        let now = Duration::from_secs(1);
        let tried = (0..100).filter(|n| wait(&mut t, &format!("u{n}"), HERE, now) == 0);
        assert_eq!(tried.count(), 31, "many names from one place");
        let tried = (0..200).filter(|n| wait(&mut t, "anna", there(*n), now) == 0);
        assert_eq!(tried.count(), 51, "one name from many places");
        assert!(wait(&mut t, "anna", there(900), now) <= 20);
    }

    #[test]
    fn codes_are_counted_wherever_they_come_from_until_one_is_right() {
        let mut t = Throttle::default();
        let mut now = Duration::from_secs(1);
        for _ in 0..6 {
            assert_eq!(t.begin_code("anna", now), Ok(()));
        }
        assert_eq!(t.begin_code("anna", now), Err(Duration::from_secs(1)));
        assert_eq!(t.begin_code("bo", now), Ok(()), "a colleague");
        // A right password alone changes nothing.
        let attempt = t.begin("anna", HERE, now).ok().unwrap();
        t.succeeded(&attempt);
        assert!(t.begin_code("anna", now).is_err());
        for _ in 0..20 {
            now += t.begin_code("anna", now).err().unwrap_or_default();
        }
        assert!(t.begin_code("anna", now).is_err_and(|w| w <= CODE.longest));
        t.code_succeeded("anna");
        assert_eq!(t.begin_code("anna", now), Ok(()));
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut t = Throttle::default();
        for n in 0..8_000_u32 {
            let from = IpAddr::V4(std::net::Ipv4Addr::from(n << 8));
            let now = Duration::from_millis(u64::from(n));
            assert!(t.begin(&n.to_string(), from, now).is_ok());
        }
        assert!(t.0.len() <= KEPT);
    }
}
