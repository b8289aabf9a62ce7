//! What one municipality says of itself.

use std::collections::BTreeMap;

use base::MunicipalityCode;
use jiff::civil::{Date, Time, Weekday};
use serde::Deserialize;

use crate::{Fault, File, front_matter};

/// An opening span of one weekday, local time in Copenhagen; `from` < `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub from: Time,
    pub to: Time,
}

/// Weekly hours and the days on which nobody answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// Monday first.
    pub week: [Option<Opening>; 7],
    pub closed: Vec<Date>,
}

impl Hours {
    pub fn on(&self, day: Weekday) -> Option<Opening> {
        self.week[usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)]
    }
}

/// `kommune.toml`: name, region, contact, hours, links, hidden articles.
#[derive(Clone, Debug)]
pub struct Municipality {
    pub code: MunicipalityCode,
    /// "Aarhus"
    pub name: String,
    /// "Aarhus Kommune"
    pub navn: String,
    pub region: MunicipalityCode,
    /// Contact data are examples, not the municipality's own.
    pub sample: bool,
    pub fields: BTreeMap<String, String>,
    pub links: BTreeMap<String, String>,
    pub hidden: Vec<String>,
    /// The colour of the widget, `#rrggbb`.
    pub accent: String,
    pub hours: Hours,
    pub file: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    code: MunicipalityCode,
    name: String,
    region: MunicipalityCode,
    #[serde(default)]
    sample: bool,
    #[serde(default)]
    hidden: Vec<String>,
    contact: BTreeMap<String, String>,
    hours: BTreeMap<String, String>,
    #[serde(default)]
    closed: Vec<toml::value::Datetime>,
    theme: Theme,
    links: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    accent: String,
}

/// The fields `{{kommune.FIELD}}` may name, `navn` aside.
pub const FIELDS: [&str; 5] = ["telefon", "email", "adresse", "aabningstid", "hjemmeside"];

/// The names `{{kommune.link.NAME}}` may name.
pub const LINKS: [&str; 40] = [
    "tidsbestilling",
    "selvbetjening",
    "digital_post",
    "takster",
    "borgerservice",
    "dagtilbud",
    "skole",
    "tandpleje",
    "sundhed",
    "aeldre",
    "hjaelpemidler",
    "handicap",
    "social",
    "jobcenter",
    "integration",
    "bolig",
    "affald",
    "affaldskalender",
    "genbrugsplads",
    "miljoe",
    "vand",
    "vej",
    "vejtip",
    "parkering",
    "byggesag",
    "byggearkiv",
    "lokalplaner",
    "ejendom",
    "bibliotek",
    "kultur",
    "foreninger",
    "erhverv",
    "valg",
    "politik",
    "klage",
    "aktindsigt",
    "dpo",
    "job",
    "betaling",
    "frivillig",
];

/// The weekdays of `[hours]`, Monday first.
pub const DAYS: [&str; 7] = [
    "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "loerdag", "soendag",
];

impl Municipality {
    pub(crate) fn parse(file: &File, faults: &mut Vec<Fault>) -> Option<Self> {
        let raw: Raw = match front_matter::parse(&file.path, &file.text, 1) {
            Ok(raw) => raw,
            Err(fault) => {
                faults.push(fault);
                return None;
            }
        };
        let at = |needle: &str| front_matter::line_of(&file.text, needle);
        let before = faults.len();
        for field in FIELDS {
            if !raw.contact.contains_key(field) {
                faults.push(Fault::error(
                    &file.path,
                    at("[contact]"),
                    format!("contact.{field}"),
                    "is missing",
                ));
            }
        }
        for field in raw.contact.keys() {
            if !FIELDS.contains(&field.as_str()) {
                faults.push(Fault::error(
                    &file.path,
                    at(field),
                    format!("contact.{field}"),
                    format!("is unknown; allowed: {}", FIELDS.join(", ")),
                ));
            }
        }
        for name in LINKS {
            match raw.links.get(name) {
                None => faults.push(Fault::error(
                    &file.path,
                    at("[links]"),
                    format!("links.{name}"),
                    "is missing",
                )),
                Some(url) if !url.starts_with("https://") => faults.push(Fault::error(
                    &file.path,
                    at(name),
                    format!("links.{name}"),
                    format!("«{url}» must begin with https://"),
                )),
                Some(_) => {}
            }
        }
        let hours = hours(file, &raw, faults);
        if !accent_ok(&raw.theme.accent) {
            faults.push(Fault::error(
                &file.path,
                at("accent"),
                "theme.accent",
                format!("«{}» is not a colour such as #0f5c4c", raw.theme.accent),
            ));
        }
        if faults.len() > before {
            return None;
        }
        Some(Self {
            code: raw.code,
            navn: format!("{} Kommune", raw.name),
            name: raw.name,
            region: raw.region,
            sample: raw.sample,
            fields: raw.contact,
            links: raw.links,
            hidden: raw.hidden,
            accent: raw.theme.accent,
            hours,
            file: file.path.clone(),
        })
    }

    /// A contact field such as `telefon`; empty when the field is unknown.
    pub fn field(&self, name: &str) -> &str {
        if name == "navn" {
            return &self.navn;
        }
        self.fields.get(name).map_or("", String::as_str)
    }
}

fn accent_ok(colour: &str) -> bool {
    colour.len() == 7
        && colour.starts_with('#')
        && colour[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

fn hours(file: &File, raw: &Raw, faults: &mut Vec<Fault>) -> Hours {
    let mut hours = Hours::default();
    for (day, span) in &raw.hours {
        let line = front_matter::line_of(&file.text, day);
        let field = format!("hours.{day}");
        let Some(i) = DAYS.iter().position(|d| d == day) else {
            faults.push(Fault::error(
                &file.path,
                line,
                field,
                format!("is not a weekday; allowed: {}", DAYS.join(", ")),
            ));
            continue;
        };
        if span == "lukket" {
            continue;
        }
        let parsed = span.split_once('-').and_then(|(a, b)| {
            let from: Time = a.trim().parse().ok()?;
            let to: Time = b.trim().parse().ok()?;
            (from < to).then_some(Opening { from, to })
        });
        match parsed {
            Some(o) => hours.week[i] = Some(o),
            None => faults.push(Fault::error(
                &file.path,
                line,
                field,
                format!("«{span}» is not a span such as 08:00-20:00, nor «lukket»"),
            )),
        }
    }
    for d in &raw.closed {
        match d.to_string().parse() {
            Ok(d) => hours.closed.push(d),
            Err(_) => faults.push(Fault::error(
                &file.path,
                front_matter::line_of(&file.text, "closed"),
                "closed",
                format!("«{d}» is not a plain date"),
            )),
        }
    }
    hours
}
