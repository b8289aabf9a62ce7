//! Inputs that come a second time, late, or to a centre that does not know them; and snapshots.

use super::*;

#[test]
fn a_recovered_request_keeps_its_place_also_after_closing_time() {
    let mut b = bench();
    let asked_at = b.now;
    b.wait(12 * HOUR);
    let request = Command::Request {
        handover: handover("i1", AARHUS).into(),
        link: None,
        asked_at,
    };
    assert!(matches!(b.no(request.clone()), Refusal::Closed { .. }));
    b.recovered(request);
    assert_eq!(b.item("i1").place, asked_at);
    assert_eq!(b.item("i1").state, ItemState::Waiting { held: true });
    b.is_sound();
}

#[test]
fn a_place_in_the_future_is_not_believed() {
    let mut b = bench();
    b.recovered(Command::Request {
        handover: handover("i1", AARHUS).into(),
        link: None,
        asked_at: b.now.plus(HOUR),
    });
    assert_eq!(b.item("i1").place, b.now);
}

#[test]
fn a_recovered_message_to_an_unknown_item_is_kept() {
    let mut b = bench();
    assert_eq!(
        b.no(says("i9", "m1", Sender::Citizen)),
        Refusal::UnknownItem
    );
    let effects = b.recovered(says("i9", "m1", Sender::Citizen));
    assert!(matches!(
        &effects[..],
        [Effect::Deliver {
            late: true,
            dialogue: None,
            ..
        }]
    ));
}

#[test]
fn a_recovered_accept_is_judged_like_any_other() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.wait(20 * SECOND);
    let effects = b.recovered(Command::Accept {
        item: id("i1"),
        agent: id("anna"),
        offer: 1,
    });
    assert!(matches!(&effects[..], [Effect::Refused { .. }]));
}

#[test]
fn time_stands_still_but_does_not_go_back() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    let now = b.now;
    b.now = now.minus(HOUR);
    b.ask("i2", AARHUS);
    assert_eq!(b.item("i2").place, now);
    assert_eq!(b.centre.now(), now);
}

#[test]
fn settled_items_are_forgotten_and_their_texts_at_once() {
    let mut b = bench_with(Settings {
        keep_closed: 1,
        wrap_up_ms: 0,
        ..Settings::default()
    });
    b.agent("anna", 1);
    for item in ["i1", "i2"] {
        b.ask(item, AARHUS);
        b.accept(item);
        b.close(item);
        assert_eq!(b.item(item).brief, Brief::default());
        b.wait(1);
    }
    b.ok(Command::Tick);
    assert!(b.centre.item(&id("i1")).is_none());
    assert!(b.centre.item(&id("i2")).is_some());
    b.wait(7 * HOUR);
    b.ok(Command::Tick);
    assert!(b.centre.item(&id("i2")).is_none());
}

#[test]
fn inputs_and_effects_have_stable_names() {
    let input = Input {
        id: id("in-1"),
        recovered: false,
        command: Command::Accept {
            item: id("i1"),
            agent: id("anna"),
            offer: 2,
        },
        carried: None,
    };
    let text = r#"{"id":"in-1","recovered":false,"command":{"accept":{"item":"i1","agent":"anna","offer":2}}}"#;
    assert_eq!(serde_json::to_string(&input).unwrap(), text);
    assert_eq!(serde_json::from_str::<Input>(text).unwrap(), input);
    let tick = r#"{"id":"in-2","command":"tick"}"#;
    assert_eq!(
        serde_json::from_str::<Input>(tick).unwrap().command,
        Command::Tick
    );
    let refused = Effect::Refused {
        input: id("in-1"),
        why: Refusal::AlreadyOpen(id("i2")),
    };
    let text = r#"{"refused":{"input":"in-1","why":{"already_open":"i2"}}}"#;
    assert_eq!(serde_json::to_string(&refused).unwrap(), text);
    let settings: Settings = serde_json::from_str(r#"{"drain_ms":0}"#).unwrap();
    assert_eq!(
        settings,
        Settings {
            drain_ms: 0,
            ..Settings::default()
        }
    );
}

#[test]
fn texts_and_numbers_are_not_in_debug() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    b.run(Command::ConvertToCallback {
        item: id("i1"),
        promise: CallbackRequest {
            topic: Some("min nabo".into()),
            ..wish(b.now)
        },
    });
    let text = format!("{:?}", b.history);
    assert!(!text.contains("affald") && !text.contains("nabo") && !text.contains("20304050"));
}
