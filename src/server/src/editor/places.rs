//! Which files the studio writes, what lies in them, and who may write them.

use base::MunicipalityCode;
use contact::centre::Allowed;
use knowledge::{File, Layer, Release, Studio};
use serde::{Deserialize, Serialize};
use storage::DraftText;

use super::wire::{DraftFile, LayerName};
use crate::auth::{Account, Role};

/// A file that the knowledge is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Article(Layer, &'a str),
    /// `kommune.toml`
    Municipality(MunicipalityCode),
    /// `studio.toml` and `generation.toml`: what holds whatever an editor or an operator would like.
    Rules,
    /// A table that all share.
    Common,
}

const COMMON: [&str; 6] = [
    "omraader.toml",
    "satser.toml",
    "krise.toml",
    "intents.toml",
    "texts.toml",
    "desk.toml",
];

/// What lies at a path; `None` for everything that is not read, and for every path that could lead elsewhere.
pub(super) fn place(path: &str) -> Option<Place<'_>> {
    let plain = |p: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !p.is_empty() && !p.starts_with('.') && p.len() <= 80 && p.chars().all(fits)
    };
    let parts: Vec<&str> = path.split('/').collect();
    if !parts.iter().all(|p| plain(p)) {
        return None;
    }
    match parts.as_slice() {
        ["studio.toml" | "generation.toml"] => Some(Place::Rules),
        [name] if COMMON.contains(name) => Some(Place::Common),
        ["out_of_scope", name] if name.ends_with(".txt") => Some(Place::Common),
        ["kommune", code, "kommune.toml"] => code.parse().ok().map(Place::Municipality),
        [.., name] => {
            let layer = Layer::of(path)?;
            Some(Place::Article(layer, name.strip_suffix(".md")?))
        }
        [] => None,
    }
}

/// What an account may do in the studio.
#[derive(Clone, Copy)]
pub(super) struct Rights<'a> {
    pub account: &'a Account,
    pub release: &'a Release,
}

impl Rights<'_> {
    pub(super) fn everywhere(&self) -> bool {
        self.account.details.skills.municipalities == Allowed::All
    }

    pub(super) fn layer(&self, layer: Layer) -> bool {
        match layer {
            Layer::Shared => self.everywhere(),
            Layer::Region(region) => {
                let all = self.release.municipalities.values();
                let mut in_it = all.filter(|m| m.region == region).peekable();
                self.everywhere()
                    || in_it.peek().is_some() && in_it.all(|m| self.account.may(m.code))
            }
            Layer::Municipality(code) => self.account.may(code),
        }
    }

    /// Whether a file may be written; a path that is none may not.
    pub(super) fn writes(&self, path: &str) -> bool {
        match place(path) {
            Some(Place::Article(layer, _)) => self.layer(layer),
            Some(Place::Municipality(code)) => self.account.may(code),
            Some(Place::Common) => self.everywhere(),
            Some(Place::Rules) => self.everywhere() && self.account.is(Role::Admin),
            None => false,
        }
    }

    pub(super) fn writes_all<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> bool {
        paths.into_iter().all(|p| self.writes(p))
    }
}

/// A changed file as lists need it. Kept with the draft, so that nobody reads texts for a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    #[serde(flatten)]
    pub file: DraftFile,
    /// Of the article before and after.
    areas: Vec<String>,
    crisis: bool,
}

/// What lists need of a draft's files.
pub(super) fn noted(files: &[DraftText]) -> Vec<Noted> {
    let one = |f: &DraftText| {
        let (mut areas, mut crisis) = (Vec::new(), false);
        if let Some(Place::Article(..)) = place(&f.path) {
            for text in [&f.base, &f.text].into_iter().flatten() {
                let read = knowledge::Article::read(&File {
                    path: f.path.clone(),
                    text: text.clone(),
                });
                let Ok(a) = read else { continue };
                crisis |= a.crisis;
                areas.push(a.area);
            }
        }
        areas.dedup();
        Noted {
            file: listed(f),
            areas,
            crisis,
        }
    };
    files.iter().map(one).collect()
}

/// Areas and files of a draft that demand a second person, in words.
pub(super) fn demands(rules: &Studio, areas: &Release, files: &[Noted]) -> Vec<String> {
    let mut why = Vec::new();
    for f in files {
        for area in f.areas.iter().filter(|a| rules.approve_areas.contains(*a)) {
            let title = areas.areas.get(area).unwrap_or(area);
            why.push(format!("Området {title}"));
        }
        if rules.approve_crisis && f.crisis {
            why.push("Artikler til mennesker i fare".to_owned());
        }
        let path = &f.file.file;
        let place = place(path);
        let table = !matches!(place, Some(Place::Article(..)));
        if table && (rules.approve_files.contains(path) || place == Some(Place::Rules)) {
            why.push(path.clone());
        }
    }
    why.sort();
    why.dedup();
    why
}

/// A changed file as people see it in a list.
pub(super) fn listed(f: &DraftText) -> DraftFile {
    let change = match (&f.base, &f.text) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let text = f.text.as_ref().or(f.base.as_ref());
    let (layer, article, title) = match place(&f.path) {
        Some(Place::Article(layer, id)) => {
            let title = text.and_then(|t| title(t)).unwrap_or_else(|| id.to_owned());
            (Some(LayerName(layer)), Some(id.to_owned()), title)
        }
        Some(Place::Municipality(code)) => (
            Some(LayerName(Layer::Municipality(code))),
            None,
            "Kommunens oplysninger".to_owned(),
        ),
        _ => (None, None, table(&f.path).to_owned()),
    };
    DraftFile {
        file: f.path.clone(),
        change: change.to_owned(),
        layer,
        article,
        title,
    }
}

/// What people call a table.
fn table(path: &str) -> &str {
    match path {
        "omraader.toml" => "Områder",
        "satser.toml" => "Satser",
        "krise.toml" => "Krisenumre",
        "intents.toml" => "Hilsner og andet, borgere skriver",
        "texts.toml" => "Tjenestens egne tekster",
        "desk.toml" => "Skabeloner til medarbejdere",
        "studio.toml" => "Regler for godkendelse",
        "generation.toml" => "Hvad der kun vises ordret",
        other => other,
    }
}

/// The title in an article's front matter, without reading the rest.
fn title(text: &str) -> Option<String> {
    let head = text.split("\n+++").next()?;
    let line = head.lines().find(|l| l.starts_with("title"))?;
    let table: toml::Table = line.parse().ok()?;
    Some(table.get("title")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_knowledge_have_a_place() {
        let code: MunicipalityCode = "0751".parse().unwrap();
        for (path, want) in [
            (
                "shared/pas/pas-forny.md",
                Some(Place::Article(Layer::Shared, "pas-forny")),
            ),
            ("kommune/0751/kommune.toml", Some(Place::Municipality(code))),
            (
                "kommune/0751/a.md",
                Some(Place::Article(Layer::Municipality(code), "a")),
            ),
            ("satser.toml", Some(Place::Common)),
            ("out_of_scope/x.txt", Some(Place::Common)),
            ("studio.toml", Some(Place::Rules)),
            ("generation.toml", Some(Place::Rules)),
            ("shared/../../etc/x.md", None),
            ("../satser.toml", None),
            ("/satser.toml", None),
            ("shared//x.md", None),
            ("shared/.hidden/x.md", None),
            ("kommune/751/a.md", None),
            ("README.md", None),
            ("", None),
        ] {
            assert_eq!(place(path), want, "{path}");
        }
    }
}
