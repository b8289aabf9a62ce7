//! What agents proposed, as long as no article has been made of it.

use std::collections::BTreeSet;

use base::clean;
use knowledge::{Article, File, Release};
use storage::Draft;

use super::super::Studio;
use super::super::drafts::alive;
use super::super::problem::Problem;
use super::super::shelf;
use crate::app::App;

const REPLIES: u32 = 200;
/// Open drafts that are looked through.
const OPEN: u32 = 500;

impl Studio {
    /// The newest replies whose question is no article's example, neither live nor in an open draft: an article that is
    /// made of a reply begins with its question.
    pub(super) async fn replies(
        &self,
        app: &App,
        release: &Release,
    ) -> Result<Vec<Draft>, Problem> {
        let mut replies = app.auth.accounts.drafts(REPLIES).await?;
        let mut used: BTreeSet<String> = release.articles.iter().flat_map(examples).collect();
        if !replies.is_empty() {
            for row in self.store.drafts(alive(), OPEN).await? {
                let Some((_, files)) = self.store.draft(&row.id).await? else {
                    continue;
                };
                let files = files.into_iter().filter_map(|f| {
                    let (path, text) = (f.path, f.text?);
                    Some(File { path, text })
                });
                let files: Vec<File> = files.collect();
                used.extend(shelf::read(&files).iter().flat_map(|a| examples(a)));
            }
        }
        replies.retain(|r| !used.contains(&clean(&r.question)));
        Ok(replies)
    }
}

fn examples(a: &Article) -> impl Iterator<Item = String> + '_ {
    a.examples.values().flatten().map(|s| clean(s))
}
