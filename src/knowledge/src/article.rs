//! One article: a Markdown file whose sections are the units of retrieval.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base::{Lang, MunicipalityCode};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Fault, File, front_matter};

/// Whom an article is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    Citizen,
    Employee,
}

/// Where an article comes from. Later layers replace earlier ones by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    Shared,
    /// By the region's code, 1081 to 1085.
    Region(MunicipalityCode),
    Municipality(MunicipalityCode),
}

/// A button under the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub title: String,
    pub url: String,
}

/// A stretch of an article under one heading; the short answer has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub heading: Option<String>,
    /// Markdown, slots not yet filled.
    pub text: String,
}

/// An article as its file says it, slots not yet filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    pub id: String,
    pub area: String,
    pub title: String,
    pub audience: Audience,
    pub source: String,
    pub owner: String,
    pub review_by: Date,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    pub kle: Option<String>,
    pub keywords: Vec<String>,
    /// Someone who asks this may be in danger: help lines are shown first.
    pub crisis: bool,
    pub links: Vec<Link>,
    /// Sentences citizens write, by language.
    pub examples: BTreeMap<Lang, Vec<String>>,
    /// The Markdown after the front matter.
    pub body: String,
    pub sections: Vec<Section>,
    pub layer: Layer,
    /// Path relative to the knowledge folder.
    pub file: String,
    /// The line, from 1, on which the body begins.
    pub body_line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    area: String,
    title: String,
    audience: Audience,
    source: String,
    owner: String,
    review_by: toml::value::Datetime,
    valid_from: Option<toml::value::Datetime>,
    valid_to: Option<toml::value::Datetime>,
    kle: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    crisis: bool,
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    examples: BTreeMap<Lang, Vec<String>>,
}

impl Layer {
    /// The layer of an article's file, by its path; `None` where no article lies.
    pub fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["shared", _, name] if name.ends_with(".md") => Some(Self::Shared),
            ["region", code, name] if name.ends_with(".md") => code.parse().ok().map(Self::Region),
            ["kommune", code, name] if name.ends_with(".md") => {
                code.parse().ok().map(Self::Municipality)
            }
            _ => None,
        }
    }

    /// Where an article of this layer lies.
    pub fn path(self, area: &str, id: &str) -> String {
        match self {
            Self::Shared => format!("shared/{area}/{id}.md"),
            Self::Region(code) => format!("region/{code}/{id}.md"),
            Self::Municipality(code) => format!("kommune/{code}/{id}.md"),
        }
    }
}

/// The codes of the five regions.
const REGIONS: std::ops::RangeInclusive<u16> = 1081..=1085;

impl fmt::Display for Layer {
    /// `shared`, or the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared => f.write_str("shared"),
            Self::Region(code) | Self::Municipality(code) => code.fmt(f),
        }
    }
}

impl FromStr for Layer {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        if s == "shared" {
            return Ok(Self::Shared);
        }
        let code: MunicipalityCode = s.parse()?;
        let region = s.parse().is_ok_and(|n| REGIONS.contains(&n));
        Ok(if region {
            Self::Region(code)
        } else {
            Self::Municipality(code)
        })
    }
}

impl Article {
    /// Reads one file by itself.
    ///
    /// # Errors
    /// The fault that keeps it from being read, or that no article lies at its path.
    pub fn read(file: &File) -> Result<Self, Fault> {
        match Layer::of(&file.path) {
            Some(layer) => Self::parse(file, layer),
            None => Err(Fault::error(&file.path, 0, "path", "no article lies here")),
        }
    }

    pub(crate) fn parse(file: &File, layer: Layer) -> Result<Self, Fault> {
        let parts = front_matter::split(&file.path, &file.text)?;
        let head: Head = front_matter::parse(&file.path, parts.head, 2)?;
        let date = |field: &'static str, d: &toml::value::Datetime| {
            d.to_string().parse::<Date>().map_err(|_| {
                Fault::error(
                    &file.path,
                    front_matter::line_of(&file.text, field),
                    field,
                    format!("«{d}» is not a plain date such as 2027-06-30"),
                )
            })
        };
        Ok(Self {
            review_by: date("review_by", &head.review_by)?,
            valid_from: head
                .valid_from
                .as_ref()
                .map(|d| date("valid_from", d))
                .transpose()?,
            valid_to: head
                .valid_to
                .as_ref()
                .map(|d| date("valid_to", d))
                .transpose()?,
            id: head.id,
            area: head.area,
            title: head.title,
            audience: head.audience,
            source: head.source,
            owner: head.owner,
            kle: head.kle,
            keywords: head.keywords,
            crisis: head.crisis,
            links: head.links,
            examples: head.examples,
            sections: sections(parts.body),
            body: parts.body.trim().to_owned(),
            layer,
            file: file.path.clone(),
            body_line: parts.body_line,
        })
    }

    /// Whether the article may be shown on that day.
    pub fn valid_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }

    /// The example sentences in one language.
    pub fn examples_in(&self, lang: Lang) -> &[String] {
        self.examples.get(&lang).map_or(&[], Vec::as_slice)
    }
}

/// Splits Markdown at its `##` headings. Empty sections are left out.
fn sections(body: &str) -> Vec<Section> {
    let mut out = vec![Section {
        heading: None,
        text: String::new(),
    }];
    for line in body.lines() {
        if let Some(h) = line.strip_prefix("## ") {
            out.push(Section {
                heading: Some(h.trim().to_owned()),
                text: String::new(),
            });
        } else if let Some(last) = out.last_mut() {
            last.text.push_str(line);
            last.text.push('\n');
        }
    }
    for s in &mut out {
        s.text = s.text.trim().to_owned();
    }
    out.retain(|s| !s.text.is_empty() || s.heading.is_some());
    out
}
