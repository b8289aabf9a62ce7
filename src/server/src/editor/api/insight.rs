//! The knowledge as a whole: thresholds and links.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::super::blocking;
use super::super::problem::Problem;
use super::super::wire::{JobStarted, Links, ProblemShown, Thresholds};
use super::{By, accepted, json};
use crate::app::App;

/// `GET /thresholds`
#[utoipa::path(get, path = "/api/studio/thresholds", responses((status = 200, body = Thresholds)))]
pub(super) async fn thresholds(State(app): State<App>, by: By) -> Result<Response, Problem> {
    let (snapshot, budget) = (app.snapshot(), by.studio.maker.budget());
    let drawn = blocking(move || Thresholds::of(&snapshot, budget)).await?;
    Ok(json(&drawn))
}

/// `GET /links`
#[utoipa::path(get, path = "/api/studio/links", responses((status = 200, body = Links)))]
pub(super) async fn links(State(_): State<App>, by: By) -> Response {
    json(&by.studio.links())
}

/// `POST /links`
#[utoipa::path(post, path = "/api/studio/links",
    responses((status = 202, body = JobStarted), (status = 409, body = ProblemShown)))]
pub(super) async fn look_at_links(State(app): State<App>, by: By) -> Result<Response, Problem> {
    let job = Arc::clone(&by.studio).look_at_links(&app, by.who())?;
    by.note(&app, "studio_links", "").await;
    Ok(accepted(job))
}
