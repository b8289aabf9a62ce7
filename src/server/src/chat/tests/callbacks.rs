//! To be rung back: when nobody can be asked for now, in place of waiting, and no longer.

use std::sync::Arc;

use contact::centre::*;
use contact::sim::id;
use serde_json::json;

use super::super::hand_in::hand_in;
use super::citizen::Citizen;
use super::service::{Service, local};

fn callback(client_id: &str, slot: Option<i64>) -> serde_json::Value {
    let mut frame = json!({"type": "callback", "client_id": client_id, "phone": "20304050"});
    if let Some(slot) = slot {
        frame["slot"] = json!(slot);
    }
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_24_outside_hours_times_within_them_are_offered_and_kept() {
    // A Friday evening.
    let s = Service::at("2091-03-09T21:30").await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.send(json!({"type": "human", "client_id": "h-1"})).await;
    let offer = c.next("handover_offer").await;
    assert_eq!(
        (&offer["open"], &offer["queue"]),
        (&json!(false), &json!(false))
    );
    let slots = offer["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 8);
    assert_eq!(slots[0]["from_ms"], local("2091-03-12T08:00").as_ms());
    assert_eq!(slots[0]["text"], "mandag den 12. marts kl. 8.00 til 8.30");

    c.send(json!({"type": "queue", "client_id": "q-1"})).await;
    let error = c.frame().await;
    assert_eq!(
        (&error["code"], &error["client_id"]),
        (&json!("not_possible"), &json!("q-1"))
    );
    // What is possible instead.
    assert_eq!(c.next("handover_offer").await["queue"], false);

    // At night: no.
    let night = local("2091-03-12T03:00").as_ms();
    c.send(callback("c-1", Some(night))).await;
    assert_eq!(c.frame().await["code"], "not_possible");
    c.next("handover_offer").await;

    let slot = slots[0]["from_ms"].as_i64();
    c.send(callback("c-2", slot)).await;
    let saved = c.next("callback_saved").await;
    assert_eq!(saved["from_ms"].as_i64(), slot);
    let text = saved["text"].as_str().unwrap();
    let reference = saved["reference"].as_str().unwrap();
    assert!(
        text.contains("mandag den 12. marts") && text.contains(reference),
        "{text}"
    );
    let item = s.callback(&c.dialogue).await.unwrap();
    assert_eq!(item.state, ItemState::Callback(Stage::Promised));
    // What `citizen export` reads from the disk beside the running node.
    let (journal, dialogue) = (&s.app.journal, c.dialogue.parse().unwrap());
    let clock = Arc::clone(&s.app.clock);
    let read = crate::centre::items_of(journal, clock, &dialogue).await;
    assert_eq!(read.unwrap(), std::slice::from_ref(&item));
    let phone = item
        .callback
        .as_ref()
        .map(|c| String::from(c.phone.clone()));
    assert_eq!(phone.as_deref(), Some("+4520304050"));

    // Asked for again, as after a lost acknowledgement: the same promise, and one only.
    let mut again = c.again(&s).await;
    again.send(callback("c-2", slot)).await;
    again.seq = again.known(&s, "c-2").await - 1;
    assert_eq!(
        again.next("callback_saved").await["reference"],
        saved["reference"]
    );
    again
        .send(callback("c-3", slots[1]["from_ms"].as_i64()))
        .await;
    assert_eq!(again.frame().await["code"], "not_possible");

    again
        .send(json!({"type": "cancel_callback", "client_id": "x-1", "reference": reference}))
        .await;
    let cancelled = again.next("callback_cancelled").await;
    assert_eq!(cancelled["client_id"], "x-1");
    assert!(s.callback(&c.dialogue).await.is_none());
    again
        .send(json!({"type": "cancel_callback", "client_id": "x-2", "reference": reference}))
        .await;
    assert_eq!(again.frame().await["code"], "not_possible");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_25_who_waits_when_the_last_agent_leaves_is_told_and_can_be_rung() {
    let s = Service::start().await;
    s.agent("anna").await;
    s.ok(Command::Pause {
        agent: id("anna"),
        why: Pause::Break,
    })
    .await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    s.ok(Command::SignOut { agent: id("anna") }).await;
    let offer = c.next("callback_offer").await;
    assert_eq!(offer["reason"], "no_agents");
    let slot = offer["slots"][0]["from_ms"].as_i64();
    assert!(slot > Some(s.now().as_ms()), "{offer}");
    c.send(callback("c-1", slot)).await;
    c.next("callback_saved").await;
    assert!(
        s.chat(&c.dialogue).await.is_none(),
        "the place has become the call"
    );
    let item = s.callback(&c.dialogue).await.unwrap();
    assert_eq!(item.callback.unwrap().from.as_ms(), slot.unwrap());
    // The bot is there as before, and who asks for a person gets an honest offer.
    c.send(json!({"type": "human", "client_id": "h-2"})).await;
    assert_eq!(c.next("handover_offer").await["queue"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_agents_a_number_can_be_left_all_the_same_and_taken_back() {
    let s = Service::start().await;
    let mut c = Citizen::come(&s).await;
    c.send(json!({"type": "human", "client_id": "h-1"})).await;
    let offer = c.next("handover_offer").await;
    assert_eq!(
        (&offer["queue"], &offer["slots"]),
        (&json!(false), &json!([]))
    );
    c.send(callback("c-1", None)).await;
    let saved = c.next("callback_saved").await;
    assert!(saved.get("from_ms").is_none());
    let cancel =
        json!({"type": "cancel_callback", "client_id": "x-1", "reference": saved["reference"]});
    c.send(cancel).await;
    assert_eq!(
        c.next("callback_cancelled").await["reference"],
        saved["reference"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_27_a_call_that_was_made_is_told_in_the_dialogue_once() {
    let s = Service::at("2091-03-05T08:10").await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.send(json!({"type": "human", "client_id": "h-1"})).await;
    let offer = c.next("handover_offer").await;
    c.send(callback("c-1", offer["slots"][0]["from_ms"].as_i64()))
        .await;
    c.next("callback_saved").await;
    // To the minute: offers that nobody answers would pause the agent.
    s.pass(20).await;
    s.until("rung", async || {
        let item = s.callback(&c.dialogue).await.unwrap();
        match item.state {
            ItemState::Offered { agent, offer, .. } => {
                let item = item.id;
                s.ok(Command::Accept { item, agent, offer }).await;
                false
            }
            ItemState::Callback(Stage::Ringing { agent, .. }) => {
                let (item, epoch, result) = (item.id, item.epoch, DialResult::Reached);
                s.ok(Command::EndDial {
                    item,
                    agent,
                    epoch,
                    result,
                })
                .await;
                true
            }
            _ => false,
        }
    })
    .await;
    let ended = c.next("handover_ended").await;
    assert_eq!(ended["outcome"], "reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_without_a_time_becomes_a_promise_once() {
    let s = Service::start().await;
    let mut c = Citizen::come(&s).await;
    c.send(callback("c-1", None)).await;
    let saved = c.next("callback_saved").await;
    assert!(saved.get("from_ms").is_none(), "{saved}");
    let mut gone = Citizen::come(&s).await;
    gone.send(callback("c-1", None)).await;
    let reference = gone.next("callback_saved").await["reference"].clone();
    gone.send(json!({"type": "cancel_callback", "client_id": "x-1", "reference": reference}))
        .await;
    gone.next("callback_cancelled").await;

    // The service looks now and then by itself; this may be the second time.
    hand_in(&s.app).await.unwrap();
    let item = s.callback(&c.dialogue).await.expect("it is promised");
    let promised = item.callback.unwrap();
    assert_eq!(promised.reference.as_str(), saved["reference"]);
    assert_eq!(promised.phone.as_e164(), "+4520304050");
    assert!(s.callback(&gone.dialogue).await.is_none());
    assert_eq!(hand_in(&s.app).await.unwrap(), 0, "once");
    let rows = s.app.journal.waiting_callbacks(10).await.unwrap();
    assert!(rows.is_empty());

    c.send(json!({"type": "cancel_callback", "client_id": "x-2", "reference": saved["reference"]}))
        .await;
    c.next("callback_cancelled").await;
    assert!(s.callback(&c.dialogue).await.is_none());
}
