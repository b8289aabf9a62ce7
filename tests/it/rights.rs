//! The table of rights in docs/security.md, which a test of the program's holds against the code: each row is tried
//! as everybody, at the real service.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::client::{Client, hello};
use crate::desk_client::{Desk, Session, account, id, origin, request_at, sign_in};
use crate::documents::{read, rows, section, spans, variants};
use crate::harness::Server;
use crate::studio_client::{Editor, Service};

const AARHUS: &str = "0751";
const RANDERS: &str = "0730";
const ELSEWHERE: &str = "0851";
const FILE: &str = "kommune/0751/affald-storskrald.md";

/// A row of the table: what, whom it is for, what is looked at besides; of a route also the page.
struct Row {
    what: String,
    who: String,
    page: String,
    reach: String,
}

/// The rows of the table whose first column is called so.
fn table(first: &str) -> Vec<Row> {
    let text = read("docs/security.md");
    let all = rows(section(&text, "## Who may what, whole"));
    let of = all.iter().filter(|(head, _)| head[0] == first);
    let found: Vec<Row> = of
        .map(|(head, cells)| {
            let cell = |name: &str| {
                let at = head.iter().position(|h| *h == name);
                at.map_or_else(String::new, |at| cells[at].to_owned())
            };
            Row {
                what: spans(cells[0]).next().unwrap().to_owned(),
                who: cell("who"),
                page: cell("page"),
                reach: cell("reach"),
            }
        })
        .collect();
    assert!(found.len() > 10, "{first}");
    found
}

/// Somebody who tries. Roles as the account has them; the session is that of a citizen where there is none.
struct Visitor {
    name: &'static str,
    roles: &'static str,
    here: bool,
    session: Option<Session>,
}

impl Visitor {
    fn is(&self, who: &str) -> bool {
        let has = |role| self.roles.split(',').any(|r| r == role);
        match who {
            "anybody" => true,
            "staff" => !self.roles.is_empty(),
            "desk" => has("agent") || has("supervisor"),
            "supervisor" => has("supervisor"),
            "editor" => has("editor") || has("admin"),
            other => panic!("{other}"),
        }
    }
}

/// Everybody, those of elsewhere first: what they may not change is there for the others.
fn everybody(server: &Server) -> Vec<Visitor> {
    const ACCOUNTS: [(&str, &str, &str); 7] = [
        ("agent-elsewhere", "agent", ELSEWHERE),
        ("editor-elsewhere", "editor", ELSEWHERE),
        ("admin-elsewhere", "admin", ELSEWHERE),
        ("agent", "agent", AARHUS),
        ("supervisor", "supervisor", AARHUS),
        ("editor", "editor", AARHUS),
        ("admin", "admin", "all"),
    ];
    let mut all: Vec<Visitor> = ["nobody", "citizen"]
        .map(|name| Visitor {
            name,
            roles: "",
            here: true,
            session: None,
        })
        .into();
    for (name, roles, municipality) in ACCOUNTS {
        let rights = ["--role", roles, "--municipalities", municipality];
        account(server, name, name, &rights);
        all.push(Visitor {
            name,
            roles,
            here: municipality != ELSEWHERE,
            session: Some(sign_in(server, name)),
        });
    }
    all
}

/// What is sent to a route that reaches further than the role, and its path.
fn filled(editor: &Editor<'_>, row: &Row, ran: &mut Vec<String>) -> (String, Value) {
    let file = |text: &str| json!([{"kind": "file", "file": FILE, "text": text}]);
    let (_, path) = row.what.split_once(' ').unwrap();
    let draft = if path.contains("/drafts/{id}") {
        let new = json!({"title": "Prøve", "changes": file("Noget.\n")});
        editor.post("/drafts", &new)["id"].clone()
    } else {
        Value::Null
    };
    let draft = draft.as_str().unwrap_or("x").to_owned();
    if path.ends_with("/jobs/{id}") {
        let job = editor.post("/next", &json!({"municipality": AARHUS}));
        ran.push(job["job"].as_str().unwrap().to_owned());
    }
    let id = match path {
        p if p.contains("/articles/") => "affald-storskrald",
        p if p.contains("/jobs/") => ran.last().unwrap().as_str(),
        _ => &draft,
    };
    let newest = &editor.get("/releases")["releases"][0]["number"];
    let filled = path
        .replace("{id}", id)
        .replace("{number}", &newest.to_string())
        .replace("{code}", AARHUS)
        .replace("{script}", "borgerlinje-x.js")
        .replace("{*file}", "index.html");
    let last = path.rsplit('/').next().unwrap();
    let body = match last {
        "drafts" => json!({"title": "Prøve", "changes": file("Andet.\n")}),
        "changes" => json!({"version": 1, "changes": file("Andet.\n")}),
        "resolve" => json!({"version": 1, "file": FILE, "theirs_hash": "", "text": "x"}),
        "state" => json!({"version": 1, "to": "dropped"}),
        "publish" | "replay" => json!({"version": 1}),
        "comments" => json!({"text": "Hej"}),
        "next" => json!({"municipality": AARHUS}),
        "import" => json!({"format": "csv", "text": "id,title\n", "layer": AARHUS}),
        "undo" | "folder" => json!({"why": "Prøve"}),
        _ => json!({}),
    };
    (filled, body)
}

#[tokio::test]
async fn every_route_is_for_those_whom_its_row_names_and_nobody_else() {
    let service = Service::start();
    let server = &service.server;
    let visitors = everybody(server);
    let (citizen, _) = Client::hello(server, AARHUS).await;
    // Another session than that of the visitor, which ends at the last row.
    let editor = service.again("editor");
    // A release of the municipality's own, to be undone, and a change by hand, to be taken in.
    let article = service.file("shared/affald/affald-storskrald.md");
    let change = json!([{"kind": "file", "file": FILE, "text": article}]);
    editor.publish(&editor.draft(&change));
    let by_hand = "kommune/0751/affald-haveaffald.md";
    let text = service.file("shared/affald/affald-haveaffald.md");
    fs::write(service.folder().join(by_hand), text).unwrap();

    let ours = origin(server);
    let mut ran = Vec::new();
    let mut tried = BTreeMap::new();
    let all = table("route");
    // Whoever has signed out can try nothing more.
    let (last, first): (Vec<_>, Vec<_>) = all.iter().partition(|r| r.what == "DELETE /api/session");
    for row in first.into_iter().chain(last) {
        let (method, _) = row.what.split_once(' ').unwrap();
        for v in &visitors {
            let (path, body) = filled(&editor, row, &mut ran);
            let body = if method == "GET" {
                String::new()
            } else {
                body.to_string()
            };
            let ask = |from: Option<&str>, vouched: bool| {
                let mut headers = Vec::new();
                headers.extend(from.map(|f| ("Origin", f)));
                // The secret of a dialogue opens nothing else.
                let secret = format!("__Host-borgerlinje={}", citizen.token);
                match &v.session {
                    Some(s) => headers.push(("Cookie", s.cookie.as_str())),
                    None if v.name == "citizen" => headers.push(("Cookie", secret.as_str())),
                    None => {}
                }
                if let Some(s) = v.session.as_ref().filter(|_| vouched) {
                    headers.push(("x-borgerlinje-csrf", s.csrf.as_str()));
                }
                let (status, _, body) = request_at(server, method, &path, &headers, &body);
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                let code = body["code"].as_str().unwrap_or_default();
                (status, code.to_owned())
            };
            let named = format!("{} as {}", row.what, v.name);
            let refused = |status: u16, code: &str| (status, code.to_owned());
            if row.page == "origin" || row.page == "csrf" {
                let elsewhere = Some("https://evil.example");
                assert_eq!(
                    ask(elsewhere, true),
                    refused(403, "wrong_origin"),
                    "{named}"
                );
                assert_eq!(ask(None, true), refused(403, "wrong_origin"), "{named}");
            }
            if row.page == "csrf" && v.session.is_some() {
                assert_eq!(
                    ask(Some(&ours), false),
                    refused(403, "wrong_csrf"),
                    "{named}"
                );
            }
            let (status, code) = ask(Some(&ours), true);
            let reached = match row.reach.as_str() {
                "layers" | "municipality" => v.here,
                "begun" => v.name == "editor",
                _ => true,
            };
            let verdict = if v.is(&row.who) && reached {
                assert!(![401, 403].contains(&status), "{named}: {status} {code}");
                "may"
            } else if v.session.is_none() {
                assert_eq!((status, code), refused(401, "signed_out"), "{named}");
                "signed_out"
            } else {
                assert_eq!((status, code), refused(403, "no_right"), "{named}");
                "no_right"
            };
            *tried.entry(verdict).or_insert(0) += 1;
        }
    }
    assert!(
        tried.values().all(|n| *n > 50) && tried.len() == 3,
        "{tried:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_the_chat_needs_a_dialogue_where_its_row_says_so() {
    let server = Server::shared();
    let all = table("message of the chat");
    let kinds = variants("src/server/src/wire/mod.rs", "FromCitizen");
    assert_eq!(
        all.iter().map(|r| r.what.clone()).collect::<Vec<_>>().len(),
        kinds.len()
    );
    for row in &all {
        assert!(kinds.contains(&row.what), "{}", row.what);
        let mut c = Client::open(server).await;
        let mut frame = hello(AARHUS);
        if row.what != "hello" {
            frame = json!({"type": row.what, "client_id": id(), "text": "Hej", "article_id": "x",
                "phone": "12345678", "epoch": 1, "reference": "B-X", "score": 1, "lang": "da", "n": 1});
        }
        c.raw(&frame.to_string()).await;
        let first = c.frame().await.unwrap();
        let refused = first["code"] == "hello_expected";
        assert_eq!(refused, row.who == "citizen", "{}: {first}", row.what);
        if refused {
            assert!(c.frame().await.is_none() && c.closed == Some(1008));
        }
    }
}

/// Every field that a command of the desk may have.
fn command(kind: &str, item: &Value) -> Value {
    json!({"type": kind, "item": item, "offer": 1, "epoch": 1, "text": "Hej", "why": "break", "mode": "pick",
        "code": "loest", "result": "reached", "municipality": AARHUS, "line": "x", "level": "monitor",
        "to": {"bot": true}, "what": ["queue", "callbacks", "supervisor"]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_the_desk_is_for_those_whom_its_row_names() {
    Server::shared();
    let server = Server::with(&[("BORGERLINJE_ALWAYS_OPEN", "1")]);
    for (name, role, municipality) in [
        ("owner", "agent", AARHUS),
        ("elsewhere", "agent", RANDERS),
        ("leader", "supervisor", AARHUS),
        ("leader-elsewhere", "supervisor", RANDERS),
    ] {
        let rights = ["--role", role, "--municipalities", municipality];
        account(&server, name, name, &rights);
    }
    // The item is held by somebody: nobody else has it.
    let mut owner = Desk::of(&server, "owner").await;
    let (mut citizen, _) = Client::hello(&server, AARHUS).await;
    citizen
        .send(&json!({"type": "human", "client_id": "h-1"}))
        .await;
    citizen.next("handover_offer").await;
    citizen
        .send(&json!({"type": "queue", "client_id": "h-2"}))
        .await;
    let offered = owner
        .when("card", |f| f["card"]["state"]["kind"] == "offered")
        .await;
    let item = offered["card"]["item"].clone();
    let offer = &offered["card"]["state"]["offer"];
    owner
        .done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;

    let all = table("message of the desk");
    let wire = "src/server/src/desk/wire.rs";
    let (plain, asks) = (variants(wire, "Plain"), variants(wire, "Ask"));
    assert_eq!(all.len(), plain.len() + asks.len());
    account(&server, "agent", "agent", &["--municipalities", AARHUS]);
    for (name, role, here) in [
        ("agent", "agent", true),
        ("elsewhere", "agent", false),
        ("leader-elsewhere", "supervisor", false),
        ("leader", "supervisor", true),
    ] {
        if name == "leader" {
            // Whatever the others tried, it is still held by whom it was.
            let kept = owner.done(json!({"type": "open", "item": item})).await;
            assert!(kept["lines"].is_array());
        }
        let mut desk = Desk::of(&server, name).await;
        // The last of its session is left for the end.
        for row in all.iter().filter(|r| r.what != "sign_out") {
            let named = format!("{} as {name}", row.what);
            if plain.contains(&row.what) {
                continue;
            }
            assert!(asks.contains(&row.what), "{named}");
            let answer = desk.ask(command(&row.what, &item)).await;
            let code = answer["code"].as_str().unwrap_or("ok").to_owned();
            let role_fits = row.who == "desk" || role == row.who;
            let ends = match row.reach.as_str() {
                _ if !role_fits => &["not_allowed"][..],
                "held" => &[
                    "not_yours",
                    "offer_over",
                    "taken",
                    "ended",
                    "stale",
                    "failed",
                    "unknown",
                    "lease_over",
                    "not_due",
                ],
                "municipality" if !here => &["not_allowed"],
                "served" if !here => &["not_allowed", "not_yours", "taken", "failed"],
                _ => continue,
            };
            assert!(ends.contains(&code.as_str()), "{named}: {answer}");
        }
        // The list of supervisors comes to them alone.
        desk.send(command("watch", &item)).await;
        if role == "supervisor" {
            desk.next("supervisor").await;
        } else {
            desk.next("queue").await;
            let seen = desk.seen().await;
            assert!(seen.iter().all(|f| f["type"] != "supervisor"), "{name}");
        }
    }
}
