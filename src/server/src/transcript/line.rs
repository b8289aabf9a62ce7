//! A dialogue as staff read it.

use contact::centre::ItemId;
use serde::Serialize;
use serde_json::Value;
use storage::{Kept, StaffLine, Transcript};

use super::carried::citizen_message;
use super::write::writes;
use crate::centre::Step;

/// One line of a dialogue, as docs/desk-protocol.md says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// The same wherever the line is read at this node.
    pub id: String,
    pub at_ms: i64,
    pub from: By,
    /// Of staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Plain from citizens, Markdown from bot, agent and supervisor; Danish from the system.
    pub text: String,
    /// It came after the chat went on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// Whose line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Citizen,
    Bot,
    Agent,
    Supervisor,
    /// A supervisor, to the agent alone.
    Coach,
    Note,
    System,
}

impl By {
    /// As it is stored.
    fn of_staff(stored: &str) -> Self {
        if stored == "coach" {
            Self::Coach
        } else {
            Self::Note
        }
    }
}

pub(super) fn of_transcript(t: Transcript) -> Vec<Line> {
    let mut lines = Vec::new();
    for (event, key) in t.events {
        let id = key.unwrap_or_else(|| format!("e{}", event.seq));
        add(&mut lines, id, event.at.as_millisecond(), &event.json);
    }
    lines.extend(t.staff.into_iter().map(of_staff));
    // By time; what was first stays first within a millisecond.
    lines.sort_by_key(|l| l.at_ms);
    lines
}

fn of_staff(line: StaffLine) -> Line {
    Line {
        id: line.id,
        at_ms: line.at.as_millisecond(),
        from: By::of_staff(&line.from),
        name: line.name,
        text: line.text,
        late: false,
    }
}

pub(super) fn of_step(step: &Step) -> Vec<(Option<ItemId>, Line)> {
    let mut out = Vec::new();
    for (item, kept) in writes(step, &|_, _, _| String::new()) {
        let mut lines = Vec::new();
        match kept {
            Kept::Events { events, at, .. } => {
                for e in events {
                    let id = e.client_id.unwrap_or_default();
                    add(&mut lines, id, at.as_millisecond(), &e.json);
                }
            }
            Kept::Staff(line) => lines.push(of_staff(line)),
            Kept::Dialogue(_) => {}
        }
        out.extend(lines.into_iter().map(|l| (item.clone(), l)));
    }
    out
}

/// Adds what an event says to staff; `id` unless the event has one of its own.
fn add(lines: &mut Vec<Line>, id: String, at_ms: i64, json: &str) {
    let Ok(v) = serde_json::from_str::<Value>(json) else {
        return;
    };
    let text = |key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut line = |id: String, from: By, said: String| {
        lines.push(Line {
            id,
            at_ms,
            from,
            name: None,
            text: said,
            late: v.get("late") == Some(&Value::Bool(true)),
        });
    };
    match text("type") {
        "citizen" if text("text").is_empty() => {
            line(id, By::System, "Borgeren bad om en medarbejder.".to_owned());
        }
        "citizen" => {
            let id = citizen_message(text("client_id")).to_string();
            line(id, By::Citizen, text("text").to_owned());
        }
        "answer_start" => {
            let title = match text("title") {
                "" => String::new(),
                title => format!("**{title}**\n\n"),
            };
            // What the citizen read need not be the article.
            let how = match text("written") {
                "generated" => "(Skrevet af en computer ud fra artiklen.)\n\n",
                "shortened" => "(Et uddrag af artiklen.)\n\n",
                _ => "",
            };
            line(text("turn").to_owned(), By::Bot, format!("{title}{how}"));
        }
        "answer_part" => {
            let turn = text("turn");
            if let Some(answer) = lines.iter_mut().rev().find(|l| l.id == turn) {
                answer.text.push_str(text("text"));
            }
        }
        "agent" => {
            let from = if v.get("supervisor") == Some(&Value::Bool(true)) {
                By::Supervisor
            } else {
                By::Agent
            };
            line(text("id").to_owned(), from, text("text").to_owned());
            if let Some(last) = lines.last_mut() {
                last.name = Some(text("name").to_owned());
            }
        }
        kind => {
            if let Some(said) = said_by_system(kind, &v) {
                line(id, By::System, said);
            }
        }
    }
}

/// What staff are told of an event; they read Danish, whatever the citizen reads.
fn said_by_system(kind: &str, v: &Value) -> Option<String> {
    let text = |key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, reference) = (text("name"), text("reference"));
    let said = match (kind, text("why"), text("outcome")) {
        ("handover_offer", ..) => "Chatbotten tilbød en medarbejder.".to_owned(),
        ("queued", ..) => "Borgeren stillede sig i kø.".to_owned(),
        ("agent_joined", ..) => format!("{name} overtog samtalen."),
        ("agent_left", "transferred", _) => format!("{name} gav samtalen videre."),
        ("agent_left", ..) => format!("{name} har ikke samtalen mere."),
        ("callback_offer", ..) => "Borgeren blev tilbudt at blive ringet op.".to_owned(),
        ("callback_saved", ..) => format!("Borgeren bad om at blive ringet op ({reference})."),
        ("callback_cancelled", ..) => format!("Borgeren afbestilte opringningen ({reference})."),
        ("handover_ended", _, "settled") => "Samtalen blev afsluttet.".to_owned(),
        ("handover_ended", _, "abandoned") => "Borgeren gik ud af køen.".to_owned(),
        ("handover_ended", _, "left") => "Borgeren forlod samtalen.".to_owned(),
        ("handover_ended", _, "bot") => "Samtalen blev givet tilbage til chatbotten.".to_owned(),
        ("handover_ended", _, "reached") => "Borgeren blev ringet op.".to_owned(),
        ("handover_ended", ..) => "Borgeren kunne ikke nås.".to_owned(),
        ("rated", ..) => {
            let score = v.get("score").and_then(Value::as_u64)?;
            format!("Borgeren gav {score} af 3.")
        }
        _ => return None,
    };
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_are_told_when_the_citizen_did_not_read_the_article() {
        for (written, want) in [
            ("", "**Pas**\n\nDet er gratis."),
            (
                r#","written":"shortened","mark":"x""#,
                "**Pas**\n\n(Et uddrag af artiklen.)\n\nDet er gratis.",
            ),
            (
                r#","written":"generated","mark":"x""#,
                "**Pas**\n\n(Skrevet af en computer ud fra artiklen.)\n\nDet er gratis.",
            ),
        ] {
            let mut lines = Vec::new();
            let start = format!(r#"{{"type":"answer_start","turn":"t","title":"Pas"{written}}}"#);
            let part = r#"{"type":"answer_part","turn":"t","text":"Det er gratis."}"#;
            add(&mut lines, "e1".to_owned(), 0, &start);
            add(&mut lines, "e2".to_owned(), 0, part);
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].text, want);
        }
    }
}
