//! Why something was not done: a code for the page, a text for people, and what belongs to it.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::wire::Conflict;
use crate::auth::Trouble;

/// An answer that is none.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
    more: Map<String, Value>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            text: text.into(),
            more: Map::new(),
        }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", text)
    }

    pub(super) fn too_large() -> Self {
        let text = "Det er for meget på én gang. Del det op, og prøv igen.";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
    }

    pub(super) fn too_many(text: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", text)
    }

    pub(super) fn no_right(text: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "no_right", text)
    }

    /// 409: it cannot be done as things stand.
    pub(super) fn conflict(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, text)
    }

    pub(super) fn unavailable(why: impl std::fmt::Display) -> Self {
        tracing::error!("the studio: {why}");
        let text = "Det kan ikke lade sig gøre lige nu. Prøv igen om lidt.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text)
    }

    pub(super) fn faults(faults: &[knowledge::Fault]) -> Self {
        let errors = faults
            .iter()
            .filter(|f| f.severity == knowledge::Severity::Error)
            .count();
        let text = match errors {
            1 => "Der er en fejl, som skal rettes først.".to_owned(),
            n => format!("Der er {n} fejl, som skal rettes først."),
        };
        Self::conflict("faults", text).with("faults", super::wire::shown(faults))
    }

    pub(super) fn clashes(conflicts: &[Conflict]) -> Self {
        let text = "Andre har ændret det samme imens. Intet er gået tabt: vælg, hvad der skal stå.";
        Self::conflict("conflict", text).with("conflicts", conflicts)
    }

    pub(super) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.more.insert(name.to_owned(), value);
        self
    }

    /// As the body of an answer.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({"code": self.code, "text": self.text});
        if let Some(all) = body.as_object_mut() {
            all.extend(self.more.clone());
        }
        body
    }
}

impl From<storage::Error> for Problem {
    fn from(e: storage::Error) -> Self {
        Self::unavailable(e)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let no_store = axum::http::HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
        response
    }
}

/// Of signing in, or of what was asked.
pub(crate) enum Refused {
    Session(Trouble),
    Studio(Problem),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Session(t) => t.into_response(),
            Self::Studio(p) => p.into_response(),
        }
    }
}
