//! The only way to a handler: a route is registered with its row of the table of rights, and who does not fit it
//! is refused before the handler is called.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter};

use super::Signed;
use super::http::Trouble;
use super::rights::{Method, Page, ROUTES, Route, Who};
use crate::app::App;
use crate::telemetry::Trace;
use crate::websites::Visitor;

/// Routes that are being registered.
pub(crate) struct Routes {
    router: Router<App>,
    app: App,
    there: Vec<Route>,
}

impl Routes {
    pub(crate) fn new(app: &App) -> Self {
        Self {
            router: Router::new(),
            app: App::clone(app),
            there: Vec::new(),
        }
    }

    /// A route with its handler.
    pub(crate) fn on<H, T>(self, route: Route, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(route, |filter| MethodRouter::new().on(filter, handler))
    }

    /// The same, with another limit on the body than axum's, in bytes.
    pub(crate) fn on_with<H, T>(self, most: usize, route: Route, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add(route, |filter| {
            let limit = DefaultBodyLimit::max(most);
            MethodRouter::new().on(filter, handler).route_layer(limit)
        })
    }

    fn add(
        mut self,
        route: Route,
        handled: impl FnOnce(MethodFilter) -> MethodRouter<App>,
    ) -> Self {
        let filter = match route.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Delete => MethodFilter::DELETE,
        };
        let guard = from_fn_with_state((App::clone(&self.app), route), guard);
        self.there.push(route);
        self.router = self
            .router
            .route(route.path, handled(filter).route_layer(guard));
        self
    }

    /// All of them. In a build for tests every row has its route.
    pub(crate) fn done(self) -> Router<App> {
        for row in ROUTES {
            let there = self.there.iter().filter(|r| *r == row).count();
            debug_assert_eq!(there, 1, "routes registered for {row:?}");
        }
        self.router
    }
}

/// Lets a request through to its handler, with its session, or says why not; those of staff are traced.
async fn guard(State((app, route)): State<(App, Route)>, request: Request, next: Next) -> Response {
    let trace = if route.who.signed_in() {
        Trace::request(&app, route.method.name(), route.path)
    } else {
        Trace::default()
    };
    let answer = let_in(&app, route, request, next).await.into_response();
    trace.status(answer.status().as_u16());
    answer
}

async fn let_in(
    app: &App,
    route: Route,
    mut request: Request,
    next: Next,
) -> Result<Response, Trouble> {
    let (auth, headers) = (&app.auth, request.headers());
    let visitor = match route.page {
        Page::Any => None,
        Page::Website => match app.websites.visitor(auth.origins(), headers) {
            Some(visitor) => Some(visitor),
            None => {
                app.metrics.website_refused();
                return Err(Trouble::WrongWebsite);
            }
        },
        Page::Ours | Page::Vouched if auth.origins().ours(headers) => None,
        Page::Ours | Page::Vouched => return Err(Trouble::WrongOrigin),
    };
    if route.who.signed_in() {
        let signed = auth.session(headers).await?;
        if route.page == Page::Vouched {
            signed.vouched(headers)?;
        }
        if !route.who.includes(&signed.account) {
            return Err(Trouble::NoRight(route.who));
        }
        if route.who != Who::Staff && auth.lacks_second(&signed) {
            return Err(Trouble::SecondFactorNeeded);
        }
        request.extensions_mut().insert(signed);
    }
    if let Some(visitor) = visitor {
        request.extensions_mut().insert(visitor);
    }
    Ok(next.run(request).await)
}

/// What the gate has found of the website. A handler that takes it behind another row refuses everybody.
impl FromRequestParts<App> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Trouble> {
        let visitor = parts.extensions.get::<Visitor>().cloned();
        visitor.ok_or(Trouble::WrongWebsite)
    }
}

/// The session that the gate has found. A handler that takes it behind a row for anybody answers as if nobody had
/// signed in.
impl FromRequestParts<App> for Signed {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Trouble> {
        let signed = parts.extensions.get::<Signed>().cloned();
        signed.ok_or(Trouble::SignedOut)
    }
}

/// The address that a request comes from.
pub(crate) struct Address(pub(crate) std::net::IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Trouble> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer
            .ok_or(Trouble::BadRequest("Forespørgslen kan ikke læses."))?
            .0;
        Ok(Self(app.auth.address(peer, &parts.headers)))
    }
}
