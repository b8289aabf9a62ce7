//! From the centre's items to what a desk shows, with the names of the release.

use base::MunicipalityCode;
use contact::centre::{
    self, AgentId, AgentState, Centre, Hold, Item, ItemState, Needs, QueueRow, Stage,
};
use knowledge::Release;

use super::wire::{
    Area, Brief, Callback, Card, Decision, Kind, Municipality, Named, Row, Source, Standing, State,
    Watcher,
};

/// Shows items of a centre with the names of a release.
#[derive(Clone, Copy)]
pub(super) struct Show<'a> {
    pub(super) centre: &'a Centre,
    pub(super) release: &'a Release,
}

pub(super) fn municipality(release: &Release, code: MunicipalityCode) -> Municipality {
    let name = release.municipalities.get(&code);
    Municipality {
        code,
        name: name.map_or_else(|| code.to_string(), |m| m.field("navn").to_owned()),
    }
}

pub(super) fn area(release: &Release, id: &str) -> Area {
    Area {
        id: id.to_owned(),
        title: release
            .areas
            .get(id)
            .cloned()
            .unwrap_or_else(|| id.to_owned()),
    }
}

impl Show<'_> {
    /// A card for an agent; None without the right to its municipality.
    pub(super) fn card(&self, item: &Item, agent: &AgentId) -> Option<Card> {
        let c = self.centre.card(&item.id, agent)?;
        let row = self.row(c.row, item, Some(agent));
        // A settled item has none any more.
        let brief = c.brief.filter(|b| *b != centre::Brief::default());
        let watchers = item.watchers.iter().map(|(who, level)| Watcher {
            name: self.named(who).name,
            level: *level,
        });
        Some(Card {
            item: row.item,
            municipality: row.municipality,
            area: row.area,
            language: row.language,
            audience: row.audience,
            class: row.class,
            place_ms: row.place_ms,
            state: row.state,
            epoch: c.epoch,
            brief: brief.map(|b| self.brief(&b, item.origin)),
            citizen_present: c.citizen_present,
            callback: item.callback.as_ref().map(|c| Callback {
                reference: c.reference.as_str().to_owned(),
                phone: c.phone.as_e164().to_owned(),
                topic: c.topic.as_ref().map(|t| t.as_str().to_owned()),
                from_ms: c.from.as_ms(),
                to_ms: c.to.as_ms(),
                attempts: c.attempts,
            }),
            watchers: watchers.collect(),
            decisions: c.decisions.iter().map(|d| self.decision(d)).collect(),
        })
    }

    fn brief(&self, brief: &centre::Brief, origin: MunicipalityCode) -> Brief {
        let title = |id: &str| {
            let ix = self.release.view(origin)?.get(id)?;
            Some(self.release.render(ix, origin)?.title)
        };
        let sources = brief.sources.iter().map(|id| Source {
            article_id: id.as_str().to_owned(),
            title: title(id.as_str()).unwrap_or_else(|| id.as_str().to_owned()),
        });
        Brief {
            question: brief.question.as_str().to_owned(),
            tried: brief.tried.iter().map(|t| t.as_str().to_owned()).collect(),
            sources: sources.collect(),
            failed: brief.failed.as_str().to_owned(),
        }
    }

    /// A row of a list; for an agent whose own wrap-up of it may be going on.
    pub(super) fn row(&self, row: QueueRow, item: &Item, agent: Option<&AgentId>) -> Row {
        Row {
            item: row.item,
            municipality: municipality(self.release, row.municipality),
            area: row.area.map(|a| area(self.release, a.as_str())),
            language: row.language,
            audience: row.audience,
            class: row.class,
            place_ms: row.place.as_ms(),
            state: self.state(&row.state, item, agent),
            overdue: row.overdue,
        }
    }

    fn state(&self, state: &ItemState, item: &Item, agent: Option<&AgentId>) -> State {
        let wrap_up = agent.and_then(|a| {
            let holds = &self.centre.agent_state(a)?.holds;
            match holds.get(&item.number)? {
                Hold::WrapUp { until, .. } => Some((a, *until)),
                Hold::Offer | Hold::Chat | Hold::Call => None,
            }
        });
        if let Some((agent, until)) = wrap_up {
            return State {
                kind: Kind::WrapUp {
                    until_ms: until.as_ms(),
                },
                agent: Some(self.named(agent)),
            };
        }
        let (kind, who) = match state {
            ItemState::Waiting { held: false } => (Kind::Waiting, None),
            ItemState::Waiting { held: true } => (Kind::Held, None),
            ItemState::Offered {
                agent,
                offer,
                until,
            } => {
                let kind = Kind::Offered {
                    offer: *offer,
                    until_ms: until.as_ms(),
                    call: item.callback.is_some(),
                };
                (kind, Some(agent))
            }
            ItemState::Owned { agent, since } => {
                let since_ms = since.as_ms();
                (Kind::Owned { since_ms }, Some(agent))
            }
            ItemState::Callback(Stage::Promised) => (Kind::Promised, None),
            ItemState::Callback(Stage::Due) => (Kind::Due, None),
            ItemState::Callback(Stage::Resting { until }) => {
                let until_ms = until.as_ms();
                (Kind::Resting { until_ms }, None)
            }
            ItemState::Callback(Stage::Ringing {
                agent,
                since,
                until,
            }) => {
                let (since_ms, until_ms) = (since.as_ms(), until.as_ms());
                (Kind::Ringing { since_ms, until_ms }, Some(agent))
            }
            ItemState::Closed { by, .. } => (Kind::Closed, by.as_ref()),
        };
        State {
            kind,
            agent: who.map(|a| self.named(a)),
        }
    }

    fn decision(&self, d: &centre::Decision) -> Decision {
        Decision {
            at_ms: d.at.as_ms(),
            agent: self.named(&d.agent),
            reason: d.reason,
            candidates: d.candidates,
            free: d.free,
            idle_ms: d.at.since(d.idle_since),
            skills: d.skills,
            needs: needs(&d.needs),
            overdue: d.overdue,
            owed: d.owed,
        }
    }

    /// An agent by name; one whose account is gone by its id.
    pub(super) fn named(&self, agent: &AgentId) -> Named<AgentId> {
        let known = self.centre.agent_state(agent);
        Named {
            id: agent.clone(),
            name: known.map_or_else(|| agent.to_string(), |a| a.profile.name.clone()),
        }
    }

    pub(super) fn standing(&self, agent: &AgentId) -> Option<Standing> {
        let a = self.centre.agent_state(agent)?;
        let state = a.state();
        Some(Standing {
            state,
            paused: a.paused.filter(|_| state != AgentState::Absent),
            mode: a.mode,
        })
    }
}

fn needs(needs: &Needs) -> Vec<&'static str> {
    let all = [
        (needs.team, "team"),
        (needs.area, "area"),
        (needs.language, "language"),
        (needs.audience, "audience"),
    ];
    all.iter().filter(|n| n.0).map(|n| n.1).collect()
}
