//! What a citizen who is to be rung back can say on the phone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Digits and letters that cannot be mistaken for one another when read aloud: the ids' alphabet in
/// capitals.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKMNPQRSTUVWXYZ023456789";

/// What the citizen is told and can say on the phone: `B-7K3QF`, 25 random bits. It names a callback, it
/// proves nothing. Two may collide (one in 33 million): whoever stores it finds out and draws again.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

impl Reference {
    pub fn random() -> Self {
        let mut raw = [0_u8; 5];
        // As in `base`: the operating system's generator does not fail once it is seeded.
        if let Err(e) = getrandom::fill(&mut raw) {
            panic!("the operating system gave no random numbers: {e}");
        }
        Self::from_bytes(raw)
    }

    /// The reference made of the low five bits of each byte.
    fn from_bytes(raw: [u8; 5]) -> Self {
        let code = raw.map(|b| char::from(ALPHABET[usize::from(b & 31)]));
        Self(format!("B-{}", String::from_iter(code)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = &'static str;

    /// Reads what a citizen says: capitals or not, with or without the `B` and the hyphen, O for 0.
    ///
    /// # Errors
    /// When anything but five characters of the alphabet is left.
    fn from_str(s: &str) -> Result<Self, &'static str> {
        let upper = s.trim().to_uppercase().replace('O', "0");
        let code = upper.strip_prefix("B-").or_else(|| {
            let bare = upper.strip_prefix('B')?;
            (bare.len() == 5).then_some(bare)
        });
        let code = code.unwrap_or(&upper);
        if code.len() == 5 && code.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(Self(format!("B-{code}")))
        } else {
            Err("not a reference: B- and five letters or digits, such as B-7K3QF")
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = &'static str;
    fn try_from(s: String) -> Result<Self, &'static str> {
        s.parse()
    }
}

impl From<Reference> for String {
    fn from(r: Reference) -> String {
        r.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
