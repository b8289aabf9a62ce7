//! The facts of a text: numbers with unit and limit, dates, times, contacts, paragraphs of law.

use crate::lexicon::Unit;

mod reader;

pub(crate) use reader::facts;

/// What a number is a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    None,
    Over,
    AtLeast,
    Under,
    AtMost,
    Latest,
    Within,
    Before,
    Earliest,
    After,
    From,
    Until,
    /// "when you turn 18"
    Turned,
    About,
    Each,
}

impl Bound {
    /// Whether a sentence may say this where the section says `other`.
    pub(crate) fn agrees(self, other: Bound) -> bool {
        use Bound::{AtLeast, AtMost, Before, From, Latest, None, Turned, Until, Within};
        self == other
            || matches!(
                (self, other),
                (Within, Before | Latest)
                    | (Before | Latest, Within)
                    | (Latest | AtMost, Until)
                    | (Until, Latest | AtMost)
                    | (AtMost, Within)
                    | (Within, AtMost)
                    | (AtLeast, From | Turned)
                    | (From, AtLeast | Turned)
                    | (Turned, AtLeast | From | None)
                    | (None, Turned)
            )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Number,
    Date,
    Month,
    Weekday,
    Time,
    Contact,
    Law,
}

#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) what: What,
    /// In its one form.
    pub(crate) value: String,
    pub(crate) unit: Option<Unit>,
    /// "a month" after an amount.
    pub(crate) per: Option<Unit>,
    pub(crate) bound: Bound,
    /// "14 days before", "four weeks after".
    pub(crate) side: Bound,
    /// Bytes in the source.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Fact {
    /// The same fact, whatever its limit.
    pub(crate) fn same(&self, other: &Fact) -> bool {
        self.what == other.what
            && self.value == other.value
            && (self.unit == other.unit || self.age(other) || other.age(self))
            && (self.per == other.per || (self.per.is_none() && self.unit != Some(Unit::Kroner)))
    }

    /// Whether this is an age without its unit: "fyldt 18" for "fyldt 18 år". What is only counted is none.
    fn age(&self, other: &Fact) -> bool {
        self.unit.is_none() && self.bound != Bound::None && other.unit == Some(Unit::Year)
    }

    /// Under the same limit.
    pub(crate) fn within(&self, other: &Fact) -> bool {
        self.bound.agrees(other.bound)
            && (self.side == other.side
                || self.side == Bound::None
                    && self.bound != Bound::None
                    && other.side == Bound::After)
    }
}

#[cfg(test)]
mod tests;
