use dialogue::Record;
use jiff::Timestamp;
use serde_json::json;

use super::*;

/// A turn as the journal has it; the threshold is 0.6.
fn past(message: &str, outcome: &str, confidence: f32, rated: Option<u8>, person: bool) -> Past {
    let record: Record = serde_json::from_value(json!({
        "message": message, "outcome": outcome, "intent": null, "article_id": "pas-forny", "candidates": [],
        "confidence": confidence, "language": "da", "elliptical": false, "outside": null, "threshold_answer": 0.6,
        "threshold_clarify": 0.2, "release": "h", "check": []
    }))
    .unwrap();
    Past {
        at: Timestamp::UNIX_EPOCH,
        municipality: "0751".parse().unwrap(),
        record,
        rated,
        person,
    }
}

#[test]
fn what_did_not_help_is_counted_by_why_and_what_helped_is_not() {
    let all = vec![
        past("nyt pas til min søn", "answered", 0.95, None, false),
        past("hvor er mit pas", "handover", 0.1, None, false),
        past("Hvor er mit PAS?", "clarify", 0.3, None, false),
        past("kan jeg få pas nu", "answered", 0.69, None, false),
        past("pas er dyrt", "answered", 0.95, Some(1), false),
        past("pas til en hund", "answered", 0.95, Some(3), true),
        past("hej med dig", "smalltalk", 0.9, Some(1), true),
        past("pas", "handover", 0.1, None, true),
    ];
    let found = vain(all);
    let why = |text: &str| {
        let v = found.iter().find(|v| v.text == text);
        v.map(|v| (v.why.unanswered, v.why.unsure, v.why.rated, v.why.person))
    };
    assert_eq!(found.len(), 4);
    // Twice, in other letters.
    assert_eq!(why("hvor er mit pas"), Some((1, 1, 0, 0)));
    assert_eq!(why("kan jeg få pas nu"), Some((0, 1, 0, 0)));
    assert_eq!(why("pas er dyrt"), Some((0, 0, 1, 0)));
    assert_eq!(why("pas til en hund"), Some((0, 0, 0, 1)));
}
