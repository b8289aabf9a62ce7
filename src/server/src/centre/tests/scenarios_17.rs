//! Scenarios 17 and 27 to 32: the store goes away, comes back, forgets, fills up; the process is killed.

use contact::centre::*;
use contact::sim::{id, team};
use tokio::time::{Duration, sleep, timeout};

use super::bench::*;
use super::on_both;
use super::people::*;
use crate::centre::{Error, News};

on_both! {
    store_restarts => scenario_17_the_store_restarts_embedded, scenario_17_the_store_restarts_redis;
    rung => scenario_27_a_callback_is_rung_as_often_as_promised_embedded, scenario_27_a_callback_is_rung_as_often_as_promised_redis;
    late_lease => scenario_28_a_lease_renewed_late_is_over_embedded, scenario_28_a_lease_renewed_late_is_over_redis;
    forgotten => scenario_29_nothing_acknowledged_is_forgotten_embedded, scenario_29_nothing_acknowledged_is_forgotten_redis;
    cancelled => scenario_30_a_cancelled_request_mixes_nothing_up_embedded, scenario_30_a_cancelled_request_mixes_nothing_up_redis;
    killed => scenario_31_killed_between_message_and_acknowledgement_embedded, scenario_31_killed_between_message_and_acknowledgement_redis;
}

async fn store_restarts(b: &mut Bench) {
    b.agent(1, "anna", 2).await;
    b.ask(0, "i1", AARHUS).await;
    let epoch = b.accept(1, "i1").await;
    b.sync().await;
    if b.kind == Kind::Embedded {
        // The store is in the process: both restart.
        b.shut_down(0).await;
        b.start(0).await;
        b.arrive(0, "anna").await;
        b.say(0, "i1", "m1", by("anna", epoch)).await.unwrap();
        return;
    }
    let mut heard = [b.on(0).effects(), b.on(1).effects()];
    b.server.as_mut().unwrap().kill();
    // What is sent meanwhile waits, and is done once.
    let meanwhile = tokio::spawn({
        let (node, command) = (b.on(0), says("i1", "m1", Sender::Citizen));
        async move { node.send(command).await }
    });
    sleep(Duration::from_millis(300)).await;
    assert_eq!(
        b.on(0).read(|c| c.queue(|_| true).len()).await,
        Ok(1),
        "what is known can be read"
    );
    b.server.as_mut().unwrap().start_again().await;
    meanwhile.await.unwrap().unwrap();
    b.say(1, "i1", "m2", by("anna", epoch)).await.unwrap();
    // Who listened before hears the rest: nobody had to subscribe again.
    for heard in &mut heard {
        let mut delivered = Vec::new();
        while delivered.len() < 2 {
            let within = Duration::from_secs(10);
            match timeout(within, heard.next()).await.expect("heard") {
                Some(News::Step(step)) => {
                    delivered.extend(step.effects.iter().filter_map(|e| match e {
                        Effect::Deliver { message, .. } => Some(message.to_string()),
                        _ => None,
                    }));
                }
                Some(News::Missed) => {}
                None => panic!("the node has ended"),
            }
        }
        assert_eq!(delivered, ["m1", "m2"]);
    }
}

/// A callback that is due, and anna who may ring.
async fn due(b: &Bench) {
    b.ok(
        0,
        Command::SetTeam {
            team: team("alle", 1).into(),
        },
    )
    .await;
    let mut p = contact::sim::profile("anna", 1);
    p.team = Some(id("alle"));
    b.hire(0, p).await;
    let mode = Mode::Pick;
    b.ok(
        0,
        Command::SetMode {
            agent: id("anna"),
            mode,
        },
    )
    .await;
    b.ask(0, "c1", AARHUS).await;
    let slots = b
        .on(0)
        .read(|c| c.callback_slots(id(AARHUS), None, 1))
        .await;
    let from = slots.unwrap()[0].from;
    let (item, promise) = (id("c1"), wish(from));
    b.ok(1, Command::ConvertToCallback { item, promise }).await;
    b.pass(from.since(b.now())).await;
}

async fn dial(b: &Bench, n: usize) -> u64 {
    let (item, agent) = (id("c1"), id("anna"));
    b.ok(n, Command::Dial { item, agent }).await;
    b.item("c1").await.epoch
}

fn end(epoch: u64, result: DialResult) -> Command {
    let (item, agent) = (id("c1"), id("anna"));
    Command::EndDial {
        item,
        agent,
        epoch,
        result,
    }
}

async fn rung(b: &mut Bench) {
    due(b).await;
    let (item, agent) = (id("c1"), id("anna"));
    let again = Command::Dial { item, agent };
    for attempt in 1..=3 {
        let epoch = dial(b, attempt).await;
        assert_eq!(
            b.no(0, again.clone()).await,
            Refusal::Duplicate,
            "one rings"
        );
        b.ok(1, end(epoch, DialResult::NoAnswer)).await;
        assert_eq!(
            b.no(0, end(epoch, DialResult::NoAnswer)).await,
            if attempt < 3 {
                Refusal::LeaseOver
            } else {
                Refusal::Ended
            }
        );
        if attempt < 3 {
            assert_eq!(b.no(0, again.clone()).await, Refusal::NotDue);
            b.pass(20 * MINUTE).await;
        }
    }
    let item = b.item("c1").await;
    let unreached = matches!(
        item.state,
        ItemState::Closed {
            outcome: Outcome::Unreached,
            ..
        }
    );
    assert!(
        unreached,
        "three times, then it is settled: {:?}",
        item.state
    );
}

async fn late_lease(b: &mut Bench) {
    due(b).await;
    let epoch = dial(b, 0).await;
    let (item, agent) = (id("c1"), id("anna"));
    let renew = Command::RenewDial { item, agent, epoch };
    b.pass(4 * MINUTE).await;
    b.ok(1, renew.clone()).await;
    b.pass(5 * MINUTE).await;
    // One minute after the first lease, at the very end of the renewed one: whoever asks now is late.
    assert_eq!(b.no(0, renew).await, Refusal::LeaseOver);
    assert_eq!(
        b.no(1, end(epoch, DialResult::Reached)).await,
        Refusal::LeaseOver
    );
    assert_eq!(
        b.item("c1").await.callback.unwrap().attempts,
        1,
        "it may have been rung"
    );
    b.pass(20 * MINUTE).await;
    let epoch = dial(b, 1).await;
    b.ok(0, end(epoch, DialResult::Reached)).await;
}

async fn forgotten(b: &mut Bench) {
    b.agent(0, "anna", 5).await;
    b.ask(0, "old", AARHUS).await;
    b.accept(0, "old").await;
    b.sync().await;
    let copy = b.server.as_ref().map(super::redis::Server::copy);
    // Acknowledged, and not in the copy.
    b.close(0, "old").await;
    b.ask(1, "new", AARHUS).await;
    let epoch = b.accept(1, "new").await;
    for n in 0..30 {
        let from = if n % 3 == 0 {
            by("anna", epoch)
        } else {
            Sender::Citizen
        };
        b.say(n, "new", &format!("m{n}"), from).await.unwrap();
    }
    b.sync().await;
    let Some(copy) = copy else {
        b.kill(0).await;
        b.start(0).await;
        assert!(
            !b.item("old").await.is_open(),
            "what was settled stays settled"
        );
        assert_eq!(b.owner("new").await.unwrap(), "anna");
        return;
    };
    let server = b.server.as_mut().unwrap();
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    b.until("what Redis forgot is put back", async |b: &Bench| {
        b.item("new").await.owner().is_some()
    })
    .await;
    assert!(!b.item("old").await.is_open());
    // And now so that somebody who knows nothing comes first, and takes the numbers.
    let copy = b.server.as_ref().unwrap().copy();
    b.say(0, "new", "late-1", by("anna", epoch)).await.unwrap();
    b.say(1, "new", "late-2", Sender::Citizen).await.unwrap();
    b.ask(0, "newest", AARHUS).await;
    b.sync().await;
    // Both nodes are killed, so that only their journals know.
    b.kill(0).await;
    b.kill(1).await;
    let server = b.server.as_mut().unwrap();
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    b.add_home();
    b.start(2).await;
    b.ok(2, Command::SignOut { agent: id("anna") }).await;
    b.start(0).await;
    b.start(1).await;
    assert!(
        b.item("newest").await.is_open(),
        "the place of who asked is kept"
    );
    assert!(b.waits("new").await);
}

async fn cancelled(b: &mut Bench) {
    // Every other request is dropped at some point on its way; each answer is to its own question.
    for round in 0..6 {
        let mut all = Vec::new();
        for n in 0..40 {
            let (node, item) = (b.on(n), format!("i{round}-{n}"));
            let command = b.request(handover(&item, [AARHUS, BILLUND, HERNING][n % 3]));
            all.push((
                item.clone(),
                tokio::spawn(async move {
                    let wait = Duration::from_micros(if n % 2 == 0 {
                        97 * n as u64
                    } else {
                        20_000_000
                    });
                    timeout(wait, node.send(command)).await
                }),
            ));
        }
        for (item, one) in all {
            let Ok(answer) = one.await.unwrap() else {
                continue;
            };
            let asked = answer.unwrap().into_iter().find_map(|e| match e {
                Effect::Requested { item, .. } => Some(item),
                _ => None,
            });
            assert_eq!(asked, Some(id(&item)));
        }
    }
}

async fn killed(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    let mut sent = 0;
    for round in 0..8 {
        let mut all = Vec::new();
        for _ in 0..20 {
            sent += 1;
            let (node, message) = (b.on(0), format!("m{sent}"));
            let command = says("i1", &message, Sender::Citizen);
            all.push((
                message,
                tokio::spawn(async move { node.send(command).await }),
            ));
        }
        sleep(Duration::from_micros(400 * round)).await;
        b.kill(0).await;
        for (message, one) in all {
            match one.await.unwrap() {
                Ok(_) => {
                    b.acked.lock().await.insert((id("i1"), id(&message)));
                }
                // Whatever else it is told, it is not that it was done.
                Err(e) => assert!(!matches!(e, Error::Refused(_)), "{e:?}"),
            }
        }
        b.start(0).await;
        // The page sends again what was not acknowledged.
        for n in sent - 19..=sent {
            match b.say(0, "i1", &format!("m{n}"), Sender::Citizen).await {
                Ok(()) | Err(Error::Refused(Refusal::Duplicate)) => {}
                other => panic!("{other:?}"),
            }
            b.acked
                .lock()
                .await
                .insert((id("i1"), id(&format!("m{n}"))));
        }
    }
}

/// A store that has no room left, and then has some again.
async fn full(kind: Kind) {
    let Some(mut b) = Bench::new(kind, |_| {}).await else {
        return;
    };
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    b.accept(0, "i1").await;
    match kind {
        Kind::Embedded => {
            b.shut_down(0).await;
            b.journal_options.max_pages = Some(120);
            b.start(0).await;
        }
        Kind::Redis => {
            b.server.as_ref().unwrap().say("CONFIG SET maxmemory 1");
        }
    }
    let text = || Text::from("x".repeat(3_000));
    let message = |n: u32| Command::Message {
        item: id("i1"),
        message: id(&format!("m{n}")),
        from: Sender::Citizen,
        text: text(),
    };
    let mut told = None;
    for n in 0..200 {
        match b.on(0).send(message(n)).await {
            Ok(_) => {
                b.acked
                    .lock()
                    .await
                    .insert((id("i1"), id(&format!("m{n}"))));
            }
            Err(e) => {
                told = Some(e);
                break;
            }
        }
    }
    let told = told.expect("it is full");
    let words = told.to_string();
    assert!(matches!(told, Error::Store(_)), "{told:?}");
    assert!(
        words.contains("full") || words.contains("memory"),
        "{words}"
    );
    assert_eq!(
        b.on(0).read(|c| c.queue(|_| true).len()).await,
        Ok(1),
        "reading still works"
    );
    match kind {
        Kind::Embedded => {
            b.kill(0).await;
            b.journal_options.max_pages = None;
            b.start(0).await;
        }
        Kind::Redis => {
            b.server.as_ref().unwrap().say("CONFIG SET maxmemory 0");
        }
    }
    b.until("it goes on by itself", async |b: &Bench| {
        let sent = b.on(1).send(message(999)).await;
        matches!(sent, Ok(_) | Err(Error::Refused(Refusal::Duplicate)))
    })
    .await;
    b.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_32_a_full_store_is_said_and_nothing_is_lost_embedded() {
    full(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_32_a_full_store_is_said_and_nothing_is_lost_redis() {
    full(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_32_a_redis_that_only_reads_is_waited_for_redis() {
    let Some(b) = Bench::new(Kind::Redis, |_| {}).await else {
        return;
    };
    let server = b.server.as_ref().unwrap();
    server.say("REPLICAOF 127.0.0.1 1");
    let waits = tokio::spawn({
        let (node, command) = (b.on(0), b.request(handover("i1", AARHUS)));
        async move { node.send(command).await }
    });
    sleep(Duration::from_millis(300)).await;
    server.say("REPLICAOF NO ONE");
    waits.await.unwrap().unwrap();
    b.finish().await;
}
