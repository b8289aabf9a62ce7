//! The contact centre's log as the program finds it: a Redis with poor settings, a Redis that goes away.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tokio::time::{Duration, sleep};

use crate::client::{Client, answer};
use crate::harness::Server;

/// Ends with the test.
pub(crate) struct Redis(Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// On a free port, and saving nothing. None, and a line that says so, where there is no redis-server.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
pub(crate) fn redis() -> Option<(Redis, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match child {
        Ok(child) => Some((Redis(child), port)),
        Err(e) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI needs a redis-server: {e}"
            );
            println!("SKIPPED: there is no redis-server (apt-get install redis-server)");
            None
        }
    }
}

async fn until_centre_is(server: &Server, state: &str) {
    for _ in 0..600 {
        if server.get_json("/health/ready").1["centre"] == state {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the contact centre is not {state}:\n{}", server.stderr());
}

async fn answers(server: &Server) {
    let (mut c, _) = Client::hello(server, "0751").await;
    let turn = c.ask("r-1", "Hvordan fornyer jeg mit pas?").await;
    assert!(answer(&turn).contains("pas"), "{}", answer(&turn));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_17_the_bot_answers_while_redis_is_away_redis() {
    let Some((redis, port)) = redis() else { return };
    let url = format!("redis://127.0.0.1:{port}");
    let server = Server::with(&[
        ("BORGERLINJE_REDIS_URL", &url),
        ("BORGERLINJE_NODE", "it-1"),
    ]);
    until_centre_is(&server, "serving").await;
    let said = server.stderr();
    assert!(
        said.contains("appendonly is off"),
        "what can be lost is said:\n{said}"
    );
    drop(redis);
    until_centre_is(&server, "away").await;
    answers(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_17_the_bot_answers_when_redis_was_never_there_redis() {
    let url = ("BORGERLINJE_REDIS_URL", "redis://:secret@127.0.0.1:1");
    let server = Server::with(&[url]);
    answers(&server).await;
    until_centre_is(&server, "away").await;
    let said = server.stderr();
    assert!(
        said.contains("Redis cannot be reached") && !said.contains("secret"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_centre_serves_from_the_start() {
    let server = Server::shared();
    until_centre_is(server, "serving").await;
}
