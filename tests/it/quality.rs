//! What the whole turn must reach on our own question sets.
//!
//! `ask --json` is the way in, as it is for anyone who measures from outside.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::Value;

use crate::harness::{printed, root, run};

/// One row of a question set, by the names in its first line.
pub(crate) type Row = BTreeMap<String, String>;

pub(crate) fn rows(file: &str) -> Vec<Row> {
    let path = root().join("tests/questions").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), names.len(), "{file}: {line}");
            let pairs = names.iter().zip(fields);
            pairs
                .map(|(n, f)| ((*n).to_owned(), f.to_owned()))
                .collect()
        })
        .collect()
}

/// The replies to messages of one municipality.
fn replies(municipality: &str, more: &[&str], messages: &[&str]) -> Vec<Value> {
    let arguments = [&["ask", "--municipality", municipality, "--json"], more].concat();
    let input = messages.join("\n") + "\n";
    let out: Vec<Value> = printed(&run(&arguments, input.as_bytes()))
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(out.len(), messages.len());
    out
}

/// Each row with the reply to its `column`, each message a dialogue of its own.
fn asked(rows: &[Row], column: &str) -> Vec<(Row, Value)> {
    let mut by_code: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let code = row.get("municipality").map_or("0751", String::as_str);
        by_code.entry(code).or_default().push(row);
    }
    let mut out = Vec::new();
    for (code, rows) in by_code {
        let messages: Vec<&str> = rows.iter().map(|r| r[column].as_str()).collect();
        let replies = replies(code, &[], &messages);
        out.extend(rows.into_iter().cloned().zip(replies));
    }
    out
}

fn expects(row: &Row, id: &Value) -> bool {
    id.as_str()
        .is_some_and(|id| row["expected"].split('|').any(|e| e == id))
}

fn first_right((row, reply): &(Row, Value)) -> bool {
    expects(row, &reply["candidates"][0]["article_id"])
}

fn answered((_, reply): &(Row, Value)) -> bool {
    reply["outcome"] == "answered"
}

fn wrong(x: &(Row, Value)) -> bool {
    answered(x) && !expects(&x.0, &x.1["article_id"])
}

/// Answered right, or the right title is among those to choose from.
fn one_click(x: &(Row, Value)) -> bool {
    let choices = x.1["choices"].as_array().unwrap();
    let offered = choices.iter().any(|c| expects(&x.0, &c["article_id"]));
    (answered(x) && !wrong(x)) || offered
}

/// A share in percent that must lie within a bound; shown whether the test passes or not.
pub(crate) struct Guard<'a> {
    set: &'a str,
    broken: Vec<String>,
}

impl<'a> Guard<'a> {
    pub(crate) fn of(set: &'a str) -> Self {
        Self {
            set,
            broken: Vec::new(),
        }
    }

    fn share<T>(&mut self, what: &str, all: &[T], hit: impl Fn(&T) -> bool) -> (f64, String) {
        let hits = all.iter().filter(|x| hit(x)).count();
        let share = 100.0 * hits as f64 / all.len() as f64;
        let said = format!(
            "{}: {what} {share:.1} % ({hits} of {})",
            self.set,
            all.len()
        );
        // Past the runner's capture, which shows nothing of tests that pass.
        let _ = writeln!(std::io::stderr(), "{said}");
        (share, said)
    }

    pub(crate) fn at_least<T>(
        &mut self,
        bound: f64,
        what: &str,
        all: &[T],
        hit: impl Fn(&T) -> bool,
    ) {
        let (share, said) = self.share(what, all, hit);
        if share < bound {
            self.broken.push(format!("{said}, at least {bound} %"));
        }
    }

    fn at_most<T>(&mut self, bound: f64, what: &str, all: &[T], hit: impl Fn(&T) -> bool) {
        let (share, said) = self.share(what, all, hit);
        if share > bound {
            self.broken.push(format!("{said}, at most {bound} %"));
        }
    }

    #[track_caller]
    pub(crate) fn hold(self) {
        assert!(self.broken.is_empty(), "{}", self.broken.join("\n"));
    }
}

#[test]
fn danish_questions() {
    let all = asked(&rows("danish.tsv"), "question");
    let mut guard = Guard::of("danish.tsv");
    guard.at_least(94.0, "first right", &all, first_right);
    guard.at_least(85.0, "answered", &all, answered);
    guard.at_most(4.0, "answered wrong", &all, wrong);
    guard.hold();
}

#[test]
fn questions_in_six_languages() {
    let all = asked(&rows("languages.tsv"), "question");
    let mut guard = Guard::of("languages.tsv");
    guard.at_least(82.0, "first right", &all, first_right);
    guard.hold();
}

/// As English is asked where other towns are run in other ways: tips, blue badges and half term.
#[test]
fn civic_questions_as_they_are_asked_elsewhere() {
    let all = asked(&rows("english-civic.tsv"), "question");
    let mut guard = Guard::of("english-civic.tsv");
    guard.at_least(90.0, "first right", &all, first_right);
    guard.at_most(4.0, "answered wrong", &all, wrong);
    guard.hold();
}

#[test]
fn unanswerable_messages() {
    let all = asked(&rows("unanswerable.tsv"), "question");
    let mut guard = Guard::of("unanswerable.tsv");
    guard.at_least(92.0, "not answered", &all, |x| !answered(x));
    guard.hold();
}

#[test]
fn control_messages() {
    let all = asked(&rows("control.tsv"), "message");
    let mut guard = Guard::of("control.tsv");
    guard.at_least(92.0, "intent right", &all, |(row, reply)| {
        reply["intent"].as_str().unwrap_or("none") == row["intent"]
    });
    let crisis: Vec<_> = all
        .iter()
        .filter(|(r, _)| r["intent"] == "crisis")
        .collect();
    guard.at_least(100.0, "crisis signposted", &crisis, |(row, reply)| {
        let signposted = reply["outcome"] == "crisis";
        if !signposted {
            let _ = writeln!(
                std::io::stderr(),
                "not seen as a crisis: {}",
                row["message"]
            );
        }
        signposted
    });
    guard.hold();
}

/// What is said in passing: people speak of illness, age and death when nobody is in danger, and cry for help in the
/// middle of something else.
#[test]
fn asides() {
    let all = asked(&rows("asides.tsv"), "message");
    let mut guard = Guard::of("asides.tsv");
    let (cries, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(row, _)| row["intent"] == "crisis");
    let signposted = |(_, reply): &(Row, Value)| reply["outcome"] == "crisis";
    guard.at_least(94.0, "cries for help signposted", &cries, signposted);
    guard.at_most(8.0, "others taken for one", &others, signposted);
    guard.hold();
}

#[test]
fn elliptical_turns_of_dialogues() {
    let rows = rows("dialogues.tsv");
    let mut turns = Vec::new();
    for dialogue in rows.chunk_by(|a, b| a["dialogue"] == b["dialogue"]) {
        let messages: Vec<&str> = dialogue.iter().map(|r| r["message"].as_str()).collect();
        let replies = replies(&dialogue[0]["municipality"], &["--dialogue"], &messages);
        turns.extend(dialogue.iter().cloned().zip(replies));
    }
    let (elliptical, whole): (Vec<_>, Vec<_>) =
        turns.into_iter().partition(|(r, _)| r["elliptical"] == "1");
    let mut guard = Guard::of("dialogues.tsv");
    guard.share("opening turns first right", &whole, first_right);
    guard.at_least(
        75.0,
        "elliptical turns first right",
        &elliptical,
        first_right,
    );
    guard.hold();
}

/// What is typed in a hurry: a few words, which may point at one article or at many. What points at many is asked
/// back with titles.
#[test]
fn short_messages() {
    let all = asked(&rows("short.tsv"), "question");
    let (vague, clear): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(row, _)| row["slice"] == "vague");
    let mut guard = Guard::of("short.tsv");
    guard.at_least(92.0, "clear, first right", &clear, first_right);
    guard.at_least(92.0, "clear, right within one click", &clear, one_click);
    guard.at_most(3.0, "clear, answered wrong", &clear, wrong);
    guard.at_most(20.0, "vague, answered", &vague, answered);
    guard.at_least(80.0, "vague, right within one click", &vague, one_click);
    guard.hold();
}

#[test]
fn short_messages_in_six_languages() {
    let all = asked(&rows("short-languages.tsv"), "question");
    let mut guard = Guard::of("short-languages.tsv");
    guard.at_least(86.0, "first right", &all, first_right);
    guard.at_least(86.0, "right within one click", &all, one_click);
    guard.at_most(4.0, "answered wrong", &all, wrong);
    guard.hold();
}

/// Where it is not sure that somebody is in danger, what else may have been meant stands below the help lines.
#[test]
fn a_doubtful_cry_for_help_leaves_a_way_on() {
    let rows = rows("short.tsv");
    let crises = asked(&rows, "question")
        .into_iter()
        .filter(|(_, reply)| reply["outcome"] == "crisis");
    let (sure, doubtful): (Vec<_>, Vec<_>) = crises.partition(|(_, reply)| {
        let answer = reply["answer"].as_str().unwrap();
        !answer.contains("Mente du noget andet?")
    });
    assert!(!sure.is_empty() && !doubtful.is_empty());
    for (row, reply) in &doubtful {
        assert!(
            !reply["choices"].as_array().unwrap().is_empty(),
            "{row:?} {reply}"
        );
    }
}
