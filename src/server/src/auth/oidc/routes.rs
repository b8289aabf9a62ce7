//! `/api/session/providers` and `/api/session/oidc`: to a provider and back, after docs/desk-protocol.md.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base::Secret;
use serde::{Deserialize, Serialize};

use super::waiting::{GOOD_FOR, Named, Target};
use super::{Fault, Who};
use crate::app::App;
use crate::auth::gate::Address;
use crate::auth::http::{Trouble, me, with_cookie};
use crate::auth::keys::Here;
use crate::auth::sessions::shown;
use crate::auth::shown::Shown;
use crate::auth::throttle::network;
use crate::auth::{ABSOLUTE, cookie_named, same, sha256};

/// What binds a sign-in to the browser that began it. `Lax`: it comes along when the provider sends the browser back.
const COOKIE: &str = "__Host-borgerlinje-oidc";
/// Characters of what a provider says that are written in the log.
const LOGGED: usize = 60;

#[derive(Serialize)]
struct Offered<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct All<'a> {
    providers: Vec<Offered<'a>>,
}

/// `GET /api/session/providers`: what the sign-in page offers.
pub(crate) async fn providers(State(app): State<App>) -> Response {
    let all = app.auth.oidc.providers.iter().map(|p| Offered {
        id: &p.provider.id,
        name: &p.provider.name,
    });
    let providers = all.collect();
    ([(CACHE_CONTROL, "no-store")], Json(All { providers })).into_response()
}

/// Sends a browser on; `cookie` is the new value of ours, and for how many seconds.
fn to(place: &str, cookie: (&str, u64)) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(place) = HeaderValue::try_from(place) {
        headers.insert(LOCATION, place);
    }
    keep(headers, cookie);
    response
}

fn keep(headers: &mut HeaderMap, (value, seconds): (&str, u64)) {
    let cookie =
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.append(SET_COOKIE, cookie);
    }
}

const NOTHING: (&str, u64) = ("", 0);

/// Back to the page that the sign-in began at, which says what became of it.
fn back(target: Target, fault: Fault, cookie: (&str, u64)) -> Response {
    to(
        &format!("{}?sign_in={}", target.path(), fault.code()),
        cookie,
    )
}

fn secret() -> String {
    format!("{}{}", Secret::random().as_str(), Secret::random().as_str())
}

/// Where a provider sends a browser back to: an address that the operator has registered there.
fn return_address(app: &App, provider: &str) -> Option<String> {
    let public = app.auth.origins().public.as_deref()?;
    Some(format!("{public}/api/session/oidc/{provider}/return"))
}

#[derive(Deserialize)]
pub(crate) struct From {
    to: Option<String>,
}

/// `GET /api/session/oidc/ID`: on to the provider.
pub(crate) async fn begin(
    State(app): State<App>,
    Address(from): Address,
    Path(id): Path<String>,
    Query(asked): Query<From>,
) -> Response {
    let target = Target::from_name(asked.to.as_deref());
    match send(&app, &id, target, from).await {
        Ok((url, token)) => to(&url, (&token, GOOD_FOR.as_secs())),
        Err(fault) => back(target, fault, NOTHING),
    }
}

async fn send(
    app: &App,
    id: &str,
    target: Target,
    from: std::net::IpAddr,
) -> Result<(String, String), Fault> {
    let (auth, oidc) = (&app.auth, &app.auth.oidc);
    let provider = oidc.find(id).ok_or(Fault::Over)?;
    let address = return_address(app, id).ok_or(Fault::Unavailable)?;
    let begun = provider.begin(&oidc.caller, &*auth.clock, &address, target);
    let (url, begun) = begun.await?;
    let (token, now) = (secret(), auth.clock.monotonic());
    let key = sha256(&[token.as_bytes()]);
    let kept = oidc.waiting(|w| w.begin(key, begun, network(from), now));
    kept.map_err(|_| Fault::Busy)?;
    Ok((url.into(), token))
}

/// What a provider adds to the address (RFC 6749, section 4.1.2; `iss` by RFC 9207).
#[derive(Deserialize)]
pub(crate) struct Brought {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// `GET /api/session/oidc/ID/return`: back from the provider.
pub(crate) async fn returned(
    State(app): State<App>,
    Address(from): Address,
    Path(id): Path<String>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Response {
    let oidc = &app.auth.oidc;
    let key = cookie_named(&headers, COOKIE).map(|token| sha256(&[token.as_bytes()]));
    let now = app.auth.clock.monotonic();
    // Gone from now on, whatever is wrong with what was brought.
    let begun = key.and_then(|key| oidc.waiting(|w| w.take(&key, now)));
    let Some(begun) = begun else {
        return back(Target::default(), Fault::Over, NOTHING);
    };
    let target = begun.target;
    let state = brought.state.as_deref().unwrap_or_default();
    let ours = begun.provider == id && same(state, begun.state.secret());
    let Some(provider) = oidc.find(&id).filter(|_| ours) else {
        tracing::info!(%from, "a sign-in by a provider came back with another state");
        return back(target, Fault::Over, NOTHING);
    };
    if let Some(error) = &brought.error {
        let told: String = error.chars().take(LOGGED).collect();
        tracing::info!("the provider {id} says no: {told:?}");
        let denied = error == "access_denied" || error == "login_required";
        let fault = if denied { Fault::Denied } else { Fault::Failed };
        return back(target, fault, NOTHING);
    }
    let issuer = provider.provider.issuer.as_str();
    let mixed_up = brought.iss.is_some_and(|iss| iss != issuer);
    let (Some(code), Some(address), false) = (brought.code, return_address(&app, &id), mixed_up)
    else {
        return back(target, Fault::Failed, NOTHING);
    };
    let who = provider.finish(&oidc.caller, &*app.auth.clock, &address, code, begun);
    let entered = match who.await {
        Ok(who) => enter(&app, &id, who, from).await,
        Err(fault) => Err((fault, None)),
    };
    match entered {
        Ok(token) => with_cookie(to(target.path(), NOTHING), &token, ABSOLUTE.as_secs()),
        Err((Fault::Code, Some(half))) => back(target, Fault::Code, (&half, GOOD_FOR.as_secs())),
        Err((fault, _)) => {
            if matches!(fault, Fault::Failed | Fault::Unknown) {
                app.metrics.sign_in("refused");
            }
            back(target, fault, NOTHING)
        }
    }
}

/// The session's token; or why not, with the cookie of whoever must still show a code.
async fn enter(
    app: &App,
    id: &str,
    who: Who,
    from: std::net::IpAddr,
) -> Result<String, (Fault, Option<String>)> {
    let (auth, oidc) = (&app.auth, &app.auth.oidc);
    let whole = |fault| (fault, None);
    let provider = oidc.find(id).ok_or(whole(Fault::Over))?;
    let issuer = provider.provider.issuer.as_str().to_owned();
    let account = auth.identified(&provider.provider, &who, from).await;
    let Some(account) = account.map_err(|e| whole(e.into()))? else {
        tracing::info!(%from, "the provider {id} sent somebody whom no account is for");
        return Err(whole(Fault::Unknown));
    };
    let user = account.user.clone();
    let nothing = Shown::default();
    let signed = auth.sign_in_by(id, account, who.vouched, &nothing, (None, from));
    let signed = signed.await;
    match signed {
        Ok((token, _)) => {
            app.metrics.sign_in("ok");
            Ok(token)
        }
        Err(Trouble::CodeNeeded(_)) => {
            let named = Named {
                provider: id.to_owned(),
                issuer,
                subject: who.subject,
                user,
            };
            let (half, now) = (secret(), auth.clock.monotonic());
            let key = sha256(&[half.as_bytes()]);
            let kept = oidc.waiting(|w| w.name(key, named, network(from), now));
            kept.map_err(|_| whole(Fault::Busy))?;
            Err((Fault::Code, Some(half)))
        }
        Err(Trouble::Store(e)) => Err(whole(e.into())),
        Err(_) => Err(whole(Fault::Over)),
    }
}

/// `POST /api/session/oidc`: the second factor of ours that whom a provider has named must show too.
pub(crate) async fn code(
    State(app): State<App>,
    Address(from): Address,
    Here(site): Here,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Trouble> {
    let (auth, oidc) = (&app.auth, &app.auth.oidc);
    let shown = shown(&body)?;
    let key = cookie_named(&headers, COOKIE).map(|token| sha256(&[token.as_bytes()]));
    let key = key.ok_or(Trouble::SignInOver)?;
    let named = oidc.waiting(|w| w.named(&key, auth.clock.monotonic()));
    let named = named.ok_or(Trouble::SignInOver)?;
    auth.look().await.map_err(Trouble::Store)?;
    let still = auth
        .accounts
        .identified(&named.issuer, &named.subject)
        .await;
    let still = still.map_err(Trouble::Store)?;
    let account = auth.account(&named.user);
    let account = account.filter(|a| still.as_deref() == Some(a.user.as_str()));
    let account = account.ok_or(Trouble::SignInOver)?;
    let at = (site.as_ref(), from);
    let signed = auth.sign_in_by(&named.provider, account, false, &shown, at);
    let (token, signed) = signed.await?;
    oidc.waiting(|w| w.end(&key));
    app.metrics.sign_in("ok");
    let (standing, _) = auth.standing(&signed).await?;
    let mut answer = me(&signed, standing);
    keep(answer.headers_mut(), NOTHING);
    Ok(with_cookie(answer, &token, ABSOLUTE.as_secs()))
}
