//! What goes wrong in contact centres, from the thirteenth on.

use super::*;

#[test]
fn scenario_13_one_unavailable_agent_does_not_stop_the_others() {
    let mut b = bench();
    for agent in ["anna", "bent", "carl"] {
        b.agent(agent, 1);
    }
    b.ok(Command::Pause {
        agent: id("anna"),
        why: Pause::Break,
    });
    b.drop_line("bent");
    for n in 0..3 {
        b.ask(&format!("i{n}"), AARHUS);
    }
    assert_eq!(b.offered_to("i0").unwrap(), "carl");
    b.ok(Command::Resume { agent: id("anna") });
    assert_eq!(b.offered_to("i1").unwrap(), "anna");
}

#[test]
fn scenario_14_many_assigned_at_once_keep_their_order() {
    let mut b = bench();
    for n in 0..6 {
        b.ask(&format!("i{n}"), [AARHUS, BILLUND][n % 2]);
        b.wait(SECOND);
    }
    b.agent("anna", 4);
    let offered = |b: &Bench| {
        (0..6)
            .filter(|n| b.offered_to(&format!("i{n}")).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(offered(&b), [0, 1, 2, 3]);
}

#[test]
fn scenario_15_without_skill_language_or_right_nothing_is_offered_and_the_right_never_relaxes() {
    let mut b = bench();
    let mut p = profile("anna", 9);
    p.skills.municipalities = Allowed::only([id(BILLUND)]);
    p.skills.areas = Allowed::only([id("skole")]);
    b.hire(p);
    let with = |item: &str, change: fn(&mut Handover)| {
        let mut h = handover(item, BILLUND);
        change(&mut h);
        h
    };
    b.ask("right", AARHUS);
    b.ask_for(with("area", |h| h.area = Some(id("pas"))));
    b.ask_for(with("language", |h| h.language = Lang::Uk));
    b.ask_for(with("audience", |h| h.audience = Audience::Employee));
    for item in ["right", "area", "language", "audience"] {
        assert!(b.waits(item), "{item}");
        let pick = Command::Pick {
            item: id(item),
            agent: id("anna"),
        };
        assert_eq!(b.no(pick), Refusal::NotAllowed);
    }
    b.wait(119 * SECOND);
    assert!(b.waits("area"));
    b.wait(SECOND);
    b.accept("area");
    b.accept("audience");
    b.wait(3 * MINUTE);
    assert!(b.offered_to("language").is_some());
    b.wait(8 * HOUR);
    assert!(b.item("right").decisions.is_empty());
    assert!(b.centre.card(&id("right"), &id("anna")).is_none());
}

#[test]
fn scenario_16_everything_that_is_queued_is_told_in_the_step_that_queues_it() {
    let mut b = bench();
    let effects = b.ask("i1", AARHUS);
    let told = |e: &Effect| matches!(e, Effect::Waiting { item, .. } if *item == id("i1"));
    assert!(effects.iter().any(told));
    b.agent("anna", 1);
    let effects = b.decline("i1");
    assert!(effects.iter().any(told));
}

#[test]
fn scenario_19_a_repeated_message_is_dropped() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    b.ok(says("i1", "m1", Sender::Citizen));
    assert_eq!(b.no(says("i1", "m1", Sender::Citizen)), Refusal::Duplicate);
}

#[test]
fn scenario_21_the_bot_is_silent_while_a_person_has_the_chat() {
    let mut b = bench();
    b.ask("i1", AARHUS);
    b.ok(says("i1", "m1", Sender::Bot));
    b.agent("anna", 1);
    let epoch = b.accept("i1");
    assert_eq!(b.no(says("i1", "m2", Sender::Bot)), Refusal::BotSilenced);
    b.ok(says("i1", "m3", by("anna", epoch)));
    b.transfer("i1", Target::Bot);
    assert_eq!(b.no(says("i1", "m4", by("anna", epoch))), Refusal::Ended);
}

#[test]
fn scenario_22_every_open_item_is_in_the_supervisors_queue() {
    let mut b = bench();
    b.agent("anna", 2);
    for n in 0..4 {
        b.ask(&format!("i{n}"), AARHUS);
    }
    b.accept("i0");
    b.ok(callback("call", local("2026-03-02T12:00")));
    let rows = b.centre.queue(|_| true);
    assert_eq!(rows.len(), 5);
    let row = &b.centre.municipalities()[2];
    assert_eq!(
        (row.owned, row.offered, row.waiting, row.callbacks),
        (1, 1, 2, 1)
    );
}

#[test]
fn scenario_23_what_no_team_is_for_goes_to_the_named_fallback() {
    let mut b = bench_with(Settings {
        fallback_team: Some(id("alle")),
        ..Settings::default()
    });
    for (name, areas) in [
        ("alle", Allowed::only([])),
        ("skole", Allowed::only([id("skole")])),
    ] {
        let mut team = crate::sim::team(name, 1);
        team.areas = areas;
        b.ok(Command::SetTeam { team: team.into() });
    }
    let mut anna = profile("anna", 1);
    anna.team = Some(id("skole"));
    b.hire(anna);
    let mut bent = profile("bent", 1);
    bent.team = Some(id("alle"));
    bent.skills.areas = Allowed::only([]);
    b.hire(bent);
    let mut h = handover("i1", AARHUS);
    h.area = Some(id("pas"));
    let effects = b.ask_for(h);
    let fallback = Effect::Fallback {
        item: id("i1"),
        team: Some(id("alle")),
    };
    assert!(effects.contains(&fallback));
    assert_eq!(b.offered_to("i1").unwrap(), "bent");
}

#[test]
fn scenario_23_an_item_that_nobody_has_the_right_to_is_told_to_supervisors() {
    let mut b = bench();
    let effects = b.ask("i1", AARHUS);
    assert!(effects.contains(&Effect::Stranded { item: id("i1") }));
    assert_eq!(b.centre.gaps().len(), 3);
}

#[test]
fn scenario_25_when_the_last_agent_leaves_the_waiting_are_told_and_offered_a_callback() {
    let mut b = bench();
    b.agent("anna", 1);
    b.agent("bent", 1);
    b.ask("i1", AARHUS);
    b.ask("i2", AARHUS);
    b.ask("i3", AARHUS);
    let told = |effects: &[Effect]| {
        let told = |e: &&Effect| {
            matches!(
                e,
                Effect::CallbackOffered {
                    why: CallbackReason::NoAgents,
                    ..
                }
            )
        };
        effects.iter().filter(told).count()
    };
    assert_eq!(told(&b.sign_out("anna")), 0);
    assert_eq!(told(&b.sign_out("bent")), 3);
    let effects = b.ask("i4", AARHUS);
    assert_eq!(told(&effects), 1);
    assert_eq!(b.centre.wait_of(&id("i4")).unwrap().band, None);
    b.arrive("anna");
    assert_eq!(
        told(&b.sign_out("anna")),
        4,
        "told again when it happens again"
    );
}

#[test]
fn scenario_26_a_returning_citizen_gets_the_earlier_agent_only_if_present_and_free() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.accept("i1");
    b.agent("bent", 3);
    b.close("i1");
    b.wait(MINUTE);
    let again = |item: &str| Handover {
        item: id(item),
        ..handover("i1", AARHUS)
    };
    b.ask_for(again("i2"));
    assert_eq!(
        b.offered_to("i2").unwrap(),
        "anna",
        "though bent has more room"
    );
    assert_eq!(b.centre.why(&id("i2"))[0].reason, Reason::Earlier);
    b.accept("i2");
    b.close("i2");
    b.ask_for(again("i3"));
    assert_eq!(
        b.offered_to("i3").unwrap(),
        "bent",
        "anna wraps up: not waited for"
    );
    b.accept("i3");
    b.close("i3");
    b.sign_out("bent");
    b.wait(MINUTE);
    b.ask_for(again("i4"));
    assert_eq!(b.offered_to("i4").unwrap(), "anna");
}

#[test]
fn scenario_29_a_recovered_message_of_a_former_owner_is_kept_as_late() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    let epoch = b.accept("i1");
    b.sign_out("anna");
    assert_eq!(b.no(says("i1", "m1", by("anna", epoch))), Refusal::NotYours);
    let effects = b.recovered(says("i1", "m1", by("anna", epoch)));
    assert!(matches!(&effects[..], [Effect::Deliver { late: true, .. }]));
    b.is_sound();
}
