//! What the operator switches off, while the service runs and over a crash.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::client::{Client, answer, hello, kinds};
use crate::desk_client::{Desk, account, user};
use crate::harness::{Server, borgerlinje, finish, printed};

const TOWN: &str = "0751";
const OTHER: &str = "0615";

/// Runs `borgerlinje switch …` on the server's data folder.
#[track_caller]
pub(crate) fn switch(server: &Server, arguments: &[&str]) -> String {
    let mut all = vec!["switch"];
    all.extend(arguments);
    let mut command = borgerlinje(&all);
    command.env("BORGERLINJE_DATA", server.data());
    printed(&finish(&mut command, b""))
}

/// Takes a place in the queue. The centre may hear of a new account a moment after its desk has opened.
async fn waits(citizen: &mut Client) {
    for n in 0..600 {
        let frame = json!({"type": "queue", "client_id": format!("k-{n}")});
        citizen.send(&frame).await;
        loop {
            match citizen.frame().await.unwrap()["type"].as_str() {
                Some("queued") => return,
                Some("error") => break,
                _ => {}
            }
        }
        sleep(Duration::from_millis(500)).await;
    }
    panic!("no place in the queue");
}

/// Waits until the service knows.
async fn until_off(server: &Server, wanted: &[&str]) {
    for _ in 0..600 {
        let (_, ready) = server.get_json("/health/ready");
        if ready["switched_off"] == json!(wanted) {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted:?}: {}", server.get("/health/ready").1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_that_is_off_says_so_offers_a_person_and_stays_off_over_a_crash() {
    Server::shared();
    let data = TempDir::with_prefix("borgerlinje-switch-").unwrap();
    let environment = [("BORGERLINJE_ALWAYS_OPEN", "1")];
    let server = Server::on(data.path(), &environment);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    let _anna = Desk::of(&server, "anna").await;
    let (mut c, _) = Client::hello(&server, TOWN).await;
    let before = c.ask("a", "Hvordan fornyer jeg mit pas?").await;
    assert_eq!(before[1]["outcome"], "answered");

    let reason = "svarer forkert, se 150785-4321";
    assert_eq!(
        switch(&server, &["bot", "off", "--reason", reason]),
        "bot is off\n"
    );
    until_off(&server, &["bot"]).await;
    c.say("b", "Hvordan fornyer jeg mit pas?").await;
    let off = c.until("handover_offer").await;
    let off: Vec<Value> = off.into_iter().filter(|f| f["seq"].is_u64()).collect();
    let wanted = [
        "citizen",
        "answer_start",
        "answer_part",
        "answer_end",
        "handover_offer",
    ];
    assert_eq!(kinds(&off), wanted);
    assert_eq!(off[1]["outcome"], "handover");
    assert!(
        answer(&off).contains("Chatrobotten er slået fra"),
        "{off:#?}"
    );
    assert_eq!(off[4]["open"], true);
    // In the citizen's own language.
    c.say("c", "How do I renew my passport?").await;
    let english = c.until("handover_offer").await;
    assert!(
        answer(&english).contains("chatbot is switched off"),
        "{english:#?}"
    );
    // Help lines come all the same.
    let crisis = c.ask("d", "jeg vil ikke leve mere").await;
    assert_eq!(crisis[1]["outcome"], "crisis", "{crisis:#?}");

    // As a power cut.
    server.kill();
    let server = Server::on(data.path(), &environment);
    let (mut c, welcome) = Client::hello(&server, TOWN).await;
    let greeting = welcome["greeting"].as_str().unwrap();
    assert!(greeting.contains("slået fra"), "{greeting}");
    c.say("a", "Hvordan fornyer jeg mit pas?").await;
    assert!(answer(&c.until("handover_offer").await).contains("slået fra"));
    let listed = switch(&server, &[]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(lines[0], ["generation", "on"]);
    assert_eq!(lines[1][..2], ["bot", "off"]);
    assert_eq!(lines[1][4], "svarer forkert, se [CPR-nummer skjult]");

    assert_eq!(
        switch(&server, &["bot", "on", "--reason", "rettet"]),
        "bot is on\n"
    );
    assert_eq!(
        switch(&server, &["bot", "on", "--reason", "igen"]),
        "bot is on already\n"
    );
    until_off(&server, &[]).await;
    let after = c.ask("e", "Hvordan fornyer jeg mit pas?").await;
    assert_eq!(after[1]["outcome"], "answered");

    let audit = user(&server, &["audit"], "");
    let of_switches: Vec<Vec<&str>> = audit
        .lines()
        .map(|l| l.split('\t').collect::<Vec<_>>())
        .filter(|l| l[2].starts_with("switch"))
        .collect();
    let [on, off] = of_switches.as_slice() else {
        panic!("{audit}");
    };
    assert_eq!(
        (on[2], on[3], on[4]),
        ("switch_on", "command", "bot: rettet")
    );
    assert_eq!(off[2], "switch_off");
    assert!(!off[1].is_empty() && off[1] == lines[1][3], "{off:?}");
    assert!(!audit.contains("150785"), "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_municipality_that_is_off_is_closed_but_for_those_who_have_a_person() {
    Server::shared();
    let server = Server::with(&[("BORGERLINJE_ALWAYS_OPEN", "1")]);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    let mut anna = Desk::of(&server, "anna").await;
    let (mut alone, _) = Client::hello(&server, TOWN).await;
    alone.ask("a", "Hvordan fornyer jeg mit pas?").await;
    let (mut helped, _) = Client::hello(&server, TOWN).await;
    helped.ask("a", "Hvordan fornyer jeg mit pas?").await;
    helped
        .send(&json!({"type": "human", "client_id": "h"}))
        .await;
    helped.next("handover_offer").await;
    waits(&mut helped).await;
    let card = anna
        .when("card", |f| f["card"]["state"]["kind"] == "offered")
        .await;
    let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    helped.next("agent_joined").await;

    switch(&server, &["municipality", TOWN, "off", "--reason", "brand"]);
    until_off(&server, &["municipality 0751"]).await;
    let mut new = Client::open(&server).await;
    new.send(&hello(TOWN)).await;
    let refused = new.refused("closed").await;
    let said = refused["text"].as_str().unwrap();
    assert!(said.contains("lukket") && said.contains("112"), "{said}");
    assert!(!said.contains('{'), "{said}");
    assert_eq!(refused["retry_after_ms"], 300_000);
    assert_eq!(new.end().await.1, Some(1013));
    for (id, frame) in [
        (
            "b",
            json!({"type": "message", "client_id": "b", "text": "Hvordan fornyer jeg mit pas?"}),
        ),
        ("c", json!({"type": "human", "client_id": "c"})),
        (
            "d",
            json!({"type": "callback", "client_id": "d", "phone": "31556677"}),
        ),
    ] {
        alone.send(&frame).await;
        assert_eq!(alone.refused("closed").await["client_id"], id);
    }
    // Who has a person goes on, also on another page.
    helped.say("p", "Er du der?").await;
    helped.next("citizen").await;
    let line = anna
        .when("line", |f| f["line"]["text"] == "Er du der?")
        .await;
    assert_eq!(line["line"]["from"], "citizen");
    let mut again = Client::resume(&server, TOWN, &helped.dialogue, &helped.token, 0).await;
    again.next("agent_joined").await;
    // Next door all is as it was.
    let (mut other, _) = Client::hello(&server, OTHER).await;
    let turn = other.ask("a", "Hvordan fornyer jeg mit pas?").await;
    assert_eq!(turn[1]["outcome"], "answered");

    switch(
        &server,
        &["municipality", TOWN, "on", "--reason", "slukket"],
    );
    until_off(&server, &[]).await;
    assert_eq!(
        alone.ask("e", "Hvordan fornyer jeg mit pas?").await[1]["outcome"],
        "answered"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generation_that_is_off_is_verbatim() {
    Server::shared();
    let server = Server::with(&[("BORGERLINJE_GENERATION", "shortened")]);
    let (mut c, _) = Client::hello(&server, TOWN).await;
    // Some article is long enough to be said in fewer words.
    let questions = [
        "Hvordan fornyer jeg mit pas?",
        "Hvordan søger jeg boligstøtte?",
        "Hvornår bliver mit affald hentet?",
        "Hvordan melder jeg flytning?",
    ];
    let mut short = None;
    for (n, question) in questions.into_iter().enumerate() {
        let turn = c.ask(&format!("a-{n}"), question).await;
        if turn[1]["written"] == "shortened" {
            short = Some(question);
            break;
        }
    }
    let question = short.expect("an answer that is shortened");
    switch(&server, &["generation", "off", "--reason", "prøve"]);
    until_off(&server, &["generation"]).await;
    let turn = c.ask("b", question).await;
    assert_eq!(turn[1]["written"], Value::Null, "{turn:#?}");
    switch(&server, &["generation", "on", "--reason", "prøve"]);
    until_off(&server, &[]).await;
    assert_eq!(c.ask("c", question).await[1]["written"], "shortened");
}

#[test]
fn a_switch_needs_a_reason_and_a_municipality_that_there_is() {
    Server::shared();
    let server = Server::own();
    for arguments in [
        &["switch", "bot", "off"][..],
        &["switch", "bot", "off", "--reason", "  "],
        &["switch", "municipality", "0999", "off", "--reason", "brand"],
        &["switch", "everything", "off", "--reason", "brand"],
    ] {
        let mut command = borgerlinje(arguments);
        command.env("BORGERLINJE_DATA", server.data());
        assert!(!finish(&mut command, b"").status.success(), "{arguments:?}");
    }
    assert_eq!(switch(&server, &[]), "bot\ton\ngeneration\ton\n");
}
