//! A text as clauses, each with its terms, facts, names and marks.

use crate::content::{Term, terms};
use crate::facts::{Fact, facts};
use crate::lexicon::{Mark, Tongue, field, imperative, marks};
use crate::token::{Token, tokens};

/// What begins a clause that tells of somebody or of a time, and states nothing by itself.
pub(crate) const RELATIVE: &[&str] = &[
    "der", "som", "efter", "så", "indtil", "før", "inden", "om", "who", "that", "which", "whose",
    "after", "before", "until", "whether", "as",
];

/// A stretch of a sentence with at least two things to say, where the sentence has them.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub(crate) terms: Vec<Term>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) names: Vec<Named>,
    pub(crate) marks: Vec<Mark>,
    /// Words that begin a command.
    pub(crate) commands: usize,
    /// We, us: the municipality speaks.
    pub(crate) we: bool,
    /// It, they, here: what is meant stands before.
    pub(crate) refers: bool,
    /// It has a part like "der får afslag", "efter du er flyttet".
    pub(crate) subordinate: bool,
    /// It begins with a condition: "hvis du …", "og får du …".
    pub(crate) asks: bool,
    /// All its words, for telling apart stretches that say nearly the same.
    pub(crate) words: Vec<String>,
    /// Bytes in the source.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) key: String,
    pub(crate) kind: char,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Clause {
    pub(crate) fn count(&self, mark: Mark) -> usize {
        self.marks.iter().filter(|m| **m == mark).count()
    }
}

/// The clauses of one sentence, or of a heading. Each says at least `least` things, if the sentence does:
/// one where it is evidence, so that any stretch of it can be met; two where it is judged, so that it can be
/// recognised.
pub(crate) fn clauses(text: &str, tongue: Tongue, least: usize) -> Vec<Clause> {
    let tokens = tokens(text);
    let all_facts = facts(&tokens, tongue);
    let all_names = field().find(&tokens, tongue);
    let all_marks = marks(&tokens, tongue);
    let mut taken = vec![false; tokens.len()];
    for (i, token) in tokens.iter().enumerate() {
        taken[i] = all_facts
            .iter()
            .any(|f| f.start <= token.start && token.end <= f.end)
            // A verb that stands first for an if is a word of the matter still.
            || all_marks.iter().any(|(m, mark)| *m == i && *mark != Mark::If);
    }
    for name in &all_names {
        taken[name.from..name.to].fill(true);
    }
    let all_terms = terms(&tokens, &taken, tongue);
    let weight = |from: usize, to: usize| {
        let bytes = (tokens[from].start, tokens[to - 1].end);
        all_terms
            .iter()
            .filter(|t| (from..to).contains(&t.token) && t.weight >= 0.5)
            .count()
            + all_names
                .iter()
                .filter(|n| n.from >= from && n.from < to)
                .count()
            + all_facts
                .iter()
                .filter(|f| f.start >= bytes.0 && f.start < bytes.1)
                .count()
    };
    let matter = |from: usize, to: usize| {
        (from..to).any(|i| {
            let token = &tokens[i];
            all_terms.iter().any(|t| t.token == i && t.weight >= 0.5)
                || all_names.iter().any(|n| (n.from..n.to).contains(&i))
                || all_facts
                    .iter()
                    .any(|f| f.start <= token.start && token.end <= f.end)
        })
    };
    // "150 kr. for børn og 300 kr. for voksne" says two things; "to og tre uger" does not.
    let parts = |from: usize, at: usize, to: usize| {
        let place = |byte: usize| tokens.partition_point(|t| t.start < byte);
        let inside = |a: usize, b: usize| {
            all_facts
                .iter()
                .map(move |f| (f, place(f.start), place(f.end)))
                .filter(move |(_, s, e)| *s >= a && *e <= b)
        };
        inside(at + 1, to).any(|(right, start, _)| {
            let mut left = inside(from, at);
            let left = left.rfind(|(l, ..)| l.what == right.what && l.unit == right.unit);
            left.is_some_and(|(_, _, end)| matter(end, at) || matter(at + 1, start))
        })
    };
    let mut out = Vec::new();
    for (from, to) in stretches(&tokens, least, weight, parts) {
        let (start, end) = (tokens[from].start, tokens[to - 1].end);
        let inside = &tokens[from..to];
        let mut terms: Vec<Term> = Vec::new();
        for term in all_terms.iter().filter(|t| (from..to).contains(&t.token)) {
            if !terms.iter().any(|t| t.forms == term.forms) {
                terms.push(term.clone());
            }
        }
        out.push(Clause {
            terms,
            facts: all_facts
                .iter()
                .filter(|f| f.start >= start && f.start < end)
                .cloned()
                .collect(),
            names: all_names
                .iter()
                .filter(|n| n.from >= from && n.from < to)
                .map(|n| Named {
                    key: n.key.clone(),
                    kind: n.kind,
                    start: tokens[n.from].start,
                    end: tokens[n.to - 1].end,
                })
                .collect(),
            marks: all_marks
                .iter()
                .filter(|(i, _)| (from..to).contains(i))
                .map(|(_, m)| *m)
                .collect(),
            commands: commands(inside, tongue),
            we: inside
                .iter()
                .any(|t| matches!(t.text.as_str(), "vi" | "os" | "vores" | "we" | "us" | "our")),
            refers: inside.iter().any(|t| {
                matches!(
                    t.text.as_str(),
                    "den"
                        | "det"
                        | "de"
                        | "dem"
                        | "han"
                        | "hun"
                        | "her"
                        | "dér"
                        | "der"
                        | "deres"
                        | "it"
                        | "they"
                        | "them"
                        | "there"
                )
            }),
            subordinate: (from..to).any(|i| {
                // The first word, or the first after a comma; of a time, wherever it stands.
                let begins = i == from || i.checked_sub(1).is_some_and(|b| tokens[b].is(","));
                let word = tokens[i].text.as_str();
                (begins && RELATIVE.contains(&word))
                    || matches!(word, "efter" | "før" | "after" | "before" | "until")
            }),
            asks: {
                let words: Vec<usize> = (from..to).filter(|i| tokens[*i].word()).take(2).collect();
                let opens = |m: &Mark| matches!(m, Mark::If | Mark::Except);
                all_marks.iter().any(|(i, m)| opens(m) && words.contains(i))
            },
            words: inside
                .iter()
                .filter(|t| t.word())
                .map(|t| t.text.clone())
                .collect(),
            start,
            end,
        });
    }
    out
}

/// Commands: an imperative at the start, after a comma, a colon or a joining word.
fn commands(tokens: &[Token], tongue: Tongue) -> usize {
    let mut begins = true;
    let mut n = 0;
    for t in tokens {
        if t.word() {
            n += usize::from(begins && imperative(&t.text, tongue));
            begins = match tongue {
                Tongue::Danish => matches!(t.text.as_str(), "og" | "eller" | "så" | "men"),
                Tongue::English => {
                    matches!(t.text.as_str(), "and" | "or" | "then" | "please" | "but")
                }
            };
        } else if matches!(t.text.as_str(), "," | ":" | ";" | "-" | "–" | ".") {
            begins = true;
        }
    }
    n
}

/// Where the clauses of a sentence lie: cut at marks, at "men" and at an "og" between two things, and joined
/// where a piece says too little by itself to be recognised.
fn stretches(
    tokens: &[Token],
    least: usize,
    weight: impl Fn(usize, usize) -> usize,
    parts: impl Fn(usize, usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    let mark = |t: &Token| {
        matches!(
            t.text.as_str(),
            "," | ";" | ":" | "(" | ")" | "–" | "?" | "!"
        )
    };
    for (i, t) in tokens.iter().enumerate() {
        let joins = matches!(t.text.as_str(), "og" | "eller" | "and" | "or");
        let rest = || {
            tokens[i..]
                .iter()
                .position(mark)
                .map_or(tokens.len(), |n| i + n)
        };
        let cut = mark(t)
            || (i > from && (t.is("men") || t.is("but")))
            || (i > from && joins && parts(from, i, rest()));
        if !cut || i == from {
            continue;
        }
        if weight(from, i) >= least {
            out.push((from, i));
            from = i;
        }
    }
    if from < tokens.len() {
        if weight(from, tokens.len()) >= least || out.is_empty() {
            out.push((from, tokens.len()));
        } else if let Some(last) = out.last_mut() {
            last.1 = tokens.len();
        }
    }
    out
}
