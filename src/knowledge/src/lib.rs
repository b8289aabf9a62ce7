//! Articles, municipality layers, rates: parsed, validated and released.
//!
//! Nothing here opens a socket or runs a model. [`load`] reads a folder into plain files, [`Release::build`]
//! turns files into a release or into the whole list of their faults, and [`Release::view`] says what one
//! municipality sees. The format is described in `docs/knowledge-format.md`.

mod article;
mod check;
mod desk;
mod fault;
mod files;
mod front_matter;
mod generation;
mod held_out;
mod municipality;
mod phrases;
mod rates;
mod release;
mod slots;
mod studio;
mod theme;

pub use article::{Article, Audience, Layer, Link, Section};
pub use check::{body_words, words_allowed};
pub use desk::{Canned, Desk, PLACES, WrapUp};
pub use fault::{Fault, Severity};
pub use files::{File, load};
pub use generation::Generation;
pub use held_out::{HELD_OUT_ONE_IN, held_out};
pub use municipality::{DAYS, FIELDS, Hours, LINKS, Municipality, Opening};
pub use phrases::{ByLang, Intent, Intents, Texts};
pub use rates::{CrisisLine, Rate};
pub use release::{Release, Rendered, Slot, SlotKind, View, hash, without_slots};
pub use slots::slots_in;
pub use studio::Studio;
pub use theme::text_on;

/// An article's place in [`Release::articles`]: small, and stable within one release.
pub type ArticleIx = u32;
