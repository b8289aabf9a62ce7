//! TLS in the service itself, for whoever has no proxy in front: TLS 1.2 and 1.3 by rustls.
//!
//! Invariants:
//! - A certificate is served only with a key that was found to be its own.
//! - A new pair that cannot be served leaves the old one in place, and is said in the log.
//! - Whoever does not finish a handshake takes nothing from those who do ([`Handshakes`]).

mod keep;
mod listener;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

pub(crate) use self::keep::keep;
pub(crate) use self::listener::Handshakes;
use crate::config::{TlsFiles, secret_bytes};

/// A certificate that ends sooner than this is spoken of.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Chains are a few kB.
const MOST: usize = 1 << 20;

/// What the two files held.
struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Read {
    /// # Errors
    /// The file that cannot be read, and why.
    fn of(files: &TlsFiles) -> Result<Self, String> {
        let of = |path: &Path, why: String| format!("[tls]: {} {why}", path.display());
        let certificate = fs::read(&files.certificate)
            .map_err(|e| of(&files.certificate, format!("cannot be read: {e}")))?;
        if certificate.len() > MOST {
            let why = "is larger than any chain of certificates".to_owned();
            return Err(of(&files.certificate, why));
        }
        let key = secret_bytes(&files.key).map_err(|why| of(&files.key, why))?;
        Ok(Self { certificate, key })
    }

    /// By which it is seen that the files are others.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(Sha256::digest(&self.certificate));
        hash.update(Sha256::digest(&self.key));
        hash.finalize().into()
    }
}

/// A certificate with the key that belongs to it.
#[derive(Debug)]
pub(crate) struct Pair {
    key: Arc<CertifiedKey>,
    begins: Timestamp,
    /// The last moment at which browsers take it.
    pub(crate) expires: Timestamp,
    digest: [u8; 32],
}

impl Pair {
    /// Reads both files. Blocks.
    ///
    /// # Errors
    /// The file, and what is wrong with it; or that the two do not belong together.
    pub(crate) fn read(files: &TlsFiles) -> Result<Self, String> {
        Self::of(files, &Read::of(files)?)
    }

    fn of(files: &TlsFiles, read: &Read) -> Result<Self, String> {
        let certificate = files.certificate.display();
        let chain = CertificateDer::pem_slice_iter(&read.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| format!("[tls] certificate: {certificate} is no PEM: {e}"))?;
        let first = chain
            .first()
            .ok_or_else(|| format!("[tls] certificate: {certificate} holds no certificate"))?;
        let (begins, expires) = period(first).ok_or_else(|| {
            format!("[tls] certificate: {certificate} holds none that can be read")
        })?;
        // What is wrong with it is not said: the words of a parser may hold some of it.
        let key = PrivateKeyDer::from_pem_slice(&read.key)
            .map_err(|_| format!("[tls] key: {} holds no private key", files.key.display()))?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|e| {
            let key = files.key.display();
            match e {
                rustls::Error::InconsistentKeys(_) => {
                    format!("[tls]: {key} is not the key of {certificate}")
                }
                e => format!("[tls]: {certificate} and {key} cannot be served: {e}"),
            }
        })?;
        Ok(Self {
            key: Arc::new(key),
            begins,
            expires,
            digest: read.digest(),
        })
    }

    /// Why no browser takes it now.
    pub(crate) fn unfit(&self, now: Timestamp) -> Option<String> {
        if self.expires < now {
            return Some(format!("the certificate has expired, at {}", self.expires));
        }
        (now < self.begins).then(|| format!("the certificate begins only at {}", self.begins))
    }

    /// Whether it ends within two weeks.
    pub(crate) fn ends_soon(&self, now: Timestamp) -> bool {
        self.expires.duration_since(now) < SOON
    }
}

/// From when until when a certificate is good.
fn period(certificate: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    let at = |seconds| Timestamp::from_second(seconds).ok();
    Some((
        at(validity.not_before.timestamp())?,
        at(validity.not_after.timestamp())?,
    ))
}

/// What is served now.
#[derive(Debug)]
struct Live(ArcSwap<Pair>);

impl ResolvesServerCert for Live {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().key))
    }
}

pub(crate) struct Tls {
    files: TlsFiles,
    live: Arc<Live>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads both files. Blocks.
    ///
    /// # Errors
    /// As [`Pair::read`].
    pub(crate) fn new(files: TlsFiles) -> Result<Self, String> {
        let pair = Pair::read(&files)?;
        let live = Arc::new(Live(ArcSwap::from_pointee(pair)));
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| format!("[tls]: {e}"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&live) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files,
            live,
            config: Arc::new(config),
        })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// What is served now.
    pub(crate) fn pair(&self) -> Arc<Pair> {
        self.live.0.load_full()
    }
}

#[cfg(test)]
mod tests;
