//! What the operator has switched off: the bot, generation, a municipality's chat.
//!
//! `borgerlinje switch` writes it into the file of accounts, and the running service notices within about a second, as
//! it does with accounts. It stays so over restarts. Each node has a file of its own.
//!
//! Off, the bot says so and offers a person, and says nothing else but help lines in a crisis; generation: every answer
//! is verbatim; a municipality: no dialogue begins, and one that no person has or is waited for in is told that the
//! chat is closed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::MunicipalityCode;
use storage::Accounts;

use crate::app::App;

/// How long a file that could not be read is left alone.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// One switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    Bot,
    Generation,
    Municipality(MunicipalityCode),
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot => f.write_str("bot"),
            Self::Generation => f.write_str("generation"),
            Self::Municipality(code) => write!(f, "municipality {code}"),
        }
    }
}

impl Switch {
    /// As it is stored, and shown. None: a newer program's.
    fn parse(name: &str) -> Option<Self> {
        match name {
            "bot" => Some(Self::Bot),
            "generation" => Some(Self::Generation),
            other => {
                let code = other.strip_prefix("municipality ")?;
                code.parse().ok().map(Self::Municipality)
            }
        }
    }
}

/// What is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Off {
    pub bot: bool,
    pub generation: bool,
    pub municipalities: BTreeSet<MunicipalityCode>,
}

impl Off {
    fn add(&mut self, switch: Switch) {
        match switch {
            Switch::Bot => self.bot = true,
            Switch::Generation => self.generation = true,
            Switch::Municipality(code) => {
                self.municipalities.insert(code);
            }
        }
    }

    /// By name, for the health page.
    pub(crate) fn names(&self) -> Vec<String> {
        let bot = self.bot.then_some(Switch::Bot);
        let generation = self.generation.then_some(Switch::Generation);
        let towns = self.municipalities.iter().copied();
        bot.into_iter()
            .chain(generation)
            .chain(towns.map(Switch::Municipality))
            .map(|s| s.to_string())
            .collect()
    }
}

/// What is off as the running service knows it; at first nothing.
#[derive(Default)]
pub(crate) struct Switches(ArcSwap<Off>);

impl Switches {
    pub(crate) fn now(&self) -> Arc<Off> {
        self.0.load_full()
    }

    pub(crate) fn bot_is_off(&self) -> bool {
        self.0.load().bot
    }

    pub(crate) fn generation_is_off(&self) -> bool {
        self.0.load().generation
    }

    pub(crate) fn is_closed(&self, code: MunicipalityCode) -> bool {
        self.0.load().municipalities.contains(&code)
    }

    /// Reads what is off.
    ///
    /// # Errors
    /// The accounts': then it stays as it was.
    pub(crate) async fn read(&self, accounts: &Accounts) -> Result<(), storage::Error> {
        let mut off = Off::default();
        for row in accounts.switched_off().await? {
            match Switch::parse(&row.name) {
                Some(switch) => off.add(switch),
                None => tracing::warn!(name = row.name, "a switch that this program does not know"),
            }
        }
        if *self.0.load_full() != off {
            let names = off.names().join(", ");
            match names.as_str() {
                "" => tracing::warn!("nothing is switched off any more"),
                names => tracing::warn!("switched off: {names}"),
            }
            self.0.store(Arc::new(off));
        }
        Ok(())
    }
}

/// Hears of what commands of the operator switch. Does not end before the accounts are closed.
pub(crate) async fn keep_up(app: App) {
    let mut changes = app.auth.changes();
    loop {
        match app.switches.read(&app.auth.accounts).await {
            Ok(()) => {
                if changes.changed().await.is_err() {
                    return;
                }
            }
            Err(storage::Error::Closed) => return,
            Err(e) => {
                tracing::warn!("what is switched off cannot be read: {e}");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_read_as_it_is_shown() {
        let aarhus = "0751".parse().unwrap();
        for switch in [
            Switch::Bot,
            Switch::Generation,
            Switch::Municipality(aarhus),
        ] {
            assert_eq!(Switch::parse(&switch.to_string()), Some(switch));
        }
        for odd in ["", "bots", "municipality", "municipality x"] {
            assert_eq!(Switch::parse(odd), None, "{odd}");
        }
    }
}
