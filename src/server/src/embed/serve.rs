//! The script over HTTP: under its plain name, which follows every upgrade, and under the name with its hash.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::task::spawn_blocking;

use super::scripts::Version;
use crate::app::App;
use crate::pages::{Problem, ProblemBody, shared};

const KIND: &str = "text/javascript; charset=utf-8";
/// So that a new version is seen soon.
const SHORT: &str = "public, max-age=300";
/// What is under the name never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// `GET /widget/borgerlinje.js`
pub(crate) async fn plain(State(app): State<App>, asked: HeaderMap) -> Result<Response, Problem> {
    let body = app.pages.read("dist/borgerlinje.js").await?;
    app.metrics.script("plain");
    let headers = [(CONTENT_TYPE, KIND), (CACHE_CONTROL, SHORT)];
    Ok(shared(&app, &asked, (headers, body).into_response()))
}

/// `GET /widget/borgerlinje-HASH.js`. Also that there is none may be read by the website, and is not remembered: another
/// node may have it, or this one after its upgrade.
pub(crate) async fn hashed(
    State(app): State<App>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Response {
    let here = App::clone(&app);
    let found = spawn_blocking(move || here.embed.script(&name, here.clock.now())).await;
    let Some((version, script)) = found.ok().flatten() else {
        app.metrics.script("gone");
        let body = ProblemBody {
            code: "no_such_script",
            text: "This version of the script is not served here, or no more: put a new line from \
                   `borgerlinje widget snippet` into the page"
                .to_owned(),
        };
        let answer = (
            StatusCode::NOT_FOUND,
            [(CACHE_CONTROL, "no-store")],
            Json(body),
        );
        return shared(&app, &asked, answer.into_response());
    };
    match version {
        Version::Current => app.metrics.script("current"),
        Version::Earlier => {
            app.metrics.script("earlier");
            // Only of listed websites: anybody may ask for a file.
            let from = asked.get(ORIGIN).and_then(|o| o.to_str().ok());
            if app.websites.listed() && app.websites.readable(&asked).is_some() {
                app.embed.tell(
                    from,
                    "names an earlier script of the widget: give it a new line",
                );
            }
        }
    }
    let headers = [(CONTENT_TYPE, KIND), (CACHE_CONTROL, FOR_EVER)];
    shared(&app, &asked, (headers, script.bytes).into_response())
}
