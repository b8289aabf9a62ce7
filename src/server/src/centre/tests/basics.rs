//! What a node promises, whatever the scenario.

use std::collections::BTreeMap;

use contact::centre::*;
use contact::sim::{id, link, office, profile};
use storage::log::{Entry, Keep, Log};

use super::bench::*;
use super::on_both;
use super::people::*;
use crate::centre::setup::set_up;
use crate::centre::{Error, News, Node, Options, State, Wanted, name};

on_both! {
    a_command_is_folded_and_answered => folded_and_answered_embedded, folded_and_answered_redis;
    time_passes_by_itself => time_passes_by_itself_embedded, time_passes_by_itself_redis;
    a_node_goes_on_where_it_was => goes_on_where_it_was_embedded, goes_on_where_it_was_redis;
    a_node_taken_for_lost_is_told => a_node_taken_for_lost_is_told_embedded, a_node_taken_for_lost_is_told_redis;
    what_a_newer_node_wrote_is_not_guessed => what_a_newer_node_wrote_embedded, what_a_newer_node_wrote_redis;
    only_what_changed_is_set_up => only_what_changed_is_set_up_embedded, only_what_changed_is_set_up_redis;
}

async fn a_command_is_folded_and_answered(b: &mut Bench) {
    let effects = b.ask(0, "i1", AARHUS).await;
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Requested { .. }))
    );
    let again = b.request(handover("i1", AARHUS));
    assert_eq!(b.no(1, again).await, Refusal::Duplicate);
    let long = "x".repeat(300 * 1024);
    let message = Command::Message {
        item: id("i1"),
        message: id("m1"),
        from: Sender::Citizen,
        text: long.into(),
    };
    assert!(matches!(b.on(0).send(message).await, Err(Error::Store(_))));
}

async fn time_passes_by_itself(b: &mut Bench) {
    b.agent(0, "anna", 1).await;
    b.ask(0, "i1", AARHUS).await;
    assert_eq!(b.offered_to("i1").await.unwrap(), "anna");
    b.pass(20 * SECOND).await;
    assert!(b.waits("i1").await, "the offer ran out");
    b.pass(MINUTE).await;
    assert_eq!(b.offered("i1").await.unwrap(), ("anna".to_owned(), 2));
}

async fn a_node_goes_on_where_it_was(b: &mut Bench) {
    for n in 0..50 {
        b.ask(n, &format!("i{n}"), AARHUS).await;
    }
    b.sync().await;
    let before = b.on(0).read(Centre::clone).await.unwrap();
    b.shut_down(0).await;
    b.start(0).await;
    let queue = |c: &Centre| c.queue(|_| true);
    let same = b.on(0).read(|c| queue(c) == queue(&before)).await;
    assert_eq!(same, Ok(true));
    let kept = b.log().load_snapshot().await.unwrap();
    assert!(kept.is_some(), "saved at the end");
    b.ask(0, "i50", AARHUS).await;
    b.kill(0).await;
    b.start(0).await;
    b.ask(0, "i51", AARHUS).await;
    b.sync().await;
    assert_eq!(b.on(0).read(|c| queue(c).len()).await.unwrap(), 52);
}

async fn a_node_taken_for_lost_is_told(b: &mut Bench) {
    let mut heard = b.on(0).effects();
    let me: NodeId = id("node-0");
    for command in [
        Command::NodeLost { node: me.clone() },
        // And another process under its name.
        Command::NodeStarted { node: me.clone() },
    ] {
        b.ok(1, command).await;
        while !matches!(heard.next().await, Some(News::Missed)) {}
    }
}

async fn what_a_newer_node_wrote_is_not_guessed(b: &mut Bench) {
    b.sync().await;
    let head = b.log().head().await.unwrap();
    let entry = Entry {
        id: "new".to_owned(),
        body: br#"{"id":"new","command":{"of_the_future":{}}}"#.to_vec(),
    };
    let log = if b.kind == Kind::Redis {
        b.outside()
    } else {
        b.log().clone()
    };
    log.append(head, vec![entry]).await.unwrap();
    let node = b.on(0);
    let waits = node.send(b.request(handover("i1", AARHUS)));
    tokio::select! {
        done = waits => panic!("it must wait: {done:?}"),
        () = b.until("it says why", async |b: &Bench| match b.on(0).health().state {
            State::Away { why, .. } => why.contains("newer"),
            _ => false,
        }) => {}
    }
    assert_eq!(
        b.on(0).read(|_| ()).await,
        Ok(()),
        "what was folded can be read"
    );
    // What cannot be read ends no node and is in no history: the rest of the test is another log.
    *b = Bench::new(b.kind, |_| {}).await.unwrap();
}

async fn only_what_changed_is_set_up(b: &mut Bench) {
    let mut wanted = Wanted {
        settings: Settings::default(),
        municipalities: BTreeMap::from([(id(AARHUS), office()), (id(BILLUND), office())]),
        teams: Vec::new(),
    };
    assert_eq!(set_up(&b.on(0), &wanted).await, Ok(0));
    let closed = office().closed_on([jiff::civil::date(2091, 3, 6)]);
    wanted.municipalities.insert(id(BILLUND), closed);
    wanted.settings.wrap_up_ms = 1;
    assert_eq!(set_up(&b.on(0), &wanted).await, Ok(2));
    b.sync().await;
    assert_eq!(set_up(&b.on(1), &wanted).await, Ok(0));
}

#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let mut b = Bench::new(Kind::Embedded, |o| o.queue = 4).await.unwrap();
    let handles: Vec<_> = (0..400)
        .map(|n| {
            let (node, command) = (b.on(0), b.request(handover(&format!("i{n}"), AARHUS)));
            tokio::spawn(async move { node.send(command).await })
        })
        .collect();
    let (mut done, mut full) = (0, 0);
    for handle in handles {
        match handle.await.unwrap() {
            Ok(_) => done += 1,
            Err(Error::Overloaded) => full += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(done >= 4 && full > 0, "{done} done, {full} refused");
    b.finish().await;
    b.shut_down(0).await;
}

#[tokio::test]
async fn what_waits_is_done_before_the_end_and_nothing_after() {
    let mut b = Bench::new(Kind::Embedded, |_| {}).await.unwrap();
    let node = b.on(0);
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let (node, command) = (node.clone(), b.request(handover(&format!("i{n}"), AARHUS)));
            tokio::spawn(async move { node.send(command).await })
        })
        .collect();
    tokio::task::yield_now().await;
    b.shut_down(0).await;
    let mut done = 0;
    for one in waiting {
        match one.await.unwrap() {
            Ok(_) => done += 1,
            Err(e) => assert_eq!(e, Error::Closed),
        }
    }
    assert_eq!(node.send(Command::Tick).await, Err(Error::Closed));
    b.start(0).await;
    let rows = b.on(0).read(|c| c.queue(|_| true).len()).await;
    assert_eq!(rows, Ok(done));
    b.finish().await;
}

#[test]
fn a_name_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let made = name(None, dir.path()).unwrap();
    assert!(made.as_str().starts_with("node-"));
    assert_eq!(name(None, dir.path()).unwrap(), made);
    assert_eq!(name(Some(&id("a")), dir.path()).unwrap(), id("a"));
    std::fs::write(dir.path().join("node"), "two words").unwrap();
    assert!(name(None, dir.path()).is_err());
    assert!(name(None, &dir.path().join("nowhere")).is_err());
}

/// The redis that is not there, and the bot that answers all the same.
#[tokio::test]
async fn a_redis_that_is_away_holds_nothing_up() {
    let journal = storage::Journal::in_memory().unwrap();
    let clock = std::sync::Arc::new(base::SystemClock::new());
    let (me, url) = (id("a"), "redis://:secret@127.0.0.1:1");
    let log = crate::centre::open(journal, clock.clone(), &me, Some(url)).unwrap();
    let mut options = Options::new(me);
    options.patience = std::time::Duration::from_millis(100);
    let node = Node::start(log, clock, options);
    let handle = node.handle();
    let mut news = handle.effects();
    let first = handle.send(Command::Tick).await;
    assert!(matches!(first, Err(Error::Unavailable(_))), "{first:?}");
    assert_eq!(handle.read(|_| ()).await, Err(Error::Starting));
    while handle.health().state.name() != "away" {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let begun = tokio::time::Instant::now();
    let Err(Error::Unavailable(why)) = handle.send(Command::Tick).await else {
        panic!("it is away");
    };
    assert!(begun.elapsed().as_millis() < 50, "known, so not waited for");
    assert!(why.contains("Redis") && !why.contains("secret"), "{why}");
    node.shutdown().await;
    drop(handle);
    assert!(!matches!(news.next().await, Some(News::Step(_))));
}

/// Records older than the snapshot are dropped: who was away for longer folds from it.
async fn from_a_snapshot(kind: Kind) {
    let often = |o: &mut Options| {
        (o.snapshot_records, o.snapshot_pause) = (10, std::time::Duration::ZERO);
    };
    let Some(mut b) = Bench::new(kind, often).await else {
        return;
    };
    b.keep = Keep { tail: 5 };
    b.shut_down(0).await;
    b.start(0).await;
    if kind == Kind::Redis {
        b.kill(1).await;
    }
    for n in 0..60 {
        b.ask(0, &format!("i{n}"), AARHUS).await;
    }
    b.until("a snapshot is saved in passing", async |b: &Bench| {
        let kept = b.log().load_snapshot().await.unwrap();
        kept.is_some_and(|s| s.position.seq > 30)
    })
    .await;
    if kind == Kind::Embedded {
        b.kill(0).await;
    }
    b.start(1).await;
    b.ask(1, "last", AARHUS).await;
    b.sync().await;
    let rows = |c: &Centre| c.queue(|_| true).len();
    assert_eq!(b.on(1).read(rows).await, Ok(61));
    assert_eq!(b.on(0).read(rows).await, Ok(61));
    let faults = b.on(1).read(Centre::faults).await.unwrap();
    assert_eq!(faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_long_folds_from_the_snapshot_embedded() {
    from_a_snapshot(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_for_long_folds_from_the_snapshot_redis() {
    from_a_snapshot(Kind::Redis).await;
}

/// With nothing of the test's own in the way: the server's time, the machine's time, and two nodes that both tick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_passes_at_its_own_pace_redis() {
    if !super::redis::is_here() {
        return;
    }
    let server = super::redis::Server::start().await;
    let clock = std::sync::Arc::new(base::SystemClock::new());
    let nodes = ["a", "b"].map(|name| {
        let journal = storage::Journal::in_memory().unwrap();
        let log = Log::redis(journal, name, &hasty(server.url())).unwrap();
        let node = Node::start(log.clone(), clock.clone(), Options::new(id(name)));
        (node, log)
    });
    let on = nodes[0].0.handle();
    let all_day = jiff::civil::time(0, 0, 0, 0)..jiff::civil::time(23, 59, 59, 0);
    let day = contact::Span::new(all_day.start, all_day.end).unwrap();
    let commands = [
        Command::Configure {
            settings: Settings {
                offer_timeout_ms: 1_000,
                ..Settings::default()
            }
            .into(),
        },
        Command::SetMunicipality {
            code: id(AARHUS),
            hours: contact::Hours::new([(); 7].map(|()| vec![day])).into(),
            fair_share_permille: None,
        },
        Command::SetAgent {
            profile: profile("anna", 1).into(),
        },
        Command::AgentPresent {
            agent: id("anna"),
            link: link("a", "socket"),
        },
        Command::Request {
            handover: handover("i1", AARHUS).into(),
            link: Some(link("a", "citizen")),
            asked_at: Moment::default(),
        },
    ];
    for command in commands {
        on.send(command).await.unwrap();
    }
    let state = async || {
        on.read(|c| c.item(&id("i1")).unwrap().state.clone())
            .await
            .unwrap()
    };
    assert!(matches!(state().await, ItemState::Offered { .. }));
    let before = on.health().folded;
    let begun = tokio::time::Instant::now();
    while state().await != (ItemState::Waiting { held: false }) {
        assert!(
            begun.elapsed().as_secs() < 10,
            "nobody notices that the offer ran out"
        );
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    assert!(took.as_millis() < 2_000, "noticed after {took:?}");
    let ticks = on.health().folded - before;
    assert!(ticks <= 3, "{ticks} records for one deadline");
    let heads = [
        nodes[0].1.head().await.unwrap(),
        nodes[1].1.head().await.unwrap(),
    ];
    assert_eq!(heads[0], heads[1]);
}
