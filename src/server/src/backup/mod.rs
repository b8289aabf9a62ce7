//! Backups of a service that runs, and the way back from one: docs/operations.md.
//!
//! A backup is a folder: `backup.toml`, which names every file with its size and SHA-256, `data/` and `knowledge/`.
//! It is made under a hidden name, synced, and moved into place last; so what has its name is whole. A restore lays
//! everything beside its place first, notes in the data folder what it will do, and only then moves files.
//!
//! Invariants:
//! - What was acknowledged before a backup began is in it. The studio's file and the knowledge folder of a backup are
//!   of the same release, or of one that a start finishes.
//! - A killed backup leaves nothing that looks whole. A killed restore leaves what was there before, or a data folder
//!   that no command takes until the restore is finished ([`restore::refuse_unfinished`]).
//! - A restore deletes nothing that was there: it is set aside.

mod check;
mod disk;
mod lay;
mod make;
mod manifest;
mod prune;
mod restore;

pub(crate) use self::check::check;
pub(crate) use self::disk::claim;
pub(crate) use self::make::make;
pub(crate) use self::manifest::Manifest;
pub(crate) use self::prune::prune;
pub(crate) use self::restore::{Restored, Wanted, refuse_unfinished, restore};

use storage::whole::Kind;

/// In words for an operator.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The SQLite files of the data folder. Accounts come before what refers to them, the studio's before the folder.
const FILES: [(Kind, &str); 3] = [
    (Kind::Accounts, crate::auth::FILE),
    (Kind::Journal, "journal.sqlite"),
    (Kind::Editor, crate::editor::FILE),
];
/// The node's name, where it was made and not set.
const NODE: &str = "node";
/// The folders of a backup.
const DATA: &str = "data";
const KNOWLEDGE: &str = "knowledge";

#[cfg(test)]
mod tests;
