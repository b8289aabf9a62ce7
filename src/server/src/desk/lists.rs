//! The lists that desks show: made once for all whose rights are alike, at most once a second, and only when
//! somebody looks at them. A desk that reads slowly gets the newest and misses those between.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use base::MunicipalityCode;
use contact::centre::{AgentId, Centre, Command, Effect, Profile, QueueRow, Target};
use knowledge::Release;
use tokio::sync::watch;
use tokio::time::Instant;

use super::hub::skills_key;
use super::show::{Show, municipality};
use super::wire::{AgentRow, Figures, Overview, Queue, Row, Standing, ToDesk, What, text};
use crate::app::App;
use crate::centre::Step;

/// Rows of a queue that are sent, and counted.
const ROWS: usize = 200;
const COUNTED: usize = 2_000;
/// Rows of the supervisors' list of items, and callbacks.
const ITEMS: usize = 500;
/// Over which the figures are counted.
const WINDOW_MS: u64 = 3_600_000;
/// Waiting times and figures pass by themselves: so often a list is made when nothing happens.
const AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// How long a transfer to one agent makes that agent's queue another than those of equals.
const PERSONAL_FOR: Duration = Duration::from_secs(600);

/// The lists of one desk.
pub(super) struct Lists {
    shown: BTreeSet<What>,
    out: [watch::Sender<Option<Utf8Bytes>>; 3],
}

impl Lists {
    pub(super) fn new(out: [watch::Sender<Option<Utf8Bytes>>; 3]) -> Self {
        Self {
            shown: BTreeSet::new(),
            out,
        }
    }

    /// From now on these; one that was not shown is sent at once.
    pub(super) fn watch(&mut self, what: BTreeSet<What>) {
        for new in what.difference(&self.shown) {
            self.out[*new as usize].send_replace(None);
        }
        self.shown = what;
    }

    pub(super) fn watches(&self) -> bool {
        !self.shown.is_empty()
    }

    fn put(&self, what: What, list: &Utf8Bytes) {
        self.out[what as usize].send_if_modified(|now| {
            let other = now.as_ref() != Some(list);
            if other {
                *now = Some(list.clone());
            }
            other
        });
    }
}

/// When lists must be made, and for whom apart.
#[derive(Default)]
pub(super) struct Board {
    changed: bool,
    made: Option<Instant>,
    /// Agents to whom something was transferred in person, until when that may matter.
    personal: BTreeMap<AgentId, Instant>,
    /// Steps were missed: until then anybody may be one of them.
    all_personal: Option<Instant>,
}

impl Board {
    pub(super) fn heard(&mut self, step: &Step) {
        let idle = step.effects.is_empty() && matches!(step.input.command, Command::Tick);
        self.changed |= !idle;
        for effect in &step.effects {
            if let Effect::Transferred {
                to: Target::Agent(agent),
                ..
            } = effect
            {
                let until = Instant::now() + PERSONAL_FOR;
                self.personal.insert(agent.clone(), until);
            }
        }
    }

    pub(super) fn missed(&mut self) {
        self.changed = true;
        self.all_personal = Some(Instant::now() + PERSONAL_FOR);
    }

    pub(super) fn is_due(&self) -> bool {
        self.changed || self.made.is_none_or(|t| t.elapsed() >= AT_LEAST_EVERY)
    }

    fn is_personal(&self, agent: &AgentId) -> bool {
        let now = Instant::now();
        self.all_personal.is_some_and(|t| t > now)
            || self.personal.get(agent).is_some_and(|t| *t > now)
    }

    /// Makes what these desks show.
    pub(super) async fn update(&mut self, app: &App, desks: &mut [(&AgentId, &mut Lists)]) {
        self.changed = false;
        self.made = Some(Instant::now());
        self.personal.retain(|_, until| *until > Instant::now());
        let release = Arc::clone(&app.snapshot().release);
        let mut made: BTreeMap<(What, String), Utf8Bytes> = BTreeMap::new();
        for (agent, lists) in desks {
            let profile = app
                .centre
                .read(|c| Some(c.agent_state(agent)?.profile.clone()));
            let Ok(Some(profile)) = profile.await else {
                self.changed = true;
                continue;
            };
            for what in lists.shown.clone() {
                if what == What::Supervisor && !profile.supervisor {
                    continue;
                }
                let key = match what {
                    What::Queue if self.is_personal(agent) => agent.to_string(),
                    What::Queue => skills_key(&profile),
                    // Who may see where it was asked decides on the brief, and so the rights decide on all.
                    What::Callbacks | What::Supervisor => {
                        serde_json::to_string(&profile.skills.municipalities).unwrap_or_default()
                    }
                };
                let list = match made.entry((what, key)) {
                    Entry::Occupied(there) => there.into_mut(),
                    Entry::Vacant(missing) => {
                        let level = app.desk.service_level_ms;
                        let list = app.centre.read(|centre| {
                            let show = Show {
                                centre,
                                release: &release,
                            };
                            make(show, what, &profile, level)
                        });
                        let Ok(list) = list.await else { continue };
                        missing.insert(text(&list).into())
                    }
                };
                lists.put(what, list);
            }
        }
    }
}

fn make(show: Show<'_>, what: What, profile: &Profile, level_ms: u64) -> ToDesk {
    let may = |code: MunicipalityCode| profile.skills.municipalities.contains(&code);
    match what {
        What::Queue => {
            let mut rows = show.centre.pickable(&profile.id, COUNTED);
            let total = rows.len();
            rows.truncate(ROWS);
            let rows = self::rows(show, rows);
            ToDesk::Queue { rows, total }
        }
        What::Callbacks => {
            let items = show.centre.callbacks(may).into_iter().take(ITEMS);
            let rows = items.filter_map(|i| show.card(i, &profile.id)).collect();
            ToDesk::Callbacks { rows }
        }
        What::Supervisor => ToDesk::Supervisor(Box::new(overview(show, profile, may, level_ms))),
    }
}

fn rows(show: Show<'_>, rows: Vec<QueueRow>) -> Vec<Row> {
    let row = |row: QueueRow| {
        let item = show.centre.item(&row.item)?;
        Some(show.row(row, item, None))
    };
    rows.into_iter().filter_map(row).collect()
}

fn overview(
    show: Show<'_>,
    profile: &Profile,
    may: impl Fn(MunicipalityCode) -> bool,
    level_ms: u64,
) -> Overview {
    let Show { centre, release } = show;
    let queues = centre.municipalities();
    let shares = |agent: &AgentId| {
        let codes = queues.iter().map(|m| m.municipality);
        codes
            .into_iter()
            .any(|c| may(c) && centre.may_serve(agent, c))
    };
    let agents = centre.agents();
    let agents = agents.into_iter().filter(|a| shares(&a.agent));
    let now = centre.now();
    let mut items = centre.queue(&may);
    items.truncate(ITEMS);
    Overview {
        agents: agents
            .map(|a| AgentRow {
                id: a.agent,
                name: a.name,
                standing: Standing {
                    state: a.state,
                    paused: a.paused,
                    mode: a.mode,
                },
                capacity: a.capacity,
                offers: a.offers,
                chats: a.chats,
                calls: a.calls,
                wrap_ups: a.wrap_ups,
                idle_ms: now.since(a.idle_since),
            })
            .collect(),
        figures: figures(centre, profile, &may, level_ms),
        items: rows(show, items),
        unserved: centre
            .gaps()
            .into_iter()
            .map(|g| g.municipality)
            .filter(|c| may(*c))
            .collect(),
        municipalities: queues
            .iter()
            .filter(|m| may(m.municipality))
            .map(|m| queue(release, m))
            .collect(),
    }
}

fn queue(release: &Release, m: &contact::centre::MunicipalityRow) -> Queue {
    Queue {
        municipality: municipality(release, m.municipality),
        open: m.open,
        draining: m.draining,
        staffed: m.staffed,
        waiting: m.waiting,
        held: m.held,
        offered: m.offered,
        owned: m.owned,
        callbacks: m.callbacks,
        due: m.due,
        ringing: m.ringing,
        oldest_ms: m.oldest.map(contact::centre::Moment::as_ms),
    }
}

/// Of the whole centre for whoever may see all of it; else the sum of what may be seen, without occupancy, which
/// belongs to no municipality.
fn figures(
    centre: &Centre,
    profile: &Profile,
    may: &impl Fn(MunicipalityCode) -> bool,
    level_ms: u64,
) -> Figures {
    let all = matches!(profile.skills.municipalities, contact::centre::Allowed::All);
    let f = if all {
        centre.figures(None, WINDOW_MS)
    } else {
        let codes = centre.municipalities();
        let codes = codes
            .into_iter()
            .map(|m| m.municipality)
            .filter(|c| may(*c));
        codes.fold(contact::centre::Figures::default(), |mut sum, code| {
            sum.add(&centre.figures(Some(code), WINDOW_MS));
            sum
        })
    };
    let share = |permille: u64| permille as f64 / 1_000.0;
    Figures {
        window_ms: WINDOW_MS,
        requested: f.requested,
        answered: f.answered,
        abandoned: f.abandoned,
        converted: f.converted,
        service_level: f.service_level_permille().map(share),
        service_level_ms: level_ms,
        asa_ms: f.asa_ms(),
        aht_ms: f.aht_ms(),
        abandonment: f.abandonment_permille().map(share),
        occupancy: f.occupancy_permille().map(share),
    }
}
