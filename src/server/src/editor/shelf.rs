//! All articles as they stand with a draft over them, also those that are not served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::MunicipalityCode;
use jiff::civil::Date;
use knowledge::{Article, Audience, File, Layer};

use super::places::{Place, place};
use super::{Live, fields};

/// Articles in the order of their files; those that cannot be read are left out.
pub(super) fn read(files: &[File]) -> Vec<Arc<Article>> {
    let articles = files.iter().filter(|f| f.path.ends_with(".md"));
    articles
        .filter_map(|f| Article::read(f).ok().map(Arc::new))
        .collect()
}

/// What lies on the shelf.
pub(super) struct Shelf {
    /// In the order of their ids, then of their layers.
    pub articles: Vec<Arc<Article>>,
    hidden: BTreeMap<MunicipalityCode, BTreeSet<String>>,
    regions: BTreeMap<MunicipalityCode, MunicipalityCode>,
    today: Date,
}

/// A draft's texts by their paths.
pub(super) type Laid = [(String, Option<String>)];

impl Shelf {
    pub(super) fn new(live: &Live, laid: &Laid, today: Date) -> Self {
        let touched: BTreeSet<&str> = laid.iter().map(|(p, _)| p.as_str()).collect();
        let mut articles: Vec<Arc<Article>> = live
            .articles()
            .iter()
            .filter(|a| !touched.contains(a.file.as_str()))
            .cloned()
            .collect();
        let municipalities = &live.release.municipalities;
        let mut hidden: BTreeMap<_, BTreeSet<String>> = municipalities
            .values()
            .map(|m| (m.code, m.hidden.iter().cloned().collect()))
            .collect();
        for (path, text) in laid {
            let Some(text) = text else { continue };
            match place(path) {
                Some(Place::Article(..)) => {
                    let file = File {
                        path: path.clone(),
                        text: text.clone(),
                    };
                    articles.extend(Article::read(&file).ok().map(Arc::new));
                }
                Some(Place::Municipality(code)) => {
                    if let Ok(f) = fields::facts(text) {
                        hidden.insert(code, f.hidden.into_iter().collect());
                    }
                }
                _ => {}
            }
        }
        articles.sort_by(|a, b| (&a.id, a.layer).cmp(&(&b.id, b.layer)));
        Self {
            articles,
            hidden,
            regions: municipalities
                .values()
                .map(|m| (m.code, m.region))
                .collect(),
            today,
        }
    }

    /// The versions of each article, shared first.
    pub(super) fn by_id(&self) -> impl Iterator<Item = &[Arc<Article>]> {
        self.articles.chunk_by(|a, b| a.id == b.id)
    }

    pub(super) fn hidden_in(&self, id: &str) -> Vec<String> {
        let all = self.hidden.iter().filter(|(_, ids)| ids.contains(id));
        all.map(|(code, _)| code.to_string()).collect()
    }

    pub(super) fn hides(&self, code: MunicipalityCode, id: &str) -> bool {
        self.hidden.get(&code).is_some_and(|ids| ids.contains(id))
    }

    /// Whether an article lies in a layer that the municipality inherits or has.
    pub(super) fn reaches(&self, layer: Layer, code: MunicipalityCode) -> bool {
        match layer {
            Layer::Shared => true,
            Layer::Region(r) => self.regions.get(&code) == Some(&r),
            Layer::Municipality(c) => c == code,
        }
    }

    /// The version that a municipality's citizens get, hidden ones included.
    pub(super) fn got<'a>(
        &self,
        versions: &'a [Arc<Article>],
        code: MunicipalityCode,
    ) -> Option<&'a Arc<Article>> {
        let fits = |a: &&Arc<Article>| {
            self.reaches(a.layer, code) && a.audience == Audience::Citizen && a.valid_on(self.today)
        };
        versions.iter().filter(fits).max_by_key(|a| a.layer)
    }

    /// `shared`, `region`, `own`, `hidden` or `none`.
    pub(super) fn seen(&self, versions: &[Arc<Article>], code: MunicipalityCode) -> &'static str {
        let Some(a) = self.got(versions, code) else {
            return "none";
        };
        match a.layer {
            _ if self.hides(code, &a.id) => "hidden",
            Layer::Shared => "shared",
            Layer::Region(_) => "region",
            Layer::Municipality(_) => "own",
        }
    }
}
