//! The widget in a real browser, with an agent on the other side.

use std::path::Path;
use std::process::Stdio;

use contact::centre::AgentId;
use contact::centre::ItemId;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use super::service::Service;
use crate::transcript::{Typing, Typist};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Whether the browser and the widget are there; where CI is set they must be.
fn ready() -> bool {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let root = Path::new(ROOT);
    let needed = [
        Path::new(&chromium).to_owned(),
        root.join("widget/dist/borgerlinje.js"),
        root.join("tests/browser/node_modules"),
    ];
    let missing = needed.iter().find(|p| !p.exists());
    if let Some(missing) = missing {
        println!("SKIPPED: there is no {}", missing.display());
    }
    missing.is_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_waits_talks_to_a_person_and_is_rung_in_a_browser() {
    if !ready() {
        return;
    }
    let s = Service::start().await;
    s.agent("anna").await;
    let mut browser = Command::new("node")
        .arg("people.mjs")
        .arg(format!("http://{}", s.address))
        .current_dir(Path::new(ROOT).join("tests/browser"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut answer = browser.stdin.take().unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    let mut chat: Option<(ItemId, AgentId, u64)> = None;
    let (mut said, mut well) = (0, false);
    while let Some(line) = lines.next_line().await.unwrap() {
        well |= line == "all is well";
        let Some(what) = line.strip_prefix("agent ") else {
            continue;
        };
        let dialogue = s.only_dialogue().await;
        match (what.split_once(' '), &chat) {
            (Some(("say", text)), Some(of)) => {
                said += 1;
                s.says(of, &format!("m-{said}"), text).await;
            }
            (None, None) if what == "accept" => chat = Some(s.accept(&dialogue).await),
            (None, Some(_)) if what == "typing" => {
                let (dialogue, by) = (dialogue.parse().unwrap(), Typist::Agent);
                s.app.typing.send(Typing { dialogue, by }).unwrap();
            }
            (None, Some(of)) if what == "close" => s.close(of).await,
            _ => panic!("{what}"),
        }
        answer.write_all(b"done\n").await.unwrap();
    }
    let status = browser.wait().await.unwrap();
    assert!(well && status.success(), "{status}");
}
