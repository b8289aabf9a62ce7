//! What no answer may say, whatever the sections say: promises, decisions, advice, the instructions.

use std::collections::HashSet;

use base::{fold, words};

use crate::lexicon::{Tongue, stop};
use crate::verdict::Fault;

const PROMISE: &[&str] = &[
    "vi garanterer",
    "garanteret",
    "jeg lover",
    "vi lover",
    "helt sikkert",
    "uden tvivl",
    "med sikkerhed",
    "det er sikkert, at",
    "du kan være sikker på",
    "du kan regne med, at",
    "100 % sikker",
    "we guarantee",
    "guaranteed",
    "i promise",
    "we promise",
    "definitely",
    "certainly",
    "without a doubt",
    "for sure",
    "you can be sure",
    "you will definitely",
];
const DECISION: &[&str] = &[
    "ansøgning er godkendt",
    "sag er godkendt",
    "du er godkendt",
    "din ansøgning er afvist",
    "din ansøgning bliver godkendt",
    "er hermed godkendt",
    "er hermed bevilget",
    "vi har godkendt din",
    "vi har bevilget",
    "du er berettiget",
    "du får bevilget",
    "du har ret til at få udbetalt",
    "din sag er afgjort",
    "jeg har godkendt",
    "jeg godkender",
    "your application is approved",
    "your application has been approved",
    "your application is rejected",
    "your application has been rejected",
    "we have approved your",
    "you are approved",
    "you have been granted",
    "you are entitled",
    "you qualify",
    "i hereby",
    "your case has been decided",
    "i approve",
];
const ADVICE: &[&str] = &[
    "jeg vil anbefale",
    "jeg anbefaler",
    "jeg synes",
    "du burde",
    "efter min mening",
    "mit råd",
    "hvis jeg var dig",
    "jeg foreslår",
    "jeg tror",
    "i recommend",
    "i would recommend",
    "i suggest",
    "in my opinion",
    "my advice",
    "if i were you",
    "i think",
    "i believe",
    "you ought to",
];
/// Words of whoever talks of the instructions; an article may say them for itself.
const LEAK: &[&str] = &[
    "instruktion",
    "instruks",
    "sprogmodel",
    "language model",
    "instruction",
    "user:",
    "assistant:",
    "bruger:",
    "assistent:",
    "borger:",
    "spørgsmål:",
    "svar:",
    "question:",
    "answer:",
    "context:",
    "kontekst:",
    "kilde:",
    "afsnit 1",
    "afsnit 2",
];
/// What no article has a reason to say, and a hostile one may.
const MARKERS: &[&str] = &[
    "systemprompt",
    "system prompt",
    "system-prompt",
    "system:",
    "[system]",
    "as an ai",
    "som en ai",
    "<|",
    "|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[inst]",
    "[/inst]",
    "<s>",
    "</s>",
    "<script",
    "### ",
    "the prompt",
    "prompten",
];

/// A run of this many words that stands in the instructions alone has leaked.
const RUN: usize = 8;

/// What may stand inside a decision without changing it.
const ADVERBS: &[&str] = &["nu", "hermed", "blevet", "allerede", "now", "already"];

fn any<'a>(text: &str, said: &str, list: &[&'a str]) -> Option<&'a str> {
    list.iter()
        .copied()
        .find(|p| text.contains(p) && !said.contains(p))
}

/// The faults of tone and language. `said` is the evidence, lower case: words of promise and of instruction that
/// an article has may be said; decisions, advice and role markers never, whatever an article says.
pub(crate) fn faults(text: &str, said: &str, tongue: Tongue, out: &mut Vec<Fault>) {
    let lower = text.to_lowercase();
    let of = |p: &str| p.to_owned();
    if let Some(p) = any(&lower, said, PROMISE) {
        out.push(Fault::Promise { text: of(p) });
    }
    let plain: Vec<&str> = lower
        .split_whitespace()
        .filter(|w| !ADVERBS.contains(w))
        .collect();
    let plain = plain.join(" ");
    let conditional = |text: &str, p: &str| {
        let before = text.split(p).next().unwrap_or("");
        before.split(|c: char| !c.is_alphabetic()).any(|w| {
            matches!(
                w,
                "if" | "when"
                    | "once"
                    | "hvis"
                    | "når"
                    | "unless"
                    | "medmindre"
                    | "efter"
                    | "after"
                    | "indtil"
                    | "until"
                    | "om"
                    | "whether"
            )
        })
    };
    let decides = |text: &str, p: &str| text.contains(p) && !conditional(text, p);
    if let Some(p) = DECISION
        .iter()
        .find(|p| decides(&lower, p) || decides(&plain, p))
    {
        out.push(Fault::Decision { text: of(p) });
    }
    if let Some(p) = any(&lower, "", ADVICE) {
        out.push(Fault::Advice { text: of(p) });
    }
    if let Some(p) = any(&lower, said, LEAK).or_else(|| any(&lower, "", MARKERS)) {
        out.push(Fault::Leak { text: of(p) });
    }
    if !language(&lower, tongue) {
        out.push(Fault::Language {
            text: text.chars().take(60).collect(),
        });
    }
}

/// Whether the small words are those of the language asked for. Few words decide nothing; letters of another
/// script decide at once.
fn language(lower: &str, tongue: Tongue) -> bool {
    let letters = lower.chars().filter(|c| c.is_alphabetic());
    let foreign = letters.filter(|c| !matches!(*c as u32, 0..=0x24f | 0x1e00..=0x1eff));
    if foreign.count() > 0 {
        return false;
    }
    let (mut danish, mut english, mut all, mut other) = (0, 0, 0, 0);
    for word in lower
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
    {
        let (d, e) = (stop(word, Tongue::Danish), stop(word, Tongue::English));
        danish += usize::from(d && !e || word.chars().any(|c| "æøå".contains(c)));
        english += usize::from(e && !d || matches!(word, "the" | "and" | "you"));
        other += usize::from(OTHER.contains(&word));
        all += 1;
    }
    let (own, wrong) = match tongue {
        Tongue::Danish => (danish, english.max(other)),
        Tongue::English => (english, danish.max(other)),
    };
    all < 4 || own > wrong || (own == 0 && wrong == 0 && all < 12)
}

/// Small words of German, Swedish, Norwegian, Polish and Turkish that are none of Danish or English.
const OTHER: &[&str] = &[
    "und", "das", "ist", "nicht", "sie", "ein", "eine", "für", "mit", "auf", "können", "müssen",
    "ihre", "och", "inte", "är", "att", "från", "ikkje", "hva", "noe", "etter", "jest", "nie",
    "się", "oraz", "dla", "jak", "ve", "için", "bir", "bu", "değil", "olarak",
];

/// The runs of words that stand in the instructions and not in the evidence.
pub(crate) struct Leaks(HashSet<String>);

fn runs(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let all: Vec<String> = words(&folded).map(str::to_owned).collect();
    let n = all.len().saturating_sub(RUN - 1);
    (0..n).map(move |i| all[i..i + RUN].join(" "))
}

impl Leaks {
    pub(crate) fn of(instructions: &str, said: &str) -> Self {
        let known: HashSet<String> = if instructions.is_empty() {
            HashSet::new()
        } else {
            runs(said).collect()
        };
        Self(runs(instructions).filter(|r| !known.contains(r)).collect())
    }

    pub(crate) fn faults(&self, text: &str, out: &mut Vec<Fault>) {
        if self.0.is_empty() {
            return;
        }
        if let Some(run) = runs(text).find(|r| self.0.contains(r)) {
            out.push(Fault::Leak { text: run });
        }
    }
}
