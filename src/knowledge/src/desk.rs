//! `desk.toml`: what agents have at hand at the desk.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::front_matter::{line_of, parse};
use crate::slots::{Piece, pieces};
use crate::{Fault, File};

/// Its path.
pub(crate) const FILE: &str = "desk.toml";

/// Canned replies and wrap-up codes, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    #[serde(default)]
    pub canned: Vec<Canned>,
    #[serde(default, rename = "wrap_up")]
    pub wrap_ups: Vec<WrapUp>,
}

/// A reply that an agent completes and sends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    pub id: String,
    pub title: String,
    /// Markdown with the slots of articles, and with [`PLACES`].
    pub text: String,
}

/// How a chat ended, in the words of whoever closed it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrapUp {
    pub code: String,
    pub title: String,
}

/// What a canned reply may leave to the desk, in single braces.
pub const PLACES: [&str; 3] = ["agent", "municipality", "citizen_question"];

const MAX_TITLE: usize = 60;
const MAX_TEXT: usize = 2_000;

impl Desk {
    pub(crate) fn parse(file: &File) -> Result<Self, Fault> {
        parse(&file.path, &file.text, 1)
    }

    /// The slots of articles that some canned reply uses, such as `kommune.telefon`.
    pub fn slots(&self) -> BTreeSet<&str> {
        let all = self.canned.iter().flat_map(|c| pieces(&c.text));
        all.filter_map(|p| match p {
            Piece::Slot(slot) => Some(slot),
            Piece::Text(_) => None,
        })
        .collect()
    }

    /// Names every fault; `slot_ok` knows the slots that can be filled.
    pub(crate) fn check(
        &self,
        text: &str,
        slot_ok: impl Fn(&str) -> Result<(), String>,
        faults: &mut Vec<Fault>,
    ) {
        let mut fault = |needle: &str, field: &str, why: String| {
            faults.push(Fault::error(FILE, line_of(text, needle), field, why));
        };
        let mut seen = BTreeSet::new();
        for c in &self.canned {
            let at = format!("id = \"{}\"", c.id);
            if !id_ok(&c.id) || !seen.insert(c.id.as_str()) {
                fault(&at, "id", id_fault(&c.id));
            }
            if !(1..=MAX_TITLE).contains(&c.title.chars().count()) {
                fault(&at, "title", format!("must be 1 to {MAX_TITLE} characters"));
            }
            if !(1..=MAX_TEXT).contains(&c.text.trim().chars().count()) {
                fault(&at, "text", format!("must be 1 to {MAX_TEXT} characters"));
            }
            for piece in pieces(&c.text) {
                match piece {
                    Piece::Slot(slot) => {
                        if let Err(why) = slot_ok(slot) {
                            fault(&at, &format!("{{{{{slot}}}}}"), why);
                        }
                    }
                    Piece::Text(t) => {
                        for braces in ["{{", "}}"].into_iter().filter(|b| t.contains(b)) {
                            fault(&at, braces, "a slot needs both its ends".to_owned());
                        }
                        for odd in places(t).filter(|p| !PLACES.contains(p)) {
                            let why = format!("is unknown; allowed: {}", PLACES.join(", "));
                            fault(&at, &format!("{{{odd}}}"), why);
                        }
                    }
                }
            }
        }
        let mut seen = BTreeSet::new();
        for w in &self.wrap_ups {
            let at = format!("code = \"{}\"", w.code);
            if !id_ok(&w.code) || !seen.insert(w.code.as_str()) {
                fault(&at, "code", id_fault(&w.code));
            }
            if !(1..=MAX_TITLE).contains(&w.title.chars().count()) {
                fault(&at, "title", format!("must be 1 to {MAX_TITLE} characters"));
            }
        }
        if self.wrap_ups.is_empty() {
            fault("", "wrap_up", "there must be at least one".to_owned());
        }
    }
}

fn id_ok(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=40).contains(&id.len()) && id.bytes().all(plain)
}

fn id_fault(id: &str) -> String {
    format!("«{id}» must be 2 to 40 of a-z, 0-9 and -, and stand once")
}

/// What stands in single braces.
fn places(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|p| p.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Vec<String> {
        let file = File {
            path: FILE.into(),
            text: text.into(),
        };
        let mut faults = Vec::new();
        let slot_ok = |s: &str| {
            (s == "kommune.telefon")
                .then_some(())
                .ok_or("no".to_owned())
        };
        match Desk::parse(&file) {
            Ok(desk) => desk.check(text, slot_ok, &mut faults),
            Err(fault) => faults.push(fault),
        }
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn faults_name_line_and_field() {
        let good = "[[canned]]\nid = \"ring\"\ntitle = \"Ring\"\ntext = \"{agent} {{kommune.telefon}}\"\n\
                    [[wrap_up]]\ncode = \"ok\"\ntitle = \"Ok\"\n";
        assert!(checked(good).is_empty(), "{:?}", checked(good));
        for (from, to, want) in [
            (
                "{agent}",
                "{agnet}",
                "desk.toml:2: error: {agnet}: is unknown",
            ),
            ("kommune.telefon", "kommune.tlf", "{{kommune.tlf}}: no"),
            ("telefon}}", "telefon}", "error: {{: a slot needs"),
            ("\"ring\"", "\"Ring!\"", "desk.toml:2: error: id: «Ring!»"),
            ("code = \"ok\"", "code = \"\"", "error: code"),
            ("[[wrap_up]]", "[[canned]]", "error: "),
        ] {
            let said = checked(&good.replace(from, to));
            assert!(said.iter().any(|s| s.contains(want)), "{said:?}");
        }
        let twice = format!("{good}[[wrap_up]]\ncode = \"ok\"\ntitle = \"Ok\"\n");
        assert_eq!(checked(&twice).len(), 1);
    }
}
