//! Opening, closing, draining.

use super::*;

fn closed(command: &mut Bench, item: &str) -> Refusal {
    command.no(Command::Request {
        handover: handover(item, AARHUS).into(),
        link: None,
        asked_at: Moment::default(),
    })
}

#[test]
fn scenario_24_requests_are_refused_outside_hours_and_told_when_it_opens() {
    let mut b = bench();
    b.wait(11 * HOUR);
    let opens = Some(local("2026-03-03T08:00"));
    assert_eq!(closed(&mut b, "i1"), Refusal::Closed { opens });
    // Friday night before the clocks change, and before Easter Monday.
    b.wait(local("2026-03-27T21:00").since(b.now));
    let opens = Some(local("2026-03-30T08:00"));
    assert_eq!(closed(&mut b, "i2"), Refusal::Closed { opens });
    b.wait(local("2026-04-01T21:00").since(b.now));
    let opens = Some(local("2026-04-07T08:00"));
    assert_eq!(closed(&mut b, "i3"), Refusal::Closed { opens });
}

#[test]
fn who_waits_at_closing_time_is_served_for_the_drain_time_then_holds_the_place() {
    let mut b = bench();
    b.wait(11 * HOUR - MINUTE);
    b.ask("i1", AARHUS);
    b.ask("i2", AARHUS);
    let effects = b.wait(2 * MINUTE);
    assert!(effects.contains(&Effect::Hours {
        municipality: id(AARHUS),
        now: HoursNow::Draining
    }));
    b.agent("anna", 1);
    assert_eq!(b.offered_to("i1").unwrap(), "anna", "served after closing");
    b.accept("i1");
    let effects = b.wait(30 * MINUTE);
    assert!(effects.contains(&Effect::CallbackOffered {
        item: id("i2"),
        why: CallbackReason::Closed
    }));
    assert_eq!(b.item("i2").state, ItemState::Waiting { held: true });
    assert_eq!(b.owner("i1").unwrap(), "anna", "a chat goes on");
    b.close("i1");
    b.wait(MINUTE);
    assert_eq!(b.item("i2").state, ItemState::Waiting { held: true });
    b.ok(Command::Pick {
        item: id("i2"),
        agent: id("anna"),
    });
    assert_eq!(
        b.owner("i2").unwrap(),
        "anna",
        "who is still there may take it"
    );
}

#[test]
fn who_is_held_over_night_is_served_in_the_morning_at_the_old_place() {
    let mut b = bench();
    b.wait(11 * HOUR - MINUTE);
    b.ask("i1", AARHUS);
    let place = b.item("i1").place;
    b.wait(11 * HOUR);
    assert_eq!(b.item("i1").state, ItemState::Waiting { held: true });
    b.agent("anna", 1);
    assert!(b.offered_to("i1").is_none());
    b.wait(HOUR + MINUTE);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
    assert_eq!(b.item("i1").place, place);
}

#[test]
fn a_local_closing_day_and_changed_hours_take_effect() {
    let mut b = bench();
    b.agent("anna", 1);
    let today = "2026-03-02".parse().unwrap();
    b.ok(Command::SetMunicipality {
        code: id(AARHUS),
        hours: office().closed_on([today]).into(),
        fair_share_permille: None,
    });
    assert!(matches!(closed(&mut b, "i1"), Refusal::Closed { .. }));
    b.ask("i2", BILLUND);
    assert_eq!(b.offered_to("i2").unwrap(), "anna");
}

#[test]
fn a_closed_team_is_not_insisted_on() {
    let mut b = bench();
    let mut team = crate::sim::team("pas", 1);
    team.hours = office().closed_on(["2026-03-02".parse().unwrap()]);
    b.ok(Command::SetTeam { team: team.into() });
    let mut bent = profile("bent", 1);
    bent.team = Some(id("pas"));
    b.ok(Command::SetAgent {
        profile: bent.into(),
    });
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
}
