//! A node with everything a citizen meets, on a port of its own.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::{Clock, DialogueId, ManualClock, SystemClock};
use contact::Hours;
use contact::centre::*;
use contact::sim::{id, link, profile};
use dialogue::Turn;
use storage::Journal;
use storage::log::{Keep, Log, RedisOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::app::{App, Inner, Parts, hours, nobody};
use crate::boot::{self, Booted};
use crate::centre::{Node, Options, Wanted, keep_set_up};
use crate::config::Config;
use crate::runtime::progress::Bars;
use crate::transcript::Writer;

pub(super) const AARHUS: &str = "0751";
const WIDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../widget");
pub(super) const NOWHERE: &str = "redis://127.0.0.1:1";

/// The knowledge and the model are read once for all tests.
fn booted() -> &'static Booted {
    static BOOTED: OnceLock<Booted> = OnceLock::new();
    BOOTED.get_or_init(|| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let env = |name: &str| match name {
            "BORGERLINJE_HOME" => Some(root.to_owned()),
            "BORGERLINJE_CACHE" => std::env::var(name).ok(),
            _ => None,
        };
        let config = Config::read(&env).unwrap();
        boot::boot(&config, &SystemClock::new(), &Bars::quiet()).unwrap()
    })
}

/// A time in Copenhagen, such as `2091-03-05T09:00`, a Monday.
pub(super) fn local(text: &str) -> Moment {
    let at: jiff::civil::DateTime = text.parse().unwrap();
    let at = at.to_zoned(contact::copenhagen().clone()).unwrap();
    at.timestamp().into()
}

pub(super) struct Service {
    pub(super) app: App,
    pub(super) address: String,
    pub(super) clock: ManualClock,
    node: Option<Node>,
    name: String,
    redis: Option<String>,
    serving: Option<JoinHandle<()>>,
    dir: Arc<tempfile::TempDir>,
}

impl Service {
    /// Alone, on a Monday at nine, when everything is open.
    pub(super) async fn start() -> Self {
        Self::at("2091-03-05T09:00").await
    }

    pub(super) async fn at(time: &str) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let mut s = Self::on(dir, "node-a", None, local(time), true).await;
        s.set_up().await;
        s
    }

    /// A node of a Redis, whose clock is the real one: all is open always.
    pub(super) async fn beside(name: &str, url: &str) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let now = SystemClock::new().now().into();
        Self::on(dir, name, Some(url.to_owned()), now, true).await
    }

    /// On a data folder; with `sink` off nothing of the log reaches the dialogues.
    pub(super) async fn on(
        dir: Arc<tempfile::TempDir>,
        name: &str,
        redis: Option<String>,
        now: Moment,
        sink: bool,
    ) -> Self {
        let booted = tokio::task::spawn_blocking(booted).await.unwrap();
        let path = dir.path().join("journal.sqlite");
        let journal = Journal::open(&path, &storage::Options::default()).unwrap();
        let manual = ManualClock::at(now.timestamp());
        let clock: Arc<dyn Clock> = Arc::new(manual.clone());
        let log = match &redis {
            None => Log::embedded(journal.clone(), clock.clone(), name, Keep::default()),
            Some(url) => Log::redis(journal.clone(), name, &RedisOptions::new(url)),
        };
        let turn = Arc::new(ArcSwap::from_pointee(Turn::new(booted.snapshot.clone())));
        let mut options = Options::new(id(name));
        options.look = Duration::from_millis(5);
        let writer = Writer {
            journal: journal.clone(),
            turn: turn.clone(),
        };
        options.sink = sink.then(|| Arc::new(writer) as Arc<dyn crate::centre::Sink>);
        let node = Node::start(log.unwrap(), clock.clone(), options);
        let stream = journal.identity().await.unwrap();
        let (auth, desk) = nobody(clock.clone(), dir.path()).await;
        let app = Inner::new(Parts {
            clock,
            turn,
            encoder: booted.encoder.clone(),
            journal,
            centre: node.handle(),
            stream,
            auth,
            desk,
            widget: WIDGET.into(),
            shared: false,
            always_open: false,
            per_network: crate::config::PerNetwork::default(),
            websites: crate::websites::Websites::default(),
            embed: crate::embed::Embed::new(
                crate::embed::Settings::default(),
                WIDGET.as_ref(),
                dir.path(),
            ),
        });
        super::super::begin(&app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = crate::router::build(app.clone());
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let s = Self {
            app,
            address,
            clock: manual,
            node: Some(node),
            name: name.to_owned(),
            redis,
            serving: Some(serving),
            dir,
        };
        // A Redis at this address is one that is not there.
        if s.redis.as_deref() != Some(NOWHERE) {
            s.until("serving", async || {
                s.app.centre.health().state == crate::centre::State::Serving
            })
            .await;
        }
        s
    }

    /// As a crash; the data stay.
    pub(super) async fn kill(mut self) -> (Arc<tempfile::TempDir>, Moment) {
        drop(self.node.take());
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
        let _ = self.app.journal.close().await;
        (Arc::clone(&self.dir), self.now())
    }

    /// Again after [`Service::kill`].
    pub(super) async fn again(of: (Arc<tempfile::TempDir>, Moment), sink: bool) -> Self {
        Self::on(of.0, "node-a", None, of.1, sink).await
    }

    /// Hours, teams and settings, as `serve` sends them.
    async fn set_up(&mut self) {
        let release = &booted().snapshot.release;
        let config = Config::read(&|name| (name == "BORGERLINJE_HOME").then(|| "/".to_owned()));
        let config = config.unwrap();
        let municipalities = release.municipalities.iter();
        let teams = config.teams();
        let wanted = Wanted {
            settings: config.centre,
            municipalities: municipalities.map(|(c, m)| (*c, hours(m, false))).collect(),
            teams,
        };
        keep_set_up(self.app.centre.clone(), wanted).await;
    }

    /// Aarhus is open day and night.
    pub(super) async fn never_closes(&self) {
        let midnight = jiff::civil::Time::midnight();
        let day = vec![contact::Span::new(midnight, midnight).unwrap()];
        let hours = Box::new(Hours::new(std::array::from_fn(|_| day.clone())));
        let (code, fair_share_permille) = (id(AARHUS), None);
        self.ok(Command::SetMunicipality {
            code,
            hours,
            fair_share_permille,
        })
        .await;
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now().into()
    }

    /// Lets time pass; what is due is noticed by the node itself.
    pub(super) async fn pass(&self, minutes: u64) {
        for _ in 0..minutes {
            self.clock.advance(Duration::from_secs(60));
            self.ok(Command::Tick).await;
        }
    }

    #[track_caller]
    pub(super) fn ok(&self, command: Command) -> impl Future<Output = Vec<Effect>> {
        let at = std::panic::Location::caller();
        let centre = self.app.centre.clone();
        async move {
            match centre.send(command).await {
                Ok(effects) => effects,
                Err(e) => panic!("{e:?}, at {at}"),
            }
        }
    }

    pub(super) async fn until(&self, what: &str, mut is: impl AsyncFnMut() -> bool) {
        for _ in 0..4000 {
            if is().await {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("not so in time at {}: {what}", self.name);
    }

    /// An agent with all rights comes to the desk.
    pub(super) async fn agent(&self, name: &str) {
        let profile = profile(name, 3).into();
        self.ok(Command::SetAgent { profile }).await;
        let link = link(&self.name, &format!("desk-{name}"));
        let agent = id(name);
        self.ok(Command::AgentPresent { agent, link }).await;
    }

    /// The dialogue of the only citizen.
    pub(super) async fn only_dialogue(&self) -> String {
        let live = self.app.live.lock().await;
        assert_eq!(live.len(), 1);
        live.keys().next().unwrap().as_str().to_owned()
    }

    pub(super) async fn chat(&self, dialogue: &str) -> Option<Item> {
        let dialogue: DialogueId = dialogue.parse().unwrap();
        let found = self.app.centre.read(|c| c.chat_of(&dialogue).cloned());
        found.await.unwrap()
    }

    pub(super) async fn callback(&self, dialogue: &str) -> Option<Item> {
        let dialogue: DialogueId = dialogue.parse().unwrap();
        let found = self.app.centre.read(|c| c.callback_of(&dialogue).cloned());
        found.await.unwrap()
    }

    /// Whoever is offered the chat of a dialogue takes it: item, agent, epoch.
    pub(super) async fn accept(&self, dialogue: &str) -> (ItemId, AgentId, u64) {
        self.until("offered", async || {
            let item = self.chat(dialogue).await;
            matches!(item.map(|i| i.state), Some(ItemState::Offered { .. }))
        })
        .await;
        let item = self.chat(dialogue).await.unwrap();
        let ItemState::Offered { agent, offer, .. } = item.state else {
            panic!("the offer is over");
        };
        let (id, by) = (item.id, agent.clone());
        let accept = Command::Accept {
            item: id.clone(),
            agent,
            offer,
        };
        self.ok(accept).await;
        let epoch = self.chat(dialogue).await.unwrap().epoch;
        (id, by, epoch)
    }

    pub(super) async fn says(&self, of: &(ItemId, AgentId, u64), message: &str, text: &str) {
        let (item, agent, epoch) = of.clone();
        self.ok(Command::Message {
            item,
            message: id(message),
            from: Sender::Agent { agent, epoch },
            text: text.into(),
        })
        .await;
    }

    pub(super) async fn close(&self, of: &(ItemId, AgentId, u64)) {
        let (item, agent, epoch) = of.clone();
        let code = "svar".into();
        self.ok(Command::Close {
            item,
            agent,
            epoch,
            code,
        })
        .await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
