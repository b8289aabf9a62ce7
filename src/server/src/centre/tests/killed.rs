//! Scenario 31 with a real SIGKILL: the test binary starts itself, reads what was acknowledged, kills itself in the
//! middle, and looks whether all of it is there, once.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base::ManualClock;
use contact::centre::Sender;
use contact::sim::id;
use storage::Journal;
use storage::log::{Keep, Log};
use tokio::task::JoinSet;

use super::bench::*;
use super::people::*;
use super::redis;
use crate::centre::{Error, Node, Options};

const PATH: &str = "BORGERLINJE_CENTRE_TO_KILL";
const URL: &str = "BORGERLINJE_CENTRE_TO_KILL_URL";
/// Messages acknowledged before the process is killed.
const ACKED: usize = 150;

/// Not a test of its own: what the killed process does. Four pages write; each message that is acknowledged is
/// printed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else {
        return;
    };
    let journal = Journal::open(&path, &storage::Options::default()).unwrap();
    let clock = Arc::new(ManualClock::at(local("2091-03-05T09:00").timestamp()));
    let log = match std::env::var(URL) {
        Ok(url) => Log::redis(journal, "node-0", &hasty(url)),
        Err(_) => Log::embedded(journal, clock.clone(), "node-0", Keep::default()),
    };
    let node = Node::start(log.unwrap(), clock, Options::new(id("node-0")));
    let run = std::process::id();
    let mut pages = JoinSet::new();
    for page in 0..4 {
        let node = node.handle();
        pages.spawn(async move {
            for n in 0.. {
                let message = format!("{run}-{page}-{n}");
                let sent = node.send(says("i1", &message, Sender::Citizen)).await;
                sent.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "ack {message} .").unwrap();
                out.flush().unwrap();
            }
        });
    }
    pages.join_all().await;
}

async fn kill_9(kind: Kind) {
    let Some(mut b) = Bench::new(kind, |_| {}).await else {
        return;
    };
    b.ask(0, "i1", AARHUS).await;
    for _ in 0..2 {
        b.kill(0).await;
        let mut victim = Command::new(std::env::current_exe().unwrap());
        victim
            .args(["--exact", "centre::tests::killed::victim", "--nocapture"])
            .env(PATH, b.journal_path(0))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(url) = b.server.as_ref().map(redis::Server::url) {
            victim.env(URL, url);
        }
        let mut victim = victim.spawn().unwrap();
        let said = BufReader::new(victim.stdout.take().unwrap());
        let acked = tokio::task::spawn_blocking(move || {
            let mut acked = Vec::new();
            // A line that was cut short is no acknowledgement.
            for line in said.lines().map_while(Result::ok) {
                let ack = line.strip_prefix("ack ").and_then(|l| l.strip_suffix(" ."));
                acked.extend(ack.map(str::to_owned));
                if acked.len() == ACKED {
                    victim.kill().unwrap();
                }
            }
            victim.wait().unwrap();
            acked
        });
        let acked = acked.await.unwrap();
        assert!(
            acked.len() >= ACKED,
            "only {} were acknowledged",
            acked.len()
        );
        b.start(0).await;
        let mut all = b.acked.lock().await;
        all.extend(acked.iter().map(|m| (id("i1"), id(m))));
        drop(all);
        let (item, message) = ("i1", acked.last().unwrap());
        let again = b.say(0, item, message, Sender::Citizen).await;
        let duplicate = Err(Error::Refused(contact::centre::Refusal::Duplicate));
        assert_eq!(again, duplicate, "sent again, and dropped");
    }
    b.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_31_kill_9_loses_nothing_acknowledged_embedded() {
    kill_9(Kind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_31_kill_9_loses_nothing_acknowledged_redis() {
    kill_9(Kind::Redis).await;
}
