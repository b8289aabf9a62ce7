//! The hosts that the operator lists: where knowledge may be brought in from.

use url::{Host, Url};

/// A list of hosts. Empty: nothing may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Scheme, host and port, as [`Url`] writes an origin.
    Origin(String),
    /// Every host below a domain, by https on its usual port.
    Below(String),
}

/// How a host came to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// By its own name: the operator knows where it leads.
    Outright,
    /// With everything below a domain: its name may lead to the open internet only.
    Below,
}

impl Hosts {
    /// Reads the setting: hosts with commas between, each `www.aarhus.dk`, `*.aarhus.dk`, or an origin such as
    /// `http://intranet.example.dk:8080`.
    ///
    /// # Errors
    /// What is wrong, and what is allowed.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
        let entries: Result<_, String> = entries.map(entry).collect();
        Ok(Self(entries?))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// In Danish: the host is not on the list, or the address is not one of the web.
    pub(super) fn allow(&self, url: &Url) -> Result<Listed, String> {
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(format!("«{}» er ikke en adresse som https://…", short(url)));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "En adresse må ikke have et brugernavn eller en adgangskode i sig.".to_owned(),
            );
        }
        let origin = url.origin().ascii_serialization();
        let usual = url.scheme() == "https" && url.port().is_none();
        let name = match url.host() {
            Some(Host::Domain(name)) if usual => name.trim_end_matches('.'),
            _ => "",
        };
        let mut best = None;
        for entry in &self.0 {
            match entry {
                Entry::Origin(o) if *o == origin => return Ok(Listed::Outright),
                Entry::Below(domain)
                    if name
                        .strip_suffix(domain.as_str())
                        .is_some_and(|sub| sub.ends_with('.')) =>
                {
                    best = Some(Listed::Below);
                }
                _ => {}
            }
        }
        best.ok_or_else(|| {
            format!(
                "{} er ikke på listen over hjemmesider, som må hentes ind. Bed driften om at skrive den i \
                 BORGERLINJE_IMPORT_HOSTS.",
                short_text(&origin)
            )
        })
    }
}

fn entry(text: &str) -> Result<Entry, String> {
    let wrong = || {
        let such = "www.aarhus.dk, *.aarhus.dk or http://10.0.0.2:8080";
        format!("must be hosts with commas between, such as {such}: «{text}» is none")
    };
    let (below, rest) = match text.strip_prefix("*.") {
        Some(domain) => (true, domain),
        None => (false, text),
    };
    let full = if rest.contains("://") {
        rest.to_owned()
    } else {
        format!("https://{rest}")
    };
    let url = Url::parse(&full).map_err(|_| wrong())?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare || rest.contains('*') || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong());
    }
    match url.host() {
        Some(Host::Domain(name)) if below => {
            // A whole top domain is nobody's municipality.
            let named = rest.eq_ignore_ascii_case(name) && name.contains('.');
            named
                .then(|| Entry::Below(name.to_owned()))
                .ok_or_else(wrong)
        }
        Some(_) if !below => Ok(Entry::Origin(url.origin().ascii_serialization())),
        _ => Err(wrong()),
    }
}

fn short(url: &Url) -> String {
    short_text(url.as_str())
}

fn short_text(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_listed_by_its_name_its_domain_or_its_origin() {
        let hosts =
            Hosts::read("www.aarhus.dk, *.odense.dk ,http://127.0.0.1:8123, [::1]:8443").unwrap();
        let allow = |text: &str| hosts.allow(&Url::parse(text).unwrap()).ok();
        assert_eq!(
            allow("https://www.aarhus.dk/pas?x=1"),
            Some(Listed::Outright)
        );
        assert_eq!(allow("https://www.odense.dk/"), Some(Listed::Below));
        assert_eq!(allow("https://a.b.odense.dk/"), Some(Listed::Below));
        assert_eq!(allow("http://127.0.0.1:8123/x"), Some(Listed::Outright));
        assert_eq!(allow("https://[::1]:8443/x"), Some(Listed::Outright));
        for refused in [
            "http://www.aarhus.dk/",
            "https://www.aarhus.dk:8443/",
            "https://aarhus.dk/",
            "https://odense.dk/",
            "https://evilodense.dk/",
            "https://www.odense.dk.evil.dk/",
            "https://x@www.aarhus.dk/",
            "https://www.odense.dk:8443/",
            "http://127.0.0.1/",
            "https://127.0.0.1:8123/",
            "http://2130706433:81/",
            "file:///etc/passwd",
            "ftp://www.aarhus.dk/",
        ] {
            assert_eq!(allow(refused), None, "{refused}");
        }
    }

    #[test]
    fn what_is_no_host_is_said_at_the_start() {
        for wrong in [
            "*.dk",
            "*",
            "https://",
            "a b",
            "www.aarhus.dk/pas",
            "ftp://x.dk",
            "*.http://x.dk",
        ] {
            let why = Hosts::read(wrong).unwrap_err();
            assert!(why.contains("such as www.aarhus.dk"), "{wrong}: {why}");
        }
        assert!(Hosts::read(" , ").unwrap().is_empty());
    }
}
