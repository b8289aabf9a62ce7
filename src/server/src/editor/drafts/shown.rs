//! A draft as the page gets it.

use storage::DraftRow;

use super::super::places::{Noted, Rights, demands, noted};
use super::super::wire::{Approval, Comment, CommentMeta, Draft, May, shown};
use super::super::{Studio, blocking, problem::Problem, texts::with};
use super::{Found, Meta, over};
use crate::app::App;
use crate::auth::Account;

impl Studio {
    /// A draft with its faults, conflicts and comments.
    pub(in super::super) async fn shown(
        &self,
        app: &App,
        found: &Found,
        account: &Account,
    ) -> Result<Draft, Problem> {
        let mut draft = self.outline(&found.row, &found.meta, noted(&found.files), account);
        for c in self.store.comments(&found.row.id).await? {
            let meta: CommentMeta = serde_json::from_str(&c.meta).map_err(Problem::unavailable)?;
            draft.comments.push(Comment {
                id: c.id,
                by: meta.by,
                at_ms: c.at.as_millisecond(),
                text: meta.text,
                file: meta.file,
            });
        }
        if !found.over() {
            let (laid, clash) = self.laid(&found.files).await?;
            draft.conflicts = clash.into_iter().map(|c| c.file).collect();
            let live = self.live.load_full();
            let files = blocking(move || with(&live.files, &laid)).await?;
            draft.faults = shown(&self.check(app, files).await?.1);
        }
        Ok(draft)
    }

    /// A draft in a list: of its texts nothing is read, if the program that saved it noted what lists need.
    pub(in super::super) async fn listed_draft(
        &self,
        row: &DraftRow,
        account: &Account,
    ) -> Result<Draft, Problem> {
        let mut meta: Meta = serde_json::from_str(&row.meta).map_err(Problem::unavailable)?;
        let files = match meta.files.take() {
            Some(files) => files,
            None => noted(&self.found(&row.id).await?.files),
        };
        Ok(self.outline(row, &meta, files, account))
    }

    fn outline(&self, row: &DraftRow, meta: &Meta, files: Vec<Noted>, account: &Account) -> Draft {
        let live = self.live.load();
        let why = demands(&live.release.studio, &live.release, &files);
        let rights = Rights {
            account,
            release: &live.release,
        };
        let writes = rights.writes_all(files.iter().map(|f| f.file.file.as_str()));
        let user = account.user.as_str();
        let wrote = meta.writers.iter().any(|w| w.user == user);
        let approved = meta.approved.as_ref();
        let ready = why.is_empty() || approved.is_some();
        let over = over(&row.state);
        Draft {
            id: row.id.clone(),
            title: meta.title.clone(),
            why: meta.why.clone(),
            state: row.state.clone(),
            author: meta.author.clone(),
            writers: meta.writers.clone(),
            created_ms: meta.created_ms,
            changed_ms: row.changed.as_millisecond(),
            version: row.version,
            base: meta.base.clone(),
            source: meta.source.clone(),
            schedule: meta.schedule.clone(),
            approval: Approval {
                needed: !why.is_empty(),
                why,
                by: approved.map(|a| a.by.clone()),
                at_ms: approved.map(|a| a.at_ms),
            },
            release: meta.release,
            files: files.into_iter().map(|f| f.file).collect(),
            faults: Vec::new(),
            conflicts: Vec::new(),
            comments: Vec::new(),
            replay: meta.replay.clone(),
            may: May {
                edit: !over && writes,
                approve: row.state == "waiting" && writes && !wrote,
                publish: !over && writes && ready,
            },
        }
    }
}
