use base::{Lang, TurnId};
use tempfile::TempDir;

use super::*;
use crate::tests::{aarhus, at, begun, event};
use crate::{
    Accounts, AuditLine, Before, Copied, Draft, Journal, Kept, NewCallback, NewEvent, Options,
};

/// In what the citizen wrote, and what staff wrote of it.
const MARK: &str = "hemmelighed";

fn files(dir: &TempDir) -> (Journal, Accounts) {
    let options = Options::default();
    (
        Journal::open(&dir.path().join("journal.sqlite"), &options).unwrap(),
        Accounts::open(&dir.path().join("accounts.sqlite"), &options).unwrap(),
    )
}

fn note(item: &str, id: &str, dialogue: Option<&DialogueId>) -> Kept {
    Kept::Staff(StaffLine {
        item: item.to_owned(),
        id: id.to_owned(),
        dialogue: dialogue.cloned(),
        at: at(4),
        from: "note".to_owned(),
        name: Some("Anna".to_owned()),
        text: format!("{MARK} {id}"),
    })
}

fn copy(id: &DialogueId) -> Kept {
    Kept::Dialogue(Copied {
        id: id.clone(),
        token_sha256: [1; 32],
        municipality: aarhus(),
        lang: Lang::Da,
        created: at(0),
        events: vec![(at(1), event(Some("c1"), MARK))],
    })
}

/// Cells that hold one of these words, as `table: cell`, of every table of the file.
fn found(path: &std::path::Path, words: &[&str]) -> Vec<String> {
    let conn = Connection::open(path).unwrap();
    let tables: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    assert!(tables.len() > 3, "{tables:?}");
    let mut out = Vec::new();
    for table in tables {
        let mut all = conn.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let bytes = match row.get_ref(column).unwrap() {
                    rusqlite::types::ValueRef::Text(b) | rusqlite::types::ValueRef::Blob(b) => b,
                    _ => continue,
                };
                let text = String::from_utf8_lossy(bytes);
                if words.iter().any(|w| text.contains(w)) {
                    out.push(format!("{table}: {text}"));
                }
            }
        }
    }
    out
}

/// A dialogue with everything that can belong to one, also at the contact centre and in the file of accounts.
async fn everything(journal: &Journal, accounts: &Accounts) -> DialogueId {
    let id = begun(journal).await;
    journal
        .append(&id, vec![event(Some("c1"), MARK)], at(1))
        .await
        .unwrap();
    let saved = NewEvent {
        kind: "callback_saved".to_owned(),
        json: r#"{"reference":"B-7K3QF"}"#.to_owned(),
        client_id: None,
    };
    let callback = NewCallback {
        reference: "B-7K3QF".to_owned(),
        phone: "+4520304050".to_owned(),
        topic: Some(MARK.to_owned()),
    };
    journal
        .append_callback(&id, saved, callback, at(2))
        .await
        .unwrap();
    let record = format!("{{\"message\":\"{MARK}\",\"outcome\":\"answered\"}}");
    journal
        .record_turn(&TurnId::random(), &id, record, at(2))
        .await
        .unwrap();
    // The second came when the centre had forgotten the item.
    let item = format!("{id}-0123456789ab");
    let kept = vec![note(&item, "n-1", Some(&id)), note(&item, "n-2", None)];
    journal.keep(kept).await.unwrap();
    let draft = Draft {
        id: "anna-1".into(),
        item: item.clone(),
        municipality: aarhus(),
        question: MARK.into(),
        text: MARK.into(),
        by: "anna".into(),
        at: at(3),
    };
    accounts.add_draft(draft).await.unwrap();
    for (what, detail) in [
        ("supervise", format!("{item} coach")),
        ("stop_supervising", item.clone()),
        ("release", item.clone()),
        ("draft", item.clone()),
        ("sign_in", String::new()),
    ] {
        let line = AuditLine {
            at: at(3),
            user: "anna".into(),
            what: what.into(),
            origin: "127.0.0.1".into(),
            detail,
        };
        accounts.audit(line).await.unwrap();
    }
    id
}

#[tokio::test]
async fn an_erasure_leaves_no_row_that_leads_to_the_citizen() {
    let dir = TempDir::new().unwrap();
    let (journal, accounts) = files(&dir);
    let id = everything(&journal, &accounts).await;
    let other = begun(&journal).await;
    let theirs = format!("{other}-0123456789ab");
    journal
        .keep(vec![note(&theirs, "n-1", None)])
        .await
        .unwrap();

    let all = journal.citizen("B-7K3QF").await.unwrap().unwrap();
    let notes: Vec<&str> = all.staff.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(notes, ["n-1", "n-2"], "what came late is shown too");
    assert_eq!(accounts.drafts_of(&id).await.unwrap().len(), 1);
    assert_eq!(accounts.drafts_of(&other).await.unwrap(), []);

    let erased = journal.erase(&id, at(9)).await.unwrap();
    assert_eq!((erased.gone.dialogues, erased.gone.staff_lines), (1, 2));
    assert_eq!(accounts.erase(&id).await.unwrap(), (1, 4));
    for file in ["journal.sqlite", "accounts.sqlite"] {
        let left = found(&dir.path().join(file), &[id.as_str(), "B-7K3QF"]);
        assert_eq!(left, [""; 0], "{file}");
    }
    let left = found(&dir.path().join("journal.sqlite"), &[MARK]);
    assert_eq!(left, [format!("staff_lines: {MARK} n-1")], "another's");
    assert_eq!(found(&dir.path().join("accounts.sqlite"), &[MARK]), [""; 0]);
    // That something was done is still to be seen.
    let done = accounts.audited(10).await.unwrap();
    let whats: Vec<&str> = done.iter().map(|l| l.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "sign_in",
            "draft",
            "release",
            "stop_supervising",
            "supervise"
        ]
    );
    assert_eq!(
        journal
            .citizen(id.as_str())
            .await
            .unwrap()
            .map(|c| c.meta.id),
        None
    );
}

#[tokio::test]
async fn an_erased_dialogue_does_not_come_back_from_the_log() {
    let dir = TempDir::new().unwrap();
    let (journal, accounts) = files(&dir);
    let id = everything(&journal, &accounts).await;
    journal.erase(&id, at(9)).await.unwrap();
    journal.close().await.unwrap();

    // After a crash the log is folded anew, from before the erasure.
    let (journal, _) = files(&dir);
    let item = format!("{id}-0123456789ab");
    let again = |journal: Journal| {
        let kept = vec![
            copy(&id),
            Kept::Events {
                dialogue: id.clone(),
                events: vec![event(Some("c2"), MARK)],
                at: at(5),
            },
            note(&item, "n-1", Some(&id)),
            note(&item, "n-3", None),
        ];
        async move { journal.keep(kept).await }
    };
    assert_eq!(
        again(journal.clone()).await,
        Ok(1),
        "the events have no dialogue"
    );
    assert!(journal.citizen(id.as_str()).await.unwrap().is_none());
    let path = dir.path().join("journal.sqlite");
    assert_eq!(found(&path, &[id.as_str(), MARK]), [""; 0]);

    // It is remembered for as long as the log may hold a copy.
    let before = |log| Before {
        dialogues: at(0),
        turns: at(0),
        callbacks: at(0),
        log,
    };
    journal.forget(before(at(9)), 50).await.unwrap();
    again(journal.clone()).await.unwrap();
    assert!(journal.citizen(id.as_str()).await.unwrap().is_none());
    let marks = || -> i64 {
        let conn = Connection::open(&path).unwrap();
        conn.query_one("SELECT count(*) FROM erased", [], |r| r.get(0))
            .unwrap()
    };
    let old =
        "INSERT INTO log (seq, link, at_ms, node, id, body) VALUES (1, 0, ?1, 'n', 'e', x'00')";
    let conn = Connection::open(&path).unwrap();
    conn.execute(old, [at(3).as_millisecond()]).unwrap();
    journal.forget(before(at(10)), 50).await.unwrap();
    assert_eq!(marks(), 1, "an older record is still there");
    conn.execute("DELETE FROM log", []).unwrap();
    journal.forget(before(at(10)), 50).await.unwrap();
    assert_eq!(marks(), 1, "something may be written late of what is open");
    let before = Before {
        dialogues: at(10),
        ..before(at(10))
    };
    journal.forget(before, 50).await.unwrap();
    assert_eq!(marks(), 0);
}

#[tokio::test]
async fn a_reference_is_found_without_a_look_at_every_event() {
    let dir = TempDir::new().unwrap();
    let (journal, accounts) = files(&dir);
    let id = everything(&journal, &accounts).await;
    // A promise of the contact centre's: there is an event and no row of callbacks.
    let promised = NewEvent {
        kind: "callback_saved".to_owned(),
        json: r#"{"reference":"B-PPPPP"}"#.to_owned(),
        client_id: None,
    };
    journal.append(&id, vec![promised], at(3)).await.unwrap();
    for code in ["B-7K3QF", "B-PPPPP", id.as_str()] {
        let found = journal.citizen(code).await.unwrap().unwrap();
        assert_eq!(found.meta.id, id, "{code}");
    }
    for code in ["B-99999", DialogueId::random().as_str(), ""] {
        assert!(journal.citizen(code).await.unwrap().is_none(), "{code}");
    }
    let conn = Connection::open(dir.path().join("journal.sqlite")).unwrap();
    let plan: Vec<String> = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {BY_REFERENCE}"))
        .unwrap()
        .query_map(["B-7K3QF"], |r| r.get("detail"))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    assert!(
        plan.iter().any(|p| p.contains("events_by_reference")),
        "{plan:?}"
    );
    assert!(
        !plan.iter().any(|p| p.starts_with("SCAN events")),
        "{plan:?}"
    );
}
