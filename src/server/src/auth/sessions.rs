//! `/api/session/…`: what staff do about their own second factor and sessions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::hex;
use serde::{Deserialize, Serialize};

use super::Signed;
use super::gate::Address;
use super::http::{MAX_BODY, Trouble};
use super::second::Standing;
use crate::app::App;

/// Bytes of a session's key that name it to its owner.
const NAMED_BY: usize = 8;

fn json(body: &impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

fn code(body: &Bytes) -> Result<String, Trouble> {
    let small = Some(body).filter(|b| b.len() <= MAX_BODY);
    let read = small.and_then(|b| serde_json::from_slice::<Code>(b).ok());
    read.map(|c| c.code)
        .ok_or(Trouble::BadRequest("Skriv koden."))
}

#[derive(Serialize)]
struct Second {
    state: Standing,
    /// How many are left.
    recovery_codes: u64,
    /// Whether it may be taken away.
    required: bool,
}

/// `GET /api/session/second-factor`
pub(crate) async fn second(State(app): State<App>, signed: Signed) -> Result<Response, Trouble> {
    let (state, recovery_codes) = app.auth.standing(&signed).await?;
    let required = app.auth.staff.demands(&signed.account);
    Ok(json(&Second {
        state,
        recovery_codes,
        required,
    }))
}

/// `POST /api/session/second-factor`
pub(crate) async fn begin_second(
    State(app): State<App>,
    signed: Signed,
) -> Result<Response, Trouble> {
    Ok(json(&app.auth.offer(&signed).await?))
}

#[derive(Serialize)]
struct Recovery {
    /// Shown this once.
    recovery_codes: Vec<String>,
}

/// `POST /api/session/second-factor/confirm`
pub(crate) async fn confirm_second(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Trouble> {
    let code = code(&body)?;
    let recovery_codes = app.auth.set_up(&signed, &code, &from.to_string()).await?;
    Ok(json(&Recovery { recovery_codes }))
}

/// `POST /api/session/second-factor/recovery-codes`
pub(crate) async fn new_recovery(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Trouble> {
    let code = code(&body)?;
    let from = from.to_string();
    let recovery_codes = app.auth.other_codes(&signed, &code, &from).await?;
    Ok(json(&Recovery { recovery_codes }))
}

/// `POST /api/session/second-factor/remove`
pub(crate) async fn remove_second(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Trouble> {
    let code = code(&body)?;
    app.auth
        .take_away(&signed, &code, &from.to_string())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Serialize)]
struct Shown {
    id: String,
    /// When it began and was last used, in ms since 1970; the latter to the minute.
    begun_ms: i64,
    used_ms: i64,
    /// The address that signed in; empty for one from before addresses were kept.
    from: String,
    second_factor: bool,
    /// Whether it is the one that asks.
    this: bool,
}

#[derive(Serialize)]
struct All {
    sessions: Vec<Shown>,
}

/// `GET /api/session/all`
pub(crate) async fn list(State(app): State<App>, signed: Signed) -> Result<Response, Trouble> {
    let now = app.clock.now();
    let found = app.auth.sessions_of(&signed.account, now).await?;
    let shown = found.into_iter().map(|s| Shown {
        id: hex(&s.sha256[..NAMED_BY]),
        begun_ms: s.created.as_millisecond(),
        used_ms: s.seen.as_millisecond(),
        this: s.sha256 == signed.key,
        from: s.origin,
        second_factor: s.second,
    });
    Ok(json(&All {
        sessions: shown.collect(),
    }))
}

/// `DELETE /api/session/all/ID`: of one's own. One that is not there has ended.
pub(crate) async fn end_one(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let found = app
        .auth
        .sessions_of(&signed.account, app.clock.now())
        .await?;
    if let Some(one) = found.iter().find(|s| hex(&s.sha256[..NAMED_BY]) == id) {
        app.auth.end_other(&signed, one.sha256, from).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
