//! Lines of the log, what is folded of them, and a release that is broken off at every step.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use knowledge::File;
use storage::Editor;
use storage::log::{Position, Record};

use super::Trouble;
use super::head::Head;
use super::lay::{Next, Plan};
use super::record::{Changed, Decided, Line, Parts, entries, pack};
use crate::editor::folder::{self, Broke};
use crate::editor::{FILE, recover};

fn changed(path: &str, before: Option<&str>, after: Option<&str>) -> Changed {
    Changed {
        path: path.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
    }
}

fn decided(number: u64, files: Vec<Changed>) -> Decided {
    Decided {
        number,
        hash: format!("hash {number}"),
        at_ms: 5,
        meta: "{}".into(),
        files,
    }
}

/// A line's records, as the log would have them after `from`.
fn records(from: u64, line: &Line) -> Vec<Record> {
    let all = entries(&format!("line-{from}"), &pack(line).unwrap()).unwrap();
    let record = |(n, e): (u64, storage::log::Entry)| Record {
        seq: n,
        at: Timestamp::UNIX_EPOCH,
        node: "a".into(),
        id: e.id,
        body: e.body,
        link: n,
    };
    (from + 1..).zip(all).map(record).collect()
}

/// Text that does not become shorter.
fn noise(n: usize) -> String {
    let mut x = 7_u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        char::from(33 + u8::try_from(x % 90).unwrap())
    };
    (0..n).map(|_| next()).collect()
}

#[test]
fn a_line_is_as_many_records_as_it_needs_and_is_read_whole_or_not() {
    let long = noise(900_000);
    let line = Line::Release(decided(3, vec![changed("a", None, Some(&long))]));
    let all = records(0, &line);
    assert!(all.len() > 2, "{}", all.len());
    let mut parts = Parts::default();
    let (last, first) = all.split_last().unwrap();
    for record in first {
        assert_eq!(parts.push(record).unwrap(), None);
    }
    assert_eq!(parts.push(last).unwrap(), Some(line.clone()));
    // Without its first record, with one missing, and damaged.
    assert!(Parts::default().push(last).is_err());
    let mut parts = Parts::default();
    parts.push(&all[0]).unwrap();
    assert!(parts.push(&all[2]).is_err());
    let mut broken = records(0, &Line::Floor { number: 4 });
    broken[0].body.reverse();
    assert!(Parts::default().push(&broken[0]).is_err());
    // Begun again from its beginning.
    let mut parts = Parts::default();
    parts.push(&all[0]).unwrap();
    for record in first {
        assert_eq!(parts.push(record).unwrap(), None);
    }
    assert_eq!(parts.push(last).unwrap(), Some(line));
}

#[test]
fn releases_are_folded_in_order_and_what_does_not_follow_is_refused() {
    let mut head = Head::default();
    let first = decided(
        2,
        vec![
            changed("a", None, Some("a1")),
            changed("b", None, Some("b1")),
        ],
    );
    let mut all = records(0, &Line::Release(first.clone()));
    all.extend(records(1, &Line::Floor { number: 6 }));
    let second = decided(
        7,
        vec![
            changed("a", Some("a1"), Some("a2")),
            changed("b", Some("b1"), None),
        ],
    );
    all.extend(records(2, &Line::Release(second.clone())));
    let at = |n| Position { seq: n, link: n };
    assert_eq!(head.fold(&all).unwrap(), [(first, at(1)), (second, at(3))]);
    let file = |path: &str, text: &str| File {
        path: path.into(),
        text: text.into(),
    };
    assert_eq!(head.files(), [file("a", "a2")]);
    assert_eq!(
        (head.number, head.hash.as_str(), head.at),
        (7, "hash 7", at(3))
    );

    // A copy is all of it.
    let copied = Head::from(Some(head.copy().unwrap())).unwrap();
    assert_eq!(
        (copied.files(), copied.number, copied.at),
        (head.files(), 7, at(3))
    );
    for known in [("a", "a1"), ("b", "b1"), ("a", "a2")] {
        assert!(copied.knows(known.0, known.1), "{known:?}");
    }
    assert!(!copied.knows("b", "a1"));
    let over = copied.over(&[file("a", "x"), file("c", "c")]);
    assert_eq!(
        over.files,
        [
            changed("a", Some("x"), Some("a2")),
            changed("c", Some("c"), None)
        ]
    );

    for wrong in [
        decided(7, Vec::new()),
        decided(8, vec![changed("a", Some("a1"), Some("a3"))]),
        decided(8, vec![changed("b", Some("b1"), Some("b2"))]),
    ] {
        let mut head = copied.clone();
        assert!(head.fold(&records(3, &Line::Release(wrong))).is_err());
    }
}

struct Node {
    dir: tempfile::TempDir,
    store: Editor,
}

impl Node {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let store = Editor::open(&path, &storage::Options::default()).unwrap();
        let node = Self { dir, store };
        for (path, text) in files {
            write(&node.root(), path, text);
        }
        node
    }

    fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("knowledge")
    }

    fn text(&self, path: &str) -> Option<String> {
        folder::read(&self.root(), path).unwrap()
    }

    async fn lay(&self, next: &Next, known: &str, broken: usize) -> Result<(), Trouble> {
        let plan = Plan::new(&self.root(), "b", next, |_, text| text == known).unwrap();
        let mut steps = 0;
        let step = move || {
            steps += 1;
            if steps > broken {
                Err(Broke::Killed)
            } else {
                Ok(())
            }
        };
        plan.carry_out(&self.store, &self.root(), step).await
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn next(joins: bool) -> Next {
    Next {
        decided: decided(
            4,
            vec![
                changed("a.md", Some("a1"), Some("a2")),
                changed("b.md", Some("b1"), Some("b2")),
                changed("c.md", Some("c1"), None),
                changed("x/d.md", None, Some("d2")),
                changed("hand.md", Some("h1"), Some("h2")),
                changed("taken.md", Some("t1"), Some("t2")),
            ],
        ),
        at: Position { seq: 9, link: 9 },
        taken: BTreeMap::from([("taken.md".to_owned(), Some("by hand".to_owned()))]),
        joins,
    }
}

const FOLDER: [(&str, &str); 5] = [
    ("a.md", "a1"),
    ("b.md", "b2"),
    ("c.md", "c1"),
    ("hand.md", "by hand"),
    ("taken.md", "by hand"),
];

async fn holds(node: &Node) {
    let now = ["a.md", "b.md", "c.md", "x/d.md", "hand.md", "taken.md"].map(|p| node.text(p));
    let want = [
        Some("a2"),
        Some("b2"),
        None,
        Some("d2"),
        Some("by hand"),
        Some("t2"),
    ];
    assert_eq!(now, want.map(|t| t.map(str::to_owned)));
    let left = node.store.by_hand().await.unwrap();
    assert_eq!(left, [("hand.md".to_owned(), Some("h1".to_owned()))]);
    let placed = node.store.placed().await.unwrap().unwrap();
    assert_eq!((placed.number, placed.position.unwrap().seq), (4, 9));
    assert_eq!(node.store.unfinished().await.unwrap(), None);
    let beside = std::fs::read_dir(node.root()).unwrap();
    let hidden = beside.filter(|e| e.as_ref().unwrap().file_name().as_encoded_bytes()[0] == b'.');
    assert_eq!(hidden.count(), 0);
}

#[tokio::test]
async fn a_release_of_others_that_is_broken_off_anywhere_is_finished_and_a_hand_is_respected() {
    let mut finished = 0;
    for broken in 0..10 {
        // By the next start, and by the next attempt.
        for start in [true, false] {
            let node = Node::new(&FOLDER);
            if node.lay(&next(false), "", broken).await.is_ok() {
                finished += 1;
            } else if start {
                assert_eq!(node.store.placed().await.unwrap(), None);
                recover(&node.store, &node.root(), "b").await.unwrap();
            } else {
                node.lay(&next(false), "", 99).await.unwrap();
            }
            holds(&node).await;
        }
    }
    assert!(
        (2..20).contains(&finished),
        "some are broken off: {finished}"
    );
}

/// Nothing is known of how a newcomer's folder came to be: only what was released once is overwritten.
#[tokio::test]
async fn a_newcomer_overwrites_only_what_was_released_once() {
    let node = Node::new(&FOLDER);
    node.lay(&next(true), "a1", 99).await.unwrap();
    let text = |p: &str| node.text(p).unwrap_or_default();
    assert_eq!(
        [
            text("a.md"),
            text("b.md"),
            text("c.md"),
            text("x/d.md"),
            text("hand.md"),
            text("taken.md")
        ],
        ["a2", "b2", "c1", "d2", "by hand", "by hand"].map(str::to_owned)
    );
    let left = node.store.by_hand().await.unwrap();
    let left: Vec<&str> = left.iter().map(|(p, _)| p.as_str()).collect();
    assert_eq!(left, ["c.md", "hand.md", "taken.md"]);
}
