//! Articles for agents: found as a citizen's question would find them, after the citizens' own questions.

use std::sync::Arc;

use base::{Lang, MunicipalityCode};
use index::{Ask, Snapshot};
use inference::{Kind, Priority};
use tokio::sync::Semaphore;

use super::wire::Article;
use crate::app::App;

/// Suggestions for one message at most, and results of a search.
pub(super) const SUGGESTED: usize = 3;
pub(super) const FOUND: usize = 8;
/// A candidate less likely than this is no help.
const LIKELY: f32 = 0.02;
/// At or above this probability a message speaks to the service itself: "tak", "hej".
const SMALL_TALK: f32 = 0.5;
/// Suggestions computed at once, and waiting; what comes beyond is left out, for it is only help.
const AT_ONCE: usize = 1;
const WAITING: usize = 32;

/// Bounds what suggestions cost.
pub(super) struct Effort {
    at_once: Semaphore,
    waiting: Arc<Semaphore>,
}

impl Effort {
    pub(super) fn new() -> Self {
        Self {
            at_once: Semaphore::new(AT_ONCE),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

/// What is looked for.
pub(super) struct Wanted {
    pub(super) municipality: MunicipalityCode,
    /// Of the dialogue.
    pub(super) lang: Lang,
    /// Redacted.
    pub(super) text: String,
    /// The first question of the chat: a message that says nothing alone is read beside it.
    pub(super) question: Option<String>,
    pub(super) most: usize,
    /// A search shows what there is; a suggestion only what is likely.
    pub(super) likely: bool,
}

/// The articles; None when there is too much to do or the index fails.
pub(super) async fn articles(app: &App, wanted: Wanted) -> Option<Vec<Article>> {
    let effort = &app.desk.effort;
    let _waits = Arc::clone(&effort.waiting).try_acquire_owned().ok()?;
    let _permit = effort.at_once.acquire().await.ok()?;
    let snapshot = app.snapshot();
    let text = base::without_masks(&wanted.text);
    let lang = snapshot.language(&text, wanted.lang);
    let text = snapshot.spelled(&text, lang).into_owned();
    let text = match &wanted.question {
        Some(question) if *question != wanted.text && snapshot.unspecific(&text, lang) => {
            format!("{question} {text}")
        }
        _ => text,
    };
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let encoded = app
        .encoder
        .encode(Priority::Background, Kind::Query, text.clone());
    let vector = encoded.await.ok()?;
    let look = move || find(&snapshot, &wanted, &text, &vector, lang);
    tokio::task::spawn_blocking(look).await.ok()?
}

fn find(
    snapshot: &Snapshot,
    wanted: &Wanted,
    text: &str,
    vector: &[f32],
    lang: Lang,
) -> Option<Vec<Article>> {
    let ask = Ask {
        text,
        vector,
        lang,
        municipality: wanted.municipality,
    };
    let found = match snapshot.search(&ask) {
        Ok(found) => found,
        Err(e) => {
            tracing::warn!("no articles for the desk: {e}");
            return None;
        }
    };
    if wanted.likely && found.intent.is_some_and(|i| i.1 >= SMALL_TALK) {
        return Some(Vec::new());
    }
    let release = &snapshot.release;
    let likely = found.candidates.iter();
    let likely = likely.filter(|c| !wanted.likely || c.score >= LIKELY);
    let shown = likely.take(wanted.most).filter_map(|c| {
        let r = release.render(c.article, wanted.municipality)?;
        Some(Article {
            article_id: release.article(c.article).id.clone(),
            title: r.title,
            text: r.body,
            url: Some(r.source).filter(|s| s.starts_with("https://")),
        })
    });
    Some(shown.collect())
}
