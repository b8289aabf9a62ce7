//! One fact of a true sentence changed.

use base::Lang;

use super::exchange::{capital, digits};
use super::{Dice, Truth, words};
use crate::facts::{Bound, Fact, What, facts};
use crate::lexicon::{MONTHS, Tongue, Unit};
use crate::token::{Token, tokens};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Number,
    /// A number of the same unit that the cited sections say of something else.
    AnotherNumber,
    Unit,
    Amount,
    Age,
    Date,
    Time,
    Limit,
    DenialAdded,
    DenialRemoved,
    Modality,
    Quantity,
    Promise,
    Name,
    Municipality,
    Contact,
    Law,
    /// A condition, said as if it were so.
    Condition,
    /// A sentence of another article of the same area, or of any where the area has no other.
    Elsewhere,
}

impl Change {
    /// What is changed in a sentence.
    pub const ALL: [Change; 18] = [
        Change::Number,
        Change::AnotherNumber,
        Change::Unit,
        Change::Amount,
        Change::Age,
        Change::Date,
        Change::Time,
        Change::Limit,
        Change::DenialAdded,
        Change::DenialRemoved,
        Change::Modality,
        Change::Quantity,
        Change::Promise,
        Change::Name,
        Change::Municipality,
        Change::Contact,
        Change::Law,
        Change::Condition,
    ];
}

pub(super) enum Made {
    /// The sentence has nothing to change in this way.
    None,
    /// The change leaves it true, for this reason.
    True(&'static str),
    Wrong(String),
}

/// Changes one thing. `around` are the cited sections' texts.
pub(super) fn change(kind: Change, truth: &Truth, around: &[&str], dice: &mut Dice) -> Made {
    let tongue = if truth.lang == Lang::En {
        Tongue::English
    } else {
        Tongue::Danish
    };
    let work = Work {
        text: &truth.text,
        tongue,
        tokens: tokens(&truth.text),
        around,
    };
    let made = match kind {
        Change::Number => work.value(dice, |f| f.what == What::Number && !money(f) && !age(f)),
        Change::AnotherNumber => work.another(dice),
        Change::Amount => work.value(dice, |f| f.what == What::Number && money(f)),
        Change::Age => work.value(dice, |f| f.what == What::Number && age(f)),
        Change::Date => work.date(dice),
        Change::Time => work.value(dice, |f| f.what == What::Time),
        Change::Contact => work.contact(dice),
        Change::Law => work.value(dice, |f| f.what == What::Law),
        Change::Unit => work.near_number(words::units(tongue), dice, true),
        Change::Limit => work.near_number(words::limits(tongue), dice, false),
        Change::DenialRemoved => work.swap(words::denials(tongue), dice),
        Change::DenialAdded => work.deny(dice),
        Change::Modality => work.swap(words::modals(tongue), dice),
        Change::Quantity => work.swap(words::quantities(tongue), dice),
        Change::Promise => work.swap(words::promises(tongue), dice),
        Change::Name => work.name(dice),
        Change::Municipality => work.municipality(dice),
        Change::Condition => work.condition(dice),
        // Drawn, not made.
        Change::Elsewhere => return Made::None,
    };
    match made {
        Made::Wrong(text) if same(&text, &truth.text) => Made::None,
        // A condition stands in its section; as a sentence of its own it does not.
        Made::Wrong(text)
            if kind != Change::Condition && around.iter().any(|body| holds(body, &text)) =>
        {
            Made::True("the changed sentence stands in the section too")
        }
        other => other,
    }
}

fn money(f: &Fact) -> bool {
    matches!(f.unit, Some(Unit::Kroner | Unit::Percent))
}

fn age(f: &Fact) -> bool {
    f.unit == Some(Unit::Year)
        && matches!(
            f.bound,
            Bound::Under
                | Bound::Over
                | Bound::From
                | Bound::AtLeast
                | Bound::Turned
                | Bound::Until
        )
}

fn same(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

pub(super) fn holds(body: &str, text: &str) -> bool {
    let plain = |t: &str| {
        t.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    plain(body).contains(&plain(text))
}

/// A sentence that is worked on.
pub(super) struct Work<'a> {
    pub(super) text: &'a str,
    pub(super) tongue: Tongue,
    pub(super) tokens: Vec<Token>,
    around: &'a [&'a str],
}

impl Work<'_> {
    pub(super) fn replaced(&self, start: usize, end: usize, new: &str) -> String {
        let before = &self.text[..start];
        let first = before.trim().is_empty();
        let new = if first { capital(new) } else { new.to_owned() };
        let out = format!("{before}{new}{}", &self.text[end..]);
        out.replace("  ", " ").replace(" ,", ",").replace(" .", ".")
    }

    fn facts(&self) -> Vec<Fact> {
        facts(&self.tokens, self.tongue)
    }

    /// One fact gets another value of the same look.
    fn value(&self, dice: &mut Dice, wanted: impl Fn(&Fact) -> bool) -> Made {
        let all = self.facts();
        let list: Vec<&Fact> = all.iter().filter(|f| wanted(f)).collect();
        let Some(fact) = dice.of_list(&list) else {
            return Made::None;
        };
        let Some((start, end, new)) = self.other_value(fact, dice) else {
            return Made::None;
        };
        self.unless_there(fact, self.replaced(start, end, &new))
    }

    /// Refuses a change whose new fact stands in the same sentence anyway.
    fn unless_there(&self, old: &Fact, text: String) -> Made {
        let new = facts(&tokens(&text), self.tongue);
        let before = self.facts();
        let fresh = new
            .iter()
            .filter(|f| f.what == old.what)
            .any(|f| !before.iter().any(|b| b.same(f) && b.bound == f.bound));
        if fresh {
            Made::Wrong(text)
        } else {
            Made::True("the sentence says the new value too")
        }
    }

    fn other_value(&self, fact: &Fact, dice: &mut Dice) -> Option<(usize, usize, String)> {
        let inside = self
            .tokens
            .iter()
            .filter(|t| t.start >= fact.start && t.end <= fact.end);
        for t in inside {
            let source = &self.text[t.start..t.end];
            if t.number() {
                return Some((t.start, t.end, digits(source, dice, fact.what)?));
            }
            const DANISH: &[&str] = &[
                "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti", "tolv", "fjorten",
                "tyve",
            ];
            const ENGLISH: &[&str] = &[
                "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve",
                "fourteen", "twenty",
            ];
            let list = if self.tongue == Tongue::Danish {
                DANISH
            } else {
                ENGLISH
            };
            if list.contains(&t.text.as_str()) {
                let rest: Vec<&str> = list.iter().copied().filter(|w| *w != t.text).collect();
                return Some((t.start, t.end, dice.of_list(&rest)?.to_owned()));
            }
        }
        None
    }

    /// A value of the same unit from elsewhere in the cited sections, the sentence's own other ones included.
    fn another(&self, dice: &mut Dice) -> Made {
        let own = self.facts();
        let list: Vec<&Fact> = own
            .iter()
            .filter(|f| {
                f.what == What::Number
                    && f.unit.is_some()
                    && self.text[f.start..].starts_with(|c: char| c.is_ascii_digit())
            })
            .collect();
        let Some(fact) = dice.of_list(&list) else {
            return Made::None;
        };
        let mut values: Vec<String> = Vec::new();
        for body in self.around {
            for f in facts(&tokens(body), Tongue::Danish) {
                let digits = f.value.bytes().all(|b| b.is_ascii_digit());
                if f.what == What::Number && f.unit == fact.unit && digits && f.value != fact.value
                {
                    values.push(f.value);
                }
            }
        }
        values.sort();
        values.dedup();
        let list: Vec<&str> = values.iter().map(String::as_str).collect();
        let Some(new) = dice.of_list(&list) else {
            return Made::None;
        };
        let Some(t) = self
            .tokens
            .iter()
            .find(|t| t.number() && t.start == fact.start)
        else {
            return Made::None;
        };
        Made::Wrong(self.replaced(t.start, t.end, new))
    }

    fn date(&self, dice: &mut Dice) -> Made {
        let all = self.facts();
        let list: Vec<&Fact> = all
            .iter()
            .filter(|f| matches!(f.what, What::Date | What::Month | What::Weekday))
            .collect();
        let Some(fact) = dice.of_list(&list) else {
            return Made::None;
        };
        let inside: Vec<&Token> = self
            .tokens
            .iter()
            .filter(|t| t.start >= fact.start && t.end <= fact.end)
            .collect();
        let column = usize::from(self.tongue == Tongue::English);
        let words: Vec<&&Token> = inside
            .iter()
            .filter(|t| t.word() && t.text.len() > 2)
            .collect();
        if let Some(t) = words
            .first()
            .filter(|_| fact.what != What::Date || dice.below(2) == 0)
        {
            const DAYS: [[&str; 2]; 7] = [
                ["mandag", "Monday"],
                ["tirsdag", "Tuesday"],
                ["onsdag", "Wednesday"],
                ["torsdag", "Thursday"],
                ["fredag", "Friday"],
                ["lørdag", "Saturday"],
                ["søndag", "Sunday"],
            ];
            let names: Vec<&str> = if fact.what == What::Weekday {
                DAYS.iter().map(|d| d[column]).collect()
            } else {
                MONTHS.iter().map(|m| m[column]).collect()
            };
            let rest: Vec<&str> = names
                .into_iter()
                .filter(|n| {
                    !all.iter().any(|f| {
                        self.text[f.start..f.end]
                            .to_lowercase()
                            .contains(&n.to_lowercase())
                    })
                })
                .collect();
            let Some(new) = dice.of_list(&rest) else {
                return Made::None;
            };
            let new = if self.tongue == Tongue::English {
                capital(new)
            } else {
                new.to_owned()
            };
            return Made::Wrong(self.replaced(t.start, t.end, &new));
        }
        let Some(t) = inside.iter().find(|t| t.number()) else {
            return Made::None;
        };
        let Some(new) = digits(&self.text[t.start..t.end], dice, What::Date) else {
            return Made::None;
        };
        self.unless_there(fact, self.replaced(t.start, t.end, &new))
    }

    fn contact(&self, dice: &mut Dice) -> Made {
        let all = self.facts();
        let list: Vec<&Fact> = all.iter().filter(|f| f.what == What::Contact).collect();
        let Some(fact) = dice.of_list(&list) else {
            return Made::None;
        };
        let source = &self.text[fact.start..fact.end];
        if source.starts_with(|c: char| c.is_ascii_digit()) {
            let Some(new) = digits(source, dice, What::Contact) else {
                return Made::None;
            };
            return Made::Wrong(self.replaced(fact.start, fact.end, &new));
        }
        let other = [
            "borger.dk",
            "skat.dk",
            "sundhed.dk",
            "politi.dk",
            "virk.dk",
            "nyidanmark.dk",
            "jobnet.dk",
            "boliga.dk",
        ];
        let rest: Vec<&str> = other
            .iter()
            .copied()
            .filter(|o| !source.contains(o) && !self.text.contains(o))
            .collect();
        let new = match (dice.below(2), source.split_once('.')) {
            (0, Some((host, end))) => format!("{host}s.{end}"),
            _ => dice.of_list(&rest).unwrap_or("borgerne.dk").to_owned(),
        };
        Made::Wrong(self.replaced(fact.start, fact.end, &new))
    }

    /// The places of words, whole and in either case.
    pub(super) fn places(&self, words: &str) -> Vec<(usize, usize)> {
        let lower = self.text.to_lowercase();
        if lower.len() != self.text.len() {
            return Vec::new();
        }
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '\'');
        lower
            .match_indices(words)
            .map(|(at, w)| (at, at + w.len()))
            .filter(|(a, b)| {
                edge(lower[..*a].chars().next_back()) && edge(lower[*b..].chars().next())
            })
            .collect()
    }

    fn swap(&self, pairs: &[words::Pair], dice: &mut Dice) -> Made {
        let mut list = Vec::new();
        for (from, to) in pairs {
            for (start, end) in self.places(from) {
                // "eller ikke" says the same without its second half; "not only" limits nothing.
                let before = self.text[..start].to_lowercase();
                let after = self.text[end..].to_lowercase();
                let idle = before.ends_with("eller ") && *from == "ikke"
                    || before.ends_with("or ") && *from == "not"
                    || after.starts_with(" kun ")
                    || after.starts_with(" only ")
                    || after.starts_with(" more than")
                    || after.starts_with(" later than")
                    || after.starts_with(" mindst")
                    || *from == "all" && before.ends_with("at ")
                    || *from == "må" && after.starts_with(" ikke")
                    || *from == "kun" && before.ends_with("ikke ")
                    || *from == "uden" && (after.starts_with(" for ") || after.starts_with(" på "))
                    || *from == "du kan" && !after.starts_with(" få");
                if !idle {
                    list.push((start, end, *to));
                }
            }
        }
        let Some((start, end, to)) = dice.of_list(&list) else {
            return Made::None;
        };
        Made::Wrong(self.replaced(start, end, to))
    }

    /// A word that limits a number, or its unit, becomes another.
    fn near_number(&self, pairs: &[words::Pair], dice: &mut Dice, unit: bool) -> Made {
        let all = self.facts();
        let mut list = Vec::new();
        for (from, to) in pairs {
            for (start, end) in self.places(from) {
                let near = all.iter().any(|f| {
                    if unit {
                        f.what == What::Number
                            && end >= f.start
                            && start <= f.end + 12
                            && start > f.start
                    } else {
                        matches!(f.what, What::Number | What::Date | What::Time | What::Month)
                            && f.bound != Bound::None
                            && (f.start >= end && f.start <= end + 5
                                || start >= f.end && start <= f.end + 2)
                    }
                });
                if near {
                    list.push((start, end, *to));
                }
            }
        }
        let Some((start, end, to)) = dice.of_list(&list) else {
            return Made::None;
        };
        Made::Wrong(self.replaced(start, end, to))
    }

    fn deny(&self, dice: &mut Dice) -> Made {
        let word = if self.tongue == Tongue::Danish {
            "ikke"
        } else {
            "not"
        };
        let mut list = Vec::new();
        for verb in words::verbs(self.tongue) {
            for (_, end) in self.places(verb) {
                let rest = self.text[end..].trim_start();
                let next = rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or("");
                let pronoun = matches!(
                    next,
                    "du" | "I" | "man" | "vi" | "det" | "den" | "der" | "you" | "we" | "it"
                );
                let at = if pronoun {
                    end + (self.text[end..].len() - rest.len()) + next.len()
                } else {
                    end
                };
                // Denied already, or a question.
                let denied =
                    self.text[at..].trim_start().starts_with(word) || self.text.ends_with('?');
                if !denied && (!pronoun || self.tongue == Tongue::Danish) {
                    list.push(at);
                }
            }
        }
        let Some(at) = dice.of_list(&list) else {
            return Made::None;
        };
        Made::Wrong(format!("{} {word}{}", &self.text[..at], &self.text[at..]))
    }
}
