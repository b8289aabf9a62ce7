//! CPR numbers: a date (DDMMYY; the day is raised by 60 in a replacement number) and four digits.
//!
//! Numbers without a valid modulus 11 are issued since 2007 (CPR-kontoret, "Personnumre uden kontrolciffer"), so an
//! invalid check digit rejects only where something else speaks against the number: a word that calls it an order's,
//! a case's, an account's or an amount, or the end of a sentence within it.

use super::context::Named;
use super::digits::{Digits, Found, dash};

/// The CPR number that begins with this group, if one does.
pub(super) fn at(d: &Digits<'_>, i: usize) -> Option<Found> {
    let (mut total, mut end) = (0, i);
    let mut best = None;
    while end < d.len() && total < 12 && (end == i || d.joined(end)) && d.free(end) {
        total += d.group(end).len;
        end += 1;
        let right = match total {
            10 => parted(d, i, end, &[2, 4, 6, 8]) && is(d, i, end, false),
            12 => parted(d, i, end, &[2, 4, 8, 10]) && is(d, i, end, true),
            _ => false,
        };
        if right || short_date(d, i, end) {
            best = Some(end);
            break;
        }
    }
    best.map(|end| d.found(i..end))
}

/// As [`at`], and its check digit is valid.
pub(super) fn checked(d: &Digits<'_>, i: usize) -> Option<Found> {
    at(d, i).filter(|f| modulus11(&plain(&f.digits)))
}

/// Its ten digits: a year of four loses its century.
fn plain(digits: &[u8]) -> Vec<u8> {
    match digits {
        [date @ .., _, _, _, _, _, _, _, _] if digits.len() == 12 => [date, &digits[6..]].concat(),
        _ => digits.to_vec(),
    }
}

/// As [`seams`]; where a word calls it a CPR number it may be cut anywhere by spaces and dashes: cpr 010 190 1234. But
/// "sygesikringskortet gælder 01.01.2026-31.12.2026" has dates.
fn parted(d: &Digits<'_>, from: usize, to: usize, allowed: &[usize]) -> bool {
    let len = |n: usize| d.group(from + n).len;
    let plain = || {
        let gap = |g: usize| {
            d.gap(g)
                .chars()
                .all(|c| matches!(c, ' ' | '\u{a0}') || dash(c))
        };
        (from + 1..to).all(|g| d.close(g) && gap(g))
    };
    let dated = || to - from > 3 && len(2) == 4 && len(0) <= 2 && len(1) <= 2;
    seams(d, from, to, allowed) || (d.named(from..to) == Some(Named::Cpr) && plain() && !dated())
}

/// Whether the number is cut only where its parts are: 01 01 90 1234, 01 01 90 12 34. Digit by digit will do too.
fn seams(d: &Digits<'_>, from: usize, to: usize, allowed: &[usize]) -> bool {
    let mut cut = 0;
    let placed = (from..to - 1).all(|g| {
        cut += d.group(g).len;
        allowed.contains(&cut)
    });
    // 01.03.2026 14 is a date with its year and an hour.
    let year = from + 3 < to && d.group(from + 2).len == 4 && allowed.contains(&6);
    (placed && !year) || (from..to).all(|g| d.group(g).len == 1)
}

fn is(d: &Digits<'_>, from: usize, to: usize, century: bool) -> bool {
    let digits = d.of(from..to);
    let two = |i: usize| u32::from(digits[i]) * 10 + u32::from(digits[i + 1]);
    if !plausible_date(two(0), two(2)) || (century && !(18..=20).contains(&two(4))) {
        return false;
    }
    let checks = modulus11(&plain(digits));
    let named = d.named(from..to);
    if named == Some(Named::Cpr) {
        // From one day to another: no word makes that a number.
        return !time_or_dates(d, from, to, century, false);
    }
    if two_phones(d, from) || time_or_dates(d, from, to, century, true) {
        return false;
    }
    let otherwise = matches!(named, Some(Named::Other | Named::Amount | Named::Account));
    // Across the end of a sentence only a check digit makes one number of two.
    let sentence = (from + 1..to).any(|g| {
        let gap = d.gap(g);
        gap.contains('\n') || (gap.starts_with(['.', ',', ';', '!', '?']) && gap.len() > 1)
    });
    checks || !(otherwise || sentence)
}

/// 1/1-90-1234, 1.1.1990-1234: a date without its zeros, and a dash before the serial number.
fn short_date(d: &Digits<'_>, from: usize, to: usize) -> bool {
    if to - from != 4 {
        return false;
    }
    let len = |g: usize| d.group(from + g).len;
    let date = len(0) <= 2 && len(1) <= 2 && len(0) + len(1) < 4 && matches!(len(2), 2 | 4);
    let parts = (1..3).all(|g| {
        d.gap(from + g)
            .chars()
            .all(|c| matches!(c, '.' | '/') || dash(c))
    });
    let serial = d.gap(from + 3).trim();
    let n = |g: usize| number(d.of(from + g..from + g + 1));
    date && len(3) == 4
        && parts
        && serial.chars().count() == 1
        && serial.chars().all(dash)
        && plausible_date(n(0), n(1))
        && !matches!(d.named(from..to), Some(Named::Other | Named::Amount))
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |n, d| n * 10 + u32::from(*d))
}

/// 20 12 34 56 78 90 12 34: eight pairs are two phone numbers.
fn two_phones(d: &Digits<'_>, from: usize) -> bool {
    let mut end = from;
    while end < d.len() && end - from < 24 && d.group(end).len == 2 && (end == from || d.close(end))
    {
        end += 1;
    }
    let pairs = end - from;
    pairs >= 8 && pairs.is_multiple_of(4)
}

/// The four digits after the date are a time of day (01.03.2026 14.00), where `times` are looked for, or begin another
/// date (01.03.26-31.03.26).
fn time_or_dates(d: &Digits<'_>, from: usize, to: usize, century: bool, times: bool) -> bool {
    if to - from < 3 || d.group(to - 1).len != 2 || d.group(to - 2).len != 2 {
        return false;
    }
    let digits = d.of(from..to);
    let tail = &digits[digits.len() - 4..];
    let (a, b) = (number(&tail[..2]), number(&tail[2..]));
    let cut = d.gap(to - 1);
    let time = times && matches!(cut, "." | ":") && a < 24 && b < 60;
    let dates = d.joined(to)
        && d.gap(to) == cut
        && matches!(cut, "." | "/" | "-")
        && matches!(d.group(to).len, 2 | 4)
        && plausible_date(a, b);
    let written_as_date = (to - from >= 4 || century) && !d.gap(from + 1).is_empty();
    written_as_date && (time || dates)
}

pub(super) fn plausible_date(day: u32, month: u32) -> bool {
    let day = if day > 60 { day - 60 } else { day };
    (1..=12).contains(&month) && (1..=31).contains(&day) && !(month == 2 && day > 29)
}

fn modulus11(d: &[u8]) -> bool {
    const WEIGHTS: [u32; 10] = [4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
    let sum: u32 = d.iter().zip(WEIGHTS).map(|(&d, w)| u32::from(d) * w).sum();
    sum.is_multiple_of(11)
}
