//! Links of articles and of municipalities: whether they still answer.
//!
//! A look is a job, begun by an editor, or each night where the operator has turned that on: a municipal server may
//! have no way out. What was found is kept in the data folder.

mod ask;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::civil::time;
use knowledge::Layer;
use url::Url;

use self::ask::Asker;
use super::jobs::Job;
use super::problem::Problem;
use super::wire::{LayerName, LinkFault, LinkUse, Links, Who};
use super::{Live, Studio, blocking};
use crate::app::App;
use crate::runtime::put;

/// The file in the data folder.
pub(crate) const FILE: &str = "links.json";
/// Between two requests to one host.
const PAUSE: Duration = Duration::from_secs(1);
/// Hosts that are asked at once.
const HOSTS: usize = 8;
/// When nobody reads, in Copenhagen.
const NIGHT: jiff::civil::Time = time(3, 10, 0, 0);
/// The worst first.
const KINDS: [&str; 7] = [
    "gone",
    "unreachable",
    "bad",
    "failing",
    "moved",
    "refused",
    "private",
];

/// What the operator has set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Where what was found is kept.
    pub file: PathBuf,
    /// Hosts that may lie on an internal network.
    pub private: BTreeSet<String>,
    pub nightly: bool,
}

/// What the studio knows of links.
#[derive(Default)]
pub(super) struct Keeper {
    settings: OnceLock<Settings>,
    kept: Mutex<Links>,
    /// One look at a time.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl Keeper {
    fn kept(&self) -> MutexGuard<'_, Links> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Studio {
    /// Keeps what is found of links as the operator has set it, and knows what was found before.
    pub(crate) fn keep_links(&self, settings: Settings) {
        let before = fs::read(&settings.file).ok();
        // What cannot be read is found again.
        if let Some(links) = before.and_then(|b| serde_json::from_slice(&b).ok()) {
            *self.links.kept() = links;
        }
        self.links.settings.get_or_init(|| settings);
    }

    /// What the last look found.
    pub(super) fn links(&self) -> Links {
        self.links.kept().clone()
    }

    /// Begins to look at every link; the job.
    ///
    /// # Errors
    /// `busy`.
    pub(super) fn look_at_links(self: &Arc<Self>, app: &App, by: Who) -> Result<String, Problem> {
        let looking = Arc::clone(&self.links.looking).try_lock_owned();
        let looking = looking.map_err(|_| {
            Problem::conflict(
                "busy",
                "Links bliver gennemgået lige nu. Prøv igen om lidt.",
            )
        })?;
        let (studio, app) = (Arc::clone(self), Arc::clone(app));
        let clock = app.clock.clone();
        Ok(self.jobs.start("links", by, clock, |job| async move {
            let _one_at_a_time = looking;
            studio.looked_at_links(&app, &job).await
        }))
    }

    async fn looked_at_links(&self, app: &App, job: &Arc<Job>) -> Result<Links, Problem> {
        job.step("Finder links", 0, 0);
        let settings = self.links.settings.get().cloned().unwrap_or_default();
        let live = self.live.load_full();
        let private = settings.private;
        let (asker, used) = blocking(move || (Asker::new(private, PAUSE), used(&live))).await?;
        let now = app.clock.now();
        let links = look(&asker, used, now, job).await?;
        let (file, kept) = (settings.file, links.clone());
        blocking(move || keep(&file, &kept))
            .await?
            .map_err(Problem::unavailable)?;
        *self.links.kept() = links.clone();
        Ok(links)
    }
}

/// Looks at links each night, until the service stops.
pub(crate) async fn look_nightly(app: App, studio: Arc<Studio>) {
    if !studio.links.settings.get().is_some_and(|s| s.nightly) {
        return;
    }
    let mut stopping = app.stopping();
    loop {
        tokio::select! {
            () = tokio::time::sleep(until_night(app.clock.now())) => {}
            _ = stopping.wait_for(|s| *s) => return,
        }
        let by = Who {
            user: String::new(),
            name: "Tjenesten".to_owned(),
        };
        if let Err(p) = studio.look_at_links(&app, by) {
            tracing::warn!("links are not looked at tonight: {}", p.text);
        }
    }
}

/// How long it is until the next [`NIGHT`]; a minute at least, so that a night is not taken twice.
fn until_night(now: Timestamp) -> Duration {
    let here = now.to_zoned(contact::copenhagen().clone());
    let days = i64::from(here.time() >= NIGHT);
    let night = here
        .date()
        .saturating_add(jiff::Span::new().days(days))
        .to_datetime(NIGHT)
        .to_zoned(contact::copenhagen().clone());
    let left = night.map_or(86_400, |n| n.timestamp().as_second() - now.as_second());
    Duration::from_secs(u64::try_from(left).unwrap_or(0).max(60))
}

/// Every link of what is live, and where it stands.
fn used(live: &Live) -> BTreeMap<String, BTreeSet<LinkUse>> {
    let mut out: BTreeMap<String, BTreeSet<LinkUse>> = BTreeMap::new();
    let mut add = |url: &str, by: &LinkUse| {
        // What stands in for a municipality's own link is looked at there.
        if !url.contains("{{") {
            out.entry(url.to_owned()).or_default().insert(by.clone());
        }
    };
    for a in live.articles() {
        let by = LinkUse {
            id: Some(a.id.clone()),
            layer: LayerName(a.layer),
            title: a.title.clone(),
        };
        a.links.iter().for_each(|l| add(&l.url, &by));
        let texts = [a.body.as_str(), a.source.as_str()];
        texts
            .into_iter()
            .flat_map(addresses)
            .for_each(|u| add(u, &by));
    }
    for m in live.release.municipalities.values() {
        // Examples lead nowhere by intention.
        if m.sample {
            continue;
        }
        let by = LinkUse {
            id: None,
            layer: LayerName(Layer::Municipality(m.code)),
            title: m.navn.clone(),
        };
        let home = m.fields.get("hjemmeside");
        m.links.values().chain(home).for_each(|u| add(u, &by));
    }
    out
}

/// The web addresses in a text.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "()[]<>\"|".contains(c);
    text.split(ends)
        .filter(|w| w.starts_with("https://") || w.starts_with("http://"))
        .map(|w| w.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '\'']))
}

async fn look(
    asker: &Asker,
    used: BTreeMap<String, BTreeSet<LinkUse>>,
    now: Timestamp,
    job: &Job,
) -> Result<Links, Problem> {
    let total = used.len();
    let mut by_host: BTreeMap<String, Vec<(String, BTreeSet<LinkUse>)>> = BTreeMap::new();
    for (url, uses) in used {
        let host = Url::parse(&url).ok();
        let host = host.and_then(|u| u.host_str().map(str::to_owned));
        let of = by_host.entry(host.unwrap_or_default()).or_default();
        of.push((url, uses));
    }
    let done = AtomicUsize::new(0);
    job.step("Prøver links", 0, total);
    let one_host = |links: Vec<(String, BTreeSet<LinkUse>)>| {
        let done = &done;
        async move {
            let mut faults = Vec::new();
            for (url, uses) in links {
                job.go_on()?;
                if let Some(f) = asker.ask(&url).await {
                    faults.push(LinkFault {
                        url,
                        kind: f.kind.to_owned(),
                        status: f.status,
                        to: f.to,
                        text: f.text,
                        at_ms: now.as_millisecond(),
                        used_by: uses.into_iter().collect(),
                    });
                }
                let n = done.fetch_add(1, Ordering::Relaxed) + 1;
                job.step("Prøver links", n, total);
            }
            Ok::<_, Problem>(faults)
        }
    };
    let hosts = futures_util::stream::iter(by_host.into_values().map(one_host));
    let looked: Vec<Result<Vec<LinkFault>, Problem>> =
        hosts.buffer_unordered(HOSTS).collect().await;
    let mut faults = Vec::new();
    for of_host in looked {
        faults.extend(of_host?);
    }
    let rank = |f: &LinkFault| KINDS.iter().position(|k| *k == f.kind);
    faults.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.url.cmp(&b.url)));
    Ok(Links {
        at_ms: Some(now.as_millisecond()),
        checked: total,
        faults,
    })
}

/// Writes what was found, whole or not at all.
fn keep(file: &Path, links: &Links) -> io::Result<()> {
    if file.as_os_str().is_empty() {
        return Ok(());
    }
    put(file, &serde_json::to_vec(links)?)
}

#[cfg(test)]
mod tests;
