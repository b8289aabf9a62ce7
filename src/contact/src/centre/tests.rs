//! Shared words for the tests of the centre.

mod callbacks;
mod hours;
mod props;
mod recovery;
mod routing;
mod scenarios;
mod scenarios_from_13;
mod supervision;

use base::{DialogueId, Lang};
use jiff::civil::DateTime;

use super::*;
use crate::sim::{Bench, id, link, office, profile, violations};
use crate::{Phone, copenhagen};

const AARHUS: &str = "0751";
const BILLUND: &str = "0530";
const HERNING: &str = "0657";
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn local(text: &str) -> Moment {
    let at: DateTime = text.parse().unwrap();
    at.to_zoned(copenhagen().clone())
        .unwrap()
        .timestamp()
        .into()
}

/// Three municipalities, open from 8 to 20, on a Monday at nine.
fn bench() -> Bench {
    bench_with(Settings::default())
}

fn bench_with(settings: Settings) -> Bench {
    let mut b = Bench::at(local("2026-03-02T09:00"));
    b.ok(Command::Configure {
        settings: settings.into(),
    });
    for code in [AARHUS, BILLUND, HERNING] {
        b.ok(Command::SetMunicipality {
            code: id(code),
            hours: office().into(),
            fair_share_permille: None,
        });
    }
    b
}

fn dialogue(n: u64) -> DialogueId {
    let digits = format!("{n:016}").replace('0', "a").replace('1', "b");
    id(&digits)
}

fn handover(item: &str, code: &str) -> Handover {
    let n = item
        .bytes()
        .fold(0, |n: u64, b| (n * 257 + u64::from(b)) % 10_000_000_000_000);
    Handover {
        item: id(item),
        dialogue: dialogue(n),
        municipality: id(code),
        area: None,
        language: Lang::Da,
        audience: Audience::Citizen,
        class: Class::Normal,
        brief: Brief {
            question: "Hvornår henter I affald?".into(),
            ..Brief::default()
        },
    }
}

impl Bench {
    /// An input that must be allowed.
    #[track_caller]
    fn ok(&mut self, command: Command) -> Vec<Effect> {
        let effects = self.run(command);
        let refused = |e: &&Effect| matches!(e, Effect::Refused { .. });
        assert_eq!(effects.iter().find(refused), None);
        self.is_sound();
        effects
    }

    /// An input that must be refused, and must change nothing.
    #[track_caller]
    fn no(&mut self, command: Command) -> Refusal {
        let mut other = self.clone();
        let effects = self.run(command);
        let refused = |e: &Effect| match e {
            Effect::Refused { why, .. } => Some(why.clone()),
            _ => None,
        };
        let why = effects.iter().find_map(refused).expect("refused");
        other.run(Command::Tick);
        assert_eq!(self.centre, other.centre);
        why
    }

    #[track_caller]
    fn is_sound(&self) {
        assert_eq!(self.centre.faults(), Vec::<String>::new());
        assert_eq!(violations(&self.history), Vec::<String>::new());
    }

    #[track_caller]
    fn wait(&mut self, ms: u64) -> Vec<Effect> {
        let effects = self.pass(ms);
        self.is_sound();
        effects
    }

    /// An agent with all skills, who signs in.
    fn agent(&mut self, name: &str, capacity: u8) {
        self.hire(profile(name, capacity));
    }

    fn hire(&mut self, profile: Profile) {
        let name = profile.id.to_string();
        self.ok(Command::SetAgent {
            profile: profile.into(),
        });
        let effects = self.arrive(&name);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Refused { .. })));
        self.is_sound();
    }

    #[track_caller]
    fn ask(&mut self, item: &str, code: &str) -> Vec<Effect> {
        self.ask_for(handover(item, code))
    }

    #[track_caller]
    fn ask_for(&mut self, handover: Handover) -> Vec<Effect> {
        let link = link("node-c", &format!("c-{}", handover.item));
        self.ok(Command::Request {
            handover: handover.into(),
            link: Some(link),
            asked_at: self.now,
        })
    }

    fn offer_of(&self, item: &str) -> Option<(String, u64)> {
        match &self.item(item).state {
            ItemState::Offered { agent, offer, .. } => Some((agent.to_string(), *offer)),
            _ => None,
        }
    }

    /// Whoever has the offer accepts.
    #[track_caller]
    fn accept(&mut self, item: &str) -> u64 {
        let (agent, offer) = self.offer_of(item).expect("offered");
        self.ok(Command::Accept {
            item: id(item),
            agent: id(&agent),
            offer,
        });
        self.item(item).epoch
    }

    #[track_caller]
    fn decline(&mut self, item: &str) -> Vec<Effect> {
        let (agent, offer) = self.offer_of(item).expect("offered");
        self.ok(Command::Decline {
            item: id(item),
            agent: id(&agent),
            offer,
        })
    }

    #[track_caller]
    fn close(&mut self, item: &str) -> Vec<Effect> {
        let i = self.item(item);
        let (agent, epoch) = (i.owner().expect("owned").clone(), i.epoch);
        self.ok(Command::Close {
            item: id(item),
            agent,
            epoch,
            code: "svar".into(),
        })
    }

    #[track_caller]
    fn transfer(&mut self, item: &str, to: Target) -> Vec<Effect> {
        let i = self.item(item);
        let (agent, epoch) = (i.owner().expect("owned").clone(), i.epoch);
        self.ok(Command::Transfer {
            item: id(item),
            agent,
            epoch,
            to,
            note: None,
        })
    }

    #[track_caller]
    fn item(&self, item: &str) -> &Item {
        self.centre.item(&id(item)).expect("known")
    }

    fn offered_to(&self, item: &str) -> Option<String> {
        self.offer_of(item).map(|(agent, _)| agent)
    }

    fn waits(&self, item: &str) -> bool {
        self.item(item).state == ItemState::Waiting { held: false }
    }

    fn owner(&self, item: &str) -> Option<String> {
        self.item(item).owner().map(ToString::to_string)
    }

    fn drop_line(&mut self, agent: &str) -> Vec<Effect> {
        self.ok(Command::AgentAbsent {
            agent: id(agent),
            connection: id(&format!("socket-{agent}")),
        })
    }

    fn sign_out(&mut self, agent: &str) -> Vec<Effect> {
        self.ok(Command::SignOut { agent: id(agent) })
    }
}

fn says(item: &str, message: &str, from: Sender) -> Command {
    Command::Message {
        item: id(item),
        message: id(message),
        from,
        text: "hej".into(),
    }
}

fn by(agent: &str, epoch: u64) -> Sender {
    Sender::Agent {
        agent: id(agent),
        epoch,
    }
}

fn wish(from: Moment) -> CallbackRequest {
    CallbackRequest {
        reference: id("B-7K3QF"),
        phone: id::<Phone>("20304050"),
        topic: None,
        from,
    }
}

fn callback(item: &str, from: Moment) -> Command {
    let h = handover(item, AARHUS);
    Command::RequestCallback {
        item: h.item,
        dialogue: h.dialogue,
        municipality: h.municipality,
        area: None,
        language: Lang::Da,
        audience: Audience::Citizen,
        class: Class::Normal,
        promise: wish(from),
    }
}
