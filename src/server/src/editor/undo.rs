//! The history: what was released, and taking a release back.

use std::collections::BTreeMap;
use std::sync::Arc;

use storage::{DraftText, ReleaseFile, ReleaseRow};

use super::jobs::Job;
use super::problem::Problem;
use super::publish::Wanted;
use super::wire::{self, ReleaseMeta, Who};
use super::{Studio, diff};
use crate::app::App;

/// Releases that are looked through for one that undoes another.
const LOOKED_THROUGH: u32 = 1_000;

pub(super) fn meta(row: &ReleaseRow) -> Result<ReleaseMeta, Problem> {
    serde_json::from_str(&row.meta).map_err(Problem::unavailable)
}

/// What a release changed, in the words of a draft.
fn changes(files: Vec<ReleaseFile>) -> Vec<DraftText> {
    files
        .into_iter()
        .map(|f| DraftText {
            path: f.path,
            base: f.before,
            text: f.after,
        })
        .collect()
}

impl Studio {
    pub(super) async fn history(
        &self,
        below: Option<u64>,
        limit: u32,
    ) -> Result<Vec<wire::Release>, Problem> {
        let rows = self.store.releases(below, limit).await?;
        let undone = self.undone().await?;
        rows.iter().map(|r| self.listed(r, &undone)).collect()
    }

    /// Which release undid which.
    async fn undone(&self) -> Result<BTreeMap<u64, u64>, Problem> {
        let rows = self.store.releases(None, LOOKED_THROUGH).await?;
        let pairs = rows
            .iter()
            .filter_map(|r| Some((meta(r).ok()?.undoes?, r.number)));
        Ok(pairs.collect())
    }

    fn listed(
        &self,
        row: &ReleaseRow,
        undone: &BTreeMap<u64, u64>,
    ) -> Result<wire::Release, Problem> {
        Ok(wire::Release {
            number: row.number,
            hash: row.hash.clone(),
            at_ms: row.at.as_millisecond(),
            meta: meta(row)?,
            undone_by: undone.get(&row.number).copied(),
            live: self.live.load().number == row.number,
            diff: None,
        })
    }

    /// # Errors
    /// `not_found`.
    pub(super) async fn one_release(&self, number: u64) -> Result<wire::Release, Problem> {
        let (row, files) = self.stored(number).await?;
        let mut release = self.listed(&row, &self.undone().await?)?;
        // Of the very first every line would be new.
        let first = row_is_first(&release.meta);
        let changes = if first { Vec::new() } else { changes(files) };
        release.diff = Some(diff::files(&changes));
        Ok(release)
    }

    async fn stored(&self, number: u64) -> Result<(ReleaseRow, Vec<ReleaseFile>), Problem> {
        let found = self.store.release(number).await?;
        found.ok_or_else(|| Problem::not_found(format!("Der er ingen udgivelse {number}.")))
    }

    /// What taking a release back would change: from what it made to what was before.
    ///
    /// # Errors
    /// `not_found`, `nothing`.
    pub(super) async fn to_undo(&self, number: u64) -> Result<(String, Vec<DraftText>), Problem> {
        let (row, files) = self.stored(number).await?;
        let meta = meta(&row)?;
        if row_is_first(&meta) {
            let text = "Den første udgivelse kan ikke fortrydes.";
            return Err(Problem::conflict("nothing", text));
        }
        let back = changes(files).into_iter().map(|c| DraftText {
            path: c.path,
            base: c.text,
            text: c.base,
        });
        Ok((meta.title, back.collect()))
    }

    /// A new release with the texts that a release replaced.
    ///
    /// # Errors
    /// As [`Studio::release`].
    pub(super) async fn undo(
        &self,
        app: &App,
        (number, title, changes): (u64, String, Vec<DraftText>),
        by: Who,
        why: String,
        job: &Arc<Job>,
    ) -> Result<wire::Release, Problem> {
        let wanted = Wanted {
            meta: ReleaseMeta {
                by,
                title: format!("Fortrudt: {title}"),
                why,
                kind: "undo".to_owned(),
                draft: None,
                draft_version: None,
                undoes: Some(number),
                approved_by: None,
                overridden: None,
                files: Vec::new(),
            },
            changes,
        };
        self.release(app, wanted, job).await
    }

    /// A release of what others changed in the folder.
    ///
    /// # Errors
    /// As [`Studio::release`].
    pub(super) async fn adopt(
        &self,
        app: &App,
        by: Who,
        (why, overridden): (String, Option<String>),
        job: &Arc<Job>,
    ) -> Result<wire::Release, Problem> {
        let wanted = Wanted {
            meta: ReleaseMeta {
                by,
                title: "Ændringer fra mappen".to_owned(),
                why,
                kind: "folder".to_owned(),
                draft: None,
                draft_version: None,
                undoes: None,
                approved_by: None,
                overridden,
                files: Vec::new(),
            },
            changes: Vec::new(),
        };
        self.release(app, wanted, job).await
    }
}

/// The history's beginning, of which no files are told.
fn row_is_first(meta: &ReleaseMeta) -> bool {
    meta.kind == "start" && meta.files.is_empty()
}
