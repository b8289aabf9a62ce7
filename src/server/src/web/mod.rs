//! Pages of others, read for import: from hosts that the operator has listed, one request at a time, politely.
//!
//! Invariants: nothing is asked of a host that is not listed, whatever a page, a redirect or a sitemap says; a name
//! that leads into a private network is refused unless the operator wrote that very host; the address that was
//! looked at is the one that is connected to; every answer is cut at a number of bytes and of seconds; what
//! robots.txt forbids is not asked for.

mod address;
mod call;
mod get;
mod hosts;
pub(crate) mod sitemap;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use robotxt::{AccessResult, Robots};
use tokio::time::Instant;
use url::Url;

pub(crate) use self::address::public;
pub(crate) use self::call::{CallError, Caller, confidential};
use self::get::Client;
pub(crate) use self::hosts::Hosts;

/// Who we say we are, in robots.txt and in every request.
const AGENT: &str = "Borgerlinje-import";
/// Between two requests to one host, unless its robots.txt asks for more.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause that is granted; whoever wants a longer one is not read in one sitting.
const MOST_PAUSE: Duration = Duration::from_secs(10);
const REDIRECTS: usize = 5;
/// Bytes of a robots.txt that are read.
const ROBOTS: usize = 512 << 10;

/// What came of an address.
#[derive(Debug)]
pub(crate) struct Got {
    /// Where it was in the end, without a fragment.
    pub address: Url,
    /// As the server names it, in lower case; empty where it does not.
    pub content_type: String,
    pub body: Vec<u8>,
}

/// One who reads pages. Asks one thing at a time.
pub(crate) struct Web {
    hosts: Arc<Hosts>,
    client: Client,
    known: BTreeMap<String, Known>,
}

/// What is known of one origin.
struct Known {
    /// Why nothing is asked there, where that is so: one answer is enough.
    robots: Option<Result<Robots, String>>,
    pause: Duration,
    next: Instant,
}

impl Web {
    /// # Errors
    /// In Danish: no host is listed.
    pub(crate) fn new(hosts: Arc<Hosts>) -> Result<Self, String> {
        if hosts.is_empty() {
            return Err(
                "Der er ingen hjemmesider, som må hentes ind. Bed driften om at skrive dem i \
                 BORGERLINJE_IMPORT_HOSTS."
                    .to_owned(),
            );
        }
        Ok(Self {
            hosts,
            client: Client::new(),
            known: BTreeMap::new(),
        })
    }

    /// An address that somebody wrote, if it is one that may be asked.
    ///
    /// # Errors
    /// In Danish, for people.
    pub(crate) fn address(&self, text: &str) -> Result<Url, String> {
        let mut url = Url::parse(text.trim())
            .map_err(|_| format!("«{}» er ikke en adresse som https://…", short(text)))?;
        url.set_fragment(None);
        self.hosts.allow(&url)?;
        Ok(url)
    }

    /// Fetches an address, over redirects to listed hosts.
    ///
    /// # Errors
    /// In Danish: what was refused, by whom.
    pub(crate) async fn get(&mut self, url: &Url, most: usize) -> Result<Got, String> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            self.hosts.allow(&at)?;
            if !self.robots(&at).await?.is_url_allowed(&at) {
                return Err("Hjemmesidens robots.txt siger, at siden ikke må hentes.".to_owned());
            }
            match self.ask(&at, most).await? {
                Asked::Body(got) => return Ok(got),
                Asked::Elsewhere(to) => at = to,
                Asked::Status(status) => return Err(refusal(status)),
            }
        }
        Err("Siden sender videre for mange gange.".to_owned())
    }

    /// The rules of an origin, read once.
    async fn robots(&mut self, url: &Url) -> Result<Robots, String> {
        let origin = origin(url);
        if let Some(known) = self.known.get(&origin).and_then(|k| k.robots.clone()) {
            return known;
        }
        let mut learned = self.learn(url).await;
        let mut pause = PAUSE;
        if let Ok(robots) = &learned {
            pause = robots.crawl_delay().unwrap_or(PAUSE).max(PAUSE);
        }
        if pause > MOST_PAUSE {
            learned = Err(format!(
                "Hjemmesiden vil have {} sekunder mellem hver side. Det tager for længe.",
                pause.as_secs()
            ));
        }
        let known = self.known.entry(origin).or_insert_with(Known::new);
        known.pause = pause;
        known.next = known.next.max(Instant::now() + pause);
        known.robots = Some(learned.clone());
        learned
    }

    async fn learn(&mut self, url: &Url) -> Result<Robots, String> {
        let mut at = robotxt::robots_url(url).map_err(|e| e.to_string())?;
        for _ in 0..=REDIRECTS {
            let access = match self.ask(&at, ROBOTS).await? {
                Asked::Elsewhere(to) => {
                    at = to;
                    continue;
                }
                Asked::Body(got) => {
                    return Ok(Robots::from_access(
                        AccessResult::Successful(&got.body),
                        AGENT,
                    ));
                }
                Asked::Status(400..500) => AccessResult::Unavailable,
                // Whose rules cannot be read is not asked for pages either.
                Asked::Status(status) => {
                    return Err(format!(
                        "Hjemmesidens robots.txt kan ikke læses ({status}), så siden hentes ikke."
                    ));
                }
            };
            return Ok(Robots::from_access(access, AGENT));
        }
        Ok(Robots::from_access(AccessResult::TooManyRedirects, AGENT))
    }

    /// One request, when the host's pause is over.
    async fn ask(&mut self, url: &Url, most: usize) -> Result<Asked, String> {
        let listed = self.hosts.allow(url)?;
        let known = self.known.entry(origin(url)).or_insert_with(Known::new);
        tokio::time::sleep_until(known.next).await;
        let answer = self.client.get(url, listed, most).await;
        known.next = Instant::now() + known.pause;
        answer
    }
}

impl Known {
    fn new() -> Self {
        Self {
            robots: None,
            pause: PAUSE,
            next: Instant::now(),
        }
    }
}

/// What one request came to.
enum Asked {
    Body(Got),
    Elsewhere(Url),
    Status(u16),
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn refusal(status: u16) -> String {
    match status {
        404 | 410 => "Siden findes ikke (mere).".to_owned(),
        401 | 403 => "Hjemmesiden giver ikke adgang til siden.".to_owned(),
        429 | 503 => format!("Hjemmesiden har for travlt lige nu ({status}). Prøv igen senere."),
        _ => format!("Hjemmesiden svarede {status}."),
    }
}

/// The beginning of what somebody wrote, for a message.
fn short(text: &str) -> String {
    text.trim().chars().take(80).collect()
}

#[cfg(test)]
mod tests;
