//! Words, numbers, addresses and marks, each with its place in the text.

use crate::text::ABBREVIATIONS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// In its one form: digits, `.` before decimals, `:` in a time, `/` in a date; no thousands' marks.
    Number,
    /// A web or e-mail address, lower case, without scheme, `www.` and last slash.
    Address,
    Mark,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Lower case.
    pub(crate) text: String,
    /// Bytes in the source.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) capital: bool,
    /// More than one capital, or one that is not at the start: MitID, SFO.
    pub(crate) camel: bool,
    /// The first word of the text.
    pub(crate) first: bool,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub(crate) fn number(&self) -> bool {
        self.kind == Kind::Number
    }
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(text.len() / 5 + 4);
    let mut first = true;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let rest = &text[at..];
        // The country's own code says nothing that the number does not.
        if let Some(subscriber) = rest.strip_prefix("+45")
            && number(subscriber.trim_start()).1.len() == 8
        {
            at += 3;
            continue;
        }
        let (kind, length, form) = if let Some((length, form)) = address(rest) {
            (Kind::Address, length, form)
        } else if c.is_ascii_digit() {
            let (length, form) = number(rest);
            (Kind::Number, length, form)
        } else if c.is_alphanumeric() {
            let length = word(rest);
            (Kind::Word, length, rest[..length].to_lowercase())
        } else {
            (Kind::Mark, c.len_utf8(), c.to_string())
        };
        let source = &rest[..length];
        let letters = kind == Kind::Word;
        out.push(Token {
            kind,
            text: form,
            start: at,
            end: at + length,
            capital: letters && c.is_uppercase(),
            camel: letters && source.chars().skip(1).any(char::is_uppercase),
            first: letters && first,
        });
        first &= !letters;
        at += length;
    }
    out
}

/// Letters and digits; an apostrophe inside belongs to the word ("don't"), a hyphen does not.
fn word(rest: &str) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inner = matches!(c, '\'' | '’')
            && at > 0
            && chars.peek().is_some_and(|(_, n)| n.is_alphabetic());
        if !c.is_alphanumeric() && !inner {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// A number at the start, and its one form. "10.000", "10,000" and "10 000" are the same; so are "2,5" and
/// "2.5"; groups of a telephone number are joined.
fn number(rest: &str) -> (usize, String) {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        bytes[from.min(bytes.len())..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let mut end = digits(0);
    let mut groups = vec![rest[..end].to_owned()];
    let mut marks = Vec::new();
    while let Some(&mark) = bytes
        .get(end)
        .filter(|b| matches!(b, b'.' | b',' | b':' | b'/'))
    {
        let n = digits(end + 1);
        if n == 0 {
            break;
        }
        marks.push(mark);
        groups.push(rest[end + 1..end + 1 + n].to_owned());
        end += 1 + n;
    }
    if marks.is_empty() {
        // Groups after single spaces: thousands (3 each) or a telephone number (2, 3 or 4 each).
        let first = groups[0].len();
        let (mut to, mut joined, mut sizes) = (end, groups[0].clone(), vec![first]);
        while bytes.get(to) == Some(&b' ')
            || (bytes.get(to) == Some(&0xc2) && bytes.get(to + 1) == Some(&0xa0))
        {
            let skip = if bytes[to] == b' ' { 1 } else { 2 };
            let n = digits(to + skip);
            let glued = bytes
                .get(to + skip + n)
                .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'/' | b':'));
            if !(2..=4).contains(&n) || glued {
                break;
            }
            joined.push_str(&rest[to + skip..to + skip + n]);
            sizes.push(n);
            to += skip + n;
        }
        let tail = &sizes[1..];
        let thousands = first <= 3 && !tail.is_empty() && tail.iter().all(|n| *n == 3);
        let phone = joined.len() >= 8 && tail.len() <= 4;
        if thousands || phone {
            return (to, joined);
        }
        return (end, groups.swap_remove(0));
    }
    let all = |m: u8| marks.iter().all(|x| *x == m);
    let form = if all(b':') && groups.len() == 2 {
        format!("{}:{}", groups[0].trim_start_matches('0'), groups[1])
    } else if marks[0] == b'/' || (all(b'.') && groups.len() == 3 && groups[2].len() == 4) {
        let plain: Vec<&str> = groups.iter().map(|g| g.trim_start_matches('0')).collect();
        plain.join("/")
    } else if (all(b'.') || all(b','))
        && groups[0].len() <= 3
        && groups[1..].iter().all(|g| g.len() == 3)
    {
        groups.concat()
    } else {
        let decimals = groups.pop().unwrap_or_default();
        let decimals = decimals.trim_end_matches('0');
        let whole = groups.concat();
        if decimals.is_empty() {
            whole
        } else {
            format!("{whole}.{decimals}")
        }
    };
    (end, form)
}

/// A web or e-mail address at the start, its length and its one form.
fn address(rest: &str) -> Option<(usize, String)> {
    let around = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '(' | ')'
                    | '['
                    | ']'
                    | '{'
                    | '}'
                    | '<'
                    | '>'
                    | '"'
                    | '«'
                    | '»'
                    | '“'
                    | '”'
                    | '„'
                    | '‘'
            )
    };
    let chunk: &str = rest.split(around).next()?;
    let chunk = chunk.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '’', '*']);
    if chunk.len() < 4 || !chunk.contains('.') {
        return None;
    }
    let form = chunk.to_lowercase();
    let schemeless = form
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_start_matches("www.");
    let host = schemeless.split(['/', '?', '#']).next()?;
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let known = chunk.contains('@') || schemeless.len() < form.len() || domain(host);
    let plain = host
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '@' | '_' | '+'));
    (known && plain && !host.starts_with(['.', '-']))
        .then(|| (chunk.len(), schemeless.trim_end_matches('/').to_owned()))
}

/// Whether this is the name of a host, and none of "f.eks", "m.v", "12.marts".
fn domain(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let Some((last, names)) = labels.split_last() else {
        return false;
    };
    (2..=12).contains(&last.len())
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && names.iter().all(|l| !l.is_empty())
        && names.iter().any(|l| l.chars().any(char::is_alphabetic))
        && !ABBREVIATIONS.contains(&host)
        && !labels.iter().all(|l| ABBREVIATIONS.contains(l))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        tokens(text)
            .into_iter()
            .filter(|t| matches!(t.kind, Kind::Number | Kind::Address))
            .map(|t| t.text)
            .collect()
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(
            forms("10.000 10,000 og 10 000"),
            ["10000", "10000", "10000"]
        );
        assert_eq!(forms("2,5 eller 2.50"), ["2.5", "2.5"]);
        assert_eq!(
            forms("70 20 12 34, 70 201 201, +45 70201201"),
            ["70201234", "70201201", "70201201"]
        );
        assert_eq!(
            forms("12.03.2026, 12/3 og kl. 08:30"),
            ["12/3/2026", "12/3", "8:30"]
        );
        assert_eq!(forms("2-3 dage i 2026"), ["2", "3", "2026"]);
    }

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(
            forms("Gå til https://www.borger.dk/pas/, skriv til Post@By.dk eller se borger.dk."),
            ["borger.dk/pas", "post@by.dk", "borger.dk"]
        );
        assert_eq!(
            forms("“flyt.app”, [bit.ly/x], ‘x.se:8080/a’ og a.b.io#c"),
            ["flyt.app", "bit.ly/x", "x.se:8080/a", "a.b.io#c"]
        );
        assert_eq!(
            forms("f.eks. bl.a. m.v. e.g. d.v.s. m.fl. kr.pr.stk og/eller...ja"),
            [""; 0]
        );
    }
}
