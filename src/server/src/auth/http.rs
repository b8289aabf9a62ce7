//! `/api/session`: signing in and out over HTTP, after docs/desk-protocol.md.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{ABSOLUTE, Auth, COOKIE_NAME, Denied, Signed};
use crate::app::App;

/// The header that shows that one of our own pages asks.
const CSRF_HEADER: &str = "x-borgerlinje-csrf";
/// Bytes of a sign-in at most.
const MAX_BODY: usize = 4 << 10;

/// Why a request of staff was not carried out.
#[derive(Debug)]
pub(crate) enum Trouble {
    BadRequest,
    BadCredentials,
    SignedOut,
    /// How long to wait.
    Throttled(Duration),
    WrongOrigin,
    WrongCsrf,
    Store(storage::Error),
}

impl From<Denied> for Trouble {
    fn from(d: Denied) -> Self {
        match d {
            Denied::SignedOut => Self::SignedOut,
            Denied::Store(e) => Self::Store(e),
        }
    }
}

/// An error as staff get it: a code for the page, a text for people.
#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    text: &'a str,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, code, text) = match &self {
            Trouble::BadRequest => (
                StatusCode::BAD_REQUEST,
                "bad_request",
                "Skriv både brugernavn og adgangskode.",
            ),
            Trouble::BadCredentials => (
                StatusCode::UNAUTHORIZED,
                "bad_credentials",
                "Brugernavn eller adgangskode er forkert.",
            ),
            Trouble::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "signed_out",
                "Du er logget ud. Log ind igen.",
            ),
            Trouble::Throttled(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "throttled",
                "Der er prøvet for mange gange. Vent lidt, og prøv så igen.",
            ),
            Trouble::WrongOrigin => (
                StatusCode::FORBIDDEN,
                "wrong_origin",
                "Siden er åbnet på en adresse, som tjenesten ikke kender. Den, der driver tjenesten, skal \
                 angive adressen i BORGERLINJE_PUBLIC_URL.",
            ),
            Trouble::WrongCsrf => (
                StatusCode::FORBIDDEN,
                "wrong_csrf",
                "Siden er for gammel. Genindlæs den, og prøv igen.",
            ),
            Trouble::Store(e) => {
                tracing::error!("the accounts: {e}");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Det kan ikke lade sig gøre lige nu. Prøv igen om lidt.",
                )
            }
        };
        let mut response = (status, Json(Problem { code, text })).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Trouble::Throttled(wait) = self {
            // Rounded up: who comes then is not sent away again.
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)),
            );
        }
        response
    }
}

#[derive(Serialize)]
struct Me<'a> {
    user: &'a str,
    name: &'a str,
    roles: Vec<&'static str>,
    csrf: &'a str,
}

fn me(signed: &Signed) -> Response {
    let account = &signed.account;
    let body = Me {
        user: account.user.as_str(),
        name: &account.details.name,
        roles: account.details.roles.iter().map(|r| r.name()).collect(),
        csrf: &signed.csrf,
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn with_cookie(mut response: Response, token: &str, seconds: u64) -> Response {
    let cookie = format!(
        "{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
    );
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

/// `POST /api/session`
pub(crate) async fn begin(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    let auth = &app.auth;
    if !auth.origins().ours(&headers) {
        return Err(Trouble::WrongOrigin);
    }
    let small = Some(&body).filter(|b| b.len() <= MAX_BODY);
    let typed = small.and_then(|b| serde_json::from_slice::<Credentials>(b).ok());
    let Credentials { user, password } = typed.ok_or(Trouble::BadRequest)?;
    let from = auth.address(peer, &headers);
    let signed = auth.sign_in(&user, password, from).await;
    match &signed {
        Ok(_) => app.metrics.sign_in("ok"),
        Err(Trouble::BadCredentials) => app.metrics.sign_in("refused"),
        Err(Trouble::Throttled(_)) => app.metrics.sign_in("throttled"),
        Err(_) => {}
    }
    let (token, signed) = signed?;
    Ok(with_cookie(me(&signed), &token, ABSOLUTE.as_secs()))
}

/// `GET /api/session`
pub(crate) async fn current(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    Ok(me(&app.auth.session(&headers).await?))
}

/// `DELETE /api/session`
pub(crate) async fn end(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let auth = &app.auth;
    let signed = auth.session_of_page(&headers).await?;
    let from = auth.address(peer, &headers);
    auth.sign_out(&signed, from).await.map_err(Trouble::Store)?;
    Ok(with_cookie(StatusCode::NO_CONTENT.into_response(), "", 0))
}

impl Auth {
    /// The session of a request that changes something: made by a page of ours, with the session's own word.
    ///
    /// # Errors
    /// WrongOrigin, SignedOut, WrongCsrf, Store.
    pub(crate) async fn session_of_page(&self, headers: &HeaderMap) -> Result<Signed, Trouble> {
        if !self.origins().ours(headers) {
            return Err(Trouble::WrongOrigin);
        }
        let signed = self.session(headers).await?;
        let csrf = headers.get(CSRF_HEADER).and_then(|v| v.to_str().ok());
        if csrf.is_none_or(|c| !signed.vouches(c)) {
            return Err(Trouble::WrongCsrf);
        }
        Ok(signed)
    }
}
