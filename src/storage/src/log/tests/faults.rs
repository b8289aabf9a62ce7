//! What a store, or the way to it, can do to a log that is in use. 30 and 32 are numbers of scenarios.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::harness::{Home, Mode, Server, Wire, hasty, journal, redis_is_here};
use super::*;
use crate::{Error as JournalError, Journal, Options};

fn log(url: String) -> Log {
    Log::redis(Journal::in_memory().unwrap(), "a", &hasty(url)).unwrap()
}

async fn ready(url: String) -> Log {
    let log = log(url);
    log.recover().await.unwrap();
    log
}

/// Asks until the error passes.
async fn insist(log: &Log, after: Position, some: Vec<Entry>) -> Append {
    for _ in 0..100 {
        match log.append(after, some.clone()).await {
            Ok(done) => return done,
            Err(e) => assert!(e.passes(), "{e}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("it never passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_30_a_request_given_up_leaves_the_connection_in_step() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let wire = Wire::to(server.port).await;
    let log = ready(wire.url()).await;
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let all = add(&log, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    wire.set(Mode::Slow(Duration::from_millis(4)));
    let connections = || -> u64 {
        let info: String = server.cmd(&["INFO", "stats"]);
        let line = info
            .lines()
            .find_map(|l| l.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let before = connections();
    let mut tasks = JoinSet::new();
    for task in 0..8_usize {
        let (log, all) = (log.clone(), all.clone());
        tasks.spawn(async move {
            let mut given_up = 0;
            for n in 0..60_usize {
                let (i, j) = ((task * 13 + n * 7) % 99, (task * 29 + n * 3) % 99);
                let patience = Duration::from_micros((task * 531 + n * 977) as u64 % 9000);
                if timeout(patience, log.read(all[i].position(), 3))
                    .await
                    .is_err()
                {
                    given_up += 1;
                }
                let read = log.read(all[j].position(), 1).await.unwrap();
                assert_eq!(read, Read::Records(vec![all[j + 1].clone()]));
            }
            given_up
        });
    }
    let given_up: usize = tasks.join_all().await.iter().sum();
    assert!(given_up > 100, "{given_up}");
    assert_eq!(
        connections(),
        before + 1,
        "only our own question came over a new connection"
    );
    // Appends that are given up are there once or not at all.
    let mut node = Node::new(log.clone());
    node.catch_up().await;
    for n in 0..40 {
        let some = entries(&[&format!("up{n}")]);
        let _ = timeout(
            Duration::from_millis(n % 7),
            log.append(node.at, some.clone()),
        )
        .await;
        node.append(some).await;
    }
    let records = read_all(&log, Position::START).await;
    assert_sound(&records);
    assert_eq!(records.len(), 140);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_connection_cut_between_request_and_answer() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let wire = Wire::to(server.port).await;
    let log = ready(wire.url()).await;
    let first = add(&log, &["1"]).await;
    let after = first[0].position();
    // It arrives, and nobody hears of it.
    wire.set(Mode::Mute);
    assert_eq!(
        log.append(after, entries(&["2"])).await,
        Err(Error::Timeout)
    );
    wire.set(Mode::Cut);
    let e = log.append(after, entries(&["2"])).await.unwrap_err();
    assert!(matches!(e, Error::Unavailable(_)), "{e:?}");
    wire.set(Mode::Pass);
    let again = insist(&log, after, entries(&["2"])).await;
    assert!(matches!(again, Append::Appended(a) if a.seqs == [2] && a.new.is_empty()));
    assert_eq!(ids(&read_all(&log, Position::START).await), ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn redis_connections_cut_again_and_again_lose_and_double_nothing() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let mut tasks = JoinSet::new();
    for w in 0..3_u64 {
        let wire = Wire::to(server.port).await;
        let log = ready(wire.url()).await;
        tasks.spawn(async move {
            let cutter = tokio::spawn(async move {
                for n in 0_u64.. {
                    let mode = [Mode::Cut, Mode::Mute, Mode::Slow(Duration::from_millis(3))];
                    wire.set(mode[usize::try_from((n + w) % 3).unwrap()]);
                    sleep(Duration::from_millis(20 + 7 * w)).await;
                    wire.set(Mode::Pass);
                    sleep(Duration::from_millis(60 + 11 * w)).await;
                }
            });
            let mut at = Position::START;
            for n in 0..60 {
                let some = entries(&[&format!("{w}/{n}")]);
                loop {
                    match insist(&log, at, some.clone()).await {
                        Append::Appended(_) => break,
                        Append::Conflict { .. } => {
                            if let Ok(Read::Records(r)) = log.read(at, 1000).await {
                                at = r.last().map_or(at, Record::position);
                            }
                        }
                        Append::Diverged { .. } => panic!(),
                    }
                }
                sleep(Duration::from_millis(5)).await;
            }
            cutter.abort();
        });
    }
    tasks.join_all().await;
    let all = read_all(&ready(server.url()).await, Position::START).await;
    assert_sound(&all);
    assert_eq!(all.len(), 180);
    for w in 0..3 {
        let own: Vec<&str> = ids(&all)
            .into_iter()
            .filter(|i| i.starts_with(&format!("{w}/")))
            .collect();
        let said: Vec<String> = (0..60).map(|n| format!("{w}/{n}")).collect();
        assert_eq!(own, said, "a writer's own order");
    }
}

#[tokio::test]
async fn redis_stopped_is_a_timeout_and_resumes() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let log = ready(server.url()).await;
    let after = add(&log, &["1"]).await[0].position();
    server.signal("STOP");
    let began = Instant::now();
    // One thread: if anything blocked it, nothing would tick.
    let ticks = async {
        for n in 0_u32.. {
            sleep(Duration::from_millis(10)).await;
            if began.elapsed() > Duration::from_millis(1200) {
                return n;
            }
        }
        0
    };
    let (appended, ticks) = tokio::join!(log.append(after, entries(&["2"])), ticks);
    assert_eq!(appended, Err(Error::Timeout));
    assert!(
        began.elapsed() < Duration::from_millis(2500),
        "{:?}",
        began.elapsed()
    );
    assert!(ticks > 60, "{ticks}");
    let mut hint = log.watch();
    hint.borrow_and_update();
    server.signal("CONT");
    let done = insist(&log, after, entries(&["2"])).await;
    assert!(matches!(done, Append::Appended(a) if a.seqs == [2]));
    timeout(Duration::from_secs(2), hint.changed())
        .await
        .expect("a reconnect wakes readers")
        .unwrap();
    assert_eq!(ids(&read_all(&log, Position::START).await), ["1", "2"]);
}

#[tokio::test]
async fn redis_debug_sleep_is_waited_out() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let log = ready(server.url()).await;
    let after = add(&log, &["1"]).await[0].position();
    let mut sleeper = std::process::Command::new("redis-cli")
        .args(["-p", &server.port.to_string(), "DEBUG", "SLEEP", "0.7"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    let done = insist(&log, after, entries(&["2"])).await;
    assert!(matches!(done, Append::Appended(a) if a.seqs == [2]));
    assert_eq!(ids(&read_all(&log, Position::START).await), ["1", "2"]);
    sleeper.wait().unwrap();
}

#[tokio::test]
async fn redis_killed_and_started_again_is_found_again() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start(&["--appendfsync", "always"]).await;
    let home = Home::new("a", server.url());
    let mut node = home.node().await;
    node.append(entries(&["1"])).await;
    server.kill();
    let e = node.log.append(node.at, entries(&["2"])).await.unwrap_err();
    assert!(matches!(e, Error::Unavailable(_)), "{e:?}");
    assert!(
        e.to_string().contains("Redis cannot be reached"),
        "for the operator: {e}"
    );
    server.start_again().await;
    insist(&node.log, node.at, entries(&["2"])).await;
    node.catch_up().await;
    assert_eq!(ids(&node.folded), ["1", "2"]);
}

#[tokio::test]
async fn redis_32_out_of_memory_is_said_and_reading_goes_on() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let log = ready(server.url()).await;
    let all = add(&log, &["1", "2", "3", "4", "5", "6", "7", "8"]).await;
    let snapshot = |n: usize| Snapshot {
        position: all[n].position(),
        at: all[n].at,
        bytes: vec![7; 100],
    };
    log.save_snapshot(snapshot(6)).await.unwrap();
    let after = all[7].position();
    server.cmd::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = Err(Error::OutOfMemory);
    assert_eq!(log.append(after, entries(&["9", "10"])).await, full);
    assert_eq!(
        log.save_snapshot(snapshot(7)).await,
        Err(Error::OutOfMemory)
    );
    assert_eq!(
        log.heartbeat(Duration::from_secs(1)).await,
        Err(Error::OutOfMemory)
    );
    assert_eq!(log.head().await, Ok(after));
    assert_eq!(read_all(&log, all[1].position()).await, all[2..]);
    // What is known is still answered.
    let known = log.append(after, entries(&["8"])).await;
    assert!(matches!(known, Ok(Append::Appended(a)) if a.seqs == [8]));
    server.cmd::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(ids(&add(&log, &["9", "10"]).await), ["9", "10"]);
    assert_eq!(log.recover().await.map(|r| r.restored), Ok(0));
}

#[tokio::test]
async fn redis_32_a_replica_is_not_written_to() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let log = ready(server.url()).await;
    let after = add(&log, &["1"]).await[0].position();
    server.cmd::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_eq!(
        log.append(after, entries(&["2"])).await,
        Err(Error::ReadOnly)
    );
    // Nor is its stale data taken for the log.
    assert_eq!(log.head().await, Err(Error::ReadOnly));
    server.cmd::<()>(&["REPLICAOF", "NO", "ONE"]);
    let done = insist(&log, after, entries(&["2"])).await;
    assert!(matches!(done, Append::Appended(a) if a.seqs == [2]));
}

#[tokio::test]
async fn redis_32_a_full_disk_is_said_and_what_was_acknowledged_comes_back() {
    if !redis_is_here() {
        return;
    }
    let mut server = Server::start_with(&["--appendfsync", "everysec"], Some(64)).await;
    let home = Home::new("a", server.url());
    let mut node = home.node().await;
    let mut written = Vec::new();
    let refused = 'full: {
        for n in 0..200 {
            let some = Entry {
                id: n.to_string(),
                body: vec![b'x'; 2000],
            };
            match node.log.append(node.at, vec![some]).await {
                Ok(Append::Appended(a)) => {
                    node.fold(a.new).await;
                    written.push(n.to_string());
                }
                Ok(other) => panic!("{other:?}"),
                Err(e) => break 'full e,
            }
        }
        panic!("its disk was never full");
    };
    assert!(matches!(refused, Error::NotSaving(_)), "{refused:?}");
    assert!((10..60).contains(&written.len()), "{}", written.len());
    assert_eq!(read_all(&node.log, Position::START).await, node.folded);
    server.kill();
    server.roomier();
    server.start_again().await;
    let mut node = home.node().await;
    assert_eq!(ids(&read_all(&node.log, Position::START).await), written);
    node.append(entries(&["last"])).await;
}

#[tokio::test]
async fn redis_32_a_save_that_failed_is_said() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&["--appendonly", "no"]).await;
    let log = ready(server.url()).await;
    let after = add(&log, &["1"]).await[0].position();
    server.cmd::<()>(&["CONFIG", "SET", "save", "3600 1"]);
    std::fs::remove_dir_all(server.dir.path()).unwrap();
    server.cmd::<String>(&["BGSAVE"]);
    let failed = async {
        loop {
            let info: String = server.cmd(&["INFO", "persistence"]);
            if info.contains("rdb_last_bgsave_status:err") {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), failed).await.unwrap();
    let e = log.append(after, entries(&["2"])).await.unwrap_err();
    assert!(matches!(e, Error::NotSaving(_)), "{e:?}");
    assert_eq!(log.head().await, Ok(after));
}

#[tokio::test]
async fn embedded_32_a_full_disk_is_said_and_nothing_is_half_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let open = |max_pages| {
        let options = Options {
            max_pages,
            ..Options::default()
        };
        let journal = Journal::open(&path, &options).unwrap();
        let clock = base::ManualClock::at(crate::tests::at(0));
        Log::embedded(journal, std::sync::Arc::new(clock), "a", Keep::default()).unwrap()
    };
    let log = open(Some(120));
    let mut node = Node::new(log);
    let refused = loop {
        let n = node.folded.len();
        let two = [format!("{n}a"), format!("{n}b")].map(|id| Entry {
            id,
            body: vec![1; 5000],
        });
        match node.log.append(node.at, two.to_vec()).await {
            Ok(Append::Appended(a)) => node.fold(a.new).await,
            other => break other,
        }
    };
    assert_eq!(refused, Err(Error::Journal(JournalError::Full)));
    assert!(node.folded.len() >= 10);
    assert_eq!(read_all(&node.log, Position::START).await, node.folded);
    let folded = node.folded.clone();
    drop(node);
    let log = open(None);
    assert_eq!(read_all(&log, Position::START).await, folded);
    assert_eq!(add(&log, &["more"]).await[0].seq, folded.len() as u64 + 1);
}

#[tokio::test]
async fn redis_32_a_full_disk_of_the_node_leaves_nothing_acknowledged() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let (dir, roomy) = journal();
    drop(roomy);
    let options = Options {
        max_pages: Some(60),
        ..Options::default()
    };
    let small = Journal::open(&dir.path().join("journal.db"), &options).unwrap();
    let log = Log::redis(small, "a", &hasty(server.url())).unwrap();
    log.recover().await.unwrap();
    let large = Entry {
        id: "1".to_owned(),
        body: vec![0; MAX_BODY],
    };
    let Append::Appended(a) = log.append(Position::START, vec![large]).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        log.mirror(&a.new).await,
        Err(Error::Journal(JournalError::Full))
    );
}
