//! The judgement of a sentence.

use base::Lang;

use crate::clause::{Clause, clauses};
use crate::evidence::{Beside, Evidence, Ground, Placed, Span};
use crate::facts::{Fact as Stated, What};
use crate::lexicon::{Mark, Tongue, field};
use crate::text::Sentence;
use crate::tone;
use crate::verdict::{Fault, Verdict};

/// How strict the gate is. The defaults are calibrated by the corruption harness.
#[derive(Clone, Debug)]
pub struct Options {
    /// Least share of a Danish sentence's words that the sections carry, 0 to 1.
    pub share: f32,
    /// The same for a sentence in another language, whose words go through a word list.
    pub share_translated: f32,
    /// Least cosine to the nearest section, where the caller gives one.
    pub meaning: f32,
    /// The instructions around the evidence, none of which may come back.
    pub instructions: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            share: 0.7,
            share_translated: 0.5,
            meaning: 0.8,
            instructions: String::new(),
        }
    }
}

/// Judges sentences against one article's cited sections.
pub struct Gate {
    ground: Ground,
    asked: Lang,
    tongue: Option<Tongue>,
    options: Options,
    leaks: tone::Leaks,
    said: String,
}

impl Gate {
    /// Reads the evidence, which is Danish, for answers in one language.
    pub fn new(evidence: &Evidence<'_>, asked: Lang, options: Options) -> Self {
        let tongue = match asked {
            Lang::Da => Some(Tongue::Danish),
            Lang::En => Some(Tongue::English),
            _ => None,
        };
        let mut said = evidence.title.to_lowercase();
        for section in &evidence.sections {
            for text in [section.heading.unwrap_or(""), section.body] {
                said.push('\n');
                said.push_str(&text.to_lowercase());
            }
        }
        Self {
            ground: Ground::read(evidence, Tongue::Danish),
            asked,
            tongue,
            leaks: tone::Leaks::of(&options.instructions, &said),
            said,
            options,
        }
    }

    /// Judges a sentence. `meaning` is the cosine of its vector with the nearest cited section's, where a
    /// model is loaded.
    pub fn judge(&self, sentence: &Sentence, meaning: Option<f32>) -> Verdict {
        let text = sentence.text.as_str();
        let mut why = Vec::new();
        let Some(tongue) = self.tongue else {
            return Verdict::Dropped {
                why: vec![Fault::Language {
                    text: self.asked.code().to_owned(),
                }],
            };
        };
        if !text.chars().any(char::is_alphabetic) {
            return Verdict::Dropped {
                why: vec![Fault::Empty],
            };
        }
        tone::faults(text, &self.said, tongue, &mut why);
        self.leaks.faults(text, &mut why);
        let clauses = clauses(text, tongue, 2);
        let beside: Vec<Beside> = clauses.iter().map(|c| self.ground.beside(c)).collect();
        let sections = self.support(&beside, tongue, &mut why);
        if let Some(cosine) = meaning.filter(|c| *c < self.options.meaning) {
            why.push(Fault::Meaning { cosine });
        }
        for (clause, beside) in clauses.iter().zip(&beside) {
            let judged = Judged {
                ground: &self.ground,
                text,
                all: &clauses,
                clause,
                beside,
                tongue,
            };
            judged.faults(&mut why);
        }
        if why.is_empty() {
            Verdict::Kept {
                sections: sections
                    .iter()
                    .map(|n| self.ground.ids[*n].clone())
                    .collect(),
            }
        } else {
            Verdict::Dropped { why }
        }
    }

    /// The one or two sections that carry most of the sentence's words; too few is a fault.
    fn support(&self, beside: &[Beside], tongue: Tongue, why: &mut Vec<Fault>) -> Vec<usize> {
        let covered = |pass: &dyn Fn(Option<usize>) -> bool| {
            let sums = beside
                .iter()
                .map(|b| b.covered(|n| pass(self.ground.placed[n].section)));
            let (all, had) = sums.fold((0.0, 0.0), |(a, h), (x, y)| (a + x, h + y));
            if all > 0.0 { had / all } else { 1.0 }
        };
        let count = self.ground.ids.len();
        let mut best: (f32, Vec<usize>) = (covered(&|s| s.is_none()), Vec::new());
        for one in 0..count {
            let share = covered(&|s| s.is_none_or(|s| s == one));
            if share > best.0 || best.1.is_empty() {
                best = (share, vec![one]);
            }
        }
        for one in 0..count {
            for other in one + 1..count {
                let share = covered(&|s| s.is_none_or(|s| s == one || s == other));
                // A second section only where it carries something.
                if share > best.0 + 0.02 {
                    best = (share, vec![one, other]);
                }
            }
        }
        let least = match tongue {
            Tongue::Danish => self.options.share,
            Tongue::English => self.options.share_translated,
        };
        if best.0 < least {
            why.push(Fault::Unsupported { share: best.0 });
        }
        best.1
    }
}

/// One clause before the evidence.
struct Judged<'a> {
    ground: &'a Ground,
    text: &'a str,
    all: &'a [Clause],
    clause: &'a Clause,
    beside: &'a Beside,
    tongue: Tongue,
}

impl Judged<'_> {
    fn piece(&self) -> String {
        self.text[self.clause.start..self.clause.end].to_owned()
    }

    /// The faults beside the stretch where the clause is at home. Of several alike, the one with fewest.
    fn faults(&self, why: &mut Vec<Fault>) {
        let margin = match self.tongue {
            Tongue::Danish => 0.02,
            Tongue::English => 0.04,
        };
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
        let near = || {
            let inside = self.ground.placed[span.from..span.to].iter();
            inside.flat_map(|p| &p.clause.facts)
        };
        if near().any(|f| fact.same(f) && fact.within(f)) {
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
                self.ground.placed[..span.to]
                    .iter()
                    .any(|p| (p.section == section || p.section.is_none()) && has(p))
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
            if (said as f32) < 0.6 * p.clause.terms.len() as f32 || p.clause.terms.is_empty() {
                out.push(Fault::Condition { text: self.piece() });
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
