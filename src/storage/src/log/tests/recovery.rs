//! Redis forgets; the nodes' journals do not. Every test ends with one order in which all that was acknowledged is
//! found once.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::harness::{Home, Server, redis_is_here};
use super::*;

async fn say(node: &mut Node, names: impl IntoIterator<Item = u32>) {
    let some: Vec<Entry> = names.into_iter().map(|n| entry(&n.to_string())).collect();
    node.append(some).await;
}

/// Every acknowledged id once, and all nodes hold the same.
async fn assert_all_there(nodes: &mut [&mut Node], said: impl IntoIterator<Item = u32>) {
    for node in nodes.iter_mut() {
        node.catch_up().await;
    }
    let log = &nodes[0].log;
    let all = read_all(log, Position::START).await;
    assert_sound(&all);
    let mut found: Vec<u32> = all.iter().map(|r| r.id.parse().unwrap()).collect();
    found.sort_unstable();
    let mut said: Vec<u32> = said.into_iter().collect();
    said.sort_unstable();
    assert_eq!(found, said);
    for node in nodes.iter() {
        assert_eq!(node.folded, all, "a node folded something else");
        assert!(node.log.recover().await.unwrap().lost.is_empty());
    }
}

#[tokio::test]
async fn redis_killed_forgets_nothing_that_its_system_has() {
    if !redis_is_here() {
        return;
    }
    for fsync in ["no", "everysec"] {
        let mut server = Server::start(&["--appendfsync", fsync]).await;
        let home = Home::new("a", server.url());
        let mut node = home.node().await;
        for n in 0..50 {
            say(&mut node, [n]).await;
        }
        server.kill();
        server.start_again().await;
        // The node lives on with its connection lost.
        sleep(Duration::from_millis(150)).await;
        say(&mut node, [50]).await;
        assert_all_there(&mut [&mut node], 0..=50).await;
    }
}

#[tokio::test]
async fn redis_29_an_older_copy_is_filled_up_again() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let homes = ["a", "b"].map(|name| Home::new(name, server.url()));
    let (mut a, mut b) = (homes[0].node().await, homes[1].node().await);
    say(&mut a, 0..20).await;
    let copy = server.copy();
    say(&mut b, 20..30).await;
    say(&mut a, 30..200).await;
    b.catch_up().await;
    let before = a.folded.clone();
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    sleep(Duration::from_millis(150)).await;
    assert_eq!(a.log.head().await.unwrap().seq, 20);
    assert!(matches!(
        a.log.append(a.at, entries(&["x"])).await,
        Ok(Append::Diverged { head: 20 })
    ));
    // Both at once: one of them puts back what the other then finds.
    let (ra, rb) = tokio::join!(a.recover(), b.recover());
    assert!(ra.0 + rb.0 >= 180, "{ra:?} {rb:?}");
    assert_eq!((ra.1, rb.1), (0, 0));
    assert_eq!(
        read_all(&a.log, Position::START).await,
        before,
        "to the bit, times and numbers too"
    );
    say(&mut b, [200]).await;
    assert_all_there(&mut [&mut a, &mut b], 0..=200).await;
}

#[tokio::test]
async fn redis_29_what_others_took_the_numbers_of_is_appended_again() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let homes = ["a", "b", "c"].map(|name| Home::new(name, server.url()));
    let (mut a, mut b) = (homes[0].node().await, homes[1].node().await);
    say(&mut a, 0..20).await;
    b.catch_up().await;
    let copy = server.copy();
    say(&mut a, 20..30).await;
    say(&mut b, 30..35).await;
    a.catch_up().await;
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    // Somebody who knows nothing of it comes first, and goes past their numbers.
    let mut c = homes[2].node().await;
    say(&mut c, 100..140).await;
    // Its position is a number that exists: only the link tells.
    assert!(matches!(
        a.log.read(a.at, 10).await,
        Ok(Read::Diverged { head: 60 })
    ));
    let found = a.log.recover().await.unwrap();
    assert_eq!(found.restored, 0);
    let lost: Vec<u32> = found.lost.iter().map(|r| r.id.parse().unwrap()).collect();
    assert_eq!(lost, (20..35).collect::<Vec<_>>());
    // Killed before it could append them: they are still there when it starts again.
    drop(a);
    let again = homes[0].log().recover().await.unwrap();
    assert_eq!(again.lost, found.lost);
    let mut a = homes[0].node().await;
    b.recover().await;
    assert_all_there(&mut [&mut a, &mut b, &mut c], (0..35).chain(100..140)).await;
}

#[tokio::test]
async fn redis_what_is_settled_is_not_asked_for_again() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let homes = ["a", "b"].map(|name| Home::new(name, server.url()));
    let mut a = homes[0].node().await;
    let copy = server.copy();
    say(&mut a, 0..3).await;
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    let mut b = homes[1].node().await;
    say(&mut b, 10..12).await;
    assert_eq!(a.log.recover().await.unwrap().lost.len(), 3);
    a.log.settle(vec!["1".to_owned()]).await.unwrap();
    assert_eq!(
        ids(&a.log.recover().await.unwrap().lost),
        ["0", "2"],
        "in their old order"
    );
    a.recover().await;
    assert_all_there(&mut [&mut a, &mut b], [0, 2, 10, 11]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_wiped_is_filled_before_a_newcomer_may_begin() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let homes = ["a", "b"].map(|name| Home::new(name, server.url()));
    let newcomer = Home::new("n", server.url()).with(|o| o.grace = Duration::from_millis(1500));
    let (mut a, mut b) = (homes[0].node().await, homes[1].node().await);
    say(&mut a, 0..100).await;
    b.catch_up().await;
    let life = a.log.generation().await.unwrap();
    server.cmd::<()>(&["FLUSHALL"]);
    // Before anybody has looked, a newcomer can append nothing, and waits.
    let fresh = newcomer.log();
    assert_eq!(
        fresh.append(Position::START, entries(&["x"])).await,
        Ok(Append::Diverged { head: 0 })
    );
    let before = a.folded.clone();
    let waits = tokio::spawn(async move {
        let mut node = newcomer.node().await;
        say(&mut node, [100]).await;
        node
    });
    sleep(Duration::from_millis(300)).await;
    // The poll tells those who know that the head went back.
    let mut hint = a.log.watch();
    timeout(Duration::from_secs(2), hint.wait_for(|h| *h == 0))
        .await
        .unwrap()
        .unwrap();
    a.catch_up().await;
    assert_ne!(a.log.generation().await.unwrap(), life);
    let mut n = waits.await.unwrap();
    assert_eq!(n.folded[..100], before, "nobody took their numbers");
    assert_all_there(&mut [&mut a, &mut b, &mut n], 0..=100).await;
}

#[tokio::test]
async fn redis_wiped_after_a_snapshot_gets_it_back_too() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let homes = ["a", "b"].map(|name| Home::new(name, server.url()));
    let mut a = homes[0].node().await;
    say(&mut a, 0..50).await;
    let snapshot = Snapshot {
        position: a.folded[39].position(),
        at: a.folded[39].at,
        bytes: b"forty".to_vec(),
    };
    a.log.save_snapshot(snapshot.clone()).await.unwrap();
    server.cmd::<()>(&["FLUSHALL"]);
    assert_eq!(
        a.recover().await,
        (15, 0),
        "the tail of five and what follows"
    );
    let b = homes[1].node().await;
    assert_eq!(b.log.load_snapshot().await, Ok(Some(snapshot)));
    assert_eq!(b.folded, a.folded[40..]);
    say(&mut a, [50]).await;
    assert_eq!(a.folded.len(), 51);
    // Who began from the snapshot can put back as much.
    drop(b);
    server.cmd::<()>(&["FLUSHALL"]);
    let b = homes[1].node().await;
    assert_eq!(b.log.head().await.unwrap().seq, 50);
    a.catch_up().await;
    assert_eq!(a.folded.len(), 51, "and a puts back the rest, unmoved");
}

#[tokio::test]
async fn redis_an_aof_cut_short_is_filled_up_again() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let home = Home::new("a", server.url());
    let mut node = home.node().await;
    for n in 0..30 {
        say(&mut node, [n]).await;
    }
    let before = node.folded.clone();
    server.kill();
    let folder = server.dir.path().join("appendonlydir");
    let aof = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| p.to_string_lossy().contains(".incr."))
        .unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&aof).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - length / 5).unwrap();
    server.start_again().await;
    let mut node = home.node().await;
    assert_eq!(node.folded, before);
    say(&mut node, [30]).await;
    assert_all_there(&mut [&mut node], 0..=30).await;
}

#[tokio::test]
async fn redis_a_copy_older_than_any_journal_is_begun_anew() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let homes = ["a", "b", "c"].map(|name| Home::new(name, server.url()));
    let mut a = homes[0].node().await;
    say(&mut a, 0..10).await;
    let copy = server.copy();
    say(&mut a, 10..100).await;
    let snapshot = Snapshot {
        position: a.at,
        at: a.folded[99].at,
        bytes: b"hundred".to_vec(),
    };
    a.log.save_snapshot(snapshot.clone()).await.unwrap();
    say(&mut a, 100..103).await;
    server.kill();
    server.put(copy.path());
    server.start_again().await;
    // Somebody begins on the old copy, is acknowledged, and dies.
    let mut gone = homes[2].node().await;
    say(&mut gone, [500, 501]).await;
    drop(gone);
    a.catch_up().await;
    assert_eq!(
        ids(&a.folded[100..]),
        ["100", "101", "102", "500", "501"],
        "its own past is the log's again, and nothing of the other is lost"
    );
    let b = homes[1].node().await;
    assert_eq!(b.log.load_snapshot().await, Ok(Some(snapshot)));
    assert_eq!(b.folded, a.folded[100..]);
    say(&mut a, [103]).await;
}

#[tokio::test]
async fn redis_whose_keys_somebody_deleted_is_damaged_and_mended() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let homes = ["a", "b"].map(|name| Home::new(name, server.url()));
    let mut a = homes[0].node().await;
    say(&mut a, 0..10).await;
    let newcomer = homes[1].log();
    for key in ["log", "ids", "meta"] {
        server.cmd::<()>(&["DEL", &format!("{{borgerlinje}}:{key}")]);
        let damaged = |e: Error| assert!(matches!(e, Error::Corrupt(_)), "{key}: {e:?}");
        damaged(a.log.read(a.at, 10).await.unwrap_err());
        damaged(a.log.append(a.at, entries(&["x"])).await.unwrap_err());
        damaged(
            newcomer
                .append(Position::START, entries(&["x"]))
                .await
                .unwrap_err(),
        );
        // A node without a journal has nothing to mend it with.
        damaged(newcomer.recover().await.unwrap_err());
        assert_eq!(a.recover().await, (10, 0), "{key}");
        assert_eq!(read_all(&a.log, Position::START).await, a.folded);
    }
    server.cmd::<()>(&["SET", "{borgerlinje}:log", "something else"]);
    assert_eq!(a.recover().await, (10, 0));
    // A record that the mending node has not seen is not lost with the damage.
    drop(newcomer);
    homes[1].node().await.append(entries(&["10"])).await;
    server.cmd::<()>(&["DEL", "{borgerlinje}:meta"]);
    assert_eq!(a.recover().await, (10, 1));
    say(&mut a, [11]).await;
    assert_all_there(&mut [&mut a], 0..=11).await;
}

#[tokio::test]
async fn an_embedded_past_moves_to_redis_and_back() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let home = Home::new("a", server.url());
    let clock = std::sync::Arc::new(base::ManualClock::at(crate::tests::at(0)));
    let open = || {
        let journal = crate::Journal::open(
            &home.dir.path().join("journal.db"),
            &crate::Options::default(),
        )
        .unwrap();
        Log::embedded(journal, clock.clone(), "a", Keep::default()).unwrap()
    };
    let alone = open();
    let first = add(&alone, &["1", "2"]).await;
    drop(alone);
    let mut node = home.node().await;
    assert_eq!(node.folded, first);
    node.append(entries(&["3"])).await;
    let all = node.folded.clone();
    drop(node);
    let alone = open();
    assert_eq!(read_all(&alone, Position::START).await, all);
    let next = add(&alone, &["4"]).await;
    assert!(next[0].at >= all[2].at);
}

#[tokio::test]
async fn records_that_do_not_follow_are_not_mirrored() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let mut node = Home::new("a", server.url()).node().await;
    say(&mut node, 0..5).await;
    let gap = Record {
        seq: 7,
        id: "gap".to_owned(),
        ..node.folded[4].clone()
    };
    assert_eq!(
        node.log.mirror(&[gap]).await,
        Err(Error::OutOfStep { head: 5 })
    );
    let other = Record {
        link: 1,
        ..node.folded[4].clone()
    };
    assert_eq!(
        node.log.mirror(&[other]).await,
        Err(Error::OutOfStep { head: 5 })
    );
    assert_eq!(node.log.mirror(&node.folded[2..]).await, Ok(()));
}

/// Rollbacks, wipes and kills in an order drawn from a seed, under two nodes and newcomers.
#[tokio::test]
async fn redis_29_whatever_it_forgets_nothing_acknowledged_is_lost() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let homes: Vec<Home> = (0..3)
        .map(|n| Home::new(&format!("n{n}"), server.url()))
        .collect();
    let mut nodes = Vec::new();
    for home in &homes {
        nodes.push(home.node().await);
    }
    let mut copies = vec![server.copy()];
    let mut said = 0_u32;
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for _ in 0..60 {
        let who = usize::try_from(draw(3)).unwrap();
        match draw(10) {
            0..5 => {
                let upto = said + u32::try_from(draw(5)).unwrap() + 1;
                say(&mut nodes[who], said..upto).await;
                said = upto;
            }
            5 => copies.push(server.copy()),
            6 | 7 => {
                let old = usize::try_from(draw(copies.len() as u64)).unwrap();
                server.kill();
                server.put(copies[old].path());
                server.start_again().await;
                sleep(Duration::from_millis(120)).await;
            }
            8 => {
                server.cmd::<()>(&["FLUSHALL"]);
            }
            _ => {
                // A node is killed and starts again from its journal.
                nodes[who] = Node::new(homes[who].log());
                nodes[who].recover().await;
                nodes[who].catch_up().await;
            }
        }
    }
    for node in &mut nodes {
        node.recover().await;
    }
    let mut all: Vec<&mut Node> = nodes.iter_mut().collect();
    assert_all_there(&mut all, 0..said).await;
    assert!(said > 50, "{said}");
}
