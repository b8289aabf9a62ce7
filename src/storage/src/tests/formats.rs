//! Files of every format that ever was, opened with the program of today.
//!
//! They lie in `tests/it/fixtures/formats`, and were made by `cargo test -p storage --lib make_the_files -- --ignored`,
//! which writes those that are not there and never one that is: the steps to an older format lead there as they always
//! did, so a file is what the program of then would have left.

use std::fs;
use std::path::PathBuf;

use rusqlite::params;

use super::*;
use crate::schema::{Format, JOURNAL};
use crate::types::sha256;
use crate::whole::{Kind, look_through};

const DIALOGUE: &str = "023456789abcdefg";
const TOKEN: &str = "023456789abcdefghjkmnpqrst";
const REFERENCE: &str = "B-7K3QF";
/// 22 November 2026: what is opened by a service is not old enough to be deleted.
const THEN_MS: i64 = 1_795_348_800_000;
const QUESTION: &str = "Hvornår bliver storskrald hentet?";
const ACCOUNT: &str = r#"{"name":"Anna","roles":["agent"],"team":null,"skills":{"municipalities":"all","areas":"all","languages":["da"],"audiences":["citizen"]},"capacity":3}"#;
/// A public key as the service writes it: P-256, compressed, and no extensions.
const KEY: [u8; 36] = [0; 36];
const ARTICLE: &str = "shared/affald/affald-storskrald.md";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/fixtures/formats")
}

fn kinds() -> [(&'static str, Kind, &'static Format); 3] {
    [
        ("journal", Kind::Journal, &JOURNAL),
        ("accounts", Kind::Accounts, &crate::accounts::FORMAT),
        ("editor", Kind::Editor, &crate::editor::FORMAT),
    ]
}

fn file(name: &str, format: i64) -> PathBuf {
    folder().join(format!("{name}-{format}.sqlite"))
}

/// What a program that knew formats up to this one left.
fn make(path: &Path, kind: Kind, format: &Format, up_to: i64) -> rusqlite::Result<()> {
    let c = Connection::open(path)?;
    c.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA foreign_keys = ON")?;
    let steps = usize::try_from(up_to).unwrap();
    for step in &format.migrations[..steps] {
        c.execute_batch(step)?;
    }
    let id = format.id;
    c.execute_batch(&format!(
        "PRAGMA application_id = {id}; PRAGMA user_version = {up_to}"
    ))?;
    match kind {
        Kind::Journal => journal(&c, up_to),
        Kind::Accounts => accounts(&c, up_to),
        Kind::Editor => editor(&c, up_to),
    }?;
    // What such a program computed of its rows.
    if let Some((_, finish)) = format.finish.filter(|(step, _)| up_to >= *step) {
        finish(&c).unwrap();
    }
    Ok(())
}

fn journal(c: &Connection, format: i64) -> rusqlite::Result<()> {
    c.execute(
        "INSERT INTO dialogues VALUES (?, ?, '0751', 'da', ?, NULL)",
        params![DIALOGUE, sha256(TOKEN), THEN_MS],
    )?;
    let saved = format!(
        r#"{{"type":"callback_saved","client_id":"c-2","reference":"{REFERENCE}","text":"Vi ringer."}}"#
    );
    for (seq, kind, json) in [
        (
            1,
            "citizen",
            format!(r#"{{"type":"citizen","client_id":"c-1","text":"{QUESTION}","masked":[]}}"#),
        ),
        (
            2,
            "notice",
            r#"{"type":"notice","text":"Prøve."}"#.to_owned(),
        ),
        (3, "callback_saved", saved),
    ] {
        c.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
            params![DIALOGUE, seq, THEN_MS + seq, kind, json],
        )?;
    }
    for (key, seq) in [("c-1", 1), ("c-2", 3)] {
        c.execute(
            "INSERT INTO client_ids VALUES (?, ?, ?)",
            params![DIALOGUE, key, seq],
        )?;
    }
    c.execute(
        "INSERT INTO callbacks VALUES (?, ?, '0751', '12345678', 'storskrald', ?, 'cancelled')",
        params![REFERENCE, DIALOGUE, THEN_MS],
    )?;
    c.execute(
        "INSERT INTO turns VALUES ('023456789abc', ?, ?, '{}')",
        params![DIALOGUE, THEN_MS],
    )?;
    if format >= 3 {
        c.execute(
            "INSERT INTO staff_lines VALUES (?, 'n-1', ?, ?, 'note', 'Anna', 'En note')",
            params![format!("{DIALOGUE}-1"), DIALOGUE, THEN_MS],
        )?;
    }
    if format >= 5 {
        c.execute(
            "INSERT INTO tallies VALUES ('2026-11-01', '0751', 'dialogues', 7)",
            [],
        )?;
    }
    if format >= 6 {
        c.execute(
            "INSERT INTO erased VALUES (?, ?)",
            params![sha256("x"), THEN_MS],
        )?;
    }
    Ok(())
}

fn accounts(c: &Connection, format: i64) -> rusqlite::Result<()> {
    c.execute(
        "INSERT INTO accounts VALUES ('anna', ?, 'no password fits this', ?, NULL)",
        params![ACCOUNT, THEN_MS],
    )?;
    c.execute(
        "INSERT INTO audit (id, at_ms, user, what, origin, detail)
         VALUES (1, ?, 'anna', 'sign_in', '127.0.0.1', '')",
        [THEN_MS],
    )?;
    c.execute(
        "INSERT INTO drafts VALUES ('d-1', ?, '0751', ?, 'Den første mandag.', 'anna', ?)",
        params![format!("{DIALOGUE}-1"), QUESTION, THEN_MS],
    )?;
    if format >= 6 {
        c.execute(
            "INSERT INTO security_keys VALUES (?, 'anna', 'Blå nøgle', ?, ?, 32, 0, 0, 7, ?, NULL)",
            params![[1_u8; 16], [2_u8; 16], KEY, THEN_MS],
        )?;
    }
    Ok(())
}

fn editor(c: &Connection, format: i64) -> rusqlite::Result<()> {
    let text = "En tekst, der engang var live.\n";
    let hash = base::hex(sha256(text));
    c.execute("INSERT INTO texts VALUES (?, ?)", [hash.as_str(), text])?;
    c.execute("INSERT INTO live VALUES (?, ?)", [ARTICLE, &hash])?;
    let meta = r#"{"by":{"user":"","name":"Filerne i mappen"},"title":"Begyndelsen","why":"","kind":"start","files":[]}"#;
    c.execute(
        "INSERT INTO releases (number, state, hash, at_ms, meta) VALUES (1, 'live', 'h-1', ?, ?)",
        params![THEN_MS, meta],
    )?;
    c.execute(
        "INSERT INTO release_files VALUES (1, ?, NULL, ?, ?)",
        [ARTICLE, &hash, &hash],
    )?;
    if format >= 4 {
        c.execute(
            "INSERT INTO pages VALUES ('shared', 'https://www.example.dk/affald', ?, ?)",
            params![THEN_MS, hash],
        )?;
    }
    if format >= 5 {
        c.execute(
            "INSERT INTO thresholds VALUES ('h-1', ?, '{}')",
            params![THEN_MS],
        )?;
    }
    Ok(())
}

#[test]
#[ignore = "makes what the tests below read: see above"]
fn make_the_files() {
    fs::create_dir_all(folder()).unwrap();
    for (name, kind, format) in kinds() {
        for up_to in 1..=kind.newest() {
            let path = file(name, up_to);
            if !path.exists() {
                make(&path, kind, format, up_to).unwrap();
                println!("{}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn a_file_of_every_format_is_opened_and_everything_is_in_it() {
    for (name, kind, _) in kinds() {
        for format in 1..=kind.newest() {
            let dir = tempfile::tempdir().unwrap();
            let (from, path) = (file(name, format), dir.path().join(name));
            fs::copy(&from, &path).unwrap_or_else(|e| {
                panic!(
                    "{}: {e}: each format needs its file, see above",
                    from.display()
                )
            });
            assert_eq!(look_through(kind, &path), Ok(format), "{name}");
            let options = Options::default();
            match kind {
                Kind::Journal => holds(&Journal::open(&path, &options).unwrap(), format).await,
                Kind::Accounts => {
                    let accounts = Accounts::open(&path, &options).unwrap();
                    let list = accounts.list().await.unwrap();
                    assert_eq!((&*list[0].user, &*list[0].details), ("anna", ACCOUNT));
                    assert_eq!(accounts.audited(9).await.unwrap()[0].what, "sign_in");
                    assert_eq!(accounts.drafts(9).await.unwrap()[0].question, QUESTION);
                    let second = accounts.second_factor("anna").await.unwrap();
                    let keys: Vec<_> = second
                        .keys
                        .iter()
                        .map(|k| (&k.id[..], k.sign_count))
                        .collect();
                    let want = [(&[1; 16][..], 7)];
                    assert_eq!(keys, want[..usize::from(format >= 6)]);
                    accounts.close().await.unwrap();
                }
                Kind::Editor => {
                    let editor = Editor::open(&path, &options).unwrap();
                    let live = editor.live().await.unwrap();
                    assert_eq!(live[0].0, ARTICLE);
                    assert!(live[0].1.contains("engang"));
                    let releases = editor.releases(None, 9).await.unwrap();
                    assert_eq!((releases.len(), releases[0].number), (1, 1));
                    assert_eq!(editor.unfinished().await.unwrap(), None);
                    editor.close().await.unwrap();
                }
            }
            assert_eq!(look_through(kind, &path), Ok(kind.newest()), "{name}");
        }
    }
}

async fn holds(journal: &Journal, format: i64) {
    let citizen = journal.citizen(REFERENCE).await.unwrap().unwrap();
    assert_eq!(citizen.meta.id.as_str(), DIALOGUE);
    assert!(citizen.meta.owned_by(TOKEN));
    assert_eq!(citizen.events.len(), 3);
    assert!(citizen.events[0].json.contains(QUESTION));
    assert_eq!(citizen.callbacks[0].phone, "12345678");
    assert_eq!(citizen.turns.len(), 1);
    assert_eq!(citizen.staff.len(), usize::from(format >= 3));
    let id: DialogueId = DIALOGUE.parse().unwrap();
    let found = journal.find_client_id(&id, "c-2").await.unwrap();
    assert_eq!(found, Some(3));
    let counts = journal.counts().await.unwrap();
    assert_eq!((counts.dialogues, counts.events, counts.turns), (1, 3, 1));
    assert_eq!(
        journal.tallies().await.unwrap().len(),
        usize::from(format >= 5)
    );
    // And it is written as any other.
    let events = vec![event(Some("c-3"), "Tak")];
    let appended = journal.append(&id, events, at(0)).await.unwrap();
    assert_eq!(appended, Appended::Written { seqs: 4..5 });
    let clock = std::sync::Arc::new(base::ManualClock::at(at(0)));
    let log = log::Log::embedded(journal.clone(), clock, "a", log::Keep::default()).unwrap();
    assert_eq!(log.head().await, Ok(log::Position::START));
    assert_eq!(log.generation().await.unwrap().len(), 20);
    journal.close().await.unwrap();
}
