//! How fast the centre folds its log: 39 municipalities, 300 agents, 10,000 waiting.
//!
//! `cargo run --release -p contact --example centre -- [handovers]`
//!
//! Every handover is asked for, offered, accepted, written in twice, closed and wrapped up, while the queue
//! stays as long as it is. Time in the centre passes as if 300 inputs came each second.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a stopwatch that prints what it measured"
)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base::{DialogueId, Lang};
use contact::centre::*;
use contact::{Hours, Span};

const WAITING: u64 = 10_000;
const AGENTS: u64 = 300;
const INPUTS_PER_S: i64 = 300;
/// Monday 5 January 2026, 9 o'clock in Copenhagen.
const START: i64 = 1_767_600_000_000;

struct Run {
    centre: Centre,
    inputs: u64,
    took: Vec<Duration>,
    offers: VecDeque<(ItemId, AgentId, u64)>,
    seed: u64,
}

fn id<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(id) => id,
        Err(_) => panic!("not an id: {text}"),
    }
}

fn main() {
    let handovers = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let mut run = Run {
        centre: Centre::new(),
        inputs: 0,
        took: Vec::new(),
        offers: VecDeque::new(),
        seed: 1,
    };
    run.set_up();
    for n in 0..WAITING {
        run.ask(n);
    }
    run.report("filling the queue");
    let begun = run.inputs;
    for n in 0..handovers.unwrap_or(20_000_u64) {
        run.ask(WAITING + n);
        run.serve();
    }
    let (mean, steps) = run.report("steady, 10,000 waiting");
    println!(
        "{} inputs; at 300 a second {:.2} % of a core; {:.1} inputs a handover, so 300 handovers a second take {:.1} %",
        run.inputs - begun,
        mean * 300.0 * 100.0,
        steps as f64 / handovers.unwrap_or(20_000) as f64,
        mean * 300.0 * 100.0 * steps as f64 / handovers.unwrap_or(20_000) as f64,
    );
    let begun = Instant::now();
    let text = serde_json::to_vec(&run.centre).unwrap_or_default();
    let wrote = begun.elapsed();
    let begun = Instant::now();
    let back: Result<Centre, _> = serde_json::from_slice(&text);
    println!(
        "snapshot: {} MB as JSON, written in {wrote:?}, read in {:?}, {}",
        text.len() / 1_000_000,
        begun.elapsed(),
        if back.is_ok_and(|b| b == run.centre) {
            "equal"
        } else {
            "not equal"
        },
    );
    for (what, view) in [
        (
            "queue",
            (|c| c.queue(|_| true).len()) as fn(&Centre) -> usize,
        ),
        ("municipalities", |c| c.municipalities().len()),
        ("agents", |c| c.agents().len()),
        ("pickable", |c| c.pickable(&id("agent-1"), 20).len()),
    ] {
        let begun = Instant::now();
        let rows = view(&run.centre);
        println!("view {what}: {rows} rows in {:?}", begun.elapsed());
    }
}

impl Run {
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % below
    }

    fn step(&mut self, command: Command) {
        self.inputs += 1;
        let at = START + self.inputs as i64 * 1_000 / INPUTS_PER_S;
        let due = self.centre.next_deadline();
        if due.is_some_and(|d| d.as_millisecond() <= at) && command != Command::Tick {
            self.step(Command::Tick);
        }
        let input = Input {
            id: id(&format!("in-{}", self.inputs)),
            recovered: false,
            command,
            carried: None,
        };
        let at = Moment::from_ms(at).timestamp();
        let begun = Instant::now();
        let effects = self.centre.step(&input, at);
        self.took.push(begun.elapsed());
        for effect in effects {
            match effect {
                Effect::Offered { item, decision, .. } => {
                    self.offers
                        .push_back((item, decision.agent, decision.offer));
                }
                Effect::Refused { why, .. } => panic!("refused: {why}"),
                _ => {}
            }
        }
    }

    fn set_up(&mut self) {
        let settings = Settings {
            offer_timeout_ms: 600_000,
            max_wait_ms: 3_600_000,
            citizen_grace_ms: 86_400_000,
            ..Settings::default()
        };
        self.step(Command::Configure {
            settings: settings.into(),
        });
        let zero = jiff::civil::Time::midnight();
        let always = Span::new(zero, zero).into_iter().collect::<Vec<_>>();
        for n in 0..39 {
            self.step(Command::SetMunicipality {
                code: id(&format!("{:04}", 100 + n)),
                hours: Hours::new(std::array::from_fn(|_| always.clone())).into(),
                fair_share_permille: None,
            });
        }
        for n in 0..AGENTS {
            let agent = format!("agent-{n}");
            let codes: Vec<_> = (0..39).filter(|_| self.random(3) > 0).collect();
            let areas: Vec<_> = (0..60).filter(|_| self.random(3) > 0).collect();
            let profile = Profile {
                id: id(&agent),
                name: agent.clone(),
                team: None,
                skills: Skills {
                    municipalities: Allowed::only(
                        codes.iter().map(|n| id(&format!("{:04}", 100 + n))),
                    ),
                    areas: Allowed::only(areas.iter().map(|n| id(&format!("area-{n}")))),
                    languages: [Lang::Da, Lang::En].into(),
                    audiences: [Audience::Citizen].into(),
                },
                capacity: 3,
                supervisor: false,
            };
            self.step(Command::SetAgent {
                profile: profile.into(),
            });
            self.step(Command::AgentPresent {
                agent: id(&agent),
                link: Link {
                    node: id("node"),
                    connection: id(&agent),
                },
            });
        }
    }

    fn ask(&mut self, n: u64) {
        let (code, area) = (100 + self.random(39), self.random(60));
        let language = if self.random(10) == 0 {
            Lang::Uk
        } else {
            Lang::Da
        };
        let handover = Handover {
            item: id(&format!("item-{n}")),
            dialogue: DialogueId::random(),
            municipality: id(&format!("{code:04}")),
            area: Some(id(&format!("area-{area}"))),
            language,
            audience: Audience::Citizen,
            class: Class::Normal,
            brief: Brief {
                question: "Hvornår bliver der hentet storskrald hos mig, og hvad må jeg stille ud?"
                    .into(),
                ..Brief::default()
            },
        };
        self.step(Command::Request {
            handover: handover.into(),
            link: None,
            asked_at: Moment::default(),
        });
    }

    /// Whoever was offered something accepts, writes, closes and wraps up.
    fn serve(&mut self) {
        let Some((item, agent, offer)) = self.offers.pop_front() else {
            return;
        };
        self.step(Command::Accept {
            item: item.clone(),
            agent: agent.clone(),
            offer,
        });
        for n in 0..2 {
            let from = if n == 0 {
                Sender::Citizen
            } else {
                Sender::Agent {
                    agent: agent.clone(),
                    epoch: 1,
                }
            };
            self.step(Command::Message {
                item: item.clone(),
                message: id(&format!("m-{n}")),
                from,
                text: "Det gør vi på torsdag.".into(),
            });
        }
        self.step(Command::Close {
            item: item.clone(),
            agent: agent.clone(),
            epoch: 1,
            code: "svar".into(),
        });
        self.step(Command::WrapUpDone { item, agent });
    }

    /// Mean time of a step in seconds, and how many there were.
    fn report(&mut self, what: &str) -> (f64, usize) {
        let mut took = std::mem::take(&mut self.took);
        took.sort();
        let at = |p: usize| took[(took.len() * p / 1_000).min(took.len() - 1)];
        let sum: Duration = took.iter().sum();
        let mean = sum.as_secs_f64() / took.len() as f64;
        println!(
            "{what}: {} steps, mean {:.1} µs, p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
            took.len(),
            mean * 1e6,
            at(500),
            at(990),
            at(999),
            at(1_000),
        );
        (mean, took.len())
    }
}
