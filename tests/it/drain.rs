//! One of two nodes stops, as at an upgrade, while everybody writes; then the other does.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, sleep};

use crate::centre::redis;
use crate::client::{Client, hello};
use crate::desk_client::{Desk, account, sign_in};
use crate::harness::Server;
use crate::storm::{Citizen, staffed};

const AARHUS: &str = "0751";
/// Whom the agent has, who waits, and who talks with the bot.
const CHATS: usize = 4;
const WAITING: usize = 4;
const TALKING: usize = 8;
/// Of a citizen's socket and of a desk's, when the service stops.
const RESTART: u16 = 1012;
const AGAIN: u16 = 1013;

/// Writes until it is sent away, then comes to the other node at once; what was acknowledged, and how long it had no
/// connection.
async fn through(
    c: &mut Citizen,
    begun: &Semaphore,
    ids: &str,
    before: &[String],
    to: &Server,
) -> (Vec<String>, Duration) {
    let mut acknowledged = before.to_vec();
    acknowledged.extend(c.write(begun, ids).await);
    assert_eq!(c.client.closed, Some(RESTART));
    let gone = Instant::now();
    c.back(to, &acknowledged).await;
    (acknowledged, gone.elapsed())
}

/// What the health page says until it is not ready any more.
async fn draining(server: &Server) -> Value {
    loop {
        let (status, ready) = server.get_json("/health/ready");
        if status == 503 {
            return ready;
        }
        assert_eq!(ready["state"], "serving");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Stops `from` while everybody writes; everybody goes on at `to`. The longest that a citizen was without a connection.
async fn drained(
    from: Server,
    to: &Server,
    (citizens, desk): (&mut [Citizen], &mut Desk),
    (ids, said): (&str, &mut [Vec<String>]),
) -> Duration {
    let begun = Semaphore::new(0);
    let all = citizens.len();
    let writing = citizens
        .iter_mut()
        .zip(&*said)
        .map(|(c, before)| through(c, &begun, ids, before, to));
    let stopping = async {
        begun.acquire_many(all as u32).await.unwrap().forget();
        from.terminate();
        let ready = draining(&from).await;
        assert_eq!(ready["state"], "draining");
        // Nobody new is taken, and that is said at once.
        let mut new = Client::open(&from).await;
        new.send(&hello(AARHUS)).await;
        assert_eq!(new.end().await, (Vec::new(), Some(RESTART)));
        let ended = tokio::task::spawn_blocking(move || {
            let said = from.stderr();
            (from.ended(), said)
        });
        let (well, said) = ended.await.unwrap();
        assert!(well, "{said}");
    };
    let leaving = async {
        let (frames, code) = desk.end().await;
        assert_eq!(code, Some(AGAIN));
        let last = frames.iter().rfind(|f| f["type"] == "error").unwrap();
        assert_eq!(last["code"], "unavailable");
        *desk = Desk::of(to, "anna").await;
    };
    let (came, (), ()) = tokio::join!(join_all(writing), stopping, leaving);
    let mut longest = Duration::ZERO;
    for (list, (acknowledged, away)) in said.iter_mut().zip(came) {
        *list = acknowledged;
        longest = longest.max(away);
    }
    longest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_hands_everybody_on_and_nothing_is_lost() {
    let Some((_redis, port)) = redis() else {
        return;
    };
    Server::shared();
    let url = format!("redis://127.0.0.1:{port}");
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("b.toml");
    std::fs::write(&file, "[drain]\nnotice_ms = 1500\n").unwrap();
    let file = file.display().to_string();
    let set = |node| {
        [
            ("BORGERLINJE_ALWAYS_OPEN", "1"),
            ("BORGERLINJE_REDIS_URL", url.as_str()),
            ("BORGERLINJE_CONFIG", file.as_str()),
            ("BORGERLINJE_NODE", node),
        ]
    };
    let data = dir.path().join("a");
    let a = Server::on(&data, &set("a"));
    let b = Server::with(&set("b"));
    let rights = ["--municipalities", "all", "--capacity", "4"];
    account(&a, "anna", "Anna", &rights);
    account(&b, "anna", "Anna", &rights);
    let mut desk = Desk::of(&a, "anna").await;
    staffed(&a).await;
    staffed(&b).await;
    let mut citizens = join_all((0..CHATS).map(|_| Citizen::waiting(&a))).await;
    let mut items = Vec::new();
    while items.len() < CHATS {
        let card = desk
            .when("card", |f| f["card"]["state"]["kind"] == "offered")
            .await;
        let (item, offer) = (&card["card"]["item"], &card["card"]["state"]["offer"]);
        desk.done(json!({"type": "accept", "item": item, "offer": offer}))
            .await;
        let owned = |f: &Value| f["card"]["item"] == *item && f["card"]["state"]["kind"] == "owned";
        let owned = desk.when("card", owned).await;
        items.push((item.clone(), owned["card"]["epoch"].clone()));
    }
    citizens.extend(join_all((0..WAITING).map(|_| Citizen::waiting(&a))).await);
    citizens.extend(join_all((0..TALKING).map(|_| Citizen::new(&a))).await);
    let mut said = vec![Vec::new(); citizens.len()];

    let away = drained(a, &b, (&mut citizens, &mut desk), ("a", &mut said)).await;
    println!("a stops: the longest without a connection {away:?}");
    // The agent has everybody at the other node, and everybody hears the agent.
    for (item, epoch) in &items {
        let message =
            json!({"type": "message", "item": item, "epoch": epoch, "text": "Jeg er her stadig."});
        desk.done(message).await;
    }
    for c in citizens.iter_mut().take(CHATS) {
        c.client.next("agent").await;
    }
    // A new node of that name takes over when the other stops.
    let a = Server::on(&data, &set("a"));
    staffed(&a).await;
    let away = drained(b, &a, (&mut citizens, &mut desk), ("b", &mut said)).await;
    println!("b stops: the longest without a connection {away:?}");
    let total: usize = said.iter().map(Vec::len).sum();
    println!("{total} messages were acknowledged, and all are there");
    for c in &mut citizens {
        assert!(c.say("after").await);
    }
    sign_in(&a, "anna");
}
