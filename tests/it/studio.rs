//! The studio over real sockets: what an editor changes is what citizens get, and nothing is lost.

use serde_json::{Value, json};

use crate::client::{Client, answer};
use crate::desk_client::{account, origin, request_at, sign_in};
use crate::studio_client::{Service, knowledge, write};

pub(crate) const STORSKRALD: &str = "Hvordan slipper jeg af med en gammel sofa, er det storskrald?";

pub(crate) async fn asked(service: &Service, municipality: &str) -> String {
    let (mut c, _) = Client::hello(&service.server, municipality).await;
    answer(&c.ask("q-1", STORSKRALD).await)
}

/// The article with another first line.
pub(crate) fn rewritten(article: &Value, sentence: &str) -> Value {
    let mut article = article.clone();
    let body = article["body"].as_str().unwrap();
    let rest = body.split_once('\n').map_or("", |(_, rest)| rest);
    article["body"] = format!("{sentence}\n{rest}").into();
    article
}

fn own(sentence: &str) -> String {
    let filler =
        "Ring til os, hvis du er i tvivl om noget af det, så hjælper vi dig videre med det samme. "
            .repeat(3);
    format!(
        "+++\nid = \"affald-storskrald\"\narea = \"affald\"\ntitle = \"Storskrald i Aarhus\"\naudience = \"citizen\"\n\
         source = \"Affaldsbekendtgørelsen\"\nowner = \"affald\"\nreview_by = 2099-01-01\n[examples]\n\
         da = [\"sofa til storskrald hos os\"]\n+++\n{sentence}\n\n## Mere\n{filler}\n"
    )
}

#[tokio::test]
async fn what_is_published_is_answered_where_it_is_inherited_and_undo_brings_the_old_back() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let before = asked(&service, "0615").await;
    let file = service.file("shared/affald/affald-storskrald.md");

    // Aarhus has its own.
    let draft = anna.draft(&json!([{
        "kind": "file", "file": "kommune/0751/affald-storskrald.md", "text": own("Aarhus henter din sofa.")
    }]));
    assert_eq!(draft["faults"], json!([]), "{draft:#}");
    anna.publish(&draft);
    assert!(
        asked(&service, "0751")
            .await
            .contains("Aarhus henter din sofa.")
    );
    assert_eq!(asked(&service, "0615").await, before);

    let shared = anna.article("affald-storskrald", "shared");
    let shared = rewritten(&shared, "Sofaer hentes nu hver tirsdag.");
    let preview = anna.post(
        "/preview",
        &json!({"municipality": "0615", "layer": "shared", "article": shared}),
    );
    assert_eq!(preview["faults"], json!([]), "{preview:#}");
    let shown = preview["body"].as_str().unwrap();
    assert!(
        shown.starts_with("Sofaer hentes nu hver tirsdag."),
        "{shown}"
    );
    assert!(!shown.contains("{{"), "{shown}");
    let draft = anna.draft(&json!([{"kind": "article", "layer": "shared", "article": shared}]));
    assert_eq!(asked(&service, "0615").await, before, "a draft is not live");
    let release = anna.publish(&draft);
    assert_eq!(release["kind"], "draft");
    for inherits in ["0615", "0851"] {
        let said = asked(&service, inherits).await;
        assert!(said.contains("Sofaer hentes nu hver tirsdag."), "{said}");
    }
    assert!(
        asked(&service, "0751")
            .await
            .contains("Aarhus henter din sofa.")
    );
    let id = draft["id"].as_str().unwrap();
    let now = anna.get(&format!("/drafts/{id}"));
    assert_eq!(
        (&now["state"], &now["release"]),
        (&json!("published"), &release["number"])
    );

    let number = &release["number"];
    let undone = anna.done(
        &format!("/releases/{number}/undo"),
        &json!({"why": "Det var forkert"}),
    );
    assert_eq!(undone["release"]["undoes"], *number);
    assert_eq!(asked(&service, "0615").await, before);
    assert_eq!(service.file("shared/affald/affald-storskrald.md"), file);
    let history = anna.get("/releases");
    let kinds: Vec<&str> = history["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["undo", "draft", "draft", "start"]);
    assert_eq!(
        history["releases"][1]["undone_by"],
        undone["release"]["number"]
    );
    let one = anna.get(&format!("/releases/{number}"));
    let lines = one["diff"][0]["hunks"][0]["lines"].to_string();
    assert!(lines.contains("tirsdag"), "{lines}");
    let of = anna.get("/articles/affald-storskrald?municipality=0751");
    assert_eq!(of["seen"]["layer"], "0751");
    assert_eq!(of["versions"].as_array().unwrap().len(), 2);
    assert_eq!(of["releases"].as_array().unwrap().len(), 4);
    let rows = anna.get("/knowledge?municipality=0751");
    let row = rows["articles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["id"] == "affald-storskrald");
    assert_eq!(row.unwrap()["seen"], "own");
}

#[tokio::test]
async fn a_conflicting_edit_is_merged_or_refused_and_never_lost() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let bo = service.editor("bo", "all");
    let article = anna.article("affald-storskrald", "shared");
    let change = |a: &Value| json!([{"kind": "article", "layer": "shared", "article": a}]);

    // Two in one draft, in other places of one file.
    let draft = anna.draft(&change(&rewritten(&article, "Annas første linje.")));
    let path = format!("/drafts/{}/changes", draft["id"].as_str().unwrap());
    let mut two = rewritten(&article, "Annas første linje.");
    two["title"] = "Bos titel".into();
    let saved = bo.post(&path, &json!({"version": 1, "changes": change(&two)}));
    assert_eq!(saved["version"], 2);
    let mut three = rewritten(&article, "Annas nye linje.");
    three["owner"] = "genbrug".into();
    let saved = anna.post(&path, &json!({"version": 1, "changes": change(&three)}));
    assert_eq!(saved["version"], 3);
    let text = anna.get(&format!(
        "/articles/affald-storskrald?draft={}",
        draft["id"].as_str().unwrap()
    ));
    let merged = &text["versions"][0];
    assert_eq!(merged["article"]["title"], "Bos titel");
    assert_eq!(merged["article"]["owner"], "genbrug");
    assert_eq!(merged["state"], "changed");

    // And in the same place.
    let late = rewritten(&article, "Bos første linje.");
    let refused = bo.refused(
        &path,
        &json!({"version": 1, "changes": change(&late)}),
        "draft_changed",
    );
    let conflict = &refused["conflicts"][0];
    assert!(conflict["yours"].to_string().contains("Bos første linje."));
    assert!(conflict["theirs"].to_string().contains("Annas nye linje."));
    assert_eq!(refused["draft"]["version"], 3);

    // Two drafts on one article: the second is told, resolves, and both are in the history.
    let other = bo.draft(&change(&late));
    anna.publish(&saved);
    let id = other["id"].as_str().unwrap();
    let now = bo.get(&format!("/drafts/{id}"));
    let file = "shared/affald/affald-storskrald.md";
    assert_eq!(now["conflicts"], json!([file]));
    let publish = format!("/drafts/{id}/publish");
    bo.refused(&publish, &json!({"version": 1}), "conflict");
    let conflicts = bo.get(&format!("/drafts/{id}/conflicts"));
    let conflict = &conflicts["conflicts"][0];
    let text = conflict["theirs"]
        .as_str()
        .unwrap()
        .replace("Annas nye linje.", "Annas og Bos første linje.");
    let resolve = format!("/drafts/{id}/resolve");
    let mut asked = json!({"version": 1, "file": file, "theirs_hash": "-", "text": text});
    bo.refused(&resolve, &asked, "conflict");
    asked["theirs_hash"] = conflict["theirs_hash"].clone();
    let resolved = bo.post(&resolve, &asked);
    assert_eq!(resolved["conflicts"], json!([]));
    bo.publish(&resolved);
    assert!(service.file(file).contains("Annas og Bos første linje."));

    // Somebody changes the folder: elsewhere it is merged in, in the same place refused, and it can be published.
    let text = service.file(file).replace("Annas og Bos", "Gits");
    write(&service.folder(), file, &text);
    let status = anna.get("/status");
    assert_eq!(status["folder"]["changed"], json!([file]));
    let mut now = anna.article("affald-storskrald", "shared");
    now["keywords"] = json!(["sofa"]);
    let draft = anna.draft(&change(&now));
    assert_eq!(draft["conflicts"], json!([]));
    anna.publish(&draft);
    let merged = service.file(file);
    assert!(merged.contains("Gits første linje.") && merged.contains("keywords = [\"sofa\"]"));
    anna.refused("/releases/folder", &json!({"why": "Fra git"}), "nothing");
    let text = service.file(file).replace("Gits første", "Gits anden");
    write(&service.folder(), file, &text);
    let adopted = anna.done("/releases/folder", &json!({"why": "Fra git"}));
    assert_eq!(adopted["release"]["files"][0]["file"], file);
    assert_eq!(anna.get("/status")["folder"]["changed"], json!([]));
}

#[tokio::test]
async fn rights_faults_and_approval_keep_what_must_not_be_live_from_it() {
    let service = Service::start();
    let anna = service.editor("anna", "all");
    let bo = service.editor("bo", "all");
    let cara = service.editor("cara", "0751");
    let file = |path: &str, text: &str| json!([{"kind": "file", "file": path, "text": text}]);
    let new = |changes: &Value| json!({"title": "x", "changes": changes});

    // An editor of one municipality writes its layer and its facts, and nothing else.
    let mine = cara.draft(&file("kommune/0751/affald-storskrald.md", &own("Hos os.")));
    assert_eq!(
        mine["may"],
        json!({"edit": true, "approve": false, "publish": true})
    );
    for path in [
        "shared/affald/affald-storskrald.md",
        "kommune/0615/affald-storskrald.md",
        "region/1082/affald-storskrald.md",
        "satser.toml",
        "kommune/0615/kommune.toml",
        "studio.toml",
    ] {
        cara.refused("/drafts", &new(&file(path, "x = 1")), "no_right");
    }
    anna.refused("/drafts", &new(&file("studio.toml", "x = 1")), "no_right");
    for path in ["../x.md", "shared/../../x.md", "/etc/passwd", "README.md"] {
        anna.refused("/drafts", &new(&file(path, "x")), "bad_request");
    }
    let id = mine["id"].as_str().unwrap();
    let hide = json!([{"kind": "hide", "municipality": "0751", "id": "affald-storskrald", "hidden": true}]);
    let both = cara.post(
        &format!("/drafts/{id}/changes"),
        &json!({"version": 1, "changes": hide}),
    );
    assert_eq!(both["files"].as_array().unwrap().len(), 2);
    cara.publish(&both);
    assert!(
        !asked(&service, "0751").await.contains("Hos os."),
        "it is hidden"
    );

    // A fault names file, line and field, and keeps the draft from being published.
    let bad = anna.draft(&file(
        "kommune/0751/affald-haveaffald.md",
        &own("Koster {{sats.nej}}."),
    ));
    let fault = &bad["faults"][0];
    assert_eq!(fault["severity"], "error");
    assert_eq!(fault["file"], "kommune/0751/affald-haveaffald.md");
    let publish = |d: &Value| format!("/drafts/{}/publish", d["id"].as_str().unwrap());
    let refused = anna.refused(&publish(&bad), &json!({"version": 1}), "faults");
    assert!(
        refused["faults"]
            .to_string()
            .contains("{{sats.nej}} findes ikke")
    );

    // What people in danger read is approved by somebody else.
    let mut vold = anna.article("vold", "shared");
    vold["keywords"] = json!(["slag"]);
    let draft = anna.draft(&json!([{"kind": "article", "layer": "shared", "article": vold}]));
    assert_eq!(draft["approval"]["needed"], true);
    anna.refused(&publish(&draft), &json!({"version": 1}), "needs_approval");
    let state = format!("/drafts/{}/state", draft["id"].as_str().unwrap());
    let to = |to: &str| json!({"version": 1, "to": to});
    bo.refused(&state, &to("approved"), "wrong_state");
    anna.post(&state, &to("waiting"));
    anna.refused(&state, &to("approved"), "own_draft");
    cara.refused(&state, &to("approved"), "no_right");
    let approved = bo.post(
        &state,
        &json!({"version": 1, "to": "approved", "comment": "Godt"}),
    );
    assert_eq!(approved["approval"]["by"]["user"], "bo");
    assert_eq!(approved["comments"][0]["text"], "Godt");
    // Of one version: another text must be approved anew.
    vold["keywords"] = json!(["slag", "vrede"]);
    let again = anna.post(
        &format!("/drafts/{}/changes", draft["id"].as_str().unwrap()),
        &json!({"version": 1, "changes": [{"kind": "article", "layer": "shared", "article": vold}]}),
    );
    assert_eq!(again["state"], "open");
    anna.refused(&publish(&draft), &json!({"version": 2}), "needs_approval");
    let to = |to: &str| json!({"version": 2, "to": to});
    anna.post(&state, &to("waiting"));
    bo.post(&state, &to("approved"));
    let release = anna.publish(&json!({"id": draft["id"], "version": 2}));
    assert_eq!(release["approved_by"]["user"], "bo");

    // Rates and facts are forms; comments in the files stay.
    let rates = anna.get("/rates");
    let mut rate = rates["rates"][0].clone();
    rate["value"] = "1.234".into();
    let draft = anna.draft(&json!([{"kind": "rate", "rate": rate}]));
    let diff = anna.get(&format!("/drafts/{}/diff", draft["id"].as_str().unwrap()));
    assert_eq!(
        (&diff["files"][0]["added"], &diff["files"][0]["removed"]),
        (&json!(1), &json!(1))
    );
    let mut facts = anna.get("/facts/0615");
    facts["facts"]["contact"]["telefon"] = "12 34".into();
    let draft =
        anna.draft(&json!([{"kind": "facts", "municipality": "0615", "facts": facts["facts"]}]));
    let slots = anna.get(&format!(
        "/slots?municipality=0615&draft={}",
        draft["id"].as_str().unwrap()
    ));
    let phone = slots["slots"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["slot"] == "kommune.telefon");
    assert_eq!(phone.unwrap()["value"], "12 34");
}

#[tokio::test]
async fn every_route_asks_who_comes() {
    let service = Service::start();
    let server = &service.server;
    let anna = service.editor("anna", "all");
    account(server, "agent", "agent", &["--municipalities", "all"]);
    let agent = sign_in(server, "agent");
    let document = anna.get("/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 15);
    let from = origin(server);
    for (path, item) in paths {
        let path = path
            .replace("{id}", "x")
            .replace("{number}", "1")
            .replace("{code}", "0751");
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|m| *m != "parameters")
        {
            let method = method.to_uppercase();
            let ask = |headers: &[(&str, &str)]| {
                let (status, _, body) = request_at(server, &method, &path, headers, "{}");
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                (status, body["code"].as_str().unwrap_or_default().to_owned())
            };
            let named = format!("{method} {path}");
            let origin = ("Origin", from.as_str());
            assert_eq!(ask(&[origin]).0, 401, "{named}");
            let cookie = ("Cookie", agent.cookie.as_str());
            let csrf = ("x-borgerlinje-csrf", agent.csrf.as_str());
            assert_eq!(
                ask(&[origin, cookie, csrf]),
                (403, "no_right".into()),
                "{named}"
            );
            if method != "GET" {
                let cookie = ("Cookie", anna.session.cookie.as_str());
                let csrf = ("x-borgerlinje-csrf", anna.session.csrf.as_str());
                assert_eq!(
                    ask(&[origin, cookie]),
                    (403, "wrong_csrf".into()),
                    "{named}"
                );
                let elsewhere = ("Origin", "https://evil.example");
                assert_eq!(
                    ask(&[elsewhere, cookie, csrf]),
                    (403, "wrong_origin".into()),
                    "{named}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_was_changed_while_the_service_was_down_is_in_the_history_and_can_be_undone() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::on(data.path(), knowledge());
    let file = "shared/affald/affald-storskrald.md";
    let before = service.file(file);
    let anna = service.editor("anna", "all");
    assert_eq!(anna.get("/status")["number"], 1);
    let Service { server, knowledge } = service;
    server.kill();
    write(
        &knowledge.path().join("knowledge"),
        file,
        &before.replace("Storskrald", "Storaffald"),
    );
    let service = Service::on(data.path(), knowledge);
    let anna = service.again("anna");
    let releases = anna.get("/releases");
    assert_eq!(releases["releases"][0]["kind"], "start");
    assert_eq!(releases["releases"][0]["files"][0]["file"], file);
    let number = &releases["releases"][0]["number"];
    anna.done(&format!("/releases/{number}/undo"), &json!({"why": "Nej"}));
    assert_eq!(service.file(file), before);
}
