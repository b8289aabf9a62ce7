use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use axum::serve::Listener as _;
use base::{Clock as _, ManualClock};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::keep::Doubt;
use super::*;

/// A folder with a certificate that authorizes itself.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.lay(2030);
        folder
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.0.path().join("chain.pem"),
            key: self.0.path().join("key.pem"),
        }
    }

    /// A new pair that ends with that year.
    fn lay(&self, year: i32) {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        wanted.not_before = date_time_ymd(2020, 1, 1);
        wanted.not_after = date_time_ymd(year, 12, 31);
        let certificate = wanted.self_signed(&key).unwrap();
        fs::write(self.files().certificate, certificate.pem()).unwrap();
        fs::write(self.files().key, key.serialize_pem()).unwrap();
        self.mode(0o600);
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.files().key, Permissions::from_mode(mode)).unwrap();
    }

    fn clock() -> ManualClock {
        ManualClock::at("2026-06-01T12:00:00Z".parse().unwrap())
    }
}

#[test]
fn what_is_wrong_names_the_file() {
    let folder = Folder::new();
    let files = folder.files();
    let fault = || Pair::read(&files).unwrap_err();
    let pair = Pair::read(&files).unwrap();
    assert_eq!(pair.expires.to_string(), "2030-12-31T00:00:00Z");
    folder.mode(0o644);
    assert!(fault().contains("key.pem may be read by every user"));
    folder.mode(0o440);
    Pair::read(&files).unwrap();

    let other = KeyPair::generate().unwrap().serialize_pem();
    folder.mode(0o600);
    let own = fs::read(&files.key).unwrap();
    fs::write(&files.key, &other).unwrap();
    assert!(fault().contains("is not the key of"), "{}", fault());
    fs::write(&files.key, "-----BEGIN PRIVATE KEY-----\nkanarie\n").unwrap();
    assert!(fault().contains("key.pem holds no private key"));
    assert!(!fault().contains("kanarie"));
    fs::write(&files.key, own).unwrap();
    fs::write(&files.certificate, "").unwrap();
    assert!(fault().contains("chain.pem holds no certificate"));
    fs::remove_file(&files.certificate).unwrap();
    assert!(fault().contains("chain.pem cannot be read"), "{}", fault());
}

#[test]
fn a_pair_says_when_it_is_good() {
    let folder = Folder::new();
    let clock = Folder::clock();
    for (year, unfit, soon) in [(2030, false, false), (2025, true, true)] {
        folder.lay(year);
        let pair = Pair::read(&folder.files()).unwrap();
        assert_eq!(pair.unfit(clock.now()).is_some(), unfit);
        assert_eq!(pair.ends_soon(clock.now()), soon);
    }
    let late = ManualClock::at("2025-12-20T12:00:00Z".parse().unwrap());
    let pair = Pair::read(&folder.files()).unwrap();
    assert!(pair.unfit(late.now()).is_none() && pair.ends_soon(late.now()));
}

#[test]
fn new_files_are_served_when_they_can_be() {
    let folder = Folder::new();
    let (files, clock) = (folder.files(), Folder::clock());
    let tls = Tls::new(files.clone()).unwrap();
    let first = tls.pair().digest;
    tls.look(&clock).unwrap();
    assert_eq!(tls.pair().digest, first);

    // A certificate without its key yet, and one that has ended.
    let key = fs::read(&files.key).unwrap();
    folder.lay(2031);
    let new = fs::read(&files.key).unwrap();
    fs::write(&files.key, key).unwrap();
    assert!(tls.look(&clock).unwrap_err().contains("is not the key of"));
    assert_eq!(tls.pair().digest, first);
    fs::write(&files.key, new).unwrap();
    tls.look(&clock).unwrap();
    let second = tls.pair().digest;
    assert_ne!(second, first);
    folder.lay(2025);
    assert!(tls.look(&clock).unwrap_err().contains("has expired"));
    assert_eq!(tls.pair().digest, second);
}

#[test]
fn a_fault_is_said_when_it_stays_and_once() {
    let mut doubt = Doubt::default();
    let a = || Some("a".to_owned());
    assert_eq!(doubt.weigh(None), None);
    assert_eq!(doubt.weigh(a()), None);
    assert_eq!(doubt.weigh(None), None);
    assert_eq!(doubt.weigh(a()), None);
    assert_eq!(doubt.weigh(a()), a());
    assert_eq!(doubt.weigh(a()), None);
    assert_eq!(doubt.weigh(Some("b".to_owned())), None);
    assert_eq!(doubt.weigh(Some("b".to_owned())).as_deref(), Some("b"));
    assert_eq!(doubt.weigh(None), None);
}

#[tokio::test]
async fn the_oldest_handshake_gives_way() {
    let folder = Folder::new();
    let tls = Tls::new(folder.files()).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let mut listener = Handshakes::bounded(tcp, tls.acceptor(), 3);
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await;
        stream.write_all(b"here").await.unwrap();
        stream.shutdown().await.unwrap();
        // The others are still with the listener.
        (listener, stream)
    });
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut roots = RootCertStore::empty();
    let pem = fs::read(folder.files().certificate).unwrap();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, socket).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "here");
    let _kept = served.await.unwrap();
    // The first that never spoke was given up for it; the second was not.
    let mut nothing = [0];
    assert_eq!(silent[0].read(&mut nothing).await.unwrap(), 0);
    assert!(silent[1].try_read(&mut nothing).is_err());
}
