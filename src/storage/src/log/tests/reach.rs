//! How a Redis is reached, and what is found out about it: addresses, passwords, TLS, Sentinel, settings.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::harness::{Bench, Home, Running, Server, free_port, hasty, redis_is_here};
use super::*;
use crate::Journal;

fn log(options: &RedisOptions) -> Result<Log, Error> {
    Log::redis(Journal::in_memory().unwrap(), "a", options)
}

#[tokio::test]
async fn addresses_that_cannot_be_right_are_refused_at_once() {
    for url in [
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis://h/x",
        "redis://0.0.0.0",
        "redis+sentinel://h:26379",
        "redis+sentinel://h:26379/",
        "redis+sentinel://h:x:y/name",
        "redis+sentinel://h/name/x",
    ] {
        let e = log(&RedisOptions::new(url)).unwrap_err();
        assert!(matches!(e, Error::Settings(_)), "{url}: {e:?}");
        assert!(e.to_string().starts_with("the settings for Redis"), "{e}");
    }
    for prefix in ["", "a b", "{x}", "æ"] {
        let options = RedisOptions {
            prefix: prefix.to_owned(),
            ..RedisOptions::new("redis://localhost")
        };
        assert!(matches!(log(&options), Err(Error::Settings(_))), "{prefix}");
    }
    for url in [
        "redis://u:p@[::1]:7000/3",
        "rediss://h",
        "unix:///run/redis.sock",
        "redis+sentinel://u:p%40@a,[::1]:7,c:8/name/2",
        "rediss+sentinel://a/name",
    ] {
        log(&RedisOptions::new(url)).unwrap();
    }
    let secret = RedisOptions::new("redis://user:geheim@h");
    assert!(!format!("{secret:?}").contains("geheim"));
}

#[tokio::test]
async fn redis_that_is_not_there_is_unavailable() {
    let log = log(&hasty(format!("redis://127.0.0.1:{}", free_port()))).unwrap();
    let began = Instant::now();
    let e = log.head().await.unwrap_err();
    assert!(matches!(e, Error::Unavailable(_)), "{e:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn redis_refuses_a_wrong_password_in_plain_words() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    server.cmd::<()>(&[
        "ACL",
        "SETUSER",
        "centre",
        "on",
        ">ret",
        "~{borgerlinje}:*",
        "&*",
        "+@all",
    ]);
    server.cmd::<()>(&[
        "ACL",
        "SETUSER",
        "little",
        "on",
        ">ret",
        "~{borgerlinje}:*",
        "&*",
        "+@all",
        "-@admin",
        "-@dangerous",
    ]);
    let as_user = |login: &str, prefix: &str| {
        let options = RedisOptions {
            prefix: prefix.to_owned(),
            ..hasty(format!("redis://{login}@127.0.0.1:{}", server.port))
        };
        log(&options).unwrap()
    };
    let e = as_user("centre:forkert", "borgerlinje")
        .head()
        .await
        .unwrap_err();
    assert!(matches!(e, Error::Denied(_)), "{e:?}");
    assert!(!e.to_string().contains("forkert"));
    let good = as_user("centre:ret", "borgerlinje");
    good.recover().await.unwrap();
    add(&good, &["1"]).await;
    let e = as_user("centre:ret", "andet").head().await.unwrap_err();
    assert!(matches!(e, Error::Denied(_)), "keys of others: {e:?}");
    // One who may not look at the settings can still work, and is told what is not known.
    let little = as_user("little:ret", "borgerlinje");
    add(&little, &["2"]).await;
    let found = little.check().await.unwrap();
    assert!(
        found.iter().any(|f| matches!(f, Finding::Hidden { .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn redis_centres_with_other_prefixes_know_nothing_of_each_other() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&[]).await;
    let of = |prefix: &str| RedisOptions {
        prefix: prefix.to_owned(),
        ..hasty(server.url())
    };
    let (a, b) = (log(&of("a")).unwrap(), log(&of("b")).unwrap());
    a.recover().await.unwrap();
    b.recover().await.unwrap();
    add(&a, &["x"]).await;
    assert_eq!(b.head().await, Ok(Position::START));
    add(&b, &["x", "y"]).await;
    assert_eq!(a.head().await.unwrap().seq, 1);
    let keys: Vec<String> = server.cmd(&["KEYS", "*"]);
    assert!(
        keys.iter()
            .all(|k| k.starts_with("{a}:") || k.starts_with("{b}:")),
        "{keys:?}"
    );
}

#[tokio::test]
async fn redis_settings_are_judged() {
    if !redis_is_here() {
        return;
    }
    let server = Server::start(&["--appendfsync", "always", "--maxmemory", "100mb"]).await;
    let log = log(&hasty(server.url())).unwrap();
    assert_eq!(log.check().await, Ok(Vec::new()), "as it should be");
    let set = |name: &str, value: &str| server.cmd::<()>(&["CONFIG", "SET", name, value]);
    set("appendfsync", "everysec");
    assert_eq!(log.check().await, Ok(vec![Finding::SyncedEachSecond]));
    set("appendfsync", "no");
    set("maxmemory", "0");
    set("maxmemory-policy", "allkeys-lru");
    let policy = "allkeys-lru".to_owned();
    assert_eq!(
        log.check().await,
        Ok(vec![
            Finding::Evicts { policy },
            Finding::NeverSynced,
            Finding::NoMemoryLimit
        ])
    );
    set("appendonly", "no");
    assert!(log.check().await.unwrap().contains(&Finding::NothingSaved));
    set("save", "900 1");
    let found = log.check().await.unwrap();
    let save = "900 1".to_owned();
    assert!(
        found.contains(&Finding::SnapshotsOnly { save }),
        "{found:?}"
    );
    assert!(found.is_sorted_by_key(|f| std::cmp::Reverse(f.severity())));
    for f in found {
        let words = f.to_string();
        assert!(words.len() > 60 && words.ends_with('.'), "{words}");
    }
    let (_dir, journal) = super::harness::journal();
    let clock = std::sync::Arc::new(base::ManualClock::at(crate::tests::at(0)));
    let alone = Log::embedded(journal, clock, "a", Keep::default()).unwrap();
    assert_eq!(alone.check().await, Ok(Vec::new()));
}

#[tokio::test]
async fn redis_over_tls() {
    if !redis_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem \
         -addext basicConstraints=critical,CA:TRUE &&
         openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout s.key -out s.csr &&
         printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE' >ext &&
         openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out s.pem";
    let made = Command::new("sh")
        .args(["-c", make])
        .current_dir(dir.path())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    if !made.success() {
        println!("SKIPPED: there is no openssl to make certificates with");
        return;
    }
    let tls = free_port();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let server = Server::start(&[
        "--tls-port",
        &tls.to_string(),
        "--tls-cert-file",
        &file("s.pem"),
        "--tls-key-file",
        &file("s.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
    ])
    .await;
    let options = RedisOptions {
        ca: Some(std::fs::read(dir.path().join("ca.pem")).unwrap()),
        ..hasty(format!("rediss://localhost:{tls}"))
    };
    let secured = log(&options).unwrap();
    secured.recover().await.unwrap();
    add(&secured, &["1"]).await;
    // A certificate that nobody vouches for is not taken.
    let unknown = RedisOptions {
        ca: None,
        ..options.clone()
    };
    let e = log(&unknown).unwrap().head().await.unwrap_err();
    assert!(matches!(e, Error::Unavailable(_)), "{e:?}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_29_sentinel_fails_over_and_nothing_acknowledged_is_lost() {
    if !redis_is_here() {
        return;
    }
    let mut primary = Server::start(&["--repl-diskless-sync-delay", "0"]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]).await;
    let conf = tempfile::tempdir().unwrap();
    let (port, path) = (free_port(), conf.path().join("sentinel.conf"));
    let text = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor centre 127.0.0.1 {} 1\n\
         sentinel down-after-milliseconds centre 400\nsentinel failover-timeout centre 2000\n",
        primary.port
    );
    std::fs::write(&path, text).unwrap();
    let mut sentinel = Command::new("redis-server");
    sentinel.arg(&path).arg("--sentinel").stdout(Stdio::null());
    let _sentinel = Running(sentinel.spawn().unwrap());
    let synced = async {
        loop {
            let info: String = replica.cmd(&["INFO", "replication"]);
            let mut ask = Command::new("redis-cli");
            ask.args(["-p", &port.to_string(), "SENTINEL", "replicas", "centre"]);
            let known = String::from_utf8(ask.output().unwrap().stdout).unwrap();
            if info.contains("master_link_status:up") && known.contains(&replica.port.to_string()) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), synced).await.unwrap();
    let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/centre");
    let home = Home::new("a", url);
    let mut node = home.node().await;
    node.append(entries(&["1", "2"])).await;
    assert!(
        node.log
            .check()
            .await
            .unwrap()
            .contains(&Finding::ReplicasMayLag { replicas: 1 })
    );
    // What comes now the replica does not get, and then the primary is gone.
    replica.signal("STOP");
    node.append(entries(&["3", "4"])).await;
    primary.kill();
    replica.signal("CONT");
    let over = async {
        loop {
            match node.log.append(node.at, entries(&["5"])).await {
                Ok(done) => return done,
                Err(e) => assert!(e.passes(), "{e}"),
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let first = timeout(Duration::from_secs(20), over).await.unwrap();
    // The replica may have had them in its socket; if not, it is an older log that must be filled up.
    assert!(!matches!(first, Append::Conflict { .. }), "{first:?}");
    node.catch_up().await;
    node.append(entries(&["5"])).await;
    let role: Vec<::redis::Value> = replica.cmd(&["ROLE"]);
    assert_eq!(role[0], ::redis::Value::BulkString(b"master".to_vec()));
    assert_eq!(
        ids(&read_all(&node.log, Position::START).await),
        ["1", "2", "3", "4", "5"]
    );
}

#[tokio::test]
async fn nodes_hear_what_others_say_of_themselves() {
    let Some(bench) = Bench::redis().await else {
        return;
    };
    let (a, b) = (bench.log("a").await, bench.log("b").await);
    assert_eq!(a.said().await.unwrap(), []);
    b.say("{\"number\":1}").await.unwrap();
    a.say("of two words").await.unwrap();
    b.say("{\"number\":2}").await.unwrap();
    let said = a.said().await.unwrap();
    let words: Vec<(&str, &str)> = said
        .iter()
        .map(|s| (s.node.as_str(), s.text.as_str()))
        .collect();
    assert_eq!(words, [("a", "of two words"), ("b", "{\"number\":2}")]);
    assert!(said.iter().all(|s| s.age < Duration::from_secs(60)));
}
