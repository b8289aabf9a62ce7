use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn file(path: &str, base: Option<&str>, text: Option<&str>) -> DraftText {
    DraftText {
        path: path.into(),
        base: base.map(Into::into),
        text: text.map(Into::into),
    }
}

fn open() -> (tempfile::TempDir, Editor) {
    let dir = tempfile::tempdir().unwrap();
    let editor = Editor::open(&dir.path().join("editor.sqlite"), &Options::default()).unwrap();
    (dir, editor)
}

#[tokio::test]
async fn every_version_of_a_draft_is_kept_and_a_stale_save_is_not() {
    let (_dir, e) = open();
    let change = |expected, files: Option<Vec<DraftText>>| DraftChange {
        id: "d".into(),
        expected,
        state: "open".into(),
        at: at(5),
        meta: "{}".into(),
        version: files.map(|f| ("{\"by\":1}".to_owned(), f)),
    };
    let first = vec![file("a.md", None, Some("a1"))];
    assert!(e.save_draft(change(0, Some(first.clone()))).await.unwrap());
    let second = vec![
        file("a.md", None, Some("a2")),
        file("b.md", Some("b"), None),
    ];
    assert!(e.save_draft(change(1, Some(second.clone()))).await.unwrap());
    assert!(!e.save_draft(change(1, Some(Vec::new()))).await.unwrap());
    assert!(!e.save_draft(change(0, Some(Vec::new()))).await.unwrap());
    // A change of the state alone makes no version.
    assert!(e.save_draft(change(2, None)).await.unwrap());
    let (row, files) = e.draft("d").await.unwrap().unwrap();
    assert_eq!((row.version, files), (2, second));
    assert_eq!(e.version("d", 1).await.unwrap(), first);
    assert_eq!(e.versions("d").await.unwrap().len(), 2);
    let open = || vec!["open".to_owned()];
    assert_eq!(
        e.touched(open()).await.unwrap(),
        [("d".into(), "a.md".into()), ("d".into(), "b.md".into())]
    );
    e.comment("d", at(9), "{}".into()).await.unwrap();
    assert_eq!(e.comments("d").await.unwrap().len(), 1);
    assert_eq!(e.drafts(open(), 9).await.unwrap().len(), 1);
    assert!(
        e.drafts(vec!["dropped".into()], 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn one_release_at_a_time_and_only_an_ended_one_is_live() {
    let (_dir, e) = open();
    let release = |before: Option<&str>, after: Option<&str>| NewRelease {
        hash: "h".into(),
        at: at(1),
        meta: "{}".into(),
        files: vec![ReleaseFile {
            path: "a.md".into(),
            before: before.map(Into::into),
            found: before.map(Into::into),
            after: after.map(Into::into),
        }],
        shared: None,
    };
    let one = e.begin_release(release(None, Some("a1"))).await.unwrap();
    assert!(e.live().await.unwrap().is_empty());
    assert_eq!(
        e.begin_release(release(None, Some("x"))).await,
        Err(Error::Taken("release"))
    );
    let (row, files) = e.unfinished().await.unwrap().unwrap();
    assert_eq!((row.number, files[0].after.as_deref()), (one, Some("a1")));
    e.end_release(one, None).await.unwrap();
    assert_eq!(e.live().await.unwrap(), [("a.md".into(), "a1".into())]);
    let two = e
        .begin_release(release(Some("a1"), Some("a2")))
        .await
        .unwrap();
    e.give_up_release(two).await.unwrap();
    assert_eq!(e.unfinished().await.unwrap(), None);
    assert_eq!(e.live().await.unwrap(), [("a.md".into(), "a1".into())]);
    let three = e.begin_release(release(Some("a1"), None)).await.unwrap();
    e.end_release(three, None).await.unwrap();
    assert!(e.live().await.unwrap().is_empty());
    let numbers = |rows: Vec<ReleaseRow>| rows.iter().map(|r| r.number).collect::<Vec<_>>();
    assert_eq!(
        numbers(e.releases(None, 9).await.unwrap()),
        [three, one],
        "not what was given up"
    );
    assert_eq!(numbers(e.releases(Some(three), 9).await.unwrap()), [one]);
    let of = e.releases_of(vec!["a.md".into()], 9).await.unwrap();
    assert_eq!(numbers(of), [three, one]);
    assert!(e.release(two).await.unwrap().is_none());
}

#[tokio::test]
async fn a_shared_release_has_its_number_its_place_and_the_files_it_was_kept_out_of() {
    let (_dir, e) = open();
    let place = |seq| Position {
        seq,
        link: u64::MAX - seq,
    };
    let release = |n, seq, paths: &[&str], text: &str| NewRelease {
        hash: text.into(),
        at: at(1),
        meta: "{}".into(),
        files: paths
            .iter()
            .map(|path| ReleaseFile {
                path: (*path).into(),
                before: Some("old".into()),
                found: Some("old".into()),
                after: Some(text.into()),
            })
            .collect(),
        shared: Some((n, place(seq))),
    };
    // Its number was tried, and given up, before there was a log.
    let mut first = release(0, 0, &["a", "b"], "x");
    first.shared = None;
    let given_up = e.begin_release(first).await.unwrap();
    e.give_up_release(given_up).await.unwrap();
    let n = e.begin_release(release(1, 4, &["a", "b"], "x")).await;
    assert_eq!(n, Ok(1));
    let (row, _) = e.unfinished().await.unwrap().unwrap();
    assert_eq!(row.position, Some(place(4)));
    assert_eq!(
        e.placed().await.unwrap(),
        None,
        "it has not become live yet"
    );
    e.leave(1, vec!["b".into()]).await.unwrap();
    e.end_release(1, None).await.unwrap();
    assert_eq!(
        e.by_hand().await.unwrap(),
        [("b".into(), Some("old".into()))]
    );
    // Left again: what it was changed from is still the text of then. Written: it is as released.
    for (n, left) in [(7, vec!["b".to_owned()]), (8, Vec::new())] {
        let next = release(n, n + 1, &["b"], "y");
        assert_eq!(e.begin_release(next).await, Ok(n));
        e.leave(n, left).await.unwrap();
        e.end_release(n, None).await.unwrap();
        let by_hand = e.by_hand().await.unwrap();
        if n == 7 {
            assert_eq!(by_hand, [("b".into(), Some("old".into()))]);
        } else {
            assert_eq!(by_hand, []);
        }
        let row = e.placed().await.unwrap().unwrap();
        assert_eq!((row.number, row.position), (n, Some(place(n + 1))));
    }
    e.place(8, place(99)).await.unwrap();
    let row = e.placed().await.unwrap().unwrap();
    assert_eq!(row.position, Some(place(99)));
}

#[tokio::test]
async fn what_a_page_said_last_is_kept_for_each_layer() {
    let (_dir, e) = open();
    let page = |address: &str, text: &str| (address.to_owned(), text.to_owned());
    let pages = vec![page("https://a.dk/1", "en"), page("https://a.dk/2", "to")];
    e.keep_pages("shared".into(), at(1), pages).await.unwrap();
    let newer = vec![page("https://a.dk/1", "et")];
    e.keep_pages("shared".into(), at(2), newer).await.unwrap();
    let asked = || {
        ["https://a.dk/1", "https://a.dk/3"]
            .map(str::to_owned)
            .to_vec()
    };
    let found = e.pages("shared".into(), asked()).await.unwrap();
    assert_eq!(found, [page("https://a.dk/1", "et")]);
    assert!(e.pages("0751".into(), asked()).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_thresholds_gave_is_of_a_release_of_the_history_and_the_newest_stays() {
    let (_dir, e) = open();
    let new = NewRelease {
        hash: "h-1".into(),
        at: at(1),
        meta: "{}".into(),
        files: Vec::new(),
        shared: None,
    };
    let number = e.begin_release(new).await.unwrap();
    assert_eq!(e.thresholds(number).await.unwrap(), None, "not live yet");
    e.end_release(number, None).await.unwrap();
    let kept = |json: Option<&str>| Some(("h-1".to_owned(), json.map(str::to_owned)));
    assert_eq!(e.thresholds(number).await.unwrap(), kept(None));
    for (ms, json) in [(5, "[5]"), (3, "[3]"), (6, "[6]")] {
        e.keep_thresholds("h-1".into(), at(ms), json.into())
            .await
            .unwrap();
        let newest = if ms == 3 { "[5]" } else { json };
        assert_eq!(e.thresholds(number).await.unwrap(), kept(Some(newest)));
    }
}
