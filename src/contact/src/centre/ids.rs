//! Ids, moments and texts as the centre holds them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest id, in bytes.
const ID_BYTES: usize = 64;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        ///
        /// 1 to 64 bytes, without spaces or control characters.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Self::try_from(s.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(s: String) -> Result<Self, Self::Error> {
                let odd = |c: char| c.is_whitespace() || c.is_control();
                if s.is_empty() || s.len() > ID_BYTES || s.contains(odd) {
                    Err("an id has 1 to 64 bytes, without spaces or control characters")
                } else {
                    Ok(Self(s))
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_id! {
    /// One agent's account.
    AgentId,
    /// A team of agents.
    TeamId,
    /// A running process that holds sockets. A restart may keep the id.
    NodeId,
    /// One socket, of a citizen or an agent, unique among all nodes.
    ConnectionId,
    /// A handover from the bot to people: one chat or one callback.
    ItemId,
    /// A message in a chat, chosen by whoever wrote it; a repetition is dropped by it.
    MessageId,
    /// One input of the log.
    InputId,
    /// An area of municipal life, as in `omraader.toml`.
    AreaId,
}

/// An instant, in whole milliseconds since 1970, UTC. What the log carries.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// This instant and so many milliseconds; stops at the end of time.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// So many milliseconds earlier; stops at the beginning of time.
    #[must_use]
    pub const fn minus(self, ms: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(ms))
    }

    /// Milliseconds since an earlier instant; 0 when that one is later.
    pub fn since(self, earlier: Moment) -> u64 {
        u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0)
    }

    /// As a timestamp; the nearest that jiff knows.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }
}

impl From<Timestamp> for Moment {
    fn from(t: Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

/// What a person wrote, redacted before it came here. `Debug` tells only its length, so that no log has it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Length in characters.
    pub(crate) fn chars(&self) -> usize {
        self.0.chars().count()
    }
}

impl From<&str> for Text {
    fn from(s: &str) -> Self {
        Self(s.to_owned())
    }
}

impl From<String> for Text {
    fn from(s: String) -> Self {
        Self(s)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}
