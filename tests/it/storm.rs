//! The program is killed while everybody writes, and everybody comes back at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::{Duration, sleep};

use crate::centre::redis;
use crate::client::{Client, hello};
use crate::desk_client::{Desk, account, sign_in};
use crate::harness::Server;

const AARHUS: &str = "0751";
const CITIZENS: usize = 24;
/// Chats of the one agent.
const CHATS: usize = 6;
/// Messages that a citizen's rate allows beside what came before.
const MESSAGES: usize = 12;

/// A citizen and what was heard.
pub(crate) struct Citizen {
    pub(crate) client: Client,
    stream: Value,
    /// The numbered frames, by number.
    events: Vec<Value>,
}

impl Citizen {
    pub(crate) async fn new(server: &Server) -> Self {
        let (client, welcome) = Client::hello(server, AARHUS).await;
        Self {
            client,
            stream: welcome["stream"].clone(),
            events: Vec::new(),
        }
    }

    pub(crate) async fn waiting(server: &Server) -> Self {
        let mut c = Self::new(server).await;
        for (kind, id, until) in [("human", "h", "handover_offer"), ("queue", "q", "queued")] {
            c.client.send(&json!({"type": kind, "client_id": id})).await;
            assert!(c.until(|f| f["type"] == until).await, "{kind}");
        }
        c
    }

    /// Reads up to a frame; false when the connection ended before it.
    async fn until(&mut self, is: impl Fn(&Value) -> bool) -> bool {
        while let Some(frame) = self.client.frame().await {
            assert_ne!(frame["type"], "error", "{frame}");
            let found = is(&frame);
            if frame["seq"].is_u64() && frame["type"] != "welcome" {
                self.events.push(frame);
            }
            if found {
                return true;
            }
        }
        false
    }

    /// Says something; false when the connection ended before the acknowledgement.
    pub(crate) async fn say(&mut self, id: &str) -> bool {
        self.client.say(id, "Er der nogen?").await;
        self.until(|f| f["type"] == "citizen" && f["client_id"] == id)
            .await
    }

    /// Writes on and on, until the connection ends; the acknowledged, whose ids begin so. With the first of them `begun`
    /// has one more permit.
    pub(crate) async fn write(&mut self, begun: &Semaphore, ids: &str) -> Vec<String> {
        let mut acknowledged = Vec::new();
        for n in 0..MESSAGES {
            let id = format!("{ids}-{n}");
            if !self.say(&id).await {
                return acknowledged;
            }
            acknowledged.push(id);
            if n == 0 {
                begun.add_permits(1);
            }
        }
        // All is said: the end is waited for.
        while self.until(|_| false).await {}
        acknowledged
    }

    /// Comes back, to whatever node: everything is there once, in order, and nothing acknowledged is missing.
    pub(crate) async fn back(&mut self, server: &Server, acknowledged: &[String]) {
        let seen = self.events.last().map_or(0, |e| e["seq"].as_u64().unwrap());
        let (dialogue, token) = (self.client.dialogue.clone(), self.client.token.clone());
        let mut frame = hello(AARHUS);
        frame["resume"] =
            json!({"dialogue": dialogue, "token": token, "seq": seen, "stream": self.stream});
        self.client = Client::open(server).await;
        (self.client.dialogue, self.client.token) = (dialogue, token);
        self.client.send(&frame).await;
        let welcome = self.client.next("welcome").await;
        assert_eq!(welcome["resumed"], true, "{welcome}");
        if welcome["replay"] == true {
            self.events.clear();
        }
        self.stream = welcome["stream"].clone();
        let newest = welcome["seq"].as_u64().unwrap();
        if self.events.last().is_none_or(|e| e["seq"] != newest) {
            assert!(self.until(|f| f["seq"] == newest).await);
        }
        let seqs: Vec<u64> = self
            .events
            .iter()
            .map(|e| e["seq"].as_u64().unwrap())
            .collect();
        let first = seqs[0];
        assert!(seqs.iter().copied().eq(first..=newest), "{seqs:?}");
        let said = self.events.iter().filter(|e| e["type"] == "citizen");
        let said: Vec<&str> = said.filter_map(|e| e["client_id"].as_str()).collect();
        let once: BTreeSet<&str> = said.iter().copied().collect();
        assert_eq!(said.len(), once.len(), "{said:?}");
        for id in acknowledged {
            assert!(
                once.contains(id.as_str()),
                "{id} was acknowledged: {said:?}"
            );
        }
    }
}

/// Asks until a place in the queue is offered: the centre has been set up then.
pub(crate) async fn staffed(server: &Server) {
    for _ in 0..100 {
        let (mut c, _) = Client::hello(server, AARHUS).await;
        c.send(&json!({"type": "human", "client_id": "h"})).await;
        if c.next("handover_offer").await["queue"] == true {
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
    panic!("nobody may wait: {}", server.stderr());
}

/// `second` is another node of the same centre, to which half of the citizens come back.
async fn storm(environment: &[(&str, &str)], second: Option<&Server>) {
    let data = TempDir::with_prefix("borgerlinje-storm-").unwrap();
    let server = Server::on(data.path(), environment);
    let capacity = CHATS.to_string();
    let rights = ["--municipalities", "all", "--capacity", &capacity];
    account(&server, "anna", "Anna", &rights);
    let mut desk = Desk::of(&server, "anna").await;
    staffed(&server).await;
    let mut citizens: Vec<Citizen> =
        join_all((0..CITIZENS).map(|_| Citizen::waiting(&server))).await;
    let mut chats = BTreeSet::new();
    while chats.len() < CHATS {
        let card = desk
            .when("card", |f| f["card"]["state"]["kind"] == "offered")
            .await;
        let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
        desk.done(json!({"type": "accept", "item": item, "offer": offer}))
            .await;
        chats.insert(item.as_str().unwrap().to_owned());
    }
    let session = sign_in(&server, "anna");

    // In the midst of it: everybody has an acknowledgement, and nearly everybody writes the next.
    let begun = Semaphore::new(0);
    let kill = async {
        begun.acquire_many(CITIZENS as u32).await.unwrap().forget();
        let killed = tokio::task::spawn_blocking(move || server.kill());
        killed.await.unwrap();
    };
    let write = join_all(citizens.iter_mut().map(|c| c.write(&begun, "m")));
    let (acknowledged, ()) = tokio::join!(write, kill);
    assert!(acknowledged.iter().all(|a| !a.is_empty()));

    let server = Server::on(data.path(), environment);
    let come = citizens.iter_mut().zip(&acknowledged).enumerate();
    let come = come.map(|(n, (c, ids))| {
        let to = second.filter(|_| n % 2 == 1).unwrap_or(&server);
        c.back(to, ids)
    });
    // The session outlives the process, and so do the chats.
    let (mut desk, _) = tokio::join!(Desk::open(&server, &session), join_all(come));
    for item in &chats {
        let opened = desk.done(json!({"type": "open", "item": item})).await;
        let lines = opened["lines"].as_array().unwrap();
        assert!(
            lines.iter().any(|l| l["text"] == "Er der nogen?"),
            "{lines:#?}"
        );
    }
    for c in &mut citizens {
        assert!(c.say("after").await);
    }
    let mut heard = 0;
    while heard < CHATS {
        let line = desk.when("line", |f| f["line"]["from"] == "citizen").await;
        heard += usize::from(chats.contains(line["item"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_18_everybody_comes_back_at_once_embedded() {
    Server::shared();
    storm(&[("BORGERLINJE_ALWAYS_OPEN", "1")], None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_18_everybody_comes_back_at_once_redis() {
    let Some((_redis, port)) = redis() else {
        return;
    };
    Server::shared();
    let url = format!("redis://127.0.0.1:{port}");
    let environment = [
        ("BORGERLINJE_ALWAYS_OPEN", "1"),
        ("BORGERLINJE_REDIS_URL", url.as_str()),
    ];
    let other = Server::with(&environment);
    storm(&environment, Some(&other)).await;
}
