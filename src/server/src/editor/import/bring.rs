//! Rows become drafts: what is there already is left out, what was brought in before is compared with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::MunicipalityCode;
use jiff::civil::Date;
use knowledge::{Article, File, Layer, Release};
use storage::DraftText;

use super::super::drafts::New;
use super::super::next::slug;
use super::super::problem::Problem;
use super::super::shelf;
use super::super::wire::{ArticleFields, Change, ChangedPage, Duplicate, LayerName, Skipped};
use super::Plan;
use super::again::{self, Met, met};
use super::near::{Entry, Near, key};
use super::read::{Row, Rows};

/// Articles in one draft: more than somebody reads in a sitting.
const IN_ONE: usize = 250;
const TITLE: usize = 70;

/// Which areas and layers there are.
#[derive(Clone, Default)]
pub(super) struct Places {
    /// Titles by id.
    pub areas: BTreeMap<String, String>,
    pub regions: BTreeMap<MunicipalityCode, MunicipalityCode>,
    /// Municipalities by their names, folded.
    pub names: BTreeMap<String, MunicipalityCode>,
}

impl Places {
    pub(super) fn of(release: &Release) -> Self {
        let all = || release.municipalities.values();
        Self {
            areas: release.areas.clone(),
            regions: all().map(|m| (m.code, m.region)).collect(),
            names: all().map(|m| (base::fold(&m.name), m.code)).collect(),
        }
    }

    fn layer(&self, named: &str) -> Option<Layer> {
        let named = named.trim();
        if let Ok(layer) = named.parse::<Layer>() {
            let there = match layer {
                Layer::Shared => true,
                Layer::Region(r) => self.regions.values().any(|v| *v == r),
                Layer::Municipality(code) => self.regions.contains_key(&code),
            };
            return there.then_some(layer);
        }
        let name = base::fold(named);
        let name = name.trim_end_matches(" kommune");
        let found = self.names.iter();
        let mut found = found.filter(|(n, _)| n.trim_end_matches(" kommune") == name);
        found.next().map(|(_, code)| Layer::Municipality(*code))
    }
}

/// A draft that is open.
pub(super) struct Drafted {
    pub id: String,
    pub version: u64,
    pub files: Vec<DraftText>,
}

/// What rows are held against.
pub(super) struct Around<'a> {
    pub live: &'a [File],
    /// The one changed last first.
    pub drafts: &'a [Drafted],
    pub places: &'a Places,
    pub today: Date,
    /// Where it may be written.
    pub may: &'a dyn Fn(Layer) -> bool,
    /// What pages said when they were last brought in, by [`again::address`].
    pub pages: &'a BTreeMap<String, String>,
}

/// Drafts to be, and what did not become one.
#[derive(Default)]
pub(super) struct Brought {
    /// Each with the places in `changed` of the pages whose articles it changes.
    pub drafts: Vec<(New, Vec<usize>)>,
    /// Changes of open drafts.
    pub edits: Vec<Edit>,
    pub read: usize,
    pub skipped: Vec<Skipped>,
    pub duplicates: Vec<Duplicate>,
    pub unchanged: usize,
    pub changed: Vec<ChangedPage>,
    /// Rows that were brought in, to be asked as questions.
    pub asked: Vec<(usize, String, Layer)>,
    /// What pages say now: address, text.
    pub pages: Vec<(String, String)>,
}

pub(super) struct Edit {
    pub draft: String,
    pub version: u64,
    pub change: Change,
}

/// An article whose source is a page.
struct Sourced {
    article: Arc<Article>,
    /// The place of the open draft that it is in.
    draft: Option<usize>,
}

/// Sorts rows by what is there and by area.
///
/// # Errors
/// Whatever `progress` ends it with.
pub(super) fn bring(
    plan: &Plan,
    (rows, skipped): Rows,
    around: &Around<'_>,
    progress: &mut dyn FnMut(usize, usize) -> Result<(), Problem>,
) -> Result<Brought, Problem> {
    let mut desk = Desk::new(plan, around, &rows);
    desk.out.read = rows.len() + skipped.len();
    desk.out.skipped = skipped;
    let total = rows.len();
    for (n, row) in rows.into_iter().enumerate() {
        if n % 50 == 0 {
            progress(n, total)?;
        }
        desk.row(row);
    }
    Ok(desk.end())
}

/// Where rows are sorted.
struct Desk<'a> {
    plan: &'a Plan,
    around: &'a Around<'a>,
    near: Near,
    sourced: BTreeMap<String, Sourced>,
    /// Layers in which an id is taken.
    ids: BTreeMap<String, Vec<Layer>>,
    /// Whose example a sentence is.
    said: BTreeMap<String, Vec<(Layer, String)>>,
    by_area: BTreeMap<String, Vec<(Change, Option<usize>)>>,
    out: Brought,
}

impl<'a> Desk<'a> {
    fn new(plan: &'a Plan, around: &'a Around<'a>, rows: &[Row]) -> Self {
        let live = shelf::read(around.live).into_iter().map(|a| (a, None));
        let mut there: Vec<(Arc<Article>, Option<usize>)> = live.collect();
        // The draft changed last has the last word.
        for (n, d) in around.drafts.iter().enumerate().rev() {
            let files: Vec<File> = d
                .files
                .iter()
                .filter_map(|f| {
                    Some(File {
                        path: f.path.clone(),
                        text: f.text.clone()?,
                    })
                })
                .collect();
            there.extend(shelf::read(&files).into_iter().map(|a| (a, Some(n))));
        }
        let texts = there.iter().map(|(a, _)| a.body.as_str());
        let texts = texts.chain(rows.iter().map(|r| r.answer.as_str()));
        let mut desk = Self {
            plan,
            around,
            near: Near::new(around.places.regions.clone(), texts),
            sourced: BTreeMap::new(),
            ids: BTreeMap::new(),
            said: BTreeMap::new(),
            by_area: BTreeMap::new(),
            out: Brought::default(),
        };
        for (article, draft) in there {
            let entry = Entry {
                name: article.id.clone(),
                id: article.id.clone(),
                layer: article.layer,
                draft: draft.map(|n| around.drafts[n].id.clone()),
            };
            let plain = knowledge::without_slots;
            let (title, body) = (plain(&article.title), plain(&article.body));
            desk.near.add(entry, &title, &body);
            desk.ids
                .entry(article.id.clone())
                .or_default()
                .push(article.layer);
            for sentence in article.examples.values().flatten() {
                let whose = (article.layer, article.id.clone());
                desk.said.entry(key(sentence)).or_default().push(whose);
            }
            if article.layer == plan.layer {
                let address = again::address(&article.source);
                desk.sourced.insert(address, Sourced { article, draft });
            }
        }
        desk
    }

    fn skip(&mut self, row: &Row, why: impl Into<String>) {
        self.out.skipped.push(Skipped {
            row: row.row,
            why: why.into(),
            address: row.address.clone(),
        });
    }

    fn row(&mut self, mut row: Row) {
        // An office's phone number and account are what an article tells; nobody's CPR number is.
        let known = |text: &str| base::redact_by(text, base::Rules::KNOWLEDGE).text;
        row.answer = known(row.answer.trim());
        row.title = known(&row.title);
        if self.met(&row) {
            return;
        }
        let layer = match row.layer.as_deref().filter(|l| !l.is_empty()) {
            None => self.plan.layer,
            Some(named) => match self.around.places.layer(named) {
                Some(layer) => layer,
                None => return self.skip(&row, format!("Kommunen «{named}» findes ikke.")),
            },
        };
        if !(self.around.may)(layer) {
            return self.skip(
                &row,
                format!("Du har ikke ret til at skrive for «{layer}»."),
            );
        }
        let Some(area) = self.area(&row) else {
            let named = row.area.as_deref().unwrap_or("");
            let why = if named.is_empty() {
                "Rækken siger ikke, hvilket område den hører til. Vælg et område for hele importen."
                    .to_owned()
            } else {
                format!("Området «{named}» findes ikke.")
            };
            return self.skip(&row, why);
        };
        if let Some((of, likeness)) = self.near.like(layer, &row.title, &row.answer) {
            self.out.duplicates.push(Duplicate {
                row: row.row,
                title: row.title,
                of: of.name.clone(),
                draft: of.draft.clone(),
                likeness,
            });
            return;
        }
        self.out.asked.push((row.row, row.title.clone(), layer));
        if let Some(address) = &row.address {
            let page = (again::address(address), row.answer.clone());
            self.out.pages.push(page);
        }
        let (n, title, answer) = (row.row, row.title.clone(), row.answer.clone());
        let article = self.article(row, layer, area.clone());
        let entry = Entry {
            name: format!("row {n}"),
            id: article.id.clone(),
            layer,
            draft: None,
        };
        self.near.add(entry, &title, &answer);
        self.change(area, layer, article, None);
    }

    fn change(&mut self, area: String, layer: Layer, article: ArticleFields, page: Option<usize>) {
        let change = Change::Article {
            layer: LayerName(layer),
            article: Box::new(article),
            was: None,
        };
        self.by_area.entry(area).or_default().push((change, page));
    }

    /// A page that an article came from, or was written after; true if the row is one.
    fn met(&mut self, row: &Row) -> bool {
        let Some(address) = row.address.as_deref().map(again::address) else {
            return false;
        };
        let Some(sourced) = self.sourced.get(&address) else {
            return false;
        };
        let article = Arc::clone(&sourced.article);
        let draft = sourced.draft.map(|n| &self.around.drafts[n]);
        let last = self.around.pages.get(&address).map(String::as_str);
        let (body, clash) = match met(last, &article.body, &row.answer) {
            Met::Same => {
                self.out.unchanged += 1;
                self.out.pages.push((address, row.answer.clone()));
                return true;
            }
            Met::Merged(body) => (body, false),
            Met::Clash => (row.answer.clone(), true),
        };
        let (added, removed) = again::lines(&article.body, &body);
        let place = self.out.changed.len();
        self.out.changed.push(ChangedPage {
            address: row.address.clone().unwrap_or_default(),
            article: article.id.clone(),
            title: article.title.clone(),
            added,
            removed,
            clash,
            draft: draft.map_or_else(String::new, |d| d.id.clone()),
        });
        let mut fields = ArticleFields::from(&*article);
        fields.body = body;
        match draft {
            // What editors are at is not written over.
            Some(_) if clash => return true,
            Some(draft) => self.out.edits.push(Edit {
                draft: draft.id.clone(),
                version: draft.version,
                change: Change::Article {
                    layer: LayerName(article.layer),
                    article: Box::new(fields),
                    was: None,
                },
            }),
            None => self.change(article.area.clone(), article.layer, fields, Some(place)),
        }
        self.out.pages.push((address, row.answer.clone()));
        true
    }

    /// The area that a row names by its id or its title, or the one for all.
    fn area(&self, row: &Row) -> Option<String> {
        let areas = &self.around.places.areas;
        let all = || self.plan.area.clone().filter(|a| areas.contains_key(a));
        let Some(named) = row.area.as_deref().filter(|a| !a.is_empty()) else {
            return all();
        };
        let folded = base::fold(named);
        let found = areas
            .iter()
            .find(|(id, title)| base::fold(id) == folded || base::fold(title) == folded);
        found.map(|(id, _)| id.clone()).or_else(all)
    }

    /// Whether citizens can meet both layers.
    fn related(&self, a: Layer, b: Layer) -> bool {
        self.near.inherits(a, b) || self.near.inherits(b, a)
    }

    /// A name for a row's article: its own; that of the article which answers the same question in a layer beneath;
    /// else one that no other has.
    fn id(&self, row: &Row, layer: Layer) -> String {
        let given = row.id.as_deref().map(slug);
        let own = given.or_else(|| {
            let inherited = self.near.overridden(layer, &row.title);
            inherited.map(|e| e.id.clone())
        });
        let free = |id: &str| match self.ids.get(id) {
            None => true,
            Some(layers) if own.is_some() => !layers.contains(&layer),
            Some(layers) => !layers.iter().any(|l| self.related(*l, layer)),
        };
        let wanted = own.clone().unwrap_or_else(|| slug(&row.title));
        let mut names = (2..).map(|n| format!("{wanted}-{n}"));
        if free(&wanted) {
            return wanted;
        }
        names.find(|id| free(id)).unwrap_or(wanted)
    }

    fn article(&mut self, row: Row, layer: Layer, area: String) -> ArticleFields {
        let id = self.id(&row, layer);
        self.ids.entry(id.clone()).or_default().push(layer);
        let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (lang, sentence) in row.examples {
            // A sentence leads to one article.
            let sentence = base::redact(&base::clean(&sentence)).text;
            let key = key(&sentence);
            let others = self.said.get(&key).into_iter().flatten();
            // A municipality's own version of an article may have its sentences.
            let mut others = others
                .filter(|(l, other)| self.related(*l, layer) && (*other != id || *l == layer));
            if others.next().is_some() || key.is_empty() {
                continue;
            }
            self.said.entry(key).or_default().push((layer, id.clone()));
            let list = examples.entry(lang.code().to_owned()).or_default();
            list.push(sentence);
        }
        let plan = self.plan;
        ArticleFields {
            source: row
                .source
                .or_else(|| plan.source.clone())
                .unwrap_or_default(),
            owner: plan.owner.clone().unwrap_or_else(|| "import".to_owned()),
            examples,
            body: row.answer,
            ..ArticleFields::begun(id, area, short(&row.title), self.around.today)
        }
    }

    fn end(mut self) -> Brought {
        self.out.skipped.sort_by_key(|s| s.row);
        let name = base::redact(&base::clean(&self.plan.name)).text;
        let name: String = name.chars().take(50).collect();
        for (area, changes) in std::mem::take(&mut self.by_area) {
            let title = self.around.places.areas.get(&area).unwrap_or(&area);
            let mut changes = changes.into_iter().peekable();
            while changes.peek().is_some() {
                let (changes, pages): (Vec<Change>, Vec<Option<usize>>) =
                    changes.by_ref().take(IN_ONE).unzip();
                let new = New {
                    title: format!("Import af {name}: {title}")
                        .chars()
                        .take(120)
                        .collect(),
                    why: String::new(),
                    source: Some(name.clone()),
                    changes,
                };
                self.out
                    .drafts
                    .push((new, pages.into_iter().flatten().collect()));
            }
        }
        self.out
    }
}

/// A title that fits, cut between words.
fn short(title: &str) -> String {
    if title.chars().count() <= TITLE {
        return title.to_owned();
    }
    let cut: String = title.chars().take(TITLE).collect();
    let end = cut.rfind(' ').filter(|at| *at > TITLE / 2);
    cut[..end.unwrap_or(cut.len())].trim_end().to_owned()
}
