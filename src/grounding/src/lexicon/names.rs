//! Names: who acts, systems, papers, benefits and places of the field, and whatever else has a capital.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Tongue, imperative, month, stop, weekday};
use crate::token::Token;

/// One name in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The same in both languages and all inflections.
    pub(crate) key: String,
    /// A, S, D, B or P of the field's list; X for any other with a capital.
    pub(crate) kind: char,
    /// Tokens, from and to.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// A name of the field's list.
struct Entry {
    kind: char,
    key: &'static str,
    danish: Vec<&'static str>,
}

struct Form {
    words: Vec<&'static str>,
    whole: bool,
    entry: usize,
}

/// The field's names, by the first two bytes of a form's first word.
pub(crate) struct Names {
    entries: Vec<Entry>,
    danish: HashMap<[u8; 2], Vec<Form>>,
    english: HashMap<[u8; 2], Vec<Form>>,
}

pub(crate) fn field() -> &'static Names {
    static FIELD: LazyLock<Names> = LazyLock::new(Names::read);
    &FIELD
}

fn head(word: &str) -> [u8; 2] {
    let b = word.as_bytes();
    [
        b.first().copied().unwrap_or(0),
        b.get(1).copied().unwrap_or(0),
    ]
}

impl Names {
    fn read() -> Self {
        let mut out = Self {
            entries: Vec::new(),
            danish: HashMap::new(),
            english: HashMap::new(),
        };
        for line in include_str!("names.tsv")
            .lines()
            .filter(|l| !l.starts_with('#'))
        {
            let mut fields = line.split('\t');
            let (Some(kind), Some(key), Some(danish), Some(english)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let entry = out.entries.len();
            for (table, forms) in [(&mut out.danish, danish), (&mut out.english, english)] {
                for form in forms.split('|') {
                    let whole = form.starts_with('=');
                    let words: Vec<&str> = form.trim_start_matches('=').split(' ').collect();
                    let form = Form {
                        whole,
                        entry,
                        words,
                    };
                    table.entry(head(form.words[0])).or_default().push(form);
                }
            }
            out.entries.push(Entry {
                kind: kind.chars().next().unwrap_or('X'),
                key,
                danish: danish
                    .split('|')
                    .map(|f| f.trim_start_matches('='))
                    .collect(),
            });
        }
        // The longest form first: "driving licence" before "licence".
        for table in [&mut out.danish, &mut out.english] {
            for forms in table.values_mut() {
                forms.sort_by_key(|f| std::cmp::Reverse((f.words.len(), f.words[0].len())));
            }
        }
        out
    }

    /// Whether a Danish word is a compound with this name: `distriktsskole` with `skole`.
    pub(crate) fn within(&self, key: &str, word: &str) -> bool {
        let entry = self.entries.iter().find(|e| e.key == key);
        entry.is_some_and(|e| {
            e.danish
                .iter()
                .any(|f| f.len() >= 4 && word.len() > f.len() + 2 && word.contains(f))
        })
    }

    /// The names of a text, in their order.
    pub(crate) fn find(&self, tokens: &[Token], tongue: Tongue) -> Vec<Name> {
        let table = match tongue {
            Tongue::Danish => &self.danish,
            Tongue::English => &self.english,
        };
        let mut out = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            if !tokens[at].word() {
                at += 1;
                continue;
            }
            let listed = table.get(&head(&tokens[at].text)).and_then(|forms| {
                forms
                    .iter()
                    .find_map(|f| f.meets(tokens, at, tongue).map(|to| (f.entry, to)))
            });
            if let Some((entry, to)) = listed {
                let entry = &self.entries[entry];
                out.push(Name {
                    key: entry.key.to_owned(),
                    kind: entry.kind,
                    from: at,
                    to,
                });
                at = to;
                continue;
            }
            if capital(tokens, at, tongue) {
                out.push(Name {
                    key: key(&tokens[at].text),
                    kind: 'X',
                    from: at,
                    to: at + 1,
                });
            }
            at += 1;
        }
        out
    }
}

/// A word as names are compared: without the genitive.
pub(crate) fn key(word: &str) -> String {
    let word = word.trim_end_matches("'s").trim_end_matches("’s");
    match word.strip_suffix('s') {
        Some(stem) if stem.chars().count() > 3 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Municipalities by their first word, names also where a sentence begins. Without Vejen, which is a road as well.
const MUNICIPALITIES: &[&str] = &[
    "aabenraa",
    "aalborg",
    "aarhus",
    "albertslund",
    "allerød",
    "assens",
    "ballerup",
    "billund",
    "bornholm",
    "brøndby",
    "brønderslev",
    "dragør",
    "egedal",
    "esbjerg",
    "fanø",
    "favrskov",
    "faxe",
    "fredensborg",
    "fredericia",
    "frederiksberg",
    "frederikshavn",
    "frederikssund",
    "furesø",
    "faaborg",
    "gentofte",
    "gladsaxe",
    "glostrup",
    "greve",
    "gribskov",
    "guldborgsund",
    "haderslev",
    "halsnæs",
    "hedensted",
    "helsingør",
    "herlev",
    "herning",
    "hillerød",
    "hjørring",
    "holbæk",
    "holstebro",
    "horsens",
    "hvidovre",
    "taastrup",
    "hørsholm",
    "ikast",
    "ishøj",
    "jammerbugt",
    "kalundborg",
    "kerteminde",
    "kolding",
    "københavn",
    "køge",
    "langeland",
    "lejre",
    "lemvig",
    "lolland",
    "lyngby",
    "læsø",
    "mariagerfjord",
    "middelfart",
    "morsø",
    "norddjurs",
    "nordfyn",
    "nyborg",
    "næstved",
    "odder",
    "odense",
    "odsherred",
    "randers",
    "rebild",
    "ringkøbing",
    "ringsted",
    "roskilde",
    "rudersdal",
    "rødovre",
    "samsø",
    "silkeborg",
    "skanderborg",
    "skive",
    "slagelse",
    "solrød",
    "sorø",
    "stevns",
    "struer",
    "svendborg",
    "syddjurs",
    "sønderborg",
    "thisted",
    "tønder",
    "tårnby",
    "vallensbæk",
    "varde",
    "vejle",
    "vesthimmerland",
    "viborg",
    "vordingborg",
    "ærø",
    "århus",
    "ålborg",
    "åbenrå",
    "copenhagen",
];

/// Whether a capital makes this word a name.
fn capital(tokens: &[Token], at: usize, tongue: Tongue) -> bool {
    let t = &tokens[at];
    if t.capital
        && [t.text.as_str(), &key(&t.text)]
            .iter()
            .any(|w| MUNICIPALITIES.contains(w))
    {
        return true;
    }
    let after = |n: usize| tokens.get(at + n);
    let municipality = after(1).is_some_and(|n| {
        n.capital && matches!(n.text.as_str(), "kommune" | "kommunes" | "municipality")
    });
    // Two capitals in a row are a name, also where a Danish sentence begins.
    let pair = t.first
        && tongue == Tongue::Danish
        && t.capital
        && !imperative(&t.text, tongue)
        && after(1).is_some_and(|n| n.capital && !stop(&n.text, tongue));
    if t.camel || (t.capital && municipality) || (pair && !stop(&t.text, tongue)) {
        return true;
    }
    if !t.capital || t.first || stop(&t.text, tongue) || t.text.chars().count() < 2 {
        return false;
    }
    // What follows a colon, a question or an opening quote begins anew.
    let begins = at.checked_sub(1).is_some_and(|b| {
        matches!(
            tokens[b].text.as_str(),
            ":" | "." | "?" | "!" | "\"" | "“" | "«" | "»" | "-" | "–" | "(" | "/"
        )
    });
    // Peoples and languages are words of the matter.
    let people = tongue == Tongue::English
        && [
            "danish",
            "english",
            "nordic",
            "swedish",
            "norwegian",
            "german",
            "ukrainian",
            "ukrainians",
            "european",
            "foreign",
            "latin",
        ]
        .contains(&t.text.as_str());
    !begins && !people && month(&t.text).is_none() && weekday(&t.text).is_none()
}

impl Form {
    /// The token after the form, where it stands at `at`.
    fn meets(&self, tokens: &[Token], at: usize, tongue: Tongue) -> Option<usize> {
        let mut i = at;
        for (n, word) in self.words.iter().enumerate() {
            while n > 0 && tokens.get(i).is_some_and(|t| t.is("-")) {
                i += 1;
            }
            let text = tokens.get(i).filter(|t| t.word())?.text.as_str();
            let last = n + 1 == self.words.len();
            let ends = text.strip_prefix(word)?;
            let allowed = ends.is_empty() || (last && !self.whole && ending(ends, tongue));
            if !allowed {
                return None;
            }
            i += 1;
        }
        Some(i)
    }
}

fn ending(end: &str, tongue: Tongue) -> bool {
    match tongue {
        Tongue::Danish => [
            "s", "en", "n", "et", "t", "ens", "ets", "ns", "er", "r", "erne", "rne", "ernes",
            "rnes", "e", "es", "ne", "nes", "ret", "rets", "re", "rene", "renes", "sen", "ser",
            "serne", "sens", "ter", "terne", "ken", "kerne", "ene", "enes",
        ]
        .contains(&end),
        Tongue::English => ["s", "'s", "’s", "es", "s'"].contains(&end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    fn keys(text: &str, tongue: Tongue) -> Vec<String> {
        let found = field().find(&tokens(text), tongue);
        found.into_iter().map(|n| n.key).collect()
    }

    #[test]
    fn inflections_and_languages_meet() {
        let da = |t| keys(t, Tongue::Danish);
        assert_eq!(
            da("Kommunens visitation og jobcentret"),
            ["kommune", "visitation", "jobcenter"]
        );
        assert_eq!(da("Passet og kørekortet"), ["pas", "kørekort"]);
        assert_eq!(da("Pas på, at MitID-appen virker"), ["pas", "mitid"]);
        assert_eq!(
            da("Hos Udbetaling Danmark i Aarhus"),
            ["udbetaling danmark", "aarhu"]
        );
        assert_eq!(da("Odense Kommune svarer"), ["odense", "kommune"]);
        let en = |t| keys(t, Tongue::English);
        assert_eq!(
            en("The municipality's driving licence"),
            ["kommune", "kørekort"]
        );
        assert_eq!(en("Speak Danish with the police"), ["politi"]);
    }

    #[test]
    fn a_compound_holds_its_name() {
        assert!(field().within("skole", "distriktsskolen"));
        assert!(!field().within("skole", "skole"));
    }
}
