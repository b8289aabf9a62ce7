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
