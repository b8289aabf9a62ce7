//! Several nodes, one centre: each serves any citizen.

use serde_json::json;

use super::citizen::{Citizen, kinds};
use super::service::{AARHUS, NOWHERE, Service};
use crate::centre::tests::redis;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_19_a_citizen_goes_on_at_another_node_with_nothing_lost_redis() {
    if !redis::is_here() {
        return;
    }
    let server = redis::Server::start().await;
    let a = Service::beside("node-a", &server.url()).await;
    let b = Service::beside("node-b", &server.url()).await;
    a.never_closes().await;
    // The agent sits at the one node, the citizen comes to the other.
    b.agent("anna").await;
    let mut c = Citizen::come(&a).await;
    c.ask("q-1", "Hvordan fornyer jeg mit pas?").await;
    c.queue().await;
    let anna = b.accept(&c.dialogue).await;
    c.next("agent_joined").await;
    b.says(&anna, "m-1", "Hej, det er Anna").await;
    assert_eq!(c.next("agent").await["text"], "Hej, det er Anna");
    c.say("q-2", "Hej Anna").await;
    c.next("citizen").await;
    // What this node alone knows.
    c.send(json!({"type": "rate", "client_id": "r-1", "score": 2}))
        .await;
    c.next("rated").await;

    let mut there = c.again(&b).await;
    drop(c);
    let w = &there.welcome;
    assert_eq!((&w["resumed"], &w["replay"]), (&json!(true), &json!(true)));
    let newest = w["seq"].as_u64().unwrap();
    let mut all = Vec::new();
    while there.seq < newest {
        all.push(there.frame().await);
    }
    let said: Vec<&str> = kinds(&all)
        .into_iter()
        .filter(|k| *k != "answer_part")
        .collect();
    let want = [
        "citizen",
        "answer_start",
        "answer_end",
        "citizen",
        "handover_offer",
        "queued",
        "agent_joined",
        "agent",
        "citizen",
    ];
    assert_eq!(said, want);
    b.says(&anna, "m-2", "Du er her stadig").await;
    assert_eq!(there.next("agent").await["text"], "Du er her stadig");
    b.close(&anna).await;
    there.next("handover_ended").await;
    // At the same node again nothing is sent twice.
    let mut back = there.again(&b).await;
    assert_eq!(back.welcome["replay"], false);
    assert_eq!(kinds(&back.so_far().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_17_without_the_log_the_bot_answers_and_a_number_is_taken_redis() {
    let s = Service::beside("node-a", NOWHERE).await;
    let mut c = Citizen::come(&s).await;
    assert_eq!(c.welcome["municipality"]["code"], AARHUS);
    c.ask("q-1", "Hvordan fornyer jeg mit pas?").await;
    c.send(json!({"type": "human", "client_id": "h-1"})).await;
    let offer = c.next("handover_offer").await;
    assert_eq!(
        (&offer["queue"], &offer["slots"]),
        (&json!(false), &json!([]))
    );
    c.send(json!({"type": "callback", "client_id": "c-1", "phone": "20304050"}))
        .await;
    c.next("callback_saved").await;
}
