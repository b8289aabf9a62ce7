//! Personal numbers are masked before anything is stored, indexed, logged or shown to a model.
//!
//! A CPR number is a date (DDMMYY; the day is raised by 60 in a replacement number) and four digits.
//! Numbers without a valid modulus 11 are issued since 2007, so the check digit may raise confidence and
//! never reject (CPR-kontoret, "Personnumre uden kontrolciffer"). A chat masks first: a false alarm costs
//! the citizen a word of explanation, a miss puts a personal number on disk.

use serde::{Deserialize, Serialize};

/// A kind of personal data that was hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Masked {
    Cpr,
}

/// A text without personal numbers, and the kinds that were in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    pub text: String,
    pub masked: Vec<Masked>,
}

/// Stands where a number was. No citizen writes it by accident.
pub const MASK_OPEN: &str = "[CPR-nummer skjult]";

/// Words that say that the number after them is something else. They count only when the check digit
/// does not speak for a CPR number.
const OTHER_NUMBERS: [&str; 12] = [
    "ordre",
    "order",
    "sag",
    "journal",
    "faktura",
    "ean",
    "kunde",
    "reference",
    "ref",
    "konto",
    "cvr",
    "matrikel",
];

fn digit(c: char) -> Option<u8> {
    let base = match c {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        _ => return None,
    };
    u8::try_from(u32::from(c) - u32::from(base)).ok()
}

/// What people put between the parts of a number.
fn separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '/' | '_' | '·' | '\u{2010}'
                ..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}'
        )
}

struct Digit {
    value: u8,
    start: usize,
    end: usize,
    /// How many separators stand before this digit and after the previous one.
    gap: usize,
}

fn plausible_date(day: u32, month: u32) -> bool {
    let day = if day > 60 { day - 60 } else { day };
    (1..=12).contains(&month) && (1..=31).contains(&day) && !(month == 2 && day > 29)
}

fn modulus11(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 10] = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    d.iter()
        .zip(WEIGHTS)
        .map(|(&d, w)| u32::from(d) * w)
        .sum::<u32>()
        % 11
        == 0
}

/// Splits the text into runs of digits that are at most three separators apart.
fn runs(text: &str) -> Vec<Vec<Digit>> {
    let mut runs: Vec<Vec<Digit>> = Vec::new();
    let mut gap = usize::MAX;
    for (start, c) in text.char_indices() {
        if let Some(value) = digit(c) {
            let d = Digit {
                value,
                start,
                end: start + c.len_utf8(),
                gap,
            };
            match runs.last_mut() {
                Some(run) if gap <= 3 => run.push(d),
                _ => runs.push(vec![d]),
            }
            gap = 0;
        } else if separator(c) {
            gap = gap.saturating_add(1);
        } else {
            gap = usize::MAX;
        }
    }
    runs
}

/// The length in digits (10 or 12) of a CPR number that starts at `at`, if one does.
fn cpr_at(text: &str, run: &[Digit], at: usize) -> Option<usize> {
    let two = |i: usize| u32::from(run[i].value) * 10 + u32::from(run[i + 1].value);
    let lone_start = at == 0 || run[at].gap > 0;
    for len in [10, 12] {
        if at + len > run.len() {
            break;
        }
        let lone_end = at + len == run.len() || run[at + len].gap > 0;
        // Separators may stand only at the seams of date and serial: 01 01 90 1234, 01 01 90 12 34.
        let seams = |i: usize| {
            if len == 10 {
                matches!(i, 2 | 4 | 6 | 8)
            } else {
                matches!(i, 2 | 4 | 8 | 10)
            }
        };
        let well_placed = (1..len).all(|i| run[at + i].gap == 0 || seams(i));
        let century = len == 10 || matches!(two(at + 4), 18..=20);
        if lone_start && lone_end && well_placed && century && plausible_date(two(at), two(at + 2))
        {
            let mut d: Vec<u8> = run[at..at + len].iter().map(|d| d.value).collect();
            if len == 12 {
                d.drain(4..6);
            }
            if modulus11(&d) || !named_otherwise(&text[..run[at].start]) {
                return Some(len);
            }
        }
    }
    None
}

/// Whether the last two words before the number call it something other than a personal number.
fn named_otherwise(before: &str) -> bool {
    let before = before.to_lowercase();
    let mut words = before
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .rev();
    words.by_ref().take(3).any(|w| {
        OTHER_NUMBERS.iter().any(|o| {
            w == *o || (o.len() > 3 && w.starts_with(o)) || w == "sagsnr" || w == "sagsnummer"
        })
    })
}

/// Masks every CPR number in a text that `clean` has been over.
pub fn redact(text: &str) -> Redaction {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut masked = Vec::new();
    for run in runs(text) {
        let mut at = 0;
        while at < run.len() {
            match cpr_at(text, &run, at) {
                Some(len) => {
                    out.push_str(&text[copied..run[at].start]);
                    out.push_str(MASK_OPEN);
                    copied = run[at + len - 1].end;
                    at += len;
                    if masked.is_empty() {
                        masked.push(Masked::Cpr);
                    }
                }
                None => at += 1,
            }
        }
    }
    out.push_str(&text[copied..]);
    Redaction { text: out, masked }
}

/// The text without the masks: what retrieval should see.
pub fn without_masks(text: &str) -> String {
    text.replace(MASK_OPEN, " ")
}

#[cfg(test)]
mod tests;
