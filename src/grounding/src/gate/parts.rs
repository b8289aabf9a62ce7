//! Sentences that give several things each its number: "150 kr. for børn og 300 kr. for voksne".

use crate::clause::Clause;
use crate::content::meets;
use crate::facts::Fact;

/// Whether two facts could stand in each other's place.
fn rival(a: &Fact, b: &Fact) -> bool {
    a.what == b.what && a.unit == b.unit
}

/// What a clause says beside such a fact, in its order: where it stands, and whether the judged clause says it too.
fn matter(clause: &Clause, fact: &Fact, own: &Clause) -> Vec<(usize, bool)> {
    let terms = clause.terms.iter().filter(|t| t.weight >= 0.5).map(|t| {
        let mut forms = own.terms.iter().flat_map(|o| &o.forms);
        (t.start, forms.any(|f| meets(f, &t.forms[0]) > 0.0))
    });
    let names = clause
        .names
        .iter()
        .map(|n| (n.start, own.names.iter().any(|o| o.key == n.key)));
    let others = clause.facts.iter().filter(|f| !rival(f, fact));
    let others = others.map(|f| (f.start, own.facts.iter().any(|o| o.same(f))));
    let mut all: Vec<(usize, bool)> = terms.chain(names).chain(others).collect();
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
    let has = |c: &Clause, f: &Fact| c.facts.iter().any(|x| x.same(f));
    let mut theirs = other
        .facts
        .iter()
        .filter(|f| rival(f, fact) && !has(one, f));
    if theirs.any(|f| has(own, f)) || has(other, fact) {
        return false;
    }
    let later = if one.start < other.start { other } else { one };
    let later_at = one_at.max(other_at);
    let follows = !matter(later, fact, own)
        .iter()
        .any(|(at, _)| *at < later_at);
    let said = |c: &Clause, place: usize| {
        let all = matter(c, fact, own);
        if follows {
            all.iter().filter(|(at, own)| *at > place && *own).count()
        } else {
            // What all of them are about stands first; the last word before the fact is this one's.
            let before = all.iter().rev().filter(|(at, _)| *at < place);
            before.take(1).filter(|(_, own)| *own).count()
        }
    };
    said(other, other_at) > said(one, one_at)
}
