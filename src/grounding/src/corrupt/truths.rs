//! True sentences: an article's own, and what rules make of them without changing what is said.

use base::Lang;

use super::{Article, Truth, Written};
use crate::text::{lines, sentences};

/// Fewer words are a label, not a sentence.
const WORDS: usize = 4;

pub(super) fn danish(article: &Article) -> Vec<Truth> {
    let mut out = Vec::new();
    for (section, (_, body)) in article.sections.iter().enumerate() {
        for line in lines(body) {
            let own: Vec<String> = sentences(&line)
                .into_iter()
                .map(|s| s.text)
                .filter(|t| t.split_whitespace().count() >= WORDS)
                .collect();
            for text in &own {
                let mut add = |text: String, form| {
                    out.push(Truth {
                        text,
                        form,
                        section,
                        lang: Lang::Da,
                    });
                };
                if let Some(text) = shorter(text) {
                    add(text, "shortened");
                }
                if let Some(text) = reworded(text) {
                    add(text, "reworded");
                }
                add(text.clone(), "verbatim");
            }
            for pair in own.windows(2) {
                if let Some(text) = joined(&pair[0], &pair[1]) {
                    out.push(Truth {
                        text,
                        form: "joined",
                        section,
                        lang: Lang::Da,
                    });
                }
            }
        }
    }
    out
}

/// The sentences written by hand of an article, as one form.
pub(super) fn written(
    article: &Article,
    all: &[Written],
    form: &'static str,
    lang: Lang,
) -> Vec<Truth> {
    let own = all.iter().filter(|t| t.article == article.id);
    own.filter_map(|t| {
        let section = article
            .sections
            .iter()
            .position(|(h, _)| h.as_deref().unwrap_or("") == t.heading)?;
        Some(Truth {
            text: t.text.clone(),
            form,
            section,
            lang,
        })
    })
    .collect()
}

/// Without what stands in parentheses, and without a last clause that only adds to the first.
fn shorter(text: &str) -> Option<String> {
    if let (Some(open), Some(close)) = (text.find(" ("), text.find(')'))
        && open < close
        // "893 kr. (2026)" without its year says more than the section.
        && !text[open..close].contains(|c: char| c.is_ascii_digit())
        && !text[open..close].contains("vejledende")
    {
        return Some(format!("{}{}", &text[..open], &text[close + 1..]));
    }
    let at = [", for eksempel ", ", fx ", ", og ", ", men "]
        .iter()
        .filter_map(|cut| text.rfind(cut))
        .max()?;
    let (kept, gone) = text.split_at(at);
    // What limits the first clause is no addition, and a list is not cut in its middle.
    let limits = ["hvis", "medmindre", "undtagen", "når", "kun", "ikke", "dog"];
    let limiting = gone
        .split(|c: char| !c.is_alphabetic())
        .any(|w| limits.contains(&w));
    let listed = kept.contains(',');
    (!limiting && !listed && kept.split_whitespace().count() >= super::truths::WORDS)
        .then(|| format!("{kept}."))
}

/// Two sentences as one.
fn joined(one: &str, other: &str) -> Option<String> {
    let one = one.strip_suffix('.')?;
    let mut chars = other.chars();
    let first = chars.next()?;
    let word = other.split_whitespace().next()?;
    // Only what has its capital from the start of the sentence loses it.
    const OPENERS: &[&str] = &[
        "Du", "Vi", "Det", "Den", "De", "Der", "Kommunen", "Hvis", "Når", "Så", "Man", "Ring",
        "Søg", "Skriv", "Meld", "Se", "Er", "Har", "Får", "Kan", "Bor", "Skal", "Bliver", "Prisen",
        "En", "Et", "Nogle", "Mange", "Alle",
    ];
    (OPENERS.contains(&word) && !other.ends_with('?'))
        .then(|| format!("{one}, og {}{}", first.to_lowercase(), chars.as_str()))
}

/// The same in other words, from a short list of equals; the first that applies.
fn reworded(text: &str) -> Option<String> {
    const SAME: &[(&str, &str)] = &[
        ("Du skal ", "Man skal "),
        (" du skal ", " man skal "),
        ("Du kan ", "Man kan "),
        (" kan du ", " kan man "),
        (" skal du ", " skal man "),
        ("for eksempel", "fx"),
        ("Søg på ", "Du skal søge på "),
        ("Ring til ", "Du kan ringe til "),
        ("Skriv til ", "Du kan skrive til "),
        ("Kontakt ", "Du kan kontakte "),
        ("Du søger ", "Du skal søge "),
        ("Får du ", "Hvis du får "),
        ("Har du ", "Hvis du har "),
        ("Er du ", "Hvis du er "),
        ("Bor du ", "Hvis du bor "),
        (" to ", " 2 "),
        (" tre ", " 3 "),
        (" fire ", " 4 "),
        (" seks ", " 6 "),
        (" inden for ", " inden "),
        ("Vi ", "Kommunen "),
        (" cirka ", " ca. "),
        ("Du behøver ikke ", "Du skal ikke "),
    ];
    if text.ends_with('?') {
        return None;
    }
    let (from, to) = SAME.iter().find(|(from, _)| {
        text.contains(from) && (!from.starts_with(char::is_uppercase) || text.starts_with(from))
    })?;
    Some(text.replacen(from, to, 1))
}
