//! From a model's words to what may be shown, sentence by sentence.

use std::collections::BTreeSet;

use base::Lang;
use grounding::{Evidence, Fault, Gate, Options, Section, Sentence, Verdict, sentences};
use serde::{Deserialize, Serialize};

use crate::material::Material;
use crate::mode::Mode;
use crate::near::Near;
use crate::prompt;

/// Sentences of an answer, at most.
pub const SENTENCES: usize = 4;
/// Steps of an answer, at most.
const STEPS: usize = 8;
/// Characters without an end of a sentence that are waited for.
const PENDING: usize = 1_200;

/// How far a model may go from the approved words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wording {
    /// Each sentence has the words of one approved sentence, in their order: for small models.
    #[default]
    Close,
    /// As far as the gate lets it.
    Free,
}

/// A piece of an answer that the gate let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Markdown, with the space or line before it that joins it to the piece before.
    pub text: String,
    /// What carries it: headings of sections, the short answer by the article's title.
    pub sections: Vec<String>,
}

/// A sentence that was not shown, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropped {
    pub text: String,
    /// The gate's faults; none where the sentence was too far from every approved one.
    pub why: Vec<Fault>,
}

/// How an answer came about, for the turn's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Composition {
    /// As the article's area is set; what was shown is verbatim where `fell_back` says why.
    pub mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Sentences shown.
    pub kept: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Dropped>,
    /// What was cited, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back: Option<String>,
    /// Tokens read and written, where the model came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
    /// From the request to the first sentence that could be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_sentence_ms: Option<f64>,
}

/// Takes text as a model writes it, and gives sentences to be judged.
pub struct Writer<'a> {
    material: &'a Material,
    gate: Gate,
    /// In close wording.
    near: Option<Near>,
    pending: String,
    /// How many sentences of the line that is pending were given already.
    given: usize,
    /// Whether the last piece shown was a step of the line that is judged.
    open_step: bool,
    /// The lines of the sections, without Markdown.
    lines: BTreeSet<String>,
    /// What was shown or dropped, so that nothing is said twice.
    seen: BTreeSet<String>,
    /// Whether the last piece shown was a step.
    in_list: bool,
    prose: usize,
    steps: usize,
    repeats: usize,
    composition: Composition,
}

/// A whole sentence that nobody has judged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub sentence: Sentence,
    step: bool,
    /// The first of its line.
    first: bool,
}

impl<'a> Writer<'a> {
    pub fn new(material: &'a Material, model: &str, wording: Wording) -> Self {
        let ids: Vec<String> = (0..material.sections.len())
            .map(|n| n.to_string())
            .collect();
        let evidence = Evidence {
            title: &material.title,
            municipality: &material.municipality,
            sections: ids
                .iter()
                .zip(&material.sections)
                .map(|(id, s)| Section {
                    id,
                    heading: s.heading.as_deref(),
                    body: &s.text,
                })
                .collect(),
        };
        let options = Options {
            instructions: prompt::fixed(material.lang),
            ..Options::default()
        };
        Self {
            material,
            gate: Gate::new(&evidence, material.lang, options),
            near: (wording == Wording::Close).then(|| Near::of(material)),
            pending: String::new(),
            given: 0,
            open_step: false,
            lines: (material.sections.iter())
                .flat_map(|s| s.text.lines())
                .flat_map(candidates)
                .map(|c| c.sentence.text)
                .collect(),
            seen: BTreeSet::new(),
            in_list: false,
            prose: 0,
            steps: 0,
            repeats: 0,
            composition: Composition {
                mode: Mode::Generated,
                model: Some(model.to_owned()),
                ..Composition::default()
            },
        }
    }

    /// The sentences that this text completes, in their order.
    pub fn sentences(&mut self, text: &str) -> Vec<Candidate> {
        self.pending.push_str(text);
        let mut out = Vec::new();
        while let Some(end) = self.pending.find('\n') {
            let line: String = self.pending.drain(..=end).collect();
            out.extend(candidates(&line).into_iter().skip(self.given));
            self.given = 0;
        }
        // Of the line that is being written all but the last sentence: more of that may come.
        let mut open = candidates(&self.pending);
        if self.pending.len() > PENDING {
            out.extend(open.into_iter().skip(self.given));
            self.pending.clear();
            self.given = 0;
            return out;
        }
        open.pop();
        // A day waits for its month.
        let ordinal = |c: &Candidate| {
            let text = c.sentence.text.strip_suffix('.');
            text.is_some_and(|t| t.ends_with(|d: char| d.is_ascii_digit()))
        };
        while open.last().is_some_and(ordinal) {
            open.pop();
        }
        let given = self.given;
        self.given = open.len().max(given);
        out.extend(open.into_iter().skip(given));
        out
    }

    /// What is left when the model has ended; a sentence that was cut off is none.
    pub fn rest(&mut self, ended: bool) -> Vec<Candidate> {
        let mut all = candidates(&std::mem::take(&mut self.pending));
        if !ended {
            all.pop();
        }
        all.into_iter().skip(self.given).collect()
    }

    /// Judges a sentence, with the cosine of its vector to the nearest section where it is known; what may be shown.
    pub fn judge(&mut self, candidate: &Candidate, meaning: Option<f32>) -> Option<Part> {
        if candidate.first {
            self.open_step = false;
        }
        let text = self.without_heading(candidate.sentence.text.trim());
        if text.is_empty() || self.full() || !self.whole(text) {
            return None;
        }
        let sentence = Sentence::new(text);
        let plain: Vec<&str> = text.split_whitespace().collect();
        if !self.seen.insert(plain.join(" ").to_lowercase()) {
            self.repeats += 1;
            return None;
        }
        let verdict = match &self.near {
            // Another language shares no words with the sections.
            Some(near) if self.material.lang == Lang::Da && !near.holds(text) => {
                Verdict::Dropped { why: Vec::new() }
            }
            _ => self.gate.judge(&sentence, meaning),
        };
        match verdict {
            Verdict::Dropped { why } => {
                self.composition.dropped.push(Dropped {
                    text: text.to_owned(),
                    why,
                });
                None
            }
            Verdict::Kept { sections } => Some(self.keep(text, candidate.step, &sections)),
        }
    }

    /// A heading that a model copied in front of its section's first sentence is no part of that.
    fn without_heading<'t>(&self, text: &'t str) -> &'t str {
        let headings = self
            .material
            .sections
            .iter()
            .filter_map(|s| s.heading.as_deref());
        let mut rests = headings.filter_map(|h| text.strip_prefix(h));
        let rest = rests.find(|r| r.is_empty() || r.starts_with([' ', ':']));
        rest.map_or(text, |r| r.trim_start_matches([':', ' ']))
    }

    /// Whether a sentence has its end, or stands so in the sections: small models break off in the middle.
    fn whole(&self, text: &str) -> bool {
        text.ends_with(['.', '!', '?', ')']) || self.lines.contains(text)
    }

    fn keep(&mut self, text: &str, step: bool, sections: &[String]) -> Part {
        let first = self.composition.kept == 0;
        let joint = match (first, step, self.in_list) {
            (false, true, true) if self.open_step => " ",
            (true, true, _) => "- ",
            (true, false, _) => "",
            (_, true, true) => "\n- ",
            (_, true, false) => "\n\n- ",
            (_, false, true) => "\n\n",
            (_, false, false) => " ",
        };
        self.in_list = step;
        if step {
            self.steps += usize::from(!std::mem::replace(&mut self.open_step, true));
        } else {
            self.prose += 1;
        }
        self.composition.kept += 1;
        let named = sections.iter().filter_map(|id| id.parse().ok());
        let named: Vec<String> = named.map(|n| self.material.name(n).to_owned()).collect();
        for name in &named {
            if !self.composition.sections.contains(name) {
                self.composition.sections.push(name.clone());
            }
        }
        Part {
            text: format!("{joint}{}", harmless(text)),
            sections: named,
        }
    }

    /// Whether nothing more is wanted: enough is said, or the model goes in circles.
    pub fn full(&self) -> bool {
        self.prose >= SENTENCES || self.steps >= STEPS || self.repeats > 1
    }

    /// How it came about so far.
    pub fn composition(self) -> Composition {
        self.composition
    }
}

/// The sentences of a line or a part of one.
fn candidates(line: &str) -> Vec<Candidate> {
    let trimmed = line.trim_start();
    let number = trimmed.trim_start_matches(|c: char| c.is_ascii_digit());
    // "12. marts" counts no steps.
    let rest = number.strip_prefix(". ").map(str::trim_start);
    let counts = rest.is_some_and(|r| r.starts_with(char::is_uppercase));
    let numbered = (1..=2).contains(&(trimmed.len() - number.len())) && counts;
    let step = numbered || ["- ", "* ", "• "].iter().any(|m| trimmed.starts_with(m));
    let text = if numbered { &number[2..] } else { trimmed };
    let all = sentences(text).into_iter().enumerate();
    let made = all.map(|(n, sentence)| Candidate {
        sentence,
        step,
        first: n == 0,
    });
    made.collect()
}

/// Nothing in it is read as Markdown; HTML is not read by anybody.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
