//! `[[oidc]]`: the identity providers that staff may sign in by.

use std::collections::BTreeSet;
use std::path::Path;

use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use serde::Deserialize;

use crate::auth::{Provider, SignOut, Vouching};
use crate::web::confidential;

/// Providers at most: one a municipality.
const MOST: usize = 100;
const ID_CHARS: std::ops::RangeInclusive<usize> = 1..=40;
const NAME_CHARS: std::ops::RangeInclusive<usize> = 1..=60;

/// As the configuration file has it. The secret itself never stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OidcFile {
    id: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret_file: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    user_claim: Option<String>,
    #[serde(default)]
    second_factor: Vouching,
    #[serde(default)]
    second_factor_values: BTreeSet<String>,
    #[serde(default)]
    sign_out: SignOut,
}

/// The providers, each with its secret.
///
/// # Errors
/// The first that cannot be: its id, the key, what is allowed.
pub(super) fn read(
    env: &dyn Fn(&str) -> Option<String>,
    files: Vec<OidcFile>,
    has_public_url: bool,
    home: &Path,
) -> Result<Vec<Provider>, String> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if !has_public_url {
        return Err("providers send browsers back to public_url, which is not set".to_owned());
    }
    if files.len() > MOST {
        return Err(format!("{MOST} at most"));
    }
    let given = env("BORGERLINJE_OIDC_SECRET").filter(|s| !s.is_empty());
    if given.is_some() && files.len() > 1 {
        return Err(
            "BORGERLINJE_OIDC_SECRET is the secret of an only provider: with several each has a client_secret_file"
                .to_owned(),
        );
    }
    let mut seen = BTreeSet::new();
    let mut providers = Vec::new();
    for file in files {
        let id = file.id.clone();
        let provider = one(file, given.as_deref(), home).map_err(|why| format!("«{id}»: {why}"))?;
        let issuer = provider.issuer.as_str().to_owned();
        if !seen.insert(id.clone()) || !seen.insert(issuer) {
            return Err(format!("«{id}»: each has an id and an issuer of its own"));
        }
        providers.push(provider);
    }
    Ok(providers)
}

fn one(file: OidcFile, given: Option<&str>, home: &Path) -> Result<Provider, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !ID_CHARS.contains(&file.id.len()) || !file.id.chars().all(plain) {
        return Err("id: 1 to 40 of a-z, 0-9 and -".to_owned());
    }
    let name = base::clean(&file.name);
    if !NAME_CHARS.contains(&name.chars().count()) {
        return Err("name: 1 to 60 characters, as in «Log ind med NAME»".to_owned());
    }
    let issuer = IssuerUrl::new(file.issuer.clone()).map_err(|e| format!("issuer: {e}"))?;
    let url = issuer.url();
    if !confidential(url) || url.query().is_some() || url.fragment().is_some() {
        let such = "https://login.microsoftonline.com/TENANT/v2.0";
        return Err(format!(
            "issuer: an address as {such}, as the provider itself writes it"
        ));
    }
    if file.client_id.trim().is_empty() {
        return Err("client_id: what the provider calls this service".to_owned());
    }
    let secret = match (given, &file.client_secret_file) {
        (Some(_), Some(_)) => {
            return Err("client_secret_file or BORGERLINJE_OIDC_SECRET, and not both".to_owned());
        }
        (Some(secret), None) => secret.to_owned(),
        (None, Some(path)) => std::fs::read_to_string(home.join(path))
            .map_err(|e| format!("client_secret_file: {path}: {e}"))?,
        (None, None) => {
            return Err(
                "client_secret_file: a file with the secret alone, or BORGERLINJE_OIDC_SECRET"
                    .to_owned(),
            );
        }
    };
    let secret = secret.trim();
    if secret.is_empty() {
        return Err("the client's secret is empty".to_owned());
    }
    if file.user_claim.as_deref() == Some("") {
        return Err("user_claim: the name of a claim, or leave it out".to_owned());
    }
    if file.second_factor == Vouching::Own && !file.second_factor_values.is_empty() {
        return Err("second_factor_values: with second_factor = \"provider\" alone".to_owned());
    }
    Ok(Provider {
        id: file.id,
        name,
        issuer,
        client_id: ClientId::new(file.client_id.trim().to_owned()),
        secret: ClientSecret::new(secret.to_owned()),
        scopes: file.scopes,
        user_claim: file.user_claim,
        second_factor: file.second_factor,
        second_factor_values: file.second_factor_values,
        sign_out: file.sign_out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "id = \"aarhus\"\nname = \"Aarhus\"\nissuer = \"https://id.example.dk/a\"\nclient_id = \"bl\"\n";

    fn with(text: &str, secret: Option<&str>, public: bool) -> Result<Vec<Provider>, String> {
        #[derive(Deserialize)]
        struct All {
            oidc: Vec<OidcFile>,
        }
        let all: All = toml::from_str(text).unwrap();
        let env = |name: &str| {
            assert_eq!(name, "BORGERLINJE_OIDC_SECRET");
            secret.map(str::to_owned)
        };
        read(&env, all.oidc, public, Path::new("/no/such"))
    }

    #[test]
    fn a_provider_is_set_up_whole_or_refused_by_its_id_and_key() {
        let text = format!("[[oidc]]\n{ONE}");
        let all = with(&text, Some("hemmelig\n"), true).unwrap();
        assert_eq!(all[0].issuer.as_str(), "https://id.example.dk/a");
        assert_eq!(all[0].secret.secret(), "hemmelig");
        assert!(!format!("{all:?}").contains("hemmelig"));
        assert!(with("oidc = []", None, false).unwrap().is_empty());
        let e = with(&text, Some("x"), false).unwrap_err();
        assert!(e.contains("public_url"), "{e}");
        let two = format!("{text}[[oidc]]\n{}", ONE.replace("aarhus", "odense"));
        let e = with(&two, Some("x"), true).unwrap_err();
        assert!(e.contains("client_secret_file"), "{e}");
        for (from, to, want) in [
            ("\"aarhus\"", "\"Aarhus\"", "id: 1 to 40"),
            ("https://id", "http://id", "issuer: an address"),
            ("https://id.example.dk/a", "id", "issuer: "),
            ("\"bl\"", "\" \"", "client_id: "),
            ("\"bl\"", "\"bl\"\nuser_claim = \"\"", "user_claim: "),
            (
                "\"bl\"",
                "\"bl\"\nsecond_factor_values = [\"mfa\"]",
                "second_factor_values: ",
            ),
            (
                "\"bl\"",
                "\"bl\"\nclient_secret_file = \"s\"",
                "and not both",
            ),
        ] {
            let e = with(&text.replace(from, to), Some("x"), true).unwrap_err();
            assert!(e.contains(want), "{e}");
        }
        let e = with(&text, None, true).unwrap_err();
        assert!(
            e.contains("«aarhus»") && e.contains("client_secret_file"),
            "{e}"
        );
        let file = format!("{text}client_secret_file = \"s\"");
        let e = with(&file, None, true).unwrap_err();
        assert!(e.contains("client_secret_file: s: "), "{e}");
    }
}
