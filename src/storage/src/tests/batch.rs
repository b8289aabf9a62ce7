use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base::ManualClock;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::owner::{Job, Owner, Request, Watch};

struct Bench {
    owner: Owner,
    dialogue: DialogueId,
}

type Answer<T> = oneshot::Receiver<Result<T, Error>>;

impl Bench {
    fn new(max_pages: Option<u32>) -> Self {
        let options = Options {
            max_pages,
            ..Options::default()
        };
        let conn = schema::in_memory(&options).unwrap();
        let dialogue = DialogueId::random();
        write::create(&conn, &dialogue, [0; 32], aarhus(), Lang::Da, at(0)).unwrap();
        let owner = Owner {
            conn,
            queue: mpsc::channel(1).1,
            batch: 100,
            commits: Arc::new(AtomicU64::new(0)),
            watch: Arc::new(OnceLock::new()),
        };
        Self { owner, dialogue }
    }

    fn append(&self, text: &str) -> (Request, Answer<Appended>) {
        let (id, events) = (self.dialogue.clone(), [event(None, text)]);
        let (job, answer) = Job::pair(move |c| write::append(c, &id, &events, at(0)));
        (Request::Write(job), answer)
    }

    fn texts(&self) -> Vec<String> {
        let loaded = read::load(&self.owner.conn, &self.dialogue, 0, 100)
            .unwrap()
            .unwrap();
        loaded.events.into_iter().map(|e| e.json).collect()
    }
}

#[test]
fn all_that_waits_is_one_transaction() {
    let mut b = Bench::new(None);
    let (requests, answers): (Vec<_>, Vec<_>) = (0..50).map(|n| b.append(&n.to_string())).unzip();
    assert!(b.owner.round(requests).is_none());
    for (seq, mut answer) in (1..).zip(answers) {
        assert_eq!(
            answer.try_recv(),
            Ok(Ok(Appended::Written { seqs: seq..seq + 1 }))
        );
    }
    assert_eq!(b.owner.commits.load(Ordering::Relaxed), 1);
}

#[test]
fn whoever_watches_hears_of_each_transaction_and_how_long_it_took() {
    let mut b = Bench::new(None);
    let clock = ManualClock::at(at(0));
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&told);
    let watch = Watch {
        clock: Arc::new(clock.clone()),
        wrote: Box::new(move |writes, took| into.lock().unwrap().push((writes, took))),
    };
    assert!(b.owner.watch.set(watch).is_ok());
    let (requests, _answers): (Vec<_>, Vec<_>) = (0..3).map(|n| b.append(&n.to_string())).unzip();
    b.owner.round(requests);
    let (slow, _answer) = Job::pair(move |_| {
        clock.advance(Duration::from_millis(7));
        Ok(())
    });
    b.owner.round(vec![Request::Write(slow)]);
    let (read, _answer) = Job::pair(|_| Ok(()));
    b.owner.round(vec![Request::Read(read)]);
    let ms = Duration::from_millis;
    assert_eq!(*told.lock().unwrap(), [(3, ms(0)), (1, ms(7))]);
}

#[test]
fn one_that_fails_fails_alone() {
    let mut b = Bench::new(Some(100));
    let ((r1, mut a1), (r2, mut a2), (r3, mut a3)) = (
        b.append("a"),
        b.append(&"x".repeat(1_000_000)),
        b.append("b"),
    );
    b.owner.round(vec![r1, r2, r3]);
    assert_eq!(a1.try_recv(), Ok(Ok(Appended::Written { seqs: 1..2 })));
    assert_eq!(a2.try_recv(), Ok(Err(Error::Full)));
    assert_eq!(a3.try_recv(), Ok(Ok(Appended::Written { seqs: 2..3 })));
    assert_eq!(b.texts().len(), 2);
}

#[test]
fn a_transaction_that_is_lost_fails_all_in_it_and_no_other() {
    let mut b = Bench::new(None);
    let lost = |r1, r3| {
        // As SQLite does by itself on some errors.
        let (job, answer) = Job::pair(|c: &Connection| -> Result<(), Error> {
            c.execute_batch("ROLLBACK")?;
            Err(Error::Full)
        });
        (vec![r1, Request::Write(job), r3], answer)
    };
    let ((r1, mut a1), (r3, mut a3)) = (b.append("a"), b.append("b"));
    let (requests, mut a2) = lost(r1, r3);
    b.owner.round(requests);
    assert_eq!(a1.try_recv(), Ok(Err(Error::Full)));
    assert_eq!(a2.try_recv(), Ok(Err(Error::Full)));
    assert_eq!(a3.try_recv(), Ok(Err(Error::Full)));
    assert!(b.texts().is_empty());

    let (r, mut a) = b.append("c");
    b.owner.round(vec![r]);
    assert_eq!(a.try_recv(), Ok(Ok(Appended::Written { seqs: 1..2 })));
}

#[test]
fn a_commit_that_fails_is_acknowledged_to_nobody() {
    let mut b = Bench::new(None);
    let (r1, mut a1) = b.append("a");
    // Foreign keys checked late make COMMIT itself fail.
    let (job, mut a2) = Job::pair(|c: &Connection| {
        c.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        c.execute(
            "INSERT INTO turns (turn, dialogue, at_ms, record) VALUES ('t', 'nobody', 0, '{}')",
            [],
        )?;
        Ok(())
    });
    b.owner.round(vec![r1, Request::Write(job)]);
    assert!(matches!(a1.try_recv(), Ok(Err(Error::Sqlite(_)))));
    assert!(matches!(a2.try_recv(), Ok(Err(Error::Sqlite(_)))));
    assert!(b.texts().is_empty());
    assert!(b.owner.conn.is_autocommit());
}

#[test]
fn who_has_gone_is_written_for_but_not_read_for() {
    let mut b = Bench::new(None);
    let (write, gone) = b.append("a");
    drop(gone);
    let (read, gone) = Job::pair(|_: &Connection| -> Result<(), Error> { panic!("nobody asked") });
    drop(gone);
    b.owner.round(vec![write, Request::Read(read)]);
    assert_eq!(b.texts().len(), 1);
}

#[test]
fn a_read_sees_what_was_written_with_it() {
    let mut b = Bench::new(None);
    let (r, _a) = b.append("a");
    let (job, mut answer) = Job::pair(read::counts);
    b.owner.round(vec![Request::Read(job), r]);
    assert_eq!(answer.try_recv().unwrap().unwrap().events, 1);
}
