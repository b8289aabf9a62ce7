//! One request on a connection of its own: the name is resolved here, looked at, and that address is connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST,
    HeaderMap, HeaderName, LOCATION, USER_AGENT,
};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::{Host, Url};

use super::address::public;
use super::hosts::Listed;
use super::{AGENT, Asked, Got};

const CONNECT: Duration = Duration::from_secs(10);
/// For a whole answer.
const ANSWER: Duration = Duration::from_secs(30);

/// What bytes go over.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// Makes connections; what the system trusts is read when first needed.
pub(super) struct Client {
    tls: OnceLock<Result<TlsConnector, String>>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self {
            tls: OnceLock::new(),
        }
    }

    /// # Errors
    /// In Danish: no connection, a private address, too large, too slow, packed.
    pub(super) async fn get(
        &self,
        url: &Url,
        listed: Listed,
        most: usize,
    ) -> Result<Asked, String> {
        let answer = tokio::time::timeout(ANSWER, self.whole(url, listed, most));
        answer
            .await
            .unwrap_or_else(|_| Err("Hjemmesiden svarede ikke i tide.".to_owned()))
    }

    async fn whole(&self, url: &Url, listed: Listed, most: usize) -> Result<Asked, String> {
        exchange(self.open(url, listed).await?, url, most).await
    }

    /// A connection to where an address leads, in TLS where it says so.
    ///
    /// # Errors
    /// In Danish: no connection, a private address.
    pub(super) async fn open(&self, url: &Url, listed: Listed) -> Result<Box<dyn Socket>, String> {
        let socket = tokio::time::timeout(CONNECT, connect(url, listed));
        let socket = socket.await.unwrap_or_else(|_| {
            Err("Der kan ikke komme forbindelse til hjemmesiden.".to_owned())
        })?;
        if url.scheme() == "http" {
            return Ok(Box::new(socket));
        }
        let tls = self.tls.get_or_init(trusting).clone()?;
        let name = match url.host() {
            Some(Host::Domain(d)) => ServerName::try_from(d.to_owned()),
            Some(Host::Ipv4(ip)) => Ok(IpAddr::from(ip).into()),
            Some(Host::Ipv6(ip)) => Ok(IpAddr::from(ip).into()),
            None => return Err(gone()),
        };
        let name = name.map_err(|_| "Hjemmesidens navn kan ikke bruges.".to_owned())?;
        let socket = tls.connect(name, socket).await.map_err(|e| {
            tracing::info!("{url}: {e}");
            format!("Der kan ikke komme en sikker forbindelse til hjemmesiden: {e}")
        })?;
        Ok(Box::new(socket))
    }
}

/// What the system trusts.
fn trusting() -> Result<TlsConnector, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (good, _) = roots.add_parsable_certificates(found.certs);
    if good == 0 {
        tracing::error!("no certificates of the system: {:?}", found.errors);
        return Err(
            "Tjenesten har ingen certifikater at kende hjemmesider på. Bed driften om at installere dem \
             (ca-certificates)."
                .to_owned(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects to an address of that host which may be asked.
async fn connect(url: &Url, listed: Listed) -> Result<TcpStream, String> {
    let port = url.port_or_known_default().unwrap_or(443);
    let all: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
            Ok(found) => found.collect(),
            Err(_) => return Err("Hjemmesidens navn findes ikke.".to_owned()),
        },
        None => return Err(gone()),
    };
    let may = |a: &&SocketAddr| listed == Listed::Outright || public(a.ip());
    let mut refused = "Adressen fører ind i et lukket net, og det hentes der ikke fra.".to_owned();
    for address in all.iter().filter(may) {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(e) => {
                tracing::info!("{url}: {address}: {e}");
                refused = gone();
            }
        }
    }
    Err(refused)
}

fn gone() -> String {
    "Der kan ikke komme forbindelse til hjemmesiden.".to_owned()
}

/// Asks and reads the answer, `most` bytes of it at most.
async fn exchange<S>(socket: S, url: &Url, most: usize) -> Result<Asked, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |e: hyper::Error| {
        tracing::info!("{url}: {e}");
        "Hjemmesidens svar kan ikke læses.".to_owned()
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
        .await
        .map_err(broken)?;
    // Ends when the answer has been read or is no longer wanted.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let path = match url.query() {
        Some(q) => format!("{}?{q}", url.path()),
        None => url.path().to_owned(),
    };
    let host = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
    let agent = format!(
        "{AGENT}/{} (import til kommunens borgerservice)",
        env!("CARGO_PKG_VERSION")
    );
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, agent)
        .header(
            ACCEPT,
            "text/html, application/xhtml+xml, application/xml, text/plain, */*;q=0.1",
        )
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| "Adressen kan ikke spørges.".to_owned())?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    if status.is_redirection() {
        let to = header(answer.headers(), &LOCATION);
        let to = to.and_then(|to| url.join(to).ok());
        let Some(mut to) = to else {
            return Ok(Asked::Status(status.as_u16()));
        };
        to.set_fragment(None);
        return Ok(Asked::Elsewhere(to));
    }
    if status != 200 {
        return Ok(Asked::Status(status.as_u16()));
    }
    read(answer, url, most).await.map(Asked::Body)
}

async fn read(
    mut answer: Response<hyper::body::Incoming>,
    url: &Url,
    most: usize,
) -> Result<Got, String> {
    let large = || format!("Siden er for stor: der læses højst {} kB.", most >> 10);
    let headers = answer.headers();
    let packed = header(headers, &CONTENT_ENCODING).unwrap_or("identity");
    if !packed.eq_ignore_ascii_case("identity") {
        return Err(
            "Hjemmesiden sender siden pakket, selv om den blev bedt om at lade være.".to_owned(),
        );
    }
    let said = header(headers, &CONTENT_LENGTH).and_then(|n| n.parse::<usize>().ok());
    if said.is_some_and(|n| n > most) {
        return Err(large());
    }
    let content_type = header(headers, &CONTENT_TYPE).unwrap_or("").to_lowercase();
    let mut body = Vec::new();
    while let Some(frame) = answer.body_mut().frame().await {
        let frame = frame.map_err(|e| {
            tracing::info!("{url}: {e}");
            "Hjemmesidens svar kom ikke helt frem.".to_owned()
        })?;
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        if body.len() + bytes.len() > most {
            return Err(large());
        }
        body.extend_from_slice(&bytes);
    }
    let mut address = url.clone();
    address.set_fragment(None);
    Ok(Got {
        address,
        content_type,
        body,
    })
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}
