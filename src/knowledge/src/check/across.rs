//! What can only be said of articles together.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base::fold;

use crate::Fault;
use crate::article::{Article, Layer};
use crate::front_matter::line_of;
use crate::release::Draft;

pub(super) fn duplicates(draft: &Draft, texts: &HashMap<&str, &str>, faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<(Layer, &str), &Article> = BTreeMap::new();
    for a in &draft.articles {
        if let Some(other) = first.insert((a.layer, &a.id), a) {
            let line = texts.get(a.file.as_str()).map_or(0, |t| line_of(t, "id ="));
            faults.push(Fault::error(
                &a.file,
                line,
                "id",
                format!("«{}» is also the id of {}", a.id, other.file),
            ));
        }
    }
}

/// What a sentence is known by: the same words are the same sentence.
fn sentence_key(sentence: &str) -> String {
    base::words(&fold(sentence)).collect::<Vec<_>>().join(" ")
}

/// The keys of an article's sentences, as numbers.
pub(crate) fn sentence_keys(a: &Article) -> Vec<u64> {
    let sentences = a.examples.values().flatten();
    let number = |s: &String| {
        let mut hasher = DefaultHasher::new();
        sentence_key(s).hash(&mut hasher);
        hasher.finish()
    };
    sentences.map(number).collect()
}

/// The same sentence may not lead to two articles that one municipality can see together.
pub(super) fn overlaps(draft: &Draft, texts: &HashMap<&str, &str>, faults: &mut Vec<Fault>) {
    let mut seen: HashMap<String, Vec<&Article>> = HashMap::new();
    for a in &draft.articles {
        for (lang, list) in &a.examples {
            for s in list {
                let holders = seen.entry(sentence_key(s)).or_default();
                if let Some(other) = holders.iter().find(|o| clash(o, a)) {
                    let line = texts.get(a.file.as_str()).map_or(0, |t| line_of(t, s));
                    let message = if std::ptr::eq(*other, a) {
                        format!("«{s}» stands twice")
                    } else {
                        format!("«{s}» is also an example of {}", other.file)
                    };
                    faults.push(Fault::error(
                        &a.file,
                        line,
                        format!("examples.{}", lang.code()),
                        message,
                    ));
                }
                holders.push(a);
            }
        }
    }
}

pub(crate) fn clash(a: &Article, b: &Article) -> bool {
    if std::ptr::eq(a, b) {
        return true;
    }
    // One replaces the other, or they are never seen together.
    if a.id == b.id {
        return false;
    }
    match (a.layer, b.layer) {
        (Layer::Municipality(x), Layer::Municipality(y)) | (Layer::Region(x), Layer::Region(y)) => {
            x == y
        }
        _ => true,
    }
}

pub(super) fn hidden(draft: &Draft, texts: &HashMap<&str, &str>, faults: &mut Vec<Fault>) {
    for m in draft.municipalities.values() {
        for id in &m.hidden {
            let known = draft
                .articles
                .iter()
                .any(|a| &a.id == id && matches!(a.layer, Layer::Shared | Layer::Region(_)));
            if !known {
                let line = texts.get(m.file.as_str()).map_or(0, |t| line_of(t, id));
                faults.push(Fault::error(
                    &m.file,
                    line,
                    "hidden",
                    format!("there is no inherited article «{id}» to hide"),
                ));
            }
        }
    }
}
