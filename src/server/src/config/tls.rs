//! `[tls]`: whether the service speaks TLS itself.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;

/// As the configuration file has it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    certificate: Option<String>,
    key: Option<String>,
}

/// Where the certificate lies, and its key, both in PEM. What is in them is read when the service starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The service's own certificate first, then those that lead to an authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// None: a proxy in front speaks TLS.
///
/// # Errors
/// One of the two alone.
pub(super) fn read(
    env: &dyn Fn(&str) -> Option<String>,
    file: Written,
    home: &Path,
) -> Result<Option<TlsFiles>, ConfigError> {
    let path = |name: &str, file: Option<String>| {
        let value = env(name).or(file).filter(|v| !v.is_empty());
        value.map(|v| home.join(v))
    };
    let certificate = path("BORGERLINJE_TLS_CERTIFICATE", file.certificate);
    let key = path("BORGERLINJE_TLS_KEY", file.key);
    match (certificate, key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => Err(ConfigError::Tls("there is a certificate, and no key")),
        (None, Some(_)) => Err(ConfigError::Tls("there is a key, and no certificate")),
    }
}
