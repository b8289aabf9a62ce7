//! What the operator signs for a website: which chat it may open, and how it was ordered to look.
//!
//! As text: base64url of JSON, a full stop, base64url of HMAC-SHA256 over what stands before it.

use base::{Lang, MunicipalityCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Keys;

const VERSION: u32 = 1;
/// Bytes of the text, at most: more is nothing of ours.
const MOST: usize = 4 << 10;

/// Leave to open a municipality's chat on some websites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leave {
    v: u32,
    pub municipality: MunicipalityCode,
    /// As browsers say them in `Origin`.
    pub websites: Vec<String>,
    // How it was ordered. Not held against the page: its visitors choose their language, and colours are its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
}

/// Why a page may not open the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It brought nothing, and must.
    Missing,
    /// What it brought is nothing of ours, or of a newer program.
    Unreadable,
    /// No key that holds has signed it.
    Signature,
    /// It is for another municipality.
    Municipality,
    /// It is for other websites.
    Website,
}

impl Refused {
    pub(crate) const ALL: [Self; 5] = [
        Self::Missing,
        Self::Unreadable,
        Self::Signature,
        Self::Municipality,
        Self::Website,
    ];

    /// As it is counted.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Signature => "signature",
            Self::Municipality => "municipality",
            Self::Website => "website",
        }
    }

    /// For the operator.
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Missing => "its page brings no signed configuration",
            Self::Unreadable => "the signed configuration of its page cannot be read",
            Self::Signature => {
                "the configuration of its page is not signed by a key that holds here"
            }
            Self::Municipality => "the configuration of its page is for another municipality",
            Self::Website => "the configuration of its page is for other websites",
        }
    }
}

impl Leave {
    pub(crate) fn new(municipality: MunicipalityCode, websites: Vec<String>) -> Self {
        Self {
            v: VERSION,
            municipality,
            websites,
            lang: None,
            accent: None,
            open: None,
        }
    }

    /// Signed by the newest key, as a page carries it.
    ///
    /// # Errors
    /// There is no key, or the text is longer than a page may bring.
    pub(crate) fn signed(&self, keys: &Keys) -> Result<String, String> {
        let json = serde_json::to_vec(self).map_err(|e| e.to_string())?;
        let text = URL_SAFE_NO_PAD.encode(json);
        let signature = keys.sign(&text).ok_or("there is no key to sign with")?;
        let whole = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature));
        if whole.len() > MOST {
            return Err("too many websites for one configuration: make one for each".to_owned());
        }
        Ok(whole)
    }

    /// Whether what a page brought lets it open that municipality's chat.
    ///
    /// # Errors
    /// Why not. The signature is looked at before anything that it covers is read.
    pub(crate) fn check(
        brought: &str,
        keys: &Keys,
        code: MunicipalityCode,
        origin: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let (text, signature) = Some(brought)
            .filter(|b| b.len() <= MOST)
            .and_then(|b| b.split_once('.'))
            .ok_or(Refused::Unreadable)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Refused::Unreadable)?;
        if !keys.made(text, &signature, now) {
            return Err(Refused::Signature);
        }
        let json = URL_SAFE_NO_PAD.decode(text).ok();
        let leave: Option<Self> = json.and_then(|j| serde_json::from_slice(&j).ok());
        let leave = leave
            .filter(|l| l.v == VERSION)
            .ok_or(Refused::Unreadable)?;
        if leave.municipality != code {
            return Err(Refused::Municipality);
        }
        if !origin.is_some_and(|o| leave.websites.iter().any(|w| w == o)) {
            return Err(Refused::Website);
        }
        Ok(())
    }
}
