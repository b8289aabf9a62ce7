//! A release: all knowledge at one moment, validated whole, and what each municipality sees of it.

use std::collections::BTreeMap;

use base::{Lang, MunicipalityCode};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::article::{Article, Audience, Layer, Link};
use crate::desk::{self, Desk};
use crate::generation::{self, Generation};
use crate::municipality::{FIELDS, LINKS, Municipality};
use crate::phrases::{self, Intents, Texts};
use crate::rates::{CrisisLine, Rate};
use crate::studio::{self, Studio};
use crate::{ArticleIx, Fault, File, Severity, check, front_matter, slots};

/// All knowledge at one moment. Immutable; a new release replaces it whole.
#[derive(Debug)]
pub struct Release {
    pub articles: Vec<Article>,
    pub municipalities: BTreeMap<MunicipalityCode, Municipality>,
    /// Title of each area, by id.
    pub areas: BTreeMap<String, String>,
    pub rates: BTreeMap<String, Rate>,
    pub crisis: BTreeMap<String, CrisisLine>,
    pub intents: Intents,
    /// Sentences that no article answers, by kind.
    pub out_of_scope: BTreeMap<String, Vec<(Lang, String)>>,
    pub texts: Texts,
    pub desk: Desk,
    pub studio: Studio,
    pub generation: Generation,
    /// SHA-256 over every path and text, in hexadecimal.
    pub hash: String,
    /// The same over what search and ranking may be learned from: all but what only agents and editors see.
    pub learned_hash: String,
    views: BTreeMap<MunicipalityCode, View>,
    built_on: Date,
    /// What did not keep it from being built.
    notes: Vec<Fault>,
    /// Of each article, what its sentences are known by.
    sentences: Vec<Vec<u64>>,
}

/// What one municipality sees: shared, replaced by its region's, replaced by its own, less what it hides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    by_id: BTreeMap<String, ArticleIx>,
    visible: Vec<bool>,
}

impl View {
    pub fn get(&self, id: &str) -> Option<ArticleIx> {
        self.by_id.get(id).copied()
    }

    pub fn sees(&self, article: ArticleIx) -> bool {
        self.visible.get(article as usize).copied().unwrap_or(false)
    }

    /// The visible articles, in the order of their ids.
    pub fn articles(&self) -> impl Iterator<Item = ArticleIx> + '_ {
        self.by_id.values().copied()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// An article as one municipality's citizens read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub title: String,
    /// Markdown with every slot filled.
    pub body: String,
    pub links: Vec<Link>,
    pub source: String,
}

/// A place where a changing fact enters a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Without the braces, such as `sats.pas_voksen`.
    pub name: String,
    /// What people call it.
    pub label: String,
    pub value: String,
    pub kind: SlotKind,
}

/// What a slot is filled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    Rate,
    Municipality,
    Link,
    Crisis,
}

/// Everything that the files say, before it is known to be sound.
pub(crate) struct Draft {
    pub articles: Vec<Article>,
    pub municipalities: BTreeMap<MunicipalityCode, Municipality>,
    pub areas: BTreeMap<String, String>,
    pub rates: BTreeMap<String, Rate>,
    pub crisis: BTreeMap<String, CrisisLine>,
    intents: Intents,
    out_of_scope: BTreeMap<String, Vec<(Lang, String)>>,
    texts: Texts,
    pub desk: Desk,
    pub studio: Studio,
    pub generation: Generation,
}

impl Release {
    /// Builds a release as of `today` (the date in Copenhagen). The second part holds what does not keep it
    /// from being served: articles whose time is over, and warnings.
    ///
    /// # Errors
    /// Every fault of every file, in the order of file and line, when at least one is an error.
    pub fn build(files: &[File], today: Date) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut draft = read(files, &mut faults);
        check::run(&draft, files, today, &mut faults);
        if faults.iter().any(|f| f.severity == Severity::Error) {
            faults.sort_by(Fault::place);
            return Err(faults);
        }
        draft.articles.retain(|a| a.valid_on(today));
        let sentences = draft.articles.iter().map(check::sentence_keys).collect();
        Ok(Self::of(draft, sentences, faults, files, today))
    }

    /// The release of a sound draft, and its notes in their order.
    fn of(
        draft: Draft,
        sentences: Vec<Vec<u64>>,
        mut notes: Vec<Fault>,
        files: &[File],
        today: Date,
    ) -> (Self, Vec<Fault>) {
        notes.sort_by(Fault::place);
        let views = draft
            .municipalities
            .values()
            .map(|m| (m.code, view(&draft.articles, m)))
            .collect();
        let of_learned =
            |f: &&File| ![desk::FILE, studio::FILE, generation::FILE].contains(&f.path.as_str());
        let release = Self {
            articles: draft.articles,
            municipalities: draft.municipalities,
            areas: draft.areas,
            rates: draft.rates,
            crisis: draft.crisis,
            intents: draft.intents,
            out_of_scope: draft.out_of_scope,
            texts: draft.texts,
            desk: draft.desk,
            studio: draft.studio,
            generation: draft.generation,
            hash: hash(files.iter()),
            learned_hash: hash(files.iter().filter(of_learned)),
            views,
            built_on: today,
            notes: notes.clone(),
            sentences,
        };
        (release, notes)
    }

    pub fn view(&self, code: MunicipalityCode) -> Option<&View> {
        self.views.get(&code)
    }

    pub fn article(&self, ix: ArticleIx) -> &Article {
        &self.articles[ix as usize]
    }

    /// The municipalities in whose layers an article lies but that do not see it: they hide or replace it.
    pub fn excluded_from(&self, ix: ArticleIx) -> impl Iterator<Item = MunicipalityCode> + '_ {
        let layer = self.article(ix).layer;
        self.municipalities.values().filter_map(move |m| {
            let inherits = match layer {
                Layer::Shared => true,
                Layer::Region(r) => r == m.region,
                Layer::Municipality(c) => c == m.code,
            };
            (inherits && !self.views.get(&m.code).is_some_and(|v| v.sees(ix))).then_some(m.code)
        })
    }

    /// The article as that municipality's citizens read it; `None` when it does not see the article.
    pub fn render(&self, ix: ArticleIx, code: MunicipalityCode) -> Option<Rendered> {
        let m = self.municipalities.get(&code)?;
        if !self.view(code)?.sees(ix) {
            return None;
        }
        let a = self.article(ix);
        let fill = |text: &str| slots::fill(text, |slot, _| self.slot(slot, m));
        Some(Rendered {
            title: fill(&a.title),
            body: self.markdown(&a.body, m),
            links: a
                .links
                .iter()
                .map(|l| Link {
                    title: fill(&l.title),
                    url: fill(&l.url),
                })
                .collect(),
            source: a.source.clone(),
        })
    }

    /// A text with slots that is no Markdown, such as a title or an address.
    pub fn fill_plain(&self, text: &str, code: MunicipalityCode) -> String {
        let m = self.municipalities.get(&code);
        slots::fill(text, |slot, _| self.slot(slot, m?))
    }

    /// Any text with slots, as that municipality's citizens read it.
    pub fn fill(&self, text: &str, code: MunicipalityCode) -> String {
        match self.municipalities.get(&code) {
            Some(m) => self.markdown(text, m),
            None => without_slots(text),
        }
    }

    /// Fills Markdown: an address that stands bare in the text becomes a link that can be pressed.
    fn markdown(&self, text: &str, m: &Municipality) -> String {
        slots::fill(text, |slot, address| {
            let value = self.slot(slot, m)?;
            if address || !slot.starts_with("kommune.link.") {
                return Some(value);
            }
            let shown = value
                .trim_start_matches("https://")
                .trim_start_matches("www.");
            Some(format!("[{shown}]({value})"))
        })
    }

    /// The phone numbers and e-mail addresses that a municipality publishes, and those of the help lines: no secret
    /// when a citizen repeats them.
    pub fn published(&self, code: MunicipalityCode) -> base::Published {
        let own = self.municipalities.get(&code).into_iter();
        let own = own.flat_map(|m| m.fields.values().map(String::as_str));
        base::Published::of(own.chain(self.crisis.values().map(|l| l.phone.as_str())))
    }

    /// Every slot that a text may use, with what stands for it in that municipality.
    pub fn slots(&self, code: MunicipalityCode) -> Vec<Slot> {
        let Some(m) = self.municipalities.get(&code) else {
            return Vec::new();
        };
        let rates = self.rates.iter();
        let rates = rates.map(|(id, r)| (SlotKind::Rate, format!("sats.{id}"), r.name.clone()));
        let fields = std::iter::once("navn").chain(FIELDS);
        let fields = fields.map(|f| (SlotKind::Municipality, format!("kommune.{f}"), f.to_owned()));
        let links = LINKS.iter();
        let links = links.map(|l| (SlotKind::Link, format!("kommune.link.{l}"), (*l).to_owned()));
        let lines = self.crisis.iter();
        let lines = lines.map(|(id, l)| (SlotKind::Crisis, format!("krise.{id}"), l.name.clone()));
        let all = rates.chain(fields).chain(links).chain(lines);
        all.map(|(kind, name, label)| Slot {
            value: self.slot(&name, m).unwrap_or_default(),
            name,
            label,
            kind,
        })
        .collect()
    }

    fn slot(&self, slot: &str, m: &Municipality) -> Option<String> {
        let mut parts = slot.split('.');
        match (parts.next()?, parts.next()?, parts.next()) {
            ("sats", name, None) => self.rates.get(name).map(Rate::shown),
            ("krise", name, None) => self.crisis.get(name).map(CrisisLine::shown),
            ("kommune", "link", Some(name)) => m.links.get(name).cloned(),
            ("kommune", field, None) => Some(m.field(field))
                .filter(|v| !v.is_empty())
                .map(str::to_owned),
            _ => None,
        }
    }
}

/// A text with its slots left out: what is indexed, the same for every municipality.
pub fn without_slots(text: &str) -> String {
    slots::fill(text, |_, _| Some(String::new()))
}

fn view(articles: &[Article], m: &Municipality) -> View {
    let mut best: BTreeMap<String, ArticleIx> = BTreeMap::new();
    for (ix, a) in (0..).zip(articles) {
        let ours = match a.layer {
            Layer::Shared => true,
            Layer::Region(r) => r == m.region,
            Layer::Municipality(c) => c == m.code,
        };
        if !ours || a.audience != Audience::Citizen || m.hidden.contains(&a.id) {
            continue;
        }
        let slot = best.entry(a.id.clone()).or_insert(ix);
        if articles[*slot as usize].layer < a.layer {
            *slot = ix;
        }
    }
    let mut visible = vec![false; articles.len()];
    for &ix in best.values() {
        visible[ix as usize] = true;
    }
    View {
        by_id: best,
        visible,
    }
}

fn read(files: &[File], faults: &mut Vec<Fault>) -> Draft {
    let mut draft = Draft {
        articles: Vec::new(),
        municipalities: BTreeMap::new(),
        areas: BTreeMap::new(),
        rates: BTreeMap::new(),
        crisis: BTreeMap::new(),
        intents: Intents::default(),
        out_of_scope: BTreeMap::new(),
        texts: Texts::default(),
        desk: Desk::default(),
        studio: Studio::default(),
        generation: Generation::default(),
    };
    for file in files {
        if let Some(layer) = article_layer(&file.path) {
            match layer.and_then(|layer| Article::parse(file, layer)) {
                Ok(article) => draft.articles.push(article),
                Err(fault) => faults.push(fault),
            }
            continue;
        }
        let parts: Vec<&str> = file.path.split('/').collect();
        let outcome = match parts.as_slice() {
            ["omraader.toml"] => {
                front_matter::parse(&file.path, &file.text, 1).map(|t| draft.areas = t)
            }
            ["satser.toml"] => {
                front_matter::parse(&file.path, &file.text, 1).map(|t| draft.rates = t)
            }
            ["krise.toml"] => {
                front_matter::parse(&file.path, &file.text, 1).map(|t| draft.crisis = t)
            }
            ["intents.toml"] => Intents::parse(file).map(|i| draft.intents = i),
            ["texts.toml"] => Texts::parse(file, faults).map(|t| draft.texts = t),
            [desk::FILE] => Desk::parse(file).map(|d| draft.desk = d),
            [studio::FILE] => Studio::parse(file).map(|s| draft.studio = s),
            [generation::FILE] => Generation::parse(file).map(|g| draft.generation = g),
            ["out_of_scope", name] if name.ends_with(".txt") => {
                let kind = name.trim_end_matches(".txt").to_owned();
                draft
                    .out_of_scope
                    .insert(kind, phrases::out_of_scope(file, faults));
                Ok(())
            }
            ["kommune", _, "kommune.toml"] => {
                if let Some(m) = Municipality::parse(file, faults) {
                    if m.code.as_str() != parts[1] {
                        faults.push(Fault::error(
                            &file.path,
                            front_matter::line_of(&file.text, "code"),
                            "code",
                            format!("is {}, but the folder is {}", m.code, parts[1]),
                        ));
                    }
                    draft.municipalities.insert(m.code, m);
                }
                Ok(())
            }
            _ => Err(Fault::warning(
                &file.path,
                0,
                "path",
                "is in no place that is read: see docs/knowledge-format.md",
            )),
        };
        if let Err(fault) = outcome {
            faults.push(fault);
        }
    }
    draft
}

/// The layer of the article that a file is by its place; `None` when it is none, a fault when its folder is no code.
fn article_layer(path: &str) -> Option<Result<Layer, Fault>> {
    let code = |code: &str| {
        code.parse::<MunicipalityCode>()
            .map_err(|e| Fault::error(path, 0, "path", e))
    };
    let path = path.strip_suffix(".md")?;
    let mut parts = path.split('/');
    let (root, folder, _) = (parts.next()?, parts.next()?, parts.next()?);
    match (root, parts.next()) {
        ("shared", None) => Some(Ok(Layer::Shared)),
        ("region", None) => Some(code(folder).map(Layer::Region)),
        ("kommune", None) => Some(code(folder).map(Layer::Municipality)),
        _ => None,
    }
}

/// What tells two sets of files apart: SHA-256 over every path and text, in hexadecimal. In the order of the paths.
pub fn hash<'a>(files: impl Iterator<Item = &'a File>) -> String {
    let mut h = Sha256::new();
    for f in files {
        h.update((f.path.len() as u64).to_le_bytes());
        h.update(&f.path);
        h.update((f.text.len() as u64).to_le_bytes());
        h.update(&f.text);
    }
    base::hex(h.finalize())
}

mod after;
#[cfg(test)]
mod tests;
