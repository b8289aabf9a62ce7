//! Bringing knowledge in from elsewhere: rows of question, answer, examples and area become drafts, never more.

mod near;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use knowledge::{Article, Audience, File, Layer, Release};
use storage::Editor;

use super::drafts::{New, begun};
use super::jobs::Job;
use super::next::slug;
use super::problem::Problem;
use super::wire::{
    ArticleFields, Change, Duplicate, Imported, ImportedDraft, LayerName, Skipped, Who,
};
use super::{Studio, blocking, shelf, today};
use crate::app::App;
use crate::auth::Account;

use self::near::Near;
pub(crate) use self::read::Format;
use self::read::Row;

/// Rows of one file at most.
const ROWS: usize = 20_000;
/// Articles in one draft: more than somebody reads in a sitting.
const IN_ONE: usize = 250;
const TITLE: usize = 70;

/// What is brought in, and where to.
pub(crate) struct Plan {
    /// Of the file.
    pub name: String,
    pub format: Format,
    pub layer: Layer,
    /// Id of the area of rows that name none.
    pub area: Option<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
}

/// Drafts to be, and what did not become one.
pub(crate) struct Brought {
    pub(super) drafts: Vec<New>,
    pub read: usize,
    pub skipped: Vec<Skipped>,
    pub duplicates: Vec<Duplicate>,
}

impl Studio {
    /// Makes drafts of a file.
    ///
    /// # Errors
    /// `bad_request` when it cannot be read at all; `stopped`, `unavailable`.
    pub(super) async fn import(
        &self,
        app: &App,
        account: &Account,
        plan: Plan,
        text: String,
        job: &Arc<Job>,
    ) -> Result<Imported, Problem> {
        let live = self.live.load_full();
        let today = today(&*app.clock);
        let counter = Arc::clone(job);
        let brought = blocking(move || {
            let areas = &live.release.areas;
            bring(
                &plan,
                &text,
                &live.files,
                areas,
                today,
                &mut |done, total| {
                    counter.step("Læser rækkerne", done, total);
                    counter.go_on()
                },
            )
        })
        .await??;
        let mut imported = Imported {
            read: brought.read,
            skipped: brought.skipped,
            duplicates: brought.duplicates,
            ..Imported::default()
        };
        let total = brought.drafts.len();
        for (n, new) in brought.drafts.into_iter().enumerate() {
            job.step("Gemmer kladderne", n, total);
            job.go_on()?;
            let found = self.new_draft(app, account, new).await?;
            imported.drafts.push(ImportedDraft {
                id: found.row.id.clone(),
                title: found.meta.title.clone(),
                articles: found.files.len(),
            });
        }
        Ok(imported)
    }
}

/// Makes drafts of a file without a running service: they are there when it looks next.
///
/// # Errors
/// In Danish, for people: the file cannot be read, or the drafts cannot be kept.
pub(crate) async fn by_command(
    store: &Editor,
    (plan, text): (&Plan, &str),
    (files, release): (&[File], &Release),
    now: Timestamp,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Imported, String> {
    let today = now.to_zoned(contact::copenhagen().clone()).date();
    let mut count = |done, total| {
        progress(done, total);
        Ok(())
    };
    let brought = bring(plan, text, files, &release.areas, today, &mut count);
    let brought = brought.map_err(|p| p.text)?;
    let mut imported = Imported {
        read: brought.read,
        skipped: brought.skipped,
        duplicates: brought.duplicates,
        ..Imported::default()
    };
    let by = Who {
        user: "command".to_owned(),
        name: "Kommandolinjen".to_owned(),
    };
    for new in brought.drafts {
        let title = new.title.clone();
        let change = begun(new, by.clone(), files, release.hash.clone(), now);
        let change = change.map_err(|p| p.text)?;
        let articles = change.version.as_ref().map_or(0, |(_, files)| files.len());
        let id = change.id.clone();
        let kept = store.save_draft(change).await.map_err(|e| e.to_string())?;
        if !kept {
            return Err("Kladden kunne ikke gemmes. Prøv igen.".to_owned());
        }
        imported.drafts.push(ImportedDraft {
            id,
            title,
            articles,
        });
    }
    Ok(imported)
}

/// Reads a file, leaves out what is there already, and sorts the rest by area.
///
/// # Errors
/// `bad_request` when nothing of it can be read; whatever `progress` ends it with.
pub(crate) fn bring(
    plan: &Plan,
    text: &str,
    live: &[File],
    areas: &BTreeMap<String, String>,
    today: Date,
    progress: &mut dyn FnMut(usize, usize) -> Result<(), Problem>,
) -> Result<Brought, Problem> {
    let (rows, mut skipped) = read::rows(plan.format, text).map_err(Problem::bad)?;
    if rows.len() > ROWS {
        return Err(Problem::bad(format!(
            "Filen har {} rækker. Del den op i filer med højst {ROWS}.",
            rows.len()
        )));
    }
    let read = rows.len() + skipped.len();
    let articles = shelf::read(live);
    let mut near = Near::default();
    let mut said: BTreeSet<String> = BTreeSet::new();
    for a in &articles {
        near.add(
            a.id.clone(),
            &knowledge::without_slots(&a.title),
            &knowledge::without_slots(&a.body),
        );
        said.extend(a.examples.values().flatten().map(|s| key(s)));
    }
    let mut ids: BTreeSet<String> = articles
        .iter()
        .map(|a: &Arc<Article>| a.id.clone())
        .collect();
    let mut duplicates = Vec::new();
    let mut by_area: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    let total = rows.len();
    for (n, row) in rows.into_iter().enumerate() {
        if n % 50 == 0 {
            progress(n, total)?;
        }
        let Some(area) = area(plan, &row, areas) else {
            let named = row.area.as_deref().unwrap_or("");
            skipped.push(Skipped {
                row: row.row,
                why: if named.is_empty() {
                    "Rækken siger ikke, hvilket område den hører til.".to_owned()
                } else {
                    format!("Området «{named}» findes ikke.")
                },
            });
            continue;
        };
        if let Some((of, likeness)) = near.like(&row.title, &row.answer) {
            duplicates.push(Duplicate {
                row: row.row,
                title: row.title,
                of,
                likeness,
            });
            continue;
        }
        near.add(format!("row {}", row.row), &row.title, &row.answer);
        let article = article(plan, row, area.clone(), &mut ids, &mut said, today);
        by_area.entry(area).or_default().push(Change::Article {
            layer: LayerName(plan.layer),
            article: Box::new(article),
            was: None,
        });
    }
    skipped.sort_by_key(|s| s.row);
    let mut drafts = Vec::new();
    for (area, changes) in by_area {
        let title = areas.get(&area).unwrap_or(&area);
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let some = changes.by_ref().take(IN_ONE).collect();
            let name: String = base::clean(&plan.name).chars().take(50).collect();
            drafts.push(New {
                title: format!("Import af {name}: {title}")
                    .chars()
                    .take(120)
                    .collect(),
                why: String::new(),
                source: Some(name),
                changes: some,
            });
        }
    }
    Ok(Brought {
        drafts,
        read,
        skipped,
        duplicates,
    })
}

fn key(sentence: &str) -> String {
    base::words(&base::fold(sentence))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The area that a row names by its id or its title, or the one for all.
fn area(plan: &Plan, row: &Row, areas: &BTreeMap<String, String>) -> Option<String> {
    let Some(named) = row.area.as_deref().filter(|a| !a.is_empty()) else {
        return plan.area.clone().filter(|a| areas.contains_key(a));
    };
    let folded = base::fold(named);
    let found = areas
        .iter()
        .find(|(id, title)| base::fold(id) == folded || base::fold(title) == folded);
    found
        .map(|(id, _)| id.clone())
        .or_else(|| plan.area.clone().filter(|a| areas.contains_key(a)))
}

fn article(
    plan: &Plan,
    row: Row,
    area: String,
    ids: &mut BTreeSet<String>,
    said: &mut BTreeSet<String>,
    today: Date,
) -> ArticleFields {
    let wanted = slug(row.id.as_deref().unwrap_or(&row.title));
    let mut id = wanted.clone();
    let mut n = 2;
    while !ids.insert(id.clone()) {
        id = format!("{wanted}-{n}");
        n += 1;
    }
    let mut examples: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (lang, sentence) in row.examples {
        // Numbers of people do not belong in the knowledge; a sentence leads to one article.
        let sentence = base::redact(&base::clean(&sentence)).text;
        if said.insert(key(&sentence)) {
            examples
                .entry(lang.code().to_owned())
                .or_default()
                .push(sentence);
        }
    }
    let review = today.saturating_add(jiff::Span::new().months(6));
    ArticleFields {
        id,
        area,
        title: row.title.chars().take(TITLE).collect(),
        audience: Audience::Citizen,
        source: row
            .source
            .or_else(|| plan.source.clone())
            .unwrap_or_default(),
        owner: plan.owner.clone().unwrap_or_else(|| "import".to_owned()),
        review_by: review.to_string(),
        valid_from: None,
        valid_to: None,
        kle: None,
        keywords: Vec::new(),
        crisis: false,
        links: Vec::new(),
        examples,
        body: base::redact(&row.answer).text,
        sections: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
