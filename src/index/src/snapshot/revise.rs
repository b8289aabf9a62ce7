//! A snapshot of a release that differs from another's in a few articles, made from what is known of that one.

use std::collections::HashMap;
use std::sync::Arc;

use inference::{Kind, Rounded};
use knowledge::{Article, ArticleIx, Release};

use super::build::{BuildOptions, Embed};
use super::passages::Passages;
use super::{Snapshot, material};
use crate::Error;
use crate::ranker::{Lesson, Revision, Sample, Scope};

impl Snapshot {
    /// A snapshot of another release, when it differs from this one's in a few articles: only what changed is
    /// indexed and encoded, only their classes are learned anew, and nothing is stored; `None` when more changed. It
    /// answers as well as this one does, but a whole [`Snapshot::build`] should follow and take its place.
    ///
    /// # Errors
    /// [`Error::Inference`] from `embed`, [`Error::Tantivy`].
    pub fn revised(
        &self,
        release: Arc<Release>,
        options: &BuildOptions,
        embed: &mut Embed<'_>,
    ) -> Result<Option<Self>, Error> {
        let classes = material::classes(&release);
        let class_of = material::class_of(&release, &classes);
        let fingerprints = material::fingerprints(&release, &classes, &class_of);
        let scope = Scope::of(&release, &classes);
        let Some(revision) = Revision::of(&self.ranker, classes, fingerprints, &scope) else {
            return Ok(None);
        };
        let anew = self.lessons(&release, &revision, options, embed)?;
        let sentences = |wanted: &dyn Fn(usize) -> bool| {
            material::samples(&release, &revision.classes, options.adapted, wanted)
        };
        let ranker = self.ranker.revised(&revision, &anew, &sentences);
        let kept = self.kept(&release);
        let centred = self.passages_of(&release, &kept, options.dimensions, embed)?;
        let same = self.same_documents(&release, &kept);
        Ok(Some(Self {
            lexical: self.lexical.revised(&release, &self.analyzer, &same)?,
            passages: Passages::new(&release, centred),
            release,
            analyzer: Arc::clone(&self.analyzer),
            ranker,
            class_of,
            // A few sentences more or less do not change them.
            identifier: Arc::clone(&self.identifier),
            spread: Arc::clone(&self.spread),
            spelling: Arc::clone(&self.spelling),
        }))
    }

    /// The sentences of the classes that are learned anew; what this release has of them too is not encoded again.
    fn lessons(
        &self,
        release: &Release,
        revision: &Revision<'_>,
        options: &BuildOptions,
        embed: &mut Embed<'_>,
    ) -> Result<Vec<Lesson>, Error> {
        let adapted = options.adapted;
        let samples = material::samples(release, &revision.classes, adapted, &|c| revision.anew(c));
        let ours = &self.ranker.classes;
        let known = |c: usize| revision.classes.binary_search(&ours[c]);
        let before = |c: usize| known(c).is_ok_and(|c| revision.anew(c));
        let mut vectors: HashMap<String, Vec<f32>> = HashMap::new();
        let old = material::samples(&self.release, ours, adapted, &before);
        // The rows of a class are in the order of its sentences, wherever these stand.
        let mut rows: HashMap<u32, std::vec::IntoIter<Vec<f32>>> = HashMap::new();
        for s in old {
            let rows = rows
                .entry(s.class)
                .or_insert_with(|| self.ranker.lessons(s.class as usize).into_iter());
            if let Some(row) = rows.next() {
                vectors.entry(s.text).or_insert(row);
            }
        }
        let mut new: Vec<String> = samples.iter().map(|s| s.text.clone()).collect();
        new.retain(|t| !vectors.contains_key(t));
        new.sort();
        new.dedup();
        if !new.is_empty() {
            let encoded = embed(Kind::Query, &new)?;
            let encoded = encoded.iter().map(|v| self.ranker.centre_query(v));
            vectors.extend(new.into_iter().zip(encoded));
        }
        let lesson = |s: Sample| {
            let vector = vectors.get(&s.text)?.clone();
            Some((s, vector))
        };
        Ok(samples.into_iter().filter_map(lesson).collect())
    }

    /// For each article of another release, the one here that is in the same file.
    fn kept(&self, release: &Release) -> Vec<Option<ArticleIx>> {
        let here: HashMap<&str, ArticleIx> = (0..)
            .zip(&self.release.articles)
            .map(|(ix, a)| (a.file.as_str(), ix))
            .collect();
        let articles = release.articles.iter();
        articles
            .map(|a| here.get(a.file.as_str()).copied())
            .collect()
    }

    /// The vectors of the sections of another release.
    fn passages_of(
        &self,
        release: &Release,
        kept: &[Option<ArticleIx>],
        d: usize,
        embed: &mut Embed<'_>,
    ) -> Result<Rounded, Error> {
        let rows = self.passages.rows(self.release.articles.len());
        let same = |a: &Article, b: &Article| a.title == b.title && a.sections == b.sections;
        let mut centred = Rounded::default();
        let mut last: Option<ArticleIx> = None;
        for (ix, _) in material::places(release) {
            if last == Some(ix) {
                continue;
            }
            last = Some(ix);
            let article = release.article(ix);
            let old = kept[ix as usize].map(|o| (self.release.article(o), &rows[o as usize]));
            if let Some((_, rows)) =
                old.filter(|(a, rows)| same(a, article) && rows.len() == article.sections.len())
            {
                centred.extend_from(self.passages.centred(), rows.clone(), d);
                continue;
            }
            let texts: Vec<String> = material::sections(article).collect();
            for v in embed(Kind::Passage, &texts)? {
                centred.push(&self.ranker.centre_passage(&v));
            }
        }
        Ok(centred)
    }

    /// For each article of another release, the one here that is found by the same words in the same places.
    fn same_documents(
        &self,
        release: &Release,
        kept: &[Option<ArticleIx>],
    ) -> Vec<Option<ArticleIx>> {
        let same = |new: ArticleIx, old: ArticleIx| {
            self.release.article(old) == release.article(new)
                && self
                    .release
                    .excluded_from(old)
                    .eq(release.excluded_from(new))
        };
        let pairs = (0..).zip(kept);
        pairs
            .map(|(new, old)| old.filter(|old| same(new, *old)))
            .collect()
    }
}
