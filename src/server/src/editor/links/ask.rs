//! One link asked of its server, as politely as can be: HEAD first, one request at a time a host, with a pause.
//!
//! Links are written by people, and a redirect by anybody: what lies on an internal network is not asked, unless the
//! operator has listed its host. The addresses that were looked at are the ones that are connected to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use axum::http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::web::public;

const AGENT: &str = concat!("Borgerlinje/", env!("CARGO_PKG_VERSION"), " (link check)");
/// From connecting to the head of the answer.
const PATIENCE: Duration = Duration::from_secs(15);
const HOPS: usize = 6;

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// As the API names it.
    pub kind: &'static str,
    pub status: Option<u16>,
    pub to: Option<String>,
    /// Danish.
    pub text: String,
}

impl Fault {
    fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            to: None,
            text: text.into(),
        }
    }
}

/// What a server said: its status, and where it sends one.
type Said = (StatusCode, Option<String>);

/// When a host was asked last; whoever holds it asks.
type Turn = Arc<tokio::sync::Mutex<Option<Instant>>>;

pub(super) struct Asker {
    /// Hosts that may lie on an internal network.
    private: BTreeSet<String>,
    pause: Duration,
    tls: TlsConnector,
    turns: Mutex<BTreeMap<String, Turn>>,
}

impl Asker {
    /// Waits `pause` between two requests to one host. Reads the system's certificates: blocks.
    pub(super) fn new(private: BTreeSet<String>, pause: Duration) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            private,
            pause,
            tls: TlsConnector::from(Arc::new(config)),
            turns: Mutex::default(),
        }
    }

    /// What is wrong with a link; `None`: it leads where it says.
    pub(super) async fn ask(&self, link: &str) -> Option<Fault> {
        let Some(first) = web(link) else {
            let text = "Det er ikke en webadresse, der begynder med https:// eller http://.";
            return Some(Fault::new("bad", text));
        };
        let mut url = first.clone();
        let mut for_good = true;
        for _ in 0..HOPS {
            let (status, to) = match self.head_or_get(&url).await {
                Ok(said) => said,
                Err(fault) => {
                    return Some(Fault {
                        to: (url != first).then(|| url.to_string()),
                        ..fault
                    });
                }
            };
            if let Some(to) = to.filter(|_| status.is_redirection()) {
                for_good &= matches!(status.as_u16(), 301 | 308);
                let Some(next) = url.join(&to).ok().and_then(|u| web(u.as_str())) else {
                    let text = "Siden sender videre til noget, der ikke er en webadresse.";
                    return Some(Fault::new("refused", text));
                };
                url = next;
                continue;
            }
            return judged(&first, &url, for_good, status);
        }
        let text = "Siden sender rundt i ring.";
        Some(Fault {
            to: Some(url.into()),
            ..Fault::new("refused", text)
        })
    }

    /// Some servers know no HEAD, or answer it as if the page were not there.
    async fn head_or_get(&self, url: &Url) -> Result<Said, Fault> {
        match self.once(Method::HEAD, url).await {
            Ok(said) if said.0.as_u16() < 400 => Ok(said),
            Err(fault) if matches!(fault.kind, "private") => Err(fault),
            _ => self.once(Method::GET, url).await,
        }
    }

    async fn once(&self, method: Method, url: &Url) -> Result<Said, Fault> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(host).or_default())
        };
        let mut last = turn.lock().await;
        if let Some(last) = *last {
            sleep_until(last + self.pause).await;
        }
        let said = timeout(PATIENCE, self.said(method, url)).await;
        let said = said.unwrap_or_else(|_| Err(silent()));
        // What was not asked need not be spared.
        if !said.as_ref().is_err_and(|f| f.kind == "private") {
            *last = Some(Instant::now());
        }
        said
    }

    async fn said(&self, method: Method, url: &Url) -> Result<Said, Fault> {
        let socket = self.connected(url).await?;
        if url.scheme() == "http" {
            return exchanged(socket, method, url).await;
        }
        let name = url.host_str().unwrap_or_default();
        // Brackets belong to the address, not to the name.
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned());
        let name = name.map_err(|_| Fault::new("bad", "Adressens navn kan ikke bruges."))?;
        let socket = self.tls.connect(name, socket).await.map_err(|_| {
            let text = "Forbindelsen er ikke sikker: serverens certifikat passer ikke.";
            Fault::new("unreachable", text)
        })?;
        exchanged(socket, method, url).await
    }

    async fn connected(&self, url: &Url) -> Result<TcpStream, Fault> {
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => vec![SocketAddr::from((ip, port))],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::from((ip, port))],
            Some(Host::Domain(name)) => lookup_host((name, port))
                .await
                .map_err(|_| Fault::new("unreachable", "Der er ingen server med det navn."))?
                .collect(),
            None => Vec::new(),
        };
        let listed = url.host_str().is_some_and(|h| self.private.contains(h));
        if !listed && addresses.iter().any(|a| !public(a.ip())) {
            let text = "Adressen ligger på et internt net og er ikke prøvet.";
            return Err(Fault::new("private", text));
        }
        TcpStream::connect(&addresses[..])
            .await
            .map_err(|_| silent())
    }
}

fn silent() -> Fault {
    Fault::new("unreachable", "Serveren svarer ikke.")
}

/// An address on the web.
fn web(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
}

async fn exchanged<S>(socket: S, method: Method, url: &Url) -> Result<Said, Fault>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let odd = |_| {
        Fault::new(
            "unreachable",
            "Serveren svarer ikke, som en hjemmeside gør.",
        )
    };
    let (mut sender, connection) = handshake(TokioIo::new(socket)).await.map_err(odd)?;
    let reading = tokio::spawn(connection);
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| Fault::new("bad", "Adressen kan ikke bruges."))?;
    let answer = sender.send_request(request).await.map_err(odd);
    // The head is all that is wanted.
    reading.abort();
    let answer = answer?;
    let to = answer.headers().get(LOCATION);
    let to = to.and_then(|t| t.to_str().ok()).map(str::to_owned);
    Ok((answer.status(), to))
}

/// What the end of the way says of its beginning.
fn judged(first: &Url, last: &Url, for_good: bool, status: StatusCode) -> Option<Fault> {
    let code = status.as_u16();
    let moved = last != first;
    let (kind, text) = match code {
        404 | 410 => ("gone", format!("Siden findes ikke længere ({code}).")),
        400..500 => {
            let text = "Siden svarer, men vil ikke vises for tjenesten";
            ("refused", format!("{text} ({code}). Åbn den selv."))
        }
        500.. => (
            "failing",
            format!("Serveren fejler ({code}). Prøv igen en anden dag, før du retter."),
        ),
        _ if moved && for_good => ("moved", format!("Siden er flyttet til {last}.")),
        // Who sends everything that is gone to its front page does not say that it is gone.
        _ if moved && last.path() == "/" && first.path() != "/" => {
            ("moved", format!("Siden sender til en forside, {last}."))
        }
        _ => return None,
    };
    Some(Fault {
        kind,
        status: Some(code),
        to: moved.then(|| last.to_string()),
        text,
    })
}
