//! Waiting for a person, talking to one, and going on with the bot.

use contact::centre::*;
use contact::sim::id;
use serde_json::json;

use super::citizen::{Citizen, kinds};
use super::service::{AARHUS, Service};
use crate::transcript::{self, By};

const PASSPORT: &str = "Hvordan fornyer jeg mit pas?";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_21_the_bot_answers_who_waits_and_is_silent_beside_a_person() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let chat = c.dialogue.clone();
    // Nobody has taken it: the bot goes on, and the agent will see what it said.
    let turn = c.ask("q-1", PASSPORT).await;
    assert_eq!(
        turn.last().unwrap()["sources"][0]["article_id"],
        "pas-forny"
    );
    assert_eq!(turn.last().unwrap()["offer_human"], false);

    let anna = s.accept(&chat).await;
    let joined = c.next("agent_joined").await;
    assert_eq!(joined["name"], "ANNA");
    c.say("q-2", "Er du der, Anna?").await;
    assert_eq!(c.next("citizen").await["client_id"], "q-2");
    s.says(&anna, "m-1", "Ja, **jeg er her**.").await;
    let came = c.until("agent").await;
    assert_eq!(kinds(&came), ["agent"], "the bot said nothing in between");
    assert_eq!(came[0]["text"], "Ja, **jeg er her**.");
    assert_eq!(came[0]["name"], "ANNA");

    // Help lines are shown whoever has the chat.
    let crisis = c.ask("q-3", "jeg har ikke lyst til at leve mere").await;
    let start = crisis.iter().find(|f| f["type"] == "answer_start");
    assert_eq!(start.unwrap()["outcome"], "crisis");

    s.close(&anna).await;
    let ended = c.next("handover_ended").await;
    assert_eq!(
        (&ended["outcome"], &ended["can_rate"]),
        (&json!("settled"), &json!(true))
    );
    c.send(json!({"type": "rate", "client_id": "r-1", "score": 3}))
        .await;
    assert_eq!(c.next("rated").await["score"], 3);
    let turn = c.ask("q-4", "Hvor afleverer jeg batterier?").await;
    assert_eq!(turn.last().unwrap()["type"], "answer_end");

    let lines = transcript::lines(&s.app, &chat.parse().unwrap())
        .await
        .unwrap();
    let by: Vec<By> = lines
        .iter()
        .map(|l| l.from)
        .filter(|b| *b != By::System)
        .collect();
    use By::{Agent, Bot, Citizen as C};
    assert_eq!(by, [C, Bot, C, Agent, C, Bot, C, Bot]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_22_the_brief_says_what_was_tried_and_nothing_is_out_of_sight() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.ask("q-1", PASSPORT).await;
    c.queue().await;
    let item = s.chat(&c.dialogue).await.expect("in the queue");
    assert_eq!(item.brief.question.as_str(), PASSPORT);
    assert_eq!(item.brief.tried.len(), 1);
    assert_eq!(item.brief.sources[0].as_str(), "pas-forny");
    assert!(item.area.is_some() && !item.brief.failed.as_str().is_empty());
    assert_eq!((item.class, item.language), (Class::Normal, base::Lang::Da));
    let rows = s
        .app
        .centre
        .read(|c| c.queue(|code| code == id(AARHUS)))
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crisis_makes_the_request_urgent() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.ask("q-1", "jeg har ikke lyst til at leve mere").await;
    c.queue().await;
    assert_eq!(s.chat(&c.dialogue).await.unwrap().class, Class::Urgent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn place_and_wait_are_told_in_words_and_again_when_they_change() {
    let s = Service::start().await;
    s.agent("anna").await;
    s.ok(Command::Pause {
        agent: id("anna"),
        why: Pause::Break,
    })
    .await;
    let mut first = Citizen::come(&s).await;
    first.queue().await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let wait = c.next("wait").await;
    assert_eq!(
        (&wait["position"], &wait["held"]),
        (&json!(2), &json!(false))
    );
    let text = wait["text"].as_str().unwrap();
    assert!(text.starts_with("Du er nummer 2 i køen."), "{text}");
    first
        .send(json!({"type": "leave", "client_id": "l-1"}))
        .await;
    let ended = first.next("handover_ended").await;
    assert_eq!(
        (&ended["outcome"], &ended["client_id"]),
        (&json!("abandoned"), &json!("l-1"))
    );
    // Within five seconds.
    assert_eq!(c.next("wait").await["position"], 1);
    // And who left has the bot as before.
    first.ask("q-1", PASSPORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_number_reaches_the_log() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    s.accept(&c.dialogue).await;
    let mut news = s.app.centre.effects();
    c.say("q-1", "mit cpr er 010190-1234, kan du slå mig op?")
        .await;
    let citizen = c.next("citizen").await;
    assert_eq!(citizen["masked"], json!(["cpr"]));
    c.next("notice").await;
    let step = loop {
        let Some(crate::centre::News::Step(step)) = news.next().await else {
            panic!("no step");
        };
        if matches!(step.input.command, Command::Message { .. }) {
            break step;
        }
    };
    let logged = serde_json::to_string(&step.input).unwrap();
    assert!(
        logged.contains("slå mig op") && !logged.contains("1234"),
        "{logged}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_19_a_reconnect_keeps_the_place_and_doubles_nothing() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let place = s.chat(&c.dialogue).await.unwrap().place;
    c.ask("q-1", PASSPORT).await;
    // Sent again, as after a lost acknowledgement: its first event comes back, and nothing else happens.
    let mut again = c.again(&s).await;
    drop(c);
    assert_eq!(
        (&again.welcome["resumed"], &again.welcome["replay"]),
        (&json!(true), &json!(false))
    );
    again.next("wait").await;
    again
        .send(json!({"type": "queue", "client_id": "queue-1"}))
        .await;
    let seen = again.seq;
    again.seq = again.known(&s, "queue-1").await - 1;
    assert_eq!(again.frame().await["type"], "queued");
    again.seq = again.known(&s, "q-1").await - 1;
    again.say("q-1", PASSPORT).await;
    assert_eq!(again.frame().await["type"], "citizen");
    again.seq = seen;
    assert_eq!(kinds(&again.so_far().await), [""; 0]);
    let item = s.chat(&again.dialogue).await.unwrap();
    assert_eq!(item.place, place);
    s.until("the old page is forgotten", async || {
        s.chat(&again.dialogue).await.unwrap().links.len() == 1
    })
    .await;
    // Longer away than the grace: the place is given up, and the citizen is told.
    let dialogue = again.dialogue.clone();
    let back = (again.dialogue.clone(), again.welcome.clone(), again.seq);
    drop(again);
    s.until("absent", async || {
        s.chat(&dialogue).await.unwrap().links.is_empty()
    })
    .await;
    s.pass(4).await;
    assert!(s.chat(&back.0).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_31_what_was_logged_and_not_yet_written_is_there_after_a_kill() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let anna = s.accept(&c.dialogue).await;
    c.next("agent_joined").await;
    // Killed between the log and the dialogue: as a node whose sink never ran.
    let s = Service::again(s.kill().await, false).await;
    s.says(&anna, "m-1", "Husk at tage pas med").await;
    let s = Service::again(s.kill().await, true).await;
    let mut c = c.again(&s).await;
    let came = c.next("agent").await;
    assert_eq!(came["text"], "Husk at tage pas med");
    // Folded once more, and still there once.
    let s = Service::again(s.kill().await, true).await;
    let mut c = c.again(&s).await;
    assert_eq!(kinds(&c.so_far().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_26_an_agent_who_is_lost_leaves_the_place_and_somebody_else_takes_over() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    s.accept(&c.dialogue).await;
    c.next("agent_joined").await;
    s.ok(Command::SignOut { agent: id("anna") }).await;
    let left = c.next("agent_left").await;
    assert_eq!(
        (&left["why"], &left["name"]),
        (&json!("lost"), &json!("ANNA"))
    );
    // The bot has the word until somebody comes.
    c.ask("q-1", PASSPORT).await;
    s.agent("bodil").await;
    s.accept(&c.dialogue).await;
    let joined = c.until("agent_joined").await.pop().unwrap();
    assert_eq!(joined["name"], "BODIL");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_20_who_reads_too_slowly_is_let_go_and_misses_nothing() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let anna = s.accept(&c.dialogue).await;
    c.next("agent_joined").await;
    let long = "æ".repeat(3_900);
    // More than the network's buffers hold, while the page reads nothing.
    for n in 0..1_500 {
        s.says(&anna, &format!("m-{n}"), &long).await;
    }
    let mut again = c.again(&s).await;
    for n in 0..1_500 {
        let frame = again.next("agent").await;
        assert_eq!(frame["id"], format!("m-{n}"));
    }
    assert!(c.is_let_go().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_18_who_is_taken_for_gone_and_is_here_keeps_the_place() {
    let s = Service::start().await;
    s.agent("anna").await;
    let mut c = Citizen::come(&s).await;
    c.queue().await;
    let item = s.chat(&c.dialogue).await.unwrap();
    let (connection, _) = item.links.first_key_value().unwrap();
    let connection = connection.clone();
    s.ok(Command::CitizenAbsent {
        item: item.id,
        connection,
    })
    .await;
    s.until("said to be here again", async || {
        !s.chat(&c.dialogue).await.unwrap().links.is_empty()
    })
    .await;
}
