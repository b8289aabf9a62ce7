//! Language, and whether the message stands on its own.

use base::{Lang, fold};
use index::Snapshot;

use super::guard::Guarded;
use crate::context::Context;
use crate::turn::Input;

/// A message and how it is to be read.
pub(crate) struct Understood {
    pub text: String,
    pub lang: Lang,
    pub guarded: Guarded,
    /// The readings beside what came before; empty when there is nothing before, or the message is long.
    pub beside: Vec<String>,
    /// The message means nothing alone.
    pub elliptical: bool,
}

/// Longer messages stand on their own.
const MAX_FOLLOW_UP_WORDS: usize = 12;

/// Words that take up what was said before, at the start of a message, folded.
const OPENERS: &[&str] = &[
    "og",
    "men",
    "hvad med",
    "hvad hvis",
    "hvad saa",
    "ogsaa",
    "saa",
    "eller",
    "ogsaa hvis",
    "hva med",
    "hva hvis",
    "ok og",
    "okay og",
    "ja og",
    "and",
    "what about",
    "what if",
    "how about",
    "but",
    "also",
    "und",
    "was ist mit",
    "aber",
    "was wenn",
    "а",
    "і",
    "й",
    "та",
    "але",
    "а якщо",
    "що якщо",
    "و",
    "طيب",
    "ماذا لو",
    "شو عن",
    "a",
    "i",
    "a co z",
    "co jeśli",
    "ale",
    "co z",
    "peki",
    "ya",
    "ama",
    "ve",
    "peki ya",
];

/// Words that point at what was said before, folded.
const POINTERS: &[&str] = &[
    "det",
    "den",
    "dem",
    "de",
    "der",
    "dette",
    "denne",
    "her",
    "herom",
    "dertil",
    "it",
    "that",
    "this",
    "they",
    "them",
    "es",
    "das",
    "dies",
    "diese",
    "sie",
    "це",
    "цього",
    "він",
    "вона",
    "його",
    "ذلك",
    "هذا",
    "هاد",
    "ها",
    "to",
    "tego",
    "ten",
    "bu",
    "bunu",
    "bunun",
    "o",
    "onu",
    "şu",
];

pub(crate) fn run(
    snapshot: &Snapshot,
    input: &Input,
    context: &Context,
    guarded: Guarded,
) -> Understood {
    let text = base::without_masks(&input.text);
    let lang = snapshot.language(&text, context.lang);
    let text = snapshot.spelled(&text, lang).into_owned();
    let folded = fold(&text);
    let words: Vec<&str> = base::words(&folded).collect();
    let mut beside = Vec::new();
    let mut elliptical = false;
    if words.len() <= MAX_FOLLOW_UP_WORDS {
        if let Some(question) = &context.question {
            beside.push(format!("{question} {text}"));
        }
        let view = snapshot.release.view(input.municipality);
        let article = context.article.as_deref().and_then(|id| view?.get(id));
        if let Some(ix) = article {
            let title = &snapshot.release.article(ix).title;
            beside.push(format!("{}: {text}", knowledge::without_slots(title)));
        }
        let joined = words.join(" ");
        let opens = OPENERS.iter().any(|o| {
            joined
                .strip_prefix(&fold(o))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        // "Der er …" tells of something new; "hvad koster der" takes up what was said.
        let pointers = words
            .iter()
            .skip(usize::from(words.first() == Some(&"der")));
        let points = pointers.into_iter().any(|w| POINTERS.contains(w));
        elliptical = !beside.is_empty()
            && (snapshot.unspecific(&text, lang)
                || (opens && words.len() <= 8)
                || (points && words.len() <= 5));
    }
    Understood {
        text,
        lang,
        guarded,
        beside,
        elliptical,
    }
}

impl Understood {
    pub(crate) fn texts(&self) -> Vec<String> {
        if self.guarded == Guarded::Wordless {
            return Vec::new();
        }
        std::iter::once(self.text.clone())
            .chain(self.beside.iter().cloned())
            .collect()
    }
}
