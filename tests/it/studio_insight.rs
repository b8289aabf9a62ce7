//! What editors see of the knowledge as a whole, over real sockets: thresholds, sentences in each other's way, links,
//! and the example of a client in docs/examples.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use crate::client::Client;
use crate::harness::{finish, printed, root, run};
use crate::studio_client::{Service, knowledge, write};
use crate::studio_killed::text;

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap().iter();
    list.map(|n| n.as_f64().unwrap()).collect()
}

#[test]
fn every_threshold_is_told_area_by_area_and_the_one_that_holds_keeps_the_budget() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let t = anna.get("/thresholds");
    let thresholds = numbers(&t["thresholds"]);
    assert!(thresholds.is_sorted_by(|a, b| a > b), "{thresholds:?}");
    let answer = t["answer"].as_f64().unwrap();
    let now = thresholds.iter().position(|x| *x == answer).unwrap();
    assert!(t["clarify"].as_f64().unwrap() < answer);

    let areas = t["areas"].as_array().unwrap();
    let mut ids: Vec<&str> = areas.iter().map(|a| a["area"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["affald", "pas", "udsatte"], "{t:#}");
    let n = |c: &Value| c["n"].as_u64().unwrap();
    assert_eq!(areas.iter().map(n).sum::<u64>(), n(&t["all"]));
    assert!(n(&t["outside"]) > 20);
    for c in areas.iter().chain([&t["all"]]) {
        let (answered, wrong) = (numbers(&c["answered"]), numbers(&c["wrong"]));
        assert_eq!(
            (answered.len(), wrong.len()),
            (thresholds.len(), thresholds.len())
        );
        // A lower threshold lets more through, never less.
        assert!(answered.is_sorted() && wrong.is_sorted());
        assert!(answered.iter().zip(&wrong).all(|(a, w)| w <= a));
        assert_eq!(answered.last().copied(), Some(n(c) as f64), "{c:#}");
    }
    let strays = |at: usize| -> f64 { areas.iter().map(|a| numbers(&a["strays"])[at]).sum() };
    assert_eq!(strays(now), numbers(&t["outside"]["answered"])[now]);
    let wrong = numbers(&t["all"]["wrong"])[now];
    let budget = t["budget"]["wrong"].as_f64().unwrap() / 100.0;
    assert!(
        wrong <= budget * n(&t["all"]) as f64,
        "{wrong} of {}",
        n(&t["all"])
    );
}

#[tokio::test]
async fn what_the_thresholds_gave_stays_with_the_release() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let then = anna.get("/thresholds");
    let own = text("affald-storskrald", "kommune/0751", 1);
    let draft = anna.draft(&json!([
        {"kind": "file", "file": "kommune/0751/affald-storskrald.md", "text": own}
    ]));
    let release = anna.publish(&draft);
    assert_eq!(release["number"], 2);
    let now = anna.get("/thresholds");
    assert_eq!(now["release"], release["hash"]);
    // It is kept beside everything else.
    let kept = loop {
        let (status, kept) = anna.try_("GET", "/thresholds?release=1", &Value::Null);
        if status == 200 {
            break kept;
        }
        assert_eq!((status, &kept["code"]), (404, &json!("not_found")));
        sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(kept, then);
    assert_ne!(kept["release"], now["release"]);
    assert_eq!(anna.get("/thresholds?release=2")["release"], now["release"]);
    let (status, _) = anna.try_("GET", "/thresholds?release=99", &Value::Null);
    assert_eq!(status, 404);
}

/// A website on this machine that has no page.
fn empty_website() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let mut asked = [0; 4096];
            let _ = socket.read(&mut asked);
            let _ = socket.write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn links_that_no_longer_answer_are_found_and_kept() {
    let site = empty_website();
    let knowledge = knowledge();
    let folder = knowledge.path().join("knowledge/shared");
    for area in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(area.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            // Nothing outside is asked by a test.
            let mut text = text.replace("https://", "https://10.255.255.1/");
            if path
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("pas-")
            {
                text.push_str(&format!("\nSe mere på {site}/passet.\n"));
            }
            fs::write(&path, text).unwrap();
        }
    }
    let local = text("lokal-ting", "kommune/0751", 0).replace("2099", "2020");
    write(
        &knowledge.path().join("knowledge"),
        "kommune/0751/lokal-ting.md",
        &local,
    );
    let listed = [("BORGERLINJE_PRIVATE_LINKS", "127.0.0.1")];
    let service = Service::over(knowledge, &listed);
    let anna = service.editor("anna", "all");
    let before = anna.get("/links");
    assert_eq!(
        (&before["at_ms"], &before["checked"]),
        (&Value::Null, &json!(0))
    );
    let links = anna.done("/links", &Value::Null);
    let faults = links["faults"].as_array().unwrap();
    let gone: Vec<&Value> = faults.iter().filter(|f| f["kind"] == "gone").collect();
    assert_eq!(gone.len(), 1, "{links:#}");
    assert_eq!(gone[0]["url"], format!("{site}/passet"));
    assert_eq!(gone[0]["status"], 404);
    let uses = gone[0]["used_by"].as_array().unwrap();
    let ids: Vec<&str> = uses.iter().map(|u| u["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["pas-barn", "pas-forny"]);
    // What lies inside and is not listed was not asked.
    assert!(
        faults
            .iter()
            .all(|f| f["kind"] == "gone" || f["kind"] == "private")
    );
    assert_eq!(anna.get("/links"), links);
    assert!(service.server.data().join("links.json").exists());

    let next = anna.done("/next", &json!({"days": 1}));
    assert_eq!(next["links"], links);
    // Who looks at one municipality is told of what its citizens can get.
    let other = anna.done("/next", &json!({"days": 1, "municipality": "0615"}));
    let ids = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|x| x["id"].as_str().unwrap().to_owned()).collect()
    };
    let local = "lokal-ting".to_owned();
    assert!(ids(&next["overdue"]).contains(&local) && ids(&next["unreached"]).contains(&local));
    assert!(!ids(&other["overdue"]).contains(&local) && !ids(&other["unreached"]).contains(&local));
    assert!(ids(&other["unreached"]).contains(&"pas-forny".to_owned()));
    let confusions = next["confusions"].as_array().unwrap();
    assert!(!confusions.is_empty(), "{next:#}");
    for c in confusions {
        let sentences = c["sentences"].as_array().unwrap();
        let shown = sentences.iter().filter(|s| s["shown"] == true).count();
        assert_eq!(c["shown"], json!(shown));
        assert_ne!(c["of"]["id"], c["with"]["id"]);
    }
}

#[test]
fn the_check_names_sentences_that_lead_elsewhere() {
    let said = printed(&run(&["check", "--sentences", "--json"], b""));
    let found: Value = serde_json::from_str(&said).unwrap();
    let confusions = found["confusions"].as_array().unwrap();
    let twins = found["twins"].as_array().unwrap();
    assert!(!confusions.is_empty() && found.as_object().unwrap().len() == 2);
    for s in confusions
        .iter()
        .flat_map(|c| c["sentences"].as_array().unwrap())
    {
        let text = fs::read_to_string(root().join("knowledge").join(s["file"].as_str().unwrap()));
        assert!(text.is_ok(), "{s:#}");
    }
    assert!(twins.iter().all(|t| t["likeness"].as_f64().unwrap() >= 0.7));
}

/// A municipality's script that does a morning's work of an editor, by the standard library of Python alone.
#[tokio::test]
async fn the_client_example_finds_what_was_asked_in_vain_and_makes_a_draft_of_it() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    for question in [
        "Hvor kan jeg leje en kolonihave i kommunen?",
        "Kan jeg leje en kolonihave hos kommunen?",
        "Er der en ledig kolonihave, jeg kan leje?",
    ] {
        let (mut c, _) = Client::hello(&service.server, "0751").await;
        c.ask("q-1", question).await;
    }
    let script = |arguments: &[&str], password: &str| {
        let mut python = Command::new("python3");
        python
            .arg(root().join("docs/examples/studio.py"))
            .args(arguments)
            .env(
                "BORGERLINJE_URL",
                format!("http://{}", service.server.address),
            )
            .env("BORGERLINJE_USER", "anna")
            .env("BORGERLINJE_PASSWORD", password);
        finish(&mut python, b"")
    };
    let password = crate::desk_client::PASSWORD;
    let said = printed(&script(&[], password));
    assert!(said.contains("kolonihave"), "{said}");
    assert_eq!(anna.get("/drafts")["drafts"], json!([]), "it only looks");
    let said = printed(&script(&["--kladde", "--omraade", "affald"], password));
    let drafts = anna.get("/drafts");
    let draft = &drafts["drafts"][0];
    assert!(
        draft["title"].as_str().unwrap().contains("kolonihave"),
        "{draft:#}"
    );
    assert!(said.contains(draft["id"].as_str().unwrap()), "{said}");
    let wrong = script(&[], "en anden adgangskode");
    assert_eq!(wrong.status.code(), Some(1));
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        said.contains("Brugernavn eller adgangskode er forkert."),
        "{said}"
    );
}
