//! Phone numbers: eight digits in Denmark (the first is 2 to 9), or a `+` or `00` and a country code.

use super::context::Named;
use super::cpr::plausible_date;
use super::digits::{Digits, Found, dash};

/// The phone number that begins with this group, if one does.
pub(super) fn at(d: &Digits<'_>, i: usize) -> Option<Found> {
    abroad(d, i)
        .or_else(|| with_45(d, i))
        .or_else(|| at_home(d, i))
}

/// The groups that go on from `i`, up to this many digits: where each ends, and how many digits that is.
fn ends(d: &Digits<'_>, i: usize, most: usize) -> Vec<(usize, usize)> {
    let (mut out, mut total, mut end) = (Vec::new(), 0, i);
    while end < d.len() && d.free(end) && (end == i || d.close(end)) {
        total += d.group(end).len;
        end += 1;
        if total > most {
            break;
        }
        out.push((end, total));
    }
    out
}

/// +45 20 30 40 50, (+45) 20304050, 0049 170 1234567.
fn abroad(d: &Digits<'_>, i: usize) -> Option<Found> {
    let start = d.group(i).start;
    let before = d.text[..start].trim_end_matches([' ', '\u{a0}']);
    let plus = before.strip_suffix(['+', '\u{ff0b}']).filter(|rest| {
        start - before.len() <= 2
            && !rest.ends_with(['<', '>'])
            && (!rest.ends_with(char::is_alphanumeric) || called(d, i, rest))
    });
    let digits = d.of(i..i + 1);
    let zeros = plus.is_none() && digits.starts_with(&[0, 0]);
    let all = ends(d, i, 17);
    let (found, code) = match plus {
        Some(_) => (all, 0),
        None if zeros => (all, 2),
        None => return None,
    };
    // As long as a number may be; at home it is known how long it is.
    let danish = {
        let (end, _) = *found.last()?;
        d.of(i..end).get(code..code + 2) == Some(&[4, 5])
    };
    let (end, total) = found
        .iter()
        .copied()
        .find(|(_, n)| danish && n - code.min(*n) == 10)
        .or_else(|| {
            found
                .iter()
                .rev()
                .copied()
                .find(|(_, n)| (8..=15).contains(&n.saturating_sub(code)))
        })?;
    let thousands = end - i > 1 && (i + 1..end).all(|g| d.gap(g) == "." && d.group(g).len == 3);
    let named = d.named(i..end);
    let amount = thousands || named == Some(Named::Amount);
    // Many order numbers begin with zeros.
    let order = zeros
        && (d.of(i..end)[2] == 0
            || total < 10
            || matches!(named, Some(Named::Other | Named::Thing)));
    if amount || order {
        return None;
    }
    let mut found = d.found(i..end);
    if let Some(rest) = plus {
        found.start = rest.strip_suffix('(').unwrap_or(rest).len();
    }
    Some(found)
}

/// tlf+49 170 1234567: a word that calls it a phone number may touch it.
fn called(d: &Digits<'_>, i: usize, before: &str) -> bool {
    before.ends_with(char::is_alphabetic) && d.named(i..i + 1) == Some(Named::Phone)
}

/// 45 20 30 40 50, 4520304050.
fn with_45(d: &Digits<'_>, i: usize) -> Option<Found> {
    let (end, _) = ends(d, i, 10).into_iter().find(|(_, n)| *n == 10)?;
    let digits = d.of(i..end);
    let danish = digits.starts_with(&[4, 5]) && digits[2] > 1;
    // The country's code is one group, or all is.
    let whole = end - i == 1 || d.group(i).len == 2;
    let stays = match d.named(i..end) {
        Some(Named::Phone) => false,
        Some(Named::Other | Named::Thing | Named::Amount) => true,
        _ => part(d, i, end),
    };
    (danish && whole && !stays).then(|| d.found(i..end))
}

fn at_home(d: &Digits<'_>, i: usize) -> Option<Found> {
    let (end, _) = ends(d, i, 8).into_iter().find(|(_, n)| *n == 8)?;
    let digits = d.of(i..end);
    if digits[0] < 2 || trade_item(d, i) {
        return None;
    }
    let named = d.named(i..end);
    let phone = match named {
        Some(Named::Phone) => true,
        Some(Named::Other | Named::Thing | Named::Amount) => false,
        named => {
            // A message that is nothing else can hardly be anything else.
            let alone = d.len() == end - i && !d.text.contains(char::is_alphabetic);
            let date = named == Some(Named::Date);
            shape(d, i, end, date, alone) && !part(d, i, end)
        }
    };
    phone.then(|| d.found(i..end))
}

/// Whether eight digits are grouped as a phone number's are, and as nothing else is.
fn shape(d: &Digits<'_>, i: usize, end: usize, date: bool, alone: bool) -> bool {
    let lens: Vec<usize> = (i..end).map(|g| d.group(g).len).collect();
    let gap = if end - i > 1 { d.gap(i + 1).trim() } else { "" };
    let uniform = (i + 1..end).all(|g| d.gap(g).trim() == gap);
    let spaced = gap.is_empty();
    let digits = d.of(i..end);
    let two = |at: usize| u32::from(digits[at]) * 10 + u32::from(digits[at + 1]);
    let is_date = plausible_date(two(0), two(2)) && matches!(two(4), 19 | 20);
    let decimals = decimals(d, end);
    match lens.as_slice() {
        [8] => !(decimals || (date && is_date)),
        [2, 2, 2, 2] => uniform,
        [4, 4] => four_and_four(d, i, end, alone),
        // 12.345.678 is an amount.
        [2, 3, 3] | [3, 3, 2] | [3, 2, 3] => uniform && gap != "." && !decimals,
        [2, 2, 4] => uniform && !is_date,
        [2, 6] | [6, 2] | [4, 2, 2] => uniform && spaced,
        [1, 1, 1, 1, 1, 1, 1, 1] => uniform,
        _ => false,
    }
}

/// 2030 4050, but not 2025-2026, 1500-2000 or the middle of a longer number.
fn four_and_four(d: &Digits<'_>, i: usize, end: usize, alone: bool) -> bool {
    let year = |g: usize| matches!(d.of(g..g + 1), [1, 9, ..] | [2, 0, ..]);
    let years = year(i) && year(i + 1);
    let spaced = d.gap(i + 1).trim().is_empty();
    let longer = i > 0 && d.close(i)
        || end < d.len()
            && d.close(end)
            && (d.group(end).len > 4 || (end + 1 < d.len() && d.close(end + 1)));
    alone || (spaced && !years && !longer)
}

/// 20304050,00
fn decimals(d: &Digits<'_>, end: usize) -> bool {
    end < d.len() && d.joined(end) && d.gap(end) == "," && d.group(end).len == 2
}

/// Whether the number is a part of another: `K-20304050`, `2024/20304050`, `AB20304050`, `20304050-12`.
fn part(d: &Digits<'_>, i: usize, end: usize) -> bool {
    let tight = |c: char| dash(c) || matches!(c, '/' | '.' | ',' | ':' | '#');
    let start = d.group(i).start;
    let led = match d.before(i) {
        // A word that calls it a phone number has been heard by now.
        Some(c) if c.is_alphanumeric() => true,
        Some('#') => true,
        Some(c) if tight(c) => {
            let rest = &d.text[..start - c.len_utf8()];
            let eight = i > 0 && d.group(i - 1).len == 8;
            let dotted = c == '.' && !rest.ends_with(|c: char| c.is_numeric());
            rest.ends_with(char::is_alphanumeric) && !eight && !dotted && !matches!(c, ':' | ',')
        }
        _ => false,
    };
    let followed = match d.after(end - 1) {
        Some(c) if tight(c) && end < d.len() => {
            let next = d.group(end);
            d.gap(end).chars().count() == 1 && next.len != 8 && c != ','
        }
        _ => false,
    };
    led || followed
}

/// An EAN number of a public office or a ware (13 digits, GS1, Danish ones begin with 57) that goes on from here.
fn trade_item(d: &Digits<'_>, i: usize) -> bool {
    let mut first = i;
    while first > 0 && i - first < 6 && d.close(first) {
        first -= 1;
    }
    (first..=i).any(|from| {
        ends(d, from, 13)
            .iter()
            .any(|(end, n)| *n == 13 && *end > i && gtin13(d.of(from..*end)))
    })
}

fn gtin13(d: &[u8]) -> bool {
    let weighted = d.iter().zip([1_u32, 3].into_iter().cycle());
    let sum: u32 = weighted.map(|(&d, w)| u32::from(d) * w).sum();
    d.starts_with(&[5, 7]) && sum.is_multiple_of(10)
}
