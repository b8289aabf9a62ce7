//! From where a request comes: the page it was made on, and the address of whoever made it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use crate::web::public;

/// Which pages are ours, and which peers speak for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins {
    /// The address under which staff reach the service, such as `https://desk.example.dk`. None: this machine's
    /// own, for development.
    pub public: Option<String>,
    /// Proxies in front of the service, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// The service speaks TLS itself.
    pub tls: bool,
}

impl Origins {
    /// Whether a request was made by a page of our own. Browsers send `Origin` with every request that changes
    /// something and with every WebSocket.
    pub(crate) fn ours(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let Some(origin) = text(ORIGIN) else {
            return false;
        };
        if let Some(public) = &self.public {
            return origin == public;
        }
        let Some(host) = text(HOST) else { return false };
        // A name that anybody could let point here would do otherwise.
        let scheme = if self.tls { "https://" } else { "http://" };
        local(host) && origin.strip_prefix(scheme) == Some(host)
    }

    /// As [`Origins::address`]; None when the peer is no named proxy and on an internal network, for then it may be a
    /// proxy all the same, that speaks for many.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let ip = peer.ip().to_canonical();
        let told = self.proxies.contains(&ip) || public(ip);
        told.then(|| self.address(peer, headers))
    }

    /// The address of whoever made a request.
    pub(crate) fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.ip().to_canonical();
        if !self.proxies.contains(&peer) {
            return peer;
        }
        // The last one was written by the proxy itself; those before it by whoever liked to.
        let all = headers.get_all("x-forwarded-for").iter();
        let last = all.filter_map(|v| v.to_str().ok()).next_back();
        let last = last.and_then(|v| v.rsplit(',').next());
        last.and_then(|a| a.trim().parse().ok()).unwrap_or(peer)
    }
}

/// Whether a host name with or without a port is this machine itself.
pub(super) fn local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// The origin of an address that an operator states.
///
/// # Errors
/// What is allowed.
pub(crate) fn public_origin(url: &str) -> Result<String, &'static str> {
    let url = url.trim().trim_end_matches('/').to_lowercase();
    let (scheme, host) = url.split_once("://").unwrap_or(("", ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let whole = !host.is_empty() && host.chars().all(plain);
    if whole && (scheme == "https" || scheme == "http" && local(host)) {
        // A browser leaves the usual port out.
        Ok(url.strip_suffix(":443").unwrap_or(&url).to_owned())
    } else {
        Err("must be an address without a path, such as https://desk.example.dk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn only_our_own_pages_are_ours() {
        let here = Origins::default();
        let ours = |o: &Origins, host: &str, origin: &str| {
            o.ours(&headers(&[("host", host), ("origin", origin)]))
        };
        assert!(ours(&here, "127.0.0.1:8080", "http://127.0.0.1:8080"));
        assert!(ours(&here, "localhost:8080", "http://localhost:8080"));
        for (host, origin) in [
            ("127.0.0.1:8080", "http://127.0.0.1:9090"),
            ("127.0.0.1:8080", "https://127.0.0.1:8080"),
            ("127.0.0.1:8080", "null"),
            ("rebound.example:8080", "http://rebound.example:8080"),
            ("127.0.0.1.example", "http://127.0.0.1.example"),
        ] {
            assert!(!ours(&here, host, origin), "{host} {origin}");
        }
        assert!(!here.ours(&headers(&[("host", "127.0.0.1")])), "no origin");
        let own = Origins {
            tls: true,
            ..Origins::default()
        };
        assert!(ours(&own, "localhost:8443", "https://localhost:8443"));
        assert!(!ours(&own, "localhost:8443", "http://localhost:8443"));
        let there = Origins {
            public: Some("https://desk.example.dk".into()),
            proxies: Vec::new(),
            tls: false,
        };
        assert!(ours(&there, "10.0.0.1:8080", "https://desk.example.dk"));
        assert!(!ours(&there, "localhost", "http://localhost"));
    }

    #[test]
    fn a_proxy_is_believed_when_it_is_known() {
        let peer: SocketAddr = "10.0.0.2:5000".parse().unwrap();
        let forwarded = headers(&[("x-forwarded-for", "1.1.1.1, 192.0.2.7")]);
        let mut origins = Origins::default();
        assert_eq!(origins.address(peer, &forwarded), peer.ip());
        assert_eq!(origins.client(peer, &forwarded), None, "may be anybody's");
        let far: SocketAddr = "93.184.215.14:5000".parse().unwrap();
        assert_eq!(origins.client(far, &forwarded), Some(far.ip()));
        origins.proxies.push(peer.ip());
        let seen = origins.address(peer, &forwarded);
        assert_eq!(seen.to_string(), "192.0.2.7", "not what the client wrote");
        assert_eq!(origins.client(peer, &forwarded), Some(seen));
        assert_eq!(origins.address(peer, &HeaderMap::new()), peer.ip());
    }

    #[test]
    fn a_public_address_is_an_origin() {
        let of = |url| public_origin(url);
        assert_eq!(
            of("https://Desk.example.dk/"),
            Ok("https://desk.example.dk".into())
        );
        assert_eq!(of("https://a.dk:443"), Ok("https://a.dk".into()));
        assert_eq!(of("http://127.0.0.1:80"), Ok("http://127.0.0.1:80".into()));
        for bad in [
            "desk.example.dk",
            "http://desk.example.dk",
            "https://a.dk/desk",
            "https://",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
