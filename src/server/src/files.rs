//! The pages of staff, the desk and the studio, and what they need: from `dist/` of the widget folder. They hold no
//! data, so anybody gets them.

use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::pages::Problem;

/// Stricter than that of the other pages: no inline style, and no page of others around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// `GET /desk`
pub(crate) async fn desk(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    send(&app, "desk/index.html", &headers).await
}

/// `GET /desk/FILE`
pub(crate) async fn desk_file(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    send(&app, &format!("desk/{name}"), &headers).await
}

/// `GET /studio`
pub(crate) async fn studio(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    send(&app, "studio/index.html", &headers).await
}

/// `GET /studio/FILE`
pub(crate) async fn studio_file(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    send(&app, &format!("studio/{name}"), &headers).await
}

/// A file of a page's folder, by the folder and its name there.
async fn send(app: &App, path: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let kind = path.split_once('/').and_then(|(_, name)| kind(name));
    let kind = kind.ok_or(Problem::NotFound)?;
    let body = app.pages.bytes(&format!("dist/{path}")).await?;
    let hash = Sha256::digest(&body);
    let tag = format!("\"{}\"", base::hex(&hash[..12]));
    let same = asked.get(IF_NONE_MATCH).is_some_and(|t| t == tag.as_str());
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, kind)], body).into_response()
    };
    let headers = response.headers_mut();
    // Asked for anew each time, sent anew only when it is another: a new program is seen at once.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

/// The content type of a plain file name, or of one in `fonts/`; None for everything else.
fn kind(name: &str) -> Option<&'static str> {
    let plain = name.strip_prefix("fonts/").unwrap_or(name);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if plain.is_empty() || plain.starts_with('.') || !plain.chars().all(fits) {
        return None;
    }
    match plain.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "woff2" => Some("font/woff2"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn only_plain_names_are_files() {
        assert_eq!(kind("desk.js"), Some("text/javascript; charset=utf-8"));
        assert_eq!(kind("fonts/IBMPlexSans-Regular.woff2"), Some("font/woff2"));
        for bad in [
            "",
            ".",
            "..",
            "../index.html",
            "fonts/../desk.js",
            "fonts/",
            "a/desk.js",
            ".hidden.js",
            "desk.js.map",
            "desk",
            "a\\b.js",
            "a b.js",
        ] {
            assert_eq!(kind(bad), None, "{bad}");
        }
    }
}
