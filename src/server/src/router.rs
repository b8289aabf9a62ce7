//! Every route, on one page; who may use it is in [`crate::auth::rights`].

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::auth::{Routes, rights};
use crate::{auth, chat, desk, editor, embed, files, pages};

/// Only our own files, no inline script, sockets to ourselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Browsers come back by TLS for a year. Only where the service speaks it: else it is the proxy's to say.
const ONLY_TLS: &str = "max-age=31536000";

/// The policy of a page that these may show in a frame.
pub(crate) fn framed_by(who: &str) -> String {
    format!("{} {who}", POLICY.trim_end_matches(" 'self'"))
}

pub(crate) fn build(app: App) -> Router {
    let header = |name, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let routes = Routes::new(&app)
        .on(rights::FRONT, pages::front)
        .on(rights::DEMO, pages::demo)
        .on(rights::PAGES_CSS, pages::css)
        .on(rights::WIDGET, embed::plain)
        .on(rights::SCRIPT, embed::hashed)
        .on(rights::MUNICIPALITIES, pages::municipalities)
        .on(rights::THEME, pages::theme)
        .on(rights::SIGN_IN, auth::begin)
        .on(rights::PROVIDERS, auth::providers)
        .on(rights::BEGIN_OIDC, auth::begin_oidc)
        .on(rights::OIDC_RETURN, auth::returned)
        .on(rights::OIDC_CODE, auth::oidc_code)
        .on(rights::SESSION, auth::current)
        .on(rights::SIGN_OUT, auth::end)
        .on(rights::SESSIONS, auth::sessions)
        .on(rights::END_SESSION, auth::end_one)
        .on(rights::SECOND, auth::second)
        .on(rights::BEGIN_SECOND, auth::begin_second)
        .on(rights::CONFIRM_SECOND, auth::confirm_second)
        .on(rights::NEW_RECOVERY, auth::new_recovery)
        .on(rights::REMOVE_SECOND, auth::remove_second)
        .on(rights::CHALLENGE, auth::challenge)
        .on(rights::BEGIN_KEY, auth::begin_key)
        .on(rights::CONFIRM_KEY, auth::confirm_key)
        .on(rights::NAME_KEY, auth::name_key)
        .on(rights::REMOVE_KEY, auth::remove_key)
        .on(rights::LIVE, pages::live)
        .on(rights::READY, pages::ready)
        .on(rights::DESK_PAGE, files::desk)
        .on(rights::DESK_FILE, files::desk_file)
        .on(rights::STUDIO_PAGE, files::studio)
        .on(rights::STUDIO_FILE, files::studio_file)
        .on(rights::DESK, desk::upgrade)
        .on(rights::CHAT, chat::upgrade);
    let all = editor::routes(routes)
        .done()
        .fallback(pages::not_found)
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(REFERRER_POLICY, "no-referrer"));
    let all = if app.tls.get().is_some() {
        all.layer(header(STRICT_TRANSPORT_SECURITY, ONLY_TLS))
    } else {
        all
    };
    all.with_state(app)
}
