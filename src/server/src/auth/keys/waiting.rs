//! Challenges that were given and are not answered yet. In memory: a restart asks for the key again.

use std::collections::HashMap;
use std::time::Duration;

use contact::centre::AgentId;
use webauthn_rp::RegistrationServerState;
use webauthn_rp::request::auth::NonDiscoverableAuthenticationServerState;

use super::HANDLE;

/// For how long a challenge is good.
pub(super) const GOOD_FOR: Duration = Duration::from_secs(300);
/// Of one account, which only who knows its password or has its session gets: the oldest goes.
const KEPT_OF_USER: usize = 8;

/// What a key was asked for.
pub(super) enum Ceremony {
    /// To show itself.
    Show(NonDiscoverableAuthenticationServerState),
    /// To be added.
    Add {
        state: Box<RegistrationServerState<HANDLE>>,
        /// Whether the account had no second factor to show first.
        first: bool,
    },
}

/// Whose it is: an account, and a session of it, or a sign-in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub user: AgentId,
    pub session: Option<[u8; 32]>,
}

struct Entry {
    whose: Whose,
    since: Duration,
    ceremony: Ceremony,
}

/// By SHA-256 of what names it to the page. Times are of a monotonic clock.
#[derive(Default)]
pub(super) struct Waiting(HashMap<[u8; 32], Entry>);

impl Waiting {
    pub(super) fn put(&mut self, key: [u8; 32], whose: Whose, ceremony: Ceremony, now: Duration) {
        self.0.retain(|_, e| good(e.since, now));
        let of_user = self.0.iter().filter(|(_, e)| e.whose.user == whose.user);
        if of_user.clone().count() >= KEPT_OF_USER {
            let oldest = of_user.min_by_key(|(k, e)| (e.since, **k));
            if let Some(oldest) = oldest.map(|(k, _)| *k) {
                self.0.remove(&oldest);
            }
        }
        let entry = Entry {
            whose,
            since: now,
            ceremony,
        };
        self.0.insert(key, entry);
    }

    /// What was given to them under that name, once: it is gone whoever asks.
    pub(super) fn take(
        &mut self,
        key: &[u8; 32],
        whose: &Whose,
        now: Duration,
    ) -> Option<Ceremony> {
        let entry = self.0.remove(key)?;
        let theirs = entry.whose == *whose && good(entry.since, now);
        theirs.then_some(entry.ceremony)
    }
}

fn good(since: Duration, now: Duration) -> bool {
    now.saturating_sub(since) < GOOD_FOR
}

#[cfg(test)]
mod tests {
    use webauthn_rp::request::register::{PublicKeyCredentialUserEntity, UserHandle16};
    use webauthn_rp::request::{AsciiDomain, RpId};

    use super::*;

    fn ceremony() -> Ceremony {
        let rp = RpId::Domain(AsciiDomain::try_from("localhost".to_owned()).unwrap());
        let handle = UserHandle16::new();
        let user = PublicKeyCredentialUserEntity {
            name: "anna".try_into().unwrap(),
            id: &handle,
            display_name: None,
        };
        let options =
            webauthn_rp::PublicKeyCredentialCreationOptions::first_second_factor(&rp, user);
        Ceremony::Add {
            state: Box::new(options.start_ceremony().unwrap().0),
            first: true,
        }
    }

    fn whose(user: &str, session: Option<u8>) -> Whose {
        Whose {
            user: user.parse().unwrap(),
            session: session.map(|s| [s; 32]),
        }
    }

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn a_challenge_is_good_once_for_five_minutes_and_for_one() {
        let mut w = Waiting::default();
        let anna = whose("anna", Some(1));
        for (n, other) in [
            whose("bo", Some(1)),
            whose("anna", Some(2)),
            whose("anna", None),
        ]
        .into_iter()
        .enumerate()
        {
            let key = [u8::try_from(n).unwrap(); 32];
            w.put(key, anna.clone(), ceremony(), NOW);
            assert!(w.take(&key, &other, NOW).is_none());
            assert!(w.take(&key, &anna, NOW).is_none(), "it was tried");
        }
        for n in 0..2 {
            w.put([n; 32], anna.clone(), ceremony(), NOW);
        }
        let just = NOW + GOOD_FOR - Duration::from_millis(1);
        assert!(w.take(&[0; 32], &anna, just).is_some());
        assert!(w.take(&[0; 32], &anna, just).is_none(), "once");
        assert!(
            w.take(&[1; 32], &anna, NOW + GOOD_FOR).is_none(),
            "too late"
        );
    }

    #[test]
    fn the_memory_is_bounded_by_account_and_time() {
        let mut w = Waiting::default();
        let (anna, bo) = (whose("anna", None), whose("bo", None));
        w.put([200; 32], bo.clone(), ceremony(), NOW);
        for n in 0..20 {
            let now = NOW + Duration::from_millis(n);
            w.put(
                [u8::try_from(n).unwrap(); 32],
                anna.clone(),
                ceremony(),
                now,
            );
        }
        assert_eq!(w.0.len(), KEPT_OF_USER + 1);
        assert!(w.take(&[11; 32], &anna, NOW).is_none(), "the oldest went");
        assert!(w.take(&[12; 32], &anna, NOW).is_some());
        assert!(
            w.take(&[200; 32], &bo, NOW).is_some(),
            "a colleague's stays"
        );
        w.put([0; 32], bo, ceremony(), NOW + GOOD_FOR * 2);
        assert_eq!(w.0.len(), 1, "what is over is forgotten");
    }
}
