//! What a data protection officer asks for: what is kept of one citizen, and that it is gone.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Duration, sleep};

use crate::client::Client;
use crate::desk_client::{Desk, account, user};
use crate::harness::{Server, borgerlinje, finish, printed};

/// In the citizen's words alone.
const MARK: &str = "grævlingegrav";

fn citizen(server: &Server, arguments: &[&str]) -> std::process::Output {
    let mut command = borgerlinje(&[&["citizen"], arguments].concat());
    command.env("BORGERLINJE_DATA", server.data());
    finish(&mut command, b"")
}

fn exported(server: &Server, code: &str) -> Value {
    serde_json::from_str(&printed(&citizen(server, &["export", code]))).unwrap()
}

fn erased(server: &Server, code: &str) -> Value {
    serde_json::from_str(&printed(&citizen(server, &["erase", code]))).unwrap()
}

fn marks(server: &Server) -> usize {
    let count = |bytes: &[u8]| {
        bytes
            .windows(MARK.len())
            .filter(|w| *w == MARK.as_bytes())
            .count()
    };
    server.stored().iter().map(|(_, bytes)| count(bytes)).sum()
}

#[tokio::test]
async fn one_citizen_is_exported_and_erased_by_the_code_while_the_service_runs() {
    let server = Server::own();
    let (mut c, _) = Client::hello(&server, "0751").await;
    c.ask("q-1", &format!("Hvordan fornyer jeg mit pas ved {MARK}?"))
        .await;
    let callback =
        json!({"type": "callback", "client_id": "c-1", "phone": "20304050", "topic": MARK});
    c.send(&callback).await;
    let saved = c.next("callback_saved").await;
    let code = saved["reference"].as_str().unwrap();
    let (mut other, _) = Client::hello(&server, "0751").await;
    other.ask("q-1", "Hvor afleverer jeg batterier?").await;

    let all = exported(&server, code);
    assert_eq!(all["format"], "borgerlinje-citizen");
    assert_eq!(all["dialogue"]["id"], c.dialogue);
    assert!(
        all["events"][0]["data"]["text"]
            .as_str()
            .unwrap()
            .contains(MARK)
    );
    assert_eq!(all["callbacks"][0]["phone"], "+4520304050");
    assert_eq!(all["turns"].as_array().unwrap().len(), 1);
    assert!(marks(&server) > 0);

    c.send(&json!({"type": "bye"})).await;
    c.end().await;
    let erased = erased(&server, code);
    assert_eq!(erased["erased"]["gone"]["dialogues"], 1);
    assert_eq!(erased["scrubbed"], true);
    assert_eq!(marks(&server), 0);
    let again = citizen(&server, &["export", code]);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing is kept"));
    // Nobody else is touched.
    let kept = Client::events(&server, "0751", &other.dialogue, &other.token, 0).await;
    assert_eq!(kept[0]["text"], "Hvor afleverer jeg batterier?");
}

/// A citizen in the queue. The centre may hear of a new account a moment after its desk has opened.
pub(crate) async fn queued(c: &mut Client) {
    for n in 0..50 {
        c.send(&json!({"type": "queue", "client_id": format!("k-{n}")}))
            .await;
        let answer = loop {
            let frame = c.frame().await.unwrap();
            if frame["type"] == "queued" || frame["type"] == "error" {
                break frame;
            }
        };
        if answer["type"] == "queued" {
            return;
        }
        // Turned away so often a minute at most: not at once again.
        sleep(Duration::from_millis(200)).await;
    }
    panic!("no place in the queue");
}

/// How often one of the words lies in the files of this name.
fn lies_in(server: &Server, name: &str, words: &[&str]) -> usize {
    let stored = server.stored();
    let of = |path: &str| path.rsplit('/').next().is_some_and(|f| f.starts_with(name));
    let files: Vec<_> = stored.iter().filter(|(path, _)| of(path)).collect();
    assert!(!files.is_empty(), "{name}");
    let count = |bytes: &[u8], w: &str| {
        bytes
            .windows(w.len())
            .filter(|b| *b == w.as_bytes())
            .count()
    };
    let each = |w: &&str| files.iter().map(|(_, b)| count(b, w)).sum::<usize>();
    words.iter().map(each).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handed_over_is_erased_and_stays_so_after_a_crash() {
    Server::shared();
    let data = TempDir::with_prefix("borgerlinje-erased-").unwrap();
    let environment = [("BORGERLINJE_ALWAYS_OPEN", "1")];
    let server = Server::on(data.path(), &environment);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    let supervisor = ["--municipalities", "all", "--role", "supervisor"];
    account(&server, "sofie", "Sofie", &supervisor);
    let mut anna = Desk::of(&server, "anna").await;
    let mut sofie = Desk::of(&server, "sofie").await;
    let (mut c, _) = Client::hello(&server, "0751").await;
    c.ask("q-1", &format!("Hvordan fornyer jeg mit pas ved {MARK}?"))
        .await;
    c.send(&json!({"type": "human", "client_id": "h-1"})).await;
    c.next("handover_offer").await;
    queued(&mut c).await;
    let is = |f: &Value, state: &str| f["card"]["state"]["kind"] == state;
    let card = anna.when("card", |f| is(f, "offered")).await["card"].clone();
    let (item, offer) = (&card["item"], &card["state"]["offer"]);
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    let owned = anna.when("card", |f| is(f, "owned")).await["card"].clone();
    let note = json!({"type": "note", "item": item, "epoch": owned["epoch"], "text": format!("Om {MARK}")});
    anna.done(note).await;
    sofie
        .done(json!({"type": "supervise", "item": item, "level": "coach"}))
        .await;
    let coaching =
        json!({"type": "supervisor_message", "item": item, "text": format!("Spørg om {MARK}")});
    sofie.done(coaching).await;
    let draft =
        json!({"type": "draft", "item": item, "line": "x", "text": format!("Svar om {MARK}")});
    anna.done(draft).await;

    let all = exported(&server, &c.dialogue);
    assert_eq!(all["staff"].as_array().unwrap().len(), 2, "{all:#}");
    assert_eq!(all["proposals"][0]["text"], format!("Svar om {MARK}"));
    let standing = &all["centre"]["items"];
    assert_eq!(standing.as_array().unwrap().len(), 1, "{all:#}");
    assert_eq!(
        (&standing[0]["item"], &standing[0]["open"]),
        (item, &json!(true))
    );
    let dialogue = c.dialogue.as_str();
    assert!(lies_in(&server, "accounts.sqlite", &[MARK, dialogue]) > 0);

    let erased = erased(&server, dialogue);
    let gone = &erased["erased"]["gone"];
    assert_eq!(
        (&gone["dialogues"], &gone["staff_lines"]),
        (&json!(1), &json!(2))
    );
    // The lines of `supervise` and of `draft`: what was done stays, with whom does not.
    assert_eq!(
        (&erased["proposals"], &erased["audit_lines"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(erased["centre_items"], 1);
    assert!(erased["erased"]["in_log"].as_u64().unwrap() > 0);
    assert_eq!(lies_in(&server, "accounts.sqlite", &[MARK, dialogue]), 0);
    let audit = user(&server, &["audit"], "");
    for what in ["sofie\tsupervise", "anna\tdraft", "command\tcitizen_erase"] {
        assert!(audit.contains(what), "{what} in {audit}");
    }

    // Its copies are still in the log, which a start after a power cut folds from the beginning.
    server.kill();
    let server = Server::on(data.path(), &environment);
    let mut anna = Desk::of(&server, "anna").await;
    let (mut other, _) = Client::hello(&server, "0751").await;
    other.ask("q-1", "Hvor afleverer jeg batterier?").await;
    other
        .send(&json!({"type": "human", "client_id": "h-1"}))
        .await;
    other.next("handover_offer").await;
    queued(&mut other).await;
    let other_card = |f: &Value| is(f, "offered") && f["card"]["item"] != *item;
    anna.when("card", other_card).await;
    let again = citizen(&server, &["export", dialogue]);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing is kept"));
}
