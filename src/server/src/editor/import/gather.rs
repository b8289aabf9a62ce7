//! What is brought in, as rows: a file's, a document's, a website's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base::Lang;
use tokio::time::Instant;
use url::Url;

use super::super::problem::Problem;
use super::super::wire::Skipped;
use super::outline::{self, Made};
use super::read::{self, Row, Rows};
use super::{Plan, Progress, ROWS, Site, What};
use crate::reader::{self, Kind};
use crate::web::{Got, Hosts, Web, sitemap};

/// Pages of one import: more than anybody reads through.
const PAGES: usize = 500;
/// Bytes of a page, of a file that lies on the web, and of a sitemap.
const PAGE: usize = 4 << 20;
const MAP: usize = 16 << 20;
/// Sitemaps that one sitemap names.
const MAPS: usize = 50;
/// How long a website is read.
const PATIENCE: Duration = Duration::from_secs(45 * 60);
/// How often somebody who wants it stopped is heard.
const HEARD: Duration = Duration::from_millis(250);

/// # Errors
/// `bad_request` in words when nothing of it can be read; `stopped`.
pub(super) async fn rows(
    what: What,
    plan: &Plan,
    hosts: &Arc<Hosts>,
    progress: &dyn Progress,
) -> Result<Rows, Problem> {
    let (rows, skipped) = match what {
        What::Rows(format, text) => super::super::long(move || read::rows(format, &text))
            .await?
            .map_err(Problem::bad)?,
        What::Paper(kind, bytes) => {
            progress.step("Læser dokumentet", 0, 0);
            let read = unless_stopped(progress, reader::read(kind, &bytes, "", "")).await?;
            let read = read.map_err(Problem::bad)?;
            let name = plan
                .name
                .rsplit_once('.')
                .map_or(plan.name.as_str(), |(n, _)| n);
            let most = *knowledge::words_allowed(plan.layer).end();
            let made = outline::parts(name, &read.title, &read.markdown, most);
            let rows = (1..).zip(made).map(|(n, made)| row(n, made, None));
            (rows.collect(), Vec::new())
        }
        What::Site(site) => pages(&site, hosts, progress).await?,
    };
    if rows.len() > ROWS {
        return Err(Problem::bad(format!(
            "Filen har {} rækker. Del den op i filer med højst {ROWS}.",
            rows.len()
        )));
    }
    Ok((rows, skipped))
}

fn row(n: usize, made: Made, address: Option<String>) -> Row {
    Row {
        row: n,
        title: base::clean(&made.title),
        answer: made.body,
        examples: made.questions.into_iter().map(|q| (Lang::Da, q)).collect(),
        source: address.clone(),
        address,
        ..Row::default()
    }
}

/// Ends a piece of work when somebody wants it stopped.
async fn unless_stopped<T>(
    progress: &dyn Progress,
    work: impl Future<Output = T>,
) -> Result<T, Problem> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            out = &mut work => return Ok(out),
            () = tokio::time::sleep(HEARD) => progress.go_on()?,
        }
    }
}

async fn pages(site: &Site, hosts: &Arc<Hosts>, progress: &dyn Progress) -> Result<Rows, Problem> {
    let mut web = Web::new(Arc::clone(hosts)).map_err(Problem::bad)?;
    let until = Instant::now() + PATIENCE;
    let mut out = Rows::default();
    let mut list: Vec<(Option<Url>, String)> = Vec::new();
    for text in &site.addresses {
        match web.address(text) {
            Ok(url) => list.push((Some(url), text.clone())),
            Err(why) => {
                let number = list.len() + out.1.len() + 1;
                refuse(&mut out, number, text, why);
            }
        }
    }
    if let Some(map) = &site.sitemap {
        let found = mapped(&mut web, map, site.under.as_deref(), progress).await?;
        list.extend(found.into_iter().map(|u| (Some(u.clone()), u.into())));
    }
    let mut seen = BTreeSet::new();
    list.retain(|(url, _)| url.as_ref().is_none_or(|u| seen.insert(u.to_string())));
    if list.is_empty() && out.1.is_empty() {
        return Err(Problem::bad("Der er ingen adresser at hente."));
    }
    let (total, refused) = (list.len(), out.1.len());
    for (n, (url, text)) in list.into_iter().enumerate() {
        let number = refused + n + 1;
        let Some(url) = url else { continue };
        if n == PAGES {
            let why = format!(
                "Der er {total} sider. De første {PAGES} er hentet. Skriv, hvad adressen skal begynde med, for at hente \
                 de andre."
            );
            refuse(&mut out, number, &text, why);
            break;
        }
        progress.step("Henter siderne", n, total.min(PAGES));
        progress.go_on()?;
        if Instant::now() > until {
            let why = format!(
                "Det tog for længe: de sidste {} sider er ikke hentet.",
                total - n
            );
            refuse(&mut out, number, &text, why);
            break;
        }
        match unless_stopped(progress, page(&mut web, &url)).await? {
            // Two addresses that lead to one page.
            Ok((at, _)) if at != url && !seen.insert(at.to_string()) => {}
            Ok((at, made)) if made.body.is_empty() => {
                refuse(
                    &mut out,
                    number,
                    at.as_str(),
                    "Der er ingen tekst på siden.".to_owned(),
                );
            }
            Ok((at, made)) => out.0.push(row(number, made, Some(at.into()))),
            Err(why) => refuse(&mut out, number, &text, why),
        }
    }
    Ok(out)
}

fn refuse(out: &mut Rows, row: usize, address: &str, why: String) {
    out.1.push(Skipped {
        row,
        why,
        address: Some(address.to_owned()),
    });
}

/// The pages of a sitemap that may be asked, in its order.
async fn mapped(
    web: &mut Web,
    map: &str,
    under: Option<&str>,
    progress: &dyn Progress,
) -> Result<Vec<Url>, Problem> {
    progress.step("Henter sitemappet", 0, 0);
    let first = web.address(map).map_err(Problem::bad)?;
    let got = unless_stopped(progress, web.get(&first, MAP)).await?;
    let got = got.map_err(|why| Problem::bad(format!("Sitemappet kan ikke hentes: {why}")))?;
    let mut read = sitemap::read(&got.body).map_err(Problem::bad)?;
    let mut pages = std::mem::take(&mut read.pages);
    let total = read.maps.len().min(MAPS);
    for (n, map) in read.maps.iter().take(MAPS).enumerate() {
        progress.step("Henter sitemappet", n, total);
        progress.go_on()?;
        let Ok(url) = web.address(map) else { continue };
        let got = unless_stopped(progress, web.get(&url, MAP)).await?;
        // One that cannot be read does not keep the others out.
        match got.and_then(|g| sitemap::read(&g.body)) {
            Ok(more) => pages.extend(more.pages),
            Err(why) => tracing::info!("{url}: {why}"),
        }
    }
    let under = under.map(str::trim).filter(|u| !u.is_empty());
    let wanted = pages.iter().filter_map(|p| web.address(p).ok());
    let wanted: Vec<Url> = wanted
        .filter(|u| under.is_none_or(|under| u.as_str().starts_with(under)))
        .collect();
    if wanted.is_empty() {
        let why = match under {
            Some(under) => format!("Ingen af sitemappets sider begynder med «{under}»."),
            None => {
                "Ingen af sitemappets sider ligger på en hjemmeside, som må hentes ind.".to_owned()
            }
        };
        return Err(Problem::bad(why));
    }
    Ok(wanted)
}

/// A page as an article, and where it was in the end.
async fn page(web: &mut Web, url: &Url) -> Result<(Url, Made), String> {
    let Got {
        address,
        content_type,
        body,
    } = web.get(url, PAGE).await?;
    let kind = match content_type.split(';').next().unwrap_or("").trim() {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "application/pdf" => Kind::Pdf,
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Kind::Docx,
        other => return Err(format!("Adressen er ikke en side med tekst ({other}).")),
    };
    let charset = content_type.split("charset=").nth(1).unwrap_or("");
    let charset = charset
        .split(';')
        .next()
        .unwrap_or("")
        .trim_matches(['"', ' ']);
    let read = reader::read(kind, &body, address.as_str(), charset).await?;
    let mut made = outline::whole(&read.title, &read.lead, &read.markdown);
    if made.title.is_empty() {
        address.path().clone_into(&mut made.title);
    }
    Ok((address, made))
}
