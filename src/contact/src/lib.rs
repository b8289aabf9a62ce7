//! The contact centre as a pure state machine: opening hours, handovers, callbacks.
//!
//! Nothing here reads a clock, a file or a socket: time and data come in as values.

mod callback;
mod holiday;
mod hours;
mod phone;

pub use callback::{Callback, Reference, State};
pub use holiday::holiday;
pub use hours::{CUSTOMARILY_CLOSED, Hours, Span, SpanError, Status, copenhagen, status};
pub use phone::{Phone, PhoneError};
