use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::NewEvent;
use crate::tests::{at, begun};

fn event(n: u64) -> Vec<NewEvent> {
    vec![NewEvent {
        kind: "citizen".to_owned(),
        json: format!(r#"{{"type":"citizen","text":"{n} {}"}}"#, "x".repeat(2_000)),
        client_id: Some(format!("m-{n}")),
    }]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_others_write_holds_all_that_was_answered_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.sqlite");
    let journal = Journal::open(&path, &Options::default()).unwrap();
    let id = begun(&journal).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (journal, id, stop) = (journal.clone(), id.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                journal.append(&id, event(written), at(1)).await.unwrap();
                written += 1;
            }
            written
        })
    };
    let (mut before, mut copies) = (0, Vec::new());
    for n in 0..5 {
        while journal.counts().await.unwrap().events < before + 50 {
            tokio::task::yield_now().await;
        }
        before = journal.counts().await.unwrap().events;
        let (from, to) = (path.clone(), dir.path().join(format!("copy-{n}")));
        let copied = tokio::task::spawn_blocking({
            let to = to.clone();
            move || copy(Kind::Journal, &from, &to)
        });
        assert_eq!(copied.await.unwrap(), Ok(Kind::Journal.newest()));
        copies.push((before, to));
    }
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();
    for (before, to) in copies {
        assert_eq!(look_through(Kind::Journal, &to), Ok(Kind::Journal.newest()));
        let copy = Journal::open(&to, &Options::default()).unwrap();
        let events = copy.load(&id, 0, u32::MAX).await.unwrap().unwrap().events;
        let seqs = events.iter().map(|e| e.seq);
        assert!(seqs.eq(1..=events.len() as u64), "a gap");
        let held = events.len() as u64;
        assert!((before..=written).contains(&held), "{held} of {before}");
        assert_eq!(copy.counts().await.unwrap().events, held);
    }
}

#[test]
fn a_file_of_another_kind_or_of_a_newer_program_is_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.sqlite");
    drop(Accounts::open(&path, &Options::default()).unwrap());
    let to = dir.path().join("copy");
    let wrong = copy(Kind::Journal, &path, &to);
    assert!(matches!(wrong, Err(Error::Corrupt(_))), "{wrong:?}");
    assert!(!to.exists());
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(conn);
    let newest = Kind::Accounts.newest();
    let newer = copy(Kind::Accounts, &path, &to);
    assert_eq!(newer, Err(Error::Version { found: 99, newest }));
    let absent = copy(Kind::Journal, &dir.path().join("none"), &to);
    assert!(matches!(absent, Err(Error::Io(_))), "{absent:?}");
}

#[test]
fn a_damaged_page_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("editor.sqlite");
    drop(Editor::open(&path, &Options::default()).unwrap());
    let to = dir.path().join("copy");
    copy(Kind::Editor, &path, &to).unwrap();
    let mut bytes = std::fs::read(&to).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xa5);
    std::fs::write(&to, bytes).unwrap();
    assert!(look_through(Kind::Editor, &to).is_err());
}
