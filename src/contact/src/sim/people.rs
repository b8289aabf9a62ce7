//! How simulated citizens and agents behave.

use base::{DialogueId, Lang};

use super::bench::{id, link};
use super::world::{Event, HOUR, MINUTE, Promised, SECOND, Sim};
use crate::centre::{
    AgentId, Audience, Brief, CallbackRequest, Class, Command, DialResult, Effect, Handover,
    ItemId, ItemState, Level, Pause, Refusal, Sender, Target,
};
use crate::{Phone, Reference};

impl Sim {
    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival => {
                self.ask();
                let gap = self.gap();
                self.schedule(gap, Event::Arrival);
            }
            Event::GiveUp(item) => {
                let waits = self.bench.centre.item(&item).is_some_and(|i| {
                    matches!(
                        i.state,
                        ItemState::Waiting { .. } | ItemState::Offered { .. }
                    )
                });
                if waits {
                    self.run_command(Command::Leave { item });
                }
            }
            Event::CitizenDrops(item) => {
                let connection = id(&format!("c-{item}"));
                let back = self.rng.between(SECOND, 5 * MINUTE);
                self.schedule(back, Event::CitizenBack(item.clone()));
                self.run_command(Command::CitizenAbsent { item, connection });
            }
            Event::CitizenBack(item) => {
                let link = link("node-0", &format!("c-{item}"));
                self.run_command(Command::CitizenPresent { item, link });
            }
            Event::ShiftBegins(n) => {
                self.agents[n].on_shift = true;
                self.connect(n);
                if self.agents[n].picks {
                    self.schedule(MINUTE, Event::Looks(n, None));
                }
                self.next_drop(n);
            }
            Event::ShiftEnds(n) => {
                let a = &mut self.agents[n];
                (a.on_shift, a.connected) = (false, false);
                let agent = a.id.clone();
                self.run_command(Command::SignOut { agent });
            }
            Event::LineDrops(n) if self.agents[n].connected => {
                self.agents[n].connected = false;
                let (agent, connection) = (self.agents[n].id.clone(), self.socket(n));
                let long = if self.rng.permille(700) {
                    8 * SECOND
                } else {
                    2 * MINUTE
                };
                let back = self.rng.between(500, long);
                self.schedule(back, Event::LineBack(n));
                self.run_command(Command::AgentAbsent { agent, connection });
            }
            Event::LineBack(n) if self.agents[n].on_shift => {
                self.connect(n);
                self.next_drop(n);
            }
            Event::LineDrops(_) | Event::LineBack(_) => {}
            Event::NodeDies(node) => {
                for n in 0..self.agents.len() {
                    if self.agents[n].connected && self.agents[n].node == node {
                        self.agents[n].connected = false;
                        let back = self.rng.between(SECOND, MINUTE);
                        self.schedule(back, Event::LineBack(n));
                    }
                }
                self.run_command(Command::NodeLost {
                    node: Self::node(node),
                });
                self.schedule(
                    5 * SECOND,
                    Event::Acts(Box::new(Command::NodeStarted {
                        node: Self::node(node),
                    })),
                );
            }
            Event::Looks(n, item) => self.look(n, item),
            Event::Acts(command) => self.run_command(*command),
            Event::Talks(item, agent, epoch) => self.talk(&item, &agent, epoch),
            Event::Ends(item, agent, epoch) => self.end(item, agent, epoch),
            Event::HangsUp(item, agent, epoch) => {
                let result = match self.rng.between(0, 10) {
                    0..=5 => DialResult::Reached,
                    6..=7 => DialResult::NoAnswer,
                    8 => DialResult::Busy,
                    _ => DialResult::WrongNumber,
                };
                self.run_command(Command::EndDial {
                    item,
                    agent,
                    epoch,
                    result,
                });
            }
            Event::Resumes(agent) => self.run_command(Command::Resume { agent }),
            Event::ClockJumps => {
                let jump = self.rng.between(MINUTE, 20 * MINUTE);
                self.bench.now = self.bench.now.plus(jump);
                self.run_command(Command::Tick);
            }
            Event::Meddles => self.meddle(),
        }
    }

    /// Milliseconds to the next arrival: every five seconds has the same small chance.
    fn gap(&mut self) -> u64 {
        let rate = self.rate();
        let mut gap = self.rng.between(1, 5 * SECOND);
        while gap < HOUR && !self.rng.permille((rate * 1_000).div_ceil(720)) {
            gap += 5 * SECOND;
        }
        gap
    }

    fn next_drop(&mut self, n: usize) {
        if self.plan.trouble {
            let steady = if n % 5 == 4 { 10 * MINUTE } else { 6 * HOUR };
            let drop = self.rng.between(SECOND, steady);
            self.schedule(drop, Event::LineDrops(n));
        }
    }

    fn ask(&mut self) {
        let dialogue: DialogueId = id(&self.rng.letters(16));
        let item: ItemId = id(&format!("i-{}", self.rng.letters(10)));
        let at = if self.rng.permille(400) {
            0
        } else {
            self.rng.between(0, 6)
        };
        let language = match self.rng.between(0, 10) {
            0 => Lang::Uk,
            1 => Lang::En,
            _ => Lang::Da,
        };
        let class = match self.rng.between(0, 20) {
            0 => Class::Urgent,
            1 | 2 => Class::High,
            _ => Class::Normal,
        };
        let area = self.an_area();
        let handover = Handover {
            item: item.clone(),
            dialogue,
            municipality: self.municipalities[at as usize],
            area: (at != 3).then(|| id(area)),
            language,
            audience: if at == 4 {
                Audience::Employee
            } else {
                Audience::Citizen
            },
            class,
            brief: Brief::default(),
        };
        let link = link(&format!("node-{}", at % 3), &format!("c-{item}"));
        let asked_at = self.bench.now;
        let command = Command::Request {
            handover: handover.into(),
            link: Some(link),
            asked_at,
        };
        self.run_command(command);
    }

    /// What people do about what they are told.
    pub(super) fn react(&mut self, asked: Option<&Handover>, effect: Effect) {
        match effect {
            Effect::Requested { item, place, .. } => {
                self.chats.insert(item.clone(), (place, None));
                let patience =
                    MINUTE + self.rng.between(0, 30 * MINUTE) + self.rng.between(0, 40 * MINUTE);
                self.schedule(patience, Event::GiveUp(item.clone()));
                if self.plan.trouble && self.rng.permille(100) {
                    let drop = self.rng.between(SECOND, 10 * MINUTE);
                    self.schedule(drop, Event::CitizenDrops(item));
                }
            }
            Effect::Foretold { item, band } => {
                if let Some(chat) = self.chats.get_mut(&item) {
                    chat.1 = Some(band);
                }
            }
            Effect::Offered { item, decision, .. } => {
                self.answer(item, decision.agent, decision.offer);
            }
            Effect::Owned {
                item, agent, epoch, ..
            } => {
                if let Some((place, Some(band))) = self.chats.remove(&item) {
                    let wait_ms = self.bench.now.since(place);
                    self.promised.push(Promised { band, wait_ms });
                }
                let long =
                    2 * MINUTE + self.rng.between(0, 8 * MINUTE) + self.rng.between(0, 6 * MINUTE);
                self.schedule(long, Event::Ends(item.clone(), agent.clone(), epoch));
                let soon = self.rng.between(SECOND, MINUTE);
                self.schedule(soon, Event::Talks(item, agent, epoch));
            }
            Effect::Dialing {
                item, agent, epoch, ..
            } => {
                let long = self.rng.between(20 * SECOND, 8 * MINUTE);
                if self.rng.permille(900) {
                    let hangs_up = Event::HangsUp(item.clone(), agent.clone(), epoch);
                    self.schedule(long, hangs_up);
                }
                if self.rng.permille(600) {
                    let renew = Command::RenewDial { item, agent, epoch };
                    self.schedule(4 * MINUTE, Event::Acts(Box::new(renew)));
                }
            }
            Effect::CallbackOffered { item, .. } if self.rng.permille(400) => {
                if let Some(promise) = self.promise(&item) {
                    let convert = Command::ConvertToCallback { item, promise };
                    self.schedule(SECOND, Event::Acts(Box::new(convert)));
                }
            }
            Effect::AgentChanged {
                agent,
                paused: Some(Pause::Ignored),
                ..
            } => {
                let rest = self.rng.between(MINUTE, 10 * MINUTE);
                self.schedule(rest, Event::Resumes(agent));
            }
            Effect::Refused {
                why: Refusal::Closed { .. },
                ..
            } => self.ask_for_callback(asked),
            Effect::CallbackPromised { item, .. } if self.rng.permille(80) => {
                let later = self.rng.between(MINUTE, 5 * HOUR);
                self.schedule(
                    later,
                    Event::Acts(Box::new(Command::CancelCallback { item })),
                );
            }
            _ => {}
        }
    }

    /// A citizen who found the door closed leaves a number.
    fn ask_for_callback(&mut self, asked: Option<&Handover>) {
        let Some(h) = asked else { return };
        let area = h.area.as_ref();
        let slots = self.bench.centre.callback_slots(h.municipality, area, 6);
        let Some(slot) = self.rng.one(&slots).copied() else {
            return;
        };
        let promise = self.number(slot.from);
        self.run_command(Command::RequestCallback {
            item: h.item.clone(),
            dialogue: h.dialogue.clone(),
            municipality: h.municipality,
            area: h.area.clone(),
            language: h.language,
            audience: h.audience,
            class: h.class,
            promise,
        });
    }

    fn promise(&mut self, item: &ItemId) -> Option<CallbackRequest> {
        let item = self.bench.centre.item(item)?;
        let (code, area) = (item.municipality, item.area.clone());
        let slots = self.bench.centre.callback_slots(code, area.as_ref(), 6);
        let slot = *self.rng.one(&slots)?;
        Some(self.number(slot.from))
    }

    fn number(&mut self, from: crate::centre::Moment) -> CallbackRequest {
        let reference: Reference = id(&format!("B-{}", self.rng.letters(5).to_uppercase()));
        let phone: Phone = id("20304050");
        CallbackRequest {
            reference,
            phone,
            topic: None,
            from,
        }
    }

    /// An agent sees an offer.
    fn answer(&mut self, item: ItemId, agent: AgentId, offer: u64) {
        let accept = Command::Accept {
            item: item.clone(),
            agent: agent.clone(),
            offer,
        };
        let calm = !self.plan.trouble;
        match self.rng.between(0, 100) {
            _ if calm => {
                let soon = self.rng.between(SECOND, 6 * SECOND);
                self.schedule(soon, Event::Acts(Box::new(accept)));
            }
            0..=79 => {
                let soon = self.rng.between(500, 15 * SECOND);
                self.schedule(soon, Event::Acts(Box::new(accept.clone())));
                // A double click.
                if self.rng.permille(50) {
                    self.schedule(soon + 300, Event::Acts(Box::new(accept)));
                }
            }
            80..=86 => {
                let decline = Command::Decline { item, agent, offer };
                let soon = self.rng.between(SECOND, 15 * SECOND);
                self.schedule(soon, Event::Acts(Box::new(decline)));
            }
            // Too late, or on the very edge.
            87..=92 => {
                let late = self.rng.between(20 * SECOND, 60 * SECOND);
                self.schedule(late, Event::Acts(Box::new(accept)));
            }
            _ => {}
        }
    }

    /// An agent takes something from the list, seen just now or a while ago.
    fn look(&mut self, n: usize, item: Option<ItemId>) {
        let agent = self.agents[n].id.clone();
        if !self.agents[n].on_shift {
            return;
        }
        if let Some(item) = item {
            self.run_command(Command::Pick { item, agent });
            return;
        }
        let rows = self.bench.centre.pickable(&agent, 3);
        if let Some(row) = self.rng.one(&rows) {
            let (item, call) = (
                row.item.clone(),
                matches!(row.state, ItemState::Callback(_)),
            );
            let thinks = self.rng.between(SECOND, 10 * SECOND);
            if call {
                self.schedule(thinks, Event::Acts(Box::new(Command::Dial { item, agent })));
            } else {
                self.schedule(thinks, Event::Looks(n, Some(item)));
            }
        }
        let again = self.rng.between(20 * SECOND, 2 * MINUTE);
        self.schedule(again, Event::Looks(n, None));
    }

    fn talk(&mut self, item: &ItemId, agent: &AgentId, epoch: u64) {
        self.messages += 1;
        let from = match self.rng.between(0, 9) {
            0..=3 => Sender::Citizen,
            4 => Sender::Bot,
            _ => Sender::Agent {
                agent: agent.clone(),
                epoch,
            },
        };
        let say = Command::Message {
            item: item.clone(),
            message: id(&format!("m-{}", self.messages)),
            from,
            text: "hej".into(),
        };
        if self.rng.permille(50) {
            self.schedule(2 * SECOND, Event::Acts(Box::new(say.clone())));
        }
        // Now and then the log forgets it and a node appends it again.
        if self.rng.permille(10) {
            self.bench.recovered(say);
        } else {
            self.run_command(say);
        }
        if self.rng.permille(750) {
            let again = self.rng.between(5 * SECOND, 2 * MINUTE);
            let talks = Event::Talks(item.clone(), agent.clone(), epoch);
            self.schedule(again, talks);
        }
    }

    fn end(&mut self, item: ItemId, agent: AgentId, epoch: u64) {
        let to = match self.rng.between(0, 100) {
            0..=2 => Target::Bot,
            3..=4 => Target::Municipality(self.municipalities[1]),
            5..=6 => Target::Team(id("familie")),
            7..=8 => Target::Specialist(id(self.an_area())),
            9..=10 => {
                let n = self.rng.between(0, self.agents.len() as u64) as usize;
                Target::Agent(self.agents[n].id.clone())
            }
            11..=13 => return self.run_command(Command::Leave { item }),
            _ => {
                let done = Command::WrapUpDone {
                    item: item.clone(),
                    agent: agent.clone(),
                };
                let wrap = self.rng.between(SECOND, 2 * MINUTE);
                self.schedule(wrap, Event::Acts(Box::new(done)));
                return self.run_command(Command::Close {
                    item,
                    agent,
                    epoch,
                    code: "svar".into(),
                });
            }
        };
        self.run_command(Command::Transfer {
            item,
            agent,
            epoch,
            to,
            note: None,
        });
    }

    /// What nobody should do but somebody does: accepting what was offered to others, writing with an old
    /// epoch; and what supervisors do.
    fn meddle(&mut self) {
        let rows = self.bench.centre.queue(|_| true);
        let Some(row) = self.rng.one(&rows).cloned() else {
            return;
        };
        let n = self.rng.between(0, self.agents.len() as u64) as usize;
        let (item, agent) = (row.item, self.agents[n].id.clone());
        let supervisor = self.agents[0].id.clone();
        let epoch = self.rng.between(0, 4);
        let command = match self.rng.between(0, 9) {
            0 | 1 => Command::Accept {
                item,
                agent,
                offer: self.rng.between(1, 3),
            },
            2 => Command::Pick { item, agent },
            3 => Command::Dial { item, agent },
            4 => Command::Close {
                item,
                agent,
                epoch,
                code: "svar".into(),
            },
            5 => Command::Release { item, supervisor },
            6 => Command::Supervise {
                item,
                supervisor: if self.rng.permille(500) {
                    agent
                } else {
                    supervisor
                },
                level: Level::Coach,
            },
            7 => Command::Pause {
                agent,
                why: Pause::Break,
            },
            _ => Command::RenewDial { item, agent, epoch },
        };
        if let Command::Pause { agent, .. } = &command {
            self.schedule(5 * MINUTE, Event::Resumes(agent.clone()));
        }
        self.run_command(command);
    }
}
