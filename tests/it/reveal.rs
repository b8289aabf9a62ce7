//! A citizen lets the person who has the chat see a number that was hidden: by a press, that person alone, and nothing of
//! it is kept.

use serde_json::{Value, json};

use crate::client::Client;
use crate::desk_client::{Desk, account};
use crate::harness::Server;

const TOWN: &str = "0751";
/// CPR numbers that nobody has.
const NUMBER: &str = "150785-4321";
const OTHER: &str = "230194-1177";

fn kind(frame: &Value) -> &str {
    frame["card"]["state"]["kind"].as_str().unwrap_or("")
}

/// Whether a number is in a frame, in any form of digits alone.
fn tells(frame: &Value, number: &str) -> bool {
    frame.to_string().contains(number)
}

/// A citizen in the queue, whose chat that desk then has: the item and its epoch.
pub(crate) async fn owned(c: &mut Client, desk: &mut Desk) -> (Value, Value) {
    c.send(&json!({"type": "human", "client_id": "h"})).await;
    c.next("handover_offer").await;
    crate::privacy::queued(c).await;
    // Another's item may be offered first: it is taken too, and left.
    let item = loop {
        let card = desk.when("card", |f| kind(f) == "offered").await;
        let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
        desk.done(json!({"type": "accept", "item": item, "offer": offer}))
            .await;
        if item.as_str().unwrap().starts_with(&c.dialogue) {
            break item.clone();
        }
    };
    let ours = |f: &Value| kind(f) == "owned" && f["card"]["item"] == item;
    let owned = desk.when("card", ours).await;
    c.next("agent_joined").await;
    (item, owned["card"]["epoch"].clone())
}

/// A message in which something is hidden: what the citizen may do about it.
async fn writes(c: &mut Client, id: &str, text: &str) -> Value {
    c.say(id, text).await;
    let said = c.next("citizen").await;
    assert!(
        !tells(&said, NUMBER) && said["masked"] == json!(["cpr"]),
        "{said}"
    );
    let may = c.next("reveal").await;
    assert_eq!(may["client_id"], id);
    assert!(may["epoch"].is_u64());
    may
}

/// What is said of it where it is not to be.
async fn refused(c: &mut Client, id: &str, epoch: &Value, text: &str) {
    c.send(&json!({"type": "reveal", "client_id": id, "epoch": epoch, "text": text}))
        .await;
    let error = c.refused("not_possible").await;
    assert!(!tells(&error, NUMBER), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_number_is_shown_to_the_owner_alone_when_the_citizen_says_so_and_is_kept_nowhere()
{
    Server::shared();
    let environment = [
        ("BORGERLINJE_ALWAYS_OPEN", "1"),
        ("BORGERLINJE_LOG", "trace"),
    ];
    let server = Server::with(&environment);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    let supervisor = ["--municipalities", "all", "--role", "supervisor"];
    account(&server, "sofie", "Sofie", &supervisor);
    let mut anna = Desk::of(&server, "anna").await;
    let mut sofie = Desk::of(&server, "sofie").await;
    let (mut c, _) = Client::hello(&server, TOWN).await;

    // Of what is said to the bot nothing can be shown, and nobody is there to see it.
    c.ask("bot", &format!("Hvordan fornyer jeg mit pas? {NUMBER}"))
        .await;
    refused(
        &mut c,
        "bot",
        &json!(1),
        &format!("Hvordan fornyer jeg mit pas? {NUMBER}"),
    )
    .await;

    let (item, epoch) = owned(&mut c, &mut anna).await;
    for level in ["monitor", "coach"] {
        sofie
            .done(json!({"type": "supervise", "item": item, "level": level}))
            .await;
    }
    let text = format!("Mit nummer er {NUMBER}");
    let may = writes(&mut c, "m-1", &text).await;
    assert_eq!(may["epoch"], epoch);
    assert!(may["text"].as_str().unwrap().contains("Vis Anna"), "{may}");
    let line = anna.when("line", |f| f["line"]["from"] == "citizen").await;
    assert!(!tells(&line, NUMBER), "{line}");

    // Another number than the message had, a message that had none, another ownership, one that nobody knows.
    refused(
        &mut c,
        "m-1",
        &epoch,
        &format!("Mit nummer er {OTHER} eller {NUMBER}"),
    )
    .await;
    refused(&mut c, "m-1", &json!(0), &text).await;
    refused(&mut c, "m-9", &epoch, &text).await;
    c.say("m-2", "Der er ikke noget i denne").await;
    c.next("citizen").await;
    refused(&mut c, "m-2", &epoch, "Der er ikke noget i denne").await;
    assert!(anna.seen().await.iter().all(|f| f["type"] != "revealed"));

    c.send(&json!({"type": "reveal", "client_id": "m-1", "epoch": epoch, "text": text}))
        .await;
    let answer = c.next("reveal").await;
    assert!(
        !tells(&answer, NUMBER) && answer["epoch"].is_null(),
        "{answer}"
    );
    assert_eq!(answer["client_id"], "m-1");
    let shown = anna.next("revealed").await;
    assert_eq!((&shown["item"], &shown["text"]), (&item, &json!(text)));
    // Who watches has not been let see it.
    let watched = sofie.seen().await;
    assert!(watched.iter().all(|f| !tells(f, NUMBER)), "{watched:#?}");

    // The agent goes: the word was for that agent.
    let may = writes(&mut c, "m-3", &format!("Og igen {NUMBER}")).await;
    anna.done(json!({"type": "sign_out"})).await;
    c.next("agent_left").await;
    refused(&mut c, "m-3", &may["epoch"], &format!("Og igen {NUMBER}")).await;

    let opened = sofie.done(json!({"type": "open", "item": item})).await;
    assert!(!tells(&opened, NUMBER), "{opened}");
    let log = server.stderr();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    assert!(!log.contains(NUMBER), "the log has it");
    let files = server.stored();
    for (name, bytes) in &files {
        let has = bytes.windows(11).any(|w| w == NUMBER.as_bytes());
        assert!(!has, "{name}");
    }
    let has = |what: &str| {
        let is = |b: &[u8]| b.windows(what.len()).any(|w| w == what.as_bytes());
        files.iter().any(|(_, bytes)| is(bytes))
    };
    assert!(has("Mit nummer er [CPR-nummer skjult]"));
}
