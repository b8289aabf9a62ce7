//! The routes, and what each request must bring.

mod drafts;
mod insight;
mod knowledge;
mod releases;
mod work;

pub(super) use self::knowledge::listed;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use super::Studio;
use super::drafts::who;
use super::places::Rights;
use super::problem::{Problem, Refused};
use super::wire::Who;
use crate::app::App;
use crate::auth::{Account, Signed};

/// Bytes of a request at most, and of an import.
const MAX_BODY: usize = 4 << 20;
const MAX_IMPORT: usize = 32 << 20;

/// Every route of the studio: method, path below `/api/studio`, handler.
fn table() -> Vec<(&'static str, &'static str, MethodRouter<App>)> {
    use self::{drafts as d, insight as i, knowledge as k, releases as r, work as w};
    vec![
        ("get", "/me", get(k::me)),
        ("get", "/status", get(k::status)),
        ("get", "/openapi.json", get(openapi)),
        ("get", "/knowledge", get(k::knowledge)),
        ("get", "/articles/{id}", get(k::article)),
        ("post", "/preview", post(k::preview)),
        ("get", "/slots", get(k::slots)),
        ("get", "/rates", get(k::rates)),
        ("get", "/facts/{code}", get(k::facts)),
        ("get", "/drafts", get(d::list)),
        ("post", "/drafts", post(d::create)),
        ("get", "/drafts/{id}", get(d::one)),
        ("post", "/drafts/{id}/changes", post(d::change)),
        ("get", "/drafts/{id}/diff", get(d::diff)),
        ("get", "/drafts/{id}/versions", get(d::versions)),
        ("get", "/drafts/{id}/conflicts", get(d::conflicts)),
        ("post", "/drafts/{id}/resolve", post(d::resolve)),
        ("post", "/drafts/{id}/comments", post(d::comment)),
        ("post", "/drafts/{id}/state", post(d::state)),
        ("post", "/drafts/{id}/publish", post(d::publish)),
        ("post", "/drafts/{id}/replay", post(w::replay)),
        ("post", "/next", post(w::next)),
        ("get", "/thresholds", get(i::thresholds)),
        ("get", "/links", get(i::links)),
        ("post", "/links", post(i::look_at_links)),
        ("post", "/import", post(w::import)),
        ("get", "/releases", get(r::list)),
        ("get", "/releases/{number}", get(r::one)),
        ("post", "/releases/{number}/undo", post(r::undo)),
        ("post", "/releases/folder", post(r::folder)),
        ("get", "/jobs/{id}", get(r::job)),
        ("delete", "/jobs/{id}", delete(r::stop)),
    ]
}

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
pub(crate) fn routes() -> Router<App> {
    let mut router = Router::new();
    for (_, path, handler) in table() {
        let most = if path == "/import" {
            MAX_IMPORT
        } else {
            MAX_BODY
        };
        router = router.route(path, handler.layer(DefaultBodyLimit::max(most)));
    }
    router
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

/// Who asks, and may; with every request but a reading one the page has vouched for itself.
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
        let reading = parts.method == Method::GET || parts.method == Method::HEAD;
        let signed = if reading {
            app.auth.session(&parts.headers).await.map_err(Into::into)
        } else {
            app.auth.session_of_page(&parts.headers).await
        };
        let signed = signed.map_err(Refused::Session)?;
        if !Rights::enters(&signed.account) {
            let text = "Du skal være redaktør for at bruge studiet.";
            return Err(Refused::Studio(Problem::no_right(text)));
        }
        let studio = app.studio.get().cloned();
        let studio = studio.ok_or_else(|| Problem::unavailable("it has not started"));
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self {
            signed,
            studio: studio.map_err(Refused::Studio)?,
            origin: peer.map_or_else(String::new, |p| {
                app.auth.address(p.0, &parts.headers).to_string()
            }),
        })
    }
}

/// A JSON body; what is wrong with it is said in words.
struct Asked<T>(T);

impl<T: DeserializeOwned> FromRequest<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, app).await;
        let bytes = bytes.map_err(|e| match e.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
            _ => Problem::bad("Forespørgslen kom ikke helt frem."),
        })?;
        let read = serde_json::from_slice(&bytes);
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
        let there: BTreeSet<(String, String)> = table()
            .iter()
            .map(|(m, p, _)| ((*m).to_owned(), format!("/api/studio{p}")))
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
