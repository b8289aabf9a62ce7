//! A citizen and agents on one service: who sees what, who has the chat, what reaches whom.

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::client::Client;
use crate::desk_client::{Desk, account, id, user};
use crate::harness::Server;

const AARHUS: &str = "0751";
const HORSENS: &str = "0615";

/// Open at all hours, with accounts that its centre knows.
fn server(accounts: &[(&str, &str, &[&str])]) -> Server {
    Server::shared();
    let server = Server::with(&[("BORGERLINJE_ALWAYS_OPEN", "1")]);
    for (name, municipalities, more) in accounts {
        let mut arguments = vec!["--municipalities", *municipalities];
        arguments.extend(*more);
        let shown = name[..1].to_uppercase() + &name[1..];
        account(&server, name, &shown, &arguments);
    }
    server
}

/// A citizen of a municipality who asks and then waits for a person.
async fn waiting(server: &Server, municipality: &str) -> Client {
    let (mut c, _) = Client::hello(server, municipality).await;
    c.ask("q-1", "Hvordan fornyer jeg mit pas?").await;
    c.send(&json!({"type": "human", "client_id": "h-1"})).await;
    let offer = c.next("handover_offer").await;
    assert_eq!(offer["queue"], true, "{offer}");
    c.send(&json!({"type": "queue", "client_id": "h-2"})).await;
    c.next("queued").await;
    c
}

fn kind(frame: &Value) -> &str {
    frame["card"]["state"]["kind"].as_str().unwrap_or("")
}

/// The card of the next chat that is offered.
async fn offered(desk: &mut Desk) -> Value {
    let frame = desk.when("card", |f| kind(f) == "offered").await;
    frame["card"].clone()
}

/// Accepts what is offered; the item and its epoch.
async fn accept(desk: &mut Desk) -> (Value, Value) {
    let card = offered(desk).await;
    let (item, offer) = (card["item"].clone(), &card["state"]["offer"]);
    desk.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    let owned = desk
        .when("card", |f| kind(f) == "owned" && f["card"]["item"] == item)
        .await;
    (item, owned["card"]["epoch"].clone())
}

/// Who said what.
fn texts(lines: &Value) -> Vec<(&str, &str)> {
    let lines = lines.as_array().unwrap().iter();
    lines
        .map(|l| {
            let (from, text) = (l["from"].as_str(), l["text"].as_str());
            (from.unwrap(), text.unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_from_offer_to_wrap_up_with_a_transfer() {
    let server = server(&[("anna", AARHUS, &[]), ("bo", "all", &[])]);
    let mut anna = Desk::of(&server, "anna").await;
    let mut citizen = waiting(&server, AARHUS).await;

    let card = offered(&mut anna).await;
    assert_eq!(card["municipality"]["name"], "Aarhus Kommune");
    assert_eq!(card["citizen_present"], true);
    assert!(
        card["brief"]["question"].as_str().unwrap().contains("pas"),
        "{card:#}"
    );
    assert_eq!(card["decisions"][0]["agent"]["name"], "Anna");
    assert!(card["brief"]["sources"][0]["title"].is_string(), "{card:#}");
    let (item, offer) = (card["item"].clone(), card["state"]["offer"].clone());
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    let owned = anna.when("card", |f| kind(f) == "owned").await;
    let epoch = owned["card"]["epoch"].clone();
    assert_eq!(citizen.next("agent_joined").await["name"], "Anna");

    let opened = anna.done(json!({"type": "open", "item": item})).await;
    let lines = texts(&opened["lines"]);
    assert!(
        lines.contains(&("citizen", "Hvordan fornyer jeg mit pas?")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|l| l.0 == "bot" && l.1.contains("pas")),
        "{lines:?}"
    );
    let found = anna.next("suggestions").await;
    assert!(
        (1..=3).contains(&found["articles"].as_array().unwrap().len()),
        "{found}"
    );

    // To the citizen, once, although it is sent twice, and without a personal number.
    let write = json!({"type": "message", "id": id(), "item": item, "epoch": epoch,
        "text": "Hej, har du nummer 010190-1234?"});
    let sent = anna.done(write.clone()).await;
    assert_eq!(sent["masked"], json!(["cpr"]));
    let again = anna.done(write).await;
    assert_eq!(again["line"], sent["line"]);
    let line = anna.when("line", |f| f["line"]["from"] == "agent").await;
    assert_eq!(
        (&line["line"]["id"], &line["line"]["name"]),
        (&sent["line"], &json!("Anna"))
    );
    let got = citizen.next("agent").await;
    assert_eq!(got["text"], "Hej, har du nummer [CPR-nummer skjult]?");

    anna.send(json!({"type": "typing", "item": item})).await;
    citizen.next("agent_typing").await;
    citizen.send(&json!({"type": "typing"})).await;
    anna.next("typing").await;
    citizen
        .say("m-2", "Nej. Hvor søger jeg om boligstøtte?")
        .await;
    let line = anna.when("line", |f| f["line"]["from"] == "citizen").await;
    assert_eq!(line["line"]["text"], "Nej. Hvor søger jeg om boligstøtte?");
    let found = anna
        .when("suggestions", |f| f["line"] == line["line"]["id"])
        .await;
    let titles = found["articles"].to_string().to_lowercase();
    assert!(titles.contains("boligstøtte"), "{titles}");

    let noted = anna
        .done(json!({"type": "note", "item": item, "epoch": epoch, "text": "Virker utryg"}))
        .await;
    let note = anna.when("line", |f| f["line"]["from"] == "note").await;
    assert_eq!(note["line"]["id"], noted["line"]);
    let draft =
        json!({"type": "draft", "item": item, "line": sent["line"], "text": "Sådan gør du"});
    anna.done(draft).await;

    let mut bo = Desk::of(&server, "bo").await;
    let targets = anna.done(json!({"type": "targets", "item": item})).await;
    assert_eq!(targets["agents"][0]["id"], "bo", "{targets}");
    assert!(targets["teams"].as_array().is_some_and(|t| !t.is_empty()));
    let to = json!({"agent": "bo"});
    let transfer =
        json!({"type": "transfer", "item": item, "epoch": epoch, "to": to, "note": "Kan du?"});
    anna.done(transfer.clone()).await;
    let gone = anna.next("card_gone").await;
    assert_eq!(
        (&gone["item"], &gone["why"]),
        (&item, &json!("transferred"))
    );
    assert_eq!(citizen.next("agent_left").await["why"], "transferred");
    anna.refused(transfer, "not_yours").await;
    let late = json!({"type": "message", "item": item, "epoch": epoch, "text": "For sent"});
    anna.refused(late, "not_yours").await;
    anna.refused(json!({"type": "open", "item": item}), "not_yours")
        .await;

    let (same, epoch) = accept(&mut bo).await;
    assert_eq!(same, item);
    assert_eq!(citizen.next("agent_joined").await["name"], "Bo");
    let opened = bo.done(json!({"type": "open", "item": item})).await;
    let lines = texts(&opened["lines"]);
    for line in [
        ("note", "Virker utryg"),
        ("note", "Kan du?"),
        ("citizen", "Nej. Hvor søger jeg om boligstøtte?"),
    ] {
        assert!(lines.contains(&line), "{line:?} in {lines:?}");
    }
    let agents = lines.iter().filter(|l| l.0 == "agent").count();
    assert_eq!(agents, 1, "written once: {lines:?}");

    let code = bo.welcome["codes"][0]["code"].clone();
    bo.done(json!({"type": "close", "item": item, "epoch": epoch, "code": code}))
        .await;
    bo.when("card", |f| kind(f) == "wrap_up").await;
    let ended = citizen.next("handover_ended").await;
    assert_eq!(
        (&ended["outcome"], &ended["can_rate"]),
        (&json!("settled"), &json!(true))
    );
    citizen
        .send(&json!({"type": "rate", "client_id": "r-1", "score": 3}))
        .await;
    citizen.next("rated").await;
    bo.done(json!({"type": "wrap_up_done", "item": item})).await;
    assert_eq!(bo.next("card_gone").await["why"], "settled");
    let on_disk = server
        .stored()
        .iter()
        .any(|(_, b)| b.windows(11).any(|w| w == b"010190-1234"));
    assert!(!on_disk);
}

/// Scenario 1 at the desk: both take the same from the list at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_01_two_desks_take_one_chat_embedded() {
    let server = server(&[("anna", "all", &[]), ("bo", "all", &[])]);
    let (mut anna, mut bo) = (
        Desk::of(&server, "anna").await,
        Desk::of(&server, "bo").await,
    );
    for desk in [&mut anna, &mut bo] {
        desk.done(json!({"type": "mode", "mode": "pick"})).await;
        desk.send(json!({"type": "watch", "what": ["queue"]})).await;
    }
    let _citizen = waiting(&server, AARHUS).await;
    let row = |f: &Value| f["total"] == 1;
    let list = anna.when("queue", row).await;
    bo.when("queue", row).await;
    let first = &list["rows"][0];
    assert!(
        !list.to_string().contains("fornyer"),
        "no word of the citizen's: {list}"
    );
    assert_eq!(first["state"], json!({"kind": "waiting"}));
    let pick = json!({"type": "pick", "item": first["item"]});
    let (a, b) = tokio::join!(anna.ask(pick.clone()), bo.ask(pick));
    let mut codes = [&a, &b].map(|r| r["code"].as_str().unwrap_or("ok").to_owned());
    codes.sort();
    assert_eq!(codes, ["ok", "taken"], "{a} {b}");
    for desk in [&mut anna, &mut bo] {
        desk.when("queue", |f| f["total"] == 0).await;
    }
}

/// Scenario 15 at the desk: nothing of a municipality reaches an agent without the right to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_15_another_municipalitys_agent_sees_nothing_embedded() {
    let server = server(&[
        ("anna", AARHUS, &[]),
        ("heidi", HORSENS, &["--role", "agent,supervisor"]),
    ]);
    let mut heidi = Desk::of(&server, "heidi").await;
    heidi
        .send(json!({"type": "watch", "what": ["queue", "callbacks", "supervisor"]}))
        .await;
    let mut anna = Desk::of(&server, "anna").await;
    let mut citizen = waiting(&server, AARHUS).await;
    let (item, epoch) = accept(&mut anna).await;
    let message = json!({"type": "message", "item": item, "epoch": epoch, "text": "hemmelighed-1"});
    anna.done(message).await;
    citizen.say("m-1", "hemmelighed-2").await;
    anna.when("line", |f| f["line"]["from"] == "citizen").await;
    for (command, code) in [
        (json!({"type": "open", "item": item}), "not_yours"),
        (json!({"type": "pick", "item": item}), "not_allowed"),
        (json!({"type": "targets", "item": item}), "not_yours"),
        (
            json!({"type": "supervise", "item": item, "level": "monitor"}),
            "not_allowed",
        ),
        (json!({"type": "release", "item": item}), "not_allowed"),
        (
            json!({"type": "draft", "item": item, "line": "x", "text": "x"}),
            "not_yours",
        ),
        (
            json!({"type": "supervisor_message", "item": item, "text": "x"}),
            "not_allowed",
        ),
        (
            json!({"type": "message", "item": item, "epoch": epoch, "text": "x"}),
            "not_yours",
        ),
    ] {
        let answer = heidi.ask(command.clone()).await;
        assert_eq!(answer["type"], "refused", "{command} {answer}");
        if answer["code"] != code {
            assert!(
                ["not_allowed", "not_yours", "taken"].contains(&answer["code"].as_str().unwrap()),
                "{command} {answer}"
            );
        }
    }
    // Longer than lists take.
    sleep(Duration::from_millis(2_200)).await;
    let said = serde_json::to_string(&heidi.seen().await).unwrap();
    for never in ["hemmelighed", "fornyer", item.as_str().unwrap(), AARHUS] {
        assert!(!said.contains(never), "{never} in {said}");
    }

    // Handed on to Horsens: from now on it is hers, and nothing of before.
    let to = json!({"municipality": HORSENS});
    anna.done(json!({"type": "transfer", "item": item, "epoch": epoch, "to": to, "note": "hemmelighed-3"}))
        .await;
    let card = offered(&mut heidi).await;
    assert_eq!(card["brief"], Value::Null, "{card}");
    let offer = &card["state"]["offer"];
    heidi
        .done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    citizen.say("m-2", "nu Horsens").await;
    heidi
        .when("line", |f| f["line"]["text"] == "nu Horsens")
        .await;
    let opened = heidi
        .done(json!({"type": "open", "item": item}))
        .await
        .to_string();
    assert!(opened.contains("nu Horsens"), "{opened}");
    let said = serde_json::to_string(&heidi.seen().await).unwrap() + &opened;
    for never in ["hemmelighed-1", "hemmelighed-2", "fornyer"] {
        assert!(!said.contains(never), "{never} in {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_reads_coaches_barges_in_and_releases() {
    let server = server(&[
        ("anna", "all", &[]),
        ("sofie", "all", &["--role", "supervisor"]),
    ]);
    let mut sofie = Desk::of(&server, "sofie").await;
    sofie
        .send(json!({"type": "watch", "what": ["supervisor"]}))
        .await;
    let mut anna = Desk::of(&server, "anna").await;
    let mut citizen = waiting(&server, AARHUS).await;
    let (item, _) = accept(&mut anna).await;
    let view = sofie
        .when("supervisor", |f| f["items"][0]["state"]["kind"] == "owned")
        .await;
    assert_eq!(view["items"][0]["state"]["agent"]["name"], "Anna");
    let of = |f: &Value, code: &str| {
        let all = f["municipalities"].as_array().unwrap();
        all.iter().find(|m| m["code"] == code).unwrap().clone()
    };
    assert_eq!(
        (&of(&view, AARHUS)["owned"], &of(&view, AARHUS)["staffed"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(view["figures"]["answered"], 1);
    assert_eq!(view["figures"]["service_level"], 1.0);

    anna.refused(
        json!({"type": "supervise", "item": item, "level": "monitor"}),
        "not_allowed",
    )
    .await;
    sofie
        .refused(json!({"type": "open", "item": item}), "not_yours")
        .await;
    let write = |text: &str| json!({"type": "supervisor_message", "item": item, "text": text});
    sofie
        .done(json!({"type": "supervise", "item": item, "level": "monitor"}))
        .await;
    sofie.when("card", |f| f["card"]["item"] == item).await;
    sofie.done(json!({"type": "open", "item": item})).await;
    sofie.refused(write("nej"), "not_allowed").await;
    anna.when("card", |f| f["card"]["watchers"][0]["name"] == "Sofie")
        .await;

    sofie
        .done(json!({"type": "supervise", "item": item, "level": "coach"}))
        .await;
    sofie.done(write("Spørg om fristen")).await;
    let line = anna.when("line", |f| f["line"]["from"] == "coach").await;
    assert_eq!(line["line"]["text"], "Spørg om fristen");
    sofie
        .done(json!({"type": "supervise", "item": item, "level": "barge_in"}))
        .await;
    sofie.done(write("Goddag, jeg hjælper også")).await;
    let got = citizen.next("agent").await;
    assert_eq!(
        (&got["text"], &got["name"]),
        (&json!("Goddag, jeg hjælper også"), &json!("Sofie")),
        "not the coaching"
    );

    sofie
        .done(json!({"type": "stop_supervising", "item": item}))
        .await;
    assert_eq!(sofie.next("card_gone").await["item"], item);
    sofie.done(json!({"type": "release", "item": item})).await;
    assert_eq!(anna.next("card_gone").await["why"], "released");
    citizen.next("agent_left").await;
    let audit = user(&server, &["audit"], "");
    for what in [
        "sofie\tsupervise",
        "barge_in",
        "sofie\tstop_supervising",
        "sofie\trelease",
    ] {
        assert!(audit.contains(what), "{what} in {audit}");
    }
    assert!(!audit.contains("fristen"));
}

/// Scenarios 8 and 19 at the desk: a declined offer keeps the place, and a desk that connects again has all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_08_a_declined_chat_and_a_reload_keep_everything_embedded() {
    let server = server(&[("anna", "all", &[]), ("bo", "all", &[])]);
    let mut anna = Desk::of(&server, "anna").await;
    let mut citizen = waiting(&server, AARHUS).await;
    let card = offered(&mut anna).await;
    let (item, offer, place) = (&card["item"], &card["state"]["offer"], &card["place_ms"]);
    anna.done(json!({"type": "decline", "item": item, "offer": offer}))
        .await;
    assert_eq!(anna.next("card_gone").await["why"], "declined");
    anna.refused(
        json!({"type": "accept", "item": item, "offer": offer}),
        "offer_over",
    )
    .await;
    let mut bo = Desk::of(&server, "bo").await;
    let (same, epoch) = accept(&mut bo).await;
    assert_eq!(same, *item);
    let session = crate::desk_client::sign_in(&server, "bo");
    drop(bo);
    citizen.say("m-1", "Er du der?").await;
    while citizen.next("citizen").await["client_id"] != "m-1" {}
    let mut bo = Desk::open(&server, &session).await;
    let again = &bo.snapshot["cards"][0];
    assert_eq!(
        (&again["item"], &again["place_ms"], &again["epoch"]),
        (item, place, &epoch)
    );
    let opened = bo.done(json!({"type": "open", "item": item})).await;
    let asked = texts(&opened["lines"])
        .iter()
        .filter(|l| l.1 == "Er du der?")
        .count();
    assert_eq!(asked, 1);
    // The citizen goes: the agent wraps up.
    citizen
        .send(&json!({"type": "leave", "client_id": "l-1"}))
        .await;
    bo.when("card", |f| kind(f) == "wrap_up").await;
}
