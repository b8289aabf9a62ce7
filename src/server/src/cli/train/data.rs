//! What the encoder learns from: the examples of every article and intent, the sections of every article, and sentences
//! that no article answers.

use std::collections::BTreeMap;

use base::{Lang, clean};
use inference::Kind;
use inference::train::{Data, Sentence};
use knowledge::{Audience, Release, held_out, without_slots};

/// Words of the shortest sentence that is text and not a heading.
const FEW_WORDS: usize = 5;

/// Everything, in an order that depends on the knowledge alone.
pub(super) fn collect(release: &Release) -> Data {
    let mut data = Data {
        languages: Lang::ALL.map(|lang| lang.code().to_owned()).into(),
        ..Data::default()
    };
    // One class an article id: an override answers the same question.
    let articles = release
        .articles
        .iter()
        .filter(|a| a.audience == Audience::Citizen);
    let ids = articles.clone().map(|a| a.id.as_str());
    let names = ids.chain(release.intents.examples.keys().map(|i| i.name()));
    let mut classes: BTreeMap<&str, u32> = names.map(|name| (name, 0)).collect();
    classes
        .values_mut()
        .zip(0..)
        .for_each(|(class, n)| *class = n);
    let mut add = |text: &str, lang: Lang, class: Option<u32>, kind: Kind| {
        let text = clean(text);
        let language = Lang::ALL.iter().position(|l| *l == lang).unwrap_or(0);
        data.sentences.push(Sentence {
            held_out: kind == Kind::Query && held_out(&text),
            text,
            class,
            language,
            kind,
        });
    };
    for article in articles.clone() {
        let class = classes.get(article.id.as_str()).copied();
        for (lang, list) in &article.examples {
            for text in list {
                add(text, *lang, class, Kind::Query);
            }
        }
        for s in &article.sections {
            let heading = s.heading.as_deref().unwrap_or("");
            let text = without_slots(&format!("{}. {heading}\n{}", article.title, s.text));
            add(&text, Lang::Da, class, Kind::Passage);
        }
    }
    for (intent, by_lang) in &release.intents.examples {
        let class = classes.get(intent.name()).copied();
        for (lang, list) in by_lang {
            for text in list {
                add(text, *lang, class, Kind::Query);
            }
        }
    }
    for (lang, text) in release.out_of_scope.values().flatten() {
        add(text, *lang, None, Kind::Query);
    }
    for (article, section) in articles.flat_map(|a| a.sections.iter().map(move |s| (a, s))) {
        let sentences = sentences(&without_slots(&section.text));
        // The first stands for what somebody looks for, the rest, under its titles, for where it is.
        if let Some((first, rest)) = sentences.split_first().filter(|(_, rest)| !rest.is_empty()) {
            let heading = section.heading.as_deref().unwrap_or("");
            let passage = format!("{}. {heading}\n{}", article.title, rest.join(" "));
            data.retrieval
                .push((first.clone(), clean(&without_slots(&passage))));
        }
        data.general.extend(sentences);
    }
    data
}

/// The sentences of some Markdown, without its signs; what has few words is left out.
fn sentences(markdown: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in markdown.lines() {
        let line = line
            .trim()
            .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | ' '));
        let plain = line.replace("**", "");
        let mut rest = plain.as_str();
        while !rest.is_empty() {
            let end = rest
                .match_indices(['.', '?', '!'])
                .map(|(at, _)| at + 1)
                .find(|&end| rest[end..].starts_with(' ') && !rest[..end].ends_with("f.eks."))
                .unwrap_or(rest.len());
            let (sentence, after) = rest.split_at(end);
            if sentence.split_whitespace().count() >= FEW_WORDS {
                out.push(clean(sentence.trim()));
            }
            rest = after.trim_start();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_sentences() {
        let text = "Du skal søge **senest en måned før**. Kort.\n- Medbring dit gamle pas, hvis du har det\n";
        assert_eq!(
            sentences(text),
            [
                "Du skal søge senest en måned før.",
                "Medbring dit gamle pas, hvis du har det"
            ]
        );
    }
}
