//! Traces: what comes to a collector, that nothing else does, and that nobody waits for one.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use regex::Regex;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, answer};
use crate::collector::{Collector, Manner, Span};
use crate::desk_client::{Desk, account};
use crate::documents::{read, rows, section, spans as ticked};
use crate::harness::{Server, borgerlinje, finish, until};
use crate::studio::rewritten;
use crate::studio_client::{Service, knowledge};

const TOWN: &str = "0751";
const QUESTION: &str = "Hvordan fornyer jeg mit pas?";

/// The value of one sample.
fn counted(server: &Server, sample: &str) -> u64 {
    let page = server.metrics();
    let line = page
        .lines()
        .find_map(|l| l.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in {page}"))
        .parse()
        .unwrap()
}

/// The first cells of the rows whose first column is called so, of the chapter on traces.
fn told(head: &str) -> BTreeSet<String> {
    let text = read("docs/operations.md");
    let rows = rows(section(&text, "## Traces"));
    let of = rows.iter().filter(|(heads, _)| heads[0] == head);
    of.flat_map(|(_, cells)| ticked(cells[0]))
        .map(str::to_owned)
        .collect()
}

/// The one span of this name, and what is below it.
#[track_caller]
fn tree<'a>(spans: &'a [Span], name: &str) -> (&'a Span, Vec<&'a Span>) {
    let roots: Vec<&Span> = spans.iter().filter(|s| s.name == name).collect();
    assert_eq!(roots.len(), 1, "{name}: {roots:#?}");
    let root = roots[0];
    assert_eq!(root.parent, "", "{name} is the beginning of its trace");
    let of: Vec<&Span> = spans
        .iter()
        .filter(|s| s.trace == root.trace && s.id != root.id)
        .collect();
    for step in &of {
        assert_eq!(step.parent, root.id, "{step:?}");
        assert!(
            root.from <= step.from && step.from <= step.until && step.until <= root.until,
            "{step:?} is not within {root:?}"
        );
    }
    (root, of)
}

#[track_caller]
fn says(span: &Span, wanted: &[(&str, &str)]) {
    let wanted = wanted.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    assert_eq!(span.said, wanted.collect(), "{}", span.name);
}

fn names(spans: &[&Span]) -> BTreeSet<String> {
    spans.iter().map(|s| s.name.clone()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// Nothing is said that the chapter does not name, and each value is of its kind.
fn only_what_is_told(spans: &[Span]) {
    let (keys, allowed) = (told("attribute"), told("span"));
    let rights = read("docs/security.md");
    let routes: BTreeSet<String> = ticked(&rights)
        .filter(|t| t.starts_with("GET /") || t.starts_with("POST /") || t.starts_with("DELETE /"))
        .map(str::to_owned)
        .collect();
    let word = Regex::new("^[a-z_]+$").unwrap();
    for span in spans {
        let known = allowed.contains(&span.name) || routes.contains(&span.name);
        assert!(known, "«{}» is not told", span.name);
        for (key, value) in &span.said {
            assert!(keys.contains(key), "«{key}» is not told");
            let right = match key.as_str() {
                "borgerlinje.municipality" => value.len() == 4 && value.parse::<u16>().is_ok(),
                "borgerlinje.outcome" => word.is_match(value),
                "borgerlinje.language" => value.len() == 2 && word.is_match(value),
                "borgerlinje.count" | "http.response.status_code" => value.parse::<u16>().is_ok(),
                "http.request.method" => span.name.starts_with(&format!("{value} ")),
                "http.route" => span.name.ends_with(&format!(" {value}")),
                other => panic!("{other} has no rule here"),
            };
            assert!(right, "{key} = «{value}» in {span:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_handovers_releases_and_requests_are_traced_and_nobody_is_in_them() {
    const SECRET: &str = "kanarieFugl7391hemmelig";
    Server::shared();
    let collector = Collector::start();
    let header = format!("X-Token: {SECRET}");
    let endpoint = collector.endpoint();
    let environment = [
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
        ("BORGERLINJE_TELEMETRY_HEADER", header.as_str()),
        ("BORGERLINJE_ALWAYS_OPEN", "1"),
        ("BORGERLINJE_LOG", "trace"),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let service = Service::over(knowledge(), &environment);
    let server = &service.server;
    account(server, "anna", "Anna", &["--municipalities", "all"]);
    let edda = service.editor("edda", "all");
    let (mut citizen, _) = Client::hello(server, TOWN).await;
    let turn = citizen.ask("a", QUESTION).await;
    assert!(answer(&turn).contains("pas"));

    let anna = Desk::of(server, "anna").await;
    let available = r#"borgerlinje_agents{state="available"}"#;
    until("an agent", || counted(server, available) == 1).await;
    citizen
        .send(&json!({"type": "human", "client_id": "h"}))
        .await;
    citizen.next("handover_offer").await;
    citizen
        .send(&json!({"type": "queue", "client_id": "k"}))
        .await;
    citizen.next("queued").await;

    let article = edda.article("affald-storskrald", "shared");
    let article = rewritten(&article, "Sofaer hentes tirsdag.");
    let change = json!([{"kind": "article", "layer": "shared", "article": article}]);
    let draft = edda.draft(&change);
    edda.publish(&draft);

    let there = |name: &'static str| move |s: &[Span]| s.iter().any(|s| s.name == name);
    for name in ["turn", "handover", "publish"] {
        collector.until(name, there(name)).await;
    }
    let request = "POST /api/studio/drafts/{id}/publish";
    let spans = collector.until(request, there(request)).await;

    let town = ("borgerlinje.municipality", TOWN);
    let (root, steps) = tree(&spans, "turn");
    let outcome = ("borgerlinje.outcome", "answered");
    says(root, &[town, outcome, ("borgerlinje.language", "da")]);
    assert_eq!(names(&steps), set(&["journal", "wait", "encode", "search"]));
    for step in &steps {
        match step.name.as_str() {
            "encode" => says(step, &[("borgerlinje.count", "1")]),
            "wait" | "search" => says(step, &[]),
            _ => assert_eq!(step.name, "journal"),
        }
    }
    let (root, steps) = tree(&spans, "handover");
    says(root, &[town, ("borgerlinje.outcome", "queued")]);
    assert_eq!(names(&steps), set(&["centre"]));
    let (root, steps) = tree(&spans, "publish");
    says(root, &[("borgerlinje.outcome", "published")]);
    assert_eq!(names(&steps), set(&["check", "build", "put"]));
    let (root, steps) = tree(&spans, request);
    says(
        root,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/api/studio/drafts/{id}/publish"),
            ("http.response.status_code", "202"),
        ],
    );
    assert!(steps.is_empty() && spans.iter().all(|s| !s.failed));
    only_what_is_told(&spans);

    // Who, what, and which one stands nowhere; nor does the way in stand in what the service says of itself.
    let sent = collector.bytes();
    let holds = |bytes: &[u8], what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
    let id = draft["id"].as_str().unwrap();
    for private in [
        citizen.dialogue.as_str(),
        citizen.token.as_str(),
        "fornyer",
        "anna",
        "edda",
        "En kladde",
        "storskrald",
        id,
    ] {
        assert!(!holds(&sent, private), "«{private}» was sent");
    }
    let heads = collector.heads();
    assert!(
        heads
            .iter()
            .all(|h| h.contains(&format!("x-token: {}", SECRET.to_lowercase())))
    );
    assert!(
        heads
            .iter()
            .all(|h| h.starts_with("post /v1/traces http/1.1"))
    );
    for said in [server.stderr(), server.stdout(), server.metrics()] {
        assert!(!said.contains(SECRET));
    }
    // What is counted is what came.
    let before = collector.spans().len() as u64;
    let sent = counted(server, "borgerlinje_telemetry_sent_total");
    let after = collector.spans().len() as u64;
    assert!(
        (before..=after).contains(&sent),
        "{before}, {sent}, {after}"
    );
    assert_eq!(counted(server, "borgerlinje_telemetry_dropped_total"), 0);
    drop(anna);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_traced_is_sent_before_the_service_ends() {
    Server::shared();
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let server = Server::with(&[
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
    ]);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    citizen.ask("a", QUESTION).await;
    server.terminate();
    assert!(server.ended());
    assert!(collector.spans().iter().any(|s| s.name == "turn"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_collector_the_service_answers_and_counts_what_is_lost() {
    const DROPPED: &str = "borgerlinje_telemetry_dropped_total";
    const WARNING: &str = "traces do not reach the collector";
    Server::shared();
    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let endpoint = format!("http://127.0.0.1:{port}");
    let server = Server::with(&[
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ]);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    let mut lost = 0;
    for n in 0..3 {
        let turn = citizen.ask(&format!("a-{n}"), QUESTION).await;
        assert!(answer(&turn).contains("pas"));
        until("nothing is counted", || counted(&server, DROPPED) > lost).await;
        lost = counted(&server, DROPPED);
    }
    let log = server.stderr();
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    let collector = Collector::at(port, Manner::Takes);
    citizen.ask("b", QUESTION).await;
    collector
        .until("a turn", |spans| spans.iter().any(|s| s.name == "turn"))
        .await;
    until("nothing says so", || {
        server.stderr().contains("traces reach the collector again")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_nobody_up() {
    Server::shared();
    let collector = Collector::at(0, Manner::Silent);
    let endpoint = collector.endpoint();
    let server = Server::with(&[
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
    ]);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    citizen.ask("a", QUESTION).await;
    until("nothing was sent", || collector.requests() > 0).await;
    // The request is under way now.
    for n in 0..5 {
        let turn = citizen.ask(&format!("b-{n}"), QUESTION).await;
        assert!(answer(&turn).contains("pas"));
    }
    server.terminate();
    assert!(server.ended());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_endpoint_nothing_is_traced_whatever_else_the_environment_says() {
    Server::shared();
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let server = Server::with(&[
        ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ]);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    citizen.ask("a", QUESTION).await;
    for sample in ["sent", "dropped"] {
        let sample = format!("borgerlinje_telemetry_{sample}_total");
        assert_eq!(counted(&server, &sample), 0, "{sample}");
    }
    server.terminate();
    assert!(server.ended());
    assert_eq!(collector.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_share_of_nothing_nothing_is_sent() {
    Server::shared();
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let server = Server::with(&[
        ("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint.as_str()),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "0"),
        ("OTEL_TRACES_SAMPLER", "always_on"),
    ]);
    let (mut citizen, _) = Client::hello(&server, TOWN).await;
    citizen.ask("a", QUESTION).await;
    server.terminate();
    assert!(server.ended());
    assert_eq!(collector.requests(), 0);
}

#[test]
fn a_wrong_setting_is_refused_before_a_port_is_opened_and_not_said_back() {
    let data = TempDir::with_prefix("borgerlinje-it-").unwrap();
    for (name, value) in [
        (
            "BORGERLINJE_TELEMETRY_ENDPOINT",
            "http://kanarie.example.dk:4318",
        ),
        (
            "BORGERLINJE_TELEMETRY_ENDPOINT",
            "https://navn:kanarie@example.dk",
        ),
        ("BORGERLINJE_TELEMETRY_SAMPLE", "2"),
        ("BORGERLINJE_TELEMETRY_HEADER", "kanarie"),
    ] {
        for command in ["serve", "doctor"] {
            let mut program = borgerlinje(&[command]);
            program
                .env("BORGERLINJE_LISTEN", "127.0.0.1:0")
                .env("BORGERLINJE_DATA", data.path())
                .env(name, value);
            let output = finish(&mut program, b"");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!output.status.success(), "{command}: {name}={value}");
            assert!(
                said.contains("[telemetry]") && !said.contains("kanarie"),
                "{said}"
            );
            assert!(!said.contains("listening"), "{said}");
        }
    }
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn the_doctor_says_whether_the_collector_answers() {
    let found = |endpoint: &str| {
        let mut program = borgerlinje(&["doctor", "--json"]);
        program.env("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint);
        let output = finish(&mut program, b"");
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines.lines().map(|l| serde_json::from_str(l).unwrap());
        let mut of = lines.filter(|v: &Value| v["what"] == "traces");
        of.next().unwrap()
    };
    let collector = Collector::start();
    assert_eq!(found("")["state"], "ok");
    assert_eq!(found(&collector.endpoint())["state"], "ok");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let away = found(&format!("http://127.0.0.1:{port}/with/a/path"));
    assert_eq!(away["state"], "warning");
    assert!(!away["said"].as_str().unwrap().contains("path"), "{away}");
}
