//! Bank accounts, payment cards and passports: numbers whose form alone says little, but for IBAN and cards, whose
//! check digits say enough.

use super::context::{self, Named};
use super::cpr::plausible_date;
use super::digits::{Digits, Found, dash, digit};

/// Characters of an IBAN by country (ISO 13616 registry): Denmark's and those that people here are likely to have.
const IBAN: [(&str, usize); 33] = [
    ("DK", 18),
    ("FO", 18),
    ("GL", 18),
    ("NO", 15),
    ("SE", 24),
    ("FI", 18),
    ("IS", 26),
    ("DE", 22),
    ("NL", 18),
    ("BE", 16),
    ("LU", 20),
    ("GB", 22),
    ("IE", 22),
    ("FR", 27),
    ("ES", 24),
    ("PT", 25),
    ("IT", 27),
    ("AT", 20),
    ("CH", 21),
    ("PL", 28),
    ("UA", 29),
    ("TR", 26),
    ("LT", 20),
    ("LV", 21),
    ("EE", 20),
    ("RO", 24),
    ("BG", 22),
    ("CZ", 24),
    ("SK", 24),
    ("HU", 28),
    ("GR", 27),
    ("HR", 21),
    ("SI", 19),
];

/// An IBAN or a card that begins with this group.
pub(super) fn sure(d: &Digits<'_>, i: usize) -> Option<Found> {
    iban(d, i).or_else(|| card(d, i))
}

fn iban(d: &Digits<'_>, i: usize) -> Option<Found> {
    let start = d.group(i).start;
    let country = d
        .text
        .get(start.checked_sub(2)?..start)?
        .to_ascii_uppercase();
    let (_, length) = IBAN.iter().find(|(c, _)| *c == country)?;
    if d.text[..start - 2].ends_with(char::is_alphanumeric) {
        return None;
    }
    let mut signs: Vec<u32> = country.bytes().map(|b| u32::from(b - b'A') + 10).collect();
    let (mut end, mut gap, mut danish) = (start, 0, true);
    let mut group = i;
    for (at, c) in d.text[start..].char_indices() {
        while group < d.len() && d.group(group).end <= start + at {
            group += 1;
        }
        // What was found before is no part of it: the address in «DK50 00400440116243@mail.dk».
        if group < d.len() && d.group(group).start <= start + at && !d.free(group) {
            break;
        }
        let value = match (digit(c), c.to_ascii_uppercase()) {
            (Some(n), _) => u32::from(n),
            (None, c @ 'A'..='Z') => {
                danish = false;
                u32::from(c) - u32::from('A') + 10
            }
            (None, c) if (c.is_whitespace() || dash(c) || c == '.') && gap < 2 => {
                gap += 1;
                continue;
            }
            _ => break,
        };
        gap = 0;
        signs.push(value);
        end = start + at + c.len_utf8();
        if signs.len() == *length {
            break;
        }
    }
    let full = signs.len() == *length;
    // Who mistypes a digit of a Danish one has still written an account.
    let sure =
        full && (mod97(&signs) || (danish && matches!(country.as_str(), "DK" | "FO" | "GL")));
    let next = (i..d.len()).find(|g| d.group(*g).start >= end);
    sure.then(|| Found {
        start: start - 2,
        end,
        next: next.unwrap_or(d.len()),
        digits: Vec::new(),
    })
}

/// ISO 7064, mod 97-10: the country and the check digits come last.
fn mod97(signs: &[u32]) -> bool {
    let rest = signs[4..].iter().chain(&signs[..4]);
    rest.fold(0, |n, s| (n * if *s > 9 { 100 } else { 10 } + s) % 97) == 1
}

/// Sixteen digits with their check digit (ISO 7812, Luhn).
fn card(d: &Digits<'_>, i: usize) -> Option<Found> {
    let end = if d.group(i).len == 16 { i + 1 } else { i + 4 };
    let fours = end <= d.len()
        && (i..end).all(|g| d.group(g).len == 4 && d.free(g) && (g == i || d.close(g)));
    if end > i + 1 && !fours {
        return None;
    }
    let digits = d.of(i..end);
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([1, 2].into_iter().cycle())
        .map(|(&n, w)| {
            let n = u32::from(n) * w;
            if n > 9 { n - 9 } else { n }
        })
        .sum();
    let card = (3..=6).contains(&digits[0]) && sum.is_multiple_of(10);
    (card && d.named(i..end) != Some(Named::Other)).then(|| d.found(i..end))
}

/// Six to fourteen digits that a word calls an account, and a registration number before one.
pub(super) fn named(d: &Digits<'_>, i: usize) -> Option<Found> {
    if registration(d, i) {
        return Some(d.found(i..i + 1));
    }
    let (mut total, mut end, mut best) = (0, i, None);
    while end < d.len() && d.free(end) && (end == i || d.close(end)) {
        total += d.group(end).len;
        end += 1;
        if total > 14 {
            break;
        }
        if total >= 6 {
            best = Some(end);
        }
    }
    let end = best?;
    let lens: Vec<usize> = (i..end).map(|g| d.group(g).len).collect();
    let date = || {
        let n = |g: usize| d.of(g..g + 1).iter().fold(0, |n, d| n * 10 + u32::from(*d));
        plausible_date(n(i), n(i + 1))
    };
    let a_date = matches!(lens.as_slice(), [1 | 2, 1 | 2, 2 | 4]) && date();
    (!a_date && d.named(i..end) == Some(Named::Account)).then(|| d.found(i..end))
}

/// reg.nr. 1234, konto 1234567: four digits that belong to the account after them.
fn registration(d: &Digits<'_>, i: usize) -> bool {
    const FAR: usize = 40;
    let (here, Some(next)) = (d.group(i), (i + 1 < d.len()).then(|| d.group(i + 1))) else {
        return false;
    };
    here.len == 4
        && next.start - here.end <= FAR
        && context::called_registration(d.text, here.start)
        && {
            let between = d.text[here.end..next.start].to_lowercase();
            between.contains("kont") || between.contains("account")
        }
}

/// 1234 1234567890: a registration number and an account of full length, where no word speaks against it.
pub(super) fn shaped(d: &Digits<'_>, i: usize) -> Option<Found> {
    let both = d.group(i).len == 4
        && i + 1 < d.len()
        && d.free(i + 1)
        && d.group(i + 1).len == 10
        && d.close(i + 1)
        && d.gap(i + 1).chars().count() <= 3;
    let year = d.gap((i + 1).min(d.len() - 1)).trim() != ""
        && matches!(d.of(i..i + 1), [1, 9, ..] | [2, 0, ..]);
    let led = d.close(i) || d.before(i).is_some_and(char::is_alphanumeric);
    let stays = || {
        matches!(
            d.named(i..i + 2),
            Some(Named::Other | Named::Thing | Named::Amount)
        )
    };
    (both && !year && !led && !stays()).then(|| d.found(i..i + 2))
}

/// Eight or nine digits, or one or two letters and six to eight, that a word calls a passport's.
pub(super) fn passport(d: &Digits<'_>, i: usize) -> Option<Found> {
    let len = |g: usize| {
        if g < d.len() && d.free(g) {
            d.group(g).len
        } else {
            0
        }
    };
    let start = d.group(i).start;
    let head = d.text[..start].trim_end_matches(|c: char| c.is_alphabetic());
    let letters = d.text[head.len()..start].chars().count();
    let lettered = (1..=2).contains(&letters) && !head.ends_with(char::is_numeric);
    let end = match len(i) {
        8 | 9 => i + 1,
        6 | 7 if lettered => i + 1,
        3 if len(i + 1) == 3 && len(i + 2) == 3 && d.close(i + 1) && d.close(i + 2) => i + 3,
        _ => return None,
    };
    if d.named(i..end) != Some(Named::Passport) {
        return None;
    }
    let mut found = d.found(i..end);
    if lettered {
        found.start = head.len();
    }
    Some(found)
}
