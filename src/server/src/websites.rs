//! Which websites may open a chat, and for which municipalities; none listed: any may, for all.
//!
//! This is a rule of browsers: they say truthfully, in `Origin`, whose page asks. It keeps other websites from showing
//! our chat as theirs. It keeps no program out that says what it likes.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{HeaderValue, ORIGIN};
use base::MunicipalityCode;

use crate::auth::Origins;

/// One website.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Website {
    /// As browsers say it: `https://www.aarhus.dk`.
    pub(crate) origin: String,
    /// None: all.
    pub(crate) municipalities: Option<BTreeSet<MunicipalityCode>>,
}

/// Those that the operator has listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Websites(Arc<[Website]>);

/// Whoever may open a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// For which municipalities; None: all.
    codes: Option<BTreeSet<MunicipalityCode>>,
    /// Whose page asks, as its browser says it; None: a program's request.
    origin: Option<String>,
    ours: bool,
}

impl Visitor {
    pub(crate) fn may(&self, code: MunicipalityCode) -> bool {
        self.codes
            .as_ref()
            .is_none_or(|codes| codes.contains(&code))
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Whether it is a page of our own.
    pub(crate) fn is_ours(&self) -> bool {
        self.ours
    }
}

impl Websites {
    pub(crate) fn new(listed: Vec<Website>) -> Self {
        Self(listed.into())
    }

    /// Whether any is listed: only then is anybody refused.
    pub(crate) fn listed(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is listed for a municipality that is not there: nobody can open that chat, so it may be a slip of the pen.
    pub(crate) fn strange(
        &self,
        there: impl Fn(MunicipalityCode) -> bool,
    ) -> Vec<(&str, MunicipalityCode)> {
        let all = self.0.iter().flat_map(|site| {
            let codes = site.municipalities.iter().flatten();
            codes.map(|code| (site.origin.as_str(), *code))
        });
        all.filter(|(_, code)| !there(*code)).collect()
    }

    /// Whoever asks from this page; None: it is none of those that may. Our own pages may for all municipalities.
    pub(crate) fn visitor(&self, ours: &Origins, headers: &HeaderMap) -> Option<Visitor> {
        let origin = headers.get(ORIGIN).and_then(|o| o.to_str().ok());
        let ours = ours.ours(headers);
        let visitor = |codes| {
            Some(Visitor {
                codes,
                origin: origin.map(str::to_owned),
                ours,
            })
        };
        if !self.listed() || ours {
            return visitor(None);
        }
        let origin = origin?;
        let mut may = BTreeSet::new();
        let mut found = false;
        for site in self.0.iter().filter(|site| site.origin == origin) {
            found = true;
            match &site.municipalities {
                None => return visitor(None),
                Some(codes) => may.extend(codes),
            }
        }
        visitor(Some(may)).filter(|_| found)
    }

    /// Whether that website may open that municipality's chat.
    pub(crate) fn may(&self, origin: &str, code: MunicipalityCode) -> bool {
        let mut of = self.0.iter().filter(|site| site.origin == origin);
        !self.listed()
            || of.any(|site| {
                let codes = site.municipalities.as_ref();
                codes.is_none_or(|codes| codes.contains(&code))
            })
    }

    /// To which origin an answer to this request may be read out; None: to none but our own pages.
    pub(crate) fn readable(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if !self.listed() {
            return Some(HeaderValue::from_static("*"));
        }
        let origin = headers.get(ORIGIN)?;
        let listed = self.0.iter().any(|site| site.origin.as_bytes() == origin);
        listed.then(|| origin.clone())
    }

    /// Who may show a page of this municipality in a frame, as a policy says it.
    pub(crate) fn framing(&self, code: MunicipalityCode) -> String {
        let mut all = "'self'".to_owned();
        for site in self.0.iter() {
            let codes = site.municipalities.as_ref();
            if codes.is_none_or(|codes| codes.contains(&code)) {
                all.push(' ');
                all.push_str(&site.origin);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> MunicipalityCode {
        text.parse().unwrap()
    }

    fn site(origin: &str, codes: &[&str]) -> Website {
        let codes: BTreeSet<_> = codes.iter().map(|c| code(c)).collect();
        Website {
            origin: origin.to_owned(),
            municipalities: (!codes.is_empty()).then_some(codes),
        }
    }

    fn from(origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:8080"));
        if !origin.is_empty() {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_listed_website_opens_its_own_municipalities() {
        let all = Websites::new(vec![
            site("https://www.aarhus.dk", &["0751"]),
            site("https://portal.dk", &["0751", "0615"]),
            site("https://www.aarhus.dk", &["0615"]),
            site("https://faelles.dk", &[]),
        ]);
        let may = |origin: &str, town: &str| {
            let visitor = all.visitor(&Origins::default(), &from(origin));
            visitor.map(|v| v.may(code(town)))
        };
        assert_eq!(may("https://portal.dk", "0615"), Some(true));
        assert_eq!(may("https://portal.dk", "0101"), Some(false));
        assert_eq!(may("https://www.aarhus.dk", "0615"), Some(true));
        assert_eq!(may("https://faelles.dk", "0101"), Some(true));
        assert_eq!(may("http://127.0.0.1:8080", "0101"), Some(true), "our own");
        for other in [
            "",
            "null",
            "https://aarhus.dk",
            "http://portal.dk",
            "https://portal.dk.example",
            "https://portal.dk:444",
            "http://127.0.0.1:9090",
        ] {
            assert_eq!(may(other, "0751"), None, "{other}");
            assert_eq!(all.readable(&from(other)), None, "{other}");
        }
        let readable = all.readable(&from("https://portal.dk"));
        assert_eq!(readable.unwrap(), "https://portal.dk");
        assert_eq!(all.framing(code("0101")), "'self' https://faelles.dk");
        let strange = all.strange(|c| c == code("0751"));
        let sites: Vec<_> = strange.iter().map(|(site, _)| *site).collect();
        assert_eq!(sites, ["https://portal.dk", "https://www.aarhus.dk"]);
        assert!(strange.iter().all(|(_, c)| *c == code("0615")));
    }

    #[test]
    fn where_none_is_listed_any_may() {
        let none = Websites::default();
        for origin in ["", "null", "https://example.dk"] {
            let visitor = none.visitor(&Origins::default(), &from(origin)).unwrap();
            assert!(visitor.may(code("0751")));
            assert_eq!(none.readable(&from(origin)).unwrap(), "*");
        }
        assert_eq!(none.framing(code("0751")), "'self'");
    }
}
