//! `[drain]`: how long a stop may take.

use std::time::Duration;

use serde::Deserialize;

/// Times of a stop, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Drain {
    /// Among several nodes, how long this one says that it is not ready before it sends anybody away: the proxy must
    /// have noticed by then.
    pub notice_ms: u32,
    /// How long what was begun may take after that.
    pub wait_ms: u32,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            notice_ms: 3_000,
            wait_ms: 20_000,
        }
    }
}

impl Drain {
    /// # Errors
    /// What is out of bounds.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self {
                notice_ms: 60_001..,
                ..
            } => Err("notice_ms: at most 60000"),
            Self {
                wait_ms: ..1_000 | 300_001..,
                ..
            } => Err("wait_ms: 1000 to 300000"),
            _ => Ok(()),
        }
    }

    pub(crate) fn notice(&self) -> Duration {
        Duration::from_millis(self.notice_ms.into())
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms.into())
    }
}
