//! The languages citizens are met in.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language of the interface, by its ISO 639-1 code. Knowledge itself is in Danish.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    Da,
    En,
    De,
    Uk,
    Ar,
    Pl,
    Tr,
}

/// The direction a language is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dir {
    Ltr,
    Rtl,
}

impl Lang {
    pub const ALL: [Lang; 7] = [
        Lang::Da,
        Lang::En,
        Lang::De,
        Lang::Uk,
        Lang::Ar,
        Lang::Pl,
        Lang::Tr,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Lang::Da => "da",
            Lang::En => "en",
            Lang::De => "de",
            Lang::Uk => "uk",
            Lang::Ar => "ar",
            Lang::Pl => "pl",
            Lang::Tr => "tr",
        }
    }

    pub fn dir(self) -> Dir {
        if self == Lang::Ar { Dir::Rtl } else { Dir::Ltr }
    }
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Lang::ALL
            .into_iter()
            .find(|l| l.code() == s)
            .ok_or_else(|| {
                let shown: String = s.chars().take(20).collect();
                format!(
                    "«{shown}» is not a language of the interface: da, en, de, uk, ar, pl or tr"
                )
            })
    }
}
