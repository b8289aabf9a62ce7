//! Which websites may open a chat, over real sockets.

use std::fs;

use tempfile::TempDir;
use tokio::time::{Duration, sleep, timeout};

use crate::client::{Client, hello};
use crate::desk_client::{origin, request_at};
use crate::harness::{Server, borgerlinje, finish};

const AARHUS: &str = "https://www.aarhus.dk";
const PORTAL: &str = "https://portal.example.dk";
const EVIL: &str = "https://evil.example";
const LISTED: &str = r#"
[[website]]
origin = "https://www.aarhus.dk"
municipalities = ["0751"]

[[website]]
origin = "https://portal.example.dk"
"#;

async fn opened(server: &Server, from: Option<&str>) -> Result<Client, u16> {
    Client::open_with(server, "Origin", from).await
}

/// The status, and the head in small letters and the body, as a page of that origin asks.
fn asked(server: &Server, path: &str, from: Option<&str>) -> (u16, String, String) {
    let headers: Vec<_> = from.map(|o| ("Origin", o)).into_iter().collect();
    request_at(server, "GET", path, &headers, "")
}

#[track_caller]
fn shared_with(head: &str, whom: Option<&str>) {
    let allowed = head
        .lines()
        .find_map(|l| l.strip_prefix("access-control-allow-origin: "));
    assert_eq!(allowed, whom, "{head}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_opened_from_listed_websites_alone() {
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-websites-").unwrap();
    let file = folder.path().join("borgerlinje.toml");
    fs::write(&file, LISTED).unwrap();
    let environment = [
        ("BORGERLINJE_CONFIG", file.to_str().unwrap()),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let server = Server::with(&environment);
    let own = origin(&server);
    for (from, town) in [
        (AARHUS, "0751"),
        (PORTAL, "0751"),
        (PORTAL, "0615"),
        (own.as_str(), "0615"),
    ] {
        let mut c = opened(&server, Some(from)).await.unwrap();
        c.send(&hello(town)).await;
        assert_eq!(c.next("welcome").await["municipality"]["code"], town);
    }
    for from in [Some(EVIL), Some("null"), Some("http://www.aarhus.dk"), None] {
        assert_eq!(opened(&server, from).await.err(), Some(403), "{from:?}");
    }
    // A listed website, and a municipality of another.
    let mut c = opened(&server, Some(AARHUS)).await.unwrap();
    c.send(&hello("0615")).await;
    let error = c.refused("unknown_municipality").await;
    let text = error["text"].as_str().unwrap();
    assert!(text.contains("fra denne hjemmeside"), "{error}");
    assert_eq!(c.end().await.1, Some(1008));
    let page = server.metrics();
    assert!(
        page.contains("\nborgerlinje_websites_refused_total 5\n"),
        "{page}"
    );

    // What the page may read of us.
    for (path, from, status, whom) in [
        (
            "/api/municipalities/0751/theme",
            Some(AARHUS),
            200,
            Some(AARHUS),
        ),
        (
            "/api/municipalities/0615/theme",
            Some(AARHUS),
            403,
            Some(AARHUS),
        ),
        (
            "/api/municipalities/0751/theme?lang=en",
            Some(EVIL),
            403,
            Some(EVIL),
        ),
        ("/api/municipalities/0751/theme", None, 200, None),
        ("/widget/borgerlinje.js", Some(PORTAL), 200, Some(PORTAL)),
        ("/widget/borgerlinje.js", Some(EVIL), 200, None),
        ("/widget/borgerlinje.js", None, 200, None),
    ] {
        let (found, head, body) = asked(&server, path, from);
        assert_eq!(found, status, "{path} from {from:?}: {body}");
        shared_with(&head, whom);
        assert!(head.contains("\r\nvary: origin"), "{head}");
        let told = body.contains("cannot be opened from this website");
        assert_eq!(told, path.ends_with("lang=en"), "{body}");
        let theme = head.contains("application/json") && body.contains("on_accent");
        assert_eq!(theme, status == 200 && path.contains("theme"), "{body}");
    }
    for (town, framing) in [
        (
            "0751",
            "frame-ancestors 'self' https://www.aarhus.dk https://portal.example.dk\r",
        ),
        ("0615", "frame-ancestors 'self' https://portal.example.dk\r"),
    ] {
        let (_, head, _) = asked(&server, &format!("/demo/{town}"), None);
        assert!(format!("{head}\r").contains(framing), "{head}");
    }
    let doctor = finish(borgerlinje(&["doctor"]).envs(environment), b"");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("2 may open a chat"), "{said}");

    // Roskilde's code with two digits exchanged: nothing of its own, and nobody would know.
    fs::write(&file, LISTED.replace("0751", "0256")).unwrap();
    let server = Server::with(&environment);
    // What it says is read beside.
    let told = async {
        while !server.stderr().contains("a municipality that is not there") {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let told = timeout(Duration::from_secs(60), told).await;
    assert!(told.is_ok(), "{}", server.stderr());
    let doctor = finish(borgerlinje(&["doctor"]).envs(environment), b"");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("https://www.aarhus.dk for 0256"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_website_is_listed_any_may_open_a_chat() {
    let server = Server::shared();
    for from in [Some(EVIL), Some("null"), None] {
        let mut c = opened(server, from).await.unwrap();
        c.send(&hello("0751")).await;
        c.next("welcome").await;
        for path in ["/api/municipalities/0751/theme", "/widget/borgerlinje.js"] {
            let (status, head, _) = asked(server, path, from);
            assert_eq!(status, 200);
            shared_with(&head, Some("*"));
            assert!(!head.contains("\r\nvary:"), "{head}");
        }
    }
    let (_, head, _) = asked(server, "/demo/0751", None);
    assert!(
        format!("{head}\r").contains("frame-ancestors 'self'\r"),
        "{head}"
    );
    assert!(server.stderr().contains("any may open a chat"));
    let doctor = finish(&mut borgerlinje(&["doctor"]), b"");
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("any website may open a chat"), "{said}");
}
