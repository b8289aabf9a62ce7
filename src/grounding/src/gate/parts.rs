//! Sentences that give several things each its number: "150 kr. for børn og 300 kr. for voksne".

use crate::clause::{Clause, Named};
use crate::content::{Term, meets};
use crate::facts::Fact;

/// Whether two facts could stand in each other's place.
fn rival(a: &Fact, b: &Fact) -> bool {
    a.what == b.what && a.unit == b.unit
}

fn has_term(clause: &Clause, term: &Term) -> bool {
    let mut forms = clause.terms.iter().flat_map(|o| &o.forms);
    forms.any(|f| meets(f, &term.forms[0]) > 0.0)
}

fn has_name(clause: &Clause, name: &Named) -> bool {
    clause.names.iter().any(|o| o.key == name.key)
}

fn has_fact(clause: &Clause, fact: &Fact) -> bool {
    clause.facts.iter().any(|o| o.same(fact))
}

/// What a clause says beside such a fact and the other does not, in its order: where it stands, and whether the judged
/// clause says it too.
fn matter(clause: &Clause, other: &Clause, fact: &Fact, own: &Clause) -> Vec<(usize, bool)> {
    let terms = clause.terms.iter();
    let terms = terms.filter(|t| t.weight >= 0.5 && !has_term(other, t));
    let names = clause.names.iter().filter(|n| !has_name(other, n));
    let facts = clause.facts.iter();
    let facts = facts.filter(|f| !rival(f, fact) && !has_fact(other, f));
    let mut all: Vec<(usize, bool)> = terms
        .map(|t| (t.start, has_term(own, t)))
        .chain(names.map(|n| (n.start, has_name(own, n))))
        .chain(facts.map(|f| (f.start, has_fact(own, f))))
        .collect();
    all.sort_unstable();
    all
}

/// Whether a sentence says a fact of a clause of one thing, and `own` says it of what stands in another: `one` has
/// the fact, `other` one in its place.
pub(super) fn of_another(own: &Clause, fact: &Fact, one: &Clause, other: &Clause) -> bool {
    let place = |c: &Clause| c.facts.iter().find(|f| rival(f, fact)).map(|f| f.start);
    let (Some(one_at), Some(other_at)) = (place(one), place(other)) else {
        return false;
    };
    // A clause that says both has put each in its place, as far as can be seen.
    let mut theirs = other.facts.iter();
    let both = theirs.any(|f| rival(f, fact) && !has_fact(one, f) && has_fact(own, f));
    if both || has_fact(other, fact) {
        return false;
    }
    let (first, later) = if one.start < other.start {
        (one, other)
    } else {
        (other, one)
    };
    let later_at = one_at.max(other_at);
    let before = |(at, _): &(usize, bool)| *at < later_at;
    let follows = !matter(later, first, fact, own).iter().any(before);
    let said = |c: &Clause, against: &Clause, place: usize| {
        let all = matter(c, against, fact, own);
        if follows {
            all.iter().filter(|(at, own)| *at > place && *own).count()
        } else {
            // What all of them are about stands first; the last word before the fact is this one's.
            let before = all.iter().rev().filter(|(at, _)| *at < place);
            before.take(1).filter(|(_, own)| *own).count()
        }
    };
    said(other, one, other_at) > said(one, other, one_at)
}
