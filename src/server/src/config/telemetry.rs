//! `[telemetry]`: whether traces go to a collector, and which.

use std::path::Path;

use axum::http::{HeaderName, HeaderValue};
use serde::Deserialize;
use url::Url;

use super::{ConfigError, secret};
use crate::web::confidential;

/// Where a collector takes traces, below its address (OTLP 1.x over HTTP).
const PATH: &str = "/v1/traces";
/// The share of traces that are made where nothing is said.
const SAMPLE: f64 = 0.1;

/// As the configuration file has it. The header itself never stands there.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TelemetryFile {
    endpoint: Option<String>,
    sample: Option<f64>,
    header_file: Option<String>,
}

/// Where traces go.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    /// With the path of traces.
    pub url: Url,
    /// The share that is traced, 0 to 1.
    pub sample: f64,
    /// What opens the collector, such as a token; marked as sensitive, so that it is never shown.
    pub header: Option<(HeaderName, HeaderValue)>,
}

/// None: nothing is traced.
///
/// # Errors
/// What is wrong, by the name of the setting; an address and a header are never said back, for both may hold a secret.
pub(super) fn read(
    env: &dyn Fn(&str) -> Option<String>,
    file: TelemetryFile,
    home: &Path,
) -> Result<Option<Telemetry>, ConfigError> {
    let bad = |why: &str| ConfigError::Telemetry(why.to_owned());
    let given = |name: &str| env(name).filter(|v| !v.is_empty());
    let sample = match given("BORGERLINJE_TELEMETRY_SAMPLE") {
        Some(text) => Some(text.parse().map_err(|_| bad("sample: 0 to 1"))?),
        None => file.sample,
    };
    let sample: f64 = sample.unwrap_or(SAMPLE);
    if !(0.0..=1.0).contains(&sample) {
        return Err(bad("sample: 0 to 1"));
    }
    let written = ("header", None, file.header_file.as_ref());
    let header = secret::read(env, "BORGERLINJE_TELEMETRY_HEADER", written, home)?;
    let header = header.map(|line| self::header(&line)).transpose();
    let header = header.map_err(|why| bad(&why))?;
    let endpoint = given("BORGERLINJE_TELEMETRY_ENDPOINT").or(file.endpoint);
    let Some(endpoint) = endpoint.filter(|e| !e.is_empty()) else {
        return Ok(None);
    };
    Ok(Some(Telemetry {
        url: url(&endpoint).map_err(bad)?,
        sample,
        header,
    }))
}

fn url(endpoint: &str) -> Result<Url, &'static str> {
    const SUCH: &str = "endpoint: an address as https://collector.example.dk:4318; without TLS this machine's own \
                        alone, as http://127.0.0.1:4318";
    let mut url = Url::parse(endpoint).map_err(|_| SUCH)?;
    if !confidential(&url) || url.query().is_some() || url.fragment().is_some() {
        return Err(SUCH);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("endpoint: without a name and a password; what opens it goes into header_file");
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with(PATH) {
        url.set_path(&format!("{path}{PATH}"));
    }
    Ok(url)
}

/// `Name: value`, as it is sent.
fn header(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    let such = || "header: one line, as Authorization: Bearer TOKEN".to_owned();
    let (name, value) = line.split_once(':').ok_or_else(such)?;
    let name: HeaderName = name.trim().parse().map_err(|_| such())?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| such())?;
    if value.is_empty() {
        return Err(such());
    }
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn read(vars: &[(&str, &str)], file: &str) -> Result<Option<Telemetry>, String> {
        let env = |name: &str| {
            let found = vars.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        };
        let file = toml::from_str(file).map_err(|e| e.to_string())?;
        super::read(&env, file, Path::new("/no/such")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_collector_is_named_whole_or_there_is_none() {
        assert!(read(&[], "").unwrap().is_none());
        assert!(read(&[], "sample = 0.5").unwrap().is_none());
        assert!(
            read(&[("BORGERLINJE_TELEMETRY_ENDPOINT", "")], "")
                .unwrap()
                .is_none()
        );
        for (endpoint, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
            (
                "https://c.example.dk/otlp/",
                "https://c.example.dk/otlp/v1/traces",
            ),
            (
                "https://c.example.dk/v1/traces",
                "https://c.example.dk/v1/traces",
            ),
        ] {
            let read = read(&[("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint)], "").unwrap();
            let read = read.unwrap();
            assert_eq!((read.url.as_str(), read.sample), (url, SAMPLE));
        }
        let file = "endpoint = \"https://far.example.dk\"\nsample = 0.5";
        assert_eq!(read(&[], file).unwrap().unwrap().sample, 0.5);
        let near = [
            ("BORGERLINJE_TELEMETRY_ENDPOINT", "https://near.example.dk"),
            ("BORGERLINJE_TELEMETRY_SAMPLE", "1"),
        ];
        let near = read(&near, file).unwrap().unwrap();
        assert_eq!(near.url.host_str(), Some("near.example.dk"));
        assert_eq!(near.sample, 1.0);
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_that_may_be_secret_is_said_back() {
        for (endpoint, part) in [
            ("kanarie", "endpoint: an address"),
            ("http://kanarie.example.dk:4318", "without TLS"),
            ("ftp://kanarie.example.dk", "endpoint: an address"),
            (
                "https://c.example.dk/?token=kanarie",
                "endpoint: an address",
            ),
            ("https://me:kanarie@c.example.dk", "header_file"),
        ] {
            let e = read(&[("BORGERLINJE_TELEMETRY_ENDPOINT", endpoint)], "").unwrap_err();
            assert!(e.contains(part) && !e.contains("kanarie"), "{e}");
        }
        for sample in ["-0.1", "1.1", "NaN", "all"] {
            let e = read(&[("BORGERLINJE_TELEMETRY_SAMPLE", sample)], "").unwrap_err();
            assert!(e.contains("sample: 0 to 1"), "{e}");
        }
        for header in [
            "kanarie",
            "Authorization:",
            "two words: kanarie",
            "A: kanarie\u{7f}",
        ] {
            let e = read(&[("BORGERLINJE_TELEMETRY_HEADER", header)], "").unwrap_err();
            assert!(
                e.contains("header: one line") && !e.contains("kanarie"),
                "{e}"
            );
        }
        let e = read(&[], "header = \"kanarie\"").unwrap_err();
        assert!(e.contains("header"), "{e}");
    }

    #[test]
    fn a_header_is_read_and_never_shown() {
        let vars = [
            ("BORGERLINJE_TELEMETRY_ENDPOINT", "https://c.example.dk"),
            (
                "BORGERLINJE_TELEMETRY_HEADER",
                "Authorization: Bearer kanarie",
            ),
        ];
        let read = read(&vars, "").unwrap().unwrap();
        assert!(!format!("{read:?}").contains("kanarie"));
        let (name, value) = read.header.unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("authorization", &b"Bearer kanarie"[..])
        );
        // Or from a file, which is refused where every user may read it.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("header");
        std::fs::write(&path, "X-Token: kanarie\n").unwrap();
        let of_file = [
            vars[0],
            ("BORGERLINJE_TELEMETRY_HEADER_FILE", path.to_str().unwrap()),
        ];
        let mode = |mode| std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let e = self::read(&of_file, "").unwrap_err();
        assert!(e.contains("every user") && !e.contains("kanarie"), "{e}");
        mode(0o600);
        let (name, value) = self::read(&of_file, "").unwrap().unwrap().header.unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("x-token", &b"kanarie"[..])
        );
    }
}
