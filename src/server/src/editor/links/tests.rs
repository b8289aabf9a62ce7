use std::collections::BTreeMap;
use std::sync::Mutex as Plain;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::date;

use super::*;

type Seen = Arc<Plain<Vec<String>>>;

async fn page(State(seen): State<Seen>, method: Method, uri: Uri) -> Response {
    seen.lock()
        .unwrap()
        .push(format!("{method} {}", uri.path()));
    let status = |code: u16| StatusCode::from_u16(code).unwrap().into_response();
    match uri.path() {
        "/no-head" if method == Method::HEAD => status(405),
        "/ok" | "/no-head" | "/new" | "/" => status(200),
        "/moved" => Redirect::permanent("/new").into_response(),
        "/today" => Redirect::temporary("/new").into_response(),
        "/front" => Redirect::temporary("/").into_response(),
        "/round" => Redirect::temporary("/round").into_response(),
        "/inside" => Redirect::permanent("http://169.254.169.254/latest").into_response(),
        "/file" => Redirect::permanent("file:///etc/passwd").into_response(),
        "/forbidden" => status(403),
        "/broken" => status(503),
        slow if slow.starts_with("/slow/") => {
            tokio::task::yield_now().await;
            seen.lock().unwrap().push(format!("{method} {slow} done"));
            status(404)
        }
        _ => status(404),
    }
}

/// A website on this machine, what was asked of it, and its address.
async fn website() -> (Seen, String) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(page).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (seen, format!("http://{address}"))
}

fn asker() -> Asker {
    Asker::new(BTreeSet::from(["127.0.0.1".to_owned()]), Duration::ZERO)
}

#[tokio::test]
async fn links_are_asked_and_what_became_of_them_is_said() {
    let (seen, site) = website().await;
    let asker = asker();
    let said = |path: &'static str| {
        let (asker, link) = (&asker, format!("{site}{path}"));
        async move {
            let f = asker.ask(&link).await;
            f.map(|f| (f.kind, f.status, f.to.is_some()))
        }
    };
    for (path, want) in [
        ("/ok", None),
        ("/no-head", None),
        ("/today", None),
        ("/moved", Some(("moved", Some(200), true))),
        ("/front", Some(("moved", Some(200), true))),
        ("/gone", Some(("gone", Some(404), false))),
        ("/forbidden", Some(("refused", Some(403), false))),
        ("/broken", Some(("failing", Some(503), false))),
        ("/round", Some(("refused", None, true))),
        ("/file", Some(("refused", None, false))),
        // An address of the machine's own, reached by a redirect from outside, is not asked.
        ("/inside", Some(("private", None, true))),
    ] {
        assert_eq!(said(path).await, want, "{path}");
    }
    let asked = seen.lock().unwrap().clone();
    let of = |path: &str| asked.iter().filter(|s| s.ends_with(path)).count();
    assert_eq!((of("/ok"), of("/no-head"), of("/gone")), (1, 2, 2));
    assert_eq!(asked[0], "HEAD /ok");
    for (link, kind) in [
        ("ftp://example.dk/x", "bad"),
        ("ring til os", "bad"),
        ("http://nowhere.invalid/", "unreachable"),
        ("http://127.0.0.1:1/", "unreachable"),
        ("http://[::1]:80/", "private"),
        ("http://localhost/", "private"),
    ] {
        assert_eq!(asker.ask(link).await.map(|f| f.kind), Some(kind), "{link}");
    }
}

#[tokio::test]
async fn what_is_on_an_internal_network_is_not_asked_unless_it_is_listed() {
    let (seen, site) = website().await;
    let stranger = Asker::new(BTreeSet::new(), Duration::ZERO);
    let fault = stranger.ask(&format!("{site}/ok")).await.unwrap();
    assert_eq!(fault.kind, "private");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_host_is_asked_one_at_a_time_with_a_pause() {
    let (seen, site) = website().await;
    let pause = Duration::from_millis(20);
    let asker = Asker::new(BTreeSet::from(["127.0.0.1".to_owned()]), pause);
    let begun = tokio::time::Instant::now();
    let links = ["a", "b", "c"].map(|p| format!("{site}/slow/{p}"));
    futures_util::future::join_all(links.iter().map(|l| asker.ask(l))).await;
    // HEAD and GET of each, and five pauses between them.
    assert!(begun.elapsed() >= 5 * pause, "{:?}", begun.elapsed());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 12);
    for pair in seen.chunks(2) {
        assert_eq!(format!("{} done", pair[0]), pair[1], "{seen:?}");
    }
}

#[test]
fn addresses_are_found_in_prose() {
    let text = "Se [siden](https://a.dk/b?c=d), https://e.dk. Eller <http://f.dk/g> og {{kommune.link.pas}}.";
    let found: Vec<&str> = addresses(text).collect();
    assert_eq!(
        found,
        ["https://a.dk/b?c=d", "https://e.dk", "http://f.dk/g"]
    );
}

#[test]
fn night_comes_once_a_day_also_when_the_clocks_change() {
    let at = |d: jiff::civil::Date, hour, minute| {
        let here = d.at(hour, minute, 0, 0);
        here.to_zoned(contact::copenhagen().clone())
            .unwrap()
            .timestamp()
    };
    let hours = |from| until_night(from).as_secs() as f64 / 3600.0;
    let day = date(2026, 11, 22);
    assert!((hours(at(day, 1, 10)) - 2.0).abs() < 1e-9);
    assert!((hours(at(day, 3, 10)) - 24.0).abs() < 1e-9);
    // The night of 25 October 2026 has an hour more.
    assert!((hours(at(date(2026, 10, 24), 23, 10)) - 5.0).abs() < 1e-9);
}

#[test]
fn what_was_found_is_kept_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let links = Links {
        at_ms: Some(5),
        checked: 1,
        faults: vec![LinkFault {
            url: "https://a.dk".into(),
            kind: "gone".into(),
            status: Some(404),
            to: None,
            text: "Væk.".into(),
            at_ms: 5,
            used_by: vec![LinkUse {
                id: Some("pas".into()),
                layer: LayerName(Layer::Shared),
                title: "Pas".into(),
            }],
        }],
    };
    keep(&file, &links).unwrap();
    let read: Links = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(read, links);
    let left: BTreeMap<_, _> = fs::read_dir(dir.path())
        .unwrap()
        .map(|e| (e.unwrap().file_name(), ()))
        .collect();
    assert_eq!(left.len(), 1);
}
