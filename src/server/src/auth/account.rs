//! An account: who somebody is, may do, and can answer.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use base::MunicipalityCode;
use contact::centre::{AgentId, Allowed, Profile, Skills, TeamId};
use serde::{Deserialize, Serialize};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Answers citizens.
    Agent,
    /// Reads along, coaches, barges in and releases.
    Supervisor,
    Editor,
    Admin,
}

impl FromStr for Role {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "agent" => Ok(Self::Agent),
            "supervisor" => Ok(Self::Supervisor),
            "editor" => Ok(Self::Editor),
            "admin" => Ok(Self::Admin),
            _ => Err(format!(
                "«{s}» is no role: agent, supervisor, editor and admin are"
            )),
        }
    }
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

/// What is stored of an account besides its user name and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// What citizens and colleagues see.
    pub name: String,
    pub roles: BTreeSet<Role>,
    pub team: Option<TeamId>,
    /// The municipalities are a right, for every role.
    pub skills: Skills,
    /// Chats, calls and wrap-ups at once.
    pub capacity: u8,
}

/// An account that may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub user: AgentId,
    pub details: Details,
    /// In the PHC string format.
    pub(super) password: String,
}

impl Account {
    pub(crate) fn is(&self, role: Role) -> bool {
        self.details.roles.contains(&role)
    }

    /// Whether the desk is for this account.
    pub(crate) fn works_at_desk(&self) -> bool {
        self.is(Role::Agent) || self.is(Role::Supervisor)
    }

    pub(crate) fn may(&self, code: MunicipalityCode) -> bool {
        self.details.skills.municipalities.contains(&code)
    }

    /// As the contact centre knows an agent or a supervisor; who only supervises is offered nothing.
    pub(super) fn profile(&self) -> Option<Profile> {
        let d = &self.details;
        self.works_at_desk().then(|| Profile {
            id: self.user.clone(),
            name: d.name.clone(),
            team: d.team.clone(),
            skills: d.skills.clone(),
            capacity: if self.is(Role::Agent) { d.capacity } else { 0 },
            supervisor: self.is(Role::Supervisor),
        })
    }
}

/// All accounts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(super) accounts: BTreeMap<AgentId, Arc<Account>>,
    /// Those that were.
    pub(super) removed: BTreeSet<AgentId>,
}

impl Known {
    /// What is stored, as far as it can be read; the rest is named in the log and may not sign in.
    pub(super) fn new(stored: Vec<storage::Account>) -> Self {
        let mut known = Self::default();
        for row in stored {
            let Ok(user) = row.user.parse::<AgentId>() else {
                continue;
            };
            if row.removed {
                known.removed.insert(user);
                continue;
            }
            match serde_json::from_str(&row.details) {
                Ok(details) => {
                    let account = Account {
                        user: user.clone(),
                        details,
                        password: row.password,
                    };
                    known.accounts.insert(user, Arc::new(account));
                }
                Err(e) => tracing::error!("the account {user} cannot be read: {e}"),
            }
        }
        known
    }
}

/// Characters of a user name.
const USER_CHARS: std::ops::RangeInclusive<usize> = 2..=40;

/// A user name as it is stored: in small letters.
///
/// # Errors
/// What is allowed.
pub(crate) fn user_name(typed: &str) -> Result<AgentId, &'static str> {
    let name = typed.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let fits = USER_CHARS.contains(&name.chars().count()) && name.chars().all(plain);
    fits.then(|| name.parse().ok())
        .flatten()
        .ok_or("a user name is 2 to 40 of a-z, 0-9, . - _ and @")
}

/// `all`, or some with commas between.
///
/// # Errors
/// What the first that cannot be is.
pub(crate) fn allowed<T: FromStr + Ord>(typed: &str) -> Result<Allowed<T>, String>
where
    T::Err: std::fmt::Display,
{
    if typed.trim() == "all" {
        return Ok(Allowed::All);
    }
    Ok(Allowed::Only(list(typed)?))
}

/// Some with commas between; none where nothing stands.
///
/// # Errors
/// What the first that cannot be is.
pub(crate) fn list<T: FromStr + Ord>(typed: &str) -> Result<BTreeSet<T>, String>
where
    T::Err: std::fmt::Display,
{
    let parts = typed.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts
        .map(|p| p.parse().map_err(|e| format!("{p}: {e}")))
        .collect()
}
