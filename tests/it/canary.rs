//! Marked numbers are sent by every way into the program, and no byte of them is found at rest or in what it said.
//!
//! Ways that are meant to keep a number are exceptions, and named here with how they are used: the callback's phone
//! number (it is rung), and an office's phone number or address in an agent's answer to a citizen.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::canary_rare;
use crate::canary_trace::{Canary, all, files, traces};
use crate::client::Client;
use crate::collector::Collector;
use crate::desk_client::{Desk, account, request_at, sign_in, try_sign_in};
use crate::harness::Server;
use crate::studio::rewritten;
use crate::studio_client::{Editor, knowledge};

const TOWN: &str = "0751";
/// Is rung: kept with the callback, in the journal and in the contact centre's log, until that is deleted.
const RUNG: &str = "31556677";

/// A real Redis that writes all it knows into a folder.
struct Redis {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Redis {
    async fn start() -> Option<Self> {
        let (probe, port) = crate::centre::redis()?;
        drop(probe);
        let folder = TempDir::with_prefix("borgerlinje-redis-").unwrap();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--rdbcompression",
                "no",
            ])
            .args(["--loglevel", "debug", "--logfile", "redis.log", "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self {
            child,
            port,
            folder,
        };
        for _ in 0..1_000 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(redis);
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not start");
    }

    async fn save(&self) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        socket.write_all(b"SAVE\r\n").await.unwrap();
        let mut answer = [0; 5];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every spelling of every canary, with an id of its own.
fn spellings(canaries: &[Canary]) -> Vec<(String, String)> {
    let all = canaries.iter().flat_map(|c| c.written.iter());
    let text = |w: &String| format!("Hvordan fornyer jeg mit id-kort? Jeg bruger {w}");
    all.enumerate()
        .map(|(n, w)| (format!("m-{n}"), text(w)))
        .collect()
}

/// No error tells a number back.
pub(crate) fn quiet(frame: &Value, canaries: &[Canary]) {
    let said = frame.to_string();
    for c in canaries {
        assert!(traces(said.as_bytes(), c).is_empty(), "{said}");
    }
}

/// The bot: messages, ratings, topics, a reconnect, and frames that are wrong.
async fn chats(server: &Server, canaries: &[Canary]) {
    let said = spellings(canaries);
    // A dialogue takes so many messages a minute.
    for some in said.chunks(8) {
        let (mut c, _) = Client::hello(server, TOWN).await;
        for (id, text) in some {
            let turn = c.ask(id, text).await;
            assert_ne!(turn[0]["masked"], json!([]), "{text} became {}", turn[0]);
            quiet(&json!(turn), canaries);
        }
        let (id, text) = &some[0];
        let mut again = Client::resume(server, TOWN, &c.dialogue, &c.token, 0).await;
        again.next("welcome").await;
        // The same again, as after a broken connection.
        again.say(id, text).await;
        quiet(&again.next("citizen").await, canaries);
    }
    for c in canaries {
        let written = &c.written[0];
        let (mut citizen, _) = Client::hello(server, TOWN).await;
        let rate = json!({"type": "rate", "client_id": "r", "score": 3, "comment": format!("godt {written}")});
        citizen.send(&rate).await;
        quiet(&citizen.next("rated").await, canaries);
        let topic = format!("om {written}");
        citizen
            .send(&json!({"type": "callback", "client_id": "c", "phone": RUNG, "topic": topic}))
            .await;
        quiet(&citizen.next("callback_saved").await, canaries);
        for frame in [
            json!({"type": "choose", "client_id": "x", "article_id": written}),
            json!({"type": "cancel_callback", "client_id": "x", "reference": written}),
            json!({"type": "callback", "client_id": "x", "phone": format!("{written}x")}),
            json!({"type": "rate", "client_id": "x", "score": written}),
            json!({"type": written, "client_id": "x"}),
            json!({"type": "message", "client_id": 5, "text": written}),
            json!({"type": "message", "client_id": "x", "text": format!("{written} {}", "å".repeat(3_000))}),
        ] {
            citizen.raw(&frame.to_string()).await;
            let error = loop {
                let frame = citizen.frame().await.unwrap();
                if frame["type"] == "error" {
                    break frame;
                }
            };
            quiet(&error, canaries);
        }
        citizen
            .raw(&format!("{{\"type\": \"message\", {written}"))
            .await;
        quiet(&citizen.next("error").await, canaries);
        citizen
            .message(Message::binary(written.clone().into_bytes()))
            .await;
        citizen.end().await;
        for hello in [
            json!({"type": "hello", "v": 1, "municipality": written}),
            json!({"type": "hello", "v": 1, "municipality": TOWN,
                "resume": {"dialogue": written, "token": written, "seq": 0, "stream": written}}),
            json!({"type": "message", "client_id": "x", "text": written}),
        ] {
            let mut stranger = Client::open(server).await;
            stranger.raw(&hello.to_string()).await;
            quiet(&stranger.frame().await.unwrap(), canaries);
        }
    }
}

fn kind(frame: &Value) -> &str {
    frame["card"]["state"]["kind"].as_str().unwrap_or("")
}

/// A person: what the citizen writes to an agent, answers, notes, searches, drafts, a transfer.
async fn people(server: &Server, canaries: &[Canary]) {
    let mut anna = Desk::of(server, "anna").await;
    let (mut citizen, _) = Client::hello(server, TOWN).await;
    let first = &canaries[0].written[0];
    citizen
        .ask("q", &format!("Hvordan fornyer jeg mit pas? {first}"))
        .await;
    citizen
        .send(&json!({"type": "human", "client_id": "h"}))
        .await;
    citizen.next("handover_offer").await;
    // The centre may hear of a new account a moment after its desk has opened.
    let mut tries = 0;
    loop {
        let queue = json!({"type": "queue", "client_id": format!("k-{tries}")});
        citizen.send(&queue).await;
        let answer = loop {
            let frame = citizen.frame().await.unwrap();
            if frame["type"] == "queued" || frame["type"] == "error" {
                break frame;
            }
        };
        if answer["type"] == "queued" {
            break;
        }
        tries += 1;
        assert!(tries < 15, "{answer}");
        sleep(Duration::from_millis(200)).await;
    }
    let card = anna.when("card", |f| kind(f) == "offered").await;
    let (item, offer) = (
        card["card"]["item"].clone(),
        card["card"]["state"]["offer"].clone(),
    );
    anna.done(json!({"type": "accept", "item": item, "offer": offer}))
        .await;
    let owned = anna.when("card", |f| kind(f) == "owned").await;
    let epoch = owned["card"]["epoch"].clone();
    for (n, c) in canaries.iter().enumerate() {
        let written = c.written.last().unwrap();
        citizen
            .say(&format!("p-{n}"), &format!("Det er {written}"))
            .await;
        let line = anna.when("line", |f| f["line"]["from"] == "citizen").await;
        quiet(&line, canaries);
        let mut ways = vec!["note"];
        // Of an office's number and address an agent's answer is the exception.
        if !c.of_offices {
            ways.push("message");
        }
        for way in ways {
            let frame =
                json!({"type": way, "item": item, "epoch": epoch, "text": format!("Se {written}")});
            let done = anna.done(frame).await;
            let masked = done["masked"].as_array();
            assert!(masked.is_some_and(|m| !m.is_empty()), "{written}: {done}");
        }
        let search = json!({"type": "search", "municipality": TOWN, "text": written});
        anna.done(search).await;
        if !c.of_offices {
            let line = json!({"type": "draft", "item": item, "line": "x", "text": format!("Svar {written}")});
            anna.done(line).await;
        }
        // After ten faults a desk is closed.
        if n < 3 {
            for wrong in [
                json!({"type": written, "id": "w-1"}),
                json!({"type": "close", "item": item, "epoch": epoch, "code": written}),
                json!({"type": "message", "item": written, "epoch": written, "text": written}),
            ] {
                anna.send(wrong).await;
            }
        }
    }
    let to = json!({"kind": "municipality", "municipality": "0615"});
    let note = canaries
        .iter()
        .map(|c| c.written[0].as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let transfer =
        json!({"type": "transfer", "item": item, "epoch": epoch, "to": to, "note": note});
    anna.ask(transfer).await;
}

/// What is brought in, a question, an answer and a thing each: unlike one another, so that none is a duplicate.
const IMPORTED: [[&str; 3]; 8] = [
    [
        "Må jeg låne en kano?",
        "Du låner en kano ved bådhuset fra maj.",
        "kano",
    ],
    [
        "Hvem fodrer ænderne i parken?",
        "Gartnerne strør korn ud om vinteren.",
        "ænder",
    ],
    [
        "Hvornår tændes julelysene?",
        "Lysene tændes den sidste fredag i november.",
        "julelys",
    ],
    [
        "Kan man bade fra molen?",
        "Der er livredder på molen i juli.",
        "mole",
    ],
    [
        "Hvor står den gamle damptromle?",
        "Tromlen står foran museet i Algade.",
        "damptromle",
    ],
    [
        "Er der orgelkoncert på rådhuset?",
        "Orglet spiller hver onsdag klokken tolv.",
        "orgel",
    ],
    [
        "Hvorfor ringer klokken i tårnet?",
        "Tårnets klokke ringer til møde i byrådet.",
        "klokketårn",
    ],
    [
        "Hvad koster et skakbræt på biblioteket?",
        "Skak er gratis, brikkerne ligger i skuffen.",
        "skakbræt",
    ],
];

/// What the articles of an import's drafts are called.
fn titles(editor: &Editor<'_>, imported: &Value) -> Vec<String> {
    let drafts = imported["drafts"].as_array().unwrap().iter();
    let files = drafts.flat_map(|d| {
        let draft = editor.get(&format!("/drafts/{}", d["id"].as_str().unwrap()));
        draft["files"].as_array().unwrap().clone()
    });
    files
        .map(|f| f["title"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Editors: drafts, comments, imports, a release; and whoever mistakes one field for another.
fn studio(server: &Server, canaries: &[Canary]) {
    let edda = Editor {
        server,
        session: sign_in(server, "edda"),
    };
    let everything = |c: &Canary| c.written.join(", ");
    assert_eq!(canaries.len(), IMPORTED.len());
    for (c, [asked, told, thing]) in canaries.iter().zip(IMPORTED) {
        let words = everything(c);
        let article = edda.article("affald-storskrald", "shared");
        // An article tells an office's number, address and account; nobody's CPR number.
        let mut changed = article;
        if c.plain.len() == 10 {
            changed["body"] = format!(
                "Skriv {words} på sedlen.\n{}",
                changed["body"].as_str().unwrap()
            )
            .into();
        }
        let change = json!([{"kind": "article", "layer": "shared", "article": changed}]);
        let draft = edda.post(
            "/drafts",
            &json!({"title": format!("Om {}", c.written[0]), "why": words, "changes": change}),
        );
        let path = format!("/drafts/{}/comments", draft["id"].as_str().unwrap());
        edda.post(&path, &json!({"text": format!("Borgeren har {words}")}));
        let answer = if c.plain.len() == 10 {
            words.as_str()
        } else {
            ""
        };
        let table = format!(
            "spørgsmål;svar;eksempler;område\n{asked};{told} {answer};{thing} med {w};affald\n",
            w = c.written[0]
        );
        let body = json!({"name": format!("{}.csv", c.written[0]), "format": "csv", "text": table, "layer": "shared"});
        let imported = edda.done("/import", &body);
        assert!(
            titles(&edda, &imported).contains(&asked.to_owned()),
            "{imported:#}"
        );
        let (status, answer) = edda.try_("POST", &format!("/drafts/{}", c.plain), &body);
        assert!((400..500).contains(&status), "{status} {answer}");
        quiet(&answer, canaries);
        try_sign_in(server, c.plain, &c.written[0]);
        request_at(
            server,
            "GET",
            &format!("/widget/{}?q={}", c.plain, c.plain),
            &[],
            "",
        );
        request_at(
            server,
            "POST",
            "/api/session",
            &[("Origin", "http://elsewhere")],
            &words,
        );
    }
    let sentence = format!("Sofaer hentes tirsdag. {}", canaries[0].written[0]);
    let article = rewritten(&edda.article("affald-storskrald", "shared"), &sentence);
    let draft = edda.post(
        "/drafts",
        &json!({"title": "Ud", "why": "",
        "changes": [{"kind": "article", "layer": "shared", "article": article}]}),
    );
    edda.publish(&draft);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_marked_number_is_found_anywhere_redis() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    Server::shared();
    let canaries = all();
    let (data, knowledge) = (
        TempDir::with_prefix("borgerlinje-canary-").unwrap(),
        knowledge(),
    );
    let folder = knowledge.path().join("knowledge");
    let url = format!("redis://127.0.0.1:{}", redis.port);
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let environment = [
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
        ("BORGERLINJE_KNOWLEDGE", folder.to_str().unwrap()),
        ("BORGERLINJE_REDIS_URL", url.as_str()),
        ("BORGERLINJE_NODE", "kanarie"),
        ("BORGERLINJE_ALWAYS_OPEN", "1"),
        ("BORGERLINJE_LOG", "trace"),
        ("BORGERLINJE_LOG_FORMAT", "json"),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let server = Server::on(data.path(), &environment);
    account(&server, "anna", "Anna", &["--municipalities", "all"]);
    account(
        &server,
        "edda",
        "Edda",
        &["--role", "editor", "--municipalities", "all"],
    );
    chats(&server, &canaries).await;
    people(&server, &canaries).await;
    studio(&server, &canaries);
    canary_rare::ways(&server, &canaries).await;
    for line in server.stderr().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string());
    }
    let mut places = vec![
        ("the metrics".to_owned(), server.metrics().into_bytes()),
        ("standard error".to_owned(), server.stderr().into_bytes()),
        ("standard output".to_owned(), server.stdout().into_bytes()),
    ];
    // As it lies there after a power cut, with what was not tidied up yet, and after the start that follows.
    server.kill();
    places.extend(files(data.path()));
    let server = Server::on(data.path(), &environment);
    let (mut c, _) = Client::hello(&server, TOWN).await;
    c.ask(
        "after",
        &format!("Hvordan fornyer jeg mit pas? {}", canaries[0].written[0]),
    )
    .await;
    places.push((
        "standard error, again".to_owned(),
        server.stderr().into_bytes(),
    ));
    server.terminate();
    redis.save().await;
    places.extend(files(data.path()));
    places.extend(files(knowledge.path()));
    places.extend(files(redis.folder.path()));
    places.push(("the collector".to_owned(), collector.bytes()));

    // The search is one that finds: what was said is there, in the journal, in Redis and in the studio's file.
    let holds = |place: &str, what: &str| {
        let is = |b: &[u8]| b.windows(what.len()).any(|w| w == what.as_bytes());
        places
            .iter()
            .any(|(name, bytes)| name.contains(place) && is(bytes))
    };
    assert!(holds("journal", "Hvordan fornyer jeg mit id-kort?"));
    assert!(holds("borgerlinje-redis-", "Det er [CPR-nummer skjult]"));
    assert!(holds("editor", "Borgeren har [CPR-nummer skjult]"));
    let counted = r#"borgerlinje_turns_total{outcome="answered",municipality="0751"}"#;
    assert!(holds("the metrics", counted));
    assert!(holds(
        "the collector",
        "POST /api/studio/drafts/{id}/comments"
    ));
    assert!(holds("editor", "kano med [CPR-nummer skjult]"));
    let kept = |(name, _): &&(String, Vec<u8>)| name.contains("journal") || name.contains("redis");
    let rung = Canary {
        written: Vec::new(),
        plain: RUNG,
        of_offices: false,
    };
    let mut found = Vec::new();
    for place in &places {
        let (name, bytes) = place;
        for c in &canaries {
            found.extend(traces(bytes, c).into_iter().map(|t| format!("{name}: {t}")));
        }
        if !kept(&place) {
            found.extend(
                traces(bytes, &rung)
                    .into_iter()
                    .map(|t| format!("{name}: {t}")),
            );
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        holds("journal", RUNG),
        "a number that is to be rung is kept"
    );
}
