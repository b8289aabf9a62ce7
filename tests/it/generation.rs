//! Answers in other words than the approved ones, over real sockets and with a real language model where it was fetched.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::attacks::all_end_in_approved_words;
use crate::client::{Client, answer};
use crate::harness::{Server, borgerlinje};
use crate::quality::rows;

const MODEL: &str = "gemma3-270m";

/// Whether the model is in the cache; where everything must be tested, it has to be.
fn fetched() -> bool {
    let command = borgerlinje(&[]);
    let mut set = command.get_envs();
    let cache = set.find_map(|(name, value)| value.filter(|_| name == "BORGERLINJE_CACHE"));
    let folder = std::path::Path::new(cache.unwrap())
        .join("models")
        .join(MODEL);
    let here = fs::read_dir(folder).is_ok_and(|mut files| {
        files.any(|f| f.is_ok_and(|f| f.path().extension().is_some_and(|e| e == "gguf")))
    });
    let must = std::env::var("BORGERLINJE_ACCEPT_TERMS").is_ok_and(|m| m == MODEL);
    assert!(here || !must, "{MODEL} was not fetched");
    if !here {
        eprintln!("{MODEL} is not here: no answer was generated");
    }
    here
}

/// A service that says answers this way, once its model is as it should be. It has patience, for the program may be
/// unoptimized and the machine at work on other tests.
async fn service(mode: &str, model: &str, state: &str) -> Server {
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-generation-").unwrap();
    let file = folder.path().join("borgerlinje.toml");
    fs::write(&file, "[generation]\nseconds = 120\nfirst_seconds = 120\n").unwrap();
    let server = Server::with(&[
        ("BORGERLINJE_CONFIG", file.to_str().unwrap()),
        ("BORGERLINJE_GENERATION", mode),
        ("BORGERLINJE_GENERATOR", model),
    ]);
    loop {
        let (_, ready) = server.get_json("/health/ready");
        let is = ready["generation"].as_str().unwrap().to_owned();
        if is == state {
            return server;
        }
        assert_eq!(is, "loading", "{}", server.stderr());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ask(server: &Server, question: &str) -> Vec<Value> {
    let (mut c, _) = Client::hello(server, "0751").await;
    c.ask("a", question).await
}

fn danish(n: usize) -> Vec<String> {
    let rows = rows("danish.tsv");
    let each = rows.len() / n;
    let own = rows.iter().filter(|r| r["municipality"] == "0751");
    own.step_by(each.max(1))
        .map(|r| r["question"].clone())
        .collect()
}

#[tokio::test]
async fn a_model_writes_and_the_approved_text_is_kept_beside_it() {
    if !fetched() {
        return;
    }
    let server = service("generated", MODEL, "ready").await;
    let (mut written, mut streamed) = (0, 0);
    for question in danish(16) {
        let (mut c, _) = Client::hello(&server, "0751").await;
        c.send(&json!({"type": "message", "client_id": "a", "text": question}))
            .await;
        let mut turn = c.until("answer_part").await;
        let first = turn.last().unwrap()["turn"].as_str().unwrap().to_owned();
        // What comes at once is shown before the rest is written.
        let end = format!(r#""type":"answer_end","turn":"{first}""#);
        let stored = server.stored();
        let ended = stored
            .iter()
            .any(|(_, b)| b.windows(end.len()).any(|w| w == end.as_bytes()));
        streamed += usize::from(!ended);
        turn.extend(c.until("answer_end").await);
        turn.retain(|f| f.get("seq").is_some());
        let plain = ask(Server::shared(), &question).await;
        let (start, end) = (&turn[1], turn.last().unwrap());
        if start.get("written").is_none() {
            assert_eq!(answer(&turn), answer(&plain), "{question}");
            assert_eq!(end.get("approved"), None);
            continue;
        }
        written += 1;
        assert_eq!(start["written"], "generated");
        assert!(
            start["mark"]
                .as_str()
                .unwrap()
                .starts_with("Skrevet af en computer")
        );
        assert_eq!(end["approved"]["text"], answer(&plain), "{question}");
        assert_eq!(
            end["sources"][0]["article_id"],
            plain.last().unwrap()["sources"][0]["article_id"]
        );
        assert!(!end["sources"][0]["sections"].as_array().unwrap().is_empty());
        let parts = || turn.iter().filter(|f| f["type"] == "answer_part");
        assert!((1..=12).contains(&parts().count()));
        assert!(parts().all(|p| !p["sections"].as_array().unwrap().is_empty()));
        // Whoever comes back reads the same, mark and all.
        let mut again = Client::resume(&server, "0751", &c.dialogue, &c.token, 0).await;
        again.next("welcome").await;
        let seen = again.until("answer_end").await;
        let seen: Vec<&Value> = seen.iter().filter(|f| f.get("seq").is_some()).collect();
        assert_eq!(seen, turn.iter().collect::<Vec<_>>());
    }
    assert!(written > 2, "{written} answers were written");
    assert!(
        streamed > 0,
        "every answer was whole before its first sentence was sent"
    );
    let stored = server.stored();
    let holds = |needle: &str| {
        let found = |bytes: &[u8]| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
        stored.iter().any(|(_, bytes)| found(bytes))
    };
    assert!(
        holds(r#""composition":{"mode":"generated","model":"#),
        "no record says how"
    );
}

#[tokio::test]
async fn no_attack_is_answered_by_a_model() {
    if fetched() {
        let server = service("generated", MODEL, "ready").await;
        assert_eq!(
            all_end_in_approved_words(&server, rows("attacks.tsv"))
                .await
                .len(),
            150
        );
    }
}

#[tokio::test]
async fn a_model_that_cannot_be_used_leaves_every_answer_verbatim_and_says_why() {
    let folder = tempfile::TempDir::with_prefix("borgerlinje-it-").unwrap();
    let broken = folder.path().join("broken.gguf");
    std::fs::write(&broken, b"GGUF but no more").unwrap();
    for (model, why) in [
        (broken.to_str().unwrap(), "broken.gguf"),
        (
            "no-such-model",
            "expected a file that ends in .gguf, or one of",
        ),
    ] {
        let server = service("generated", model, "unavailable").await;
        let said = server.stderr();
        assert!(
            said.contains("answers are verbatim") && said.contains(why),
            "{said}"
        );
        let question = "hvordan fornyer jeg mit pas";
        let (ours, plain) = (
            ask(&server, question).await,
            ask(Server::shared(), question).await,
        );
        assert_eq!(ours[1].get("written"), None);
        assert_eq!(answer(&ours), answer(&plain));
    }
}

#[tokio::test]
async fn an_extract_is_the_approved_words_and_people_in_need_get_them_all() {
    let server = service("shortened", "off", "off").await;
    let mut shorter = 0;
    for question in danish(24) {
        let turn = ask(&server, &question).await;
        let end = turn.last().unwrap();
        if turn[1].get("written").is_none() {
            continue;
        }
        shorter += 1;
        assert_eq!(turn[1]["written"], "shortened");
        let whole = end["approved"]["text"].as_str().unwrap();
        let said = answer(&turn);
        assert!(said.len() < whole.len());
        for line in said.lines() {
            assert!(whole.contains(line.trim()), "«{line}» is not in\n{whole}");
        }
    }
    assert!(shorter > 5, "{shorter}");
    let turn = ask(&server, "jeg er hjemløs og har ikke et sted at sove i nat").await;
    assert_eq!(turn.last().unwrap()["sources"][0]["article_id"], "hjemloes");
    assert_eq!(turn[1].get("written"), None);
}
