//! A follow-up that says little alone, written out as a whole question.
//!
//! What a model writes here is never shown: it is searched with, and counts only where it finds an article with more
//! certainty than the citizen's own words did. It may use no word that stands neither in the message, nor in what the
//! message takes up, nor in every question; so a model cannot lead the search to a matter that nobody spoke of.

use base::{Lang, fold, words};
use inference::generator::{Message, Prompt, PromptForm, Request, Role};

/// Tokens of a question, at most.
const MAX_TOKENS: usize = 40;
/// Words of a question, at most.
const WORDS: usize = 24;
/// Characters that are read of the question before.
const BEFORE: usize = 160;

/// A message, and what it takes up. All of it redacted, and one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    pub message: String,
    /// The last message that stood on its own.
    pub question: Option<String>,
    /// Title of the article shown last.
    pub title: Option<String>,
    pub lang: Lang,
}

struct Phrases {
    before: &'static str,
    message: &'static str,
    whole: &'static str,
    /// What was asked before, the message, the whole question. What they tell is of no municipality.
    examples: [[&'static str; 3]; 6],
}

const DANISH: Phrases = Phrases {
    before: "Først spurgte borgeren:",
    message: "Så skrev borgeren:",
    whole: "Borgeren vil altså vide:",
    examples: [
        [
            "hvordan kan man låne en kajak",
            "og hvad koster det?",
            "Hvad koster det at låne en kajak?",
        ],
        [
            "min cykel er væk fra stationen",
            "hvad hvis den er min søns",
            "Hvad gør jeg, hvis min søns cykel er væk fra stationen?",
        ],
        [
            "jeg vil gerne have en kolonihave",
            "hvor lang tid tager det så",
            "Hvor lang tid tager det at få en kolonihave?",
        ],
        [
            "må vi grille ved bålpladsen i skoven",
            "også om aftenen?",
            "Må vi grille ved bålpladsen i skoven om aftenen?",
        ],
        [
            "hvem kan få et fiskekort",
            "og hvis man er 70",
            "Kan man få et fiskekort, hvis man er 70?",
        ],
        [
            "vi vil leje forsamlingshuset",
            "er der stole",
            "Er der stole i forsamlingshuset?",
        ],
    ],
};

const ENGLISH: Phrases = Phrases {
    before: "First the citizen asked:",
    message: "Then the citizen wrote:",
    whole: "So the citizen wants to know:",
    examples: [
        [
            "how can I borrow a kayak",
            "and what does it cost?",
            "What does it cost to borrow a kayak?",
        ],
        [
            "my bike is gone from the station",
            "what if it is my son's",
            "What do I do if my son's bike is gone from the station?",
        ],
        [
            "I would like an allotment garden",
            "how long does that take",
            "How long does it take to get an allotment garden?",
        ],
        [
            "may we grill at the fire site in the forest",
            "in the evening too?",
            "May we grill at the fire site in the forest in the evening?",
        ],
        [
            "who can get a fishing permit",
            "and if you are 70",
            "Can you get a fishing permit if you are 70?",
        ],
        [
            "we want to rent the village hall",
            "are there chairs",
            "Are there chairs in the village hall?",
        ],
    ],
};

/// Words of any question, folded: they may come and go.
const GLUE: &[&str] = &[
    // Danish.
    "hvad", "hvor", "hvordan", "hvornaar", "hvem", "hvilke", "hvilken", "hvilket", "hvorfor",
    "hvis", "om", "at", "og", "eller", "men", "ogsaa", "saa", "der", "som", "det", "den", "de",
    "dem", "en", "et", "er", "var", "bliver", "blive", "har", "have", "kan", "skal", "maa", "vil",
    "gerne", "jeg", "mig", "min", "mit", "mine", "man", "vi", "os", "vores", "du", "i", "paa",
    "til", "fra", "for", "med", "ved", "af", "naar", "faa", "faar", "goere", "goer", "denne",
    "dette", "her", "ja", "ok", "okay", "hva", // English.
    "what", "where", "how", "when", "who", "which", "why", "if", "whether", "that", "the", "a",
    "an", "is", "are", "was", "be", "been", "has", "have", "do", "does", "did", "can", "could",
    "shall", "should", "must", "may", "will", "would", "like", "me", "my", "we", "us", "our",
    "you", "your", "it", "its", "in", "on", "to", "from", "with", "of", "and", "or", "but", "also",
    "too", "then", "get", "this", "there", "they", "them", "about",
];

/// Words that a whole question may add. What a citizen says with them has to stay.
const ADDED: &[&str] = &[
    "tager", "koster", "lang", "lange", "tid", "mange", "meget", "take", "cost", "long", "much",
    "many",
];

fn phrases(lang: Lang) -> &'static Phrases {
    match lang {
        Lang::En => &ENGLISH,
        _ => &DANISH,
    }
}

/// A text as one line, so far.
fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(most).collect()
}

fn asked(p: &Phrases, before: &str, message: &str) -> String {
    let (first, then, whole) = (p.before, p.message, p.whole);
    format!("{first} {before}\n{then} {message}\n{whole}")
}

/// The request to write a follow-up out; the fixed part first, so that it is read once for all.
pub fn rewriting(follow_up: &FollowUp, form: PromptForm) -> Request {
    let p = phrases(follow_up.lang);
    let mut fixed = String::new();
    for [before, message, whole] in p.examples {
        fixed.push_str(&asked(p, before, message));
        fixed.push_str(&format!(" {whole}\n\n"));
    }
    // The citizen's words where there are any: a model takes more of them over.
    let before = follow_up.question.as_ref().or(follow_up.title.as_ref());
    let asked = asked(
        p,
        &line(before.map_or("", String::as_str), BEFORE),
        &line(&follow_up.message, BEFORE),
    );
    let (prefix, prompt) = match form {
        PromptForm::Base => (Prompt::Text(fixed), Prompt::Text(asked)),
        PromptForm::Instruct => {
            let message = |role, text| Prompt::Messages(vec![Message { role, text }]);
            let fixed = fixed.trim_end().to_owned();
            (message(Role::System, fixed), message(Role::User, asked))
        }
    };
    Request {
        prefix,
        prompt,
        stop: vec!["\n".to_owned()],
        max_tokens: MAX_TOKENS,
        deadline: None,
    }
}

/// What a model wrote, if it may be searched with.
pub fn rewritten(written: &str, follow_up: &FollowUp) -> Option<String> {
    let whole = written.trim().lines().next()?.trim();
    let folded = fold(whole);
    let own: Vec<&str> = words(&folded).collect();
    let taken = fold(&follow_up.message);
    if own.len() < 3 || own.len() > WORDS || words(&taken).eq(own.iter().copied()) {
        return None;
    }
    let sources = [
        Some(&follow_up.message),
        follow_up.question.as_ref(),
        follow_up.title.as_ref(),
    ];
    let known: Vec<String> = (sources.into_iter().flatten())
        .flat_map(|t| words(&fold(t)).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let said = |w: &&str| GLUE.contains(w) || ADDED.contains(w) || known.iter().any(|k| same(w, k));
    // Whatever the citizen said is in it.
    let mut message = words(&taken).filter(|w| !GLUE.contains(w));
    let carried = message.all(|m| own.iter().any(|w| same(w, m)));
    (own.iter().all(said) && carried).then(|| whole.to_owned())
}

/// The same word, perhaps in another form or within a longer one; figures are the same or not.
fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    if [a, b].iter().any(|w| w.chars().any(|c| c.is_ascii_digit())) {
        return false;
    }
    let (short, long) = if a.chars().count() <= b.chars().count() {
        (a, b)
    } else {
        (b, a)
    };
    let common = short
        .chars()
        .zip(long.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let (least, most) = (short.chars().count(), long.chars().count());
    let ending = most - least <= 3 || least >= 4;
    (common >= 3 && common * 10 >= most * 6) || (least >= 3 && common == least && ending)
}

#[cfg(test)]
mod tests;
