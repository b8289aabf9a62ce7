//! E-mail addresses, also as people write them who would hide them from machines.

use std::ops::Range;

/// What stands for `@`, beside the sign itself. Lower case.
const AT: [&str; 9] = [
    "%40",
    "(at)",
    "[at]",
    "{at}",
    "(snabel-a)",
    "(a)",
    " snabel-a ",
    " snabela ",
    " snabel a ",
];
/// What stands for a dot in a domain. Lower case.
const DOT: [&str; 7] = [
    "(dot)",
    "[dot]",
    " [dot] ",
    " (dot) ",
    " dot ",
    "(punktum)",
    " punktum ",
];
/// Characters of the part before the sign that are looked at: twice what a mail server takes (RFC 5321), so that a
/// text without spaces is not read again for each sign.
const LOCAL: usize = 128;
/// Ends of a domain that are no words, and so may stand apart: `gmail . com`.
const ENDS: [&str; 5] = ["dk", "com", "net", "org", "eu"];

/// Every address of the text, in order.
pub(super) fn all(text: &str) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = text
        .match_indices(['@', '\u{ff20}', '\u{fe6b}'])
        .map(|(at, sign)| at..at + sign.len())
        .collect();
    // Of the same length, byte for byte.
    let lower = text.to_ascii_lowercase();
    for sign in AT {
        marks.extend(lower.match_indices(sign).map(|(at, s)| at..at + s.len()));
    }
    marks.sort_unstable_by_key(|m| m.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut floor = 0;
    for mark in marks {
        if mark.start < floor {
            continue;
        }
        let before = &text[floor..mark.start];
        let near = before.trim_end_matches(' ');
        let run = near.char_indices().rev().take(LOCAL);
        let run = run.take_while(|(_, c)| local(*c)).last();
        let local = run.map_or("", |(at, _)| &near[at..]);
        let local = local.trim_start_matches(['.', '-', '\'', '%']);
        let rest = &text[mark.end..];
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        let spaced = spaces > 0 || near.len() < before.len();
        if !local.contains(char::is_alphanumeric) || spaces > 2 || before.len() - near.len() > 2 {
            continue;
        }
        let from = mark.end + spaces;
        if let Some(end) = domain(text, &lower, from, spaced) {
            // Within `near`, which begins where the last address ended.
            let start = floor + near.len() - local.len();
            out.push(start..end);
            floor = end;
        }
    }
    out
}

fn local(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '.' | '_' | '%' | '+' | '-' | '\'' | '*' | '=' | '~' | '&'
        )
}

/// Where the domain that begins here ends, if one does.
fn domain(text: &str, lower: &str, from: usize, spaced: bool) -> Option<usize> {
    let label = |at: usize| {
        let rest = &text[at..];
        let len = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '-'))
            .unwrap_or(rest.len());
        &rest[..len]
    };
    let first = label(from);
    let mut end = from + first.len();
    let mut dots = 0;
    if !first.contains(char::is_alphanumeric) {
        return None;
    }
    loop {
        let rest = &lower[end..];
        let tight = ['.', '\u{ff0e}', '\u{3002}']
            .iter()
            .find(|d| rest.starts_with(**d))
            .map(|d| d.len_utf8());
        let worded = DOT.iter().find(|d| rest.starts_with(**d)).map(|d| d.len());
        let apart = [" . ", " .", ". "]
            .iter()
            .find(|d| rest.starts_with(**d))
            .map(|d| d.len())
            .filter(|n| ENDS.contains(&label(end + n)));
        let Some(dot) = apart.or(worded).or(tight) else {
            break;
        };
        let next = label(end + dot);
        if !next.contains(char::is_alphanumeric) {
            break;
        }
        end += dot + next.len();
        dots += 1;
    }
    // bo@gmail is an address that lacks its end; 5 @ 20 and «mødes @ cafeen» are none.
    let named = dots > 0
        || (!spaced && first.chars().count() > 1 && first.chars().all(char::is_alphabetic));
    named.then_some(end)
}

/// An address as it is compared.
pub(super) fn plain(address: &str) -> String {
    let address = address.to_lowercase();
    address.split_whitespace().collect()
}
