//! Supervisors, and the figures.

use super::*;

fn with_boss() -> Bench {
    let mut b = bench();
    b.agent("anna", 1);
    let mut boss = profile("boss", 0);
    boss.supervisor = true;
    boss.skills.municipalities = Allowed::only([id(AARHUS)]);
    b.hire(boss);
    b
}

fn supervise(item: &str, supervisor: &str, level: Level) -> Command {
    Command::Supervise {
        item: id(item),
        supervisor: id(supervisor),
        level,
    }
}

#[test]
fn monitor_coach_and_barge_in_decide_who_reads() {
    let mut b = with_boss();
    b.ask("i1", AARHUS);
    b.accept("i1");
    let boss = || Sender::Supervisor { agent: id("boss") };
    assert_eq!(b.no(says("i1", "m1", boss())), Refusal::NotAllowed);
    b.ok(supervise("i1", "boss", Level::Monitor));
    assert_eq!(b.no(says("i1", "m1", boss())), Refusal::NotAllowed);
    let readers = |effects: &[Effect]| match &effects[0] {
        Effect::Deliver { to, .. } => *to,
        other => panic!("{other:?}"),
    };
    b.ok(supervise("i1", "boss", Level::Coach));
    assert_eq!(readers(&b.ok(says("i1", "m1", boss()))), Readers::Staff);
    b.ok(supervise("i1", "boss", Level::BargeIn));
    assert_eq!(readers(&b.ok(says("i1", "m2", boss()))), Readers::All);
    b.ok(Command::StopSupervising {
        item: id("i1"),
        supervisor: id("boss"),
    });
    assert_eq!(b.no(says("i1", "m3", boss())), Refusal::NotAllowed);
}

#[test]
fn only_supervisors_with_the_right_read_and_release() {
    let mut b = with_boss();
    b.ask("i1", BILLUND);
    b.accept("i1");
    assert_eq!(
        b.no(supervise("i1", "boss", Level::Monitor)),
        Refusal::NotAllowed
    );
    assert_eq!(
        b.no(supervise("i1", "anna", Level::Monitor)),
        Refusal::NotAllowed
    );
    b.close("i1");
    b.wait(MINUTE);
    b.ask("i2", AARHUS);
    let epoch = b.accept("i2");
    b.ok(supervise("i2", "boss", Level::Monitor));
    b.ok(Command::Release {
        item: id("i2"),
        supervisor: id("boss"),
    });
    assert!(b.waits("i2"), "and not to anna at once");
    assert_eq!(b.no(says("i2", "m1", by("anna", epoch))), Refusal::NotYours);
    // A right that is taken away ends the reading, and takes the chat.
    b.wait(MINUTE);
    b.accept("i2");
    let mut anna = profile("anna", 1);
    anna.skills.municipalities = Allowed::only([id(BILLUND)]);
    b.ok(Command::SetAgent {
        profile: anna.into(),
    });
    assert!(b.waits("i2"));
    let mut boss = profile("boss", 0);
    boss.supervisor = false;
    let effects = b.ok(Command::SetAgent {
        profile: boss.into(),
    });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::SupervisionEnded { .. }))
    );
}

#[test]
fn the_figures_of_a_short_morning() {
    let mut b = bench();
    b.agent("anna", 1);
    b.ask("i1", AARHUS);
    b.wait(5 * SECOND);
    b.accept("i1");
    b.ask("i2", BILLUND);
    b.ask("i3", BILLUND);
    b.ok(Command::Leave { item: id("i3") });
    b.ask("i4", BILLUND);
    b.wait(115 * SECOND);
    b.ok(Command::Leave { item: id("i4") });
    b.close("i1");
    b.wait(MINUTE);
    b.accept("i2");
    b.wait(2 * MINUTE);
    b.ok(Command::Tick);
    let f = b.centre.figures(None, HOUR);
    assert_eq!((f.requested, f.answered, f.abandoned), (4, 2, 2));
    assert_eq!(
        f.service_level_permille(),
        Some(333),
        "one of two answered and one who gave up late"
    );
    assert_eq!(f.asa_ms(), Some((5 + 175) * SECOND / 2));
    assert_eq!(f.aht_ms(), Some(175 * SECOND), "wrap-up included");
    assert_eq!(f.abandonment_permille(), Some(500));
    assert_eq!(f.occupancy_permille(), Some(295 * 1_000 / 300));
    let f = b.centre.figures(Some(id(BILLUND)), HOUR);
    assert_eq!((f.requested, f.answered, f.abandoned), (3, 1, 2));
}
