//! Which messages may be answered in other words than the municipality's.
//!
//! A message that only asks is answered by whatever mode its article has. One that tells the machine how to write, asks
//! about one's own case, wants a promise or advice, or takes something for granted gets the approved text whole:
//! nothing that it says can then have a part in what is shown. To be wrong here costs some length.

use base::{Lang, fold, words};
use serde::{Deserialize, Serialize};

/// Why a message is answered verbatim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Longer, or in more lines, than a question is.
    Long,
    /// Signs that no citizen types in a question: tags, tables, code, addresses.
    Markup,
    /// It says how the answer is to be written, or who writes it.
    Instruction,
    /// About the citizen's own case, which no article knows.
    Case,
    /// It wants a promise, advice or an opinion.
    Promise,
    /// It gives a reason for what it asks, which need not be true.
    Premise,
    /// No language that the gate can read.
    Language,
}

/// Characters of a question, at most.
const LONG: usize = 240;

/// Words with which one speaks to a machine about its answer, by their beginnings.
const INSTRUCTION: &[&str] = &[
    // Danish.
    "ignorer",
    "instruks",
    "instruktion",
    "prompt",
    "system",
    "rolle",
    "rollespil",
    "leg ",
    "lad som",
    "lad os",
    "forestil",
    "opdigt",
    "digt",
    "gentag",
    "oversæt",
    "bekræft",
    "citer",
    "udelad",
    "tilføj",
    "omskriv",
    "skriv at",
    "skriv det",
    "skriv til",
    "skriv som",
    "skriv den",
    "skriv en",
    "skriv et",
    "svar kun",
    "svar med",
    "svar som",
    "svar på engelsk",
    "svar på dansk",
    "når du svarer",
    "i dit svar",
    "ord for ord",
    "med et ord",
    "ja eller nej",
    "du er ",
    "din vejledning",
    "dine regler",
    "retningslinje",
    "din chef",
    "udvikler",
    "administrator",
    "admin",
    "kun ja",
    "slut af",
    "slut dit",
    "sig at",
    "sig bare",
    "glem ",
    "se bort",
    "i stedet",
    "fortæl mig at",
    "robot",
    "sprogmodel",
    "chatbot",
    "kollega sagde",
    "du sagde",
    "du skrev",
    "du lovede",
    "husk at du",
    "vis mig",
    // English.
    "ignore",
    "instruction",
    "pretend",
    "roleplay",
    "role",
    "imagine",
    "repeat",
    "translate",
    "confirm",
    "quote",
    "rewrite",
    "append",
    "add that",
    "answer only",
    "answer with",
    "reply only",
    "reply with",
    "respond",
    "yes or no",
    "in one word",
    "word for word",
    "you are ",
    "your rules",
    "guideline",
    "developer",
    "say that",
    "just say",
    "forget ",
    "disregard",
    "instead",
    "tell me that",
    "language model",
    "assistant",
    "you said",
    "you told",
    "your colleague",
    "continue",
    "write that",
    "write me",
    "write it",
    "write a",
    "output",
    "print",
    "reveal",
    "show me",
    "override",
];

/// What only a caseworker can say.
const CASE: &[&str] = &[
    "min sag",
    "min ansøgning",
    "mit afslag",
    "min klagesag",
    "min klage",
    "er jeg godkendt",
    "jeg har fået",
    "har jeg fået",
    "jeg har ret til",
    "er jeg berettiget",
    "får jeg medhold",
    "min afgørelse",
    "er min ",
    "er mit ",
    "er mine ",
    "blev min",
    "mine tal",
    "min nabo",
    "min eks",
    "my case",
    "my application",
    "my permit",
    "am i approved",
    "have i got",
    "did i get",
    "am i entitled",
    "is my ",
    "are my ",
    "was my ",
    "my neighbour",
    "my ex",
];

/// What no text of a municipality gives.
const PROMISE: &[&str] = &[
    "garanter",
    "garanti",
    "lov mig",
    "lover du",
    "lover i",
    "love mig",
    "i mit sted",
    "hvad ville du",
    "din mening",
    "synes du",
    "anbefal",
    "hvem skal jeg stemme",
    "guarantee",
    "promise",
    "in my place",
    "would you",
    "your opinion",
    "do you think",
    "recommend",
];

/// Words that begin a reason.
const PREMISE: &[&str] = &[
    // Danish.
    "eftersom",
    "idet ",
    "fordi ",
    "nu hvor ",
    "nu da ",
    "når nu ",
    "i og med ",
    "på grund af at ",
    "som følge af at ",
    // English.
    "because ",
    "since the ",
    "since you ",
    "given that ",
    "now that ",
    "seeing that ",
    "considering that ",
    "seeing as ",
];

/// Why this message is answered verbatim; `None` when it only asks.
pub fn doubt(message: &str, lang: Lang) -> Option<Doubt> {
    if !matches!(lang, Lang::Da | Lang::En) {
        return Some(Doubt::Language);
    }
    let trimmed = message.trim();
    if trimmed.chars().count() > LONG || trimmed.lines().count() > 2 {
        return Some(Doubt::Long);
    }
    let signs = |c: char| {
        matches!(
            c,
            '<' | '>' | '{' | '}' | '[' | ']' | '|' | '`' | '\\' | '#' | '*' | '_' | '=' | '~'
        )
    };
    let address = ["http", "www.", "://", "@"]
        .iter()
        .any(|a| trimmed.contains(a));
    if address || base::hides(message) || trimmed.chars().any(signs) {
        return Some(Doubt::Markup);
    }
    let folded = fold(trimmed);
    let plain: Vec<&str> = words(&folded).collect();
    let plain = format!(" {} ", plain.join(" "));
    // A colon after one word is a line of a play or of a log.
    let role = trimmed
        .split_once(':')
        .is_some_and(|(who, _)| who.split_whitespace().count() <= 3);
    let any = |list: &[&str]| {
        list.iter()
            .any(|sign| plain.contains(&format!(" {}", fold(sign))))
    };
    if role || any(INSTRUCTION) {
        return Some(Doubt::Instruction);
    }
    if any(CASE) {
        return Some(Doubt::Case);
    }
    if any(PROMISE) {
        return Some(Doubt::Promise);
    }
    any(PREMISE).then_some(Doubt::Premise)
}
