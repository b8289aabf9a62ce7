//! `[per_network]`: how much of the public chat one network may have.

use serde::Deserialize;

/// Generous: a library, a school or a whole town hall may share one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PerNetwork {
    /// Sockets of the chat that are open at once; 0: any number.
    pub sockets: u32,
    /// New dialogues that may begin at once, after a while of quiet; 0: any number.
    pub dialogues: u32,
    /// And how many come back in an hour.
    pub dialogues_an_hour: u32,
    /// A network that has begun more than this lately shares `crowds_a_second` with all others of that kind.
    pub crowd: u32,
    /// Dialogues that such networks may begin in a second, all together: whoever comes above that waits for up to five
    /// seconds, then is told to come back. 0: any number.
    pub crowds_a_second: u32,
}

impl Default for PerNetwork {
    fn default() -> Self {
        Self {
            sockets: 1_000,
            dialogues: 600,
            dialogues_an_hour: 1_800,
            crowd: 20,
            crowds_a_second: 2,
        }
    }
}

impl PerNetwork {
    /// # Errors
    /// What is out of bounds.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.dialogues > 0 && self.dialogues_an_hour == 0 {
            return Err("dialogues_an_hour: at least 1, or set dialogues to 0 for any number");
        }
        Ok(())
    }
}
