//! Scenarios 1 to 11: who gets what, and what happens to it.

use contact::centre::*;
use contact::sim::{id, link, profile};
use tokio::task::JoinSet;

use super::bench::*;
use super::on_both;
use super::people::*;
use crate::centre::Error;

on_both! {
    accept_at_once => scenario_01_two_accept_at_once_embedded, scenario_01_two_accept_at_once_redis;
    same_load => scenario_02_nodes_read_the_same_load_embedded, scenario_02_nodes_read_the_same_load_redis;
    ways_round => scenario_03_no_way_round_the_limit_embedded, scenario_03_no_way_round_the_limit_redis;
    looked_at_again => scenario_04_what_waits_is_looked_at_again_embedded, scenario_04_what_waits_is_looked_at_again_redis;
    offline => scenario_05_nothing_to_who_is_offline_embedded, scenario_05_nothing_to_who_is_offline_redis;
    ghost => scenario_06_a_ghost_is_paused_embedded, scenario_06_a_ghost_is_paused_redis;
    flapping => scenario_07_a_poor_line_keeps_its_chats_embedded, scenario_07_a_poor_line_keeps_its_chats_redis;
    place_is_kept => scenario_08_the_place_is_kept_embedded, scenario_08_the_place_is_kept_redis;
    unanswered => scenario_09_unanswered_offers_do_not_spin_embedded, scenario_09_unanswered_offers_do_not_spin_redis;
    reserved => scenario_10_nobody_is_stuck_in_reserved_embedded, scenario_10_nobody_is_stuck_in_reserved_redis;
    citizen_leaves => scenario_11_a_citizen_leaves_during_an_offer_embedded, scenario_11_a_citizen_leaves_during_an_offer_redis;
}

/// Sends commands at once, each to a node; what became of them.
async fn at_once(b: &Bench, commands: Vec<(usize, Command)>) -> Vec<Result<Vec<Effect>, Error>> {
    let mut all = JoinSet::new();
    for (n, command) in commands {
        let node = b.on(n);
        all.spawn(async move { node.send(command).await });
    }
    all.join_all().await
}

fn refused(answers: &[Result<Vec<Effect>, Error>], why: &Refusal) -> usize {
    let is = |a: &&Result<_, Error>| matches!(a, Err(Error::Refused(w)) if w == why);
    answers.iter().filter(is).count()
}

async fn pick_mode(b: &Bench, agent: &str) {
    let (agent, mode) = (id(agent), Mode::Pick);
    b.ok(0, Command::SetMode { agent, mode }).await;
}

async fn accept_at_once(b: &mut Bench) {
    for agent in ["anna", "bent"] {
        b.agent(0, agent, 20).await;
        pick_mode(b, agent).await;
    }
    for n in 0..10 {
        let item = format!("i{n}");
        b.ask(0, &item, AARHUS).await;
        b.sync().await;
        let both = vec![(0, picks(&item, "anna")), (1, picks(&item, "bent"))];
        let answers = at_once(b, both).await;
        assert_eq!(refused(&answers, &Refusal::Taken), 1, "{answers:?}");
        assert!(b.owner(&item).await.is_some());
    }
    // And of an offer: only who was offered it, and once.
    b.agent(0, "carl", 1).await;
    b.ask(0, "offer", AARHUS).await;
    let (agent, offer) = b.offered("offer").await.unwrap();
    assert_eq!(agent, "carl");
    let all = vec![
        (0, accepts("offer", "carl", offer)),
        (1, accepts("offer", "carl", offer)),
        (1, accepts("offer", "anna", offer)),
    ];
    let answers = at_once(b, all).await;
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1);
    assert_eq!(refused(&answers, &Refusal::Duplicate), 1, "{answers:?}");
}

async fn same_load(b: &mut Bench) {
    b.agent(0, "anna", 3).await;
    pick_mode(b, "anna").await;
    for n in 0..12 {
        b.ask(n, &format!("i{n}"), AARHUS).await;
    }
    b.sync().await;
    let all = (0..12).map(|n| (n, picks(&format!("i{n}"), "anna")));
    let answers = at_once(b, all.collect()).await;
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 3);
    assert_eq!(refused(&answers, &Refusal::NoRoom), 9);
}

async fn ways_round(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    b.agent(1, "bent", 1).await;
    b.ask(1, "i2", AARHUS).await;
    let epoch = b.accept(1, "i2").await;
    let transfer = Command::Transfer {
        item: id("i2"),
        agent: id("bent"),
        epoch,
        to: Target::Agent(id("anna")),
        note: None,
    };
    b.ok(1, transfer).await;
    assert!(b.waits("i2").await, "anna is full: it waits for her");
    b.close(0, "i1").await;
    assert!(b.waits("i2").await, "her slot is taken for wrapping up");
    let (item, agent) = (id("i1"), id("anna"));
    b.ok(0, Command::WrapUpDone { item, agent }).await;
    assert_eq!(b.offered_to("i2").await.unwrap(), "anna");
}

async fn looked_at_again(b: &mut Bench) {
    b.ask(0, "i1", AARHUS).await;
    b.ask(1, "i2", AARHUS).await;
    b.agent(1, "anna", 1).await;
    b.accept(1, "i1").await;
    assert!(b.waits("i2").await);
    b.close(0, "i1").await;
    b.pass(MINUTE).await;
    assert_eq!(
        b.offered_to("i2").await.unwrap(),
        "anna",
        "nobody did anything: time passed"
    );
    // A skill that nobody has is relaxed after its time.
    let mut bent = profile("bent", 1);
    bent.skills.areas = Allowed::only([id("skole")]);
    b.hire(0, bent).await;
    let mut h = handover("i3", AARHUS);
    h.area = Some(id("pas"));
    b.ok(1, b.request(h)).await;
    assert!(b.waits("i3").await);
    b.accept(0, "i2").await;
    b.pass(2 * MINUTE).await;
    assert_eq!(b.offered_to("i3").await.unwrap(), "bent");
}

async fn offline(b: &mut Bench) {
    let profile = profile("anna", 1).into();
    b.ok(0, Command::SetAgent { profile }).await;
    b.ask(0, "i1", AARHUS).await;
    assert!(b.waits("i1").await);
    b.arrive(1, "anna").await;
    let (to, offer) = b.offered("i1").await.unwrap();
    assert_eq!(to, "anna");
    b.drop_line("anna").await;
    assert!(b.waits("i1").await, "the offer goes back at once");
    let late = accepts("i1", "anna", offer);
    assert_eq!(b.no(1, late).await, Refusal::OfferOver);
}

async fn ghost(b: &mut Bench) {
    b.agent(0, "ghost", 1).await;
    b.ask(1, "i1", AARHUS).await;
    b.pass(5 * MINUTE).await;
    assert!(b.waits("i1").await);
    let ghost = b.on(1).read(|c| c.agents()[0].clone()).await.unwrap();
    assert_eq!(ghost.paused, Some(Pause::Ignored));
    b.agent(1, "anna", 1).await;
    assert_eq!(b.offered_to("i1").await.unwrap(), "anna");
}

async fn flapping(b: &mut Bench) {
    b.agent(0, "anna", 2).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    for n in 0..4 {
        b.drop_line("anna").await;
        b.pass(29 * SECOND).await;
        // Back at another node each time.
        b.arrive(n, "anna").await;
        b.pass(SECOND).await;
    }
    let item = b.item("i1").await;
    assert_eq!((item.owner().unwrap().as_str(), item.epoch), ("anna", 1));
    b.drop_line("anna").await;
    b.arrive(1, "anna").await;
    b.ask(0, "i2", AARHUS).await;
    assert!(b.waits("i2").await, "not before the line is steady");
    b.pass(3 * SECOND).await;
    assert_eq!(b.offered_to("i2").await.unwrap(), "anna");
}

async fn place_is_kept(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "first", AARHUS).await;
    let place = b.item("first").await.place;
    b.pass(SECOND).await;
    b.ask(1, "second", AARHUS).await;
    b.pass(19 * SECOND).await;
    assert_eq!(
        b.offered_to("second").await.unwrap(),
        "anna",
        "not the same at once"
    );
    b.agent(1, "bent", 1).await;
    let (bent, offer) = b.offered("first").await.unwrap();
    b.ok(0, declines("first", &bent, offer)).await;
    assert!(b.waits("first").await);
    let first = b.on(1).read(|c| c.queue(|_| true)[0].item.clone()).await;
    assert_eq!(first, Ok(id("first")));
    // Its nodes end and start again: the place is where it was.
    b.shut_down(0).await;
    b.start(0).await;
    assert_eq!(b.item("first").await.place, place);
}

async fn unanswered(b: &mut Bench) {
    b.agent(0, "anna", 2).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    b.ask(0, "i2", AARHUS).await;
    b.pass(HOUR).await;
    let (history, _) = b.history().await;
    let offers = history.iter().flat_map(|h| &h.effects);
    let offers = offers.filter(|e| matches!(e, Effect::Offered { item, .. } if *item == id("i2")));
    assert_eq!(offers.count(), 3, "three, then none");
    assert!(
        history.len() < 60,
        "{} inputs in a quiet hour",
        history.len()
    );
    assert_eq!(b.owner("i1").await.unwrap(), "anna", "chats stay");
    let row = b.on(1).read(|c| c.agents()[0].clone()).await.unwrap();
    assert_eq!(
        (row.state, row.paused),
        (AgentState::Paused, Some(Pause::Ignored))
    );
    b.ok(1, Command::Resume { agent: id("anna") }).await;
    assert_eq!(b.offered_to("i2").await.unwrap(), "anna");
}

async fn reserved(b: &mut Bench) {
    b.agent(1, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    assert_eq!(b.offered_to("i1").await.unwrap(), "anna");
    // Her node dies without a word. Another notices; alone, it notices itself when it starts again.
    b.kill(1).await;
    if b.kind == Kind::Embedded {
        b.start(1).await;
    }
    b.until("the dead node is noticed", async |b: &Bench| {
        b.waits("i1").await
    })
    .await;
    let offers = b.on(0).read(|c| c.agents()[0].offers).await;
    assert_eq!(offers, Ok(0));
    if b.kind == Kind::Redis {
        b.start(1).await;
    }
    b.arrive(1, "anna").await;
    b.pass(3 * SECOND).await;
    assert_eq!(b.offered_to("i1").await.unwrap(), "anna");
    b.pass(20 * SECOND).await;
    let offers = b.on(0).read(|c| c.agents()[0].offers).await;
    assert_eq!(offers, Ok(0));
}

async fn citizen_leaves(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    b.ask(1, "i2", AARHUS).await;
    let (_, offer) = b.offered("i1").await.unwrap();
    // At the same time as the answer: one of both, and no trace of the other.
    let leave = Command::Leave { item: id("i1") };
    at_once(b, vec![(0, leave), (1, accepts("i1", "anna", offer))]).await;
    assert!(!b.item("i1").await.is_open());
    let late = accepts("i1", "anna", offer);
    assert_eq!(b.no(1, late).await, Refusal::Ended);
    b.pass(MINUTE).await;
    assert!(b.offered_to("i2").await.is_some() || b.waits("i2").await);
    // A citizen whose page is gone leaves when the grace is over.
    let connection = id("c-i2");
    let absent = Command::CitizenAbsent {
        item: id("i2"),
        connection,
    };
    b.ok(1, absent).await;
    b.pass(3 * MINUTE).await;
    assert!(!b.item("i2").await.is_open());
    let link = link("citizens", "c-i2");
    let back = Command::CitizenPresent {
        item: id("i2"),
        link,
    };
    assert_eq!(b.no(0, back).await, Refusal::Ended);
}
