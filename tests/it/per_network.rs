//! How much of the chat one network may have, over real sockets, behind a proxy.

use std::fs;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::client::{Client, hello};
use crate::harness::Server;

const TOWN: &str = "0751";
const LIBRARY: &str = "198.51.100.7";
const ELSEWHERE: &str = "198.51.100.8";

async fn new(server: &Server, from: Option<&str>) -> Client {
    for _ in 0..600 {
        // Those that have left are counted for a moment longer.
        if let Ok(mut c) = Client::open_from(server, from).await {
            c.send(&hello(TOWN)).await;
            return c;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("no socket came of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_network_cannot_take_the_chat_from_the_others() {
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-network-").unwrap();
    let file = folder.path().join("borgerlinje.toml");
    let limits = "[per_network]\nsockets = 3\ndialogues = 5\ndialogues_an_hour = 1\n";
    fs::write(&file, limits).unwrap();
    let server = Server::with(&[
        ("BORGERLINJE_CONFIG", file.to_str().unwrap()),
        ("BORGERLINJE_PROXIES", "127.0.0.1"),
    ]);
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut c = new(&server, Some(LIBRARY)).await;
        c.next("welcome").await;
        open.push(c);
    }
    let mut fourth = new(&server, Some(LIBRARY)).await;
    let refused = fourth.refused("overloaded").await;
    assert!(
        refused["text"].as_str().unwrap().contains("netværk"),
        "{refused}"
    );
    assert_eq!(refused["retry_after_ms"], 30_000);
    assert_eq!(fourth.end().await.1, Some(1013));
    new(&server, Some(ELSEWHERE)).await.next("welcome").await;

    // A place is free when somebody has left; two more dialogues may begin, and then one an hour.
    for _ in 0..2 {
        let mut gone = open.remove(0);
        gone.send(&json!({"type": "bye"})).await;
        gone.end().await;
        drop(gone);
        open.push(welcomed(&server).await);
    }
    let mut gone = open.remove(0);
    gone.send(&json!({"type": "bye"})).await;
    gone.end().await;
    let wait = loop {
        let mut sixth = new(&server, Some(LIBRARY)).await;
        let wait = sixth.refused("overloaded").await["retry_after_ms"]
            .as_u64()
            .unwrap();
        // Until the service has seen that the last one left, there is no place.
        if wait != 30_000 {
            break wait;
        }
        sleep(Duration::from_millis(100)).await;
    };
    assert!((1_000..=3_600_000).contains(&wait), "{wait}");
    // Who comes back has begun already.
    let (dialogue, token) = (open[0].dialogue.clone(), open[0].token.clone());
    let mut frame = hello(TOWN);
    frame["resume"] = json!({"dialogue": dialogue, "token": token, "seq": 0});
    loop {
        // The places of those that were refused are free a moment after they have left.
        if let Ok(mut back) = Client::open_from(&server, Some(LIBRARY)).await {
            back.send(&frame).await;
            let answer = back.frame().await.unwrap();
            if answer["type"] == "welcome" {
                assert_eq!(answer["resumed"], true);
                break;
            }
            assert_eq!(answer["retry_after_ms"], 30_000, "{answer}");
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Another dialogue from the library, once there is a place.
async fn welcomed(server: &Server) -> Client {
    loop {
        let mut c = new(server, Some(LIBRARY)).await;
        let frame = c.frame().await.unwrap();
        if frame["type"] == "welcome" {
            c.dialogue = frame["dialogue"].as_str().unwrap().to_owned();
            c.token = frame["token"].as_str().unwrap().to_owned();
            return c;
        }
        assert_eq!(frame["retry_after_ms"], 30_000, "{frame}");
        drop(c);
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_may_be_a_proxy_is_not_limited() {
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-network-").unwrap();
    let file = folder.path().join("borgerlinje.toml");
    fs::write(&file, "[per_network]\nsockets = 1\ndialogues = 1\n").unwrap();
    let server = Server::with(&[("BORGERLINJE_CONFIG", file.to_str().unwrap())]);
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut c = new(&server, Some(LIBRARY)).await;
        c.next("welcome").await;
        open.push(c);
    }
}
