//! Several nodes and a real Redis: one is restored from before, then all of them with a Redis that knows nothing.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backup::{Machine, Told, back_up, said};
use crate::centre::redis;
use crate::client::Client;
use crate::desk_client::{ALL, Desk, account};
use crate::harness::Server;
use crate::storm::staffed;

const AARHUS: &str = "0751";

/// A citizen whom the agent has, and the item.
async fn handed_over(server: &Server, desk: &mut Desk) -> (Client, Value) {
    let (mut c, _) = Client::hello(server, AARHUS).await;
    for (kind, id, until) in [("human", "h", "handover_offer"), ("queue", "q", "queued")] {
        c.send(&json!({"type": kind, "client_id": id})).await;
        c.next(until).await;
    }
    let card = desk
        .when("card", |f| f["card"]["state"]["kind"] == "offered")
        .await;
    let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
    desk.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    c.next("agent_joined").await;
    (c, item.clone())
}

async fn says(c: &mut Client, id: &str) {
    c.say(id, "Er der nogen?").await;
    while c.next("citizen").await["client_id"] != id {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_restored_from_before_catches_up_from_the_log_and_all_of_them_repair_a_lost_redis() {
    let Some((store, port)) = redis() else { return };
    Server::shared();
    let url = format!("redis://127.0.0.1:{port}");
    let at = |url: &str, node: &str| {
        [
            ("BORGERLINJE_ALWAYS_OPEN", "1".to_owned()),
            ("BORGERLINJE_REDIS_URL", url.to_owned()),
            ("BORGERLINJE_NODE", node.to_owned()),
        ]
    };
    fn held<'a>(all: &'a [(&'a str, String); 3]) -> [(&'a str, &'a str); 3] {
        all.each_ref().map(|(k, v)| (*k, v.as_str()))
    }
    let (a_set, b_set) = (at(&url, "a"), at(&url, "b"));
    let a = Server::with(&held(&a_set));
    let b_data = TempDir::new().unwrap();
    let b = Server::on(b_data.path(), &held(&b_set));
    account(&b, "anna", "Anna", ALL);
    let mut desk = Desk::of(&b, "anna").await;
    staffed(&a).await;
    let (mut c, item) = handed_over(&a, &mut desk).await;
    says(&mut c, "m-before").await;
    let into = TempDir::new().unwrap();
    let backup = back_up(a.data(), into.path());
    says(&mut c, "m-after").await;
    let told = Told {
        dialogue: c.dialogue.clone(),
        token: c.token.clone(),
        acknowledged: vec!["m-before".to_owned(), "m-after".to_owned()],
    };
    // The machine is lost, with what came after the backup.
    a.kill();
    let machine = Machine::new();
    machine.restore(&backup);
    let a = machine.serve(&held(&a_set));
    let all_there = async |server: &Server| {
        // It reads the log beside everything else.
        for _ in 0..600 {
            let there = said(server, &told).await;
            if told.acknowledged.iter().all(|id| there.contains(id)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{:?}\n{}", said(server, &told).await, server.stderr());
    };
    all_there(&a).await;
    // Written at the one, read at the other.
    let mut c = Client::resume(&a, AARHUS, &told.dialogue, &told.token, 0).await;
    c.next("welcome").await;
    says(&mut c, "m-again").await;
    desk.when("line", |f| f["line"]["from"] == "citizen").await;

    // Now everything is lost but the backup and the other node's journal.
    drop(c);
    a.kill();
    b.kill();
    drop(store);
    let Some((_store, port)) = redis() else {
        return;
    };
    let url = format!("redis://127.0.0.1:{port}");
    let (a_set, b_set) = (at(&url, "a"), at(&url, "b"));
    let machine = Machine::new();
    machine.restore(&backup);
    let a = machine.serve(&held(&a_set));
    let b = Server::on(b_data.path(), &held(&b_set));
    let told = Told {
        acknowledged: ["m-before", "m-after", "m-again"].map(str::to_owned).into(),
        ..told
    };
    for server in [&a, &b] {
        for _ in 0..600 {
            let there = said(server, &told).await;
            if told.acknowledged.iter().all(|id| there.contains(id)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let there = said(server, &told).await;
        for id in &told.acknowledged {
            assert!(there.contains(id), "{id}: {there:?}\n{}", server.stderr());
        }
    }
    let mut desk = Desk::of(&b, "anna").await;
    let opened = desk.done(json!({"type": "open", "item": item})).await;
    let lines = opened["lines"].as_array().unwrap();
    assert!(
        lines.iter().any(|l| l["text"] == "Er der nogen?"),
        "{lines:#?}"
    );
}
