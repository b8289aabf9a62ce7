//! The page of metrics: what it counts, and the documents and the dashboard that speak of it.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::Client;
use crate::desk_client::{Desk, account, try_sign_in};
use crate::harness::{Server, root};
use crate::switches::switch;

const TOWN: &str = "0751";
const ENVIRONMENT: [(&str, &str); 2] = [
    ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ("BORGERLINJE_ALWAYS_OPEN", "1"),
];

/// The value of one sample; none when there is no such line.
fn value(page: &str, sample: &str) -> Option<f64> {
    let line = page
        .lines()
        .find_map(|l| l.strip_prefix(sample)?.strip_prefix(' '));
    line.map(|v| v.parse().unwrap())
}

/// Waits until a sample has a value: what is counted beside the citizen's answer comes a moment later.
async fn until(server: &Server, sample: &str, wanted: f64) {
    for _ in 0..600 {
        if value(&server.metrics(), sample) == Some(wanted) {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{sample} did not become {wanted}:\n{}", server.metrics());
}

/// The names of the samples, as they are asked for; of a histogram the bare name.
fn names(page: &str) -> BTreeSet<String> {
    let kinds = page.lines().filter_map(|l| l.strip_prefix("# TYPE "));
    kinds
        .map(|l| match l.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, _) => name.to_owned(),
        })
        .collect()
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let name = Regex::new(r"borgerlinje_[a-z_]*[a-z]").unwrap();
    let of_histogram = Regex::new(r"_(bucket|count|sum)$").unwrap();
    name.find_iter(text)
        .map(|m| of_histogram.replace(m.as_str(), "").into_owned())
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operations_watch_is_counted_told_and_drawn() {
    Server::shared();
    let server = Server::with(&ENVIRONMENT);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    assert_eq!(try_sign_in(&server, "anna", "lyng tromme kajak fy").0, 401);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    citizen.ask("a", "Hvordan fornyer jeg mit pas?").await;
    citizen.raw("{").await;
    citizen.refused("bad_frame").await;

    // The centre hears of the municipalities a moment after the port is open.
    until(&server, r#"borgerlinje_waiting{municipality="0751"}"#, 0.0).await;
    let page = server.metrics();
    for (sample, wanted) in [
        (
            r#"borgerlinje_turns_total{outcome="answered",municipality="0751"}"#,
            1.0,
        ),
        ("borgerlinje_turn_seconds_count", 1.0),
        ("borgerlinje_encode_seconds_count", 1.0),
        ("borgerlinje_search_seconds_count", 1.0),
        (r#"borgerlinje_refused_total{reason="bad_frame"}"#, 1.0),
        (r#"borgerlinje_refused_total{reason="overloaded"}"#, 0.0),
        ("borgerlinje_chat_sockets", 1.0),
        ("borgerlinje_dialogues_live", 1.0),
        ("borgerlinje_dialogues_begun_total", 1.0),
        (r#"borgerlinje_sign_ins_total{result="refused"}"#, 1.0),
        (r#"borgerlinje_centre_state{state="serving"}"#, 1.0),
        (r#"borgerlinje_switched_off{what="bot"}"#, 0.0),
    ] {
        assert_eq!(value(&page, sample), Some(wanted), "{sample}\n{page}");
    }
    for some in [
        "borgerlinje_journal_writes_count",
        "borgerlinje_journal_transaction_seconds_count",
        "borgerlinje_resident_memory_bytes",
        "borgerlinje_open_files",
        "borgerlinje_articles",
    ] {
        assert!(value(&page, some).is_some_and(|v| v > 0.0), "{some}");
    }

    // A person.
    let mut anna = Desk::of(&server, "anna").await;
    until(&server, r#"borgerlinje_agents{state="available"}"#, 1.0).await;
    citizen
        .send(&json!({"type": "human", "client_id": "h"}))
        .await;
    citizen.next("handover_offer").await;
    citizen
        .send(&json!({"type": "queue", "client_id": "k"}))
        .await;
    citizen.next("queued").await;
    let offered = |f: &Value| f["card"]["state"]["kind"] == "offered";
    let card = anna.when("card", offered).await;
    until(
        &server,
        r#"borgerlinje_handovers_total{step="requested"}"#,
        1.0,
    )
    .await;
    let page = server.metrics();
    let waiting = value(&page, r#"borgerlinje_waiting{municipality="0751"}"#);
    assert_eq!(waiting, Some(1.0));
    let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    until(
        &server,
        r#"borgerlinje_handovers_total{step="accepted"}"#,
        1.0,
    )
    .await;
    until(&server, r#"borgerlinje_chats{municipality="0751"}"#, 1.0).await;
    assert_eq!(
        value(&server.metrics(), "borgerlinje_desk_sockets"),
        Some(1.0)
    );

    // What stands in the documents is what is there.
    switch(
        &server,
        &["municipality", "0615", "off", "--reason", "prøve"],
    );
    until(
        &server,
        r#"borgerlinje_municipality_switched_off{municipality="0615"}"#,
        1.0,
    )
    .await;
    let there = names(&server.metrics());
    let operations = read("docs/operations.md");
    let from = operations.find("\n## Metrics\n").unwrap();
    let table = operations[from..].lines().filter(|l| l.starts_with("| `"));
    let told: BTreeSet<String> = table
        .flat_map(|row| named(row.split('|').nth(1).unwrap()))
        .collect();
    assert_eq!(told, there, "docs/operations.md, against the page");

    let dashboard: Value =
        serde_json::from_str(&read("docs/examples/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|p| p["targets"].as_array());
    let asked: Vec<&str> = targets
        .flatten()
        .map(|t| t["expr"].as_str().unwrap())
        .collect();
    let drawn = named(&asked.join("\n"));
    assert_eq!(drawn, there, "the dashboard, against the page");

    let alerts: Value = serde_yaml_ng::from_str(&read("docs/examples/alerts.yml")).unwrap();
    for rule in alerts["groups"][0]["rules"].as_array().unwrap() {
        let watched = named(rule["expr"].as_str().unwrap());
        assert!(watched.is_subset(&there), "{rule}");
        for text in ["summary", "do"] {
            assert!(rule["annotations"][text].is_string(), "{rule}");
        }
    }
}

#[test]
fn metrics_are_not_at_the_public_address_and_nothing_else_is_at_theirs() {
    Server::shared();
    let server = Server::with(&ENVIRONMENT);
    assert_eq!(server.get("/metrics").0, 404);
    let there = server.metrics_address();
    assert_eq!(Server::get_at(&there, "/metrics").0, 200);
    for path in ["/", "/health/ready", "/api/municipalities", "/desk"] {
        assert_eq!(Server::get_at(&there, path).0, 404, "{path}");
    }
    assert!(Server::get_at(&there, "/metrics").1.ends_with("# EOF\n"));
}
