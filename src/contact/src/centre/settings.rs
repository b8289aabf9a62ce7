//! What an operator may set, with units and defaults.

use serde::{Deserialize, Serialize};

use super::ids::TeamId;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Everything that can be set for the whole centre. A field that is left out has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an agent has to answer an offer, in ms. Default 20 seconds; at least 1.
    pub offer_timeout_ms: u64,
    /// After a declined, ignored or handed-on item, how long it is not offered to the same agent, in ms.
    /// Default 1 minute; at least 1 second.
    pub rest_ms: u64,
    /// So many offers ignored in a row pause an agent. Default 3; 0 never pauses.
    pub ignored_limit: u8,
    pub relax: Relax,
    /// Who has waited this long goes first, whatever the class, in ms. Default 20 minutes.
    pub max_wait_ms: u64,
    pub head_start: HeadStart,
    /// Least share of the assignments, in thousandths, that a municipality gets while its citizens wait,
    /// unless it has a figure of its own. Default 10. The shares of all should sum to at most 1000.
    pub fair_share_permille: u16,
    /// How long an agent without a connection keeps the chats, in ms. Default 30 seconds.
    pub connection_grace_ms: u64,
    /// How long a connection that came back must hold before it gets an offer, in ms. Default 3 seconds.
    pub steady_ms: u64,
    /// How long a citizen without a connection keeps the place, in ms. Default 3 minutes.
    pub citizen_grace_ms: u64,
    /// How long a slot stays taken after a chat for wrapping up, in ms. Default 1 minute; 0 is none.
    pub wrap_up_ms: u64,
    /// How long after closing time those who were in the queue are still served, in ms. Default 30 minutes.
    /// Then they are offered a callback, and hold their place until the next opening.
    pub drain_ms: u64,
    /// A citizen whose likely wait is longer than this is offered a callback at once, in ms. Default 30
    /// minutes.
    pub long_wait_ms: u64,
    /// For so long after asking, a citizen who comes back is offered first to the agent of last time, if
    /// that one is present and free, in ms. Default 1 minute.
    pub earlier_agent_ms: u64,
    /// How long a settled item is remembered, in ms. Default 6 hours. Its brief is forgotten at once.
    pub keep_closed_ms: u64,
    /// How many settled items are remembered at most. Default 5000.
    pub keep_closed: u32,
    /// Who takes what no team is set up for. Default none: then anybody with the municipality's right.
    pub fallback_team: Option<TeamId>,
    pub callbacks: CallbackSettings,
    pub limits: Limits,
    /// An answer within this is within the service level, in ms. Default 20 seconds.
    pub service_level_ms: u64,
}

/// For how long after an item was routed each wish is insisted on, in ms. None insists for ever. A
/// municipality's right has no time here, because it is never relaxed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Relax {
    /// The team that fits best. Default 1 minute.
    pub team_ms: Option<u64>,
    /// The area. Default 2 minutes.
    pub area_ms: Option<u64>,
    /// Citizen or employee. Default 2 minutes.
    pub audience_ms: Option<u64>,
    /// The language. Default 5 minutes.
    pub language_ms: Option<u64>,
    /// The agent, team or specialist that somebody transferred to. Default 2 minutes.
    pub target_ms: Option<u64>,
}

/// How many milliseconds earlier than its true time an item of a class counts as requested. Because all
/// age alike, the order of two waiting items never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadStart {
    /// Default 5 minutes.
    pub high_ms: u64,
    /// Default 30 minutes.
    pub urgent_ms: u64,
}

/// How citizens are rung back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackSettings {
    /// Length of a slot, in ms; slots begin at multiples of it. Default 30 minutes; 5 minutes to 4 hours.
    pub slot_ms: u64,
    /// Callbacks promised for each planned agent of a team in a slot. Default 2.
    pub per_agent: u8,
    /// A slot is promised no later than this before it begins, in ms. Default 15 minutes.
    pub lead_ms: u64,
    /// Slots are promised so many days ahead, today included. Default 5; at most 31.
    pub days: u8,
    /// How long one agent alone may ring before the right to ring must be renewed, in ms. Default 5 minutes.
    pub lease_ms: u64,
    /// How often a citizen is rung before the promise counts as tried. Default 3; at least 1.
    pub attempts: u8,
    /// How long to wait between attempts, in ms. Default 20 minutes.
    pub retry_ms: u64,
}

/// What keeps the state small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Items not settled. Default 20,000.
    pub open: u32,
    /// Characters in a message, a note or a brief's field. Default 4000.
    pub text_chars: u32,
    /// Message ids remembered for each item. Default 64.
    pub recent_messages: u16,
    /// Tried queries and shown sources kept in a brief, each. Default 20.
    pub brief_lines: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offer_timeout_ms: 20 * SECOND,
            rest_ms: MINUTE,
            ignored_limit: 3,
            relax: Relax::default(),
            max_wait_ms: 20 * MINUTE,
            head_start: HeadStart::default(),
            fair_share_permille: 10,
            connection_grace_ms: 30 * SECOND,
            steady_ms: 3 * SECOND,
            citizen_grace_ms: 3 * MINUTE,
            wrap_up_ms: MINUTE,
            drain_ms: 30 * MINUTE,
            long_wait_ms: 30 * MINUTE,
            earlier_agent_ms: MINUTE,
            keep_closed_ms: 6 * HOUR,
            keep_closed: 5_000,
            fallback_team: None,
            callbacks: CallbackSettings::default(),
            limits: Limits::default(),
            service_level_ms: 20 * SECOND,
        }
    }
}

impl Default for Relax {
    fn default() -> Self {
        Self {
            team_ms: Some(MINUTE),
            area_ms: Some(2 * MINUTE),
            audience_ms: Some(2 * MINUTE),
            language_ms: Some(5 * MINUTE),
            target_ms: Some(2 * MINUTE),
        }
    }
}

impl Default for HeadStart {
    fn default() -> Self {
        Self {
            high_ms: 5 * MINUTE,
            urgent_ms: 30 * MINUTE,
        }
    }
}

impl Default for CallbackSettings {
    fn default() -> Self {
        Self {
            slot_ms: 30 * MINUTE,
            per_agent: 2,
            lead_ms: 15 * MINUTE,
            days: 5,
            lease_ms: 5 * MINUTE,
            attempts: 3,
            retry_ms: 20 * MINUTE,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open: 20_000,
            text_chars: 4_000,
            recent_messages: 64,
            brief_lines: 20,
        }
    }
}

impl Settings {
    /// Whether the centre can work with these.
    ///
    /// # Errors
    /// The field that cannot be, and what is allowed.
    pub fn check(&self) -> Result<(), &'static str> {
        let c = &self.callbacks;
        if self.offer_timeout_ms < SECOND {
            Err("offer_timeout_ms: at least 1000")
        } else if self.rest_ms < SECOND {
            Err("rest_ms: at least 1000")
        } else if self.fair_share_permille > 1000 {
            Err("fair_share_permille: at most 1000")
        } else if !(5 * MINUTE..=4 * HOUR).contains(&c.slot_ms) {
            Err("callbacks.slot_ms: 5 minutes to 4 hours")
        } else if c.days > 31 {
            Err("callbacks.days: at most 31")
        } else if c.lease_ms < SECOND || c.retry_ms < SECOND {
            Err("callbacks.lease_ms and retry_ms: at least 1000")
        } else if c.attempts == 0 {
            Err("callbacks.attempts: at least 1")
        } else if self.limits.recent_messages == 0 {
            Err("limits.recent_messages: at least 1")
        } else {
            Ok(())
        }
    }
}
