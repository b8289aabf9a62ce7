//! What agents proposed, as long as no article has been made of it.

use std::collections::BTreeSet;

use base::clean;
use knowledge::File;
use storage::{Draft, DraftText};

use super::super::drafts::alive;
use super::super::problem::Problem;
use super::super::shelf;
use super::super::{Studio, blocking};
use crate::app::App;

const REPLIES: u32 = 200;
/// Drafts that are looked through, the newest.
const DRAFTS: u32 = 500;

impl Studio {
    /// The newest replies whose question no draft has made an article's example since, be the draft open or published:
    /// an article that is made of a reply begins with its question.
    pub(super) async fn replies(&self, app: &App) -> Result<Vec<Draft>, Problem> {
        let mut replies = app.auth.accounts.drafts(REPLIES).await?;
        let Some(oldest) = replies.iter().map(|r| r.at).min() else {
            return Ok(replies);
        };
        let mut used = BTreeSet::new();
        let mut states = alive();
        states.push("published".to_owned());
        let newest = self.store.drafts(states, DRAFTS).await?;
        for row in newest.iter().filter(|d| d.changed >= oldest) {
            let Some((_, files)) = self.store.draft(&row.id).await? else {
                continue;
            };
            // A draft of an import can hold thousands.
            used.extend(blocking(move || added(files)).await?);
        }
        replies.retain(|r| !used.contains(&clean(&r.question)));
        Ok(replies)
    }
}

/// The examples that a draft's files have and had not.
fn added(files: Vec<DraftText>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for f in files {
        let before = examples(&f.path, f.base);
        used.extend(&examples(&f.path, f.text) - &before);
    }
    used
}

fn examples(path: &str, text: Option<String>) -> BTreeSet<String> {
    let file = text.map(|text| File {
        path: path.to_owned(),
        text,
    });
    let articles = shelf::read(file.as_slice());
    let all = articles.iter().flat_map(|a| a.examples.values().flatten());
    all.map(|s| clean(s)).collect()
}
