//! The judgement of a sentence.

use base::Lang;

use self::judged::Judged;
use crate::clause::{Clause, clauses};
use crate::content::common;
use crate::evidence::{Beside, Evidence, Ground};
use crate::lexicon::{Tongue, imperative, key};
use crate::text::Sentence;
use crate::token::tokens;
use crate::tone;
use crate::verdict::{Fault, Verdict};

mod judged;
mod parts;

/// How strict the gate is. Set while looking at one half of the corruption harness's areas.
#[derive(Clone, Debug)]
pub struct Options {
    /// Least share of a Danish sentence's words that the sections carry, 0 to 1.
    pub share: f32,
    /// The same for a sentence in another language, whose words go through a word list.
    pub share_translated: f32,
    /// Least cosine of a Danish sentence to the nearest sentence of the sections, where the caller gives one, both
    /// encoded as queries by the multilingual E5: 0.4 % of true sentences that say less than theirs lie below it, and
    /// of sentences from other articles of the area every second.
    pub meaning: f32,
    /// The same for a sentence in another language. Here true ones and others lie close together.
    pub meaning_translated: f32,
    /// The instructions around the evidence, none of which may come back.
    pub instructions: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            share: 0.7,
            share_translated: 0.5,
            meaning: 0.88,
            meaning_translated: 0.82,
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

    /// Judges a sentence. `meaning` is the cosine of its vector with that of the cited sections' nearest sentence, where
    /// an encoder is at hand.
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
        // Digits that the tokens do not read: "½", full-width ones. "m²" is a unit.
        let unread = |c: &char| c.is_numeric() && !c.is_ascii_digit() && !matches!(c, '²' | '³');
        // Copied as they stand they say what the section says.
        let words = |text: &str| -> Vec<String> {
            let trimmed = |w: &str| {
                w.trim_matches(|c: char| !c.is_alphanumeric())
                    .to_lowercase()
            };
            text.split_whitespace().map(trimmed).collect()
        };
        if text.contains(|c| unread(&c)) {
            let said = words(&self.said);
            let strange = words(text)
                .into_iter()
                .find(|w| w.contains(|c| unread(&c)) && !said.contains(w));
            why.extend(strange.map(|text| Fault::Number { text }));
        }
        self.leaks.faults(text, &mut why);
        let clauses = clauses(text, tongue, 2);
        let beside: Vec<Beside> = clauses.iter().map(|c| self.ground.beside(c)).collect();
        let sections = self.support(&beside, tongue, &mut why);
        let least = match tongue {
            Tongue::Danish => self.options.meaning,
            Tongue::English => self.options.meaning_translated,
        };
        if let Some(cosine) = meaning.filter(|c| *c < least) {
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
        self.stranger(text, &clauses, &beside, tongue, &mut why);
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

    /// A first word of which neither the evidence nor a word list knows anything: "Falck behandler din sag". That it has
    /// a capital says nothing there.
    fn stranger(
        &self,
        text: &str,
        clauses: &[Clause],
        beside: &[Beside],
        tongue: Tongue,
        why: &mut Vec<Fault>,
    ) {
        let (Some(clause), Some(beside)) = (clauses.first(), beside.first()) else {
            return;
        };
        let first = tokens(text).into_iter().find(|t| t.first);
        let Some(first) = first.filter(|t| t.capital && !imperative(&t.text, tongue)) else {
            return;
        };
        let found = clause.terms.iter().position(|t| t.start == first.start);
        if let Some(n) = found
            && clause.terms[n].weight >= 0.5
            && !beside.known(n)
            && !common(&clause.terms[n], tongue)
            && !self.ground.municipality.contains(&key(&first.text))
        {
            why.push(Fault::Name {
                text: text[first.start..first.end].to_owned(),
            });
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

#[cfg(test)]
mod tests;
