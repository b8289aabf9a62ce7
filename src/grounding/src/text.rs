//! From Markdown to lines and sentences, knowing Danish abbreviations and ordinals.

use crate::lexicon::month;

/// One sentence of a generated answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Without Markdown, trimmed.
    pub text: String,
}

impl Sentence {
    pub fn new(text: &str) -> Self {
        Self {
            text: plain(text, &mut Vec::new()).trim().to_owned(),
        }
    }
}

/// After these a full stop ends no sentence.
pub(crate) const ABBREVIATIONS: &[&str] = &[
    "kr", "bl", "a", "bl.a", "f", "eks", "f.eks", "fx", "ca", "nr", "stk", "tlf", "kl", "jf",
    "jfr", "osv", "evt", "inkl", "ekskl", "m", "m.m", "m.v", "mv", "mio", "mia", "maks", "min",
    "pr", "pct", "pkt", "hhv", "dvs", "d.v.s", "vedr", "afd", "adr", "dr", "dir", "etc", "e.g",
    "i.e", "no", "tel", "approx", "incl", "excl", "art", "kap", "mr", "mrs", "ms", "st", "sml",
    "ang", "d", "alm", "mfl", "m.fl", "o.l", "ol", "p.m", "a.m", "max",
];

/// The sentences of an answer: a new line always ends one, and so do `.`, `!` and `?` before a space, but
/// not after an abbreviation, and not after an ordinal ("12. marts", "3. gang").
pub fn sentences(text: &str) -> Vec<Sentence> {
    lines(text)
        .iter()
        .flat_map(|line| split(line))
        .map(|text| Sentence { text })
        .collect()
}

/// The lines of a Markdown text that hold words, marks of lists and emphasis taken off.
pub(crate) fn lines(markdown: &str) -> Vec<String> {
    lines_and_addresses(markdown, &mut Vec::new())
}

/// As [`lines`]; the addresses of links, which leave the text, are put aside.
pub(crate) fn lines_and_addresses(markdown: &str, addresses: &mut Vec<String>) -> Vec<String> {
    markdown
        .lines()
        .map(|line| plain(item(line.trim()), addresses))
        .filter(|line| line.chars().any(char::is_alphanumeric))
        .collect()
}

/// A list's item without its mark, a heading without its hashes.
fn item(line: &str) -> &str {
    let line = line.trim_start_matches('#').trim_start();
    for mark in ["- ", "* ", "• "] {
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim_start();
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match line.get(digits..) {
        // A number that only a capital follows counts the steps; "12. marts" does not.
        Some(rest) if (1..=2).contains(&digits) => rest
            .strip_prefix(". ")
            .or_else(|| rest.strip_prefix(") "))
            .filter(|r| r.chars().next().is_some_and(|c| !c.is_lowercase()))
            .unwrap_or(line),
        _ => line,
    }
}

/// A line without emphasis and with links as their text alone.
fn plain(line: &str, addresses: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let link = rest[open..].find("](").and_then(|middle| {
            let end = rest[open + middle..].find(')')?;
            Some((open + middle, open + middle + end))
        });
        let Some((middle, end)) = link else { break };
        out.push_str(&rest[..open]);
        out.push_str(&rest[open + 1..middle]);
        addresses.push(rest[middle + 2..end].to_owned());
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out.replace("**", "").replace('`', "").trim().to_owned()
}

fn split(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        if !matches!(c, '.' | '!' | '?') {
            continue;
        }
        let end = at + c.len_utf8();
        let after = &line[end..];
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            continue;
        }
        if c == '.' && !ends_here(&line[start..at], after.trim_start()) {
            continue;
        }
        push(&mut out, &line[start..end]);
        start = end;
    }
    push(&mut out, &line[start..]);
    out
}

fn push(out: &mut Vec<String>, text: &str) {
    let text = text.trim();
    if text.chars().any(char::is_alphanumeric) {
        out.push(text.to_owned());
    }
}

/// Whether a full stop between these two ends a sentence.
fn ends_here(before: &str, after: &str) -> bool {
    let Some(next) = after.chars().next() else {
        return true;
    };
    let last = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or("")
        .to_lowercase();
    if !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) {
        // "12. marts", "3. gang", "1. Juli": an ordinal; "i 2026. Du skal": an end.
        let word: String = after
            .chars()
            .take_while(|c| c.is_alphabetic())
            .flat_map(char::to_lowercase)
            .collect();
        return last.len() > 2 || !(next.is_lowercase() || month(&word).is_some());
    }
    if next.is_lowercase() {
        return false;
    }
    // "100 kr. Det", "osv. Du": an end after what often stands last; elsewhere an abbreviation goes on.
    if ["kr", "osv", "mv", "m.v", "m.m", "etc", "m.fl", "mfl", "pct"].contains(&last.as_str()) {
        return next.is_uppercase();
    }
    !ABBREVIATIONS.contains(&last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        sentences(text).into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn abbreviations_and_ordinals_end_nothing() {
        assert_eq!(
            of(
                "Det koster 150 kr. om året, bl.a. for børn. Søg senest 12. marts kl. 10.00. Ring på tlf. 12 34 56 78!"
            ),
            [
                "Det koster 150 kr. om året, bl.a. for børn.",
                "Søg senest 12. marts kl. 10.00.",
                "Ring på tlf. 12 34 56 78!"
            ]
        );
        assert_eq!(
            of("Det koster 150 kr. Du betaler selv osv. Det gælder i 2026. Se mere."),
            [
                "Det koster 150 kr.",
                "Du betaler selv osv.",
                "Det gælder i 2026.",
                "Se mere."
            ]
        );
    }

    #[test]
    fn markdown_is_taken_off() {
        assert_eq!(
            of("- **Kort:** se [siden](https://x.dk/a).\n2. Ring til os\n12. marts er fristen"),
            ["Kort: se siden.", "Ring til os", "12. marts er fristen"]
        );
        let mut addresses = Vec::new();
        lines_and_addresses("se [siden](https://x.dk/a)", &mut addresses);
        assert_eq!(addresses, ["https://x.dk/a"]);
    }
}
