//! `/api/session/second-factor/challenge` and `…/keys`: one's own security keys, after docs/desk-protocol.md.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{Here, Said};
use crate::app::App;
use crate::auth::Signed;
use crate::auth::gate::Address;
use crate::auth::http::Trouble;
use crate::auth::sessions::{Recovery, json, read, shown};
use crate::auth::shown::Shown;

/// `POST /api/session/second-factor/challenge`: for a key that shows itself again.
pub(crate) async fn challenge(
    State(app): State<App>,
    signed: Signed,
    Here(site): Here,
) -> Result<Response, Trouble> {
    let site = site.ok_or(Trouble::SecondFactor("elsewhere"))?;
    let account = &signed.account;
    let keys = app.auth.factor(account).await?.keys;
    let asked = app
        .auth
        .ask_for_key(account, &keys, Some(signed.key), &site);
    Ok(json(&asked?))
}

/// `POST /api/session/second-factor/keys`
pub(crate) async fn begin_key(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (shown, from) = (shown(&body)?, from.to_string());
    let at = (site.as_ref(), from.as_str());
    Ok(json(&app.auth.begin_key(&signed, &shown, at).await?))
}

#[derive(Deserialize)]
struct New {
    name: String,
    #[serde(flatten)]
    said: Said,
}

/// `POST /api/session/second-factor/keys/confirm`
pub(crate) async fn confirm_key(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let New { name, said } = read(&body, "Giv nøglen et navn.")?;
    let from = from.to_string();
    let at = (site.as_ref(), from.as_str());
    let recovery_codes = app.auth.add_key(&signed, &said, &name, at).await?;
    Ok(json(&Recovery { recovery_codes }))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// `POST /api/session/second-factor/keys/ID/name`
pub(crate) async fn name_key(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let Name { name } = read(&body, "Giv nøglen et navn.")?;
    let from = from.to_string();
    app.auth.name_key(&signed, &id, &name, &from).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/session/second-factor/keys/ID/remove`
pub(crate) async fn remove_key(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
    Here(site): Here,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (shown, from): (Shown, _) = (shown(&body)?, from.to_string());
    let at = (site.as_ref(), from.as_str());
    app.auth.remove_key(&signed, &id, &shown, at).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
