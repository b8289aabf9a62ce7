//! Ids are types, not strings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The official four-digit code of a Danish municipality, such as 0751 for Aarhus.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MunicipalityCode([u8; 4]);

impl MunicipalityCode {
    pub fn as_str(&self) -> &str {
        // Only ASCII digits get in, so this cannot fail.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for MunicipalityCode {
    type Err = String;

    /// Accepts exactly four ASCII digits.
    fn from_str(s: &str) -> Result<Self, String> {
        match <[u8; 4]>::try_from(s.as_bytes()) {
            Ok(b) if b.iter().all(u8::is_ascii_digit) => Ok(Self(b)),
            _ => {
                let shown: String = s.chars().take(20).collect();
                Err(format!(
                    "«{shown}» is not a municipality code: four digits, such as 0751"
                ))
            }
        }
    }
}

impl TryFrom<String> for MunicipalityCode {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<MunicipalityCode> for String {
    fn from(c: MunicipalityCode) -> String {
        c.as_str().to_owned()
    }
}

impl fmt::Display for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Digits and letters that cannot be mistaken for one another when read aloud.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

fn random<const N: usize>() -> [u8; N] {
    let mut raw = [0_u8; N];
    // The operating system's generator does not fail on the systems we support once it is seeded.
    if let Err(e) = getrandom::fill(&mut raw) {
        panic!("the operating system gave no random numbers: {e}");
    }
    raw.map(|b| ALPHABET[usize::from(b & 31)])
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn random() -> Self {
                Self(random::<$len>().iter().map(|&b| char::from(b)).collect())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                if s.len() == $len && s.bytes().all(|b| ALPHABET.contains(&b)) {
                    Ok(Self(s.to_owned()))
                } else {
                    Err("not an id of this program")
                }
            }
        }
    };
}

random_id!(
    /// One citizen's dialogue: 16 characters, 80 random bits.
    DialogueId, 16
);
random_id!(
    /// One answer within a dialogue: 12 characters, 60 random bits.
    TurnId, 12
);
random_id!(
    /// Proof that a reconnecting citizen owns the dialogue: 26 characters, 130 random bits. Never logged.
    Secret, 26
);

impl fmt::Display for DialogueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for DialogueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Compares without telling by its duration where the difference is.
    pub fn matches(&self, other: &str) -> bool {
        let (a, b) = (self.0.as_bytes(), other.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_four_digits() {
        assert_eq!("0751".parse::<MunicipalityCode>().unwrap().as_str(), "0751");
        for bad in ["", "751", "07511", "07a1", "٠٧٥١"] {
            assert!(bad.parse::<MunicipalityCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets_compare_whole_and_hide_themselves() {
        let s = Secret::random();
        assert!(s.matches(s.as_str()));
        assert!(!s.matches(&s.as_str()[1..]));
        assert!(!s.matches(Secret::random().as_str()));
        assert!(!format!("{s:?}").contains(s.as_str()));
        assert_eq!(s.as_str().parse::<Secret>().unwrap(), s);
    }
}
