//! Bringing knowledge in from elsewhere: tables, documents and websites become drafts, never more.
//!
//! What is brought in is read to rows ([`gather`]), the rows are held against what is live and what is in open
//! drafts ([`bring`]), and what is left becomes drafts.

mod again;
mod alike;
mod bring;
mod gather;
mod near;
mod outline;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use knowledge::{File, Layer, Release};
use storage::Editor;

use self::bring::{Around, Brought, Drafted, Places, bring};
pub(crate) use self::read::Format;
use super::drafts::{Found, alive, amended, begun};
use super::jobs::Job;
use super::places::Rights;
use super::problem::Problem;
use super::wire::{Imported, ImportedDraft, Who};
use super::{Studio, long, today};
use crate::app::App;
use crate::auth::Account;
use crate::reader::Kind;
use crate::web::Hosts;

/// Rows of one file at most.
const ROWS: usize = 20_000;
/// Open drafts that are looked through.
const OPEN: u32 = 2_000;

/// For `fuzz/` alone: a file in each of the forms that tables come in.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz_table(text: &str) {
    for format in [Format::Csv, Format::Json, Format::Rasa] {
        let Ok((rows, _)) = read::rows(format, text) else {
            continue;
        };
        for row in rows {
            assert!(!row.title.is_empty() && !row.answer.is_empty(), "{row:?}");
            fuzz_markdown(&row.title, "", &row.answer);
        }
    }
}

/// For `fuzz/` alone: Markdown of others as one article, and as several.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz_markdown(title: &str, lead: &str, markdown: &str) {
    let _ = outline::whole(title, lead, markdown);
    let _ = outline::parts("fil", title, markdown, 20);
}

/// Where what is brought in belongs.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Of the file or the website.
    pub name: String,
    pub layer: Layer,
    /// Id of the area of rows that name none.
    pub area: Option<String>,
    pub owner: Option<String>,
    pub source: Option<String>,
}

/// What is brought in.
pub(crate) enum What {
    Rows(Format, String),
    /// A document of prose.
    Paper(Kind, Vec<u8>),
    Site(Site),
}

/// Pages of the web.
#[derive(Default)]
pub(crate) struct Site {
    pub sitemap: Option<String>,
    /// Of the sitemap's pages only those whose address begins so.
    pub under: Option<String>,
    pub addresses: Vec<String>,
}

impl Site {
    /// The host that is asked, for a name.
    pub(crate) fn name(&self) -> String {
        let first = self.sitemap.as_ref().or(self.addresses.first());
        let url = first.and_then(|a| url::Url::parse(a.trim()).ok());
        let host = url.as_ref().and_then(url::Url::host_str);
        host.unwrap_or("hjemmeside").to_owned()
    }
}

/// Who hears how far it is, and may end it.
pub(crate) trait Progress: Send + Sync {
    /// Says what is being done, in Danish; `total` 0: unknown.
    fn step(&self, step: &str, done: usize, total: usize);

    /// # Errors
    /// When somebody has stopped it.
    fn go_on(&self) -> Result<(), Problem>;
}

impl Progress for Job {
    fn step(&self, step: &str, done: usize, total: usize) {
        Job::step(self, step, done, total);
    }

    fn go_on(&self) -> Result<(), Problem> {
        Job::go_on(self)
    }
}

impl Studio {
    /// Makes drafts of what is brought in.
    ///
    /// # Errors
    /// `bad_request` when it cannot be read at all; `stopped`, `unavailable`.
    pub(super) async fn import(
        &self,
        app: &App,
        account: &Arc<Account>,
        plan: Plan,
        what: What,
        job: &Arc<Job>,
    ) -> Result<Imported, Problem> {
        let none = Arc::default();
        let hosts = self.import_from.get().unwrap_or(&none);
        let rows = gather::rows(what, &plan, hosts, &**job).await?;
        let drafts = drafted(&self.store, &**job).await?;
        let pages = pages_then(&self.store, &plan, &rows).await?;
        let (live, today, layer) = (self.live.load_full(), today(&*app.clock), plan.layer);
        let (counter, account_too) = (Arc::clone(job), Arc::clone(account));
        let mut brought = long(move || {
            let rights = Rights {
                account: &account_too,
                release: &live.release,
            };
            let around = Around {
                live: &live.files,
                drafts: &drafts,
                places: &Places::of(&live.release),
                today,
                may: &|layer| rights.layer(layer),
                pages: &pages,
            };
            bring(&plan, rows, &around, &mut |done, total| {
                counter.step("Sammenligner med det, der findes", done, total);
                counter.go_on()
            })
        })
        .await??;
        let asked = std::mem::take(&mut brought.asked);
        let alike = self.alike(app, asked, job).await?;
        let mut imported = begin(&mut brought);
        imported.alike = alike;
        let total = brought.drafts.len();
        for (n, (new, changed)) in brought.drafts.into_iter().enumerate() {
            job.step("Gemmer kladderne", n, total);
            job.go_on()?;
            let found = self.new_draft(app, account, new).await?;
            imported.note(&found, &changed);
        }
        for edit in brought.edits {
            let saved = self.save(app, account, &edit.draft, edit.version, |_, bench| {
                bench.change(edit.change.clone())
            });
            let found = saved.await?;
            imported.note(&found, &[]);
        }
        let now = app.clock.now();
        let kept = self.store.keep_pages(layer.to_string(), now, brought.pages);
        kept.await?;
        Ok(imported)
    }
}

/// Makes drafts without a running service: they are there when it looks next.
///
/// # Errors
/// In Danish, for people: it cannot be read, or the drafts cannot be kept.
pub(crate) async fn by_command(
    store: &Editor,
    (plan, what): (&Plan, What),
    (files, release): (&[File], &Release),
    hosts: Hosts,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Imported, String> {
    let import = async {
        let rows = gather::rows(what, plan, &Arc::new(hosts), progress).await?;
        let drafts = drafted(store, progress).await?;
        let around = Around {
            live: files,
            drafts: &drafts,
            places: &Places::of(release),
            today: now.to_zoned(contact::copenhagen().clone()).date(),
            may: &|_| true,
            pages: &pages_then(store, plan, &rows).await?,
        };
        let mut brought = bring(plan, rows, &around, &mut |done, total| {
            progress.step("Sammenligner med det, der findes", done, total);
            progress.go_on()
        })?;
        let by = Who {
            user: "command".to_owned(),
            name: "Kommandolinjen".to_owned(),
        };
        let mut imported = begin(&mut brought);
        let total = brought.drafts.len();
        for (n, (new, changed)) in brought.drafts.into_iter().enumerate() {
            progress.step("Gemmer kladderne", n, total);
            let change = begun(new, by.clone(), files, release.hash.clone(), now)?;
            let id = change.id.clone();
            if !store.save_draft(change).await? {
                return Err(Problem::unavailable("a draft's id was taken"));
            }
            imported.note(&Found::of(store, &id).await?, &changed);
        }
        for edit in brought.edits {
            let found = Found::of(store, &edit.draft).await?;
            let change = amended(found, edit.change, by.clone(), files, now)?;
            if !store.save_draft(change).await? {
                return Err(Problem::bad(
                    "Kladden blev ændret imens. Kør importen igen.",
                ));
            }
            imported.note(&Found::of(store, &edit.draft).await?, &[]);
        }
        let kept = store.keep_pages(plan.layer.to_string(), now, brought.pages);
        kept.await?;
        Ok(imported)
    };
    import.await.map_err(|p: Problem| p.text)
}

fn begin(brought: &mut Brought) -> Imported {
    Imported {
        read: brought.read,
        skipped: std::mem::take(&mut brought.skipped),
        duplicates: std::mem::take(&mut brought.duplicates),
        unchanged: brought.unchanged,
        changed: std::mem::take(&mut brought.changed),
        ..Imported::default()
    }
}

impl Imported {
    /// A draft that came of it, with the changed pages that are in it.
    fn note(&mut self, found: &Found, changed: &[usize]) {
        for page in changed {
            self.changed[*page].draft.clone_from(&found.row.id);
        }
        if self.drafts.iter().any(|d| d.id == found.row.id) {
            return;
        }
        self.drafts.push(ImportedDraft {
            id: found.row.id.clone(),
            title: found.meta.title.clone(),
            articles: found.files.len(),
        });
    }
}

/// The open drafts with their texts.
async fn drafted(store: &Editor, progress: &dyn Progress) -> Result<Vec<Drafted>, Problem> {
    let mut drafts = Vec::new();
    let rows = store.drafts(alive(), OPEN).await?;
    for (n, row) in rows.iter().enumerate() {
        progress.step("Læser kladderne", n, rows.len());
        progress.go_on()?;
        let Some((row, files)) = store.draft(&row.id).await? else {
            continue;
        };
        drafts.push(Drafted {
            id: row.id,
            version: row.version,
            files,
        });
    }
    Ok(drafts)
}

/// What the pages among the rows said when they were last brought in.
async fn pages_then(
    store: &Editor,
    plan: &Plan,
    (rows, _): &read::Rows,
) -> Result<BTreeMap<String, String>, Problem> {
    let all = rows.iter().filter_map(|r| r.address.as_deref());
    let all = all.map(again::address).collect();
    let pages = store.pages(plan.layer.to_string(), all).await?;
    Ok(pages.into_iter().collect())
}

#[cfg(test)]
mod tests;
