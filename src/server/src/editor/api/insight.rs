//! The knowledge as a whole: thresholds and links.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::problem::Problem;
use super::super::wire::{JobStarted, Links, ProblemShown, Thresholds};
use super::{By, Query, accepted, json};
use crate::app::App;

#[derive(Deserialize, IntoParams)]
pub(super) struct Of {
    /// Its number in the history; none: what is live.
    release: Option<u64>,
}

/// `GET /thresholds`
#[utoipa::path(get, path = "/api/studio/thresholds", params(Of),
    responses((status = 200, body = Thresholds), (status = 404, body = ProblemShown)))]
pub(super) async fn thresholds(
    State(app): State<App>,
    by: By,
    Query(of): Query<Of>,
) -> Result<Response, Problem> {
    Ok(json(&by.studio.thresholds(&app, of.release).await?))
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
