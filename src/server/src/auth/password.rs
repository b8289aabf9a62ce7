//! Passwords: what may be one, and how they are kept.
//!
//! Argon2id with the parameters of the OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane),
//! computed beside the async threads, two at a time, so that a flood of sign-ins costs bounded memory.

use std::sync::{Arc, OnceLock};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::runtime::politely;

/// Characters of a password.
pub(crate) const CHARS: std::ops::RangeInclusive<usize> = 12..=200;
/// Computed at once, and waiting for it.
const AT_ONCE: usize = 2;
const WAITING: usize = 32;

/// What people take when they must take something; with what they put around it, see [`core`].
const COMMON: [&str; 40] = [
    "password",
    "passw0rd",
    "kodeord",
    "adgangskode",
    "hemmelig",
    "hemmeligt",
    "velkommen",
    "welcome",
    "sommer",
    "vinter",
    "efteraar",
    "efterår",
    "foraar",
    "forår",
    "danmark",
    "kommune",
    "kommunen",
    "borgerservice",
    "borgerlinje",
    "borgerlinjen",
    "kontaktcenter",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "iloveyou",
    "letmein",
    "administrator",
    "admin",
    "superuser",
    "supervisor",
    "agent",
    "changeme",
    "testtest",
    "default",
    "sunshine",
    "football",
    "fodbold",
    "kaffekaffe",
];

/// Whether that may be somebody's password.
///
/// # Errors
/// Why not, for whoever chose it.
pub(crate) fn check(password: &str, user: &str, name: &str) -> Result<(), &'static str> {
    if !CHARS.contains(&password.chars().count()) {
        return Err(
            "a password has 12 to 200 characters: four words that do not belong together are good",
        );
    }
    let folded = password.to_lowercase();
    let (user, name) = (user.to_lowercase(), name.to_lowercase());
    let bare = core(&folded);
    let own = [user.as_str(), name.as_str()]
        .into_iter()
        .chain(name.split_whitespace());
    if own
        .filter(|n| n.chars().count() >= 2)
        .any(|n| folded == n || bare == core(n) || folded.replace(n, "").chars().count() < 6)
    {
        return Err("a password must not be made of the user's own name");
    }
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 6 || runs(&folded) || COMMON.contains(&bare.as_str()) || repeats(&bare) {
        return Err("that password is among the first that others would try: choose another");
    }
    Ok(())
}

/// The word in the middle, with letters for the digits that stand for them.
fn core(folded: &str) -> String {
    let trimmed = folded.trim_matches(|c: char| !c.is_alphabetic());
    trimmed
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            c => c,
        })
        .collect()
}

/// A common word said more than once.
fn repeats(bare: &str) -> bool {
    COMMON
        .iter()
        .any(|c| bare.replace(c, "").chars().count() < 3)
}

/// Neighbours all the way, such as 123456789012 or abcdefghijkl.
fn runs(folded: &str) -> bool {
    let letters: Vec<u32> = folded.chars().map(u32::from).collect();
    let near = letters
        .windows(2)
        .filter(|w| matches!(w[1].wrapping_sub(w[0]), 0 | 1 | u32::MAX) || w == &[0x39, 0x30])
        .count();
    near * 4 >= letters.len() * 3
}

/// A password as it is stored. Takes some 20 ms and 19 MiB.
///
/// # Errors
/// Where the system gives no random numbers or no memory.
pub(crate) fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    // The default parameters are those of the module's description; a test holds them.
    let hash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Checks passwords, a few at a time.
#[derive(Clone)]
pub(super) struct Checker {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// More sign-ins wait than are taken.
#[derive(Debug)]
pub(super) struct Busy;

impl Checker {
    pub(super) fn new() -> Self {
        Self {
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }

    /// Whether a password is the one that was stored. Without a stored one the answer is no, after as long.
    ///
    /// # Errors
    /// [`Busy`].
    pub(super) async fn is(&self, password: String, stored: Option<String>) -> Result<bool, Busy> {
        let _waits = self.waiting.try_acquire().map_err(|_| Busy)?;
        let _permit = self.at_once.acquire().await.map_err(|_| Busy)?;
        // Whoever guesses takes no processor from citizens.
        let checked = politely(inference::WRITING, move || {
            let nobody = stored.is_none();
            let stored = stored.unwrap_or_else(|| nobodys().to_owned());
            let right = Argon2::default().verify_password(password.as_bytes(), stored.as_str());
            right.is_ok() && !nobody
        });
        Ok(checked.await.unwrap_or_else(|e| {
            tracing::error!("a password was not checked: {e}");
            false
        }))
    }
}

/// A hash for those who do not exist.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash("nobody's password").unwrap_or_default())
}

/// Makes the hash for those who do not exist, so that the first of them takes no longer than the next.
pub(super) fn prepare() {
    nobodys();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_would_try_is_refused() {
        for bad in [
            "kort",
            "password1234",
            "P4ssw0rd!2026",
            "Velkommen2026!",
            "Sommer2026!!",
            "123456789012",
            "1234567890123",
            "abcdefghijklmn",
            "aaaaaaaaaaaaa",
            "qwertyuiop123",
            "Borgerservice1",
            "annesen-annesen",
            "Anna Annesen",
            "anna.a-2026!",
            "passwordpassword",
        ] {
            assert!(check(bad, "anna.a", "Anna Annesen").is_err(), "{bad}");
        }
        for good in [
            "lyng tromme kajak fyr",
            "x7#Qv!pL02mZ",
            "æbleskive-på-mandag",
        ] {
            assert_eq!(check(good, "anna.a", "Anna Annesen"), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_stated_cost_and_is_recognised() {
        let stored = hash("lyng tromme kajak fyr").unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert_ne!(stored, hash("lyng tromme kajak fyr").unwrap(), "salted");
        let checker = Checker::new();
        let is = |p: &str, s: Option<&str>| checker.is(p.to_owned(), s.map(str::to_owned));
        assert!(is("lyng tromme kajak fyr", Some(&stored)).await.unwrap());
        assert!(!is("lyng tromme kajak fy", Some(&stored)).await.unwrap());
        assert!(!is("lyng tromme kajak fyr", Some("")).await.unwrap());
        assert!(!is("nobody's password", None).await.unwrap());
    }
}
