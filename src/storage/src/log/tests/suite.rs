//! The conformance suite: the same tests over both stores.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::harness::Bench;
use super::*;

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Bench::embedded().unwrap()).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(bench) = super::Bench::redis().await {
                    super::$name(bench).await;
                }
            })*
        }
    };
}

on_both!(
    records_come_back_as_they_went_in,
    an_id_counts_once,
    who_has_not_read_everything_appends_nothing,
    a_position_of_another_history_is_told_so,
    writers_that_race_lose_and_double_nothing,
    a_snapshot_lets_old_records_go,
    records_put_back_are_the_same_records,
    times_never_go_back,
    a_reader_is_woken,
    a_node_that_falls_silent_is_noticed,
    a_store_that_was_away_loses_nobody,
    a_wiped_store_has_another_life,
    what_is_too_large_is_refused,
    any_bytes_are_kept,
);

async fn records_come_back_as_they_went_in(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    assert_eq!(a.head().await, Ok(Position::START));
    assert_eq!(
        a.read(Position::START, 10).await,
        Ok(Read::Records(Vec::new()))
    );
    let first = add(&a, &["1", "2", "3"]).await;
    bench.wait(5).await;
    let second = add(&b, &["4"]).await;
    let all = [first.clone(), second.clone()].concat();
    assert_sound(&all);
    assert_eq!((all[0].seq, all[3].seq), (1, 4));
    assert_eq!((all[2].node.as_str(), all[3].node.as_str()), ("a", "b"));
    assert!(all[0].at == all[2].at && all[2].at < all[3].at);
    assert_eq!(all[3].body, b"body of 4");
    assert_eq!(read_all(&a, Position::START).await, all);
    assert_eq!(b.head().await, Ok(all[3].position()));
    assert_eq!(
        b.read(all[0].position(), 2).await,
        Ok(Read::Records(all[1..3].to_vec()))
    );
    assert_eq!(
        b.read(all[3].position(), 2).await,
        Ok(Read::Records(Vec::new()))
    );
    // Nothing to append is appended.
    let nothing = Appended {
        seqs: Vec::new(),
        new: Vec::new(),
    };
    assert_eq!(
        a.append(all[1].position(), Vec::new()).await,
        Ok(Append::Appended(nothing))
    );
}

async fn an_id_counts_once(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    let first = add(&a, &["x", "y"]).await;
    let known = |seqs| {
        Ok(Append::Appended(Appended {
            seqs,
            new: Vec::new(),
        }))
    };
    // Whoever asks, wherever in this history.
    for (log, after) in [(&a, Position::START), (&b, first[0].position())] {
        assert_eq!(
            log.append(after, entries(&["y", "x"])).await,
            known(vec![2, 1])
        );
    }
    let after = first[1].position();
    let mixed = b
        .append(after, entries(&["z", "x", "z", "w"]))
        .await
        .unwrap();
    let Append::Appended(mixed) = mixed else {
        panic!("{mixed:?}")
    };
    assert_eq!(mixed.seqs, [3, 1, 3, 4]);
    assert_eq!(ids(&mixed.new), ["z", "w"]);
    assert_eq!(
        read_all(&a, Position::START).await,
        [first, mixed.new].concat()
    );
}

async fn who_has_not_read_everything_appends_nothing(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    let first = add(&a, &["x"]).await;
    add(&b, &["y"]).await;
    for after in [Position::START, first[0].position()] {
        assert_eq!(
            a.append(after, entries(&["z"])).await,
            Ok(Append::Conflict { head: 2 })
        );
        // Not even in part.
        assert_eq!(
            a.append(after, entries(&["x", "z"])).await,
            Ok(Append::Conflict { head: 2 })
        );
    }
    assert_eq!(ids(&read_all(&a, Position::START).await), ["x", "y"]);
    assert_eq!(ids(&add(&a, &["z"]).await), ["z"]);
}

async fn a_position_of_another_history_is_told_so(bench: Bench) {
    let log = bench.log("a").await;
    let here = add(&log, &["x", "y"]).await;
    let wrong = |seq, link| Position { seq, link };
    for position in [
        wrong(0, 1),
        wrong(1, here[1].link),
        wrong(2, here[1].link ^ 1),
        wrong(3, here[1].link),
    ] {
        assert_eq!(
            log.read(position, 10).await,
            Ok(Read::Diverged { head: 2 }),
            "{position:?}"
        );
        assert_eq!(
            log.append(position, entries(&["z"])).await,
            Ok(Append::Diverged { head: 2 })
        );
        let snapshot = Snapshot {
            position,
            at: here[0].at,
            bytes: vec![1],
        };
        assert_eq!(
            log.save_snapshot(snapshot).await,
            Ok(Put::Diverged { head: 2 })
        );
        assert_eq!(
            log.restore(position, Vec::new()).await,
            Ok(Put::Diverged { head: 2 })
        );
    }
    assert_eq!(log.load_snapshot().await, Ok(None));
    assert_eq!(read_all(&log, Position::START).await, here);
}

async fn writers_that_race_lose_and_double_nothing(bench: Bench) {
    let mut tasks = JoinSet::new();
    for w in 0..4 {
        let mut node = Node::new(bench.log(&format!("w{w}")).await);
        tasks.spawn(async move {
            let mut seqs = Vec::new();
            for n in 0..30 {
                let some = [format!("{w}/{n}/a"), format!("{w}/{n}/b")];
                let some: Vec<Entry> = some.iter().map(|id| entry(id)).collect();
                seqs.extend(node.append(some.clone()).await);
                // Now and then an answer was lost and the same is asked again.
                if n % 7 == 0 {
                    assert_eq!(node.append(some).await, seqs[seqs.len() - 2..]);
                }
            }
            assert!(seqs.is_sorted());
            node.catch_up().await;
            node.folded
        });
    }
    let folded = tasks.join_all().await;
    let all = read_all(&bench.log("reader").await, Position::START).await;
    assert_eq!(all.len(), 240);
    assert_sound(&all);
    for one in folded {
        assert_eq!(one, all[..one.len()], "a node saw another order");
        assert!(one.len() >= 60);
    }
    // Two entries of one append stand together.
    for pair in all.chunks(2) {
        assert_eq!(pair[0].id.replace('a', "b"), pair[1].id);
    }
}

async fn a_snapshot_lets_old_records_go(bench: Bench) {
    let log = bench.log("a").await;
    let names: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let all = add(&log, &names).await;
    let snapshot = |n: usize, bytes: &[u8]| Snapshot {
        position: all[n - 1].position(),
        at: all[n - 1].at,
        bytes: bytes.to_vec(),
    };
    assert_eq!(
        log.save_snapshot(snapshot(30, b"thirty")).await,
        Ok(Put::Done)
    );
    // One that is older, or the same again, changes nothing.
    for n in [10, 26, 30] {
        assert_eq!(log.save_snapshot(snapshot(n, b"old")).await, Ok(Put::Done));
    }
    assert_eq!(log.load_snapshot().await, Ok(Some(snapshot(30, b"thirty"))));
    // A tail of five is kept behind it.
    for n in [1, 10, 24] {
        assert_eq!(
            log.read(all[n - 1].position(), 10).await,
            Ok(Read::Compacted { base: 25 })
        );
    }
    assert_eq!(read_all(&log, all[24].position()).await, all[25..]);
    assert_eq!(
        log.append(Position::START, entries(&["new"])).await,
        Ok(Append::Conflict { head: 40 })
    );
    // An id is known as long as its record is kept.
    let again = log
        .append(all[39].position(), entries(&["26", "25"]))
        .await
        .unwrap();
    let Append::Appended(again) = again else {
        panic!("{again:?}")
    };
    assert_eq!(again.seqs, [26, 41]);
    let last = again.new[0].position();
    let wrong = Position {
        link: last.link ^ 1,
        ..all[24].position()
    };
    assert_eq!(log.read(wrong, 1).await, Ok(Read::Diverged { head: 41 }));
    // On and on, also in pieces larger than one step of dropping.
    let mut after = last;
    for batch in 0..5 {
        let some: Vec<Entry> = (0..MAX_BATCH)
            .map(|n| entry(&format!("b{batch}/{n}")))
            .collect();
        let Append::Appended(a) = log.append(after, some).await.unwrap() else {
            panic!()
        };
        after = a.new.last().unwrap().position();
    }
    let newest = Snapshot {
        position: after,
        at: all[0].at,
        bytes: b"newest".to_vec(),
    };
    assert_eq!(log.save_snapshot(newest.clone()).await, Ok(Put::Done));
    assert_eq!(
        log.read(last, 10).await,
        Ok(Read::Compacted {
            base: after.seq - 5
        })
    );
    assert_eq!(log.load_snapshot().await, Ok(Some(newest)));
    assert_eq!(log.recover().await.unwrap().restored, 0);
}

async fn records_put_back_are_the_same_records(bench: Bench) {
    let log = bench.log("a").await;
    let all = add(&log, &["1", "2", "3", "4"]).await;
    let other = bench.empty();
    let log = other.log("b").await;
    assert_eq!(
        log.restore(all[0].position(), all[1..].to_vec()).await,
        Ok(Put::Diverged { head: 0 })
    );
    assert_eq!(
        log.restore(Position::START, all[..2].to_vec()).await,
        Ok(Put::Done)
    );
    // Who comes second is told.
    assert_eq!(
        log.restore(Position::START, all[..1].to_vec()).await,
        Ok(Put::Conflict { head: 2 })
    );
    assert!(matches!(
        log.restore(all[1].position(), all[3..].to_vec()).await,
        Err(Error::Size(_))
    ));
    assert_eq!(
        log.restore(all[1].position(), all[2..].to_vec()).await,
        Ok(Put::Done)
    );
    assert_eq!(read_all(&log, Position::START).await, all);
    assert_eq!(
        log.append(all[3].position(), entries(&["3", "5"]))
            .await
            .map(|a| match a {
                Append::Appended(a) => a.seqs,
                _ => Vec::new(),
            }),
        Ok(vec![3, 5])
    );
}

async fn times_never_go_back(bench: Bench) {
    let log = bench.log("a").await;
    let mut ahead = add(&log, &["1"]).await.remove(0);
    let other = bench.empty();
    let log = other.log("a").await;
    // As if the clock had been an hour ahead when it was written.
    ahead.at += Duration::from_secs(3600);
    log.restore(Position::START, vec![ahead.clone()])
        .await
        .unwrap();
    other.wait(3).await;
    let next = add(&log, &["2"]).await;
    assert_eq!(next[0].at, ahead.at);
}

async fn a_reader_is_woken(bench: Bench) {
    let a = bench.log("a").await;
    // The embedded log has one handle and its clones.
    let b = match bench {
        Bench::Embedded { .. } => a.clone(),
        Bench::Redis { .. } => bench.log("b").await,
    };
    let mut hint = b.watch();
    for n in 1..=3_u64 {
        hint.borrow_and_update();
        add(&a, &[&n.to_string()]).await;
        timeout(Duration::from_secs(2), hint.wait_for(|h| *h == n))
            .await
            .unwrap()
            .unwrap();
    }
}

async fn a_node_that_falls_silent_is_noticed(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    let ttl = Duration::from_millis(400);
    for log in [&a, &b] {
        log.heartbeat(ttl).await.unwrap();
    }
    a.expect_nodes(&["a".to_owned(), "ghost".to_owned()], ttl)
        .await
        .unwrap();
    assert_eq!(a.lost_nodes().await, Ok(Vec::new()));
    for _ in 0..6 {
        bench.wait(100).await;
        a.heartbeat(ttl).await.unwrap();
    }
    let lost = a.lost_nodes().await.unwrap();
    let names: BTreeSet<&str> = lost.iter().map(|l| l.node.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["b", "ghost"]));
    assert_eq!(
        b.lost_nodes().await,
        Ok(lost.clone()),
        "all who look see the same"
    );
    // One comes back before it is struck off, the other does not.
    b.heartbeat(ttl).await.unwrap();
    for l in &lost {
        a.forget_node(l).await.unwrap();
    }
    for _ in 0..6 {
        bench.wait(100).await;
        a.heartbeat(ttl).await.unwrap();
    }
    let lost = a.lost_nodes().await.unwrap();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].node, "b");
}

async fn a_store_that_was_away_loses_nobody(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    let ttl = Duration::from_millis(400);
    for log in [&a, &b] {
        log.heartbeat(ttl).await.unwrap();
    }
    bench.wait(900).await;
    assert_eq!(a.lost_nodes().await, Ok(Vec::new()));
    a.heartbeat(ttl).await.unwrap();
    assert_eq!(a.lost_nodes().await, Ok(Vec::new()));
    b.heartbeat(ttl).await.unwrap();
    assert_eq!(a.lost_nodes().await, Ok(Vec::new()));
}

async fn a_wiped_store_has_another_life(bench: Bench) {
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    let life = a.generation().await.unwrap();
    assert!(life.len() >= 16);
    add(&a, &["x"]).await;
    assert_eq!(b.generation().await, Ok(life.clone()));
    let other = bench.empty();
    assert_ne!(other.log("a").await.generation().await, Ok(life));
}

async fn what_is_too_large_is_refused(bench: Bench) {
    let log = bench.log("a").await;
    let refused = |some: Vec<Entry>| {
        let log = log.clone();
        async move { matches!(log.append(Position::START, some).await, Err(Error::Size(_))) }
    };
    let mut large = entry("x");
    large.body = vec![0; MAX_BODY + 1];
    assert!(refused(vec![large]).await);
    assert!(refused(vec![entry("")]).await);
    assert!(refused(vec![entry(&"x".repeat(MAX_NAME + 1))]).await);
    assert!(refused((0..=MAX_BATCH).map(|n| entry(&n.to_string())).collect()).await);
    assert_eq!(log.head().await, Ok(Position::START));
}

async fn any_bytes_are_kept(bench: Bench) {
    let log = bench.log("æ{}\r\n*3 ø").await;
    let some = vec![
        Entry {
            id: "\0 \r\n æøå 🙂 '\"".to_owned(),
            body: (0..=255).collect(),
        },
        Entry {
            id: "-".to_owned(),
            body: Vec::new(),
        },
        Entry {
            id: "large".to_owned(),
            body: vec![0xfe; MAX_BODY],
        },
    ];
    let appended = log.append(Position::START, some.clone()).await.unwrap();
    assert!(matches!(appended, Append::Appended(a) if a.seqs == [1, 2, 3]));
    let read = read_all(&log, Position::START).await;
    for (record, entry) in read.iter().zip(&some) {
        assert_eq!((&record.id, &record.body), (&entry.id, &entry.body));
        assert_eq!(record.node, "æ{}\r\n*3 ø");
    }
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(3_000_000).collect();
    let snapshot = Snapshot {
        position: read[2].position(),
        at: read[2].at,
        bytes,
    };
    assert_eq!(log.save_snapshot(snapshot.clone()).await, Ok(Put::Done));
    assert!(log.load_snapshot().await == Ok(Some(snapshot)));
}
