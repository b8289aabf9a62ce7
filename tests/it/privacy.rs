//! What a data protection officer asks for: what is kept of one citizen, and that it is gone.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{Server, borgerlinje, finish, printed};

/// In the citizen's words alone.
const MARK: &str = "grævlingegrav";

fn citizen(server: &Server, arguments: &[&str]) -> std::process::Output {
    let mut command = borgerlinje(&[&["citizen"], arguments].concat());
    command.env("BORGERLINJE_DATA", server.data());
    finish(&mut command, b"")
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

    let all: Value = serde_json::from_str(&printed(&citizen(&server, &["export", code]))).unwrap();
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
    let erased: Value =
        serde_json::from_str(&printed(&citizen(&server, &["erase", code]))).unwrap();
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
