//! The desk: agents and supervisors over `/ws/desk`, after docs/desk-protocol.md.
//!
//! One task of a node, the [`hub`], follows the contact centre and knows which desks are open here and what each
//! shows. It looks at the centre once for many steps, makes each frame once, and sends it only to those whom it
//! concerns. One task a socket ([`session`]) reads commands, carries them out in their order ([`commands`]), and
//! says whether somebody is there.
//!
//! Invariants:
//! - A text reaches only desks whose account has the right to the municipality where it was written.
//! - What was sent to a desk is in the order of the log; a desk that missed something gets all of it anew.
//! - Nobody waits for a slow desk: its frames are counted, and it is told to come back.

mod commands;
mod follow;
mod hub;
mod lists;
mod presence;
mod refusal;
mod session;
mod show;
mod socket;
mod suggest;
mod welcome;
mod wire;

use std::sync::atomic::AtomicU64;

use contact::centre::Settings;
use tokio::sync::mpsc;

pub(crate) use self::hub::serve;
pub(crate) use self::presence::Patience;
pub(crate) use self::session::upgrade;

use self::hub::Order;
use self::suggest::Effort;

/// For `fuzz/` alone: what is said of a frame that cannot be read.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(text: &str) -> Option<String> {
    match wire::read(text) {
        Ok(wire::FromDesk::Ask {
            ask: wire::Ask::Transfer { to, .. },
            ..
        }) => {
            let _ = to.target();
            None
        }
        Ok(_) => None,
        Err(bad) => Some(bad.why),
    }
}

/// Orders to the hub that may wait.
const ORDERS: usize = 1024;

/// What the desk keeps for the whole node.
pub(crate) struct Desk {
    orders: mpsc::Sender<Order>,
    effort: Effort,
    patience: Patience,
    limits: wire::Limits,
    /// Within this an answer counts as soon, in ms.
    service_level_ms: u64,
    next: AtomicU64,
}

/// The hub's end.
pub(crate) struct Orders(mpsc::Receiver<Order>);

impl Desk {
    pub(crate) fn new(settings: &Settings, patience: Patience) -> (Self, Orders) {
        let (orders, waiting) = mpsc::channel(ORDERS);
        let desk = Self {
            orders,
            effort: Effort::new(),
            patience,
            limits: wire::Limits {
                text_chars: settings.limits.text_chars,
                offer_ms: settings.offer_timeout_ms,
                lease_ms: settings.callbacks.lease_ms,
            },
            service_level_ms: settings.service_level_ms,
            next: AtomicU64::new(1),
        };
        (desk, Orders(waiting))
    }
}
