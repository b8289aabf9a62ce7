//! `/api/session/…`: what staff do about their own second factor and sessions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Signed;
use super::gate::Address;
use super::http::{MAX_BODY, Trouble};
use super::keys::{Here, Listed, listed};
use super::second::Standing;
use super::shown::Shown;
use crate::app::App;

/// Bytes of a session's key that name it to its owner.
const NAMED_BY: usize = 8;

pub(super) fn json(body: &impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

pub(super) fn read<T: DeserializeOwned>(body: &Bytes, missing: &'static str) -> Result<T, Trouble> {
    let small = Some(body).filter(|b| b.len() <= MAX_BODY);
    let read = small.and_then(|b| serde_json::from_slice(b).ok());
    read.ok_or(Trouble::BadRequest(missing))
}

/// A second factor; one that is not there is asked for where it is needed.
pub(super) fn shown(body: &Bytes) -> Result<Shown, Trouble> {
    if body.is_empty() {
        return Ok(Shown::default());
    }
    read(body, "Skriv koden.")
}

#[derive(Serialize)]
struct Second {
    state: Standing,
    /// How many are left.
    recovery_codes: u64,
    /// Whether one must be left.
    required: bool,
    /// Whether there is a code app.
    app: bool,
    keys: Vec<Listed>,
    /// Whether keys can be used at this address.
    keys_here: bool,
}

/// `GET /api/session/second-factor`
pub(crate) async fn second(
    State(app): State<App>,
    signed: Signed,
    Here(site): Here,
) -> Result<Response, Trouble> {
    let (state, factor) = app.auth.standing(&signed).await?;
    let required = app.auth.staff.demands(&signed.account);
    Ok(json(&Second {
        state,
        recovery_codes: factor.recovery_codes,
        required,
        app: factor.confirmed_app().is_some(),
        keys: listed(&factor.keys),
        keys_here: site.is_some(),
    }))
}

/// `POST /api/session/second-factor`
pub(crate) async fn begin_second(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (shown, from) = (shown(&body)?, from.to_string());
    let at = (site.as_ref(), from.as_str());
    Ok(json(&app.auth.offer(&signed, &shown, at).await?))
}

#[derive(Serialize)]
pub(super) struct Recovery {
    /// Shown this once; none where those of before are still good.
    pub(super) recovery_codes: Vec<String>,
}

/// `POST /api/session/second-factor/confirm`
pub(crate) async fn confirm_second(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    body: Bytes,
) -> Result<Response, Trouble> {
    let Code { code } = read(&body, "Skriv koden.")?;
    let recovery_codes = app.auth.set_up(&signed, &code, &from.to_string()).await?;
    Ok(json(&Recovery { recovery_codes }))
}

/// `POST /api/session/second-factor/recovery-codes`
pub(crate) async fn new_recovery(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (shown, from) = (shown(&body)?, from.to_string());
    let at = (site.as_ref(), from.as_str());
    let recovery_codes = app.auth.other_codes(&signed, &shown, at).await?;
    Ok(json(&Recovery { recovery_codes }))
}

/// `POST /api/session/second-factor/remove`
pub(crate) async fn remove_second(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (shown, from) = (shown(&body)?, from.to_string());
    let at = (site.as_ref(), from.as_str());
    app.auth.take_away(&signed, &shown, at).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Serialize)]
struct Row {
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
    sessions: Vec<Row>,
}

/// `GET /api/session/all`
pub(crate) async fn list(State(app): State<App>, signed: Signed) -> Result<Response, Trouble> {
    let now = app.clock.now();
    let found = app.auth.sessions_of(&signed.account, now).await?;
    let shown = found.into_iter().map(|s| Row {
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
