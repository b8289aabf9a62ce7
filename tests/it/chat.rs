//! The chat as a citizen's browser sees it: what is said, what is kept, what survives.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

use crate::client::{Client, answer, events, kinds, seqs};
use crate::harness::{Server, root};

const PASSPORT: &str = "Hvordan fornyer jeg mit pas?";

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|e| e["type"] == kind).count()
}

fn contiguous(events: &[Value], from: u64) {
    let want: Vec<u64> = (from..).take(events.len()).collect();
    assert_eq!(seqs(events), want, "{events:#?}");
}

#[tokio::test]
async fn a_question_is_answered_with_its_source() {
    let server = Server::shared();
    let (mut c, welcome) = Client::hello(server, "0751").await;
    assert_eq!(welcome["seq"], 0);
    assert_eq!(welcome["resumed"], false);
    assert_eq!(welcome["municipality"]["name"], "Aarhus Kommune");
    let disclosure = welcome["disclosure"].as_str().unwrap().to_lowercase();
    assert!(
        ["robot", "maskine", "computer", "automatisk", "digital"]
            .iter()
            .any(|w| disclosure.contains(w)),
        "{disclosure}"
    );

    let turn = c.ask("a-1", PASSPORT).await;
    contiguous(&turn, 1);
    assert_eq!(turn[0]["type"], "citizen");
    assert_eq!(turn[0]["text"], PASSPORT);
    assert_eq!(turn[1]["type"], "answer_start");
    assert_eq!(turn[1]["outcome"], "answered");
    assert!(count(&turn, "answer_part") > 0);
    assert!(answer(&turn).contains("pas"), "{}", answer(&turn));
    let end = turn.last().unwrap();
    assert_eq!(end["sources"][0]["article_id"], "pas-forny");
    assert_eq!(end["can_rate"], true);
    for part in &turn[1..] {
        assert_eq!(part["turn"], turn[1]["turn"]);
    }

    // A second turn goes on counting.
    let next = c.ask("a-2", "Hvor afleverer jeg batterier?").await;
    contiguous(&next, seqs(&turn).last().unwrap() + 1);
}

#[tokio::test]
async fn a_client_id_is_carried_out_once() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let first = c.ask("same", PASSPORT).await;
    c.say("same", PASSPORT).await;
    assert_eq!(c.next("citizen").await, first[0]);
    // Nor does other text under the same id count, nor another connection.
    let mut other = Client::resume(server, "0751", &c.dialogue, &c.token, 0).await;
    other.until("answer_end").await;
    other.say("same", "Noget helt andet").await;
    assert_eq!(other.next("citizen").await, first[0]);
    let kept = Client::events(server, "0751", &c.dialogue, &c.token, 0).await;
    assert_eq!(kept, first);
}

#[tokio::test]
async fn both_connections_of_a_dialogue_see_all() {
    let server = Server::shared();
    let (mut one, _) = Client::hello(server, "0751").await;
    let mut two = Client::resume(server, "0751", &one.dialogue, &one.token, 0).await;
    two.next("welcome").await;
    let first = one.ask("a", PASSPORT).await;
    assert_eq!(events(two.until("answer_end").await), first);
    let second = two.ask("b", "Hvor afleverer jeg batterier?").await;
    assert_eq!(events(one.until("answer_end").await), second);
}

#[tokio::test]
async fn personal_numbers_leave_no_trace() {
    // A server of its own: nothing else is in its files, and it says all it can say.
    let server = Server::with(&[("BORGERLINJE_LOG", "debug")]);
    let (mut c, _) = Client::hello(&server, "0751").await;
    let numbers = [
        ("150785-4321", "1507854321"),
        ("230194 1177", "2301941177"),
        ("711266-0203", "7112660203"),
        ("0409989876", "0409989876"),
        ("08 11 79 3355", "0811793355"),
    ];
    for (i, (written, _)) in numbers.iter().enumerate() {
        let turn = c
            .ask(
                &format!("m-{i}"),
                &format!("Mit cpr er {written}, hvordan fornyer jeg mit pas?"),
            )
            .await;
        let echo = turn[0]["text"].as_str().unwrap();
        assert_eq!(turn[0]["masked"], json!(["cpr"]));
        assert!(!echo.contains(|c: char| c.is_ascii_digit()), "{echo}");
        assert!(echo.ends_with("hvordan fornyer jeg mit pas?"), "{echo}");
        assert_eq!(turn[1]["type"], "notice", "{turn:#?}");
    }
    let comment = format!("godt, jeg er {}", numbers[0].0);
    c.send(&json!({"type": "rate", "client_id": "r", "score": 3, "comment": comment}))
        .await;
    let rated = c.next("rated").await;
    assert!(!rated["comment"].as_str().unwrap().contains("150785"));
    let topic = format!("om {}", numbers[1].0);
    c.send(&json!({"type": "callback", "client_id": "c", "phone": "20304050", "topic": topic}))
        .await;
    c.next("callback_saved").await;

    let mut kept = server.stored();
    kept.push(("standard error".to_owned(), server.stderr().into_bytes()));
    let holds = |bytes: &[u8], what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
    assert!(
        kept.iter().any(|(_, b)| holds(b, "hvordan fornyer jeg")),
        "the messages themselves are on disk"
    );
    for (file, bytes) in &kept {
        for (written, digits) in &numbers {
            let tail = &written[written.len() - 5..];
            let mut traces = vec![*written, digits, &digits[..6]];
            // Four digits alone may be a part of any number.
            if !tail.starts_with(|c: char| c.is_ascii_digit()) {
                traces.push(tail);
            }
            for trace in traces {
                assert!(!holds(bytes, trace), "«{trace}» is in {file}");
            }
        }
    }
}

#[tokio::test]
async fn an_article_is_chosen() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let choose =
        |id: &str, article: &str| json!({"type": "choose", "client_id": id, "article_id": article});
    c.send(&choose("c1", "pas-barn")).await;
    let turn = events(c.until("answer_end").await);
    contiguous(&turn, 1);
    assert_eq!(turn[0]["text"], turn[1]["title"]);
    assert_eq!(turn[1]["outcome"], "answered");
    assert_eq!(turn.last().unwrap()["sources"][0]["article_id"], "pas-barn");
    c.send(&choose("c1", "pas-barn")).await;
    assert_eq!(c.next("citizen").await, turn[0]);
    c.send(&choose("c2", "findes-ikke")).await;
    let error = c.refused("bad_frame").await;
    assert!(error["text"].as_str().unwrap().contains("article_id"));
    assert_eq!(error["client_id"], "c2");
}

#[tokio::test]
async fn answers_and_dialogues_are_rated() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let turn = c.ask("q", PASSPORT).await;
    let id = turn[1]["turn"].clone();
    for score in 1..=3 {
        c.send(&json!({"type": "rate", "client_id": format!("r{score}"), "turn": id, "score": score, "comment": "æøå"}))
            .await;
        let rated = c.next("rated").await;
        assert_eq!(rated["score"], score);
        assert_eq!(rated["turn"], id);
        assert_eq!(rated["comment"], "æøå");
    }
    c.send(&json!({"type": "rate", "client_id": "whole", "score": 2}))
        .await;
    assert!(c.next("rated").await.get("turn").is_none());
    for score in [0, 4] {
        c.raw(&json!({"type": "rate", "client_id": "r4", "score": score}).to_string())
            .await;
        let error = c.refused("bad_frame").await;
        assert!(error["text"].as_str().unwrap().contains("score"), "{error}");
    }
    let long = "å".repeat(1001);
    c.raw(&json!({"type": "rate", "client_id": "r5", "score": 1, "comment": long}).to_string())
        .await;
    c.refused("too_large").await;
    let kept = Client::events(server, "0751", &c.dialogue, &c.token, 0).await;
    assert_eq!(count(&kept, "rated"), 4);
}

#[tokio::test]
async fn a_number_is_left_for_a_person() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    for phone in ["12", "+45", "ring til mig", "123456789"] {
        c.raw(&json!({"type": "callback", "client_id": "bad", "phone": phone}).to_string())
            .await;
        let error = c.refused("bad_frame").await;
        assert_eq!(error["client_id"], "bad");
    }
    let good =
        json!({"type": "callback", "client_id": "good", "phone": "20304050", "topic": "pas"});
    c.send(&good).await;
    let saved = c.next("callback_saved").await;
    assert_eq!(saved["seq"], 1);
    let reference = saved["reference"].as_str().unwrap();
    assert!(saved["text"].as_str().unwrap().contains(reference));
    // The same again is the same call back.
    c.send(&good).await;
    assert_eq!(c.next("callback_saved").await, saved);
}

#[tokio::test]
async fn a_person_is_offered() {
    let server = Server::shared();
    let (mut c, welcome) = Client::hello(server, "0751").await;
    c.send(&json!({"type": "human", "client_id": "h"})).await;
    let got = events(c.until("handover_offer").await);
    assert_eq!(kinds(&got), ["citizen", "handover_offer"]);
    for field in ["hours", "phone"] {
        assert_eq!(got[1][field], welcome["contact"][field]);
        assert_ne!(got[1][field], "");
    }
    // In words it comes to the same.
    c.say("w", "jeg vil gerne tale med et menneske").await;
    let got = events(c.until("handover_offer").await);
    assert_eq!(got[0]["client_id"], "w");
}

#[tokio::test]
async fn what_was_missed_is_sent_again() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    let mut all = c.ask("one", PASSPORT).await;
    all.extend(c.ask("two", "Hvor afleverer jeg batterier?").await);
    let (dialogue, token) = (c.dialogue.clone(), c.token.clone());
    drop(c);
    for seen in [0, 1, all.len() / 2, all.len() - 1, all.len()] {
        let missed = Client::events(server, "0751", &dialogue, &token, seen as u64).await;
        assert_eq!(missed, all[seen..], "after {seen}");
    }
    // And it goes on from there.
    let mut c = Client::resume(server, "0751", &dialogue, &token, all.len() as u64).await;
    c.next("welcome").await;
    let next = c.ask("three", "hvad koster et pas?").await;
    contiguous(&next, all.len() as u64 + 1);
}

#[tokio::test]
async fn a_dialogue_opens_to_its_token_alone() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    c.ask("one", PASSPORT).await;
    let (dialogue, token) = (c.dialogue.clone(), c.token.clone());
    let (stranger, _) = Client::hello(server, "0751").await;
    for (municipality, dialogue, token) in [
        ("0751", &dialogue, &stranger.token),
        ("0751", &stranger.dialogue, &token),
        ("0751", &dialogue, &"x".to_owned()),
        ("0751", &"x".to_owned(), &token),
        ("0615", &dialogue, &token),
    ] {
        let mut c = Client::resume(server, municipality, dialogue, token, 0).await;
        c.refused("unknown_dialogue").await;
        // The connection stays: a new dialogue begins on it.
        c.send(&crate::client::hello("0751")).await;
        assert_eq!(c.next("welcome").await["seq"], 0);
    }
    c.send(&json!({"type": "bye"})).await;
    assert_eq!(c.end().await, (vec![], Some(1000)));
    let mut c = Client::resume(server, "0751", &dialogue, &token, 0).await;
    c.refused("unknown_dialogue").await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let data = TempDir::with_prefix("borgerlinje-it-").unwrap();
    Server::shared();
    let server = Server::on(data.path(), &[]);
    let (mut c, _) = Client::hello(&server, "0751").await;
    let mut seen = c.ask("one", PASSPORT).await;
    c.send(&json!({"type": "callback", "client_id": "cb", "phone": "20304050"}))
        .await;
    seen.push(c.next("callback_saved").await);
    c.say("two", "Hvor afleverer jeg batterier?").await;
    seen.push(c.next("citizen").await);
    server.kill();

    let server = Server::on(data.path(), &[]);
    let kept = Client::events(&server, "0751", &c.dialogue, &c.token, 0).await;
    contiguous(&kept, 1);
    assert_eq!(kept[..seen.len()], seen);
    // Sent again because no answer was seen, the message is not doubled.
    let after = kept.last().unwrap()["seq"].as_u64().unwrap();
    let mut again = Client::resume(&server, "0751", &c.dialogue, &c.token, after).await;
    again.next("welcome").await;
    again.say("two", "Hvor afleverer jeg batterier?").await;
    assert_eq!(again.next("citizen").await, *seen.last().unwrap());
    let next = again.ask("three", "Hvor afleverer jeg batterier?").await;
    contiguous(&next, after + 1);
    assert_eq!(server.get_json("/health/ready").1["dialogues"], 1);
}

#[tokio::test]
async fn an_override_is_its_municipalitys_alone() {
    let file = root().join("knowledge/kommune/0615/bibliotek.md");
    let text = std::fs::read_to_string(file).unwrap();
    let own = "Hovedbiblioteket har personale";
    assert!(text.contains(own));
    let server = Server::shared();
    let (mut horsens, _) = Client::hello(server, "0615").await;
    let (mut aarhus, _) = Client::hello(server, "0751").await;
    let library = json!({"type": "choose", "client_id": "c", "article_id": "bibliotek"});
    for (c, overridden) in [(&mut horsens, true), (&mut aarhus, false)] {
        c.send(&library).await;
        let turn = events(c.until("answer_end").await);
        assert_eq!(answer(&turn).contains(own), overridden, "{turn:#?}");
    }
    let bicycle =
        json!({"type": "choose", "client_id": "d", "article_id": "horsens-ladcykel-laan"});
    horsens.send(&bicycle).await;
    horsens.next("answer_end").await;
    aarhus.send(&bicycle).await;
    aarhus.refused("bad_frame").await;
}

#[tokio::test]
async fn many_messages_at_once_are_slowed_down() {
    let server = Server::shared();
    let (mut c, welcome) = Client::hello(server, "0751").await;
    let limit = welcome["limits"]["messages_per_minute"].as_u64().unwrap();
    assert_eq!(limit, 20);
    for i in 0..40 {
        c.say(&format!("m-{i}"), "hej").await;
    }
    let error = loop {
        let frame = c.frame().await.unwrap();
        if frame["type"] == "error" {
            break frame;
        }
    };
    assert_eq!(error["code"], "rate_limited");
    let refused = error["client_id"].as_str().unwrap();
    let nth: u64 = refused.strip_prefix("m-").unwrap().parse().unwrap();
    // A slow machine may have earned a few more on the way.
    assert!((limit..limit + 10).contains(&nth), "{error}");
    let wait = error["retry_after_ms"].as_u64().unwrap();
    assert!((1..=3000).contains(&wait), "{error}");
    // All were refused or answered; the one that waits as it was told is heard.
    let last = loop {
        let frame = c.frame().await.unwrap();
        if frame["type"] == "error" && frame["client_id"] == "m-39" {
            break frame;
        }
        assert_ne!(frame["client_id"], "m-39");
    };
    let wait = last["retry_after_ms"].as_u64().unwrap();
    sleep(Duration::from_millis(wait + 50)).await;
    c.say("later", "hej").await;
    while c.next("citizen").await["client_id"] != "later" {}
    c.next("answer_end").await;
}

#[tokio::test]
async fn nobody_is_turned_away_where_nobody_can_be_asked_for() {
    let server = Server::shared();
    let (mut c, _) = Client::hello(server, "0751").await;
    c.send(&json!({"type": "human", "client_id": "p-1"})).await;
    let offer = c.next("handover_offer").await;
    // No agent has an account here: no queue, no promised time, and a number can be left.
    assert_eq!(offer["queue"], false);
    assert_eq!(offer["slots"], json!([]));
    c.send(&json!({"type": "callback", "client_id": "p-2", "phone": "20304050", "slot": 1}))
        .await;
    c.refused("not_possible").await;
    c.send(&json!({"type": "callback", "client_id": "p-3", "phone": "20304050"}))
        .await;
    let saved = c.next("callback_saved").await;
    let reference = saved["reference"].clone();
    let cancel = json!({"type": "cancel_callback", "client_id": "p-4", "reference": reference});
    c.send(&cancel).await;
    let cancelled = c.next("callback_cancelled").await;
    assert_eq!(cancelled["reference"], reference);
    c.send(&cancel).await;
    let again = c.next("callback_cancelled").await;
    assert_eq!(again["seq"], cancelled["seq"], "sent again, done once");
    c.send(&json!({"type": "leave", "client_id": "p-5"})).await;
    assert_eq!(c.next("handover_ended").await["client_id"], "p-5");
}

#[tokio::test]
async fn another_stream_is_told_from_its_beginning() {
    let server = Server::shared();
    let (mut c, welcome) = Client::hello(server, "0751").await;
    assert_eq!(welcome["replay"], false);
    let turn = c.ask("s-1", PASSPORT).await;
    let newest = seqs(&turn).pop().unwrap();
    for (stream, replay) in [
        (welcome["stream"].clone(), false),
        (json!("elsewhere"), true),
    ] {
        let mut again = Client::open(server).await;
        let resume =
            json!({"dialogue": c.dialogue, "token": c.token, "seq": newest, "stream": stream});
        let mut hello = crate::client::hello("0751");
        hello["resume"] = resume;
        again.send(&hello).await;
        assert_eq!(again.next("welcome").await["replay"], replay);
        again.send(&json!({"type": "ping", "n": 7})).await;
        let told = events(again.until("pong").await);
        assert_eq!(told.len(), if replay { turn.len() } else { 0 });
    }
}
