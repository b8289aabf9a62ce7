//! What can be said of a message by its letters alone: signs of a crisis, and nothing to answer.

use base::{Lang, fold};
use knowledge::Release;

use crate::turn::Input;

/// The guard's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarded {
    Pass,
    /// A sign that alone makes the message a cry for help.
    Crisis,
    /// No letter in it: punctuation, digits, emoji.
    Wordless,
}

pub(crate) fn run(release: &Release, input: &Input) -> Guarded {
    let text = base::without_masks(&input.text);
    if crisis(release, &text) {
        return Guarded::Crisis;
    }
    if !text.chars().any(char::is_alphabetic) {
        return Guarded::Wordless;
    }
    Guarded::Pass
}

/// Signs of every language are looked for: people in distress do not keep to one.
fn crisis(release: &Release, text: &str) -> bool {
    let words: Vec<String> = base::words(&fold(text)).map(str::to_owned).collect();
    let joined = format!(" {} ", words.join(" "));
    release.intents.crisis_signs.iter().any(|(lang, signs)| {
        signs.iter().any(|sign| {
            // A sign begins at a word, and a long last word may go on, for endings: but `vil bare dø` is not
            // `vil bare døbe`. Arabic prefixes join the word.
            match lang {
                Lang::Ar => joined.contains(sign.as_str()),
                _ if last_letters(sign) >= OPEN_ENDED => joined.contains(&format!(" {sign}")),
                _ => joined.contains(&format!(" {sign} ")),
            }
        })
    })
}

/// Letters of a sign's last word from which on it may have an ending.
const OPEN_ENDED: usize = 5;

fn last_letters(sign: &str) -> usize {
    sign.rsplit(' ').next().map_or(0, |w| w.chars().count())
}
