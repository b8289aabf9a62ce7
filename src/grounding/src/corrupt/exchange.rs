//! One name in another's place, one number in another's.

use super::changes::{Made, Work};
use super::{Dice, words};
use crate::facts::What;
use crate::lexicon::{Tongue, field};
use crate::token::tokens;

impl Work<'_> {
    pub(super) fn name(&self, dice: &mut Dice) -> Made {
        let names = field().find(&self.tokens, self.tongue);
        let list: Vec<_> = names.iter().filter(|n| n.kind != 'X').collect();
        let Some(name) = dice.of_list(&list) else {
            return Made::None;
        };
        let mut start = self.tokens[name.from].start;
        let end = self.tokens[name.to - 1].end;
        if self.tongue == Tongue::English && self.text[..start].to_lowercase().ends_with("the ") {
            start -= 4;
        }
        let own = self.text.to_lowercase();
        let entry = |other: &str| {
            let found = field().find(&tokens(other), self.tongue);
            found.first().map(|n| n.key.clone())
        };
        let rest: Vec<&str> = words::others(name.kind, self.tongue)
            .iter()
            .copied()
            .filter(|o| !own.contains(&o.to_lowercase()))
            .filter(|o| entry(o).is_some_and(|k| !names.iter().any(|n| n.key == k)))
            .collect();
        let Some(new) = dice.of_list(&rest) else {
            return Made::None;
        };
        // "Vi" and the municipality's own offices speak as the municipality.
        if new == "kommunen" && own.contains("vi ") {
            return Made::True("the municipality speaks in the sentence");
        }
        Made::Wrong(self.replaced(start, end, new))
    }

    /// The municipality that is meant becomes another by name.
    pub(super) fn municipality(&self, dice: &mut Dice) -> Made {
        let forms: &[&str] = match self.tongue {
            Tongue::Danish => &["kommunen", "kommunens", "vi"],
            Tongue::English => &["the municipality", "we"],
        };
        let list: Vec<(usize, usize)> = forms.iter().flat_map(|f| self.places(f)).collect();
        let Some((start, end)) = dice.of_list(&list) else {
            return Made::None;
        };
        let Some(new) = dice.of_list(words::MUNICIPALITIES) else {
            return Made::None;
        };
        Made::Wrong(self.replaced(start, end, new))
    }
}

pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Other digits of the same look: one moved by 1 to 5, two exchanged, or one more at the end.
pub(super) fn digits(source: &str, dice: &mut Dice, what: What) -> Option<String> {
    let places: Vec<usize> = source
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .map(|(n, _)| n)
        .collect();
    let mut bytes = source.as_bytes().to_vec();
    match dice.below(3) {
        0 if places.len() >= 2 && what == What::Number => {
            let (a, b) = (places[places.len() - 2], places[places.len() - 1]);
            if bytes[a] != bytes[b] && bytes[b] != b'0' {
                bytes.swap(a, b);
            } else {
                bytes[a] = b'1' + (bytes[a] - b'0' + 2) % 9;
            }
        }
        1 if places.len() <= 2 && what == What::Number => return Some(format!("{source}0")),
        _ => {
            let at = match what {
                // The hour, the day: what is still a time and a date.
                What::Time | What::Date => {
                    places[places.len().min(2) - 1].min(if places.len() > 1 && places[1] == 1 {
                        1
                    } else {
                        0
                    })
                }
                _ => dice.of_list(&places)?,
            };
            let step = 1 + dice.below(5) as u8;
            bytes[at] = b'1' + (bytes[at] - b'0' + step - 1 + 9) % 9;
            if bytes[at] == source.as_bytes()[at] {
                bytes[at] = b'1' + (bytes[at] - b'0') % 9;
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|new| new != source)
}
