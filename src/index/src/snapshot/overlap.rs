//! Example sentences that do not do what they were written for: those that lead to another article, and those that
//! say the same as another.
//!
//! That a sentence leads elsewhere is known from the calibration, where models that had not seen it ranked it. Of
//! those that were not judged there (see [`Judgement`]) it is guessed by their nearest neighbours, themselves left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::Lang;
use inference::{Kind, Products};
use knowledge::{ArticleIx, Audience, Release};

use super::{BuildOptions, Embed, Snapshot, Stage};
use crate::ranker::{Class, sentence_key};
use crate::vectors::VectorCache;
use crate::{Error, parallel};

/// Sentences whose neighbours are sought at once.
const BLOCK: usize = 48;
/// A sentence that nothing has judged leads elsewhere when it is nearer to a sentence there by this cosine, with the
/// mean of all taken away.
const NEARER: f32 = 0.10;
/// Two sentences may say the same from this cosine on …
const NEAR: f32 = 0.70;
/// … when they share so much of their runs of three letters (Jaccard).
const SHARED: f32 = 0.70;

/// How models that had not seen an example sentence ranked it, among the articles of the shared layer. Sentences of
/// other layers are not judged, nor, with an adapted encoder, those that it was trained on.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// See [`sentence_key`].
    pub key: u32,
    /// The article that it is an example of, by id; none: no article answers it.
    pub expected: Option<&'a str>,
    /// The article that came first.
    pub first: Option<&'a str>,
    /// That the first is right: calibrated, 0 to 1.
    pub confidence: f32,
}

/// An example sentence of an article that citizens can get.
#[derive(Clone, Debug)]
pub struct Sentence {
    pub article: ArticleIx,
    pub lang: Lang,
    pub text: String,
}

/// A sentence that leads to another article.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strayed {
    /// Place in [`Overlap::sentences`].
    pub sentence: usize,
    /// How sure the other article was, 0 to 1; none: only its neighbours say so.
    pub confidence: Option<f32>,
    /// The sentence of the other article that is nearest, and the cosine less the mean of all, −1 to 1.
    pub nearest: Option<(usize, f32)>,
}

/// Sentences of one article that lead to one other: it would be shown, or offered beside others.
#[derive(Clone, Debug)]
pub struct Confusion {
    /// Ids.
    pub of: String,
    pub with: String,
    /// The surest first.
    pub strayed: Vec<Strayed>,
}

/// Two sentences that say the same, of one article or of two that some municipality has both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Twins {
    /// Places in [`Overlap::sentences`].
    pub one: usize,
    pub other: usize,
    /// Share of their runs of three letters that both have, 0 to 1.
    pub likeness: f32,
}

/// What the sentences of a release do to each other.
#[derive(Clone, Debug, Default)]
pub struct Overlap {
    /// In the order of their articles.
    pub sentences: Vec<Sentence>,
    /// Most sentences that would be answered wrongly first, then most sentences.
    pub confusions: Vec<Confusion>,
    /// Those of two articles first, then the most alike.
    pub twins: Vec<Twins>,
}

impl Snapshot {
    /// The sentences that the thresholds rest on, also those that no article answers.
    pub fn judged(&self) -> impl Iterator<Item = Judgement<'_>> {
        let classes = &self.ranker.classes;
        let id = |c: u32| match &classes[c as usize] {
            Class::Article(id) => Some(id.as_str()),
            Class::Intent(_) | Class::OutOfScope(_) => None,
        };
        self.ranker.judged.iter().map(move |j| Judgement {
            key: j.key,
            expected: id(j.class),
            first: j.first.and_then(id),
            confidence: j.confidence,
        })
    }

    /// Looks at every example sentence beside all others. Some seconds for 14,000; what was encoded before is not
    /// encoded again.
    ///
    /// # Errors
    /// [`Error::Inference`] from `embed`, [`Error::Io`] when the cache cannot be read or written.
    pub fn overlap(
        &self,
        options: &BuildOptions,
        embed: &mut Embed<'_>,
        progress: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Overlap, Error> {
        let sentences = sentences(&self.release);
        let texts: Vec<String> = sentences.iter().map(|s| s.text.clone()).collect();
        let mut done = 0;
        let mut counted = |kind: Kind, t: &[String]| {
            let out = embed(kind, t);
            done += t.len();
            progress(Stage::Encoding, done, texts.len());
            out
        };
        let vectors = VectorCache::open(options)?.get(Kind::Query, &texts, &mut counted)?;
        let rows: Vec<f32> = vectors
            .iter()
            .flat_map(|v| self.ranker.centre_query(v))
            .collect();
        let room = Room {
            release: &self.release,
            sentences: &sentences,
            seen_by: seen_by(&self.release),
            rows: &rows,
            width: options.dimensions,
        };
        let around = room.neighbours(options.threads);
        let confusions = self.confusions(&room, &around);
        let twins = room.twins(around.into_iter().flat_map(|a| a.near));
        Ok(Overlap {
            confusions,
            twins,
            sentences,
        })
    }

    fn confusions(&self, room: &Room<'_>, around: &[Around]) -> Vec<Confusion> {
        let judged: HashMap<(&str, u32), (Option<&str>, f32)> = self
            .judged()
            .filter_map(|j| Some(((j.expected?, j.key), (j.first, j.confidence))))
            .collect();
        let mut by_pair: BTreeMap<(&str, &str), Vec<Strayed>> = BTreeMap::new();
        let mut of_article: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for i in 0..room.sentences.len() {
            of_article.entry(room.id(i)).or_default().push(i);
        }
        for (i, near) in around.iter().enumerate() {
            let own = room.id(i);
            let (with, confidence) = match judged.get(&(own, sentence_key(&room.sentences[i].text)))
            {
                Some((first, confidence)) => (*first, Some(*confidence)),
                None => (near.elsewhere().map(|j| room.id(j)), None),
            };
            let Some(with) = with.filter(|w| *w != own) else {
                continue;
            };
            // So unsure, it would show neither.
            if confidence.is_some_and(|c| c < self.clarify_threshold()) {
                continue;
            }
            let there = of_article.get(with).into_iter().flatten();
            let nearest = there
                .map(|&j| (j, room.cosine(i, j)))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            by_pair.entry((own, with)).or_default().push(Strayed {
                sentence: i,
                confidence,
                nearest,
            });
        }
        let answer = self.answer_threshold();
        let mut all: Vec<Confusion> = by_pair
            .into_iter()
            .map(|((of, with), mut strayed)| {
                let sure = |s: &Strayed| s.confidence.unwrap_or(0.0);
                strayed.sort_by(|a, b| sure(b).total_cmp(&sure(a)));
                Confusion {
                    of: of.to_owned(),
                    with: with.to_owned(),
                    strayed,
                }
            })
            .collect();
        // The sort is stable: of equals in the order of their ids.
        all.sort_by_key(|c| std::cmp::Reverse((c.shown(answer), c.strayed.len())));
        all
    }
}

impl Confusion {
    /// How many sentences would be answered wrongly with this threshold.
    #[must_use]
    pub fn shown(&self, answer: f32) -> usize {
        let sure = |s: &&Strayed| s.confidence.is_some_and(|c| c >= answer);
        self.strayed.iter().filter(sure).count()
    }
}

fn sentences(release: &Release) -> Vec<Sentence> {
    let articles = (0..).zip(&release.articles);
    let citizens = articles.filter(|(_, a)| a.audience == Audience::Citizen);
    citizens
        .flat_map(|(article, a)| {
            let by_lang = a.examples.iter();
            by_lang.flat_map(move |(lang, list)| {
                list.iter().map(move |s| Sentence {
                    article,
                    lang: *lang,
                    text: base::clean(s),
                })
            })
        })
        .collect()
}

/// For each article, which municipalities' citizens get it: a bit each. There are 98 in the country.
fn seen_by(release: &Release) -> Vec<u128> {
    let mut out = vec![0; release.articles.len()];
    for (bit, code) in (0..128).zip(release.municipalities.keys()) {
        for ix in release.view(*code).into_iter().flat_map(|v| v.articles()) {
            out[ix as usize] |= 1 << bit;
        }
    }
    out
}

/// All sentences and where they lie.
struct Room<'a> {
    release: &'a Release,
    sentences: &'a [Sentence],
    seen_by: Vec<u128>,
    /// `[sentences × width]`, minus the mean, of unit length.
    rows: &'a [f32],
    width: usize,
}

/// The neighbours of one sentence.
struct Around {
    /// Cosine of the nearest of its own article.
    own: f32,
    /// The nearest of another article, and its cosine.
    other: Option<(usize, f32)>,
    /// Later sentences that may say the same: with this one.
    near: Vec<(usize, usize)>,
}

impl Around {
    /// The sentence elsewhere that it belongs to rather than to its own article.
    fn elsewhere(&self) -> Option<usize> {
        let (j, cosine) = self.other?;
        (cosine >= self.own + NEARER).then_some(j)
    }
}

impl Room<'_> {
    fn id(&self, i: usize) -> &str {
        &self.release.article(self.sentences[i].article).id
    }

    /// Whether some municipality has both.
    fn meet(&self, i: usize, j: usize) -> bool {
        let seen = |i: usize| self.seen_by[self.sentences[i].article as usize];
        seen(i) & seen(j) != 0
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.width..(i + 1) * self.width]
    }

    fn cosine(&self, i: usize, j: usize) -> f32 {
        let pairs = self.row(i).iter().zip(self.row(j));
        pairs.map(|(a, b)| a * b).sum()
    }

    fn neighbours(&self, threads: usize) -> Vec<Around> {
        let n = self.sentences.len();
        if n == 0 {
            return Vec::new();
        }
        let products = Products::new(self.rows, self.width);
        let blocks = parallel::map(n.div_ceil(BLOCK), threads, |b| {
            let places = b * BLOCK..n.min((b + 1) * BLOCK);
            let mut cosines = vec![0.0; places.len() * n];
            let rows = &self.rows[places.start * self.width..places.end * self.width];
            products.with(rows, &mut cosines);
            let rows = cosines.chunks_exact(n);
            let around = places.zip(rows).map(|(i, row)| self.around(i, row));
            around.collect::<Vec<_>>()
        });
        blocks.into_iter().flatten().collect()
    }

    fn around(&self, i: usize, cosines: &[f32]) -> Around {
        let mine = self.sentences[i].article;
        let mut out = Around {
            own: -1.0,
            other: None,
            near: Vec::new(),
        };
        for (j, &cosine) in cosines.iter().enumerate() {
            if j == i || !self.meet(i, j) {
                continue;
            }
            if j > i && cosine >= NEAR {
                out.near.push((i, j));
            }
            if self.sentences[j].article == mine {
                out.own = out.own.max(cosine);
            } else if out.other.is_none_or(|(_, best)| cosine > best) {
                out.other = Some((j, cosine));
            }
        }
        out
    }

    fn twins(&self, near: impl Iterator<Item = (usize, usize)>) -> Vec<Twins> {
        let near: Vec<(usize, usize)> = near.collect();
        let places: BTreeSet<usize> = near.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let runs: HashMap<usize, BTreeSet<[char; 3]>> = places
            .into_iter()
            .map(|i| (i, letters(&self.sentences[i].text)))
            .collect();
        let mut all: Vec<Twins> = near
            .into_iter()
            .filter_map(|(one, other)| {
                let (a, b) = (&runs[&one], &runs[&other]);
                let both = a.intersection(b).count();
                let likeness = both as f32 / (a.len() + b.len() - both).max(1) as f32;
                (likeness >= SHARED).then_some(Twins {
                    one,
                    other,
                    likeness,
                })
            })
            .collect();
        let apart = |t: &Twins| self.sentences[t.one].article != self.sentences[t.other].article;
        all.sort_by(|a, b| {
            let alike = b.likeness.total_cmp(&a.likeness);
            apart(b).cmp(&apart(a)).then(alike)
        });
        all
    }
}

/// The runs of three letters of a text's words, their ends included.
fn letters(text: &str) -> BTreeSet<[char; 3]> {
    let folded = base::fold(text);
    let words: Vec<&str> = base::words(&folded).collect();
    let line: Vec<char> = format!(" {} ", words.join(" ")).chars().collect();
    line.windows(3).map(|w| [w[0], w[1], w[2]]).collect()
}
