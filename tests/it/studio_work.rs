//! The studio's longer work over real sockets: replays, what to write next, imports, and what is scheduled.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::client::Client;
use crate::desk_client::{Desk, account, id};
use crate::harness::{borgerlinje, files_below, finish, printed};
use crate::studio::{STORSKRALD, asked, rewritten};
use crate::studio_client::{Editor, Service, knowledge, write};

/// A question set of the test's own, beside the knowledge.
fn set(service: &Service, rows: &[(&str, &str)]) {
    let mut text = "question\tmunicipality\texpected\tlang\tslice\n".to_owned();
    for (question, expected) in rows {
        text.push_str(&format!("{question}\t0751\t{expected}\tda\tlay\n"));
    }
    write(service.knowledge.path(), "tests/questions/egne.tsv", &text);
}

/// How many example sentences the articles of a folder have.
fn examples(folder: &Path) -> usize {
    let sentences = |text: String| -> usize {
        let matter = text.split("+++").nth(1).unwrap_or_default();
        let matter: toml::Table = matter.parse().unwrap();
        let by_lang = matter.get("examples").and_then(toml::Value::as_table);
        let lists = by_lang.into_iter().flat_map(toml::Table::values);
        lists.map(|list| list.as_array().unwrap().len()).sum()
    };
    let files = files_below(folder).into_iter();
    let articles = files.filter(|path| path.extension().is_some_and(|e| e == "md"));
    articles
        .map(|path| sentences(fs::read_to_string(path).unwrap()))
        .sum()
}

#[tokio::test]
async fn a_replay_tells_what_is_lost_and_a_worse_set_needs_a_reason() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    set(
        &service,
        &[
            (STORSKRALD, "affald-storskrald"),
            (
                "Hvornår bliver storskrald hentet hos os?",
                "affald-storskrald",
            ),
            ("Hvordan fornyer jeg mit pas?", "pas-forny"),
        ],
    );
    asked(&service, "0751").await;
    let draft = anna.draft(&json!([
        {"kind": "remove_article", "layer": "shared", "id": "affald-storskrald"}
    ]));
    let id = draft["id"].as_str().unwrap();
    let publish = format!("/drafts/{id}/publish");
    // Nobody has tried it: it is tried now, and nothing of it is written.
    let job = anna.end(&anna.post(&publish, &json!({"version": 1})));
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("failed"), &json!("worse")),
        "{job:#}"
    );
    assert_eq!(job["error"]["sets"], json!(["egne"]));
    let file = "shared/affald/affald-storskrald.md";
    assert!(service.folder().join(file).exists());
    // Whoever began a replay can stop it, and nobody else.
    let bo = service.editor("bo", "all");
    let ask = json!({"version": 1, "questions": 50});
    let begun = anna.post(&format!("/drafts/{id}/replay"), &ask);
    let job = format!("/jobs/{}", begun["job"].as_str().unwrap());
    assert_eq!(bo.try_("DELETE", &job, &Value::Null).0, 403);
    assert_eq!(anna.try_("DELETE", &job, &Value::Null).0, 204);
    assert_eq!(anna.end(&begun)["state"], "stopped");
    let job = anna.end(&anna.post(
        &format!("/drafts/{id}/replay"),
        &json!({"version": 1, "questions": 50}),
    ));
    assert_eq!(job["state"], "done", "{job:#}");
    let replay = &job["result"];
    assert_eq!(replay["asked"]["sets"], 3, "{replay:#}");
    assert_eq!(
        replay["asked"]["examples"],
        examples(service.knowledge.path())
    );
    assert_eq!(replay["asked"]["questions"], 1);
    let lost = replay["changes"].as_array().unwrap().iter().find(|c| {
        c["from"] == "set" && c["before"]["article"] == "affald-storskrald" && c["better"] == false
    });
    assert!(lost.is_some(), "{replay:#}");
    let figures = &replay["sets"][0];
    assert_eq!(
        (&figures["set"], &figures["worse"]),
        (&json!("egne"), &json!(true))
    );
    let areas = replay["areas"].as_array().unwrap();
    let affald = areas.iter().find(|a| a["area"] == "affald").unwrap();
    let (before, after) = (&affald["before"]["right"], &affald["after"]["right"]);
    assert_eq!(
        (&affald["n"], &before["percent"]),
        (&json!(2), &json!(100.0))
    );
    assert_eq!(after["percent"], 0.0, "{affald:#}");
    // Two questions say little: the intervals are wide, and hold what was counted.
    let low = before["low"].as_f64().unwrap();
    let high = after["high"].as_f64().unwrap();
    assert!(low < 50.0 && high > 50.0, "{affald:#}");
    let refused = anna.refused(&publish, &json!({"version": 1}), "worse");
    assert_eq!(refused["sets"], json!(["egne"]));
    // Nor at a time, without a reason.
    let state = format!("/drafts/{id}/state");
    let at = begun_at(&anna, id) + 3_600_000;
    let mut later = json!({"version": 1, "to": "scheduled", "at_ms": at});
    anna.refused(&state, &later, "worse");
    later["override"] = "Ordningen er lukket af byrådet".into();
    let scheduled = anna.post(&state, &later);
    assert_eq!(scheduled["schedule"]["override"], later["override"]);
    anna.post(&state, &json!({"version": 1, "to": "open"}));
    anna.refused(
        &publish,
        &json!({"version": 1, "override": "fordi"}),
        "worse",
    );
    let why = "Ordningen er lukket af byrådet";
    let done = anna.done(&publish, &json!({"version": 1, "override": why}));
    assert_eq!(done["release"]["override"], why);
    assert!(!service.folder().join(file).exists());

    // What was taken out of the folder by hand makes the set worse as well.
    fs::remove_file(service.folder().join("shared/pas/pas-forny.md")).unwrap();
    let mut adopt = json!({"why": "Fra git"});
    let job = anna.end(&anna.post("/releases/folder", &adopt));
    assert_eq!(job["error"]["code"], "worse", "{job:#}");
    adopt["override"] = "Pas er flyttet til staten".into();
    let adopted = anna.done("/releases/folder", &adopt);
    assert_eq!(adopted["release"]["override"], adopt["override"]);
    // Taking back asks nothing.
    let number = &adopted["release"]["number"];
    let undone = anna.done(
        &format!("/releases/{number}/undo"),
        &json!({"why": "Det var forkert"}),
    );
    assert_eq!(undone["release"]["kind"], "undo");
}

/// When a draft was begun, in milliseconds.
fn begun_at(editor: &Editor<'_>, id: &str) -> i64 {
    let draft = editor.get(&format!("/drafts/{id}"));
    draft["created_ms"].as_i64().unwrap()
}

fn kind(frame: &Value) -> &str {
    frame["card"]["state"]["kind"].as_str().unwrap_or("")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_at_a_person_and_what_agents_answered_is_offered() {
    let service = Service::over(knowledge(), &[("BORGERLINJE_ALWAYS_OPEN", "1")]);
    let eva = service.editor("eva", "all");
    let cara = service.editor("cara", "0851");
    account(
        &service.server,
        "anna",
        "Anna",
        &["--municipalities", "0751"],
    );
    let mut anna = Desk::of(&service.server, "anna").await;

    // Answered, and not what they came for.
    let asked = [
        "Hvordan fornyer jeg mit pas?",
        "Hvordan kan jeg forny mit pas?",
    ];
    let mut citizens = Vec::new();
    for question in asked {
        let (mut c, _) = Client::hello(&service.server, "0751").await;
        let events = c.ask("q-1", question).await;
        assert!(
            events.iter().any(|e| e["outcome"] == "answered"),
            "{events:#?}"
        );
        c.send(&json!({"type": "human", "client_id": "h-1"})).await;
        c.next("handover_offer").await;
        c.send(&json!({"type": "queue", "client_id": "h-2"})).await;
        c.next("queued").await;
        citizens.push(c);
    }
    // Answered, and that was it.
    let (mut c, _) = Client::hello(&service.server, "0751").await;
    c.ask("q-1", STORSKRALD).await;

    let card = anna.when("card", |f| kind(f) == "offered").await["card"].clone();
    let (item, offer) = (&card["item"], &card["state"]["offer"]);
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    let owned = anna
        .when("card", |f| kind(f) == "owned" && f["card"]["item"] == *item)
        .await;
    let epoch = &owned["card"]["epoch"];
    let reply = "Bestil tid i borgerservice, og tag dit gamle pas med.";
    let write = json!({"type": "message", "id": id(), "item": item, "epoch": epoch, "text": reply});
    let sent = anna.done(write).await;
    anna.done(json!({"type": "draft", "item": item, "line": sent["line"], "text": reply}))
        .await;

    let next = eva.done("/next", &json!({"days": 1}));
    assert_eq!(next["looked_at"], 3, "{next:#}");
    let group = &next["groups"][0];
    assert_eq!(group["why"]["person"], 2, "{next:#}");
    assert_eq!(group["why"]["unanswered"], 0);
    let mut examples: Vec<&str> = group["examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e.as_str().unwrap())
        .collect();
    examples.sort_unstable();
    let mut want = asked;
    want.sort_unstable();
    assert_eq!(examples, want);
    let replies = next["replies"].as_array().unwrap();
    assert_eq!(replies.len(), 1, "{next:#}");
    assert_eq!(replies[0]["text"], reply);
    assert!(asked.contains(&replies[0]["question"].as_str().unwrap()));
    assert_eq!(replies[0]["municipality"], "0751");
    let other = cara.done("/next", &json!({"days": 1}));
    assert_eq!(
        (&other["groups"], &other["replies"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test]
async fn what_was_asked_in_vain_is_grouped_and_an_import_is_drafts() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let cara = service.editor("cara", "0851");
    let vain = [
        "Hvor kan jeg leje en kolonihave i kommunen?",
        "Kan jeg leje en kolonihave hos kommunen?",
        "Er der en ledig kolonihave, jeg kan leje?",
    ];
    for question in vain {
        let (mut c, _) = Client::hello(&service.server, "0751").await;
        c.ask("q-1", question).await;
    }
    let next = anna.done("/next", &json!({"days": 1}));
    assert_eq!(next["looked_at"], 3, "{next:#}");
    let group = &next["groups"][0];
    let of = group["examples"].as_array().unwrap();
    assert!(of.len() >= 2, "{next:#}");
    assert_eq!(group["municipalities"], json!(["0751"]));
    let mut article = group["draft"]["article"].clone();
    article["area"] = "affald".into();
    let draft = anna.draft(&json!([{"kind": "article", "layer": "shared", "article": article}]));
    assert!(
        !draft["faults"].as_array().unwrap().is_empty(),
        "it has to be written first"
    );
    // Questions are read by whoever has the right to where they were asked.
    assert_eq!(cara.done("/next", &json!({"days": 1}))["looked_at"], 0);
    cara.refused("/next", &json!({"municipality": "0751"}), "no_right");

    let table = "spørgsmål;svar;eksempler;område\nMå jeg have en hane?;Ja, hvis naboerne kan leve med det.;må man have hane;affald\n\
                 Kort\n";
    let import = json!({"name": "gammel.csv", "format": "csv", "text": table, "layer": "shared"});
    let imported = anna.done("/import", &import);
    assert_eq!(
        (&imported["read"], &imported["skipped"][0]["row"]),
        (&json!(2), &json!(3))
    );
    let id = imported["drafts"][0]["id"].as_str().unwrap();
    let draft = anna.get(&format!("/drafts/{id}"));
    assert_eq!(
        (&draft["state"], &draft["source"]),
        (&json!("open"), &json!("gammel.csv"))
    );
    cara.refused("/import", &import, "no_right");
}

#[tokio::test]
async fn a_scheduled_draft_is_published_at_its_time() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let shared = rewritten(
        &anna.article("affald-storskrald", "shared"),
        "Fra i dag hentes sofaer om natten.",
    );
    let draft = anna.draft(&json!([{"kind": "article", "layer": "shared", "article": shared}]));
    let state = format!("/drafts/{}/state", draft["id"].as_str().unwrap());
    let at = |at_ms: i64| json!({"version": 1, "to": "scheduled", "at_ms": at_ms});
    anna.refused(&state, &at(1_000), "bad_request");
    let created = draft["created_ms"].as_i64().unwrap();
    anna.post(&state, &at(created + 4_000));
    let id = draft["id"].as_str().unwrap();
    anna.until(&format!("/drafts/{id}"), |d| d["state"] == "published");
    assert!(asked(&service, "0615").await.contains("om natten"));
}

#[test]
fn an_import_by_command_is_drafts_in_the_studio() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("gammel.json");
    let rows = json!([
        {"question": "Må jeg have en hane?", "answer": "Ja, hvis naboerne kan leve med det.", "area": "Dyr"},
        {"question": "Uden svar"}
    ]);
    std::fs::write(&file, rows.to_string()).unwrap();
    let mut command = borgerlinje(&["import", file.to_str().unwrap(), "--owner", "miljoe"]);
    command.env("BORGERLINJE_DATA", dir.path());
    let said = printed(&finish(&mut command, b""));
    assert!(said.contains("række 2: Rækken har intet svar."), "{said}");
    assert!(
        said.contains("2 rækker læst, 1 artikler i 1 kladder"),
        "{said}"
    );
    assert!(dir.path().join("editor.sqlite").exists());
}
