//! `/api/session`: signing in and out over HTTP, after docs/desk-protocol.md.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use storage::Proof;

use super::gate::Address;
use super::keys::Here;
use super::rights::Who;
use super::second::Standing;
use super::shown::{Asked, Shown};
use super::{ABSOLUTE, COOKIE_NAME, Denied, Signed};
use crate::app::App;

/// The header that shows that one of our own pages asks.
const CSRF_HEADER: &str = "x-borgerlinje-csrf";
/// Bytes of a sign-in at most: a security key says a few thousand.
pub(super) const MAX_BODY: usize = 16 << 10;

/// Why a request of staff was not carried out.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What is missing, for people.
    BadRequest(&'static str),
    BadCredentials,
    SignedOut,
    /// How long to wait.
    Throttled(Duration),
    WrongOrigin,
    /// No chat is opened from this page.
    WrongWebsite,
    WrongCsrf,
    /// It is for others.
    NoRight(Who),
    /// The password was right, or the session is, and a second factor is to be shown.
    CodeNeeded(Box<Asked>),
    BadCode,
    /// What a security key says does not hold.
    BadKey,
    /// What a key was asked for is over, or was for another.
    KeyOver,
    /// A provider has named somebody, and too long ago; or the account is another since.
    SignInOver,
    /// The second factor that is demanded must be set up first.
    SecondFactorNeeded,
    /// It cannot be done as the second factor stands: `off`, `none`, `on`, `required`, `elsewhere`, `taken`, `full`,
    /// `gone`, `unavailable`.
    SecondFactor(&'static str),
    Store(storage::Error),
}

impl Trouble {
    /// A second factor that was used before, or is gone.
    pub(super) fn spent(proof: &Proof) -> Self {
        match proof {
            Proof::Key { .. } => Self::BadKey,
            _ => Self::BadCode,
        }
    }
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
    #[serde(flatten)]
    asked: Option<&'a Asked>,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, code, text) = match &self {
            Trouble::BadRequest(what) => (StatusCode::BAD_REQUEST, "bad_request", *what),
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
            Trouble::WrongWebsite => (
                StatusCode::FORBIDDEN,
                "wrong_website",
                "Chatten kan ikke åbnes fra denne hjemmeside. Den, der driver tjenesten, bestemmer, hvilke \
                 hjemmesider der kan.",
            ),
            Trouble::WrongCsrf => (
                StatusCode::FORBIDDEN,
                "wrong_csrf",
                "Siden er for gammel. Genindlæs den, og prøv igen.",
            ),
            Trouble::NoRight(who) => (
                StatusCode::FORBIDDEN,
                "no_right",
                match who {
                    Who::Editor => "Du skal være redaktør for at bruge studiet.",
                    Who::Supervisor => "Det er kun for supervisorer.",
                    _ => "Du skal være medarbejder eller supervisor for at bruge skrivebordet.",
                },
            ),
            Trouble::CodeNeeded(_) => (
                StatusCode::UNAUTHORIZED,
                "code_needed",
                "Bekræft, at det er dig.",
            ),
            Trouble::BadCode => (
                StatusCode::UNAUTHORIZED,
                "bad_code",
                "Koden passer ikke. Vent på den næste kode i appen, og prøv igen.",
            ),
            Trouble::BadKey => (
                StatusCode::UNAUTHORIZED,
                "bad_key",
                "Nøglen kunne ikke bekræftes. Prøv igen, eller brug en anden.",
            ),
            Trouble::KeyOver => (
                StatusCode::BAD_REQUEST,
                "key_over",
                "Der gik for lang tid. Prøv igen.",
            ),
            Trouble::SignInOver => (
                StatusCode::BAD_REQUEST,
                "sign_in_over",
                "Der gik for lang tid, eller din konto er ændret imens. Begynd forfra.",
            ),
            Trouble::SecondFactorNeeded => (
                StatusCode::FORBIDDEN,
                "second_factor_needed",
                "Din konto skal have totrinsbekræftelse, før du kan gå videre.",
            ),
            Trouble::SecondFactor(how) => (
                StatusCode::CONFLICT,
                "second_factor",
                match *how {
                    "off" => "Totrinsbekræftelse er ikke slået til hos jer.",
                    "none" => "Begynd forfra: der er ingen totrinsbekræftelse at bekræfte.",
                    "on" => "Du har allerede totrinsbekræftelse.",
                    "required" => "Din konto skal have totrinsbekræftelse.",
                    "elsewhere" => {
                        "Nøgler kan ikke bruges på denne adresse. Åbn siden på jeres sædvanlige adresse."
                    }
                    "taken" => "Nøglen er allerede tilføjet.",
                    "full" => "Du har allerede ti nøgler. Fjern en, du ikke bruger.",
                    "gone" => "Nøglen er her ikke længere.",
                    _ => "Det kan ikke lade sig gøre lige nu. Prøv igen om lidt.",
                },
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
        let asked = match &self {
            Trouble::CodeNeeded(asked) => Some(&**asked),
            _ => None,
        };
        let problem = Problem { code, text, asked };
        let mut response = (status, Json(problem)).into_response();
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
    second_factor: Standing,
    ends_in_ms: u64,
}

pub(super) fn me(signed: &Signed, second_factor: Standing) -> Response {
    let account = &signed.account;
    let body = Me {
        user: account.user.as_str(),
        name: &account.details.name,
        roles: account.details.roles.iter().map(|r| r.name()).collect(),
        csrf: &signed.csrf,
        second_factor,
        ends_in_ms: u64::try_from(signed.left.as_millis()).unwrap_or(u64::MAX),
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

pub(super) fn with_cookie(mut response: Response, token: &str, seconds: u64) -> Response {
    let cookie = format!(
        "{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict"
    );
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
    #[serde(flatten)]
    shown: Shown,
}

/// `POST /api/session`
pub(crate) async fn begin(
    State(app): State<App>,
    Address(from): Address,
    Here(site): Here,
    body: Bytes,
) -> Result<Response, Trouble> {
    let auth = &app.auth;
    let small = Some(&body).filter(|b| b.len() <= MAX_BODY);
    let typed = small.and_then(|b| serde_json::from_slice::<Credentials>(b).ok());
    let Credentials {
        user,
        password,
        shown,
    } = typed.ok_or(Trouble::BadRequest("Skriv både brugernavn og adgangskode."))?;
    let signed = auth.sign_in(&user, password, &shown, (site.as_ref(), from));
    let signed = signed.await;
    match &signed {
        Ok(_) => app.metrics.sign_in("ok"),
        Err(Trouble::BadCredentials) => app.metrics.sign_in("refused"),
        Err(Trouble::Throttled(_)) => app.metrics.sign_in("throttled"),
        Err(_) => {}
    }
    let (token, signed) = signed?;
    let (standing, _) = auth.standing(&signed).await?;
    let answer = me(&signed, standing);
    Ok(with_cookie(answer, &token, ABSOLUTE.as_secs()))
}

/// `GET /api/session`
pub(crate) async fn current(State(app): State<App>, signed: Signed) -> Result<Response, Trouble> {
    let (standing, _) = app.auth.standing(&signed).await?;
    Ok(me(&signed, standing))
}

/// Where the page goes on to, for the provider's session to end too.
#[derive(Serialize)]
struct Leaves {
    to: String,
}

/// `DELETE /api/session`
pub(crate) async fn end(
    State(app): State<App>,
    signed: Signed,
    Address(from): Address,
) -> Result<Response, Trouble> {
    let ended = app.auth.sign_out(&signed, from).await;
    ended.map_err(Trouble::Store)?;
    let answer = match app.auth.sign_out_at(signed.key).await {
        Some(to) => Json(Leaves { to: to.into() }).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    Ok(with_cookie(answer, "", 0))
}

impl Signed {
    /// Whether a request shows that one of our own pages asks: it carries the session's own word.
    ///
    /// # Errors
    /// WrongCsrf.
    pub(super) fn vouched(&self, headers: &HeaderMap) -> Result<(), Trouble> {
        let csrf = headers.get(CSRF_HEADER).and_then(|v| v.to_str().ok());
        match csrf {
            Some(csrf) if self.vouches(csrf) => Ok(()),
            _ => Err(Trouble::WrongCsrf),
        }
    }
}
