//! A draft as the page gets it.

use super::super::places::{Rights, demands, listed};
use super::super::wire::{Approval, Comment, CommentMeta, Draft, May, shown};
use super::super::{Studio, blocking, problem::Problem, texts::with};
use super::Found;
use crate::app::App;
use crate::auth::Account;

impl Studio {
    /// `whole`: with its faults, conflicts and comments.
    pub(in super::super) async fn shown(
        &self,
        app: &App,
        found: &Found,
        account: &Account,
        whole: bool,
    ) -> Result<Draft, Problem> {
        let live = self.live.load_full();
        let (mut faults, mut conflicts, mut comments) = (Vec::new(), Vec::new(), Vec::new());
        if whole {
            for c in self.store.comments(&found.row.id).await? {
                let meta: CommentMeta =
                    serde_json::from_str(&c.meta).map_err(Problem::unavailable)?;
                comments.push(Comment {
                    id: c.id,
                    by: meta.by,
                    at_ms: c.at.as_millisecond(),
                    text: meta.text,
                    file: meta.file,
                });
            }
        }
        if whole && !found.over() {
            let (laid, clash) = self.laid(&found.files).await?;
            conflicts = clash.into_iter().map(|c| c.file).collect();
            let live = live.clone();
            let files = blocking(move || with(&live.files, &laid)).await?;
            faults = shown(&self.check(app, files).await?.1);
        }
        let why = demands(&live.release.studio, &live.release, &found.files);
        let rights = Rights {
            account,
            release: &live.release,
        };
        let writes = rights.writes_all(found.paths());
        let wrote = found
            .meta
            .writers
            .iter()
            .any(|w| w.user == account.user.as_str());
        let approved = found.meta.approved.as_ref();
        let ready = why.is_empty() || approved.is_some();
        Ok(Draft {
            id: found.row.id.clone(),
            title: found.meta.title.clone(),
            why: found.meta.why.clone(),
            state: found.row.state.clone(),
            author: found.meta.author.clone(),
            writers: found.meta.writers.clone(),
            created_ms: found.meta.created_ms,
            changed_ms: found.row.changed.as_millisecond(),
            version: found.row.version,
            base: found.meta.base.clone(),
            source: found.meta.source.clone(),
            schedule: found.meta.schedule.clone(),
            approval: Approval {
                needed: !why.is_empty(),
                why,
                by: approved.map(|a| a.by.clone()),
                at_ms: approved.map(|a| a.at_ms),
            },
            release: found.meta.release,
            files: found.files.iter().map(listed).collect(),
            faults,
            conflicts,
            comments,
            replay: found.meta.replay.clone(),
            may: May {
                edit: !found.over() && writes,
                approve: found.row.state == "waiting" && writes && !wrote,
                publish: !found.over() && writes && ready,
            },
        })
    }
}
