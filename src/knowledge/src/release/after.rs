//! A release after another: what has not changed is neither read nor checked again.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::{Draft, Release, article_layer};
use crate::article::Article;
use crate::{Fault, File, Severity, check};

impl Release {
    /// As [`Release::build`], and with the same outcome, but quicker when only some articles differ from those of
    /// `before`, which was built from `its_files`. Both lists are in the order of their paths.
    ///
    /// # Errors
    /// As [`Release::build`].
    pub fn build_after(
        before: &Self,
        its_files: &[File],
        files: &[File],
        today: Date,
    ) -> Result<(Self, Vec<Fault>), Vec<Fault>> {
        let quick = (before.built_on == today)
            .then(|| before.followed_by(its_files, files))
            .flatten();
        // Whatever is wrong is told by reading everything.
        quick.map_or_else(|| Self::build(files, today), Ok)
    }

    /// `None` when more than articles changed, or when something is wrong with the change.
    pub(super) fn followed_by(
        &self,
        its_files: &[File],
        files: &[File],
    ) -> Option<(Self, Vec<Fault>)> {
        let known: HashMap<&str, (&Article, &[u64])> = self
            .articles
            .iter()
            .zip(&self.sentences)
            .map(|(a, s)| (a.file.as_str(), (a, &s[..])))
            .collect();
        let mut old = its_files.iter().peekable();
        let mut changed: Vec<&File> = Vec::new();
        let mut draft = Draft {
            articles: Vec::with_capacity(files.len()),
            municipalities: self.municipalities.clone(),
            areas: self.areas.clone(),
            rates: self.rates.clone(),
            crisis: self.crisis.clone(),
            intents: self.intents.clone(),
            out_of_scope: self.out_of_scope.clone(),
            texts: self.texts.clone(),
            desk: self.desk.clone(),
            studio: self.studio.clone(),
            generation: self.generation.clone(),
        };
        let mut sentences: Vec<Vec<u64>> = Vec::with_capacity(files.len());
        for file in files {
            while let Some(gone) = old.next_if(|o| o.path < file.path) {
                article_layer(&gone.path)?.ok()?;
            }
            let same = old.next_if(|o| o.path == file.path);
            let is_article = article_layer(&file.path);
            if same.is_some_and(|o| o.text == file.text) {
                // An article that is not known was left out: its time is over, and so it is today.
                if let Some((article, keys)) = known.get(file.path.as_str()) {
                    draft.articles.push((*article).clone());
                    sentences.push(keys.to_vec());
                }
                continue;
            }
            let article = Article::parse(file, is_article?.ok()?).ok()?;
            sentences.push(check::sentence_keys(&article));
            draft.articles.push(article);
            changed.push(file);
        }
        for gone in old {
            article_layer(&gone.path)?.ok()?;
        }

        let mut faults = check::changed(&draft, files, &changed, self.built_on);
        let of_changed: HashSet<&str> = changed.iter().map(|f| f.path.as_str()).collect();
        let unchanged = |path: &str| {
            !of_changed.contains(path)
                && files
                    .binary_search_by(|f| f.path.as_str().cmp(path))
                    .is_ok()
        };
        faults.extend(self.notes.iter().filter(|f| unchanged(&f.file)).cloned());
        if faults.iter().any(|f| f.severity == Severity::Error)
            || stand_twice(&draft.articles, &sentences, &of_changed)
        {
            return None;
        }
        Some(Self::of(draft, sentences, faults, files, self.built_on))
    }
}

/// Whether a sentence of a changed article may stand elsewhere too, where both can be seen.
fn stand_twice(articles: &[Article], sentences: &[Vec<u64>], changed: &HashSet<&str>) -> bool {
    let mut of_changed: HashMap<u64, &Article> = HashMap::new();
    let all = articles.iter().zip(sentences);
    let (new, old): (Vec<_>, Vec<_>) = all.partition(|(a, _)| changed.contains(a.file.as_str()));
    for (article, keys) in new {
        for key in keys {
            // The same key in two changed articles: let everything be looked at.
            if of_changed.insert(*key, article).is_some() {
                return true;
            }
        }
    }
    old.iter().any(|(article, keys)| {
        let mut keys = keys.iter();
        keys.any(|key| {
            of_changed
                .get(key)
                .is_some_and(|a| check::clash(a, article))
        })
    })
}
