//! The digits of a text, in groups as they are written, and what stands between the groups.

use unicode_normalization::char::decompose_compatible;

use super::context::{self, Named};

/// Zeros of the decimal scripts; each is followed by its nine others (Unicode, general category Nd). Forms of the
/// Latin digits (full-width, superscript, circled, mathematical) are found by their decomposition.
const ZEROS: [char; 22] = [
    '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}',
    '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}', '\u{1946}',
];

/// The value of a character that people read as one digit.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.to_digit(10).and_then(|d| u8::try_from(d).ok());
    }
    if c.is_alphabetic() {
        return None;
    }
    let of = |c: char| {
        let zero = ZEROS.iter().rev().find(|z| **z <= c)?;
        u8::try_from(u32::from(c) - u32::from(*zero))
            .ok()
            .filter(|d| *d < 10)
    };
    of(c).or_else(|| {
        let (mut only, mut count) = (None, 0);
        decompose_compatible(c, |d| {
            (only, count) = (Some(d), count + 1);
        });
        only.filter(|_| count == 1).and_then(of)
    })
}

/// Bytes between two groups of one number at most.
const GAP: usize = 16;

pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its digits begin among all.
    at: usize,
    pub(super) len: usize,
    taken: bool,
}

/// Something that was found.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The group that follows.
    pub(super) next: usize,
    pub(super) digits: Vec<u8>,
}

pub(super) struct Digits<'t> {
    pub(super) text: &'t str,
    all: Vec<u8>,
    groups: Vec<Group>,
}

impl<'t> Digits<'t> {
    pub(super) fn scan(text: &'t str) -> Self {
        let (mut all, mut groups) = (Vec::new(), Vec::<Group>::new());
        for (start, c) in text.char_indices() {
            let Some(value) = digit(c) else { continue };
            let end = start + c.len_utf8();
            match groups.last_mut() {
                Some(g) if g.end == start => (g.end, g.len) = (end, g.len + 1),
                _ => groups.push(Group {
                    start,
                    end,
                    at: all.len(),
                    len: 1,
                    taken: false,
                }),
            }
            all.push(value);
        }
        Self { text, all, groups }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn group(&self, i: usize) -> &Group {
        &self.groups[i]
    }

    pub(super) fn free(&self, i: usize) -> bool {
        !self.groups[i].taken
    }

    /// The first group that ends behind this byte.
    pub(super) fn first_from(&self, start: usize) -> usize {
        self.groups.partition_point(|g| g.end <= start)
    }

    /// Nothing else is made of what stands between these bytes.
    pub(super) fn take(&mut self, start: usize, end: usize) {
        let from = self.first_from(start);
        for g in self.groups[from..].iter_mut().take_while(|g| g.start < end) {
            g.taken = true;
        }
    }

    /// The digits of these groups.
    pub(super) fn of(&self, groups: std::ops::Range<usize>) -> &[u8] {
        let (Some(first), Some(last)) = (
            self.groups.get(groups.start),
            self.groups.get(groups.end.wrapping_sub(1)),
        ) else {
            return &[];
        };
        &self.all[first.at..last.at + last.len]
    }

    /// What stands between a group and the one before it.
    pub(super) fn gap(&self, i: usize) -> &'t str {
        match i.checked_sub(1) {
            Some(before) => &self.text[self.groups[before].end..self.groups[i].start],
            None => "",
        }
    }

    /// Whether a group goes on from the one before it, with nothing but signs between.
    pub(super) fn joined(&self, i: usize) -> bool {
        if i == 0 || i >= self.groups.len() || !self.free(i) || !self.free(i - 1) {
            return false;
        }
        let gap = self.gap(i);
        gap.len() <= GAP && !gap.contains(char::is_alphanumeric) && !gap.contains(['[', ']'])
    }

    /// As [`Digits::joined`], with spaces, dots, hyphens, slashes or brackets alone, and no line end.
    pub(super) fn close(&self, i: usize) -> bool {
        self.joined(i)
            && self.gap(i).chars().count() <= 3
            && self.gap(i).chars().all(|c| {
                (c.is_whitespace() && c != '\n') || dash(c) || matches!(c, '.' | '/' | '(' | ')')
            })
    }

    pub(super) fn before(&self, i: usize) -> Option<char> {
        self.text[..self.groups[i].start].chars().next_back()
    }

    pub(super) fn after(&self, i: usize) -> Option<char> {
        self.text[self.groups[i].end..].chars().next()
    }

    /// What the words beside these groups call the number: the nearest before it, or else those after it.
    pub(super) fn named(&self, groups: std::ops::Range<usize>) -> Option<Named> {
        let (first, last) = (&self.groups[groups.start], &self.groups[groups.end - 1]);
        context::named(self.text, first.start, last.end)
    }

    pub(super) fn found(&self, groups: std::ops::Range<usize>) -> Found {
        Found {
            start: self.groups[groups.start].start,
            end: self.groups[groups.end - 1].end,
            next: groups.end,
            digits: self.of(groups).to_vec(),
        }
    }
}

pub(super) fn dash(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}
