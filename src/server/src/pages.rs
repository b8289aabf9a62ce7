//! The sample pages, and what is known of municipalities.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base::{Lang, MunicipalityCode};
use knowledge::Municipality;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::drain::Phase;
use crate::editor::NodeShown;
use crate::router::framed_by;

/// The files of the `widget` folder. Small, and read anew for each request so that a rebuilt widget shows.
pub(crate) struct Pages {
    widget: PathBuf,
}

impl Pages {
    pub(crate) fn new(widget: PathBuf) -> Self {
        Self { widget }
    }

    /// A file of the built pages.
    ///
    /// # Errors
    /// NotFound, NotBuilt when the folder is not there either.
    pub(crate) async fn bytes(&self, name: &str) -> Result<Vec<u8>, Problem> {
        let path = self.widget.join(name);
        let read = move || {
            std::fs::read(&path).map_err(|_| match path.parent() {
                Some(folder) if folder.is_dir() => Problem::NotFound,
                _ => Problem::NotBuilt,
            })
        };
        let read = tokio::task::spawn_blocking(read).await;
        read.unwrap_or(Err(Problem::NotFound))
    }

    pub(crate) async fn read(&self, name: &str) -> Result<String, Problem> {
        let path = self.widget.join(name);
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
        read.ok().and_then(Result::ok).ok_or_else(|| {
            tracing::error!("{shown} cannot be read: build the widget with `make widget`");
            Problem::NotBuilt
        })
    }
}

/// What a page request can end in besides the page.
pub(crate) enum Problem {
    UnknownMunicipality(String),
    NotBuilt,
    NotFound,
}

#[derive(Serialize)]
pub(crate) struct ProblemBody {
    pub code: &'static str,
    pub text: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, text) = match self {
            Problem::UnknownMunicipality(c) => {
                let shown: String = c.chars().take(12).collect();
                (
                    StatusCode::NOT_FOUND,
                    "unknown_municipality",
                    format!("There is no municipality with code {shown}: see /api/municipalities"),
                )
            }
            Problem::NotBuilt => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_built",
                "The widget is not built: run `make widget`".to_owned(),
            ),
            Problem::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "There is nothing at this address".to_owned(),
            ),
        };
        (status, Json(ProblemBody { code, text })).into_response()
    }
}

/// Text as it may stand in HTML, attributes included.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn found(app: &App, code: &str) -> Result<Municipality, Problem> {
    let unknown = || Problem::UnknownMunicipality(code.to_owned());
    let parsed: MunicipalityCode = code.parse().map_err(|_| unknown())?;
    app.snapshot()
        .release
        .municipalities
        .get(&parsed)
        .cloned()
        .ok_or_else(unknown)
}

pub(crate) async fn front(State(app): State<App>) -> Result<Html<String>, Problem> {
    let snapshot = app.snapshot();
    let mut list: Vec<&Municipality> = snapshot.release.municipalities.values().collect();
    list.sort_by_key(|m| danish_order(&m.name));
    let items: String = list
        .iter()
        .map(|m| {
            format!(
                "<li><a href=\"/demo/{}\">{}</a></li>\n",
                m.code,
                escape(&m.name)
            )
        })
        .collect();
    let page = app.pages.read("pages/index.html").await?;
    Ok(Html(page.replace("<!--MUNICIPALITIES-->", &items)))
}

/// Æ, Ø and Å (and Aa) come last in the Danish alphabet.
fn danish_order(name: &str) -> String {
    name.to_lowercase()
        .replace("aa", "å")
        .replace('æ', "{")
        .replace('ø', "|")
        .replace('å', "}")
}

pub(crate) async fn demo(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let m = found(&app, &code)?;
    let page = app.pages.read("pages/demo.html").await?;
    let values = [
        ("{{code}}", m.code.as_str()),
        ("{{name}}", m.name.as_str()),
        ("{{phone}}", m.field("telefon")),
        ("{{hours}}", m.field("aabningstid")),
        ("{{address}}", m.field("adresse")),
    ];
    let page = values.iter().fold(page, |page, (slot, value)| {
        page.replace(slot, &escape(value))
    });
    let mut response = Html(page).into_response();
    // Whoever may open its chat may show it too.
    let policy = framed_by(&app.websites.framing(m.code));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// Lets the website that asks read an answer, if it may.
pub(crate) fn shared(app: &App, asked: &HeaderMap, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(origin) = app.websites.readable(asked) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    if app.websites.listed() {
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    response
}

pub(crate) async fn css(State(app): State<App>, asked: HeaderMap) -> Result<Response, Problem> {
    let body = app.pages.read("pages/pages.css").await?;
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok(shared(&app, &asked, (headers, body).into_response()))
}

#[derive(Serialize)]
struct Listed {
    code: MunicipalityCode,
    name: String,
}

pub(crate) async fn municipalities(State(app): State<App>) -> Response {
    let list: Vec<Listed> = app
        .snapshot()
        .release
        .municipalities
        .values()
        .map(|m| Listed {
            code: m.code,
            name: m.name.clone(),
        })
        .collect();
    Json(list).into_response()
}

/// How a municipality's widget looks.
#[derive(Serialize)]
struct Theme {
    code: MunicipalityCode,
    name: String,
    accent: String,
    on_accent: &'static str,
    /// Contrast of text on the accent, 1 to 21 (WCAG 2.2).
    contrast: f64,
}

/// In which language a refusal is said.
#[derive(Deserialize)]
pub(crate) struct Said {
    lang: Option<Lang>,
}

pub(crate) async fn theme(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let m = found(&app, &code)?;
    // A request without an origin is one of our own pages, or of no page.
    if let Some(origin) = headers.get(ORIGIN) {
        let visitor = app.websites.visitor(app.auth.origins(), &headers);
        if !visitor.is_some_and(|v| v.may(m.code)) {
            return Ok(not_from_here(&app, origin.clone(), said.lang));
        }
    }
    let (on_accent, contrast) = knowledge::text_on(&m.accent);
    let theme = Theme {
        code: m.code,
        name: m.name,
        accent: m.accent,
        on_accent,
        contrast: (contrast * 100.0).round() / 100.0,
    };
    Ok(shared(&app, &headers, Json(theme).into_response()))
}

/// The widget of a page that may not open the chat is told so in words: of a socket that is refused a page learns
/// nothing. That page may read this answer, for it holds nothing else.
fn not_from_here(app: &App, origin: HeaderValue, lang: Option<Lang>) -> Response {
    let texts = &app.snapshot().release.texts;
    let text = texts.get("error_wrong_website", lang.unwrap_or_default(), &[]);
    let body = ProblemBody {
        code: "wrong_website",
        text,
    };
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (VARY, HeaderValue::from_static("Origin")),
    ];
    (StatusCode::FORBIDDEN, headers, Json(body)).into_response()
}

pub(crate) async fn live() -> &'static str {
    "ok"
}

#[derive(Serialize)]
struct Ready {
    /// `serving`, or `draining`: the service stops and sends everybody on.
    state: &'static str,
    release: String,
    articles: usize,
    dialogues: u64,
    live: usize,
    /// How the contact centre is: `starting`, `serving`, `away`, `closed`. Away, the bot answers all the same.
    centre: &'static str,
    /// The language model: `off`, `loading`, `ready`, `unavailable`; the log says why.
    generation: &'static str,
    /// What the operator has switched off: `bot`, `generation`, `municipality 0751`.
    switched_off: Vec<String>,
    /// Where several nodes share their releases: each, what it serves, and why it lags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<NodeShown>,
}

pub(crate) async fn ready(State(app): State<App>) -> Response {
    match app.journal.counts().await {
        Ok(counts) => {
            let snapshot = app.snapshot();
            let (status, state) = match app.drain.phase() {
                Phase::Serving => (StatusCode::OK, "serving"),
                Phase::Unready | Phase::Leaving => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            };
            let ready = Ready {
                state,
                release: snapshot.release.hash.clone(),
                articles: snapshot.release.articles.len(),
                dialogues: counts.dialogues,
                live: app.live.lock().await.len(),
                centre: app.centre.health().state.name(),
                generation: app.composer.get().map_or("off", |c| c.state()),
                switched_off: app.switches.now().names(),
                nodes: app
                    .studio
                    .get()
                    .map(|s| s.shown_nodes())
                    .unwrap_or_default(),
            };
            (status, Json(ready)).into_response()
        }
        Err(e) => {
            tracing::error!("the journal does not answer: {e}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

pub(crate) async fn not_found() -> Problem {
    Problem::NotFound
}
