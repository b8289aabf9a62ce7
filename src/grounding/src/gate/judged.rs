//! One clause of a sentence, and what is wrong with it beside the stretch of the evidence where it is at home.

use super::parts;
use crate::clause::{Clause, RELATIVE};
use crate::evidence::{Beside, Ground, Placed, Span};
use crate::facts::{Bound, Fact as Stated, What};
use crate::lexicon::{Mark, Tongue, field, often};
use crate::verdict::Fault;

/// Least share of one clause's words that stand anywhere in the evidence, 0 to 1.
const LEAST: f32 = 0.34;
/// The same for a clause whose words go through a word list.
const LEAST_TRANSLATED: f32 = 0.2;

/// One clause before the evidence.
pub(super) struct Judged<'a> {
    pub(super) ground: &'a Ground,
    pub(super) text: &'a str,
    pub(super) all: &'a [Clause],
    pub(super) clause: &'a Clause,
    pub(super) beside: &'a Beside,
    pub(super) tongue: Tongue,
}

impl Judged<'_> {
    fn piece(&self) -> String {
        self.text[self.clause.start..self.clause.end].to_owned()
    }

    /// The faults beside the stretch where the clause is at home. Of several alike, the one with fewest.
    pub(super) fn faults(&self, why: &mut Vec<Fault>) {
        let (margin, least) = match self.tongue {
            Tongue::Danish => (0.02, LEAST),
            Tongue::English => (0.04, LEAST_TRANSLATED),
        };
        // However well the rest of the sentence is carried, no clause of it is made up.
        let (all, had) = self.beside.covered(|_| true);
        let enough = match self.tongue {
            Tongue::Danish => 1.5,
            Tongue::English => 1.0,
        };
        let told = why.iter().any(|f| matches!(f, Fault::Unsupported { .. }));
        if !told && all >= enough && had < least * all {
            why.push(Fault::Unsupported { share: had / all });
        }
        let mut homes = self.ground.homes(self.beside, margin);
        if self.tongue == Tongue::Danish && self.beside.weight() < 1.5 {
            homes = self.ground.homes_by_wording(self.clause);
            if homes.is_empty() && !self.clause.marks.is_empty() {
                why.push(Fault::Unsupported { share: 0.0 });
            }
        } else if self.tongue == Tongue::Danish {
            // Of stretches about the same, those in the same words.
            let wording = |s: &Span| self.ground.wording(self.clause, *s);
            let best = homes.iter().map(wording).fold(0.0, f32::max);
            homes.retain(|s| wording(s) >= best - 0.1);
        }
        let mut fewest: Option<Vec<Fault>> = None;
        for span in homes {
            let mut found = Vec::new();
            self.beside_span(span, &mut found);
            let better = fewest.as_ref().is_none_or(|f| found.len() < f.len());
            if better {
                let done = found.is_empty();
                fewest = Some(found);
                if done {
                    break;
                }
            }
        }
        match fewest {
            Some(found) => why.extend(found),
            // Nothing in the sections is like it: what it states has no ground.
            None => {
                for fact in &self.clause.facts {
                    why.push(self.fact_fault(fact));
                }
                for name in &self.clause.names {
                    why.push(Fault::Name {
                        text: self.text[name.start..name.end].to_owned(),
                    });
                }
            }
        }
    }

    fn beside_span(&self, span: Span, out: &mut Vec<Fault>) {
        let placed = &self.ground.placed[span.from..span.to];
        let count = |mark: Mark| placed.iter().map(|p| p.clause.count(mark)).sum::<usize>();
        let own = |mark: Mark| self.clause.count(mark);
        for fact in &self.clause.facts {
            self.fact(fact, span, out);
        }
        self.names(span, out);
        if own(Mark::Deny) != count(Mark::Deny) || own(Mark::Except) != count(Mark::Except) {
            out.push(Fault::Polarity { text: self.piece() });
        }
        if own(Mark::Only) != count(Mark::Only) {
            out.push(Fault::Only { text: self.piece() });
        }
        self.modality(&count, placed.iter().map(|p| p.clause.commands).sum(), out);
        let more = |m| own(m) > count(m);
        let fewer = |m| own(m) < count(m);
        if more(Mark::All) || more(Mark::Most) || more(Mark::Always) || more(Mark::Some)
            || fewer(Mark::Most) || fewer(Mark::Some)
            // "Kun alle over 18" loses its all without harm; "not all" does not.
            || (fewer(Mark::All) && count(Mark::Deny) > 0)
        {
            out.push(Fault::Quantity { text: self.piece() });
        }
        if fewer(Mark::Hedge) {
            out.push(Fault::Hedge { text: self.piece() });
        }
        self.condition(span, out);
    }

    fn fact_fault(&self, fact: &Stated) -> Fault {
        let text = self.text[fact.start..fact.end].to_owned();
        match fact.what {
            What::Number => Fault::Number { text },
            What::Date | What::Month | What::Weekday => Fault::Date { text },
            What::Time => Fault::Time { text },
            What::Contact => Fault::Contact { text },
            What::Law => Fault::Law { text },
        }
    }

    fn fact(&self, fact: &Stated, span: Span, out: &mut Vec<Fault>) {
        let (from, to) = self.ground.sentences_of(span);
        let inside = (span.from..span.to).filter(|n| self.speaks(*n, fact, span));
        let inside: Vec<&Clause> = inside.map(|n| &self.ground.placed[n].clause).collect();
        let near = || inside.iter().flat_map(|c| &c.facts);
        // "mellem 30 og 30 år" of "mellem 15 og 30 år": one of the two is no longer there.
        let of = |all: &[Stated]| all.iter().filter(|f| fact.same(f)).count();
        let there: usize = self.ground.placed[from..to]
            .iter()
            .map(|p| of(&p.clause.facts))
            .sum();
        if there > 0 && of(&self.clause.facts) > there {
            out.push(self.fact_fault(fact));
            return;
        }
        if near().any(|f| fact.same(f) && fact.within(f)) {
            return;
        }
        // "Hver måned" may be said of what is paid "om måneden".
        if fact.bound == Bound::Each
            && fact.value == "1"
            && (near().any(|f| f.per == fact.unit)
                || inside
                    .iter()
                    .flat_map(|c| &c.words)
                    .any(|w| often(w) == fact.unit))
        {
            return;
        }
        if near().any(|f| fact.same(f)) {
            out.push(Fault::Limit {
                text: self.text[fact.start..fact.end].to_owned(),
            });
            return;
        }
        // Elsewhere it may stand where the same matter is spoken of, unless the stretch has another in its place.
        let own = |f: &Stated| self.clause.facts.iter().any(|own| own.same(f));
        let replaced = self.ground.placed[from..to]
            .iter()
            .flat_map(|p| &p.clause.facts)
            .any(|f| f.what == fact.what && f.unit == fact.unit && !own(f));
        if !replaced {
            let best = self.cover(from, to);
            for (n, p) in self.ground.placed.iter().enumerate() {
                let there = p
                    .clause
                    .facts
                    .iter()
                    .any(|f| fact.same(f) && fact.within(f));
                if !there {
                    continue;
                }
                let (a, b) = self.ground.sentences_of(Span {
                    from: n,
                    to: n + 1,
                    alike: 0.0,
                });
                if self.cover(a, b) >= 0.5 * best {
                    return;
                }
            }
            if fact.what == What::Contact
                && self.ground.addresses.iter().any(|a| a.value == fact.value)
            {
                return;
            }
        }
        out.push(self.fact_fault(fact));
    }

    /// Whether a clause of a stretch speaks of what the judged one does: its own sentence has at least half of what
    /// the stretch has of it. One that refers back ("det koster …") speaks of what stands before it.
    fn speaks(&self, n: usize, fact: &Stated, span: Span) -> bool {
        let placed = &self.ground.placed;
        let has = |c: &Clause| c.facts.iter().any(|f| fact.same(f));
        let of_another = |p: &Placed| {
            p.sentence == placed[n].sentence
                && parts::of_another(self.clause, fact, &placed[n].clause, &p.clause)
        };
        if has(&placed[n].clause) && placed.iter().any(of_another) {
            return false;
        }
        if placed[span.from].sentence == placed[span.to - 1].sentence {
            return true;
        }
        let sentence = |n: usize| {
            self.ground.sentences_of(Span {
                from: n,
                to: n + 1,
                alike: 0.0,
            })
        };
        let (mut from, to) = sentence(n);
        if from > span.from && placed[from..to].iter().any(|p| p.clause.refers) {
            from = sentence(from - 1).0;
        }
        let said = |from, to, least| {
            let (whole, met) = self.beside.restated(from, to);
            whole >= least && met >= 0.8 * whole
        };
        self.cover(from, to) >= 0.5 * self.cover(span.from, span.to)
            // Two sentences said as one: all of it is there, or what stands about the fact.
            || said(from, to, 0.1)
            || said(n, n + 1, 2.0)
    }

    /// The share of the clause's terms that stand in a stretch.
    fn cover(&self, from: usize, to: usize) -> f32 {
        let (all, had) = self.beside.covered(|n| (from..to).contains(&n));
        if all > 0.0 { had / all } else { 0.0 }
    }

    fn names(&self, span: Span, out: &mut Vec<Fault>) {
        let placed = &self.ground.placed[span.from..span.to];
        let section = placed[0].section;
        for name in &self.clause.names {
            let has = |p: &Placed| p.clause.names.iter().any(|n| n.key == name.key);
            let compound = |p: &Placed| p.clause.words.iter().any(|w| field().within(&name.key, w));
            if placed.iter().any(compound) || placed.iter().any(has) {
                continue;
            }
            if name.key == "kommune" && placed.iter().any(|p| p.clause.we) {
                continue;
            }
            if name.kind == 'X' && self.ground.municipality.contains(&name.key) {
                continue;
            }
            // Another of its kind stands in its place.
            let replaced = placed.iter().flat_map(|p| &p.clause.names).any(|n| {
                (n.kind == name.kind || n.kind == 'X' || name.kind == 'X')
                    && !self
                        .all
                        .iter()
                        .flat_map(|c| &c.names)
                        .any(|own| own.key == n.key)
            });
            let (from, to) = self.ground.sentences_of(span);
            let in_sentence = self.ground.placed[from..to].iter().any(has);
            let refers = placed
                .iter()
                .any(|p| p.clause.refers || p.clause.commands > 0)
                || in_sentence;
            let before = || {
                let here = |p: &&Placed| p.section == section || p.section.is_none();
                let mut earlier = self.ground.placed[..span.to].iter().filter(here);
                let alike = |p: &&Placed| p.clause.names.iter().any(|n| n.kind == name.kind);
                match name.kind {
                    // Of papers and of benefits the one named last is meant.
                    'D' | 'B' => earlier.rfind(alike).is_some_and(has),
                    _ => earlier.any(has),
                }
            };
            if !replaced && (refers || name.kind == 'D' || name.kind == 'B') && before() {
                continue;
            }
            out.push(Fault::Name {
                text: self.text[name.start..name.end].to_owned(),
            });
        }
    }

    /// Obligation and permission, counted on both sides.
    fn modality(&self, count: &dyn Fn(Mark) -> usize, commands: usize, out: &mut Vec<Fault>) {
        let kinds = [Mark::Must, Mark::May, Mark::Should];
        let sum = |of: &dyn Fn(Mark) -> usize, past: &dyn Fn(Mark) -> usize| -> usize {
            kinds.iter().map(|k| of(*k).saturating_sub(past(*k))).sum()
        };
        let own = |m: Mark| self.clause.count(m);
        let (excess, missing) = (sum(&own, count), sum(count, &own));
        let needs = count(Mark::Need) + commands;
        let may = own(Mark::May) < count(Mark::May);
        let plain = kinds.iter().all(|k| count(*k) == 0) && count(Mark::Subject) > 0;
        let fault = if excess > 0 && missing > 0 {
            true
        } else if excess > 0 {
            // "Call us" may be said as "you must call us", "you can call us".
            // "You apply to" as "you must apply to".
            excess > needs + usize::from(plain && own(Mark::Must) == excess)
        } else {
            // What may be had is not what is had. A command promises nothing.
            let command =
                self.clause.commands > 0 && own(Mark::Subject) < count(Mark::Subject).max(1);
            missing > 0 && may && !command
        };
        if fault {
            out.push(Fault::Modality { text: self.piece() });
        }
    }

    /// A condition that the section puts on what is said, left out altogether.
    fn condition(&self, span: Span, out: &mut Vec<Fault>) {
        let conditional = |c: &Clause| c.count(Mark::If) + c.count(Mark::Except) > 0;
        let home = &self.ground.placed[span.from..span.to];
        // "Bliver du godkendt, …" states of nobody that he is. A command states nothing.
        if !conditional(self.clause)
            && self.clause.commands == 0
            && home.iter().all(|p| p.clause.asks)
            && (!self.clause.subordinate
                || home
                    .iter()
                    .any(|p| states(&self.clause.words, &p.clause.words)))
        {
            out.push(Fault::Condition { text: self.piece() });
            return;
        }
        if self.all.iter().any(conditional) {
            return;
        }
        let (from, to) = self.ground.sentences_of(span);
        // What stands beside the stretch limits it; a condition further on limits what stands beside that.
        let near = from.max(span.from.saturating_sub(1))..to.min(span.to + 1);
        for p in &self.ground.placed[near] {
            if p.heading || !conditional(&p.clause) {
                continue;
            }
            // The words of the condition may stand in the sentence without an if: "for ubeboelige huse".
            let said = p
                .clause
                .terms
                .iter()
                .filter(|t| {
                    let own = self.all.iter().flat_map(|c| &c.terms);
                    own.flat_map(|o| &o.forms)
                        .any(|f| crate::content::meets(f, &t.forms[0]) > 0.0)
                })
                .count();
            let outright = || {
                let main = home.iter().filter(|p| !conditional(&p.clause));
                states(&self.clause.words, &p.clause.words)
                    && !main
                        .clone()
                        .any(|m| states(&m.clause.words, &p.clause.words))
            };
            if (said as f32) < 0.6 * p.clause.terms.len() as f32
                || p.clause.terms.is_empty()
                || outright()
            {
                out.push(Fault::Condition { text: self.piece() });
                return;
            }
        }
    }
}

/// Whether words say outright what a condition asks: "du får" of "får du", "hvis du får".
fn states(words: &[String], condition: &[String]) -> bool {
    let subject = |w: &str| matches!(w, "du" | "man" | "vi" | "de" | "det" | "den");
    let asks = |w: &String| matches!(w.as_str(), "hvis" | "når" | "såfremt" | "medmindre");
    let (main, who, verb) = match condition.iter().position(asks) {
        Some(at) => {
            let denied = condition.get(at + 2).is_some_and(|w| w == "ikke");
            (&condition[..at], at + 1, at + 2 + usize::from(denied))
        }
        None => match condition.iter().take(3).position(|w| subject(w)) {
            Some(at @ 1..) => (&[][..], at, at - 1),
            _ => return false,
        },
    };
    let (Some(who), Some(verb)) = (condition.get(who), condition.get(verb)) else {
        return false;
    };
    let same = |w: &str| w == who || matches!((w, who.as_str()), ("du", "man") | ("man", "du"));
    let says = |words: &[String]| {
        words.windows(2).enumerate().any(|(n, w)| {
            // "efter du er godkendt" states nothing either.
            let told = n > 0 && RELATIVE.contains(&words[n - 1].as_str());
            !told && subject(who) && (same(&w[0]) && w[1] == *verb || same(&w[1]) && w[0] == *verb)
        })
    };
    says(words) && !says(main)
}
