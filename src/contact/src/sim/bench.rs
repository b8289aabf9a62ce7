//! A centre with a clock and a history, and short words for setting one up.

use jiff::civil::time;
use serde::{Deserialize, Serialize};

use crate::centre::{
    AgentId, Allowed, Audience, Centre, Command, ConnectionId, Effect, Input, Link, Moment, NodeId,
    Profile, Skills, Staffing, Team,
};
use crate::{Hours, Span};

/// One step as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub at: Moment,
    pub input: Input,
    pub effects: Vec<Effect>,
}

/// A centre under test.
#[derive(Clone, Debug)]
pub struct Bench {
    pub centre: Centre,
    pub now: Moment,
    pub history: Vec<Record>,
    inputs: u64,
}

impl Bench {
    pub fn at(now: Moment) -> Self {
        Self {
            centre: Centre::new(),
            now,
            history: Vec::new(),
            inputs: 0,
        }
    }

    /// Folds an input at the present instant.
    pub fn run(&mut self, command: Command) -> Vec<Effect> {
        self.input(command, false)
    }

    /// The same for one that a node appends again.
    pub fn recovered(&mut self, command: Command) -> Vec<Effect> {
        self.input(command, true)
    }

    fn input(&mut self, command: Command, recovered: bool) -> Vec<Effect> {
        self.inputs += 1;
        let input = Input {
            id: id(&format!("in-{}", self.inputs)),
            recovered,
            command,
            carried: None,
        };
        let effects = self.centre.step(&input, self.now.timestamp());
        self.history.push(Record {
            at: self.now,
            input,
            effects: effects.clone(),
        });
        effects
    }

    /// Lets time pass, with a tick at each deadline.
    pub fn pass(&mut self, ms: u64) -> Vec<Effect> {
        let end = self.now.plus(ms);
        let mut effects = Vec::new();
        while let Some(due) = self.centre.next_deadline().map(Moment::from) {
            if due > end {
                break;
            }
            self.now = due;
            effects.extend(self.run(Command::Tick));
        }
        self.now = end;
        effects
    }

    /// An agent signs in, on a node of the agent's own.
    pub fn arrive(&mut self, agent: &str) -> Vec<Effect> {
        let link = link(&format!("node-{agent}"), &format!("socket-{agent}"));
        self.run(Command::AgentPresent {
            agent: id(agent),
            link,
        })
    }
}

/// An id of any kind.
///
/// # Panics
/// When the text is not an id.
pub fn id<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(id) => id,
        Err(_) => panic!("not an id: {text}"),
    }
}

pub fn link(node: &str, connection: &str) -> Link {
    Link {
        node: id::<NodeId>(node),
        connection: id::<ConnectionId>(connection),
    }
}

/// Monday to Friday, 8 to 20.
pub fn office() -> Hours {
    let span = Span::new(time(8, 0, 0, 0), time(20, 0, 0, 0));
    let day: Vec<Span> = span.into_iter().collect();
    let mut week: [Vec<Span>; 7] = Default::default();
    week[..5].fill(day);
    Hours::new(week)
}

/// An agent with all rights and skills, in Danish, for citizens.
pub fn profile(agent: &str, capacity: u8) -> Profile {
    Profile {
        id: id::<AgentId>(agent),
        name: agent.to_uppercase(),
        team: None,
        skills: Skills {
            municipalities: Allowed::All,
            areas: Allowed::All,
            languages: [base::Lang::Da].into(),
            audiences: [Audience::Citizen].into(),
        },
        capacity,
        supervisor: false,
    }
}

/// A team for everything, in office hours, with so many planned at all hours.
pub fn team(name: &str, planned: u8) -> Team {
    Team {
        id: id(name),
        name: name.to_owned(),
        municipalities: Allowed::All,
        areas: Allowed::All,
        hours: office(),
        staffing: Staffing([[planned; 24]; 7]),
    }
}
