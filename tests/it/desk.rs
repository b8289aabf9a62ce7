//! The desk over real sockets: what is answered, who counts as there.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Duration, Instant};

use crate::desk_client::{
    ALL, Desk, PASSWORD, account, id, origin, request_at, sign_in, try_sign_in, user,
};
use crate::harness::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_is_for_those_who_signed_in_here() {
    let server = Server::own();
    account(&server, "anna", "Anna", &["--municipalities", "0751,0615"]);
    account(
        &server,
        "egon",
        "Egon",
        &["--municipalities", "all", "--role", "editor"],
    );
    let session = sign_in(&server, "anna");
    let (cookie, from) = (session.cookie.as_str(), origin(&server));
    for (cookie, from, want) in [
        (None, Some(from.as_str()), 401),
        (Some("__Host-borgerlinje=made-up"), Some(&*from), 401),
        (Some(cookie), None, 403),
        (Some(cookie), Some("https://evil.example"), 403),
    ] {
        let refused = Desk::connect(&server, cookie, from).await;
        assert_eq!(refused.err(), Some(want));
    }
    let editor = sign_in(&server, "egon");
    let refused = Desk::connect(&server, Some(&editor.cookie), Some(&from)).await;
    assert_eq!(
        refused.err(),
        Some(403),
        "the desk is for agents and supervisors"
    );

    for hello in [
        json!({"type": "hello", "v": 1, "csrf": "0000", "visible": true}),
        json!({"type": "hello", "v": 2, "csrf": session.csrf, "visible": true}),
        json!({"type": "resume", "id": "a"}),
    ] {
        let mut desk = Desk::connect(&server, Some(cookie), Some(&from))
            .await
            .unwrap();
        desk.send(hello.clone()).await;
        let (frames, code) = desk.end().await;
        assert_eq!(code, Some(1008), "{hello}");
        assert_eq!(frames.last().unwrap()["type"], "error");
        assert!(frames.iter().all(|f| f["type"] != "welcome"));
    }

    let desk = Desk::open(&server, &session).await;
    let w = &desk.welcome;
    assert_eq!(
        (&w["v"], &w["me"]["id"], &w["me"]["capacity"]),
        (&json!(1), &json!("anna"), &json!(3))
    );
    let names: Vec<&Value> = w["municipalities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["name"])
        .collect();
    assert_eq!(names, ["Horsens Kommune", "Aarhus Kommune"]);
    let slots = &w["municipalities"][1]["slots"];
    assert!(
        slots["kommune.telefon"].as_str().unwrap().contains("07 51"),
        "{slots}"
    );
    assert!(
        w["canned"].as_array().unwrap().len() >= 20 && w["codes"].as_array().unwrap().len() == 12
    );
    assert!(w["areas"].as_array().unwrap().len() > 30);
    assert_eq!(w["limits"]["offer_ms"], 20_000);
    assert_eq!(desk.snapshot["cards"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_cannot_be_read_are_answered_and_few() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    let mut desk = Desk::of(&server, "anna").await;
    desk.send(json!({"type": "dance", "id": "a-1"})).await;
    assert_eq!(desk.answer(&json!("a-1")).await["code"], "bad_frame");
    desk.send(json!({"type": "pick", "id": "a-2", "item": 7}))
        .await;
    assert_eq!(desk.answer(&json!("a-2")).await["code"], "bad_frame");
    for text in ["{", "[]", "null"] {
        desk.raw(text.to_owned()).await;
        assert_eq!(desk.next("error").await["code"], "bad_frame", "{text}");
    }
    // What can be read goes on: there is nothing of the kind.
    let item = || json!("i-none");
    desk.refused(json!({"type": "pick", "item": item()}), "unknown")
        .await;
    desk.refused(json!({"type": "open", "item": item()}), "unknown")
        .await;
    desk.refused(json!({"type": "release", "item": item()}), "not_allowed")
        .await;
    desk.refused(
        json!({"type": "message", "item": item(), "epoch": 1, "text": "Hej"}),
        "unknown",
    )
    .await;
    desk.refused(
        json!({"type": "message", "item": item(), "epoch": 1, "text": "  "}),
        "bad_frame",
    )
    .await;
    let long = "a".repeat(4_001);
    desk.refused(
        json!({"type": "note", "item": item(), "epoch": 1, "text": long}),
        "too_long",
    )
    .await;
    desk.refused(
        json!({"type": "close", "item": item(), "epoch": 1, "code": "nej"}),
        "unknown",
    )
    .await;
    let to = json!({"bot": true, "team": "t"});
    desk.refused(
        json!({"type": "transfer", "item": item(), "epoch": 1, "to": to}),
        "bad_frame",
    )
    .await;
    for n in 0..5 {
        desk.raw(format!("{{{n}")).await;
    }
    let (_, code) = desk.end().await;
    assert_eq!(code, Some(1008), "ten are enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_pauses_searches_and_signs_out() {
    let server = Server::own();
    account(&server, "anna", "Anna", &["--municipalities", "0751"]);
    let mut desk = Desk::of(&server, "anna").await;
    desk.done(json!({"type": "pause", "why": "break"})).await;
    let standing = desk.when("agent", |f| f["state"] == "paused").await;
    assert_eq!(standing["paused"], "break");
    desk.done(json!({"type": "resume"})).await;
    desk.when("agent", |f| f["state"] == "available").await;
    desk.done(json!({"type": "mode", "mode": "pick"})).await;
    desk.when("agent", |f| f["mode"] == "pick").await;

    let found = desk
        .done(json!({"type": "search", "municipality": "0751", "text": "forny pas"}))
        .await;
    let articles = found["articles"].as_array().unwrap();
    assert!((1..=8).contains(&articles.len()));
    assert!(
        articles[0]["text"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("pas")
    );
    assert!(
        !articles[0]["text"].as_str().unwrap().contains("{{"),
        "slots are filled"
    );
    desk.refused(
        json!({"type": "search", "municipality": "0615", "text": "pas"}),
        "not_allowed",
    )
    .await;

    desk.send(json!({"type": "watch", "what": ["queue", "callbacks", "supervisor"]}))
        .await;
    assert_eq!(desk.next("queue").await["total"], 0);
    assert_eq!(desk.next("callbacks").await["rows"], json!([]));

    let second = sign_in(&server, "anna");
    let mut other = Desk::open(&server, &second).await;
    assert_eq!(other.snapshot["me"]["mode"], "pick");
    let out = json!({"type": "sign_out", "id": id()});
    desk.send(out.clone()).await;
    let (frames, code) = desk.end().await;
    assert!(
        frames
            .iter()
            .any(|f| f["type"] == "ok" && f["id"] == out["id"]),
        "{frames:?}"
    );
    assert_eq!(
        (code, &frames.last().unwrap()["code"]),
        (Some(1008), &json!("signed_out"))
    );
    let (frames, code) = other.end().await;
    assert_eq!(
        (code, &frames.last().unwrap()["code"]),
        (Some(1008), &json!("signed_out"))
    );
    assert!(
        frames.iter().all(|f| f["type"] != "supervisor"),
        "not a supervisor"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_account_reach_the_open_desk() {
    let server = Server::own();
    account(&server, "anna", "Anna", &["--municipalities", "0751"]);
    let mut desk = Desk::of(&server, "anna").await;
    let started = Instant::now();
    user(
        &server,
        &[
            "set",
            "anna",
            "--municipalities",
            "0751,0615",
            "--capacity",
            "5",
        ],
        "",
    );
    let welcome = desk.next("welcome").await;
    assert_eq!(welcome["me"]["capacity"], 5);
    assert_eq!(welcome["municipalities"].as_array().unwrap().len(), 2);
    desk.next("snapshot").await;
    assert!(started.elapsed() < Duration::from_secs(10));
    user(&server, &["password", "anna"], "hylde broste fjern klat");
    let (frames, code) = desk.end().await;
    assert_eq!(
        (code, &frames.last().unwrap()["code"]),
        (Some(1008), &json!("signed_out"))
    );
    assert_eq!(try_sign_in(&server, "anna", PASSWORD).0, 401);
    assert_eq!(
        try_sign_in(&server, "anna", "hylde broste fjern klat").0,
        200
    );
    user(&server, &["remove", "anna"], "");
    assert_eq!(
        try_sign_in(&server, "anna", "hylde broste fjern klat").0,
        401
    );
}

fn with_config(text: &str) -> (Server, TempDir) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("b.toml");
    fs::write(&path, text).unwrap();
    let server = Server::with(&[("BORGERLINJE_CONFIG", path.to_str().unwrap())]);
    (server, dir)
}

/// Scenarios 6 and 7: an open socket is no presence, and a page that comes back is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_06_a_silent_and_a_hidden_page_are_absent_embedded() {
    Server::shared();
    let (server, _dir) = with_config("[desk]\nping_ms = 200\nsilent_ms = 1000\nhidden_ms = 1500\n");
    account(&server, "anna", "Anna", ALL);
    account(
        &server,
        "sofie",
        "Sofie",
        &["--municipalities", "all", "--role", "supervisor"],
    );
    let mut boss = Desk::of(&server, "sofie").await;
    boss.send(json!({"type": "watch", "what": ["supervisor"]}))
        .await;
    let state = |f: &Value| {
        let agents = f["agents"].as_array().unwrap();
        let anna = agents.iter().find(|a| a["id"] == "anna").cloned();
        anna.map(|a| a["state"].as_str().unwrap().to_owned())
    };
    let is = |want: &'static str| move |f: &Value| state(f).as_deref() == Some(want);
    let mut anna = Desk::of(&server, "anna").await;
    boss.when("supervisor", is("available")).await;

    // The socket stays open, but nobody answers.
    anna.answers = None;
    let reading = tokio::spawn(async move {
        anna.when("agent", |f| f["state"] == "absent").await;
        anna
    });
    boss.when("supervisor", is("absent")).await;
    let mut anna = reading.await.unwrap();
    anna.answers = Some(true);
    anna.when("agent", |f| f["state"] == "available").await;

    // The page answers from the background.
    anna.answers = Some(false);
    let started = Instant::now();
    anna.when("agent", |f| f["state"] == "absent").await;
    assert!(
        started.elapsed() >= Duration::from_millis(1_400),
        "{:?}",
        started.elapsed()
    );
    anna.answers = Some(true);
    anna.when("agent", |f| f["state"] == "available").await;
    drop(anna);
    boss.when("supervisor", is("absent")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn desks_are_told_when_the_service_stops() {
    let server = Server::own();
    account(&server, "anna", "Anna", ALL);
    let mut desk = Desk::of(&server, "anna").await;
    server.terminate();
    let (frames, code) = desk.end().await;
    assert_eq!(
        (code, &frames.last().unwrap()["code"]),
        (Some(1013), &json!("unavailable"))
    );
}

#[test]
fn the_page_and_its_files_are_served_under_a_strict_policy() {
    Server::shared();
    let widget = TempDir::new().unwrap();
    let folder = widget.path().join("dist/desk");
    fs::create_dir_all(folder.join("fonts")).unwrap();
    fs::write(
        folder.join("index.html"),
        "<!doctype html><title>Desk</title>",
    )
    .unwrap();
    fs::write(folder.join("desk.js"), "'use strict';").unwrap();
    fs::write(folder.join("fonts/a.woff2"), [0, 159, 146, 150]).unwrap();
    fs::write(widget.path().join("secret.js"), "no").unwrap();
    let server = Server::with(&[("BORGERLINJE_WIDGET", widget.path().to_str().unwrap())]);
    let (status, head, body) = request_at(&server, "GET", "/desk", &[], "");
    assert_eq!((status, body.contains("Desk")), (200, true));
    assert!(head.contains("content-type: text/html"), "{head}");
    let policy = head
        .lines()
        .find(|l| l.starts_with("content-security-policy"))
        .unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"),
        "{policy}"
    );
    let (status, head, _) = request_at(&server, "GET", "/desk/desk.js", &[], "");
    assert_eq!(status, 200);
    let tag = head.lines().find_map(|l| l.strip_prefix("etag: ")).unwrap();
    let again = request_at(
        &server,
        "GET",
        "/desk/desk.js",
        &[("If-None-Match", tag)],
        "",
    );
    assert_eq!((again.0, again.2.as_str()), (304, ""));
    let font = request_at(&server, "GET", "/desk/fonts/a.woff2", &[], "");
    assert!(font.0 == 200 && font.1.contains("content-type: font/woff2"));
    for path in [
        "/desk/none.js",
        "/desk/../secret.js",
        "/desk/%2e%2e/secret.js",
        "/desk/fonts/%2e%2e/%2e%2e/secret.js",
    ] {
        assert_eq!(request_at(&server, "GET", path, &[], "").0, 404, "{path}");
    }
}
