//! `/drafts`: from the first change to publishing.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::drafts::{Found, New, VersionMeta, alive, title, words};
use super::super::places::listed;
use super::super::problem::Problem;
use super::super::wire::{
    Changes, Conflicts, Diffs, Draft, Drafts, JobStarted, NewComment, NewDraft, NewState,
    ProblemShown, Publish, Published, Resolve, Version, Versions,
};
use super::super::{blocking, diff as differences};
use super::{Asked, By, Query, accepted, json};
use crate::app::App;

/// Drafts in a list at most.
const LISTED: u32 = 200;

#[derive(Deserialize, IntoParams)]
pub(super) struct States {
    /// With commas between: `open,waiting`.
    state: Option<String>,
}

async fn whole(app: &App, by: &By, found: &Found) -> Result<Draft, Problem> {
    by.studio.shown(app, found, by.account()).await
}

fn created(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// `GET /drafts`
#[utoipa::path(get, path = "/api/studio/drafts", params(States), responses((status = 200, body = Drafts)))]
pub(super) async fn list(
    State(_): State<App>,
    by: By,
    Query(asked): Query<States>,
) -> Result<Response, Problem> {
    let states = match asked.state {
        Some(list) => list.split(',').map(|s| s.trim().to_owned()).collect(),
        None => alive(),
    };
    let mut drafts = Vec::new();
    for row in by.studio.store.drafts(states, LISTED).await? {
        drafts.push(by.studio.listed_draft(&row, by.account()).await?);
    }
    Ok(json(&Drafts { drafts }))
}

/// `POST /drafts`
#[utoipa::path(post, path = "/api/studio/drafts", request_body = NewDraft,
    responses((status = 201, body = Draft), (status = 403, body = ProblemShown)))]
pub(super) async fn create(
    State(app): State<App>,
    by: By,
    Asked(asked): Asked<NewDraft>,
) -> Result<Response, Problem> {
    let new = New {
        title: asked.title,
        why: asked.why,
        source: None,
        changes: asked.changes,
    };
    let found = by.studio.new_draft(&app, by.account(), new).await?;
    by.note(&app, "studio_draft", &found.row.id).await;
    Ok(created(json(&whole(&app, &by, &found).await?)))
}

/// `GET /drafts/{id}`
#[utoipa::path(get, path = "/api/studio/drafts/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Draft), (status = 404, body = ProblemShown)))]
pub(super) async fn one(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = by.studio.found(&id).await?;
    Ok(json(&whole(&app, &by, &found).await?))
}

/// `POST /drafts/{id}/changes`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/changes", params(("id" = String, Path)), request_body = Changes,
    responses((status = 200, body = Draft), (status = 409, body = ProblemShown)))]
pub(super) async fn change(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<Changes>,
) -> Result<Response, Problem> {
    let new_title = asked.title.as_deref().map(title).transpose()?;
    let why = asked.why.as_deref().map(words).transpose()?;
    let saved = by
        .studio
        .save(&app, by.account(), &id, asked.version, |meta, bench| {
            for change in &asked.changes {
                bench.change(change.clone())?;
            }
            if let Some(title) = &new_title {
                meta.title.clone_from(title);
            }
            if let Some(why) = &why {
                meta.why.clone_from(why);
            }
            Ok(())
        });
    let found = saved.await?;
    let detail = format!("{id} {}", found.row.version);
    by.note(&app, "studio_save", &detail).await;
    Ok(json(&whole(&app, &by, &found).await?))
}

#[derive(Deserialize, IntoParams)]
pub(super) struct AtVersion {
    /// The newest where it is left out.
    version: Option<u64>,
}

/// `GET /drafts/{id}/diff`
#[utoipa::path(get, path = "/api/studio/drafts/{id}/diff", params(("id" = String, Path), AtVersion),
    responses((status = 200, body = Diffs)))]
pub(super) async fn diff(
    State(_): State<App>,
    by: By,
    Path(id): Path<String>,
    Query(asked): Query<AtVersion>,
) -> Result<Response, Problem> {
    let found = by.studio.found(&id).await?;
    let files = match asked.version {
        Some(version) => by.studio.store.version(&id, version).await?,
        None => found.files,
    };
    let files = blocking(move || differences::files(&files)).await?;
    Ok(json(&Diffs { files }))
}

/// `GET /drafts/{id}/versions`
#[utoipa::path(get, path = "/api/studio/drafts/{id}/versions", params(("id" = String, Path)),
    responses((status = 200, body = Versions)))]
pub(super) async fn versions(
    State(_): State<App>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    by.studio.found(&id).await?;
    let mut versions = Vec::new();
    for row in by.studio.store.versions(&id).await? {
        let meta: VersionMeta = serde_json::from_str(&row.meta).map_err(Problem::unavailable)?;
        let files = by.studio.store.version(&id, row.version).await?;
        versions.push(Version {
            version: row.version,
            by: meta.by,
            at_ms: row.at.as_millisecond(),
            files: files.iter().map(listed).collect(),
        });
    }
    Ok(json(&Versions { versions }))
}

/// `GET /drafts/{id}/conflicts`
#[utoipa::path(get, path = "/api/studio/drafts/{id}/conflicts", params(("id" = String, Path)),
    responses((status = 200, body = Conflicts)))]
pub(super) async fn conflicts(
    State(_): State<App>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = by.studio.found(&id).await?;
    let (_, conflicts) = by.studio.laid(&found.files).await?;
    Ok(json(&Conflicts { conflicts }))
}

/// `POST /drafts/{id}/resolve`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/resolve", params(("id" = String, Path)), request_body = Resolve,
    responses((status = 200, body = Draft), (status = 409, body = ProblemShown)))]
pub(super) async fn resolve(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<Resolve>,
) -> Result<Response, Problem> {
    let found = by.studio.resolve(&app, by.account(), &id, asked).await?;
    let detail = format!("{id} {}", found.row.version);
    by.note(&app, "studio_save", &detail).await;
    Ok(json(&whole(&app, &by, &found).await?))
}

/// `POST /drafts/{id}/comments`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/comments", params(("id" = String, Path)), request_body = NewComment,
    responses((status = 201, body = Draft)))]
pub(super) async fn comment(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<NewComment>,
) -> Result<Response, Problem> {
    let said = by
        .studio
        .comment(&app, by.account(), &id, &asked.text, asked.file);
    said.await?;
    by.note(&app, "studio_comment", &id).await;
    let found = by.studio.found(&id).await?;
    Ok(created(json(&whole(&app, &by, &found).await?)))
}

/// `POST /drafts/{id}/state`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/state", params(("id" = String, Path)), request_body = NewState,
    responses((status = 200, body = Draft), (status = 409, body = ProblemShown)))]
pub(super) async fn state(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<NewState>,
) -> Result<Response, Problem> {
    let detail = format!("{id} {}", asked.to);
    let found = by.studio.become_(&app, by.account(), &id, asked).await?;
    by.note(&app, "studio_state", &detail).await;
    Ok(json(&whole(&app, &by, &found).await?))
}

/// `POST /drafts/{id}/publish`
#[utoipa::path(post, path = "/api/studio/drafts/{id}/publish", params(("id" = String, Path)), request_body = Publish,
    responses((status = 202, body = JobStarted), (status = 409, body = ProblemShown)))]
pub(super) async fn publish(
    State(app): State<App>,
    by: By,
    Path(id): Path<String>,
    Asked(asked): Asked<Publish>,
) -> Result<Response, Problem> {
    let found = by.studio.found(&id).await?;
    found.at(asked.version)?;
    by.studio.may_write(by.account(), found.paths())?;
    let overridden = asked.overridden.as_deref().map(words).transpose()?;
    let overridden = overridden.filter(|o| !o.is_empty());
    let turn = by.studio.turn_to_publish()?;
    by.studio
        .publishable(&app, &found, overridden.as_deref())
        .await?;
    let (studio, who) = (Arc::clone(&by.studio), by.who());
    let jobs = &by.studio.jobs;
    let job = jobs.start("publish", by.who(), app.clock.clone(), |job| async move {
        let _turn = turn;
        let release = studio.publish_draft(&app, found, who, overridden, &job);
        release.await.map(|release| Published { release })
    });
    Ok(accepted(job))
}
