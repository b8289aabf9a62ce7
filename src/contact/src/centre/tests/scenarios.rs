//! What goes wrong in contact centres, as far as it is decided here. Each number is a scenario's.

use super::*;

#[test]
fn scenario_01_two_agents_accept_at_the_same_instant() {
    let mut b = bench();
    b.agent("anna", 1);
    b.agent("bent", 1);
    for agent in ["anna", "bent"] {
        let (agent, mode) = (id(agent), Mode::Pick);
        b.ok(Command::SetMode { agent, mode });
    }
    b.ask("i1", AARHUS);
    let pick = |agent| Command::Pick {
        item: id("i1"),
        agent: id(agent),
    };
    b.ok(pick("bent"));
    assert_eq!(b.no(pick("anna")), Refusal::Taken);
    assert_eq!(b.owner("i1").unwrap(), "bent");
}

#[test]
fn scenario_01_an_accept_of_what_was_offered_to_somebody_else() {
    let mut b = bench();
    b.agent("anna", 1);
    b.agent("bent", 1);
    b.ask("i1", AARHUS);
    let (to, offer) = b.offer_of("i1").unwrap();
    assert_eq!(to, "anna");
    let accept = |agent: &str| Command::Accept {
        item: id("i1"),
        agent: id(agent),
        offer,
    };
    assert_eq!(b.no(accept("bent")), Refusal::OfferOver);
    b.ok(accept("anna"));
    assert_eq!(b.no(accept("bent")), Refusal::Taken);
    assert_eq!(b.no(accept("anna")), Refusal::Duplicate);
}

#[test]
fn scenario_02_no_agent_gets_more_than_the_limit() {
    let mut b = bench();
    b.agent("anna", 2);
    for n in 0..5 {
        b.ask(&format!("i{n}"), AARHUS);
    }
    b.accept("i0");
    b.accept("i1");
    assert_eq!(b.centre.agents()[0].chats, 2);
    let pick = Command::Pick {
        item: id("i2"),
        agent: id("anna"),
    };
    assert_eq!(b.no(pick), Refusal::NoRoom);
}

#[test]
fn scenario_03_a_transfer_or_a_team_does_not_get_round_the_limit() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.accept("i1");
    b.agent("bent", 1);
    b.ask("i2", AARHUS);
    b.accept("i2");
    b.transfer("i2", Target::Agent(id("anna")));
    assert!(b.waits("i2"), "anna is full: it waits for her");
    b.close("i1");
    assert!(b.waits("i2"), "her slot is taken for wrapping up");
    b.ok(Command::WrapUpDone {
        item: id("i1"),
        agent: id("anna"),
    });
    assert_eq!(b.offered_to("i2").unwrap(), "anna");
}

#[test]
fn scenario_04_what_waits_is_looked_at_again_when_a_slot_frees_or_an_agent_comes() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    b.ask("i2", AARHUS);
    b.agent("anna", 1);
    b.accept("i1");
    assert!(b.waits("i2"));
    b.close("i1");
    b.wait(MINUTE);
    assert_eq!(b.offered_to("i2").unwrap(), "anna");
}

#[test]
fn scenario_04_what_waits_is_looked_at_again_when_a_skill_relaxes() {
    let mut b = bench();
    let mut p = profile("anna", 1);
    p.skills.areas = Allowed::only([id("skole")]);
    b.hire(p);
    let mut h = handover("i1", AARHUS);
    h.area = Some(id("pas"));
    b.ask_for(h);
    b.wait(2 * MINUTE - 1);
    assert!(b.waits("i1"));
    b.wait(1);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
}

#[test]
fn scenario_05_nothing_is_offered_to_who_is_offline() {
    let mut b = bench();
    b.ok(Command::SetAgent {
        profile: profile("anna", 1).into(),
    });
    b.ask("i1", AARHUS);
    assert!(b.waits("i1"));
    b.arrive("anna");
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
    b.drop_line("anna");
    assert!(b.waits("i1"), "the offer goes back at once");
    let accept = Command::Accept {
        item: id("i1"),
        agent: id("anna"),
        offer: 1,
    };
    assert_eq!(b.no(accept), Refusal::OfferOver);
}

#[test]
fn scenario_06_a_ghost_ignores_its_offers_and_is_paused() {
    let mut b = bench();
    b.agent("ghost", 1);
    b.ask("i1", AARHUS);
    b.wait(5 * MINUTE);
    assert!(b.waits("i1"));
    assert_eq!(b.centre.agents()[0].paused, Some(Pause::Ignored));
    b.agent("anna", 1);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
}

#[test]
fn scenario_07_a_line_that_drops_and_comes_back_keeps_its_chats_and_must_prove_steady() {
    let mut b = bench();
    b.agent("anna", 2);
    b.ask("i1", AARHUS);
    b.accept("i1");
    for _ in 0..5 {
        b.drop_line("anna");
        b.wait(29 * SECOND);
        b.arrive("anna");
        b.wait(SECOND);
    }
    assert_eq!(b.owner("i1").unwrap(), "anna");
    assert_eq!(b.item("i1").epoch, 1);
    b.drop_line("anna");
    b.arrive("anna");
    b.ask("i2", AARHUS);
    assert!(b.waits("i2"), "not before the line is steady");
    b.wait(3 * SECOND);
    assert_eq!(b.offered_to("i2").unwrap(), "anna");
}

#[test]
fn scenario_08_a_dropped_or_ignored_offer_keeps_the_original_place() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("first", AARHUS);
    let place = b.item("first").place;
    b.wait(SECOND);
    b.ask("second", AARHUS);
    b.wait(19 * SECOND);
    assert_eq!(
        b.offered_to("second").unwrap(),
        "anna",
        "not the same at once"
    );
    assert_eq!(b.item("first").place, place);
    b.agent("bent", 1);
    assert_eq!(b.offered_to("first").unwrap(), "bent");
    b.accept("first");
    b.drop_line("bent");
    b.wait(30 * SECOND);
    assert!(b.waits("first") && b.item("first").place == place);
    assert_eq!(b.centre.queue(|_| true)[0].item, id("first"));
}

#[test]
fn scenario_09_unanswered_offers_pause_but_do_not_sign_out_nor_spin() {
    let mut b = bench();
    b.agent("anna", 2);
    b.ask("i1", AARHUS);
    b.accept("i1");
    b.ask("i2", AARHUS);
    let effects = b.wait(HOUR);
    let offers = effects
        .iter()
        .filter(|e| matches!(e, Effect::Offered { .. }));
    assert_eq!(offers.count(), 2, "three offers in all, then none");
    assert_eq!(b.owner("i1").unwrap(), "anna", "chats stay");
    let row = &b.centre.agents()[0];
    assert_eq!(
        (row.state, row.paused),
        (AgentState::Paused, Some(Pause::Ignored))
    );
    b.ok(Command::Resume { agent: id("anna") });
    assert_eq!(b.offered_to("i2").unwrap(), "anna");
}

#[test]
fn scenario_09_who_declines_is_there_and_is_not_counted_as_ignoring() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    for _ in 0..3 {
        b.wait(20 * SECOND);
        assert!(b.waits("i1"), "ignored");
        b.wait(MINUTE);
        b.decline("i1");
        b.wait(MINUTE);
    }
    assert_eq!(b.centre.agents()[0].paused, None);
}

#[test]
fn scenario_10_nobody_is_stuck_in_reserved() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.ok(Command::NodeLost {
        node: id("node-anna"),
    });
    assert!(b.waits("i1"));
    assert_eq!(b.centre.agents()[0].offers, 0);
    b.arrive("anna");
    b.wait(3 * SECOND);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
    b.wait(20 * SECOND);
    assert_eq!(b.centre.agents()[0].offers, 0);
}

#[test]
fn scenario_11_a_citizen_who_leaves_during_an_offer_leaves_no_trace() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.ask("i2", AARHUS);
    let effects = b.ok(Command::Leave { item: id("i1") });
    let withdrawn = |e: &Effect| {
        matches!(
            e,
            Effect::OfferEnded {
                why: OfferEnd::Withdrawn,
                ..
            }
        )
    };
    assert!(effects.iter().any(withdrawn));
    assert_eq!(
        b.offered_to("i2").unwrap(),
        "anna",
        "the seat is free at once"
    );
    let accept = Command::Accept {
        item: id("i1"),
        agent: id("anna"),
        offer: 1,
    };
    assert_eq!(b.no(accept), Refusal::Ended);
}
