//! Publishing at a time that was set.

use std::sync::Arc;
use std::time::Duration;

use super::Studio;
use super::drafts::Found;
use super::problem::Problem;
use super::wire::{Published, Who};
use crate::app::App;
use crate::auth::rights;

/// How often it is looked whether something is due.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// Publishes what is due, until the service stops.
pub(crate) async fn keep_time(app: App, studio: Arc<Studio>) {
    let mut stopping = app.stopping();
    loop {
        if let Err(p) = studio.due(&app).await {
            tracing::warn!("what is scheduled: {}", p.text);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AFTER) => {}
            _ = stopping.wait_for(|s| *s) => return,
        }
    }
}

impl Studio {
    /// Begins to publish the first draft whose time has come; its job.
    ///
    /// # Errors
    /// When the drafts cannot be read.
    pub(super) async fn due(self: &Arc<Self>, app: &App) -> Result<Option<String>, Problem> {
        // Among several nodes it waits for Redis: what nobody else hears of is not published.
        if self.nodes().is_some_and(|n| !n.reachable()) {
            return Ok(None);
        }
        let now = app.clock.now().as_millisecond();
        for row in self
            .store
            .drafts(vec!["scheduled".to_owned()], 1_000)
            .await?
        {
            let found = self.found(&row.id).await?;
            let Some(schedule) = found.meta.schedule.clone() else {
                continue;
            };
            if schedule.at_ms > now || schedule.problem.is_some() {
                continue;
            }
            let Ok(turn) = self.turn_to_publish() else {
                return Ok(None);
            };
            let (app, studio, by) = (Arc::clone(app), Arc::clone(self), schedule.by);
            let why = schedule.overridden;
            let clock = app.clock.clone();
            let job = self
                .jobs
                .start("publish", by.clone(), clock, |job| async move {
                    let _turn = turn;
                    let id = found.row.id.clone();
                    let ready = match studio.still_may(&app, &found, &by) {
                        Ok(()) => studio.publishable(&app, &found, why.as_deref()).await,
                        Err(p) => Err(p),
                    };
                    let published = match ready {
                        Ok(()) => studio.publish_draft(&app, found, by, why, &job).await,
                        Err(p) => Err(p),
                    };
                    if let Err(p) = &published {
                        studio.put_off(&app, &id, &p.text).await?;
                    }
                    published.map(|release| Published { release })
                });
            return Ok(Some(job));
        }
        Ok(None)
    }

    /// Whether whoever set the time may still do it.
    fn still_may(&self, app: &App, found: &Found, by: &Who) -> Result<(), Problem> {
        let user = by.user.parse().ok();
        let account = user.and_then(|u| app.auth.account(&u));
        match account.filter(|a| rights::Who::Editor.includes(a)) {
            Some(account) => self.may_write(&account, found.paths()),
            None => Err(Problem::no_right(
                "Den, der satte tidspunktet, er ikke redaktør længere.",
            )),
        }
    }

    /// Says at the draft why it was not published.
    async fn put_off(&self, app: &App, id: &str, why: &str) -> Result<(), Problem> {
        let found = self.found(id).await?;
        let mut meta = found.meta.clone();
        if let Some(s) = meta
            .schedule
            .as_mut()
            .filter(|_| found.row.state == "scheduled")
        {
            s.problem = Some(why.to_owned());
            self.keep(app, &found, "scheduled", &meta).await?;
        }
        Ok(())
    }
}
