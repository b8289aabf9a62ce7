use proptest::prelude::*;
use rusqlite::Connection;

use super::super::FORMAT;
use super::*;
use crate::Options;
use crate::schema::open_as;

/// An item of a dialogue.
const OF_CITIZEN: &str = "abcdefghjkmnpqrs-1";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn said(n: i64, detail: &str) -> AuditLine {
    AuditLine {
        at: at(n),
        user: "anna".into(),
        what: "sign_in".into(),
        origin: "127.0.0.1".into(),
        detail: detail.into(),
    }
}

fn file(dir: &tempfile::TempDir) -> Connection {
    let path = dir.path().join("accounts.sqlite");
    open_as(&FORMAT, &path, &Options::default()).unwrap()
}

/// A chain of some lines; the second leads to a dialogue.
fn written() -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().unwrap();
    let c = file(&dir);
    for n in 1..=5 {
        let detail = if n == 2 { OF_CITIZEN } else { "x" };
        append(&c, &said(n, detail)).unwrap();
    }
    (dir, c)
}

fn broken(c: &Connection) -> Option<i64> {
    walk(c, None).unwrap().broken.map(|b| b.0)
}

#[test]
fn a_chain_holds_and_every_change_is_found_at_its_line() {
    for (change, first) in [
        ("UPDATE audit SET user = 'bo' WHERE id = 3", 3),
        ("UPDATE audit SET at_ms = 4 WHERE id = 3", 3),
        ("UPDATE audit SET detail = 'y' WHERE id = 3", 3),
        ("UPDATE audit SET detail = '' WHERE id = 3", 3),
        (
            "UPDATE audit SET detail_sha256 = zeroblob(32), detail = '', salt = NULL WHERE id = 3",
            3,
        ),
        (
            "UPDATE audit SET what = 'sign_i', origin = 'n127.0.0.1' WHERE id = 3",
            3,
        ),
        ("DELETE FROM audit WHERE id = 3", 4),
        ("DELETE FROM audit WHERE id = 1", 2),
        (
            "INSERT INTO audit SELECT 9, at_ms, user, what, origin, detail, salt, detail_sha256, hash FROM audit WHERE id = 3",
            9,
        ),
        (
            "UPDATE audit SET id = -id WHERE id IN (3, 4); UPDATE audit SET id = 7 + id WHERE id < 0",
            3,
        ),
        (
            "UPDATE audit_base SET id = 2, lines = 2, hash = (SELECT hash FROM audit WHERE id = 2); DELETE FROM audit WHERE id < 3",
            3,
        ),
    ] {
        let (_dir, c) = written();
        assert_eq!(broken(&c), None);
        c.execute_batch(change).unwrap();
        assert_eq!(broken(&c), Some(first), "{change}");
    }
}

#[test]
fn what_was_cut_off_the_end_or_written_anew_is_found_with_a_noted_head() {
    let (_dir, c) = written();
    let noted = walk(&c, None).unwrap().head;
    assert_eq!(noted.to_string().parse(), Ok(noted));
    assert_eq!(noted.line, 5);
    append(&c, &said(6, "")).unwrap();
    let with = |c: &Connection| walk(c, Some(noted)).unwrap().broken;
    assert_eq!(with(&c), None, "the chain has grown");
    c.execute("DELETE FROM audit WHERE id > 4", []).unwrap();
    assert_eq!(broken(&c), None, "what is left is a chain");
    assert_eq!(with(&c).unwrap().0, 5);
    append(&c, &said(5, "x")).unwrap();
    append(&c, &said(6, "x")).unwrap();
    assert_eq!(with(&c).unwrap().0, 5, "the same words, another line");
    for bad in [
        "",
        "5",
        "5:",
        "x:00",
        "5:zz",
        &format!("5:{}", "é".repeat(32)),
    ] {
        assert!(bad.parse::<AuditHead>().is_err(), "{bad}");
    }
}

#[test]
fn the_old_go_and_a_citizen_goes_and_the_chain_holds() {
    let (_dir, c) = written();
    let noted = walk(&c, None).unwrap().head;
    assert_eq!(erase(&c, &OF_CITIZEN[..16].parse().unwrap()).unwrap(), 1);
    assert_eq!(walk(&c, Some(noted)).unwrap().blanked, 1);
    let salt: Option<Vec<u8>> = c
        .query_one("SELECT salt FROM audit WHERE id = 2", [], |r| r.get(0))
        .unwrap();
    assert!(salt.is_none(), "or the detail could be guessed");
    assert_eq!(forget(&c, at(1), at(10)).unwrap(), 0);
    assert_eq!(forget(&c, at(4), at(10)).unwrap(), 3);
    let now = walk(&c, Some(noted)).unwrap();
    assert_eq!((now.lines, now.deleted, now.broken), (3, 3, None));
    assert!(!now.noted_gone);
    // All of it, and again: the line that says so is the only one.
    assert_eq!(forget(&c, at(100), at(100)).unwrap(), 3);
    let now = walk(&c, Some(noted)).unwrap();
    assert_eq!((now.lines, now.deleted, now.broken), (1, 6, None));
    assert!(now.noted_gone);
    append(&c, &said(101, "")).unwrap();
    assert_eq!(walk(&c, None).unwrap().head.line, 8);
}

#[test]
fn a_line_behind_a_younger_one_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let c = file(&dir);
    for n in [1, 9, 2] {
        append(&c, &said(n, "")).unwrap();
    }
    assert_eq!(forget(&c, at(5), at(10)).unwrap(), 1);
    assert_eq!(broken(&c), None);
}

#[test]
fn a_file_from_before_is_chained_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.sqlite");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(FORMAT.migrations[0]).unwrap();
    let id = FORMAT.id;
    old.execute_batch(&format!(
        "PRAGMA application_id = {id}; PRAGMA user_version = 1;
         INSERT INTO audit VALUES (4, 1, 'anna', 'sign_in', 'x', ''), (6, 2, 'bo', 'draft', 'x', 'd');"
    ))
    .unwrap();
    drop(old);
    let c = file(&dir);
    let walked = walk(&c, None).unwrap();
    assert_eq!(
        (walked.lines, walked.head.line, walked.broken),
        (2, 6, None)
    );
    append(&c, &said(3, "")).unwrap();
    drop(c);
    let c = file(&dir);
    assert_eq!(walk(&c, None).unwrap().head.line, 7);
    c.execute("UPDATE audit SET detail = 'e' WHERE id = 6", [])
        .unwrap();
    assert_eq!(broken(&c), Some(6));
}

#[derive(Clone, Debug)]
enum Step {
    Append(bool),
    Erase,
    Forget(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any::<bool>().prop_map(Step::Append),
        1 => Just(Step::Erase),
        1 => (0..40_i64).prop_map(Step::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever is done by the program holds; whatever is done to a line besides is found.
    #[test]
    fn only_the_programs_own_changes_hold(
        steps in prop::collection::vec(step(), 1..40),
        column in 0..6_usize,
        pick in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let c = file(&dir);
        let mut noted = Vec::new();
        for (now, step) in (1..).zip(&steps) {
            match step {
                Step::Append(of_citizen) => {
                    let detail = if *of_citizen { OF_CITIZEN } else { "x" };
                    append(&c, &said(now, detail)).unwrap();
                }
                Step::Erase => drop(erase(&c, &OF_CITIZEN[..16].parse().unwrap()).unwrap()),
                Step::Forget(before) => drop(forget(&c, at(*before), at(now)).unwrap()),
            }
            noted.push(walk(&c, None).unwrap().head);
        }
        for head in noted {
            prop_assert_eq!(walk(&c, Some(head)).unwrap().broken, None);
        }
        let mut s = c.prepare("SELECT id FROM audit ORDER BY id").unwrap();
        let ids: Vec<i64> = s.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
        if !ids.is_empty() {
            let head = walk(&c, None).unwrap().head;
            let id = ids[pick.index(ids.len())];
            let sql = [
                "UPDATE audit SET at_ms = at_ms + 1 WHERE id = ?1",
                "UPDATE audit SET user = user || 'x' WHERE id = ?1",
                "UPDATE audit SET what = 'x' || what WHERE id = ?1",
                "UPDATE audit SET origin = '' WHERE id = ?1",
                "UPDATE audit SET detail = detail || 'x' WHERE id = ?1",
                "DELETE FROM audit WHERE id = ?1",
            ][column];
            c.execute(sql, [id]).unwrap();
            prop_assert!(walk(&c, Some(head)).unwrap().broken.is_some(), "{} of {}", sql, id);
        }
    }
}
