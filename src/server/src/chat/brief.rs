//! What an agent is told of the dialogue before it was handed over.

use contact::centre::{AreaId, Audience, Brief, Class, Text};
use dialogue::Context;
use serde_json::Value;

use super::dialogue::Dialogue;
use crate::app::App;

/// Queries and articles in a brief at most; the newest.
const LINES: usize = 20;

pub(crate) struct Made {
    pub brief: Brief,
    pub area: Option<AreaId>,
    pub audience: Audience,
    pub class: Class,
}

/// The brief of a dialogue, from its events; the area of the article that was last on the screen.
///
/// # Errors
/// The journal's.
pub(crate) async fn of(
    app: &App,
    dialogue: &Dialogue,
    context: &Context,
) -> Result<Made, storage::Error> {
    let found = app.journal.transcript(&dialogue.id).await?;
    let events = found.map_or_else(Vec::new, |t| t.events);
    let (brief, class) = read(events.iter().map(|(e, _)| e.json.as_str()));
    let snapshot = app.snapshot();
    let release = &snapshot.release;
    let article = context.article.as_ref().and_then(|id| {
        let ix = release.view(dialogue.municipality)?.get(id)?;
        Some(release.article(ix))
    });
    Ok(Made {
        brief,
        area: article.and_then(|a| a.area.parse().ok()),
        audience: Audience::Citizen,
        class,
    })
}

/// Urgent once there was a sign of a crisis.
fn read<'a>(events: impl Iterator<Item = &'a str>) -> (Brief, Class) {
    let (mut question, mut asked) = (String::new(), String::new());
    let mut tried: Vec<String> = Vec::new();
    let mut sources: Vec<String> = Vec::new();
    let (mut outcome, mut class) = (String::new(), Class::Normal);
    for json in events {
        let Ok(v) = serde_json::from_str::<Value>(json) else {
            continue;
        };
        let text = |key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "citizen" if !text("text").is_empty() => text("text").clone_into(&mut asked),
            // A message that was answered, not the wish for a person.
            "answer_start" => {
                text("outcome").clone_into(&mut outcome);
                if outcome == "crisis" {
                    class = Class::Urgent;
                }
                if !asked.is_empty() && outcome != "smalltalk" {
                    question.clone_from(&asked);
                    tried.push(std::mem::take(&mut asked));
                }
            }
            "answer_end" => {
                let shown = v.get("sources").and_then(Value::as_array);
                let ids = shown.into_iter().flatten();
                for id in ids.filter_map(|s| s.get("article_id")?.as_str()) {
                    sources.retain(|s| s != id);
                    sources.push(id.to_owned());
                }
            }
            _ => {}
        }
    }
    if question.is_empty() {
        question = asked;
    }
    let failed = match outcome.as_str() {
        "answered" => "Borgeren ville tale med et menneske efter svaret.",
        "clarify" => "Chatbotten var i tvivl om, hvad borgeren mente.",
        "handover" | "refused" => "Chatbotten fandt ikke et svar.",
        "crisis" => "Borgeren viste tegn på en krise og fik hjælpelinjer at se.",
        "failed" => "Chatbotten fejlede.",
        _ => "Borgeren bad om et menneske.",
    };
    let newest = |lines: Vec<String>| -> Vec<Text> {
        let skip = lines.len().saturating_sub(LINES);
        lines.into_iter().skip(skip).map(Text::from).collect()
    };
    let brief = Brief {
        question: question.into(),
        tried: newest(tried),
        sources: newest(sources),
        failed: failed.into(),
    };
    (brief, class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_says_what_was_asked_tried_and_shown() {
        let events = [
            r#"{"type":"citizen","text":"hej"}"#,
            r#"{"type":"answer_start","outcome":"smalltalk"}"#,
            r#"{"type":"citizen","text":"må jeg bygge et skur"}"#,
            r#"{"type":"answer_start","outcome":"answered"}"#,
            r#"{"type":"answer_end","sources":[{"article_id":"byg-skur"}]}"#,
            r#"{"type":"citizen","text":"også i skel?"}"#,
            r#"{"type":"answer_start","outcome":"clarify"}"#,
            r#"{"type":"answer_end","sources":[{"article_id":"byg-skel"},{"article_id":"byg-skur"}]}"#,
            r#"{"type":"citizen","text":"jeg vil tale med et menneske"}"#,
            r#"{"type":"handover_offer"}"#,
        ];
        let (brief, class) = read(events.into_iter());
        assert_eq!(brief.question.as_str(), "også i skel?");
        let texts = |lines: &[Text]| {
            lines
                .iter()
                .map(|t| t.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            texts(&brief.tried),
            ["må jeg bygge et skur", "også i skel?"]
        );
        assert_eq!(texts(&brief.sources), ["byg-skel", "byg-skur"]);
        assert!(brief.failed.as_str().contains("i tvivl"));
        assert_eq!(class, Class::Normal);
    }

    #[test]
    fn a_crisis_makes_it_urgent_whatever_followed() {
        let events = [
            r#"{"type":"citizen","text":"jeg kan ikke mere"}"#,
            r#"{"type":"answer_start","outcome":"crisis"}"#,
            r#"{"type":"citizen","text":"hvornår har I åbent"}"#,
            r#"{"type":"answer_start","outcome":"answered"}"#,
        ];
        assert_eq!(read(events.into_iter()).1, Class::Urgent);
    }
}
