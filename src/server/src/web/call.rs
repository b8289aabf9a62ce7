//! Requests to services that the operator has named in the configuration: their answers are read whole, within bounds,
//! and no redirect is followed.

use std::time::Duration;

use axum::http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use axum::http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use url::{Host, Url};

use super::get::Client;
use super::hosts::Listed;

/// For a whole answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes of an answer at most.
const MOST: usize = 1 << 20;

/// Why there is no answer; for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CallError(String);

/// Asks services. What the system trusts is read when first needed.
pub(crate) struct Caller(Client);

impl Caller {
    pub(crate) fn new() -> Self {
        Self(Client::new())
    }

    /// Sends a request on a connection of its own.
    ///
    /// # Errors
    /// No connection, an address without TLS that is not this machine's, too large, too slow.
    pub(crate) async fn call(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, CallError> {
        let whole = tokio::time::timeout(ANSWER, self.whole(request)).await;
        whole.unwrap_or_else(|_| Err(CallError("no answer in time".to_owned())))
    }

    async fn whole(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, CallError> {
        let broken = |e: &dyn std::fmt::Display| CallError(e.to_string());
        let url = Url::parse(&request.uri().to_string()).map_err(|e| broken(&e))?;
        if !confidential(&url) {
            return Err(CallError(format!("{url}: not an address of https://")));
        }
        let socket = self.0.open(&url, Listed::Outright).await;
        let socket = TokioIo::new(socket.map_err(|e| broken(&e))?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(socket)
            .await
            .map_err(|e| broken(&e))?;
        // Ends when the answer has been read or is no longer wanted.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let (mut head, body) = request.into_parts();
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        head.uri = path.parse().map_err(|e| broken(&e))?;
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let host = HeaderValue::from_str(host).map_err(|e| broken(&e))?;
        head.headers.insert(HOST, host);
        let agent = concat!("Borgerlinje/", env!("CARGO_PKG_VERSION"));
        head.headers
            .insert(USER_AGENT, HeaderValue::from_static(agent));
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let request = Request::from_parts(head, Full::new(Bytes::from(body)));
        let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await;
        let body = body.map_err(|e| broken(&e))?.to_bytes().to_vec();
        Ok(Response::from_parts(head, body))
    }
}

/// Whether nobody on the way reads what goes there: TLS, or this machine itself.
pub(crate) fn confidential(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}
