//! Who gets what, and why.

use super::*;

#[test]
fn the_most_free_then_the_longest_idle_then_the_fewest_skills() {
    let mut b = bench();
    b.agent("anna", 1);
    b.agent("bent", 2);
    b.ask("i1", AARHUS);
    assert_eq!(b.offered_to("i1").unwrap(), "bent");
    let why = &b.centre.why(&id("i1"))[0];
    assert_eq!(
        (why.reason, why.candidates, why.free),
        (Reason::MostFree, 2, 2)
    );
    b.wait(SECOND);
    b.accept("i1");
    b.ask("i2", AARHUS);
    assert_eq!(b.offered_to("i2").unwrap(), "anna", "longest idle");
    assert_eq!(b.centre.why(&id("i2"))[0].reason, Reason::LongestIdle);

    let mut b = bench();
    b.agent("anna", 1);
    let mut p = profile("bent", 1);
    p.skills.areas = Allowed::only([id("pas")]);
    b.hire(p);
    b.ask("i1", AARHUS);
    assert_eq!(b.offered_to("i1").unwrap(), "bent");
    assert_eq!(b.centre.why(&id("i1"))[0].reason, Reason::FewestSkills);
}

fn of_class(item: &str, class: Class) -> Handover {
    Handover {
        class,
        ..handover(item, AARHUS)
    }
}

#[test]
fn a_class_is_a_head_start_and_the_order_of_two_never_changes() {
    let mut b = bench();
    b.ask("normal", AARHUS);
    b.wait(4 * MINUTE);
    b.ask_for(of_class("high", Class::High));
    b.wait(2 * MINUTE);
    b.ask_for(of_class("late", Class::High));
    let order = |b: &Bench| {
        let rows = b.centre.queue(|_| true);
        rows.iter().map(|r| r.item.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(order(&b), ["high", "normal", "late"]);
    b.wait(13 * MINUTE);
    assert_eq!(order(&b), ["high", "normal", "late"]);
    b.wait(MINUTE);
    assert_eq!(
        order(&b),
        ["normal", "high", "late"],
        "the maximum wait comes first"
    );
    b.agent("anna", 1);
    assert!(b.offered_to("normal").is_some());
    assert!(b.centre.why(&id("normal"))[0].overdue);
}

#[test]
fn a_small_municipality_gets_its_share_of_a_long_queue() {
    let mut b = bench_with(Settings {
        max_wait_ms: 10 * HOUR,
        citizen_grace_ms: 10 * HOUR,
        ..Settings::default()
    });
    b.ok(Command::SetMunicipality {
        code: id(BILLUND),
        hours: office().into(),
        fair_share_permille: Some(200),
    });
    for n in 0..40 {
        b.ask(&format!("big{n}"), AARHUS);
    }
    for n in 0..5 {
        b.ask(&format!("small{n}"), BILLUND);
    }
    b.agent("anna", 1);
    let mut small = 0;
    for n in 0..20 {
        let rows = b.centre.held_by(&id("anna"));
        let item = rows[0].row.item.to_string();
        small += usize::from(item.starts_with("small"));
        b.accept(&item);
        b.close(&item);
        b.ok(Command::WrapUpDone {
            item: id(&item),
            agent: id("anna"),
        });
        b.now = b.now.plus(n);
    }
    assert!((3..=4).contains(&small), "a fifth of twenty: {small}");
}

#[test]
fn a_declined_offer_goes_to_another_and_returns_after_a_rest() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.decline("i1");
    assert!(b.waits("i1"));
    b.wait(59 * SECOND);
    assert!(b.waits("i1"));
    b.wait(SECOND);
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
    b.agent("bent", 1);
    b.decline("i1");
    assert_eq!(b.offered_to("i1").unwrap(), "bent");
}

#[test]
fn transfers_reach_agent_team_specialist_and_municipality_and_keep_the_place() {
    let mut b = bench();
    b.ok(Command::SetTeam {
        team: crate::sim::team("hold", 1).into(),
    });
    b.agent("anna", 1);
    let mut bent = profile("bent", 1);
    bent.team = Some(id("hold"));
    bent.skills.areas = Allowed::only([]);
    b.ok(Command::SetAgent {
        profile: bent.into(),
    });
    let mut carl = profile("carl", 1);
    carl.skills.areas = Allowed::only([id("pas")]);
    carl.skills.municipalities = Allowed::only([id(AARHUS)]);
    b.ok(Command::SetAgent {
        profile: carl.into(),
    });
    let mut dina = profile("dina", 1);
    dina.skills.municipalities = Allowed::only([id(BILLUND)]);
    b.ok(Command::SetAgent {
        profile: dina.into(),
    });
    b.ask("i1", AARHUS);
    let place = b.item("i1").place;
    assert!(b.waits("i1"), "anna is not of the team that fits");
    b.wait(MINUTE);
    b.accept("i1");
    for agent in ["bent", "carl", "dina"] {
        b.arrive(agent);
    }
    b.transfer("i1", Target::Team(id("hold")));
    assert_eq!(b.offered_to("i1").unwrap(), "bent");
    b.accept("i1");
    b.transfer("i1", Target::Specialist(id("pas")));
    assert_eq!(b.offered_to("i1").unwrap(), "carl", "anna had it just now");
    b.accept("i1");
    let to_dina = Command::Transfer {
        item: id("i1"),
        agent: id("carl"),
        epoch: b.item("i1").epoch,
        to: Target::Agent(id("dina")),
        note: None,
    };
    assert_eq!(b.no(to_dina), Refusal::NotAllowed, "no right to Aarhus");
    for agent in ["anna", "bent"] {
        b.ok(Command::Pause {
            agent: id(agent),
            why: Pause::Break,
        });
    }
    b.transfer("i1", Target::Municipality(id(BILLUND)));
    assert!(b.waits("i1"), "bent's team fits best");
    b.wait(MINUTE);
    assert_eq!(b.offered_to("i1").unwrap(), "dina");
    assert_eq!(b.item("i1").place, place);
    let card = b.centre.card(&id("i1"), &id("dina")).unwrap();
    assert_eq!(card.brief, None, "asked in Aarhus: not for dina's eyes");
}

#[test]
fn a_transfer_to_an_agent_who_stays_busy_goes_to_anybody_in_the_end() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.accept("i1");
    b.agent("bent", 1);
    b.ask("i2", AARHUS);
    b.accept("i2");
    b.agent("carl", 1);
    b.transfer("i2", Target::Agent(id("anna")));
    assert!(b.waits("i2"));
    b.wait(2 * MINUTE);
    assert!(b.offered_to("i2").is_some());
}

#[test]
fn back_to_the_bot_and_again_to_a_person_keeps_the_place() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    let place = b.item("i1").place;
    b.wait(SECOND);
    b.accept("i1");
    b.transfer("i1", Target::Bot);
    b.wait(5 * MINUTE);
    b.ask_for(Handover {
        item: id("i2"),
        ..handover("i1", AARHUS)
    });
    assert_eq!(b.item("i2").place, place);
}

#[test]
fn one_dialogue_has_one_open_chat() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    let again = |item: &str| Command::Request {
        handover: Box::new(Handover {
            item: id(item),
            ..handover("i1", AARHUS)
        }),
        link: None,
        asked_at: Moment::default(),
    };
    assert_eq!(b.no(again("i1")), Refusal::Duplicate);
    assert_eq!(b.no(again("i2")), Refusal::AlreadyOpen(id("i1")));
}

#[test]
fn a_citizen_who_reloads_keeps_the_place_and_one_who_stays_away_does_not() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    let gone = Command::CitizenAbsent {
        item: id("i1"),
        connection: id("c-i1"),
    };
    b.ok(gone.clone());
    b.wait(2 * MINUTE);
    b.ok(Command::CitizenPresent {
        item: id("i1"),
        link: link("node-d", "c2"),
    });
    b.ok(gone);
    b.wait(HOUR);
    assert!(b.waits("i1"));
    b.ok(Command::NodeLost { node: id("node-d") });
    b.wait(3 * MINUTE);
    assert!(!b.item("i1").is_open());
    assert_eq!(b.centre.figures(None, 2 * HOUR).abandoned, 1);
}

#[test]
fn positions_count_who_competes_for_the_same_agents() {
    let mut b = bench();
    let mut p = profile("anna", 1);
    p.skills.municipalities = Allowed::only([id(AARHUS), id(BILLUND)]);
    b.hire(p);
    let mut p = profile("bent", 1);
    p.skills.municipalities = Allowed::only([id(HERNING)]);
    b.hire(p);
    for (item, code) in [
        ("a0", AARHUS),
        ("h0", HERNING),
        ("a1", AARHUS),
        ("h1", HERNING),
        ("b1", BILLUND),
        ("a2", AARHUS),
    ] {
        b.ask(item, code);
        b.wait(1);
    }
    let position = |item: &str| b.centre.wait_of(&id(item)).map(|w| w.position);
    assert_eq!(position("a0"), None, "offered");
    assert_eq!(position("h1"), Some(1));
    assert_eq!(position("a2"), Some(3));
    assert!(b.centre.wait_of(&id("a2")).unwrap().band.is_some());
}
