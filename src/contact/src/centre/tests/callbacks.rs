//! Ringing back.

use super::*;

/// One planned agent, so two callbacks a slot, and one agent there.
fn with_team() -> Bench {
    let mut b = bench();
    b.ok(Command::SetTeam {
        team: crate::sim::team("alle", 1).into(),
    });
    let mut p = profile("anna", 1);
    p.team = Some(id("alle"));
    b.hire(p);
    b
}

#[test]
fn slots_are_inside_hours_and_capped_by_staffing() {
    let mut b = with_team();
    let slots = b.centre.callback_slots(id(AARHUS), None, 1_000);
    assert_eq!(
        slots[0].from,
        local("2026-03-02T09:30"),
        "a quarter ahead, at the half hour"
    );
    assert_eq!(slots[0].left, 2);
    assert_eq!(slots[20].from, local("2026-03-02T19:30"));
    assert_eq!(slots[21].from, local("2026-03-03T08:00"));
    assert_eq!(slots.len(), 21 + 4 * 24, "five days ahead");
    let first = slots[0].from;
    b.ok(callback("c1", first));
    b.ok(callback("c2", first));
    assert_eq!(b.no(callback("c3", first)), Refusal::SlotFull);
    assert_eq!(
        b.no(callback("c3", local("2026-03-02T20:00"))),
        Refusal::NoSuchSlot
    );
    assert_eq!(
        b.no(callback("c3", local("2026-03-02T09:45"))),
        Refusal::NoSuchSlot
    );
    assert_eq!(
        b.no(callback("c3", local("2026-03-02T09:00"))),
        Refusal::NoSuchSlot
    );
    b.ok(Command::CancelCallback { item: id("c1") });
    b.ok(callback("c3", first));
}

#[test]
fn a_waiting_place_becomes_a_callback_and_is_rung_to_the_end() {
    let mut b = with_team();
    b.ask("busy", AARHUS);
    b.accept("busy");
    b.ask("i1", AARHUS);
    let from = b.centre.callback_slots(id(AARHUS), None, 1)[0].from;
    b.ok(Command::ConvertToCallback {
        item: id("i1"),
        promise: wish(from),
    });
    b.close("busy");
    b.wait(from.since(b.now));
    assert_eq!(b.offered_to("i1").unwrap(), "anna", "an offer to ring");
    let epoch = b.accept("i1");
    b.ok(Command::EndDial {
        item: id("i1"),
        agent: id("anna"),
        epoch,
        result: DialResult::Reached,
    });
    assert!(!b.item("i1").is_open());
    assert_eq!(b.centre.agents()[0].wrap_ups, 1);
}

fn end(b: &mut Bench, result: DialResult) {
    let epoch = b.item("c1").epoch;
    b.ok(Command::EndDial {
        item: id("c1"),
        agent: id("anna"),
        epoch,
        result,
    });
}

#[test]
fn scenario_27_three_attempts_and_no_more_and_one_at_a_time() {
    let mut b = with_team();
    b.agent("bent", 1);
    b.ok(callback("c1", local("2026-03-02T10:00")));
    b.wait(HOUR);
    for attempt in 1..=3 {
        if b.offered_to("c1").as_deref() == Some("bent") {
            b.decline("c1");
        }
        b.accept("c1");
        let dial = Command::Dial {
            item: id("c1"),
            agent: id("bent"),
        };
        assert_eq!(b.no(dial), Refusal::Taken);
        assert_eq!(b.item("c1").holder(), Some(&id("anna")));
        end(&mut b, DialResult::NoAnswer);
        let attempts = b.item("c1").callback.as_ref().unwrap().attempts;
        assert_eq!(attempts, attempt);
        if attempt < 3 {
            b.wait(20 * MINUTE);
        }
    }
    let outcome = Outcome::Unreached;
    assert!(matches!(&b.item("c1").state, ItemState::Closed { outcome: o, .. } if *o == outcome));
}

#[test]
fn scenario_27_a_callback_that_nobody_rings_is_told_and_never_forgotten() {
    let mut b = with_team();
    b.ok(callback("c1", local("2026-03-02T10:00")));
    b.sign_out("anna");
    let effects = b.wait(3 * HOUR);
    assert!(effects.contains(&Effect::CallbackLate { item: id("c1") }));
    let effects = b.wait(24 * HOUR);
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::CallbackPostponed { .. }))
    );
    b.arrive("anna");
    assert_eq!(b.offered_to("c1").unwrap(), "anna");
}

#[test]
fn scenario_28_a_lease_renewed_late_is_refused_and_so_is_its_result() {
    let mut b = with_team();
    b.ok(callback("c1", local("2026-03-02T10:00")));
    b.wait(HOUR);
    let epoch = b.accept("c1");
    let (item, agent) = (id("c1"), id("anna"));
    let renew = Command::RenewDial { item, agent, epoch };
    b.wait(4 * MINUTE);
    b.ok(renew.clone());
    // Nobody notices in time: no tick, and the late renewal itself lets the time pass.
    b.now = b.now.plus(5 * MINUTE);
    b.run(Command::Tick);
    assert_eq!(b.no(renew), Refusal::LeaseOver);
    let done = Command::EndDial {
        item: id("c1"),
        agent: id("anna"),
        epoch,
        result: DialResult::Reached,
    };
    assert_eq!(b.no(done), Refusal::LeaseOver);
    assert_eq!(b.item("c1").callback.as_ref().unwrap().attempts, 1);
    b.is_sound();
}

#[test]
fn scenario_28_a_late_renewal_is_refused_though_no_tick_came_first() {
    let mut b = with_team();
    b.ok(callback("c1", local("2026-03-02T10:00")));
    b.wait(HOUR);
    let epoch = b.accept("c1");
    b.now = b.now.plus(5 * MINUTE);
    let (item, agent) = (id("c1"), id("anna"));
    assert_eq!(
        b.no(Command::RenewDial { item, agent, epoch }),
        Refusal::LeaseOver
    );
}

#[test]
fn a_citizen_may_cancel_at_any_time() {
    let mut b = with_team();
    b.ok(callback("c1", local("2026-03-02T10:00")));
    b.wait(HOUR);
    b.accept("c1");
    let effects = b.ok(Command::CancelCallback { item: id("c1") });
    let told = |e: &Effect| {
        matches!(
            e,
            Effect::DialEnded {
                why: DialEnd::Cancelled,
                ..
            }
        )
    };
    assert!(effects.iter().any(told));
    assert_eq!(
        b.no(Command::CancelCallback { item: id("c1") }),
        Refusal::Ended
    );
}

#[test]
fn a_recovered_promise_is_kept_though_its_slot_has_begun() {
    let mut b = with_team();
    let late = callback("c1", local("2026-03-02T09:00"));
    assert_eq!(b.no(late.clone()), Refusal::NoSuchSlot);
    let effects = b.recovered(late);
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::CallbackPromised { .. }))
    );
    b.is_sound();
    b.wait(1);
    assert_eq!(b.offered_to("c1").unwrap(), "anna");
}
