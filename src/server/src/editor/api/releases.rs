//! `/releases` and `/jobs`: the history, and work that takes long.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::blocking;
use super::super::drafts::words;
use super::super::jobs::no_job;
use super::super::problem::Problem;
use super::super::texts::differences;
use super::super::wire::{
    Adopt, JobShown, JobStarted, ProblemShown, Published, Release, Releases, Why,
};
use super::{Asked, By, Query, accepted, json};
use crate::app::App;

/// Releases in a list at most.
const LISTED: u32 = 200;

#[derive(Deserialize, IntoParams)]
pub(super) struct Part {
    /// Only older ones than this.
    before: Option<u64>,
    limit: Option<u32>,
}

/// `GET /releases`
#[utoipa::path(get, path = "/api/studio/releases", params(Part), responses((status = 200, body = Releases)))]
pub(super) async fn list(
    State(_): State<App>,
    by: By,
    Query(asked): Query<Part>,
) -> Result<Response, Problem> {
    let limit = asked.limit.unwrap_or(50).clamp(1, LISTED);
    let releases = by.studio.history(asked.before, limit).await?;
    Ok(json(&Releases { releases }))
}

/// `GET /releases/{n}`
#[utoipa::path(get, path = "/api/studio/releases/{number}", params(("number" = u64, Path)),
    responses((status = 200, body = Release), (status = 404, body = ProblemShown)))]
pub(super) async fn one(
    State(_): State<App>,
    by: By,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    Ok(json(&by.studio.one_release(read(&number)?).await?))
}

fn read(number: &str) -> Result<u64, Problem> {
    number
        .parse()
        .map_err(|_| Problem::not_found("Udgivelser har numre."))
}

/// `POST /releases/{n}/undo`
#[utoipa::path(post, path = "/api/studio/releases/{number}/undo", params(("number" = u64, Path)), request_body = Why,
    responses((status = 202, body = JobStarted), (status = 409, body = ProblemShown)))]
pub(super) async fn undo(
    State(app): State<App>,
    by: By,
    Path(number): Path<String>,
    Asked(asked): Asked<Why>,
) -> Result<Response, Problem> {
    let (number, why) = (read(&number)?, words(&asked.why)?);
    let (title, changes) = by.studio.to_undo(number).await?;
    by.studio
        .may_write(by.account(), changes.iter().map(|c| c.path.as_str()))?;
    let (_, conflicts) = by.studio.laid(&changes).await?;
    if !conflicts.is_empty() {
        return Err(Problem::clashes(&conflicts));
    }
    let turn = by.studio.turn_to_publish()?;
    let (studio, who) = (Arc::clone(&by.studio), by.who());
    let jobs = &by.studio.jobs;
    let job = jobs.start("undo", by.who(), app.clock.clone(), |job| async move {
        let _turn = turn;
        let undo = studio.undo(&app, (number, title, changes), who, why, &job);
        undo.await.map(|release| Published { release })
    });
    Ok(accepted(job))
}

/// `POST /releases/folder`
#[utoipa::path(post, path = "/api/studio/releases/folder", request_body = Adopt,
    responses((status = 202, body = JobStarted), (status = 409, body = ProblemShown)))]
pub(super) async fn folder(
    State(app): State<App>,
    by: By,
    Asked(asked): Asked<Adopt>,
) -> Result<Response, Problem> {
    let why = words(&asked.why)?;
    let overridden = asked.overridden.as_deref().map(words).transpose()?;
    let overridden = overridden.filter(|o| !o.is_empty());
    let live = by.studio.live.load_full();
    let root = by.studio.root.clone();
    let disk = blocking(move || knowledge::load(&root)).await?;
    let disk = disk.map_err(Problem::unavailable)?;
    let changed = differences(&live.files, &disk);
    if changed.is_empty() {
        let text = "Der er ikke ændret noget i mappen.";
        return Err(Problem::conflict("nothing", text));
    }
    by.studio
        .may_write(by.account(), changed.iter().map(|c| c.path.as_str()))?;
    if let (None, faults) = by.studio.check(&app, disk).await? {
        return Err(Problem::faults(&faults));
    }
    let turn = by.studio.turn_to_publish()?;
    let (studio, who) = (Arc::clone(&by.studio), by.who());
    let jobs = &by.studio.jobs;
    let job = jobs.start("folder", by.who(), app.clock.clone(), |job| async move {
        let _turn = turn;
        let adopted = studio.adopt(&app, who, (why, overridden), &job).await;
        adopted.map(|release| Published { release })
    });
    Ok(accepted(job))
}

/// `GET /jobs/{id}`
#[utoipa::path(get, path = "/api/studio/jobs/{id}", params(("id" = String, Path)),
    responses((status = 200, body = JobShown), (status = 404, body = ProblemShown)))]
pub(super) async fn job(
    State(_): State<App>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = by.studio.jobs.find(&id).ok_or_else(no_job)?;
    let shown = job.shown();
    // What citizens wrote is only for whoever asked for it.
    if matches!(shown.kind, "next" | "replay") && shown.by.user != by.account().user.as_str() {
        return Err(Problem::no_right("En anden har bedt om det her."));
    }
    Ok(json(&shown))
}

/// `DELETE /jobs/{id}`
#[utoipa::path(delete, path = "/api/studio/jobs/{id}", params(("id" = String, Path)),
    responses((status = 204), (status = 409, body = ProblemShown)))]
pub(super) async fn stop(
    State(_): State<App>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = by.studio.jobs.find(&id).ok_or_else(no_job)?;
    if job.shown().by.user != by.account().user.as_str() {
        return Err(Problem::no_right("En anden har bedt om det her."));
    }
    by.studio.jobs.stop(&id)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
