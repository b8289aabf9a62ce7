//! The rules a release must keep, each with the place where it is broken.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::article::{Article, Layer};
use crate::desk;
use crate::front_matter::line_of;
use crate::municipality::{FIELDS, LINKS};
use crate::release::Draft;
use crate::slots::{Piece, pieces};
use crate::{Fault, File, generation, studio};

mod across;

pub(crate) use across::{clash, sentence_keys};
use across::{duplicates, hidden, overlaps};

/// The words of a body, slots and link addresses counted as one each.
const BODY_WORDS: std::ops::RangeInclusive<usize> = 80..=300;
/// An article of one municipality may be a short notice.
const LOCAL_BODY_WORDS: std::ops::RangeInclusive<usize> = 25..=300;
/// Danish example sentences of a shared article, at least.
const EXAMPLES: usize = 20;
const MAX_EXAMPLE_CHARS: usize = 400;
const MAX_LINKS: usize = 4;

pub(crate) fn run(draft: &Draft, files: &[File], today: Date, faults: &mut Vec<Fault>) {
    let texts: HashMap<&str, &str> = files
        .iter()
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    if draft.areas.is_empty() {
        faults.push(Fault::error(
            "omraader.toml",
            0,
            "file",
            "is missing or empty",
        ));
    }
    if draft.municipalities.is_empty() {
        faults.push(Fault::error(
            "kommune",
            0,
            "folder",
            "holds no municipality",
        ));
    }
    for a in &draft.articles {
        let text = texts.get(a.file.as_str()).copied().unwrap_or("");
        one(draft, a, text, today, faults);
    }
    duplicates(draft, &texts, faults);
    overlaps(draft, &texts, faults);
    hidden(draft, &texts, faults);
    rates(draft, &texts, faults);
    if let Some(text) = texts.get(studio::FILE) {
        draft.studio.check(text, &draft.areas, faults);
    }
    generation(draft, &texts, faults);
    if let Some(text) = texts.get(desk::FILE) {
        draft.desk.check(text, |slot| slot_ok(slot, draft), faults);
    }
}

/// As [`run`], where only these files changed, all of them articles, and sentences that stand twice are left to the
/// caller.
pub(crate) fn changed(draft: &Draft, files: &[File], changed: &[&File], today: Date) -> Vec<Fault> {
    let mut faults = Vec::new();
    let texts: HashMap<&str, &str> = changed
        .iter()
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    for a in &draft.articles {
        if let Some(text) = texts.get(a.file.as_str()) {
            one(draft, a, text, today, &mut faults);
        }
    }
    let texts: HashMap<&str, &str> = files
        .iter()
        .map(|f| (f.path.as_str(), f.text.as_str()))
        .collect();
    duplicates(draft, &texts, &mut faults);
    hidden(draft, &texts, &mut faults);
    generation(draft, &texts, &mut faults);
    faults
}

/// What stays verbatim is there.
fn generation(draft: &Draft, texts: &HashMap<&str, &str>, faults: &mut Vec<Fault>) {
    if let Some(text) = texts.get(generation::FILE) {
        let named = &draft.generation;
        named.check(text, &draft.areas, &draft.articles, faults);
    }
}

/// What can be said of an article by itself.
fn one(draft: &Draft, a: &Article, text: &str, today: Date, faults: &mut Vec<Fault>) {
    let mut one = One {
        draft,
        a,
        text,
        faults,
    };
    one.identity();
    one.dates(today);
    one.links();
    one.body();
    one.slots();
    one.examples();
}

struct One<'a> {
    draft: &'a Draft,
    a: &'a Article,
    text: &'a str,
    faults: &'a mut Vec<Fault>,
}

impl One<'_> {
    fn error(&mut self, needle: &str, field: &str, message: impl Into<String>) {
        let line = line_of(self.text, needle);
        self.faults
            .push(Fault::error(&self.a.file, line, field, message));
    }

    fn identity(&mut self) {
        let a = self.a;
        let id_ok = (2..=60).contains(&a.id.len())
            && a.id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !id_ok {
            self.error(
                "id =",
                "id",
                format!("«{}» must be 2 to 60 of a-z, 0-9 and -", a.id),
            );
        }
        let stem = a
            .file
            .rsplit('/')
            .next()
            .and_then(|n| n.strip_suffix(".md"));
        if stem != Some(a.id.as_str()) {
            self.error("id =", "id", format!("«{}» is not the file's name", a.id));
        }
        if !self.draft.areas.contains_key(&a.area) {
            self.error(
                "area =",
                "area",
                format!("«{}» is not in omraader.toml", a.area),
            );
        }
        if a.layer == Layer::Shared && a.file.split('/').nth(1) != Some(a.area.as_str()) {
            self.error(
                "area =",
                "area",
                format!("«{}» is not the file's folder", a.area),
            );
        }
        if !(3..=70).contains(&a.title.chars().count()) {
            self.error("title =", "title", "must be 3 to 70 characters");
        }
        if a.source.trim().len() < 8 {
            self.error(
                "source =",
                "source",
                "is missing: name the page or the law the facts come from",
            );
        } else if a.source.starts_with("http:")
            || a.source.contains(char::is_whitespace) && a.source.starts_with("http")
        {
            self.error(
                "source =",
                "source",
                format!("«{}» must be one https address, or a law by name", a.source),
            );
        }
        if a.owner.trim().is_empty() {
            self.error(
                "owner =",
                "owner",
                "is empty: name the team that answers for the article",
            );
        }
    }

    fn dates(&mut self, today: Date) {
        let a = self.a;
        if let (Some(from), Some(to)) = (a.valid_from, a.valid_to)
            && from > to
        {
            self.error(
                "valid_to",
                "valid_to",
                format!("{to} is before valid_from {from}"),
            );
        } else if a.valid_to.is_some_and(|to| to < today) {
            let line = line_of(self.text, "valid_to");
            let to = a.valid_to.unwrap_or(today);
            self.faults.push(Fault::expired(
                &a.file,
                line,
                format!("ran out on {to}: renew or remove the article"),
            ));
        }
        if a.review_by < today {
            let line = line_of(self.text, "review_by");
            self.faults.push(Fault::warning(
                &a.file,
                line,
                "review_by",
                format!("{} has passed: read it again", a.review_by),
            ));
        }
    }

    fn links(&mut self) {
        let a = self.a;
        if a.links.len() > MAX_LINKS {
            self.error(
                "[[links]]",
                "links",
                format!("{} links: at most {MAX_LINKS}", a.links.len()),
            );
        }
        for l in &a.links {
            if !link_ok(&l.url) {
                self.error(
                    &l.url,
                    "links.url",
                    format!(
                        "«{}» must be an https address or a {{{{kommune.link.…}}}} slot",
                        l.url
                    ),
                );
            }
            if l.title.trim().is_empty() {
                self.error(&l.url, "links.title", "is empty");
            }
        }
        let mut rest = a.body.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((url, tail)) = after.split_once(')') else {
                self.error("](", "body", "a link has no closing parenthesis");
                break;
            };
            if !link_ok(url) && !url.starts_with("tel:") && !url.starts_with("mailto:") {
                self.error(
                    &format!("]({url}"),
                    "body",
                    format!(
                        "link «{url}» must be an https address or a {{{{kommune.link.…}}}} slot"
                    ),
                );
            }
            rest = tail;
        }
    }

    fn body(&mut self) {
        let a = self.a;
        let words = body_words(&a.body);
        let range = words_allowed(a.layer);
        if !range.contains(&words) {
            let line = a.body_line;
            self.faults.push(Fault::error(
                &a.file,
                line,
                "body",
                format!(
                    "{words} words: {} to {} are allowed",
                    range.start(),
                    range.end()
                ),
            ));
        }
        for (i, line) in a.body.lines().enumerate() {
            if let Some(what) = typed_fact(line) {
                // The body was trimmed: the blank lines before it are not counted.
                let at = line_of(self.text, line).max(a.body_line + i);
                self.faults.push(Fault::error(&a.file, at, "body", what));
            }
            if line.contains('<') && line.contains('>') {
                let at = line_of(self.text, line);
                self.faults
                    .push(Fault::error(&a.file, at, "body", "HTML is not allowed"));
            }
        }
        if a.sections.first().is_none_or(|s| s.heading.is_some()) {
            self.faults.push(Fault::error(
                &a.file,
                a.body_line,
                "body",
                "must begin with the short answer, before any heading",
            ));
        }
    }

    fn slots(&mut self) {
        for (n, line) in self.text.lines().enumerate() {
            // Tables of the front matter may end in such braces.
            let ours = n + 1 >= self.a.body_line;
            for piece in pieces(line) {
                let (field, why) = match piece {
                    Piece::Slot(slot) => match slot_ok(slot, self.draft) {
                        Ok(()) => continue,
                        Err(why) => (format!("{{{{{slot}}}}}"), why),
                    },
                    // Nothing that is shown to citizens leaves with these.
                    Piece::Text(t) if t.contains("{{") => (
                        "{{".to_owned(),
                        "a slot has no end on its line: }} is missing".to_owned(),
                    ),
                    Piece::Text(t) if ours && t.contains("}}") => (
                        "body".to_owned(),
                        "a slot has no beginning on its line: {{ is missing".to_owned(),
                    ),
                    Piece::Text(_) => continue,
                };
                self.faults
                    .push(Fault::error(&self.a.file, n + 1, field, why));
            }
        }
    }

    fn examples(&mut self) {
        let a = self.a;
        let danish = a.examples_in(base::Lang::Da).len();
        if a.layer == Layer::Shared && danish < EXAMPLES {
            self.error(
                "[examples]",
                "examples.da",
                format!("{danish} sentences: at least {EXAMPLES}"),
            );
        }
        for (lang, list) in &a.examples {
            for s in list {
                let n = s.chars().count();
                if !(2..=MAX_EXAMPLE_CHARS).contains(&n) {
                    self.error(
                        s,
                        &format!("examples.{}", lang.code()),
                        format!(
                            "a sentence of {n} characters: 2 to {MAX_EXAMPLE_CHARS} are allowed"
                        ),
                    );
                }
            }
        }
    }
}

/// How many words the body of an article in that layer may have.
pub fn words_allowed(layer: Layer) -> std::ops::RangeInclusive<usize> {
    if layer == Layer::Shared {
        BODY_WORDS
    } else {
        LOCAL_BODY_WORDS
    }
}

fn link_ok(url: &str) -> bool {
    if url.starts_with("{{kommune.") {
        return url.ends_with("}}");
    }
    url.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or("");
        host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            && !url.contains(|c: char| c.is_whitespace() || c == '"' || c == '<')
    })
}

/// The words of a body as they are counted here: a slot is one.
pub fn body_words(body: &str) -> usize {
    let mut plain = String::new();
    for piece in pieces(body) {
        plain.push_str(match piece {
            Piece::Text(t) => t,
            Piece::Slot(_) => "x",
        });
    }
    plain
        .split_whitespace()
        .filter(|w| w.chars().any(char::is_alphanumeric))
        .count()
}

/// An amount in kroner, or eight digits that look like a phone number.
fn typed_fact(line: &str) -> Option<&'static str> {
    let folded = line.to_lowercase();
    let tokens: Vec<&str> = folded.split_whitespace().collect();
    let number = |t: &str| t.starts_with(|c: char| c.is_ascii_digit());
    for pair in tokens.windows(2) {
        if number(pair[0])
            && (pair[1].starts_with("kr.")
                || pair[1].starts_with("kroner")
                || pair[1].trim_matches(|c: char| !c.is_alphanumeric()) == "kr")
        {
            return Some("an amount is typed: put it in satser.toml and use {{sats.…}}");
        }
    }
    let mut run = 0;
    for c in line.chars() {
        match c {
            '0'..='9' => run += 1,
            ' ' if run > 0 => {}
            _ => run = 0,
        }
        if run == 8 {
            return Some("a phone number is typed: use {{kommune.telefon}} or {{krise.…}}");
        }
    }
    None
}

fn slot_ok(slot: &str, draft: &Draft) -> Result<(), String> {
    let parts: Vec<&str> = slot.split('.').collect();
    match parts.as_slice() {
        ["sats", name] if draft.rates.contains_key(*name) => Ok(()),
        ["sats", name] => Err(format!("unknown slot: satser.toml has no [{name}]")),
        ["krise", name] if draft.crisis.contains_key(*name) => Ok(()),
        ["krise", name] => Err(format!("unknown slot: krise.toml has no [{name}]")),
        ["kommune", "link", name] if LINKS.contains(name) => Ok(()),
        ["kommune", "link", _] => Err(format!("unknown slot; links are: {}", LINKS.join(", "))),
        ["kommune", field] if *field == "navn" || FIELDS.contains(field) => Ok(()),
        ["kommune", _] => Err(format!(
            "unknown slot; fields are: navn, {}",
            FIELDS.join(", ")
        )),
        _ => Err("unknown slot: sats.…, kommune.… and krise.… are known".to_owned()),
    }
}

fn rates(draft: &Draft, texts: &HashMap<&str, &str>, faults: &mut Vec<Fault>) {
    let text = texts.get("satser.toml").copied().unwrap_or("");
    for (id, r) in &draft.rates {
        let line = line_of(text, &format!("[{id}]"));
        if !r.value.starts_with(|c: char| c.is_ascii_digit()) {
            faults.push(Fault::error(
                "satser.toml",
                line,
                format!("{id}.value"),
                format!("«{}» must begin with a digit", r.value),
            ));
        }
        if r.source.trim().len() < 8 {
            faults.push(Fault::error(
                "satser.toml",
                line,
                format!("{id}.source"),
                "is missing",
            ));
        }
        if !(2020..=2100).contains(&r.year) {
            faults.push(Fault::error(
                "satser.toml",
                line,
                format!("{id}.year"),
                format!("{} is not a year from 2020 on", r.year),
            ));
        }
    }
}
