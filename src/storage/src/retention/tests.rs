use super::*;
use crate::tests::{at, begun, event};
use crate::{Journal, Options};

#[tokio::test]
async fn every_freed_page_is_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.sqlite");
    let journal = Journal::open(&path, &Options::default()).unwrap();
    let text = "x".repeat(3_000);
    // More pages than one piece takes.
    for _ in 0..8 {
        let id = begun(&journal).await;
        let events = (0..200).map(|_| event(None, &text)).collect();
        journal.append(&id, events, at(1)).await.unwrap();
    }
    assert!(journal.scrub().await.unwrap());
    let full = std::fs::metadata(&path).unwrap().len();
    let before = Before {
        dialogues: at(2),
        turns: at(2),
        callbacks: at(2),
        log: at(2),
    };
    assert_eq!(journal.forget(before, 50).await.unwrap().events, 1_600);
    let pages = |what: &str| -> i64 {
        Connection::open(&path)
            .unwrap()
            .query_one(&format!("PRAGMA {what}"), [], |r| r.get(0))
            .unwrap()
    };
    assert!(pages("freelist_count") > i64::from(PAGES));
    assert!(journal.scrub().await.unwrap());
    assert_eq!(pages("freelist_count"), 0);
    let left = std::fs::metadata(&path).unwrap().len();
    assert!(left * 10 < full, "{left} of {full} bytes");
}
