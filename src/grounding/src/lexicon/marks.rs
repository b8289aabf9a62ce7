//! The small words that turn what a clause says: denial, obligation, permission, limits, hedges.

use super::Tongue;
use crate::token::Token;

/// What a small word does to its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Not, never, no, without.
    Deny,
    /// Unless, except.
    Except,
    Only,
    /// Must, has to.
    Must,
    /// Can, may, is allowed to.
    May,
    Should,
    All,
    Most,
    Some,
    Always,
    /// Normally, often, as a rule, perhaps.
    Hedge,
    /// If, when.
    If,
    /// What stands for an obligation without being one of the verbs: requires, a condition, needs.
    Need,
    /// You, we, one: the subject of a statement.
    Subject,
}

/// The marks of a stretch of tokens, by token.
pub(crate) fn marks(tokens: &[Token], tongue: Tongue) -> Vec<(usize, Mark)> {
    let mut out = Vec::new();
    for (i, token) in tokens.iter().enumerate().filter(|(_, t)| t.word()) {
        let next = |n: usize| tokens.get(i + n).map_or("", |t| t.text.as_str());
        let back = |n: usize| i.checked_sub(n).map_or("", |at| tokens[at].text.as_str());
        let mark = match tongue {
            Tongue::Danish => danish(&token.text, next(1), back(1)),
            Tongue::English => english(&token.text, next(1), next(2), back(1)),
        };
        if let Some(mark) = mark {
            out.push((i, mark));
        }
        if tongue == Tongue::Danish
            && begins(tokens, i)
            && (verb_first(&token.text, next(1)) || thing_second(tokens, i))
        {
            out.push((i, Mark::If));
        }
        if tongue == Tongue::English
            && (token.text.ends_with("n't") || token.text.ends_with("n’t") || token.is("cannot"))
        {
            out.push((i, Mark::Deny));
        }
    }
    if tongue == Tongue::English {
        must_not(tokens, &mut out);
    }
    out
}

fn begins(tokens: &[Token], at: usize) -> bool {
    tokens[at].first
        || at
            .checked_sub(1)
            .is_some_and(|b| matches!(tokens[b].text.as_str(), ";" | ":" | "." | "og" | "men"))
}

/// "Er ansøgningen godkendt, …", "…, og er ansøgningen godkendt, …": a verb and a definite noun, and a comma; but "For
/// voksne …".
fn thing_second(tokens: &[Token], at: usize) -> bool {
    let [verb, noun, rest @ ..] = &tokens[at..] else {
        return false;
    };
    let back = |n: usize| at.checked_sub(n).map_or("", |b| tokens[b].text.as_str());
    let begins = verb.first || matches!(back(1), "og" | "men") && back(2) == ",";
    let preposition = matches!(
        verb.text.as_str(),
        "for" | "over" | "under" | "efter" | "før" | "hver" | "eller" | "der" | "hvor" | "især"
    );
    begins
        && verb.text.ends_with('r')
        && !preposition
        && noun.word()
        && ["en", "et", "ne"]
            .iter()
            .any(|end| noun.text.ends_with(end))
        && noun.text.chars().count() > 4
        && !super::stop(&noun.text, Tongue::Danish)
        && rest.iter().any(|t| t.is(","))
}

/// "Får du afslag, …": a condition without an if.
fn verb_first(word: &str, next: &str) -> bool {
    let verb =
        word.ends_with('r') || matches!(word, "kan" | "skal" | "vil" | "må" | "bliv" | "ved");
    let subject = matches!(
        next,
        "du" | "i"
            | "man"
            | "der"
            | "den"
            | "det"
            | "de"
            | "vi"
            | "han"
            | "hun"
            | "en"
            | "et"
            | "din"
            | "dit"
            | "dine"
            | "jeres"
            | "barnet"
            | "nogen"
            | "ingen"
            | "begge"
            | "kommunen"
            | "sagen"
            | "personen"
            | "boligen"
            | "huset"
            | "beholderen"
            | "andre"
            | "hjælpen"
            | "maden"
            | "ejeren"
            | "forældrene"
    );
    verb && subject
}

fn danish(word: &str, next: &str, back: &str) -> Option<Mark> {
    Some(match word {
        "ikke" | "ej" | "aldrig" | "ingen" | "intet" | "hverken" | "næppe" | "uden"
        | "ikkeryger" | "undgå" | "undlad" | "slipper" | "slippe" | "fritaget" | "fritages"
        | "forbudt" | "ulovligt" | "ulovlig" | "umuligt" => {
            if word == "uden" && matches!(next, "for" | "på") {
                return None;
            }
            Mark::Deny
        }
        "medmindre" | "undtagen" | "undtaget" | "bortset" => Mark::Except,
        "kun" | "udelukkende" => Mark::Only,
        "skal" | "skulle" | "behøver" | "behøve" => Mark::Must,
        "kan" | "kunne" | "må" | "måtte" => Mark::May,
        "bør" | "burde" => Mark::Should,
        "alle" | "samtlige" | "enhver" | "allesammen" => Mark::All,
        "fleste" => Mark::Most,
        "nogle" | "visse" | "enkelte" => Mark::Some,
        "altid" => Mark::Always,
        "normalt" | "ofte" | "tit" | "typisk" | "oftest" | "sædvanligvis" | "måske"
        | "almindeligvis" => Mark::Hedge,
        "regel" if back == "som" => Mark::Hedge,
        "hvis" | "når" | "såfremt" | "ifald" => Mark::If,
        "kræver" | "kræve" | "kræves" | "krav" | "pligt" | "betingelse" | "forudsætning"
        | "nødt" | "nødvendig" | "nødvendigt" | "forudsætter" => Mark::Need,
        "du" | "man" | "i" | "vi" | "jeg" if word != "i" || back == "," => Mark::Subject,
        _ => return None,
    })
}

fn english(word: &str, next: &str, after: &str, back: &str) -> Option<Mark> {
    let word = word
        .strip_suffix("n't")
        .or_else(|| word.strip_suffix("n’t"))
        .unwrap_or(word);
    Some(match word {
        // What is left of "can't".
        "ca" => Mark::May,
        "not" | "never" | "none" | "nobody" | "nothing" | "neither" | "without" | "no"
        | "avoid" | "forbidden" | "prohibited" | "illegal" | "exempt" | "exempted"
        | "impossible" => {
            let limit =
                matches!(next, "more" | "later" | "earlier" | "less" | "longer") && after == "than";
            if limit || (word == "not" && next == "until") && back == "only" {
                return None;
            }
            Mark::Deny
        }
        "unless" | "except" | "excepting" => Mark::Except,
        "only" | "solely" => Mark::Only,
        "must" | "shall" => Mark::Must,
        "have" | "has" | "had" if next == "to" => Mark::Must,
        "need" | "needs" if next == "to" || matches!(back, "not" | "don't" | "doesn't") => {
            Mark::Must
        }
        "needed" | "required" | "requires" | "require" | "requirement" | "needs" | "need"
        | "condition" => Mark::Need,
        "can" | "cannot" | "may" | "could" | "might" | "allowed" | "permitted" | "possible"
        | "able" => Mark::May,
        "should" | "ought" => Mark::Should,
        // "all year" says when, not who.
        "all"
            if back == "at"
                || super::unit(next).is_some()
                || next == "the" && super::unit(after).is_some() =>
        {
            return None;
        }
        "all" | "everyone" | "everybody" => Mark::All,
        "most" if back != "at" => Mark::Most,
        "some" | "certain" => Mark::Some,
        "always" => Mark::Always,
        "normally" | "usually" | "often" | "typically" | "generally" | "perhaps" | "ordinarily"
        | "commonly" => Mark::Hedge,
        "rule" if back == "a" => Mark::Hedge,
        "if" | "when" | "once" => Mark::If,
        "you" | "we" | "they" | "one" => Mark::Subject,
        _ => return None,
    })
}

/// "must not" forbids, as the Danish "må ikke" does, and denies no obligation.
fn must_not(tokens: &[Token], marks: &mut [(usize, Mark)]) {
    for (i, mark) in marks {
        let next = tokens.get(*i + 1).map_or("", |t| t.text.as_str());
        let must = matches!(tokens[*i].text.as_str(), "must" | "mustn't");
        if must
            && *mark == Mark::Must
            && (next == "not"
                || next == "never"
                || tokens[*i].text.ends_with('t') && tokens[*i].text.len() > 4)
        {
            *mark = Mark::May;
        }
    }
}

/// Whether a clause that begins with this word tells somebody to do something.
pub(crate) fn imperative(word: &str, tongue: Tongue) -> bool {
    const DANISH: &[&str] = &[
        "ring",
        "søg",
        "skriv",
        "kontakt",
        "meld",
        "bestil",
        "giv",
        "send",
        "hav",
        "tag",
        "se",
        "spørg",
        "find",
        "gå",
        "log",
        "vælg",
        "fortæl",
        "bed",
        "begynd",
        "lad",
        "brug",
        "læs",
        "sørg",
        "husk",
        "vent",
        "hold",
        "aflever",
        "betal",
        "udfyld",
        "tjek",
        "klip",
        "aftal",
        "angiv",
        "vedlæg",
        "oplys",
        "sig",
        "kom",
        "hent",
        "gem",
        "få",
        "stil",
        "sæt",
        "læg",
        "klik",
        "tryk",
        "tilmeld",
        "afmeld",
        "opret",
        "bring",
        "vis",
        "mød",
        "lav",
        "planlæg",
        "anmeld",
        "undersøg",
        "saml",
        "prøv",
        "tal",
        "bliv",
        "indsend",
        "underskriv",
        "afbestil",
        "opsig",
        "klag",
        "book",
        "skift",
        "flyt",
        "luk",
        "åbn",
        "køb",
        "regn",
        "beregn",
        "vedhæft",
        "sortér",
        "svar",
        "forny",
        "hold",
    ];
    const ENGLISH: &[&str] = &[
        "call", "apply", "write", "contact", "report", "order", "give", "have", "take", "see",
        "ask", "go", "choose", "tell", "start", "let", "use", "read", "make", "remember", "wait",
        "keep", "hand", "pay", "fill", "check", "bring", "come", "fetch", "show", "get", "put",
        "enclose", "look", "register", "do", "sign", "say", "cancel", "complete", "notify", "pick",
        "collect", "send", "find", "book", "log", "begin", "attach", "state", "answer", "reply",
        "hold", "leave", "lay", "place", "renew", "complain", "appeal", "inform", "save", "try",
        "agree", "block",
    ];
    match tongue {
        Tongue::Danish => DANISH.contains(&word),
        Tongue::English => ENGLISH.contains(&word),
    }
}
