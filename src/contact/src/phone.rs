//! Phone numbers as citizens write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A phone number in the E.164 form: `+` and 8 to 15 digits. A Danish one is `+45` and eight.
///
/// `Display` is for the agent who rings: `20 30 40 50` at home, E.164 from abroad. `Debug` hides all but
/// the last two digits, so that no log has a number.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a text is not a number we can ring. Never holds the number itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("is empty: write 8 digits, or + and the country code")]
    Empty,
    #[error(
        "«{0}» cannot stand in a phone number: only digits, spaces, dots, hyphens and a leading +"
    )]
    Character(char),
    #[error("has {0} digits: a Danish number has 8; a foreign one begins with + and has 8 to 15")]
    Length(usize),
    #[error("a Danish number does not begin with 0 or 1")]
    NotDanish,
    #[error("no country code begins with 0")]
    NoCountry,
}

impl Phone {
    /// Reads a number: eight Danish digits, with or without +45 or 0045, or a foreign number after + or
    /// 00. Spaces, dots, hyphens and brackets may stand anywhere; Arabic and full-width digits count.
    ///
    /// # Errors
    /// [`PhoneError`] says what is wrong and what is allowed.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let text = base::clean(text);
        let (mut international, rest) = match text.strip_prefix(['+', '＋']) {
            Some(rest) => (true, rest),
            // (+45) 20 30 40 50
            None => match text.strip_prefix("(+") {
                Some(rest) => (true, rest),
                None => (false, text.as_str()),
            },
        };
        let mut digits = String::with_capacity(15);
        for c in rest.chars() {
            match digit(c) {
                Some(d) => digits.push(d),
                None if separator(c) => {}
                None => return Err(PhoneError::Character(c)),
            }
        }
        if !international && let Some(rest) = digits.strip_prefix("00") {
            digits = rest.to_owned();
            international = true;
        }
        match (digits.len(), international) {
            (0, _) => Err(PhoneError::Empty),
            (_, true) if digits.starts_with('0') => Err(PhoneError::NoCountry),
            (n, true) => match digits.strip_prefix("45") {
                Some(national) => danish(national),
                None if (8..=15).contains(&n) => Ok(Self(format!("+{digits}"))),
                None => Err(PhoneError::Length(n)),
            },
            (_, false) => danish(&digits),
        }
    }

    /// `+4520304050`
    pub fn as_e164(&self) -> &str {
        &self.0
    }
}

fn danish(digits: &str) -> Result<Phone, PhoneError> {
    if digits.len() != 8 {
        Err(PhoneError::Length(digits.len()))
    } else if digits.starts_with(['0', '1']) {
        Err(PhoneError::NotDanish)
    } else {
        Ok(Phone(format!("+45{digits}")))
    }
}

fn digit(c: char) -> Option<char> {
    let zero = match c {
        '0'..='9' => return Some(c),
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{ff10}'..='\u{ff19}' => 0xff10,
        _ => return None,
    };
    char::from_digit(u32::from(c) - zero, 10)
}

fn separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | '-' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}'
        )
}

impl FromStr for Phone {
    type Err = PhoneError;
    fn from_str(s: &str) -> Result<Self, PhoneError> {
        Self::parse(s)
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;
    fn try_from(s: String) -> Result<Self, PhoneError> {
        Self::parse(&s)
    }
}

impl From<Phone> for String {
    fn from(p: Phone) -> String {
        p.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix("+45") {
            Some(d) => write!(f, "{} {} {} {}", &d[..2], &d[2..4], &d[4..6], &d[6..]),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", &self.0[self.0.len() - 2..])
    }
}

#[cfg(test)]
mod tests;
