//! Facts that change: rates and crisis lines, each with its year or date and its source.

use serde::Deserialize;

/// An amount, limit or period that is set anew, usually each January.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub name: String,
    /// As a Dane writes it: "1.234,50".
    pub value: String,
    /// "kr.", "dage", "pct.", …
    pub unit: String,
    /// The year that the value holds for.
    pub year: i16,
    pub source: String,
    /// Not checked against the source: shown as a guide only.
    #[serde(default)]
    pub sample: bool,
}

impl Rate {
    /// "893 kr. (2026)", or "893 kr. (vejledende, 2026)" when it has not been checked.
    pub fn shown(&self) -> String {
        let guide = if self.sample { "vejledende, " } else { "" };
        format!("{} {} ({guide}{})", self.value, self.unit, self.year)
    }
}

/// A line that a person in danger can call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrisisLine {
    pub name: String,
    pub phone: String,
    /// When it is open, in Danish.
    pub hours: String,
    pub source: String,
    pub checked: toml::value::Datetime,
}

impl CrisisLine {
    pub fn shown(&self) -> String {
        format!("{} {}", self.name, self.phone)
    }
}
