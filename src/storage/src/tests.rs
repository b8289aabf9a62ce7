//! What the journal promises, from the outside; `batch` looks at the owner's rounds, `kill` and `model` at
//! what survives.

mod batch;
mod formats;
#[cfg(unix)]
mod kill;
mod model;

use std::path::Path;

use base::{DialogueId, Lang, MunicipalityCode, Secret, TurnId};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::task::JoinSet;

use crate::*;

pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + ms).unwrap()
}

pub(crate) fn aarhus() -> MunicipalityCode {
    "0751".parse().unwrap()
}

pub(crate) fn event(client_id: Option<&str>, text: &str) -> NewEvent {
    NewEvent {
        kind: "citizen".to_owned(),
        json: format!("{{\"text\":\"{text}\"}}"),
        client_id: client_id.map(str::to_owned),
    }
}

fn callback(reference: &str) -> NewCallback {
    NewCallback {
        reference: reference.to_owned(),
        phone: "+4520304050".to_owned(),
        topic: Some("pas".to_owned()),
    }
}

pub(crate) async fn begun(journal: &Journal) -> DialogueId {
    let id = DialogueId::random();
    let new = NewDialogue {
        id: id.clone(),
        token: &Secret::random(),
        municipality: aarhus(),
        lang: Lang::Uk,
        at: at(0),
    };
    journal.create(new).await.unwrap();
    id
}

fn in_folder(options: &Options) -> (tempfile::TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(&dir.path().join("journal.db"), options).unwrap();
    (dir, journal)
}

#[tokio::test]
async fn a_dialogue_comes_back_as_it_went_in() {
    let journal = Journal::in_memory().unwrap();
    let (id, token) = (DialogueId::random(), Secret::random());
    let new = || NewDialogue {
        id: id.clone(),
        token: &token,
        municipality: aarhus(),
        lang: Lang::Uk,
        at: at(1),
    };
    journal.create(new()).await.unwrap();
    assert_eq!(
        journal.create(new()).await,
        Err(Error::Taken("dialogue id"))
    );
    let appended = journal
        .append(
            &id,
            vec![event(Some("c1"), "æøå"), event(None, "to")],
            at(2),
        )
        .await;
    assert_eq!(appended, Ok(Appended::Written { seqs: 1..3 }));
    journal
        .append(&id, vec![event(None, "tre")], at(3))
        .await
        .unwrap();
    journal.end(&id, at(9)).await.unwrap();
    journal.end(&id, at(10)).await.unwrap();

    let Loaded { meta, events } = journal.load(&id, 1, 1).await.unwrap().unwrap();
    assert!(meta.owned_by(token.as_str()));
    assert!(!meta.owned_by(Secret::random().as_str()));
    assert_eq!(
        (meta.municipality, meta.lang, meta.newest),
        (aarhus(), Lang::Uk, 3)
    );
    assert_eq!((meta.created, meta.ended), (at(1), Some(at(9))));
    let expected = Event {
        seq: 2,
        at: at(2),
        kind: "citizen".to_owned(),
        json: r#"{"text":"to"}"#.to_owned(),
    };
    assert_eq!(events, [expected]);
    assert_eq!(
        journal
            .load(&id, u64::MAX, 10)
            .await
            .unwrap()
            .unwrap()
            .events,
        []
    );
}

#[tokio::test]
async fn what_does_not_exist() {
    let journal = Journal::in_memory().unwrap();
    let nobody = DialogueId::random();
    assert_eq!(journal.load(&nobody, 0, 10).await, Ok(None));
    assert_eq!(journal.find_client_id(&nobody, "c").await, Ok(None));
    assert_eq!(
        journal.end(&nobody, at(0)).await,
        Err(Error::UnknownDialogue)
    );
    assert_eq!(
        journal.append(&nobody, vec![event(None, "x")], at(0)).await,
        Err(Error::UnknownDialogue)
    );
    let turn = TurnId::random();
    assert_eq!(
        journal
            .record_turn(&turn, &nobody, "{}".to_owned(), at(0))
            .await,
        Err(Error::UnknownDialogue)
    );
    assert_eq!(journal.turn(&turn).await, Ok(None));
}

#[tokio::test]
async fn a_client_id_counts_once_per_dialogue() {
    let journal = Journal::in_memory().unwrap();
    let (a, b) = (begun(&journal).await, begun(&journal).await);
    let say = |id: &DialogueId, text: &str| {
        let (journal, id, events) = (
            journal.clone(),
            id.clone(),
            vec![event(None, "før"), event(Some("c1"), text)],
        );
        async move { journal.append(&id, events, at(0)).await.unwrap() }
    };
    assert_eq!(say(&a, "x").await, Appended::Written { seqs: 1..3 });
    assert_eq!(say(&a, "y").await, Appended::Known { seq: 2 });
    assert_eq!(say(&b, "z").await, Appended::Written { seqs: 1..3 });
    assert_eq!(journal.find_client_id(&a, "c1").await, Ok(Some(2)));
    assert_eq!(journal.counts().await.unwrap().events, 4);
}

#[tokio::test]
async fn an_event_and_its_callback_are_one() {
    let journal = Journal::in_memory().unwrap();
    let id = begun(&journal).await;
    let save = |client: &'static str, reference: &'static str| {
        let (journal, id) = (journal.clone(), id.clone());
        async move {
            journal
                .append_callback(&id, event(Some(client), "ring"), callback(reference), at(5))
                .await
        }
    };
    assert_eq!(
        save("c1", "B-7K3QF").await,
        Ok(Appended::Written { seqs: 1..2 })
    );
    assert_eq!(save("c1", "B-22222").await, Ok(Appended::Known { seq: 1 }));
    assert_eq!(
        save("c2", "B-7K3QF").await,
        Err(Error::Taken("callback reference"))
    );
    assert_eq!(
        save("c2", "B-33333").await,
        Ok(Appended::Written { seqs: 2..3 })
    );
    let rows = journal.callbacks(aarhus(), 10).await.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|r| (r.reference.as_str(), r.state.as_str()))
        .collect();
    assert_eq!(seen, [("B-33333", "waiting"), ("B-7K3QF", "waiting")]);
    assert_eq!(
        (rows[0].phone.as_str(), &rows[0].dialogue, rows[0].created),
        ("+4520304050", &id, at(5))
    );
    assert!(!format!("{rows:?}").contains("2030"));
    assert_eq!(
        journal
            .callbacks("0101".parse().unwrap(), 10)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn a_turn_is_recorded_once() {
    let journal = Journal::in_memory().unwrap();
    let (id, turn) = (begun(&journal).await, TurnId::random());
    let record = |json: &str| journal.record_turn(&turn, &id, json.to_owned(), at(1));
    record("{\"a\":1}").await.unwrap();
    assert_eq!(record("{\"a\":2}").await, Err(Error::Taken("turn id")));
    assert_eq!(journal.turn(&turn).await.unwrap().unwrap(), "{\"a\":1}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_have_no_gaps_when_many_append_at_once() {
    let (_dir, journal) = in_folder(&Options::default());
    let id = begun(&journal).await;
    let mut tasks = JoinSet::new();
    for task in 0..40 {
        let (journal, id) = (journal.clone(), id.clone());
        tasks.spawn(async move {
            let mut seqs = Vec::new();
            for n in 0..5 {
                let events = vec![event(None, &format!("{task}/{n}")); 2];
                match journal.append(&id, events, at(n)).await.unwrap() {
                    Appended::Written { seqs: s } => seqs.extend(s),
                    known @ Appended::Known { .. } => panic!("{known:?}"),
                }
            }
            assert!(seqs.is_sorted());
            seqs
        });
    }
    let mut seqs: Vec<u64> = tasks.join_all().await.concat();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=400).collect::<Vec<_>>());
    let counts = journal.counts().await.unwrap();
    assert_eq!((counts.dialogues, counts.events), (1, 400));
    assert!(counts.commits < 200, "nothing was grouped: {counts:?}");
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_reopening_finds_it() {
    let (dir, journal) = in_folder(&Options::default());
    let path = dir.path().join("journal.db");
    let id = begun(&journal).await;
    let clone = journal.clone();
    let (appended, closed) = tokio::join!(
        biased;
        journal.append(&id, vec![event(Some("c1"), "x")], at(0)),
        clone.close()
    );
    assert_eq!(
        (appended, closed),
        (Ok(Appended::Written { seqs: 1..2 }), Ok(()))
    );
    assert_eq!(journal.counts().await, Err(Error::Closed));
    assert_eq!(journal.close().await, Err(Error::Closed));
    assert!(!path.with_extension("db-wal").exists());

    let journal = Journal::open(&path, &Options::default()).unwrap();
    let again = journal
        .append(&id, vec![event(Some("c1"), "x")], at(0))
        .await;
    assert_eq!(again, Ok(Appended::Known { seq: 1 }));
    drop(journal);
    let journal = Journal::open(&path, &Options::default()).unwrap();
    assert_eq!(journal.counts().await.unwrap().events, 1);
}

#[tokio::test]
async fn a_full_queue_says_so_and_recovers() {
    let (dir, journal) = in_folder(&Options {
        queue: 4,
        batch: 1,
        ..Options::default()
    });
    let id = begun(&journal).await;
    // While somebody else holds the file, nothing can be written.
    let other = Connection::open(dir.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..20 {
        let (journal, id) = (journal.clone(), id.clone());
        tasks.spawn(async move { journal.append(&id, vec![event(None, "x")], at(n)).await });
    }
    // Every one beyond the queue and the one in hand is answered at once.
    for _ in 0..15 {
        assert_eq!(
            tasks.join_next().await.unwrap().unwrap(),
            Err(Error::Overloaded)
        );
    }
    other.execute_batch("ROLLBACK").unwrap();
    let rest = tasks.join_all().await;
    assert!(rest.iter().filter(|r| r.is_ok()).count() >= 4);
    assert!(
        journal
            .append(&id, vec![event(None, "x")], at(0))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_file_held_by_another_process_is_locked() {
    let (dir, journal) = in_folder(&Options {
        patience: std::time::Duration::from_millis(20),
        ..Options::default()
    });
    let id = begun(&journal).await;
    let other = Connection::open(dir.path().join("journal.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let say = || journal.append(&id, vec![event(None, "x")], at(0));
    assert_eq!(say().await, Err(Error::Locked));
    assert!(journal.load(&id, 0, 1).await.unwrap().is_some());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(say().await.is_ok());
}

#[tokio::test]
async fn a_full_disk_fails_what_does_not_fit_and_nothing_else() {
    let (dir, journal) = in_folder(&Options {
        max_pages: Some(100),
        ..Options::default()
    });
    let id = begun(&journal).await;
    let huge = "x".repeat(1_000_000);
    let say = |text: String| {
        let (journal, id) = (journal.clone(), id.clone());
        async move {
            journal
                .append(&id, vec![event(Some(&text[..1]), &text)], at(0))
                .await
        }
    };
    assert_eq!(
        say("a".to_owned()).await,
        Ok(Appended::Written { seqs: 1..2 })
    );
    assert_eq!(say(huge).await, Err(Error::Full));
    assert_eq!(
        say("b".to_owned()).await,
        Ok(Appended::Written { seqs: 2..3 })
    );
    // To the last page: the journal goes on answering, and every success is really there.
    let mut written = 2;
    for n in 0..400 {
        match journal
            .append(&id, vec![event(None, &"y".repeat(2000))], at(n))
            .await
        {
            Ok(_) => written += 1,
            Err(e) => assert_eq!(e, Error::Full),
        }
    }
    assert!((50..300).contains(&written), "{written}");
    assert_eq!(
        journal
            .load(&id, 0, 1000)
            .await
            .unwrap()
            .unwrap()
            .events
            .len(),
        written
    );
    journal.close().await.unwrap();
    let roomier = Journal::open(&dir.path().join("journal.db"), &Options::default()).unwrap();
    assert_eq!(
        roomier
            .load(&id, 0, 1000)
            .await
            .unwrap()
            .unwrap()
            .events
            .len(),
        written
    );
    assert!(
        roomier
            .append(&id, vec![event(None, "x")], at(0))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn files_that_are_not_ours_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    let open = |path: &Path| Journal::open(path, &Options::default()).map(|_| ());

    std::fs::write(
        &path,
        "not a database at all, but long enough to look at".repeat(100),
    )
    .unwrap();
    assert!(matches!(open(&path), Err(Error::Corrupt(_))));

    let foreign = dir.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(matches!(open(&foreign), Err(Error::Corrupt(_))));

    let newer = dir.path().join("newer.db");
    open(&newer).unwrap();
    Connection::open(&newer)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let e = open(&newer).unwrap_err();
    assert_eq!(
        e,
        Error::Version {
            found: 99,
            newest: 6
        }
    );
    assert!(e.to_string().contains("newer program"));

    assert!(
        matches!(open(&dir.path().join("no/such/folder.db")), Err(Error::Io(m)) if m.contains("no/such"))
    );
}

#[tokio::test]
async fn damage_is_told_from_absence() {
    let (dir, journal) = in_folder(&Options::default());
    let id = begun(&journal).await;
    let other = Connection::open(dir.path().join("journal.db")).unwrap();
    other
        .execute("UPDATE dialogues SET lang = 'xx'", [])
        .unwrap();
    assert!(matches!(
        journal.load(&id, 0, 1).await,
        Err(Error::Corrupt(_))
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, journal) = in_folder(&Options::default());
    begun(&journal).await;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            file.path()
        );
    }
}

#[test]
fn the_file_is_durable_at_every_commit() {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open(&dir.path().join("j.db"), &Options::default()).unwrap();
    let mode: String = conn
        .query_one("PRAGMA journal_mode", [], |r| r.get(0))
        .unwrap();
    let full: i64 = conn
        .query_one("PRAGMA synchronous", [], |r| r.get(0))
        .unwrap();
    assert_eq!((mode.as_str(), full), ("wal", 2));
}
