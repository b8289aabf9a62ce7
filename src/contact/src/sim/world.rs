//! The simulated world: who is there, what is about to happen, and how the centre hears of it.

use std::collections::BTreeMap;

use base::{Lang, MunicipalityCode};

use super::bench::{Bench, id, link, office, profile, team};
use super::rng::Rng;
use crate::centre::{
    AgentId, Allowed, Audience, Band, Centre, Command, ConnectionId, Fault, ItemId, Mode, Moment,
    NodeId, Settings,
};

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Monday 5 January 2026, midnight UTC.
const MONDAY: Moment = Moment::from_ms(1_767_571_200_000);
const AREAS: [&str; 6] = ["pas", "skole", "affald", "pension", "bolig", "flytning"];

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub days: u64,
    pub agents: u64,
    /// Handovers an hour at the busiest time of the week.
    pub per_hour: u64,
    /// Lines drop, nodes die, clocks jump, agents ignore.
    pub trouble: bool,
    pub fault: Option<Fault>,
}

impl Plan {
    /// Twelve agents with enough to do, and all the trouble there is.
    pub fn new(seed: u64, days: u64) -> Self {
        Self {
            seed,
            days,
            agents: 12,
            per_hour: 40,
            trouble: true,
            fault: None,
        }
    }
}

/// What was foretold to a citizen and what came true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    pub band: Band,
    pub wait_ms: u64,
}

/// Something that is about to happen.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Arrival,
    /// Patience is over.
    GiveUp(ItemId),
    CitizenDrops(ItemId),
    CitizenBack(ItemId),
    ShiftBegins(usize),
    ShiftEnds(usize),
    LineDrops(usize),
    LineBack(usize),
    NodeDies(u64),
    /// The agent looks at the list and takes something, perhaps from a list of a while ago.
    Looks(usize, Option<ItemId>),
    /// What an agent does of what it believes.
    Acts(Box<Command>),
    Talks(ItemId, AgentId, u64),
    Ends(ItemId, AgentId, u64),
    HangsUp(ItemId, AgentId, u64),
    Resumes(AgentId),
    ClockJumps,
    Meddles,
}

pub(super) struct SimAgent {
    pub id: AgentId,
    pub on_shift: bool,
    pub connected: bool,
    pub picks: bool,
    /// Counts connections, so that each has an id of its own.
    pub sockets: u64,
    pub node: u64,
}

/// A running simulation.
pub struct Sim {
    pub bench: Bench,
    /// What was foretold and came true, in order.
    pub promised: Vec<Promised>,
    pub(super) plan: Plan,
    pub(super) rng: Rng,
    events: BTreeMap<(Moment, u64), Event>,
    scheduled: u64,
    pub(super) agents: Vec<SimAgent>,
    pub(super) municipalities: Vec<MunicipalityCode>,
    /// Chats not known to be over, with the wait that was foretold.
    pub(super) chats: BTreeMap<ItemId, (Moment, Option<Band>)>,
    pub(super) messages: u64,
    end: Moment,
}

impl Sim {
    pub fn new(plan: Plan) -> Self {
        let mut sim = Self {
            bench: Bench::at(MONDAY),
            promised: Vec::new(),
            rng: Rng::new(plan.seed),
            events: BTreeMap::new(),
            scheduled: 0,
            agents: Vec::new(),
            municipalities: ["0101", "0147", "0530", "0561", "0615", "0751"]
                .map(id)
                .to_vec(),
            chats: BTreeMap::new(),
            messages: 0,
            end: MONDAY.plus(plan.days * DAY),
            plan,
        };
        sim.set_up();
        sim
    }

    fn set_up(&mut self) {
        let mut settings = Settings {
            fallback_team: Some(id("alle")),
            ..Settings::default()
        };
        settings.limits.recent_messages = 256;
        settings.keep_closed = 300;
        self.bench.run(Command::Configure {
            settings: settings.into(),
        });
        for code in self.municipalities.clone() {
            let closed = [(6, 5), (12, 24), (12, 31)];
            self.bench.run(Command::SetMunicipality {
                code,
                hours: office().closed_yearly(closed).into(),
                fair_share_permille: Some(50),
            });
        }
        for (name, areas) in [
            ("alle", Allowed::All),
            (
                "borger",
                Allowed::only(["pas", "flytning", "affald"].map(id)),
            ),
            ("familie", Allowed::only(["skole", "pension"].map(id))),
        ] {
            let mut team = team(name, 2);
            team.areas = areas;
            self.bench.run(Command::SetTeam { team: team.into() });
        }
        for n in 0..self.plan.agents {
            self.hire(n);
        }
        for day in 0..self.plan.days {
            let midnight = MONDAY.plus(day * DAY);
            for n in 0..self.agents.len() {
                let late = 6 * HOUR + self.rng.between(0, 4 * HOUR);
                self.schedule_at(midnight.plus(late), Event::ShiftBegins(n));
                let long = late + 6 * HOUR + self.rng.between(0, 4 * HOUR);
                self.schedule_at(midnight.plus(long), Event::ShiftEnds(n));
            }
            if self.plan.trouble {
                for (event, times) in [(Event::ClockJumps, 1), (Event::Meddles, 60)] {
                    for _ in 0..times {
                        let at = 6 * HOUR + self.rng.between(0, 14 * HOUR);
                        self.schedule_at(midnight.plus(at), event.clone());
                    }
                }
                let at = self.rng.between(7 * HOUR, 19 * HOUR);
                let node = self.rng.between(0, 3);
                self.schedule_at(midnight.plus(at), Event::NodeDies(node));
            }
        }
        self.schedule_at(MONDAY.plus(HOUR), Event::Arrival);
        if let Some(fault) = self.plan.fault {
            self.bench.centre.break_with(fault);
        }
    }

    fn hire(&mut self, n: u64) {
        let name = format!("agent-{n:02}");
        let mut p = profile(&name, 1 + (n % 3) as u8);
        p.team = Some(id(["alle", "borger", "familie"][(n % 3) as usize]));
        // The first three may do everything, so that no municipality is without.
        if n >= 3 {
            let some = self.municipalities.clone();
            let kept = some.into_iter().filter(|_| self.rng.permille(600));
            p.skills.municipalities = Allowed::only(kept);
            let areas = AREAS.into_iter().filter(|_| self.rng.permille(600));
            p.skills.areas = Allowed::only(areas.map(id));
        }
        for lang in [Lang::En, Lang::Uk] {
            if self.rng.permille(400) {
                p.skills.languages.insert(lang);
            }
        }
        if self.rng.permille(500) {
            p.skills.audiences.insert(Audience::Employee);
        }
        p.supervisor = n == 0;
        let picks = n % 4 == 3;
        let agent = p.id.clone();
        self.bench.run(Command::SetAgent { profile: p.into() });
        if picks {
            let (agent, mode) = (agent.clone(), Mode::Pick);
            self.bench.run(Command::SetMode { agent, mode });
        }
        self.agents.push(SimAgent {
            id: agent,
            on_shift: false,
            connected: false,
            picks,
            sockets: 0,
            node: 0,
        });
    }

    fn schedule_at(&mut self, at: Moment, event: Event) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }

    pub(super) fn schedule(&mut self, in_ms: u64, event: Event) {
        self.schedule_at(self.bench.now.plus(in_ms), event);
    }

    /// Runs to the end; `watch` sees the centre after every step.
    pub fn run(&mut self, mut watch: impl FnMut(&mut Centre)) {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let tick = self.bench.centre.next_deadline().map(Moment::from);
            // Whoever notices a deadline is sometimes late.
            let late = if self.plan.trouble && self.rng.permille(100) {
                self.rng.between(0, 3 * SECOND)
            } else {
                0
            };
            let tick = tick
                .map(|t| t.plus(late))
                .filter(|t| event.is_none_or(|e| *t < e));
            let Some(at) = tick.or(event) else { break };
            if at > self.end {
                break;
            }
            self.bench.now = self.bench.now.max(at);
            if tick.is_some() {
                self.run_command(Command::Tick);
            } else if let Some((_, event)) = self.events.pop_first() {
                self.happen(event);
            }
            watch(&mut self.bench.centre);
        }
    }

    /// An input, and what people do about its effects.
    pub(super) fn run_command(&mut self, command: Command) {
        let asked = match &command {
            Command::Request { handover, .. } => Some(handover.clone()),
            _ => None,
        };
        for effect in self.bench.run(command) {
            self.react(asked.as_deref(), effect);
        }
    }

    pub(super) fn connect(&mut self, n: usize) {
        let node = self.rng.between(0, 3);
        let Some(a) = self.agents.get_mut(n) else {
            return;
        };
        a.sockets += 1;
        a.node = node;
        a.connected = true;
        let link = link(&format!("node-{node}"), &format!("{}-{}", a.id, a.sockets));
        let agent = a.id.clone();
        self.run_command(Command::AgentPresent { agent, link });
    }

    /// The agent's present connection.
    pub(super) fn socket(&self, n: usize) -> ConnectionId {
        let a = &self.agents[n];
        id(&format!("{}-{}", a.id, a.sockets))
    }

    pub(super) fn node(n: u64) -> NodeId {
        id(&format!("node-{n}"))
    }

    pub(super) fn an_area(&mut self) -> &'static str {
        self.rng.one(&AREAS).copied().unwrap_or("pas")
    }

    /// Handovers an hour now, by the hour of the week: a morning and an afternoon peak, quiet evenings, a
    /// trickle when closed.
    pub(super) fn rate(&self) -> u64 {
        let ms = self.bench.now.since(MONDAY);
        let (day, hour) = (ms / DAY % 7, ms / HOUR % 24);
        let share = match (day, hour) {
            (5 | 6, _) | (_, 0..=6 | 19..) => 2,
            (0, 8..=10) => 100,
            (_, 8..=10) => 85,
            (_, 11..=12) => 55,
            (_, 13..=14) => 75,
            _ => 35,
        };
        (self.plan.per_hour * share / 100).max(1)
    }
}
