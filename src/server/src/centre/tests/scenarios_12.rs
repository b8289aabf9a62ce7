//! Scenarios 12 to 16 and 19 to 26: the task falls, the queue is seen and kept in order, people come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base::Lang;
use contact::centre::*;
use contact::sim::{id, profile, team};
use tokio::time::{Duration, timeout};

use super::bench::*;
use super::on_both;
use super::people::*;
use crate::centre::{Error, News, Options};

on_both! {
    one_unavailable => scenario_13_one_unavailable_does_not_stop_the_others_embedded, scenario_13_one_unavailable_does_not_stop_the_others_redis;
    bulk_order => scenario_14_many_at_once_keep_their_order_embedded, scenario_14_many_at_once_keep_their_order_redis;
    rights => scenario_15_without_the_right_never_embedded, scenario_15_without_the_right_never_redis;
    told_at_once => scenario_16_the_queue_is_told_at_once_embedded, scenario_16_the_queue_is_told_at_once_redis;
    one_order => scenario_19_messages_come_once_in_one_order_embedded, scenario_19_messages_come_once_in_one_order_redis;
    bot_silent => scenario_21_bot_or_agent_never_both_embedded, scenario_21_bot_or_agent_never_both_redis;
    all_seen => scenario_22_whatever_is_open_is_seen_embedded, scenario_22_whatever_is_open_is_seen_redis;
    fallback => scenario_23_no_team_goes_to_the_fallback_embedded, scenario_23_no_team_goes_to_the_fallback_redis;
    hours => scenario_24_hours_over_changes_of_the_clock_embedded, scenario_24_hours_over_changes_of_the_clock_redis;
    last_leaves => scenario_25_the_last_agent_leaves_embedded, scenario_25_the_last_agent_leaves_redis;
    returning => scenario_26_a_citizen_comes_back_embedded, scenario_26_a_citizen_comes_back_redis;
}

/// A task that falls at the input of this item, so many times.
fn falls(options: &mut Options, item: &'static str, times: u32) {
    let left = AtomicU32::new(times);
    options.before = Some(Arc::new(move |input| {
        let it = matches!(&input.command, Command::Request { handover, .. } if handover.item.as_str() == item);
        let fall = it
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_ok();
        assert!(!fall, "the test lets the task fall");
    }));
}

async fn the_task_falls(kind: Kind) {
    // Each node falls once: both fold the record.
    let Some(b) = Bench::new(kind, |o| falls(o, "bad", 1)).await else {
        return;
    };
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    let mut heard = b.on(0).effects();
    let effects = b.ask(0, "bad", AARHUS).await;
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Requested { .. })),
        "who waited is answered"
    );
    b.until("the watchdog starts the task again", async |b: &Bench| {
        b.on(0).health().restarts == 1
    })
    .await;
    // Steps of before may still be on their way.
    let missed = async {
        while let Some(news) = heard.next().await {
            if matches!(news, News::Missed) {
                return true;
            }
        }
        false
    };
    assert_eq!(timeout(Duration::from_secs(5), missed).await, Ok(true));
    assert_eq!(b.owner("i1").await.unwrap(), "anna", "folded from the log");
    b.close(0, "i1").await;
    b.pass(MINUTE).await;
    assert_eq!(b.offered_to("bad").await.unwrap(), "anna");
    b.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_12_the_task_falls_and_is_started_again_embedded() {
    the_task_falls(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_12_the_task_falls_and_is_started_again_redis() {
    the_task_falls(Kind::Redis).await;
}

async fn a_record_that_always_fails(kind: Kind) {
    let Some(mut b) = Bench::new(kind, |o| falls(o, "bad", u32::MAX)).await else {
        return;
    };
    b.ask(0, "i1", AARHUS).await;
    let bad = b.on(0).send(b.request(handover("bad", AARHUS))).await;
    assert_eq!(bad, Err(Error::Faulty));
    b.until("all pass it over", async |b: &Bench| {
        let there = async |n| b.on(n).read(|c| c.item(&id("i1")).is_some()).await;
        there(0).await == Ok(true) && there(1).await == Ok(true)
    })
    .await;
    b.ask(1, "i2", AARHUS).await;
    b.sync().await;
    let state = |c: &Centre| (c.queue(|_| true).len(), c.item(&id("bad")).is_none());
    assert_eq!(b.on(0).read(state).await, Ok((2, true)));
    assert_eq!(b.on(1).read(state).await, Ok((2, true)));
    // And again by the next life of a node.
    b.kill(0).await;
    b.start(0).await;
    b.ask(0, "i3", AARHUS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_12_a_record_that_always_fails_is_passed_over_embedded() {
    a_record_that_always_fails(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_12_a_record_that_always_fails_is_passed_over_redis() {
    a_record_that_always_fails(Kind::Redis).await;
}

async fn one_unavailable(b: &mut Bench) {
    for agent in ["anna", "bent", "carl"] {
        b.agent(0, agent, 1).await;
    }
    let why = Pause::Break;
    b.ok(
        1,
        Command::Pause {
            agent: id("anna"),
            why,
        },
    )
    .await;
    b.drop_line("bent").await;
    for n in 0..3 {
        b.ask(n, &format!("i{n}"), AARHUS).await;
    }
    assert_eq!(b.offered_to("i0").await.unwrap(), "carl");
    b.ok(0, Command::Resume { agent: id("anna") }).await;
    assert_eq!(b.offered_to("i1").await.unwrap(), "anna");
}

async fn bulk_order(b: &mut Bench) {
    for n in 0..6 {
        b.ask(n, &format!("i{n}"), [AARHUS, BILLUND][n % 2]).await;
        b.pass(SECOND).await;
    }
    b.agent(1, "anna", 4).await;
    for n in 0..6 {
        let item = format!("i{n}");
        assert_eq!(b.offered_to(&item).await.is_some(), n < 4, "{item}");
    }
}

async fn rights(b: &mut Bench) {
    let mut p = profile("anna", 9);
    p.skills.municipalities = Allowed::only([id(BILLUND)]);
    p.skills.areas = Allowed::only([id("skole")]);
    b.hire(0, p).await;
    b.ask(1, "right", AARHUS).await;
    type Change = fn(&mut Handover);
    let changes: [(&str, Change); 3] = [
        ("area", |h| h.area = Some(id("pas"))),
        ("language", |h| h.language = Lang::Uk),
        ("audience", |h| h.audience = Audience::Employee),
    ];
    for (item, change) in changes {
        let mut h = handover(item, BILLUND);
        change(&mut h);
        b.ok(1, b.request(h)).await;
    }
    for item in ["right", "area", "language", "audience"] {
        assert!(b.waits(item).await, "{item}");
        assert_eq!(b.no(0, picks(item, "anna")).await, Refusal::NotAllowed);
    }
    b.pass(119 * SECOND).await;
    assert!(b.waits("area").await);
    b.pass(SECOND).await;
    b.accept(0, "area").await;
    b.accept(1, "audience").await;
    b.pass(3 * MINUTE).await;
    assert!(b.offered_to("language").await.is_some());
    b.pass(HOUR).await;
    assert!(
        b.item("right").await.decisions.is_empty(),
        "the right never relaxes"
    );
    let card = |c: &Centre| c.card(&id("right"), &id("anna")).is_none();
    assert_eq!(b.on(1).read(card).await, Ok(true));
}

async fn told_at_once(b: &mut Bench) {
    b.sync().await;
    let mut heard = b.on(0).effects();
    b.ask(1, "i1", AARHUS).await;
    let within = Duration::from_secs(1);
    loop {
        let news = timeout(within, heard.next())
            .await
            .expect("told without asking");
        let Some(News::Step(step)) = news else {
            panic!("{news:?}")
        };
        let waits = |e: &Effect| matches!(e, Effect::Waiting { item, .. } if *item == id("i1"));
        if step.effects.iter().any(waits) {
            break;
        }
    }
}

async fn slow_reader(kind: Kind) {
    let Some(b) = Bench::new(kind, |o| o.news = 8).await else {
        return;
    };
    let (mut slow, mut quick) = (b.on(0).effects(), b.on(0).effects());
    for n in 0..40 {
        b.ask(0, &format!("i{n}"), AARHUS).await;
        assert!(quick.next().await.is_some());
    }
    b.sync().await;
    assert!(
        matches!(slow.next().await, Some(News::Missed)),
        "it is told that it missed something"
    );
    let rows = b.on(0).read(|c| c.queue(|_| true).len()).await;
    assert_eq!(rows, Ok(40), "and looks again");
    let mut last = 0;
    while let Ok(Some(News::Step(step))) = timeout(Duration::from_millis(50), slow.next()).await {
        assert!(
            last == 0 || step.seq == last + 1,
            "from there on without a gap"
        );
        last = step.seq;
    }
    assert_eq!(last, b.on(0).health().folded);
    b.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_20_a_slow_reader_is_told_that_it_missed_something_embedded() {
    slow_reader(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_20_a_slow_reader_is_told_that_it_missed_something_redis() {
    slow_reader(Kind::Redis).await;
}

async fn one_order(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    let epoch = b.accept(0, "i1").await;
    b.sync().await;
    let mut heard = [b.on(0).effects(), b.on(1).effects()];
    // The citizen's page and the agent's write at once, at two nodes; each sends everything twice, as after a
    // reconnect.
    let mut all = tokio::task::JoinSet::new();
    for n in 0..40 {
        let from = if n % 2 == 0 {
            Sender::Citizen
        } else {
            by("anna", epoch)
        };
        for node in [n, n + 1] {
            let (node, command) = (b.on(node), says("i1", &format!("m{n}"), from.clone()));
            all.spawn(async move { node.send(command).await });
        }
    }
    let answers = all.join_all().await;
    let duplicate = Err(Error::Refused(Refusal::Duplicate));
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 40);
    assert_eq!(answers.iter().filter(|a| **a == duplicate).count(), 40);
    b.sync().await;
    let mut orders = Vec::new();
    for heard in &mut heard {
        let mut order = Vec::new();
        while let Ok(Some(News::Step(step))) =
            timeout(Duration::from_millis(50), heard.next()).await
        {
            order.extend(step.effects.iter().filter_map(|e| match e {
                Effect::Deliver { message, .. } => Some(message.clone()),
                _ => None,
            }));
        }
        orders.push(order);
    }
    assert_eq!(orders[0].len(), 40);
    assert_eq!(orders[0], orders[1]);
}

async fn bot_silent(b: &mut Bench) {
    b.ask(0, "i1", AARHUS).await;
    b.say(0, "i1", "m1", Sender::Bot).await.unwrap();
    b.agent(1, "anna", 1).await;
    let epoch = b.accept(1, "i1").await;
    let silenced = Err(Error::Refused(Refusal::BotSilenced));
    assert_eq!(b.say(0, "i1", "m2", Sender::Bot).await, silenced);
    b.say(1, "i1", "m3", by("anna", epoch)).await.unwrap();
    let (item, agent) = (id("i1"), id("anna"));
    let (to, note) = (Target::Bot, None);
    b.ok(
        1,
        Command::Transfer {
            item,
            agent,
            epoch,
            to,
            note,
        },
    )
    .await;
    let ended = Err(Error::Refused(Refusal::Ended));
    assert_eq!(b.say(1, "i1", "m4", by("anna", epoch)).await, ended);
}

async fn all_seen(b: &mut Bench) {
    b.agent(0, "anna", 2).await;
    for n in 0..4 {
        b.ask(n, &format!("i{n}"), AARHUS).await;
    }
    b.accept(1, "i0").await;
    b.ok(1, callback("call", b.now().plus(3 * HOUR))).await;
    b.sync().await;
    for n in 0..2 {
        let rows = b.on(n).read(|c| c.queue(|_| true).len()).await;
        assert_eq!(rows, Ok(5));
    }
}

fn callback(item: &str, from: Moment) -> Command {
    let h = handover(item, AARHUS);
    Command::RequestCallback {
        item: h.item,
        dialogue: h.dialogue,
        municipality: h.municipality,
        area: None,
        language: Lang::Da,
        audience: Audience::Citizen,
        class: Class::Normal,
        promise: wish(from),
    }
}

async fn fallback(b: &mut Bench) {
    b.configure(Settings {
        fallback_team: Some(id("alle")),
        ..Settings::default()
    })
    .await;
    for (name, areas) in [
        ("alle", Allowed::only([])),
        ("skole", Allowed::only([id("skole")])),
    ] {
        let mut team = team(name, 1);
        team.areas = areas;
        b.ok(0, Command::SetTeam { team: team.into() }).await;
    }
    for (name, of, areas) in [
        ("anna", "skole", Allowed::All),
        ("bent", "alle", Allowed::only([])),
    ] {
        let mut p = profile(name, 1);
        p.team = Some(id(of));
        p.skills.areas = areas;
        b.hire(1, p).await;
    }
    let mut h = handover("i1", AARHUS);
    h.area = Some(id("pas"));
    let effects = b.ok(0, b.request(h)).await;
    let (item, team) = (id("i1"), Some(id("alle")));
    assert!(effects.contains(&Effect::Fallback { item, team }));
    assert_eq!(b.offered_to("i1").await.unwrap(), "bent");
}

async fn hours(b: &mut Bench) {
    let closed = async |b: &Bench, item: &str, opens: &str| {
        let opens = Some(local(opens));
        let request = b.request(handover(item, AARHUS));
        assert_eq!(b.no(1, request).await, Refusal::Closed { opens });
    };
    let hours = contact::sim::office().closed_yearly(contact::CUSTOMARILY_CLOSED);
    let set = Command::SetMunicipality {
        code: id(AARHUS),
        hours: hours.into(),
        fair_share_permille: None,
    };
    b.ok(0, set).await;
    b.pass(11 * HOUR).await;
    closed(b, "i1", "2091-03-06T08:00").await;
    // The clocks go forward in the night before Sunday the 25th, and Easter is on 8 April.
    for (at, opens) in [
        ("2091-03-23T21:00", "2091-03-26T08:00"),
        ("2091-04-04T23:59", "2091-04-10T08:00"),
        ("2091-10-26T20:00", "2091-10-29T08:00"),
        ("2091-12-21T20:00", "2091-12-27T08:00"),
    ] {
        b.leap(local(at)).await;
        closed(b, "i2", opens).await;
        b.leap(local(opens)).await;
        let item = format!("open-{}", b.now().as_ms());
        b.ask(0, &item, AARHUS).await;
        b.ok(0, Command::Leave { item: id(&item) }).await;
    }
}

async fn last_leaves(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.agent(1, "bent", 1).await;
    for item in ["i1", "i2", "i3"] {
        b.ask(1, item, AARHUS).await;
    }
    let told = |effects: &[Effect]| {
        let why = CallbackReason::NoAgents;
        let told = |e: &&Effect| matches!(e, Effect::CallbackOffered { why: w, .. } if *w == why);
        effects.iter().filter(told).count()
    };
    let leaves = |agent: &str| Command::SignOut { agent: id(agent) };
    assert_eq!(told(&b.ok(0, leaves("anna")).await), 0);
    assert_eq!(told(&b.ok(1, leaves("bent")).await), 3);
    assert_eq!(told(&b.ask(0, "i4", AARHUS).await), 1);
    let slots = b
        .on(0)
        .read(|c| c.callback_slots(id(AARHUS), None, 1))
        .await;
    let from = slots.unwrap()[0].from;
    let (item, promise) = (id("i4"), wish(from));
    b.ok(0, Command::ConvertToCallback { item, promise }).await;
}

async fn returning(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    b.agent(1, "bent", 3).await;
    b.close(0, "i1").await;
    b.pass(MINUTE).await;
    let again = |item: &str| Handover {
        item: id(item),
        ..handover("i1", AARHUS)
    };
    b.ok(1, b.request(again("i2"))).await;
    assert_eq!(
        b.offered_to("i2").await.unwrap(),
        "anna",
        "though bent has more room"
    );
    b.accept(0, "i2").await;
    b.close(0, "i2").await;
    b.ok(0, Command::SignOut { agent: id("anna") }).await;
    b.ok(1, b.request(again("i3"))).await;
    assert_eq!(
        b.offered_to("i3").await.unwrap(),
        "bent",
        "an absent agent is not waited for"
    );
}
