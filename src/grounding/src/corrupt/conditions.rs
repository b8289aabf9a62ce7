//! A condition that is said as if it were so.

use super::Dice;
use super::changes::{Made, Work};
use super::exchange::capital;
use crate::lexicon::Tongue;

impl Work<'_> {
    /// "Får du afslag, kan du klage": "Du får afslag.", or "Du får afslag, og du kan klage."
    pub(super) fn condition(&self, dice: &mut Dice) -> Made {
        let end = ['.', '!'].into_iter().find(|m| self.text.ends_with(*m));
        let Some(text) = end.and_then(|m| self.text.strip_suffix(m)) else {
            return Made::None;
        };
        let pieces: Vec<&str> = text.split(", ").collect();
        let mut list = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            let Some(fact) = self.stated(piece, n == 0) else {
                continue;
            };
            list.push(format!("{}.", capital(&fact)));
            if let Some(main) = (n == 0)
                .then(|| self.straight(&pieces[1..].join(", ")))
                .flatten()
            {
                let and = if self.tongue == Tongue::Danish {
                    "og"
                } else {
                    "and"
                };
                list.push(format!("{}, {and} {main}.", capital(&fact)));
            }
        }
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        dice.of_list(&list)
            .map_or(Made::None, |made| Made::Wrong(made.to_owned()))
    }

    /// A condition as a statement: "hvis du ikke kan" as "du kan ikke", "får du" as "du får".
    fn stated(&self, piece: &str, first: bool) -> Option<String> {
        let lower = piece.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let subject = |w: &str| matches!(w, "du" | "man" | "you");
        match (self.tongue, words.as_slice()) {
            (Tongue::Danish, ["hvis" | "når", s, no @ "ikke", verb, rest @ ..]) if subject(s) => {
                Some([&[*s, *verb, *no], rest].concat().join(" "))
            }
            (Tongue::Danish, ["hvis" | "når", s, _, ..])
            | (Tongue::English, ["if" | "when", s, _, ..])
                if subject(s) =>
            {
                piece.split_once(' ').map(|(_, rest)| rest.to_owned())
            }
            (Tongue::Danish, [verb, s, _, ..])
                if first
                    && subject(s)
                    && (verb.ends_with('r') || matches!(*verb, "kan" | "skal" | "vil")) =>
            {
                let rest: Vec<&str> = piece.split_whitespace().skip(2).collect();
                Some(format!("{s} {verb} {}", rest.join(" ")))
            }
            _ => None,
        }
    }

    /// What follows a condition, with the subject first: "kan du klage" as "du kan klage".
    fn straight(&self, main: &str) -> Option<String> {
        let words: Vec<&str> = main.split_whitespace().collect();
        match (self.tongue, words.as_slice()) {
            (Tongue::Danish, [verb, s @ ("du" | "man" | "vi"), rest @ ..]) => {
                Some([&[*s, *verb], rest].concat().join(" "))
            }
            (Tongue::English, ["you" | "we", ..]) => Some(main.to_owned()),
            _ => None,
        }
    }
}
