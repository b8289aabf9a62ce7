//! The journal against SIGKILL: the test binary starts itself, reads which events were acknowledged, kills
//! itself in the middle, and looks whether they are there.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use super::*;

const PATH: &str = "BORGERLINJE_JOURNAL_TO_KILL";

/// Not a test of its own: what the killed process does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let journal = Journal::open(Path::new(&path), &Options::default()).unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let journal = journal.clone();
        tasks.spawn(async move {
            let id = begun(&journal).await;
            for n in 0_u64.. {
                let client_id = format!("{task}-{n}");
                let text = format!("{client_id} {}", "x".repeat(500));
                let appended = if n % 10 == 0 {
                    let callback = NewCallback {
                        topic: Some(client_id.clone()),
                        ..callback(&format!("{id}-{n}"))
                    };
                    journal
                        .append_callback(&id, event(Some(&client_id), &text), callback, at(0))
                        .await
                } else {
                    let events = vec![event(Some(&client_id), &text), event(None, "svar")];
                    journal.append(&id, events, at(0)).await
                };
                let Ok(Appended::Written { seqs }) = appended else {
                    panic!("{appended:?}");
                };
                let mut out = std::io::stdout().lock();
                writeln!(
                    out,
                    "ack {id} {} {} {client_id} .",
                    seqs.start,
                    seqs.end - 1
                )
                .unwrap();
                out.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}

/// The dialogue, the first and the last number of an acknowledgement, and its client id.
type Ack = (DialogueId, u64, u64, String);

/// Lets a victim run until it has acknowledged some appends, kills it, and returns all it acknowledged.
fn run_and_kill(path: &Path, enough: usize) -> Vec<Ack> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::kill::victim",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut acks = Vec::new();
    // The last line may be cut: an acknowledgement that nobody could read.
    let ack = |line: String| match line.split(' ').collect::<Vec<_>>()[..] {
        ["ack", id, first, last, client_id, "."] => Some((
            id.parse().unwrap(),
            first.parse().unwrap(),
            last.parse().unwrap(),
            client_id.to_owned(),
        )),
        _ => None,
    };
    while acks.len() < enough
        && let Some(line) = lines.next()
    {
        acks.extend(ack(line));
    }
    child.kill().unwrap();
    // What it said between our last look and its end was acknowledged too.
    acks.extend(lines.filter_map(ack));
    assert_eq!(
        child.wait().unwrap().signal(),
        Some(9),
        "it ended by itself"
    );
    assert!(acks.len() >= enough);
    acks
}

#[tokio::test]
async fn every_acknowledged_event_survives_being_killed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let mut acks = Vec::new();
    for round in 1..=4 {
        acks.extend(run_and_kill(&path, 60 * round));

        let journal = Journal::open(&path, &Options::default()).unwrap();
        let rows = journal.callbacks(aarhus(), u32::MAX).await.unwrap();
        for (id, first, last, client_id) in &acks {
            let loaded = journal.load(id, 0, u32::MAX).await.unwrap().unwrap();
            let seqs: Vec<u64> = loaded.events.iter().map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=loaded.meta.newest).collect::<Vec<_>>());
            assert!(loaded.meta.newest >= *last);
            let at = usize::try_from(first - 1).unwrap();
            assert!(
                loaded.events[at]
                    .json
                    .starts_with(&format!("{{\"text\":\"{client_id} "))
            );
            assert_eq!(
                journal.find_client_id(id, client_id).await,
                Ok(Some(*first))
            );
            let callback = rows
                .iter()
                .any(|r| r.dialogue == *id && r.topic.as_ref() == Some(client_id));
            assert_eq!(callback, client_id.ends_with('0'));
        }
        // Nor is there a callback without its event.
        for row in &rows {
            let client_id = row.topic.as_deref().unwrap();
            assert!(
                journal
                    .find_client_id(&row.dialogue, client_id)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    }
}
