//! Words of the matter: stems, parts of compounds, and Danish words behind English ones.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

use crate::lexicon::{Tongue, light, stop};
use crate::token::Token;

/// What a word may be found as in Danish evidence.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// Danish stems; for an English word all that it may stand for, and itself.
    pub(crate) forms: Vec<String>,
    /// How much it counts: less for a word that may come and go, or that no word list knows.
    pub(crate) weight: f32,
    pub(crate) token: usize,
    /// Byte in the source.
    pub(crate) start: usize,
}

struct Speech {
    danish: Stemmer,
    english: Stemmer,
    /// English stem to Danish stems.
    glossary: HashMap<String, Vec<String>>,
}

static SPEECH: LazyLock<Speech> = LazyLock::new(|| {
    let danish = Stemmer::new(Algorithm::Danish);
    let english = Stemmer::new(Algorithm::English);
    let mut glossary: HashMap<String, Vec<String>> = HashMap::new();
    for line in include_str!("lexicon/english.tsv").lines() {
        let Some((words, meanings)) = line.split_once('\t') else {
            continue;
        };
        for word in words.split(' ').filter(|w| !w.is_empty()) {
            let list = glossary.entry(english.stem(word).into_owned()).or_default();
            for meaning in meanings.split(' ').filter(|m| !m.is_empty()) {
                let stem = danish_stem(&danish, meaning);
                if !list.contains(&stem) {
                    list.push(stem);
                }
            }
        }
    }
    Speech {
        danish,
        english,
        glossary,
    }
});

/// Forms that the stemmer keeps apart.
const LEMMAS: &[(&str, &str)] = &[
    ("børn", "barn"),
    ("børnene", "barn"),
    ("børns", "barn"),
    ("barnets", "barn"),
    ("bøger", "bog"),
    ("sager", "sag"),
    ("forældre", "foræld"),
    ("forælder", "foræld"),
    ("mænd", "mand"),
    ("nætter", "nat"),
    ("fødder", "fod"),
    ("ældre", "gammel"),
    ("gamle", "gammel"),
    ("ældste", "gammel"),
    ("større", "stor"),
    ("største", "stor"),
    ("mindre", "lille"),
    ("små", "lille"),
    ("længere", "lang"),
    ("bedre", "god"),
    ("bedst", "god"),
    ("flere", "fler"),
    ("sagde", "sig"),
    ("sagt", "sig"),
    ("siger", "sig"),
    ("sige", "sig"),
    ("ser", "se"),
    ("set", "se"),
    ("bor", "bo"),
    ("boet", "bo"),
    ("står", "stå"),
    ("stået", "stå"),
    ("dør", "dø"),
    ("døde", "dø"),
    ("giver", "giv"),
    ("givet", "giv"),
    ("give", "giv"),
    ("tager", "tag"),
    ("tage", "tag"),
    ("taget", "tag"),
    ("betaling", "betal"),
    ("ved", "vid"),
    ("vide", "vid"),
    ("hjælper", "hjælp"),
    ("hjælpe", "hjælp"),
    ("hjulpet", "hjælp"),
    ("valgt", "vælg"),
    ("valg", "valg"),
    ("fandt", "find"),
    ("fundet", "find"),
    ("skrevet", "skriv"),
    ("bedt", "bed"),
    ("bede", "bed"),
    ("spurgt", "spørg"),
    ("solgt", "sælg"),
    ("købt", "køb"),
    ("sat", "sæt"),
    ("lagt", "læg"),
    ("fri", "fri"),
    ("nye", "ny"),
    ("nyt", "ny"),
    ("opsøge", "opsøg"),
    ("kendt", "kend"),
];

fn danish_stem(stemmer: &Stemmer, word: &str) -> String {
    if let Some((_, lemma)) = LEMMAS.iter().find(|(form, _)| *form == word) {
        return (*lemma).to_owned();
    }
    stemmer.stem(word).into_owned()
}

/// The words of a stretch of tokens that carry what it is about; `taken` are those that facts, names and
/// marks stand for.
pub(crate) fn terms(tokens: &[Token], taken: &[bool], tongue: Tongue) -> Vec<Term> {
    let mut out: Vec<Term> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if !token.word() || taken[i] || stop(&token.text, tongue) || token.text.chars().count() < 2
        {
            continue;
        }
        out.extend(term(token, i, tongue));
    }
    out
}

fn term(token: &Token, at: usize, tongue: Tongue) -> Option<Term> {
    let speech = &*SPEECH;
    let word = token.text.as_str();
    let mut weight = if light(word) { 0.3 } else { 1.0 };
    let forms = match tongue {
        Tongue::Danish => vec![danish_stem(&speech.danish, word)],
        Tongue::English => {
            let plain = word.trim_end_matches("'s").trim_end_matches("’s");
            let mut forms = match speech.glossary.get(speech.english.stem(plain).as_ref()) {
                Some(list) if list.is_empty() => return None,
                Some(list) => list.clone(),
                None => {
                    weight *= 0.5;
                    Vec::new()
                }
            };
            forms.push(danish_stem(&speech.danish, plain));
            forms
        }
    };
    Some(Term {
        forms,
        weight,
        token: at,
        start: token.start,
    })
}

/// Whether a word of the matter is one that a word list knows, and so no name.
pub(crate) fn common(term: &Term, tongue: Tongue) -> bool {
    static DANISH: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let all = SPEECH.glossary.values().flatten().map(String::as_str);
        all.chain(LEMMAS.iter().map(|(_, stem)| *stem)).collect()
    });
    match tongue {
        Tongue::Danish => DANISH.contains(term.forms[0].as_str()),
        Tongue::English => term.forms.len() > 1,
    }
}

/// How well a stem meets another: 1 the same, 0.7 a part of a compound, 0 not at all.
pub(crate) fn meets(a: &str, b: &str) -> f32 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let enough = short.len() >= 4 && long.len() >= short.len() + 2;
    if enough && (long.ends_with(short) || long.starts_with(short)) {
        0.7
    } else {
        0.0
    }
}
