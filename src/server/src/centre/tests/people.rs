//! Words for the people of the centre: what agents and citizens do, and how that is asked for.

use base::Lang;
use contact::centre::*;
use contact::sim::{id, link, profile};

use super::bench::Bench;
use crate::centre::Error;

impl Bench {
    /// A command that must be allowed.
    #[track_caller]
    pub(super) fn ok(&self, n: usize, command: Command) -> impl Future<Output = Vec<Effect>> {
        let at = std::panic::Location::caller();
        let node = self.on(n);
        async move {
            match node.send(command).await {
                Ok(effects) => effects,
                Err(e) => panic!("{e:?}, at {at}"),
            }
        }
    }

    /// A command that must be refused.
    #[track_caller]
    pub(super) fn no(&self, n: usize, command: Command) -> impl Future<Output = Refusal> {
        let at = std::panic::Location::caller();
        let node = self.on(n);
        async move {
            match node.send(command).await {
                Err(Error::Refused(why)) => why,
                other => panic!("{other:?}, at {at}"),
            }
        }
    }

    pub(super) async fn configure(&self, settings: Settings) {
        let settings = settings.into();
        self.ok(0, Command::Configure { settings }).await;
    }

    /// An agent with all skills, who signs in at a node.
    pub(super) async fn agent(&self, n: usize, name: &str, capacity: u8) {
        self.hire(n, profile(name, capacity)).await;
    }

    pub(super) async fn hire(&self, n: usize, profile: Profile) {
        let name = profile.id.to_string();
        let profile = profile.into();
        self.ok(n, Command::SetAgent { profile }).await;
        self.arrive(n, &name).await;
    }

    pub(super) async fn arrive(&self, n: usize, agent: &str) {
        let node = self.on(n).0.options.node.clone();
        let link = link(node.as_str(), &format!("socket-{agent}"));
        let agent = id(agent);
        self.ok(n, Command::AgentPresent { agent, link }).await;
    }

    pub(super) async fn drop_line(&self, agent: &str) {
        let connection = id(&format!("socket-{agent}"));
        let agent = id(agent);
        self.ok(0, Command::AgentAbsent { agent, connection }).await;
    }

    pub(super) async fn ask(&self, n: usize, item: &str, code: &str) -> Vec<Effect> {
        self.ok(n, self.request(handover(item, code))).await
    }

    pub(super) fn request(&self, handover: Handover) -> Command {
        Command::Request {
            link: Some(link("citizens", &format!("c-{}", handover.item))),
            handover: handover.into(),
            asked_at: self.now(),
        }
    }

    pub(super) async fn item(&self, item: &str) -> Item {
        self.sync().await;
        let found = self.on(0).read(|c| c.item(&id(item)).cloned()).await;
        found.unwrap().expect("known")
    }

    pub(super) async fn offered(&self, item: &str) -> Option<(String, u64)> {
        match self.item(item).await.state {
            ItemState::Offered { agent, offer, .. } => Some((agent.to_string(), offer)),
            _ => None,
        }
    }

    pub(super) async fn offered_to(&self, item: &str) -> Option<String> {
        self.offered(item).await.map(|(agent, _)| agent)
    }

    pub(super) async fn owner(&self, item: &str) -> Option<String> {
        self.item(item).await.owner().map(ToString::to_string)
    }

    pub(super) async fn waits(&self, item: &str) -> bool {
        self.item(item).await.state == ItemState::Waiting { held: false }
    }

    /// Whoever has the offer accepts, at a node; the epoch.
    pub(super) async fn accept(&self, n: usize, item: &str) -> u64 {
        let (agent, offer) = self.offered(item).await.expect("offered");
        self.ok(n, accepts(item, &agent, offer)).await;
        self.item(item).await.epoch
    }

    pub(super) async fn close(&self, n: usize, item: &str) {
        let found = self.item(item).await;
        let agent = found.owner().expect("owned").clone();
        let (item, epoch, code) = (id(item), found.epoch, "svar".into());
        self.ok(
            n,
            Command::Close {
                item,
                agent,
                epoch,
                code,
            },
        )
        .await;
    }

    /// Sends a message; notes it when it is acknowledged.
    pub(super) async fn say(
        &self,
        n: usize,
        item: &str,
        message: &str,
        from: Sender,
    ) -> Result<(), Error> {
        self.on(n).send(says(item, message, from)).await?;
        self.acked.lock().await.insert((id(item), id(message)));
        Ok(())
    }
}

pub(super) fn handover(item: &str, code: &str) -> Handover {
    let n = item
        .bytes()
        .fold(0, |n: u64, b| (n * 257 + u64::from(b)) % 10_000_000_000_000);
    let digits = format!("{n:016}").replace('0', "a").replace('1', "b");
    Handover {
        item: id(item),
        dialogue: id(&digits),
        municipality: id(code),
        area: None,
        language: Lang::Da,
        audience: Audience::Citizen,
        class: Class::Normal,
        brief: Brief::default(),
    }
}

pub(super) fn says(item: &str, message: &str, from: Sender) -> Command {
    Command::Message {
        item: id(item),
        message: id(message),
        from,
        text: "hej".into(),
    }
}

pub(super) fn by(agent: &str, epoch: u64) -> Sender {
    let agent = id(agent);
    Sender::Agent { agent, epoch }
}

pub(super) fn accepts(item: &str, agent: &str, offer: u64) -> Command {
    let (item, agent) = (id(item), id(agent));
    Command::Accept { item, agent, offer }
}

pub(super) fn declines(item: &str, agent: &str, offer: u64) -> Command {
    let (item, agent) = (id(item), id(agent));
    Command::Decline { item, agent, offer }
}

pub(super) fn picks(item: &str, agent: &str) -> Command {
    let (item, agent) = (id(item), id(agent));
    Command::Pick { item, agent }
}

pub(super) fn wish(from: Moment) -> CallbackRequest {
    CallbackRequest {
        reference: id("B-7K3QF"),
        phone: id::<contact::Phone>("20304050"),
        topic: None,
        from,
    }
}
