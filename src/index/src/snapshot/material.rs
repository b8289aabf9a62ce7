//! What a release teaches: what a message can be about, the sentences of each, and the sections that are searched.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base::Lang;
use knowledge::{Article, ArticleIx, Audience, Release, without_slots};

use crate::analysis::Analyzer;
use crate::ranker::{Class, Sample};

fn citizen(release: &Release) -> impl Iterator<Item = (ArticleIx, &Article)> {
    let articles = (0..).zip(&release.articles);
    articles.filter(|(_, a)| a.audience == Audience::Citizen)
}

/// Everything that a message can be about, sorted.
pub(super) fn classes(release: &Release) -> Vec<Class> {
    let articles = citizen(release).map(|(_, a)| Class::Article(a.id.clone()));
    let mut classes: Vec<Class> = articles.collect();
    classes.extend(release.intents.examples.keys().map(|i| Class::Intent(*i)));
    let kinds = release.out_of_scope.keys();
    classes.extend(kinds.map(|k| Class::OutOfScope(k.clone())));
    classes.sort();
    classes.dedup();
    classes
}

/// The class of each article.
pub(super) fn class_of(release: &Release, classes: &[Class]) -> Vec<Option<usize>> {
    let articles = release.articles.iter();
    articles
        .map(|a| classes.binary_search(&Class::Article(a.id.clone())).ok())
        .collect()
}

/// For each class, a number that is another when what it is learned from is.
pub(super) fn fingerprints(
    release: &Release,
    classes: &[Class],
    class_of: &[Option<usize>],
) -> Vec<u64> {
    let mut of = vec![DefaultHasher::new(); classes.len()];
    for (ix, a) in citizen(release) {
        let Some(class) = class_of[ix as usize] else {
            continue;
        };
        let headings: Vec<&Option<String>> = a.sections.iter().map(|s| &s.heading).collect();
        (a.layer, &a.title, &a.keywords, &a.examples, headings).hash(&mut of[class]);
    }
    for (class, of) in classes.iter().zip(&mut of) {
        match class {
            Class::Article(_) => {}
            Class::Intent(i) => release.intents.examples.get(i).hash(of),
            Class::OutOfScope(kind) => release.out_of_scope.get(kind).hash(of),
        }
    }
    of.iter().map(DefaultHasher::finish).collect()
}

/// The training sentences of the classes that are wanted. Those of one class come in the same order, whatever else
/// is wanted. With an `adapted` encoder only what it was not trained on judges.
pub(super) fn samples(
    release: &Release,
    classes: &[Class],
    adapted: bool,
    wanted: &dyn Fn(usize) -> bool,
) -> Vec<Sample> {
    let place = |class: &Class| {
        let place = classes.binary_search(class).ok();
        let place = place.filter(|p| wanted(*p))?;
        u32::try_from(place).ok()
    };
    let mut samples = Vec::new();
    let mut add = |text: &str, lang: Lang, class: u32, written: bool| {
        let text = base::clean(text);
        samples.push(Sample {
            judges: written && (!adapted || knowledge::held_out(&text)),
            text,
            lang,
            class,
            written,
        });
    };
    for (_, a) in citizen(release) {
        let Some(class) = place(&Class::Article(a.id.clone())) else {
            continue;
        };
        for (lang, list) in &a.examples {
            for s in list {
                add(s, *lang, class, true);
            }
        }
        let title = without_slots(&a.title);
        add(&title, Lang::Da, class, false);
        for k in &a.keywords {
            add(k, Lang::Da, class, false);
        }
        for h in a.sections.iter().filter_map(|s| s.heading.as_deref()) {
            let heading = format!("{title}: {}", without_slots(h));
            add(&heading, Lang::Da, class, false);
        }
    }
    for (intent, by_lang) in &release.intents.examples {
        let Some(class) = place(&Class::Intent(*intent)) else {
            continue;
        };
        for (lang, list) in by_lang {
            for s in list {
                add(s, *lang, class, true);
            }
        }
    }
    for (kind, list) in &release.out_of_scope {
        let Some(class) = place(&Class::OutOfScope(kind.clone())) else {
            continue;
        };
        for (lang, s) in list {
            add(s, *lang, class, true);
        }
    }
    samples
}

/// A word of so large a share of the classes is no article's, even if a single title has it: "hjælp", "noget".
const COMMON: f32 = 0.10;

/// In how many classes' sentences each stem stands, see [`super::Snapshot`]. What one title alone has is that
/// article's, whoever else speaks of it.
pub(super) fn spread(
    release: &Release,
    samples: &[Sample],
    analyzer: &Analyzer,
) -> HashMap<(Lang, String), f32> {
    let mut titles: HashMap<String, HashSet<&str>> = HashMap::new();
    for (_, a) in citizen(release) {
        for t in analyzer.query_terms(&without_slots(&a.title)) {
            titles.entry(t).or_default().insert(&a.id);
        }
    }
    let mut classes: HashMap<Lang, HashSet<u32>> = HashMap::new();
    let mut seen: HashMap<(Lang, String), HashSet<u32>> = HashMap::new();
    for s in samples.iter().filter(|s| s.written) {
        classes.entry(s.lang).or_default().insert(s.class);
        for t in analyzer.query_terms(&s.text) {
            seen.entry((s.lang, t)).or_default().insert(s.class);
        }
    }
    seen.into_iter()
        .map(|(key, set)| {
            let one = 1.0 / classes[&key.0].len().max(1) as f32;
            let share = set.len() as f32 * one;
            let own = share < COMMON && titles.get(&key.1).is_some_and(|ids| ids.len() == 1);
            (key, if own { one } else { share })
        })
        .collect()
}

/// Every section that a citizen can be shown: article and section.
pub(super) fn places(release: &Release) -> Vec<(ArticleIx, u32)> {
    let articles = citizen(release);
    let places = articles.flat_map(|(ix, a)| (0..a.sections.len() as u32).map(move |n| (ix, n)));
    places.collect()
}

/// The texts of an article's sections, as they are encoded.
pub(super) fn sections(a: &Article) -> impl Iterator<Item = String> + '_ {
    a.sections.iter().map(|s| {
        let heading = s.heading.as_deref().unwrap_or("");
        without_slots(&format!("{}. {heading}\n{}", a.title, s.text))
    })
}
