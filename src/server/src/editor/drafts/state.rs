//! What becomes of a draft: waiting, approved, scheduled, dropped, open again.

use storage::DraftChange;

use super::super::places::{demands, noted};
use super::super::problem::Problem;
use super::super::texts::with;
use super::super::wire::{CommentMeta, NewState, Schedule};
use super::super::{Studio, blocking};
use super::{Approved, Found, Meta, who, words, wrong_state};
use crate::app::App;
use crate::auth::Account;

/// How far ahead something can be scheduled, in days.
const AHEAD_DAYS: i64 = 400;

impl Studio {
    /// Brings a draft into another state.
    ///
    /// # Errors
    /// `draft_changed`, `wrong_state`, `own_draft`, `needs_approval`, `worse`, `faults`, `no_right`, `bad_request`.
    pub(in super::super) async fn become_(
        &self,
        app: &App,
        account: &Account,
        id: &str,
        asked: NewState,
    ) -> Result<Found, Problem> {
        let found = self.found(id).await?;
        found.at(asked.version)?;
        self.may_write(account, found.paths())?;
        let mut meta = found.meta.clone();
        let now = app.clock.now();
        match (asked.to.as_str(), found.row.state.as_str()) {
            ("open", "waiting" | "approved" | "scheduled" | "dropped") => {
                (meta.approved, meta.schedule) = (None, None);
            }
            ("waiting", "open") => {
                if found.files.is_empty() {
                    return Err(nothing());
                }
                self.without_faults(app, &found).await?;
            }
            ("approved", "waiting") => {
                if meta.writers.iter().any(|w| w.user == account.user.as_str()) {
                    let text = "Du har selv skrevet i kladden. En anden skal godkende den.";
                    return Err(Problem::conflict("own_draft", text));
                }
                meta.approved = Some(Approved {
                    by: who(account),
                    at_ms: now.as_millisecond(),
                });
            }
            ("scheduled", "open" | "approved") => {
                if found.files.is_empty() {
                    return Err(nothing());
                }
                let overridden = asked.overridden.as_deref().map(words).transpose()?;
                let overridden = overridden.filter(|o| !o.is_empty());
                self.publishable(app, &found, overridden.as_deref()).await?;
                let ahead = asked.at_ms.map(|at| at - now.as_millisecond());
                let most = AHEAD_DAYS * 86_400_000;
                let Some(at_ms) = asked
                    .at_ms
                    .filter(|_| ahead.is_some_and(|a| a > 0 && a <= most))
                else {
                    return Err(Problem::bad("Vælg et tidspunkt i fremtiden."));
                };
                meta.schedule = Some(Schedule {
                    at_ms,
                    by: who(account),
                    problem: None,
                    overridden,
                });
            }
            ("dropped", "open" | "waiting" | "approved" | "scheduled") => {}
            ("open" | "waiting" | "approved" | "scheduled" | "dropped", _) => {
                return Err(wrong_state());
            }
            (other, _) => {
                return Err(Problem::bad(format!("En kladde kan ikke blive «{other}».")));
            }
        }
        if !self.keep(app, &found, &asked.to, &meta).await? {
            self.found(id).await?.at(asked.version)?;
            return Err(wrong_state());
        }
        if let Some(text) = asked.comment.filter(|c| !c.trim().is_empty()) {
            self.comment(app, account, id, &text, None).await?;
        }
        self.found(id).await
    }

    /// Keeps another state of the same texts; whether the draft was still as it was found.
    pub(in super::super) async fn keep(
        &self,
        app: &App,
        found: &Found,
        state: &str,
        meta: &Meta,
    ) -> Result<bool, Problem> {
        let change = DraftChange {
            id: found.row.id.clone(),
            expected: found.row.version,
            state: state.to_owned(),
            at: app.clock.now(),
            meta: serde_json::to_string(meta).map_err(Problem::unavailable)?,
            version: None,
        };
        Ok(self.store.save_draft(change).await?)
    }

    /// # Errors
    /// `needs_approval`.
    pub(in super::super) fn approved(&self, found: &Found) -> Result<(), Problem> {
        let live = self.live.load();
        let files = noted(&found.files);
        let why = demands(&live.release.studio, &live.release, &files);
        if why.is_empty() || found.meta.approved.is_some() {
            return Ok(());
        }
        let text = format!(
            "En anden skal godkende kladden, før den kan udgives ({}).",
            why.join(", ")
        );
        Err(Problem::conflict("needs_approval", text))
    }

    /// # Errors
    /// `faults`, `conflict`.
    pub(in super::super) async fn without_faults(
        &self,
        app: &App,
        found: &Found,
    ) -> Result<(), Problem> {
        let (laid, conflicts) = self.laid(&found.files).await?;
        if !conflicts.is_empty() {
            return Err(Problem::clashes(&conflicts));
        }
        let live = self.live.load_full();
        let files = blocking(move || with(&live.files, &laid)).await?;
        match self.check(app, files).await? {
            (Some(_), _) => Ok(()),
            (None, faults) => Err(Problem::faults(&faults)),
        }
    }

    /// # Errors
    /// `not_found`, `bad_request`.
    pub(in super::super) async fn comment(
        &self,
        app: &App,
        account: &Account,
        id: &str,
        text: &str,
        file: Option<String>,
    ) -> Result<(), Problem> {
        self.found(id).await?;
        let text = words(text)?;
        if text.is_empty() {
            return Err(Problem::bad("Skriv en kommentar."));
        }
        let meta = CommentMeta {
            by: who(account),
            text,
            file,
        };
        let meta = serde_json::to_string(&meta).map_err(Problem::unavailable)?;
        self.store.comment(id, app.clock.now(), meta).await?;
        Ok(())
    }
}

fn nothing() -> Problem {
    Problem::conflict("wrong_state", "Der er ingen ændringer i kladden.")
}
