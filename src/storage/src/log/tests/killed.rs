//! The log against SIGKILL of the node: the test binary starts itself, reads what was acknowledged, kills itself in
//! the middle, and looks whether all of it is there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base::ManualClock;
use tokio::task::JoinSet;

use super::harness::{Server, hasty, redis_is_here};
use super::*;
use crate::{Journal, Options};

const PATH: &str = "BORGERLINJE_LOG_TO_KILL";
const URL: &str = "BORGERLINJE_LOG_TO_KILL_URL";

fn open(path: &Path, url: Option<&str>) -> Log {
    let journal = Journal::open(path, &Options::default()).unwrap();
    match url {
        Some(url) => Log::redis(journal, "a", &hasty(url.to_owned())).unwrap(),
        None => {
            let clock = ManualClock::at(crate::tests::at(0));
            Log::embedded(journal, Arc::new(clock), "a", Keep::default()).unwrap()
        }
    }
}

/// Not a test of its own: what the killed process does. Four tasks append, one of them three at a time; each says
/// what is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let log = open(Path::new(&path), std::env::var(URL).ok().as_deref());
    log.recover().await.unwrap();
    let run = log.head().await.unwrap().seq;
    // One folds for all, as a node does: what was read or appended is mirrored in order.
    let node = Arc::new(tokio::sync::Mutex::new(Node::new(log)));
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let node = Arc::clone(&node);
        tasks.spawn(async move {
            for n in 0.. {
                let some: Vec<String> = (0..=(task % 3))
                    .map(|i| format!("{run}-{task}-{n}-{i}"))
                    .collect();
                let entries = some.iter().map(|id| entry(id)).collect();
                let seqs = node.lock().await.append(entries).await;
                let mut out = std::io::stdout().lock();
                for (id, seq) in some.iter().zip(seqs) {
                    writeln!(out, "ack {seq} {id} .").unwrap();
                }
                out.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}

fn run_and_kill(path: &Path, url: Option<&str>, enough: usize) -> Vec<(u64, String)> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "log::tests::killed::victim",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(url) = url {
        command.env(URL, url);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let ack = |line: String| match line.split(' ').collect::<Vec<_>>()[..] {
        ["ack", seq, id, "."] => Some((seq.parse().unwrap(), id.to_owned())),
        _ => None,
    };
    let mut acks = Vec::new();
    while acks.len() < enough
        && let Some(line) = lines.next()
    {
        acks.extend(ack(line));
    }
    child.kill().unwrap();
    acks.extend(lines.filter_map(ack));
    child.wait().unwrap();
    assert!(acks.len() >= enough, "it ended by itself: {}", acks.len());
    acks
}

async fn survives(url: Option<&str>, wipe: impl Fn()) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let mut acks = Vec::new();
    for round in 1..=3 {
        acks.extend(run_and_kill(&path, url, 40 * round));
        wipe();
        let log = open(&path, url);
        assert_eq!(log.recover().await.unwrap().lost, []);
        let all = read_all(&log, Position::START).await;
        assert_sound(&all);
        for (seq, id) in &acks {
            assert_eq!(&all[usize::try_from(*seq).unwrap() - 1].id, id);
        }
        // What was appended together is there together.
        let third = |r: &&Record| r.id.split('-').nth(1) == Some("2");
        for record in all.iter().filter(third) {
            let (group, _) = record.id.rsplit_once('-').unwrap();
            let together = all
                .iter()
                .filter(|r| r.id.starts_with(&format!("{group}-")));
            assert_eq!(together.count(), 3);
        }
    }
}

#[tokio::test]
async fn embedded_31_what_was_acknowledged_survives_the_node() {
    survives(None, || {}).await;
}

#[tokio::test]
async fn redis_31_what_was_acknowledged_survives_the_node() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    survives(Some(&server.url()), || {}).await;
}

/// Both at once: the node is killed, and the Redis comes back empty.
#[tokio::test]
async fn redis_31_what_was_acknowledged_survives_the_node_and_the_store() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    survives(Some(&server.url()), || {
        // The mirror had every record before it was acknowledged; what it had not was not.
        server.cmd::<()>(&["FLUSHALL"]);
    })
    .await;
}
