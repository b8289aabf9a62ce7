//! TLS in the service itself: a chat over wss, certificates renewed under it, and clients that never shake hands.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version,
};

use crate::client::{Client, answer, hello};
use crate::harness::{Server, borgerlinje, finish};

const TOWN: &str = "0751";
/// Longer than anything takes on a busy machine.
const WITHIN: Duration = Duration::from_secs(60);

/// An authority of the test's own, and the folder where the service's pair lies.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut roots = RootCertStore::empty();
        let root = wanted.self_signed(&key).unwrap();
        roots.add(root.der().clone()).unwrap();
        let new = Self {
            issuer: Issuer::new(wanted, key),
            roots,
            folder: TempDir::with_prefix("borgerlinje-tls-").unwrap(),
        };
        new.lay();
        new
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate and its key, as PEM.
    fn pair(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let wanted = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = wanted.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.path("chain.pem"), certificate).unwrap();
        fs::write(self.path("key.pem"), key).unwrap();
        fs::set_permissions(self.path("key.pem"), Permissions::from_mode(0o600)).unwrap();
    }

    /// A new pair where the service looks for it.
    fn lay(&self) {
        let (certificate, key) = self.pair();
        self.write(&certificate, &key);
    }

    fn environment(&self) -> [(&'static str, String); 3] {
        let at = |name| self.path(name).display().to_string();
        [
            ("BORGERLINJE_TLS_CERTIFICATE", at("chain.pem")),
            ("BORGERLINJE_TLS_KEY", at("key.pem")),
            ("BORGERLINJE_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ]
    }

    fn server(&self) -> Server {
        Server::shared();
        let environment = self.environment();
        let environment: Vec<_> = environment.iter().map(|(k, v)| (*k, v.as_str())).collect();
        Server::with(&environment)
    }

    fn connector(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// A connection whose certificate this authority has signed.
    async fn connect(&self, server: &Server) -> TlsStream<TcpStream> {
        self.connect_by(server, &[&version::TLS13, &version::TLS12])
            .await
    }

    async fn connect_by(
        &self,
        server: &Server,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsStream<TcpStream> {
        let socket = TcpStream::connect(&server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let shaking = self.connector(versions).connect(name, socket);
        timeout(WITHIN, shaking).await.unwrap().unwrap()
    }

    async fn chat(&self, server: &Server) -> Client {
        let stream = self.connect(server).await;
        let mut c = Client::over(server, stream).await;
        c.send(&hello(TOWN)).await;
        c.next("welcome").await;
        c
    }

    /// The certificate that the service shows now.
    async fn shown(&self, server: &Server) -> Vec<u8> {
        let stream = self.connect(server).await;
        let shown = stream.get_ref().1.peer_certificates().unwrap();
        shown[0].to_vec()
    }
}

/// The head and the body at a path.
async fn get(mut stream: TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Whether the end is announced is not what is asked here.
    let _ = timeout(WITHIN, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_over_tls_beside_clients_that_never_shake_hands() {
    let authority = Authority::new();
    let server = authority.server();
    assert!(server.stdout().contains("listening on https://"));
    let mut silent = Vec::new();
    for n in 0..40 {
        let mut socket = TcpStream::connect(&server.address).await.unwrap();
        // Some begin, and say no more.
        if n % 2 == 0 {
            socket.write_all(&[22, 3, 1, 2]).await.unwrap();
        }
        silent.push(socket);
    }
    for (version, wanted) in [
        (&version::TLS13, ProtocolVersion::TLSv1_3),
        (&version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let stream = authority.connect_by(&server, &[version]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(wanted));
        let answer = get(stream, "/health/ready").await;
        let head = answer.to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{answer}");
        let only = "strict-transport-security: max-age=31536000\r\n";
        assert!(head.contains(only), "{answer}");
    }
    let mut c = authority.chat(&server).await;
    let said = answer(&c.ask("a", "Hvordan fornyer jeg mit pas?").await);
    assert!(said.contains("pas"), "{said}");
    // Without TLS nobody is answered.
    let mut plain = TcpStream::connect(&server.address).await.unwrap();
    plain
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut got = Vec::new();
    let _ = timeout(WITHIN, plain.read_to_end(&mut got)).await.unwrap();
    assert!(!got.starts_with(b"HTTP"), "{got:?}");
    // Whoever never shakes hands is let go.
    for mut socket in silent {
        let end = timeout(WITHIN, socket.read(&mut [0; 8])).await;
        assert!(matches!(end.unwrap(), Ok(0..=8) | Err(_)));
    }
    let page = server.metrics();
    let line = page
        .lines()
        .find_map(|l| l.strip_prefix("borgerlinje_certificate_expires_seconds "));
    assert!(line.unwrap().parse::<f64>().unwrap() > 1e9, "{page}");
    // It stops as it does without TLS: everybody is sent on.
    server.terminate();
    let (_, closed) = c.end().await;
    assert_eq!(closed, Some(1012));
    assert!(server.ended());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_renewed_under_an_open_chat() {
    let authority = Authority::new();
    let server = authority.server();
    let mut c = authority.chat(&server).await;
    let first = authority.shown(&server).await;

    // A key that belongs to no certificate here: what was served is served on, and the log says why.
    let (certificate, key) = (authority.pair().0, authority.pair().1);
    authority.write(&certificate, &key);
    let mut waited = 0;
    while !server.stderr().contains("is not the key of") {
        assert!(waited < 600, "{}", server.stderr());
        waited += 1;
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(authority.shown(&server).await, first);

    authority.lay();
    for n in 0.. {
        if authority.shown(&server).await != first {
            break;
        }
        assert!(n < 600, "{}", server.stderr());
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!server.stderr().contains("PRIVATE KEY"));
    // Who was here has noticed nothing.
    c.send(&json!({"type": "ping", "n": 3})).await;
    assert_eq!(c.next("pong").await["n"], 3);
    let said = answer(&c.ask("a", "Hvordan fornyer jeg mit pas?").await);
    assert!(said.contains("pas"), "{said}");
    authority.chat(&server).await;
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_before_there_is_a_port() {
    let authority = Authority::new();
    let data = TempDir::new().unwrap();
    let started = |command: &str, environment: &[(&str, String)]| {
        let mut program = borgerlinje(&[command]);
        program
            .env("BORGERLINJE_LISTEN", "127.0.0.1:0")
            .env("BORGERLINJE_DATA", data.path())
            .envs(environment.iter().map(|(k, v)| (*k, v.as_str())));
        finish(&mut program, b"")
    };
    let environment = authority.environment();
    let alone = started("serve", &environment[..1]);
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(!alone.status.success() && said.contains("no key"), "{said}");
    let doctor = started("doctor", &environment);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("the certificate holds until"), "{said}");

    fs::remove_file(authority.path("chain.pem")).unwrap();
    let missing = started("serve", &environment);
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(
        !missing.status.success() && said.contains("chain.pem cannot be read"),
        "{said}"
    );
    assert!(!String::from_utf8_lossy(&missing.stdout).contains("listening"));
    let doctor = started("doctor", &environment);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("FAULT   TLS"), "{said}");
}
