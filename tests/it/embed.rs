//! What websites embed: the printed line, the script by its hash over an upgrade, and configurations that are signed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha384};
use tempfile::TempDir;

use crate::backup::{Machine, back_up};
use crate::client::{Client, hello};
use crate::desk_client::request_at;
use crate::harness::{Server, borgerlinje, finish, printed, root, until};

const AARHUS: &str = "https://www.aarhus.dk";
const PORTAL: &str = "https://portal.example.dk";
const EVIL: &str = "https://evil.example";

/// A service whose websites are these two, on a data folder and a widget folder of its own.
struct Site {
    folder: TempDir,
}

impl Site {
    fn new(more: &str) -> Self {
        Server::shared();
        let site = Self {
            folder: TempDir::with_prefix("borgerlinje-embed-").unwrap(),
        };
        let listed: String = [AARHUS, PORTAL]
            .map(|o| format!("[[website]]\norigin = \"{o}\"\n"))
            .concat();
        fs::write(site.path("borgerlinje.toml"), format!("{more}\n{listed}")).unwrap();
        let dist = site.path("pages/dist");
        fs::create_dir_all(&dist).unwrap();
        let built = root().join("widget/dist/borgerlinje.js");
        fs::copy(built, dist.join("borgerlinje.js")).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let shown = |name| self.path(name).display().to_string();
        vec![
            ("BORGERLINJE_CONFIG", shown("borgerlinje.toml")),
            ("BORGERLINJE_WIDGET", shown("pages")),
            ("BORGERLINJE_DATA", shown("data")),
            ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ]
    }

    fn serve(&self) -> Server {
        let all = self.environment();
        let all: Vec<_> = all.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Server::on(&self.path("data"), &all)
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = borgerlinje(arguments);
        finish(command.envs(self.environment()), b"")
    }

    fn snippet(&self, more: &[&str]) -> Tag {
        let mut all = vec!["widget", "snippet", "--municipality", "0751"];
        all.extend(["--website", AARHUS, "--service", "https://chat.example.dk"]);
        all.extend(more);
        Tag(printed(&self.command(&all)))
    }

    /// Another version of the script takes the place of the one that is built.
    fn upgrade(&self) {
        let built = self.path("pages/dist/borgerlinje.js");
        let mut text = fs::read_to_string(&built).unwrap();
        text.push_str("/* 2 */\n");
        fs::write(built, text).unwrap();
    }
}

/// The printed line.
struct Tag(String);

impl Tag {
    fn attribute(&self, name: &str) -> Option<&str> {
        let (_, after) = self.0.split_once(&format!(" {name}=\""))?;
        after.split('"').next()
    }

    /// The script's path at the service.
    fn path(&self) -> &str {
        let source = self.attribute("src").unwrap();
        source.strip_prefix("https://chat.example.dk").unwrap()
    }

    fn signed(&self) -> &str {
        self.attribute("data-signed").unwrap()
    }
}

fn asked(server: &Server, path: &str, from: &str) -> (u16, String, String) {
    request_at(server, "GET", path, &[("Origin", from)], "")
}

/// Whether the lines of a head have this one.
fn says(head: &str, line: &str) -> bool {
    head.lines().any(|l| l == line)
}

#[test]
fn a_website_that_names_an_earlier_script_is_served_it_after_an_upgrade() {
    let site = Site::new("");
    let first = site.snippet(&["--lang", "en", "--accent", "#0F5C4C", "--open"]);
    assert!(
        first
            .0
            .starts_with("<script src=\"https://chat.example.dk/widget/borgerlinje-")
    );
    assert!(first.0.ends_with(" async></script>\n"), "{}", first.0);
    for (name, value) in [
        ("crossorigin", "anonymous"),
        ("data-municipality", "0751"),
        ("data-lang", "en"),
        ("data-accent", "#0f5c4c"),
        ("data-open", "true"),
    ] {
        assert_eq!(first.attribute(name), Some(value), "{}", first.0);
    }
    assert_eq!(first.attribute("data-signed"), None);
    let server = site.serve();
    let held = |tag: &Tag| {
        let (status, head, body) = asked(&server, tag.path(), AARHUS);
        assert_eq!(status, 200, "{head}");
        let hash = STANDARD.encode(Sha384::digest(body.as_bytes()));
        assert_eq!(
            tag.attribute("integrity"),
            Some(format!("sha384-{hash}").as_str())
        );
        assert!(
            says(&head, "cache-control: public, max-age=31536000, immutable"),
            "{head}"
        );
        assert!(
            says(&head, &format!("access-control-allow-origin: {AARHUS}")),
            "{head}"
        );
        assert!(says(&head, "vary: origin"), "{head}");
    };
    held(&first);
    let (status, head, _) = asked(&server, first.path(), EVIL);
    assert_eq!(status, 200);
    assert!(!head.contains("access-control"), "{head}");

    site.upgrade();
    let second = site.snippet(&[]);
    assert_ne!(first.path(), second.path());
    held(&first);
    held(&second);
    let (_, head, plain) = asked(&server, "/widget/borgerlinje.js", AARHUS);
    assert!(says(&head, "cache-control: public, max-age=300"), "{head}");
    assert!(plain.ends_with("/* 2 */\n"));
    let log = server.stderr();
    assert!(
        log.contains(&format!("{AARHUS}: names an earlier script")),
        "{log}"
    );

    // What the operator takes away is gone at once, and the website may read why.
    let (_, name) = first.path().rsplit_once('/').unwrap();
    fs::remove_file(site.path("data/widget").join(name)).unwrap();
    for path in [
        first.path(),
        "/widget/borgerlinje-00.js",
        "/widget/lock",
        "/widget/..%2Flock",
    ] {
        let (status, head, body) = asked(&server, path, AARHUS);
        assert_eq!(status, 404, "{path}");
        assert!(says(&head, "cache-control: no-store"), "{head}");
        assert!(
            says(&head, &format!("access-control-allow-origin: {AARHUS}")),
            "{head}"
        );
        assert!(body.contains("widget snippet"), "{body}");
    }
    let page = server.metrics();
    for (version, n) in [("current", 3), ("earlier", 1), ("plain", 1), ("gone", 4)] {
        let line = format!("\nborgerlinje_scripts_total{{version=\"{version}\"}} {n}\n");
        assert!(page.contains(&line), "{line}{page}");
    }
    let doctor = printed(&site.command(&["doctor"]));
    let name = second.path().rsplit_once('/').unwrap().1;
    assert!(
        doctor.contains(&format!("{name}; 0 earlier kept, each for 180 days")),
        "{doctor}"
    );

    let plain = site.snippet(&["--unpinned"]);
    assert_eq!(plain.path(), "/widget/borgerlinje.js");
    assert_eq!(plain.attribute("integrity"), None);
    assert_eq!(plain.attribute("crossorigin"), None);
}

#[test]
fn a_line_that_would_not_work_is_not_printed_in_silence() {
    let site = Site::new("");
    let of = |arguments: &[&str]| {
        let mut all = vec!["widget", "snippet"];
        all.extend(arguments);
        let output = site.command(&all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let usual = ["--municipality", "0751", "--website", AARHUS];
    let at = |address: &str| of(&[&usual[..], &["--service", address]].concat());
    let (done, said) = of(&usual);
    assert!(!done && said.contains("--service"), "{said}");
    for bad in [
        "chat.example.dk",
        "http://chat.example.dk",
        "https://a:b@c.dk",
        "https://a.dk/?x",
    ] {
        let (done, said) = at(bad);
        assert!(
            !done && said.contains("https://chat.example.dk"),
            "{bad}: {said}"
        );
    }
    assert!(at("https://chat.example.dk/borger").0);
    let chat = ["--service", "https://chat.example.dk"];
    let (done, said) = of(&[&["--municipality", "9999", "--website", AARHUS], &chat[..]].concat());
    assert!(!done && said.contains("9999"), "{said}");
    let (done, said) = of(&[
        &["--municipality", "0751", "--website", "aarhus.dk"],
        &chat[..],
    ]
    .concat());
    assert!(!done && said.contains("without a path"), "{said}");
    let (done, said) = of(&[&["--municipality", "0751", "--website", EVIL], &chat[..]].concat());
    assert!(done && said.contains("[[website]]"), "{said}");
    assert!(
        !site.path("data/widget-keys.toml").exists(),
        "nothing was signed"
    );
    fs::remove_file(site.path("pages/dist/borgerlinje.js")).unwrap();
    let (done, said) = at("https://chat.example.dk");
    assert!(!done && said.contains("make widget"), "{said}");
}

/// A hello from a page of that origin, and what came of it: None, or the words of the refusal.
async fn tried(server: &Server, from: &str, frame: &Value) -> Option<String> {
    let mut c = Client::open_with(server, "Origin", Some(from))
        .await
        .unwrap();
    c.send(frame).await;
    let first = c.frame().await.unwrap();
    if first["type"] == "welcome" {
        return None;
    }
    assert_eq!(first["code"], "unknown_municipality", "{first}");
    assert_eq!(c.end().await, (vec![], Some(1008)));
    Some(first["text"].as_str().unwrap().to_owned())
}

fn with(town: &str, signed: &str) -> Value {
    let mut frame = hello(town);
    frame["signed"] = json!(signed);
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_did_not_sign_begins_no_dialogue() {
    let site = Site::new("[embed]\nsigned = true\n");
    let doctor = site.command(&["doctor"]);
    assert!(!doctor.status.success());
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("there is no key"));
    let signed = site.snippet(&[]).signed().to_owned();
    let keys = site.path("data/widget-keys.toml");
    assert_eq!(
        fs::metadata(&keys).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (text, signature) = signed.split_once('.').unwrap();
    let json: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    assert_eq!(
        json,
        json!({"v": 1, "municipality": "0751", "websites": [AARHUS]})
    );
    let server = site.serve();
    // Begun with leave.
    let mut c = Client::open_with(&server, "Origin", Some(AARHUS))
        .await
        .unwrap();
    c.send(&with("0751", &signed)).await;
    let welcome = c.next("welcome").await;
    c.ask("a", "Hvordan fornyer jeg mit pas?").await;

    let mut more = json.clone();
    more["websites"] = json!([AARHUS, PORTAL]);
    let tampered = format!("{}.{signature}", URL_SAFE_NO_PAD.encode(more.to_string()));
    let missing = hello("0751");
    for (from, frame, why) in [
        (AARHUS, missing, "missing"),
        (PORTAL, with("0751", &tampered), "signature"),
        (AARHUS, with("0751", &signed[1..]), "signature"),
        (AARHUS, with("0751", "hej"), "unreadable"),
        (AARHUS, with("0615", &signed), "municipality"),
        (PORTAL, with("0751", &signed), "website"),
    ] {
        let said = tried(&server, from, &frame).await;
        assert!(
            said.unwrap().contains("ikke åbnes fra denne hjemmeside"),
            "{why}"
        );
        let line = format!("{from}: ");
        until("the log names it", || server.stderr().contains(&line)).await;
    }
    let mut english = with("0751", &tampered);
    english["lang"] = json!("en");
    let said = tried(&server, AARHUS, &english).await;
    assert!(said.unwrap().contains("cannot be opened from this website"));
    let page = server.metrics();
    for (why, n) in [
        ("missing", 1),
        ("unreadable", 1),
        ("signature", 3),
        ("municipality", 1),
        ("website", 1),
    ] {
        let line = format!("\nborgerlinje_configurations_refused_total{{reason=\"{why}\"}} {n}\n");
        assert!(page.contains(&line), "{line}{page}");
    }

    // Whoever had leave comes back, also when the page brings nothing any more: nothing is lost.
    let mut back = hello("0751");
    let (dialogue, token) = (&welcome["dialogue"], &welcome["token"]);
    back["resume"] = json!({"dialogue": dialogue, "token": token, "seq": 0});
    let mut c = Client::open_with(&server, "Origin", Some(AARHUS))
        .await
        .unwrap();
    c.send(&back).await;
    assert_eq!(c.next("welcome").await["resumed"], true);
    assert!(
        c.next("citizen").await["text"]
            .as_str()
            .unwrap()
            .contains("pas")
    );
    // And a dialogue that is not there is no way in.
    back["resume"] = json!({"dialogue": dialogue, "token": "x", "seq": 0});
    let mut c = Client::open_with(&server, "Origin", Some(AARHUS))
        .await
        .unwrap();
    c.send(&back).await;
    c.refused("unknown_dialogue").await;
    c.send(&hello("0751")).await;
    c.refused("unknown_municipality").await;

    // A new key, while the service runs; the old one holds, until its file is gone.
    printed(&site.command(&["widget", "rotate"]));
    let newer = site.snippet(&[]).signed().to_owned();
    assert_ne!(newer, signed);
    assert_eq!(tried(&server, AARHUS, &with("0751", &newer)).await, None);
    assert_eq!(tried(&server, AARHUS, &with("0751", &signed)).await, None);
    assert_eq!(
        printed(&site.command(&["widget", "keys"])).lines().count(),
        2
    );
    fs::remove_file(&keys).unwrap();
    let newest = site.snippet(&[]).signed().to_owned();
    assert_eq!(tried(&server, AARHUS, &with("0751", &newest)).await, None);
    assert!(
        tried(&server, AARHUS, &with("0751", &newer))
            .await
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_websites_name_comes_back_from_a_backup() {
    let site = Site::new("[embed]\nsigned = true\n");
    let tag = site.snippet(&[]);
    let server = site.serve();
    assert_eq!(asked(&server, tag.path(), AARHUS).0, 200);
    server.kill();
    site.upgrade();
    let into = TempDir::new().unwrap();
    let backup = back_up(&site.path("data"), into.path());
    let machine = Machine::new();
    machine.restore(&backup);
    let all = site.environment();
    let of = |name: &str| all.iter().find(|(n, _)| *n == name).unwrap().1.as_str();
    let environment = ["BORGERLINJE_CONFIG", "BORGERLINJE_WIDGET"].map(|name| (name, of(name)));
    let server = machine.serve(&environment);
    assert_eq!(asked(&server, tag.path(), AARHUS).0, 200);
    let frame = with("0751", tag.signed());
    assert_eq!(tried(&server, AARHUS, &frame).await, None);
    let keys: &Path = &server.data().join("widget-keys.toml");
    assert_eq!(
        fs::metadata(keys).unwrap().permissions().mode() & 0o777,
        0o600
    );
}
