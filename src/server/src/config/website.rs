//! `[[website]]`: which websites may open a chat.

use base::MunicipalityCode;
use serde::Deserialize;

use crate::auth::public_origin;
use crate::websites::{Website, Websites};

/// One `[[website]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebsiteFile {
    origin: String,
    /// None: all.
    municipalities: Option<Vec<MunicipalityCode>>,
}

/// # Errors
/// The first origin that is none, or that has no municipality.
pub(super) fn websites(files: Vec<WebsiteFile>) -> Result<Websites, String> {
    let one = |file: WebsiteFile| {
        let found = &file.origin;
        let origin = public_origin(found).map_err(|_| {
            format!(
                "origin «{found}» must be an address without a path, such as https://www.aarhus.dk"
            )
        })?;
        let codes = file.municipalities;
        if codes.as_ref().is_some_and(Vec::is_empty) {
            return Err(format!(
                "«{found}» has no municipality: name some, or leave the list out for all"
            ));
        }
        Ok(Website {
            origin,
            municipalities: codes.map(|c| c.into_iter().collect()),
        })
    };
    let listed: Result<Vec<_>, _> = files.into_iter().map(one).collect();
    listed.map(Websites::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Websites, String> {
        #[derive(Deserialize)]
        struct File {
            website: Vec<WebsiteFile>,
        }
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        websites(file.website)
    }

    #[test]
    fn a_website_is_an_origin_with_its_municipalities() {
        let two = "[[website]]\norigin = \"https://WWW.aarhus.dk/\"\nmunicipalities = [\"0751\"]\n\
                   [[website]]\norigin = \"https://portal.dk:443\"\n";
        let read_ = read(two).unwrap();
        let code = "0751".parse().unwrap();
        let framing = read_.framing(code);
        assert_eq!(framing, "'self' https://www.aarhus.dk https://portal.dk");
        for (bad, why) in [
            ("origin = \"www.aarhus.dk\"", "without a path"),
            ("origin = \"https://aarhus.dk/borger\"", "without a path"),
            ("origin = \"http://aarhus.dk\"", "without a path"),
            ("origin = \"https://*.dk\"", "without a path"),
            (
                "origin = \"https://a.dk\"\nmunicipalities = []",
                "no municipality",
            ),
            ("origin = \"https://a.dk\"\nmunicipalities = [\"75\"]", "75"),
        ] {
            let e = read(&format!("[[website]]\n{bad}\n")).unwrap_err();
            assert!(e.contains(why), "{bad}: {e}");
        }
    }
}
