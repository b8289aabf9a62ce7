//! The contact centre as a pure state machine: opening hours, handovers, callbacks.
//!
//! Nothing here reads a clock, a file or a socket: time and data come in as values.

pub mod centre;
mod holiday;
mod hours;
mod phone;
mod reference;
#[cfg(any(test, feature = "sim"))]
pub mod sim;

pub use holiday::holiday;
pub use hours::{CUSTOMARILY_CLOSED, Hours, Span, SpanError, Status, copenhagen, status};
pub use phone::{Phone, PhoneError};
pub use reference::Reference;
