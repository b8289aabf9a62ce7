//! Every route, on one page.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::routing::{get, post};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::{auth, chat, desk, editor, files, pages};

/// Only our own files, no inline script, sockets to ourselves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub(crate) fn build(app: App) -> Router {
    let header = |name, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/", get(pages::front))
        .route("/demo/{code}", get(pages::demo))
        .route("/pages/pages.css", get(pages::css))
        .route("/widget/borgerlinje.js", get(pages::widget))
        .route("/api/municipalities", get(pages::municipalities))
        .route("/api/municipalities/{code}/theme", get(pages::theme))
        .route(
            "/api/session",
            post(auth::begin).get(auth::current).delete(auth::end),
        )
        .route("/health/live", get(pages::live))
        .route("/health/ready", get(pages::ready))
        .route("/desk", get(files::desk))
        .route("/desk/{*file}", get(files::desk_file))
        .route("/studio", get(files::studio))
        .route("/studio/{*file}", get(files::studio_file))
        .route("/ws/desk", get(desk::upgrade))
        .nest("/api/studio", editor::routes())
        .route("/ws/chat", get(chat::upgrade))
        .fallback(pages::not_found)
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(REFERRER_POLICY, "no-referrer"))
        .with_state(app)
}
