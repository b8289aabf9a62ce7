//! Ids, clock, language, redaction: what every other crate stands on.

mod clock;
mod ids;
mod lang;
mod redact;
mod text;

pub use clock::{Clock, ManualClock, SystemClock};
pub use ids::{DialogueId, MunicipalityCode, Secret, TurnId};
pub use lang::{Dir, Lang};
pub use redact::{Masked, Published, Redaction, Rules, redact, redact_by, without_masks};
pub use text::{clean, fold, hex, hides, words};
