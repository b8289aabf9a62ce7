//! A secret of the operator's, searched for in everything that the program says: at the loudest log, in errors about
//! addresses that are written wrongly, in what it answers and in what it keeps.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::client::Client;
use crate::harness::{Server, borgerlinje, finish, until};

const TOWN: &str = "0751";
/// Nothing in the tree says this.
const SECRET: &str = "kanarieFugl7391hemmelig";
const WRONG: &str = "kanarieFugl7391forkert";
/// What the two have in common.
const TRACE: &str = "kanarieFugl7391";

/// A real Redis that lets nobody in without the secret.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    async fn start() -> Option<Self> {
        let (probe, port) = crate::centre::redis()?;
        drop(probe);
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--requirepass", SECRET])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self { child, port };
        for _ in 0..1_000 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(redis);
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("redis-server did not start");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that its owner alone may read.
fn laid(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

#[track_caller]
fn quiet(what: &str, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let at = said.find(TRACE);
    let shown = at.map(|at| &said[at.saturating_sub(200)..(at + 100).min(said.len())]);
    assert!(at.is_none(), "{what} tells the secret: {shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_of_a_file_is_in_nothing_that_the_service_says() {
    let Some(redis) = Redis::start().await else {
        return;
    };
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-secret-").unwrap();
    for (secret, state) in [(SECRET, "serving"), (WRONG, "away")] {
        let url = format!("redis://:{secret}@127.0.0.1:{}\n", redis.port);
        let file = laid(folder.path(), "redis-url", &url);
        let environment = [
            ("BORGERLINJE_REDIS_URL_FILE", file.to_str().unwrap()),
            ("BORGERLINJE_LOG", "trace"),
            ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
        ];
        let server = Server::with(&environment);
        let (mut c, _) = Client::hello(&server, TOWN).await;
        c.ask("a", "Hvordan fornyer jeg mit pas?").await;
        let wanted = format!(r#"borgerlinje_centre_state{{state="{state}"}} 1"#);
        until(&wanted, || server.metrics().contains(&wanted)).await;
        // Once more after that, so that what fails has failed some times.
        sleep(Duration::from_secs(3)).await;
        quiet("metrics", server.metrics().as_bytes());
        quiet("/health/ready", server.get("/health/ready").1.as_bytes());
        for arguments in [&["doctor"][..], &["doctor", "--json"]] {
            let mut doctor = borgerlinje(arguments);
            let output = finish(doctor.envs(environment).env("RUST_BACKTRACE", "1"), b"");
            quiet("doctor", &output.stdout);
            quiet("doctor", &output.stderr);
        }
        let log = server.stderr();
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
        quiet("the log", server.stderr().as_bytes());
        quiet("standard output", server.stdout().as_bytes());
        for (name, bytes) in server.stored() {
            quiet(&name, &bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_signed_pages_is_in_nothing_but_its_file_and_its_backups() {
    const PAGE: &str = "https://www.aarhus.dk";
    Server::shared();
    let folder = TempDir::with_prefix("borgerlinje-secret-").unwrap();
    let text = format!("[embed]\nsigned = true\n[[website]]\norigin = \"{PAGE}\"\n");
    let config = laid(folder.path(), "borgerlinje.toml", &text);
    let data = folder.path().join("data");
    let environment = [
        ("BORGERLINJE_CONFIG", config.to_str().unwrap()),
        ("BORGERLINJE_LOG", "trace"),
        ("RUST_BACKTRACE", "1"),
        ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0"),
    ];
    let of = |arguments: &[&str]| {
        let mut command = borgerlinje(arguments);
        finish(
            command.envs(environment).env("BORGERLINJE_DATA", &data),
            b"",
        )
    };
    let page = ["--municipality", TOWN, "--website", PAGE];
    let wanted = [&["widget", "snippet", "--service", PAGE], &page[..]].concat();
    let mut said = vec![of(&wanted), of(&["widget", "rotate"]), of(&wanted)];
    assert!(said.iter().all(|o| o.status.success()));
    let file = data.join("widget-keys.toml");
    let kept = fs::read_to_string(&file).unwrap();
    let secrets: Vec<&str> = kept
        .lines()
        .filter_map(|l| l.strip_prefix("secret = "))
        .map(|l| l.trim_matches('"'))
        .collect();
    assert_eq!(secrets.len(), 2, "not the form that this test knows");
    let silent = |what: &str, said: &[u8]| {
        let said = String::from_utf8_lossy(said);
        assert!(
            !secrets.iter().any(|s| said.contains(s)),
            "{what} tells a key"
        );
    };
    let line = String::from_utf8(said[2].stdout.clone()).unwrap();
    let (_, signed) = line.split_once("data-signed=\"").unwrap();
    let signed = signed.split('"').next().unwrap();
    let server = Server::on(&data, &environment);
    for (brought, kind) in [(signed, "welcome"), (&signed[1..], "error")] {
        let mut c = Client::open_with(&server, "Origin", Some(PAGE))
            .await
            .unwrap();
        let mut frame = crate::client::hello(TOWN);
        frame["signed"] = brought.into();
        c.send(&frame).await;
        let answer = c.next(kind).await.to_string();
        silent("an answer", answer.as_bytes());
    }
    silent("metrics", server.metrics().as_bytes());
    silent("/health/ready", server.get("/health/ready").1.as_bytes());
    said.extend([of(&["doctor"]), of(&["widget", "keys"])]);
    // Files that are broken, or open to everybody: what is wrong is said without what is in them.
    for (text, mode) in [
        (kept.replace("secret", "secert"), 0o600),
        (kept.clone(), 0o644),
    ] {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let faulty = [
            of(&["doctor"]),
            of(&["widget", "keys"]),
            of(&["widget", "rotate"]),
        ];
        assert!(faulty.iter().all(|o| !o.status.success()));
        said.extend(faulty);
        let why = if mode == 0o600 {
            "no file of keys"
        } else {
            "every user"
        };
        until(why, || server.stderr().contains(why)).await;
    }
    for output in &said {
        silent("a command", &output.stdout);
        silent("a command", &output.stderr);
    }
    silent("standard output", server.stdout().as_bytes());
    let log = server.stderr();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    silent("the log", log.as_bytes());
    for (name, bytes) in server.stored() {
        if !name.ends_with("widget-keys.toml") {
            silent(&name, &bytes);
        }
    }
}

#[test]
fn a_wrong_address_is_refused_without_being_said() {
    let folder = TempDir::with_prefix("borgerlinje-secret-").unwrap();
    let data = folder.path().join("data");
    let asked = |command: &str, environment: &[(&str, &str)]| -> Output {
        let mut program = borgerlinje(&[command]);
        program
            .env("BORGERLINJE_LISTEN", "127.0.0.1:0")
            .env("BORGERLINJE_DATA", &data)
            .env("BORGERLINJE_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .envs(environment.iter().copied());
        finish(&mut program, b"")
    };
    let refused = |environment: &[(&str, &str)], commands: &[&str]| {
        for command in commands {
            let output = asked(command, environment);
            assert!(!output.status.success(), "{command}: {environment:?}");
            quiet(command, &output.stdout);
            quiet(command, &output.stderr);
        }
    };
    for url in [
        SECRET.to_owned(),
        format!("redis//:{SECRET}@h"),
        format!("http://:{SECRET}@127.0.0.1"),
        format!("redis://bruger:{SECRET}@127.0.0.1:port"),
        format!("redis://bruger:{SECRET}"),
        format!("redis://:{SECRET}@"),
        format!("redis+sentinel://bruger:{SECRET}@127.0.0.1"),
        format!("redis+sentinel://bruger:{SECRET}/"),
    ] {
        refused(&[("BORGERLINJE_REDIS_URL", &url)], &["serve", "doctor"]);
        let file = laid(folder.path(), "redis-url", &url);
        let file = file.to_str().unwrap();
        refused(
            &[("BORGERLINJE_REDIS_URL_FILE", file)],
            &["serve", "doctor"],
        );
    }
    // Before anything else is looked at: a file for everybody, both at once, a line that is no TOML.
    let url = format!("redis://:{SECRET}@127.0.0.1");
    let file = laid(folder.path(), "redis-url", &url);
    let both = [
        ("BORGERLINJE_REDIS_URL", url.as_str()),
        ("BORGERLINJE_REDIS_URL_FILE", file.to_str().unwrap()),
    ];
    refused(&both, &["serve", "doctor"]);
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    refused(&both[1..], &["serve", "doctor"]);
    for text in [
        format!("redis_url = \"{url}\n"),
        format!("redis_url = {url}\n"),
        format!(
            "redis_url = \"{url}\"\nredis_url_file = \"{}\"\n",
            file.display()
        ),
        format!("redis_url = [\"{url}\"]\n"),
        format!("redis_url = \"{url}\" # x\nredis_url = \"{url}\"\n"),
    ] {
        let config = laid(folder.path(), "borgerlinje.toml", &text);
        let config = config.to_str().unwrap();
        refused(&[("BORGERLINJE_CONFIG", config)], &["serve", "doctor"]);
    }
}
