//! Any order of any inputs: the state is sound after each, and the history too.

use proptest::prelude::*;

use super::*;

/// A step of a random run. Small numbers name things, so that they meet.
#[derive(Clone, Debug)]
enum Op {
    Pass(u64),
    Jump(u64),
    Ask(u8, u8, u8),
    Callback(u8, u8),
    Convert(u8, u8),
    Cancel(u8),
    Leave(u8),
    Present(u8, u8),
    Absent(u8, u8),
    Node(u8),
    SignOut(u8),
    Pause(u8, bool),
    Mode(u8, bool),
    Profile(u8, u8, u8),
    Remove(u8),
    Accept(u8, Option<u8>),
    Decline(u8),
    Pick(u8, u8),
    Dial(u8, u8),
    Renew(u8),
    EndDial(u8, u8),
    Close(u8, i8),
    WrapUp(u8),
    Transfer(u8, u8, u8),
    Say(u8, u8, u8, bool),
    Watch(u8, u8, u8),
    Release(u8),
    Hours(u8, bool),
    Team(u8),
    Settings(u8),
    Citizen(u8, bool),
}

fn op() -> impl Strategy<Value = Op> {
    let item = 0_u8..8;
    let agent = 0_u8..4;
    prop_oneof![
        6 => prop_oneof![1_u64..3_000, 10_000_u64..70_000, 100_000_u64..4_000_000].prop_map(Op::Pass),
        1 => (1_u64..40_000_000).prop_map(Op::Jump),
        8 => (item.clone(), 0_u8..3, any::<u8>()).prop_map(|(i, m, k)| Op::Ask(i, m, k)),
        2 => (item.clone(), 0_u8..6).prop_map(|(i, s)| Op::Callback(i, s)),
        2 => (item.clone(), 0_u8..6).prop_map(|(i, s)| Op::Convert(i, s)),
        1 => item.clone().prop_map(Op::Cancel),
        1 => item.clone().prop_map(Op::Leave),
        6 => (agent.clone(), 0_u8..3).prop_map(|(a, n)| Op::Present(a, n)),
        2 => (agent.clone(), 0_u8..3).prop_map(|(a, n)| Op::Absent(a, n)),
        1 => (0_u8..3).prop_map(Op::Node),
        1 => agent.clone().prop_map(Op::SignOut),
        2 => (agent.clone(), any::<bool>()).prop_map(|(a, p)| Op::Pause(a, p)),
        1 => (agent.clone(), any::<bool>()).prop_map(|(a, p)| Op::Mode(a, p)),
        2 => (agent.clone(), any::<u8>(), 0_u8..4).prop_map(|(a, s, c)| Op::Profile(a, s, c)),
        1 => agent.clone().prop_map(Op::Remove),
        8 => (item.clone(), proptest::option::weighted(0.2, agent.clone())).prop_map(|(i, a)| Op::Accept(i, a)),
        2 => item.clone().prop_map(Op::Decline),
        3 => (item.clone(), agent.clone()).prop_map(|(i, a)| Op::Pick(i, a)),
        2 => (item.clone(), agent.clone()).prop_map(|(i, a)| Op::Dial(i, a)),
        1 => item.clone().prop_map(Op::Renew),
        2 => (item.clone(), 0_u8..4).prop_map(|(i, r)| Op::EndDial(i, r)),
        3 => (item.clone(), -1_i8..2).prop_map(|(i, e)| Op::Close(i, e)),
        1 => item.clone().prop_map(Op::WrapUp),
        3 => (item.clone(), 0_u8..6, any::<u8>()).prop_map(|(i, t, k)| Op::Transfer(i, t, k)),
        3 => (item.clone(), any::<u8>(), 0_u8..4, any::<bool>()).prop_map(|(i, m, f, r)| Op::Say(i, m, f, r)),
        1 => (item.clone(), agent, 0_u8..3).prop_map(|(i, a, l)| Op::Watch(i, a, l)),
        1 => item.clone().prop_map(Op::Release),
        1 => (0_u8..3, any::<bool>()).prop_map(|(m, o)| Op::Hours(m, o)),
        1 => any::<u8>().prop_map(Op::Team),
        1 => any::<u8>().prop_map(Op::Settings),
        2 => (item, any::<bool>()).prop_map(|(i, p)| Op::Citizen(i, p)),
    ]
}

const CODES: [&str; 3] = [AARHUS, BILLUND, HERNING];
const AREAS: [&str; 2] = ["pas", "skole"];

fn agent_id(n: u8) -> AgentId {
    id(&format!("a{n}"))
}

fn some_profile(n: u8, skills: u8, capacity: u8) -> Profile {
    let mut p = profile(&format!("a{n}"), capacity);
    let bit = |b: u8| skills >> b & 1 == 1;
    let codes = CODES.into_iter().zip(0..).filter(|(_, b)| bit(*b));
    if !bit(3) {
        p.skills.municipalities = Allowed::only(codes.map(|(c, _)| id(c)));
    }
    if bit(4) {
        p.skills.areas = Allowed::only([id("pas")]);
    }
    if bit(5) {
        p.skills.languages.insert(Lang::Uk);
    }
    p.team = bit(6).then(|| id("t0"));
    p.supervisor = bit(7);
    p
}

/// The numbers of items seen so far: a name that is settled is used again under another.
struct Run {
    bench: Bench,
    asked: [u32; 8],
}

impl Run {
    fn item(&self, n: u8) -> ItemId {
        id(&format!("i{n}-{}", self.asked[usize::from(n)]))
    }

    fn known(&self, n: u8) -> Option<&Item> {
        self.bench.centre.item(&self.item(n))
    }

    fn holder(&self, n: u8) -> AgentId {
        let holder = self.known(n).and_then(Item::holder).cloned();
        holder.unwrap_or_else(|| agent_id(0))
    }

    fn fresh(&mut self, n: u8) -> ItemId {
        if !self.known(n).is_some_and(Item::is_open) {
            self.asked[usize::from(n)] += 1;
        }
        self.item(n)
    }

    fn slot(&self, n: u8) -> Moment {
        let slots = self.bench.centre.callback_slots(id(AARHUS), None, 6);
        let slot = slots.get(usize::from(n));
        slot.map_or(self.bench.now, |s| s.from)
    }

    fn step(&mut self, op: &Op) {
        let epoch = |r: &Self, n| r.known(n).map_or(0, |i| i.epoch);
        let command = match *op {
            Op::Pass(ms) => {
                self.bench.pass(ms);
                return;
            }
            Op::Jump(ms) => {
                self.bench.now = self.bench.now.plus(ms);
                Command::Tick
            }
            Op::Ask(n, m, kind) => {
                let item = self.fresh(n);
                let mut h = handover(item.as_str(), CODES[usize::from(m)]);
                h.dialogue = dialogue(u64::from(n));
                h.area = (kind & 1 == 1).then(|| id(AREAS[usize::from(kind >> 1 & 1)]));
                h.language = if kind & 4 == 4 { Lang::Uk } else { Lang::Da };
                h.class = [Class::Normal, Class::High, Class::Urgent][usize::from(kind >> 3) % 3];
                Command::Request {
                    handover: h.into(),
                    link: (kind < 200).then(|| link("n0", &format!("c-{item}"))),
                    asked_at: self.bench.now,
                }
            }
            Op::Callback(n, s) => {
                let item = self.fresh(n);
                callback(item.as_str(), self.slot(s))
            }
            Op::Convert(n, s) => Command::ConvertToCallback {
                item: self.item(n),
                promise: wish(self.slot(s)),
            },
            Op::Cancel(n) => Command::CancelCallback { item: self.item(n) },
            Op::Leave(n) => Command::Leave { item: self.item(n) },
            Op::Present(a, n) => Command::AgentPresent {
                agent: agent_id(a),
                link: link(&format!("n{n}"), &format!("s{a}-{n}")),
            },
            Op::Absent(a, n) => Command::AgentAbsent {
                agent: agent_id(a),
                connection: id(&format!("s{a}-{n}")),
            },
            Op::Node(n) => Command::NodeLost {
                node: id(&format!("n{n}")),
            },
            Op::SignOut(a) => Command::SignOut { agent: agent_id(a) },
            Op::Pause(a, true) => Command::Pause {
                agent: agent_id(a),
                why: Pause::Break,
            },
            Op::Pause(a, false) => Command::Resume { agent: agent_id(a) },
            Op::Mode(a, push) => Command::SetMode {
                agent: agent_id(a),
                mode: if push { Mode::Push } else { Mode::Pick },
            },
            Op::Profile(a, skills, capacity) => Command::SetAgent {
                profile: some_profile(a, skills, capacity).into(),
            },
            Op::Remove(a) => Command::RemoveAgent { agent: agent_id(a) },
            Op::Accept(n, a) => Command::Accept {
                item: self.item(n),
                agent: a.map_or_else(|| self.holder(n), agent_id),
                offer: self.known(n).map_or(1, |i| i.offers),
            },
            Op::Decline(n) => Command::Decline {
                item: self.item(n),
                agent: self.holder(n),
                offer: self.known(n).map_or(1, |i| i.offers),
            },
            Op::Pick(n, a) => Command::Pick {
                item: self.item(n),
                agent: agent_id(a),
            },
            Op::Dial(n, a) => Command::Dial {
                item: self.item(n),
                agent: agent_id(a),
            },
            Op::Renew(n) => Command::RenewDial {
                item: self.item(n),
                agent: self.holder(n),
                epoch: epoch(self, n),
            },
            Op::EndDial(n, r) => Command::EndDial {
                item: self.item(n),
                agent: self.holder(n),
                epoch: epoch(self, n),
                result: [
                    DialResult::Reached,
                    DialResult::NoAnswer,
                    DialResult::Busy,
                    DialResult::WrongNumber,
                ][usize::from(r)],
            },
            Op::Close(n, off) => Command::Close {
                item: self.item(n),
                agent: self.holder(n),
                epoch: epoch(self, n).saturating_add_signed(i64::from(off)),
                code: "svar".into(),
            },
            Op::WrapUp(n) => Command::WrapUpDone {
                item: self.item(n),
                agent: agent_id(n % 4),
            },
            Op::Transfer(n, to, k) => Command::Transfer {
                item: self.item(n),
                agent: self.holder(n),
                epoch: epoch(self, n),
                to: match to {
                    0 => Target::Agent(agent_id(k % 4)),
                    1 => Target::Team(id("t0")),
                    2 => Target::Municipality(id(CODES[usize::from(k % 3)])),
                    3 => Target::Specialist(id(AREAS[usize::from(k % 2)])),
                    _ => Target::Bot,
                },
                note: None,
            },
            Op::Say(n, m, from, recovered) => {
                let from = match from {
                    0 => Sender::Citizen,
                    1 => Sender::Bot,
                    2 => Sender::Supervisor { agent: agent_id(0) },
                    _ => Sender::Agent {
                        agent: self.holder(n),
                        epoch: epoch(self, n),
                    },
                };
                let say = says(self.item(n).as_str(), &format!("m{m}"), from);
                if recovered {
                    self.bench.recovered(say);
                    return;
                }
                say
            }
            Op::Watch(n, a, level) => Command::Supervise {
                item: self.item(n),
                supervisor: agent_id(a),
                level: [Level::Monitor, Level::Coach, Level::BargeIn][usize::from(level)],
            },
            Op::Release(n) => Command::Release {
                item: self.item(n),
                supervisor: agent_id(0),
            },
            Op::Hours(m, open) => Command::SetMunicipality {
                code: id(CODES[usize::from(m)]),
                hours: Box::new(if open {
                    office()
                } else {
                    crate::Hours::default()
                }),
                fair_share_permille: None,
            },
            Op::Team(k) => {
                let mut team = crate::sim::team("t0", k % 3);
                if k & 4 == 4 {
                    team.areas = Allowed::only([id("pas")]);
                }
                if k & 8 == 8 {
                    team.hours = crate::Hours::default();
                }
                if k & 16 == 16 {
                    Command::RemoveTeam { team: id("t0") }
                } else {
                    Command::SetTeam { team: team.into() }
                }
            }
            Op::Settings(k) => {
                let mut settings = Settings {
                    wrap_up_ms: u64::from(k & 1) * MINUTE,
                    connection_grace_ms: u64::from(k >> 1 & 1) * 30 * SECOND,
                    citizen_grace_ms: u64::from(k >> 2 & 1) * 3 * MINUTE,
                    drain_ms: u64::from(k >> 3 & 1) * 30 * MINUTE,
                    steady_ms: u64::from(k >> 4 & 1) * 3 * SECOND,
                    max_wait_ms: u64::from(k >> 5 & 1) * 20 * MINUTE,
                    fallback_team: (k >> 6 & 1 == 1).then(|| id("t0")),
                    ..Settings::default()
                };
                if k >> 7 & 1 == 1 {
                    settings.relax.language_ms = None;
                    settings.relax.area_ms = Some(0);
                }
                Command::Configure {
                    settings: settings.into(),
                }
            }
            Op::Citizen(n, present) => {
                let item = self.item(n);
                let connection = id(&format!("c-{item}"));
                if present {
                    let link = link("n1", &format!("c-{item}"));
                    Command::CitizenPresent { item, link }
                } else {
                    Command::CitizenAbsent { item, connection }
                }
            }
        };
        self.bench.run(command);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("CONTACT_CASES").ok().and_then(|v| v.parse().ok()).unwrap_or(150),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_comes_the_state_and_the_history_are_sound(ops in prop::collection::vec(op(), 1..120)) {
        let mut run = Run { bench: bench(), asked: [0; 8] };
        for n in 0..4 {
            run.bench.run(Command::SetAgent { profile: some_profile(n, 8 + 16 * (n % 2), 1 + n % 2).into() });
        }
        for op in ops {
            let before = run.bench.centre.clone();
            let steps = run.bench.history.len();
            let now = run.bench.now;
            run.step(&op);
            prop_assert_eq!(run.bench.centre.faults(), Vec::<String>::new());
            // A refused input does what a tick does, and no more.
            if let [record] = &run.bench.history[steps..]
                && record.effects.iter().any(|e| matches!(e, Effect::Refused { .. }))
            {
                let mut ticked = before;
                let tick = Input { id: id("tick"), recovered: false, command: Command::Tick, carried: None };
                ticked.step(&tick, record.at.max(now).timestamp());
                prop_assert_eq!(&ticked, &run.bench.centre);
            }
        }
        prop_assert_eq!(violations(&run.bench.history), Vec::<String>::new());
        let text = serde_json::to_string(&run.bench.centre).unwrap();
        let back: Centre = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.faults(), Vec::<String>::new());
        prop_assert_eq!(back, run.bench.centre);
    }
}
