//! For which site keys are: the host and the origin that they sign, from the address that staff reach the service at.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;
use webauthn_rp::request::{AsciiDomain, RpId};

use crate::app::App;
use crate::auth::Origins;
use crate::auth::http::Trouble;
use crate::auth::origin::local;

/// The site as keys know it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The host of the public address: a key that was added for one is of no use to another.
    pub(super) rp: RpId,
    /// What the browser must say that it stands at.
    pub(super) origin: String,
}

impl Site {
    /// None where the address is a number: browsers have keys for names alone. Without a public address it is this
    /// machine's own name, with the port that was asked.
    pub(super) fn of(origins: &Origins, headers: &HeaderMap) -> Option<Self> {
        let origin = match &origins.public {
            Some(public) => public.clone(),
            None => {
                let host = headers.get(HOST)?.to_str().ok().filter(|h| local(h))?;
                let scheme = if origins.tls { "https" } else { "http" };
                format!("{scheme}://{host}")
            }
        };
        let (_, host) = origin.split_once("://")?;
        let name = host.split_once(':').map_or(host, |(name, _)| name);
        let number = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
        let domain = AsciiDomain::try_from(name.to_owned()).ok();
        let rp = RpId::Domain(domain.filter(|_| !number)?);
        Some(Self { rp, origin })
    }
}

/// The site that a request was made at, where there are keys for it.
pub(crate) struct Here(pub(crate) Option<Site>);

impl FromRequestParts<App> for Here {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Trouble> {
        Ok(Self(Site::of(app.auth.origins(), &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(public: Option<&str>, host: &str) -> Option<(String, String)> {
        let origins = Origins {
            public: public.map(str::to_owned),
            ..Origins::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        let site = Site::of(&origins, &headers)?;
        Some((site.rp.as_ref().to_owned(), site.origin))
    }

    #[test]
    fn it_is_the_public_address_whatever_a_request_says() {
        let site = |rp: &str, origin: &str| Some((rp.to_owned(), origin.to_owned()));
        assert_eq!(
            of(Some("https://desk.example.dk"), "evil.example"),
            site("desk.example.dk", "https://desk.example.dk")
        );
        assert_eq!(
            of(Some("https://desk.example.dk:8443"), "x"),
            site("desk.example.dk", "https://desk.example.dk:8443")
        );
        assert_eq!(
            of(None, "localhost:8080"),
            site("localhost", "http://localhost:8080")
        );
        for (public, host) in [
            (None, "evil.example"),
            (None, "127.0.0.1:8080"),
            (None, "[::1]:8080"),
            (Some("https://192.0.2.1"), "localhost"),
            (Some("https://[2001:db8::1]"), "localhost"),
        ] {
            assert_eq!(of(public, host), None, "{public:?} {host}");
        }
    }
}
