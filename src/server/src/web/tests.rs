//! Against servers of the test's own: real sockets on this machine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers by path; what was asked, in order.
async fn site(answers: Vec<(&'static str, String)>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut bytes = vec![0; 4_096];
            let n = socket.read(&mut bytes).await.unwrap();
            let head = String::from_utf8_lossy(&bytes[..n]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("").to_owned();
            log.lock().unwrap().push(head);
            let found = answers.iter().find(|(p, _)| *p == path);
            let answer = found.map_or("HTTP/1.1 404 Not Found\r\n\r\n", |(_, a)| a.as_str());
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (address, asked)
}

fn page(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n{body}")
}

fn to(address: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {address}\r\n\r\n")
}

fn web(hosts: &str) -> Web {
    Web::new(Arc::new(Hosts::read(hosts).unwrap())).unwrap()
}

#[tokio::test]
async fn a_page_is_fetched_and_robots_are_asked_once() {
    let (at, asked) = site(vec![
        ("/robots.txt", page("User-agent: *\nDisallow: /lukket\n")),
        ("/a?x=1", page("hej")),
        ("/videre", to("/a?x=1#her")),
    ])
    .await;
    let mut web = web(&format!("http://{at}"));
    let url = |path: &str| web_address(at, path);
    let got = web.get(&url("/videre"), 1_000).await.unwrap();
    assert_eq!((&got.body[..], got.address), (&b"hej"[..], url("/a?x=1")));
    assert_eq!(got.content_type, "text/html; charset=utf-8");
    let why = web.get(&url("/lukket/x"), 1_000).await.unwrap_err();
    assert!(why.contains("robots.txt"), "{why}");
    let why = web.get(&url("/væk"), 1_000).await.unwrap_err();
    assert!(why.contains("findes ikke"), "{why}");
    let asked = asked.lock().unwrap();
    let paths: Vec<&str> = asked.iter().map(|h| h.split(' ').nth(1).unwrap()).collect();
    assert_eq!(paths, ["/robots.txt", "/videre", "/a?x=1", "/v%C3%A6k"]);
    let head = asked[1].to_lowercase();
    assert!(head.contains("user-agent: borgerlinje-import/"), "{head}");
    assert!(head.contains(&format!("host: {at}")), "{head}");
}

fn web_address(at: SocketAddr, path: &str) -> Url {
    Url::parse(&format!("http://{at}{path}")).unwrap()
}

#[tokio::test]
async fn nobody_is_led_to_where_the_operator_did_not_say() {
    let (inner, met) = site(vec![("/", page("hemmeligt"))]).await;
    let (at, _) = site(vec![
        ("/ud", to(&format!("http://{inner}/"))),
        ("/igen", to("/igen")),
        ("/stor", page(&"x".repeat(2_000))),
        (
            "/pakket",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx".to_owned(),
        ),
    ])
    .await;
    let mut web = web(&format!("http://{at}, *.example.dk"));
    for (path, want) in [
        ("/ud", "er ikke på listen"),
        ("/igen", "for mange gange"),
        ("/stor", "for stor"),
        ("/pakket", "pakket"),
    ] {
        let why = web.get(&web_address(at, path), 1_000).await.unwrap_err();
        assert!(why.contains(want), "{path}: {why}");
    }
    assert!(met.lock().unwrap().is_empty());
    assert!(web.address(&format!("http://{inner}/")).is_err());
    // Listed with its domain, and leads home: refused before a connection is made.
    for private in ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254"] {
        let url = Url::parse(&format!("http://{private}:{}/", inner.port())).unwrap();
        let why = web.client.get(&url, hosts::Listed::Below, 1_000).await;
        assert!(why.err().unwrap().contains("lukket net"), "{private}");
    }
    assert!(met.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_site_is_not_hurried_and_one_without_rules_to_read_is_left_alone() {
    for (wanted, pause) in [("3", Some(3_000)), ("0", Some(500)), ("3600", None)] {
        let rules = page(&format!("User-agent: *\nCrawl-delay: {wanted}\n"));
        let (at, _) = site(vec![("/robots.txt", rules)]).await;
        let mut web = web(&format!("http://{at}"));
        let url = web_address(at, "/a");
        let rules = web.robots(&url).await;
        assert_eq!(rules.is_ok(), pause.is_some(), "{wanted}: {rules:?}");
        let known = &web.known[&origin(&url)];
        let most = pause.unwrap_or(3_600_000);
        assert_eq!(known.pause, Duration::from_millis(most));
    }
    let broken = "HTTP/1.1 500 Internal Server Error\r\n\r\n".to_owned();
    let (at, asked) = site(vec![("/robots.txt", broken), ("/a", page("a"))]).await;
    let mut web = web(&format!("http://{at}"));
    for _ in 0..2 {
        let why = web.get(&web_address(at, "/a"), 100).await.unwrap_err();
        assert!(why.contains("robots.txt kan ikke læses"), "{why}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(
        Web::new(Arc::default())
            .err()
            .unwrap()
            .contains("BORGERLINJE_IMPORT_HOSTS")
    );
}
