//! The routes, and what each request must bring.

mod drafts;
mod insight;
mod knowledge;
mod releases;
mod work;

pub(super) use self::knowledge::listed;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use super::Studio;
use super::drafts::who;
use super::problem::{Problem, Refused};
use super::wire::Who;
use crate::app::App;
use crate::auth::{Account, Address, Routes, Signed, rights};

/// Bytes of a request at most, and of an import.
const MAX_BODY: usize = 4 << 20;
const MAX_IMPORT: usize = 32 << 20;
/// A larger one takes milliseconds to read, and is read beside the async threads.
const LARGE: usize = 256 << 10;

/// The API in OpenAPI's words.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Borgerlinje: the editors' studio",
        version = "1",
        description = "Errors are {code, text}; text is Danish and may be shown. See docs/studio-api.md."
    ),
    paths(
        knowledge::me,
        knowledge::status,
        knowledge::knowledge,
        knowledge::article,
        knowledge::preview,
        knowledge::slots,
        knowledge::rates,
        knowledge::facts,
        drafts::list,
        drafts::create,
        drafts::one,
        drafts::change,
        drafts::diff,
        drafts::versions,
        drafts::conflicts,
        drafts::resolve,
        drafts::comment,
        drafts::state,
        drafts::publish,
        work::replay,
        work::next,
        insight::thresholds,
        insight::links,
        insight::look_at_links,
        work::import,
        releases::list,
        releases::one,
        releases::undo,
        releases::folder,
        releases::job,
        releases::stop,
        openapi,
    ),
    components(schemas(
        super::wire::Published,
        super::wire::ProblemShown,
        super::wire::Replay,
        super::wire::Next,
        super::wire::Imported
    ))
)]
struct Document;

/// Every route below `/api/studio`.
pub(crate) fn routes(routes: Routes) -> Routes {
    use self::{drafts as d, insight as i, knowledge as k, releases as r, work as w};
    routes
        .on_with(MAX_BODY, rights::ME, k::me)
        .on_with(MAX_BODY, rights::STATUS, k::status)
        .on_with(MAX_BODY, rights::OPENAPI, openapi)
        .on_with(MAX_BODY, rights::KNOWLEDGE, k::knowledge)
        .on_with(MAX_BODY, rights::ARTICLE, k::article)
        .on_with(MAX_BODY, rights::PREVIEW, k::preview)
        .on_with(MAX_BODY, rights::SLOTS, k::slots)
        .on_with(MAX_BODY, rights::RATES, k::rates)
        .on_with(MAX_BODY, rights::FACTS, k::facts)
        .on_with(MAX_BODY, rights::DRAFTS, d::list)
        .on_with(MAX_BODY, rights::NEW_DRAFT, d::create)
        .on_with(MAX_BODY, rights::DRAFT, d::one)
        .on_with(MAX_BODY, rights::CHANGE, d::change)
        .on_with(MAX_BODY, rights::DIFF, d::diff)
        .on_with(MAX_BODY, rights::VERSIONS, d::versions)
        .on_with(MAX_BODY, rights::CONFLICTS, d::conflicts)
        .on_with(MAX_BODY, rights::RESOLVE, d::resolve)
        .on_with(MAX_BODY, rights::COMMENT, d::comment)
        .on_with(MAX_BODY, rights::STATE, d::state)
        .on_with(MAX_BODY, rights::PUBLISH, d::publish)
        .on_with(MAX_BODY, rights::REPLAY, w::replay)
        .on_with(MAX_BODY, rights::NEXT, w::next)
        .on_with(MAX_BODY, rights::THRESHOLDS, i::thresholds)
        .on_with(MAX_BODY, rights::LINKS, i::links)
        .on_with(MAX_BODY, rights::LOOK_AT_LINKS, i::look_at_links)
        .on_with(MAX_IMPORT, rights::IMPORT, w::import)
        .on_with(MAX_BODY, rights::RELEASES, r::list)
        .on_with(MAX_BODY, rights::RELEASE, r::one)
        .on_with(MAX_BODY, rights::UNDO, r::undo)
        .on_with(MAX_BODY, rights::FOLDER, r::folder)
        .on_with(MAX_BODY, rights::JOB, r::job)
        .on_with(MAX_BODY, rights::STOP_JOB, r::stop)
}

/// `GET /openapi.json`
#[utoipa::path(get, path = "/api/studio/openapi.json", responses((status = 200, body = Object)))]
async fn openapi(_by: By) -> Response {
    json(&Document::openapi())
}

/// An answer that nobody keeps.
fn json(body: &impl Serialize) -> Response {
    let mut response = axum::Json(body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

fn accepted(job: String) -> Response {
    let mut response = json(&super::wire::JobStarted { job });
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// Who asks: the gate has let the request through by its row of the table of rights.
struct By {
    signed: Signed,
    studio: Arc<Studio>,
    /// The address that it came from.
    origin: String,
}

impl By {
    fn account(&self) -> &Account {
        &self.signed.account
    }

    fn who(&self) -> Who {
        who(self.account())
    }

    async fn note(&self, app: &App, what: &str, detail: &str) {
        let user = &self.account().user;
        app.auth.note(user, what, &self.origin, detail).await;
    }
}

impl FromRequestParts<App> for By {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let signed = Signed::from_request_parts(parts, app).await;
        let from = Address::from_request_parts(parts, app).await;
        let studio = app.studio.get().cloned();
        let studio = studio.ok_or_else(|| Problem::unavailable("it has not started"));
        Ok(Self {
            signed: signed.map_err(Refused::Session)?,
            studio: studio.map_err(Refused::Studio)?,
            origin: from.map_err(Refused::Session)?.0.to_string(),
        })
    }
}

/// A JSON body; what is wrong with it is said in words.
struct Asked<T>(T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, app).await;
        let bytes = bytes.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
            _ => Problem::bad("Forespørgslen kom ikke helt frem."),
        })?;
        let read = if bytes.len() > LARGE {
            super::long(move || serde_json::from_slice(&bytes)).await?
        } else {
            serde_json::from_slice(&bytes)
        };
        read.map(Self)
            .map_err(|e| Problem::bad(format!("Forespørgslen kan ikke læses: {e}")))
    }
}

/// Values of a query string; what is wrong with them is said in words.
struct Query<T>(T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|q| Self(q.0))
            .map_err(|e| Problem::bad(format!("Forespørgslen kan ikke læses: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_names_every_route_and_no_other() {
        let document = serde_json::to_value(Document::openapi()).unwrap();
        let described: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys();
                let methods = methods.filter(|m| ["get", "post", "delete"].contains(&m.as_str()));
                methods.map(move |m| (m.clone(), path.clone()))
            })
            .collect();
        let of_studio = |r: &&rights::Route| r.path.starts_with("/api/studio/");
        let there: BTreeSet<(String, String)> = rights::ROUTES
            .iter()
            .filter(of_studio)
            .map(|r| (format!("{:?}", r.method).to_lowercase(), r.path.to_owned()))
            .collect();
        assert_eq!(described, there);
        let page = include_str!("../../../../docs/studio-api.md");
        for (method, path) in &there {
            let path = path.trim_start_matches("/api/studio");
            let path = path.replace("{number}", "{n}");
            let named = format!("`{} {path}", method.to_uppercase());
            assert!(page.contains(&named), "docs/studio-api.md has no {named}");
        }
    }
}
