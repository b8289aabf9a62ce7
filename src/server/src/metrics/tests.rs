use composition::{Doubt, Dropped, Mode};
use grounding::Fault;
use prometheus_client::encoding::text::encode;

use super::*;

fn text(metrics: &Metrics) -> String {
    let mut text = String::new();
    encode(&mut text, &metrics.registry.lock().unwrap().0).unwrap();
    text
}

#[track_caller]
fn holds(text: &str, line: &str) {
    assert!(text.lines().any(|l| l == line), "no «{line}» in\n{text}");
}

fn fell_back(why: &str) -> Composition {
    Composition {
        mode: Mode::Generated,
        fell_back: Some(why.to_owned()),
        ..Composition::default()
    }
}

#[test]
fn what_is_counted_is_written_with_its_labels() {
    let metrics = Metrics::default();
    let aarhus = "0751".parse().unwrap();
    metrics.turn("answered", aarhus, Duration::from_millis(40));
    metrics.turn("answered", aarhus, Duration::from_millis(40));
    metrics.refused(crate::wire::Code::RateLimited);
    let open = metrics.chat_socket();
    let text = text(&metrics);
    holds(
        &text,
        r#"borgerlinje_turns_total{outcome="answered",municipality="0751"} 2"#,
    );
    holds(&text, "borgerlinje_turn_seconds_count 2");
    holds(&text, r#"borgerlinje_turn_seconds_bucket{le="0.05"} 2"#);
    holds(&text, r#"borgerlinje_turn_seconds_bucket{le="0.025"} 0"#);
    holds(
        &text,
        r#"borgerlinje_refused_total{reason="rate_limited"} 1"#,
    );
    holds(&text, r#"borgerlinje_refused_total{reason="overloaded"} 0"#);
    holds(&text, "borgerlinje_chat_sockets 1");
    drop(open);
    holds(&self::text(&metrics), "borgerlinje_chat_sockets 0");
}

#[test]
fn a_cause_is_a_word_of_ours_whatever_the_record_says() {
    for doubt in [
        Doubt::Long,
        Doubt::Markup,
        Doubt::Instruction,
        Doubt::Case,
        Doubt::Promise,
        Doubt::Premise,
        Doubt::Language,
    ] {
        let why = format!("{doubt:?}").to_lowercase();
        assert_eq!(label::cause(&fell_back(&why)), why);
    }
    for (why, want) in [
        ("the model failed: 0101901234 tokens", "model_failed"),
        ("it was broken off", "other"),
        ("0101901234", "other"),
        ("switched off", "switched_off"),
    ] {
        assert_eq!(label::cause(&fell_back(why)), want);
        assert!(label::CAUSES.contains(&want));
    }
}

#[test]
fn sentences_are_counted_by_the_first_fault() {
    let metrics = Metrics::default();
    let dropped = |why: Vec<Fault>| Dropped {
        text: "Det koster 0101901234 kr.".to_owned(),
        why,
    };
    let number = Fault::Number {
        text: "0101901234".to_owned(),
    };
    let told = Composition {
        mode: Mode::Generated,
        model: Some("gemma3-270m".to_owned()),
        kept: 2,
        dropped: vec![dropped(vec![number, Fault::Empty]), dropped(Vec::new())],
        tokens: Some(30),
        ..Composition::default()
    };
    metrics.composed(&told, Duration::from_millis(1_500));
    let text = text(&metrics);
    for (outcome, n) in [("shown", 2), ("number", 1), ("far", 1), ("empty", 0)] {
        let line = format!(r#"borgerlinje_sentences_total{{outcome="{outcome}"}} {n}"#);
        holds(&text, &line);
    }
    holds(&text, r#"borgerlinje_composed_total{cause="written"} 1"#);
    holds(&text, "borgerlinje_generated_tokens_total 30");
    holds(&text, "borgerlinje_generated_seconds_total 1.5");
    assert!(!text.contains("0101901234"));
}
