//! Whether somebody sits at a desk: the page's own code answers, and the page is seen.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

/// When a page counts as left. Times in ms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Patience {
    /// How often a page is asked. Default 10 seconds.
    pub ping_ms: u64,
    /// How long it may be silent. Default 25 seconds.
    pub silent_ms: u64,
    /// How long it may be hidden. Default 10 minutes.
    pub hidden_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            ping_ms: 10_000,
            silent_ms: 25_000,
            hidden_ms: 600_000,
        }
    }
}

impl Patience {
    /// # Errors
    /// The field that cannot be, and what is allowed.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.ping_ms < 100 {
            Err("ping_ms: at least 100")
        } else if self.silent_ms < 2 * self.ping_ms {
            Err("silent_ms: at least twice ping_ms")
        } else {
            Ok(())
        }
    }

    pub(super) fn ping(&self) -> Duration {
        Duration::from_millis(self.ping_ms)
    }
}

/// One page.
#[derive(Debug)]
pub(super) struct Presence {
    heard: Instant,
    hidden_since: Option<Instant>,
}

impl Presence {
    pub(super) fn new(visible: bool, now: Instant) -> Self {
        Self {
            heard: now,
            hidden_since: (!visible).then_some(now),
        }
    }

    /// The page's code answered.
    pub(super) fn pong(&mut self, visible: bool, now: Instant) {
        self.heard = now;
        self.hidden_since = if visible {
            None
        } else {
            self.hidden_since.or(Some(now))
        };
    }

    /// Somebody did something.
    pub(super) fn acted(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(super) fn is_present(&self, patience: &Patience, now: Instant) -> bool {
        let ms = |since: Instant| now.saturating_duration_since(since).as_millis();
        ms(self.heard) < u128::from(patience.silent_ms)
            && self
                .hidden_since
                .is_none_or(|since| ms(since) < u128::from(patience.hidden_ms))
    }

    /// When a page that is present will not be any more, if nothing is heard of it.
    pub(super) fn lapses(&self, patience: &Patience) -> Instant {
        let silent = self.heard + Duration::from_millis(patience.silent_ms);
        let hidden = self.hidden_since;
        let hidden = hidden.map(|since| since + Duration::from_millis(patience.hidden_ms));
        hidden.map_or(silent, |h| h.min(silent))
    }

    /// Nobody has answered for so long that the connection is of no use.
    pub(super) fn is_dead(&self, patience: &Patience, now: Instant) -> bool {
        let ms = now.saturating_duration_since(self.heard).as_millis();
        ms >= u128::from(patience.silent_ms) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_and_a_hidden_page_are_absence() {
        let p = Patience::default();
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut page = Presence::new(true, start);
        assert!(page.is_present(&p, at(24)));
        assert!(!page.is_present(&p, at(25)));
        assert_eq!(page.lapses(&p), at(25));
        page.pong(true, at(26));
        assert!(page.is_present(&p, at(50)), "it came back");
        assert!(!page.is_dead(&p, at(100)) && page.is_dead(&p, at(126)));

        let mut hidden = Presence::new(false, start);
        for s in (10..600).step_by(10) {
            hidden.pong(false, at(s));
            assert!(hidden.is_present(&p, at(s)), "{s}");
        }
        assert_eq!(hidden.lapses(&p), at(600));
        hidden.pong(false, at(600));
        assert!(!hidden.is_present(&p, at(600)));
        hidden.acted(at(601));
        assert!(
            !hidden.is_present(&p, at(601)),
            "a command of a script is no person"
        );
        hidden.pong(true, at(602));
        assert!(hidden.is_present(&p, at(602)));
    }

    #[test]
    fn patience_is_checked() {
        assert_eq!(Patience::default().check(), Ok(()));
        let hasty = Patience {
            silent_ms: 100,
            ..Patience::default()
        };
        assert_eq!(hasty.check(), Err("silent_ms: at least twice ping_ms"));
    }
}
