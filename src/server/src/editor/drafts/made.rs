//! What becomes of files: a new draft, another version of one, two versions made one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use knowledge::File;
use storage::{DraftChange, DraftText};

use super::super::changes::Workbench;
use super::super::places::noted;
use super::super::problem::Problem;
use super::super::texts::{Merged, merge, text_hash, text_of};
use super::super::wire::{Change, Conflict, Who};
use super::{Found, Meta, New, VersionMeta, title, words, wrong_state};

/// A new draft over files that are live, as it will be stored.
///
/// # Errors
/// `bad_request`, and what a change can end in.
pub(in super::super) fn begun(
    new: New,
    by: Who,
    live: &[File],
    hash: String,
    now: Timestamp,
) -> Result<DraftChange, Problem> {
    let mut bench = Workbench::new(live, Vec::new());
    for change in new.changes {
        bench.change(change)?;
    }
    let files = bench.files();
    let version = VersionMeta { by: by.clone() };
    let meta = Meta {
        title: title(&new.title)?,
        why: words(&new.why)?,
        author: by.clone(),
        writers: vec![by],
        created_ms: now.as_millisecond(),
        base: hash,
        source: new.source,
        schedule: None,
        approved: None,
        release: None,
        replay: None,
        files: Some(noted(&files)),
    };
    let json = |e| Problem::unavailable(e);
    Ok(DraftChange {
        id: base::Secret::random().as_str().chars().take(12).collect(),
        expected: 0,
        state: "open".to_owned(),
        at: now,
        meta: serde_json::to_string(&meta).map_err(json)?,
        version: Some((serde_json::to_string(&version).map_err(json)?, files)),
    })
}

/// An open draft with one more change, as it will be stored.
///
/// # Errors
/// `wrong_state`, and what a change can end in.
pub(in super::super) fn amended(
    found: Found,
    change: Change,
    by: Who,
    live: &[File],
    now: Timestamp,
) -> Result<DraftChange, Problem> {
    if found.over() {
        return Err(wrong_state());
    }
    let mut bench = Workbench::new(live, found.files);
    bench.change(change)?;
    let files = bench.files();
    let version = VersionMeta { by: by.clone() };
    let mut meta = found.meta;
    if !meta.writers.iter().any(|w| w.user == by.user) {
        meta.writers.push(by);
    }
    // What was approved is another text than this one.
    (meta.approved, meta.schedule) = (None, None);
    meta.files = Some(noted(&files));
    let json = |e| Problem::unavailable(e);
    Ok(DraftChange {
        id: found.row.id,
        expected: found.row.version,
        state: "open".to_owned(),
        at: now,
        meta: serde_json::to_string(&meta).map_err(json)?,
        version: Some((serde_json::to_string(&version).map_err(json)?, files)),
    })
}

pub(super) fn touched(old: &[DraftText], new: &[DraftText]) -> BTreeSet<String> {
    let differs = |a: &[DraftText], b: &[DraftText]| -> Vec<String> {
        let other = a.iter().filter(|f| !b.contains(f));
        other.map(|f| f.path.clone()).collect()
    };
    differs(old, new)
        .into_iter()
        .chain(differs(new, old))
        .collect()
}

/// Two that went on from the same version, as one.
pub(super) fn join(
    live: &[File],
    old: &[DraftText],
    mine: &[DraftText],
    theirs: &[DraftText],
) -> Result<Vec<DraftText>, Vec<Conflict>> {
    let find = |list: &'_ [DraftText], path: &str| list.iter().position(|f| f.path == path);
    let text = |list: &[DraftText], path: &str| match find(list, path) {
        Some(at) => list[at].text.clone(),
        None => text_of(live, path).map(str::to_owned),
    };
    let paths: BTreeSet<&str> = [old, mine, theirs]
        .into_iter()
        .flatten()
        .map(|f| f.path.as_str())
        .collect();
    let (mut files, mut conflicts) = (Vec::new(), Vec::new());
    for path in paths {
        let (base, yours, other) = (text(old, path), text(mine, path), text(theirs, path));
        match merge(base.as_deref(), yours.as_deref(), other.as_deref()) {
            Merged::Clean(text) => {
                let began = [theirs, mine, old]
                    .iter()
                    .find_map(|l| Some(l[find(l, path)?].base.clone()))
                    .flatten();
                if text != began {
                    files.push(DraftText {
                        path: path.to_owned(),
                        base: began,
                        text,
                    });
                }
            }
            Merged::Clash(merged) => conflicts.push(Conflict {
                file: path.to_owned(),
                base,
                yours,
                theirs_hash: text_hash(other.as_deref()),
                theirs: other,
                merged,
            }),
        }
    }
    if conflicts.is_empty() {
        Ok(files)
    } else {
        Err(conflicts)
    }
}
