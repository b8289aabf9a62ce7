//! What is asked of a draft and of what is live: question sets and example sentences. Citizens' questions come from the
//! journal.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use base::{Lang, MunicipalityCode};
use dialogue::eval::{Question, parse};
use knowledge::{Layer, Release};

/// One text that is asked of both.
pub(in super::super) struct Asked {
    pub text: String,
    pub municipality: MunicipalityCode,
    pub lang: Lang,
    pub from: From,
    /// Ids of articles that answer it, where that is known; none of them: no article should.
    pub expected: Option<Vec<String>>,
}

impl Asked {
    /// The question set that it is of.
    pub(super) fn set(&self) -> Option<&str> {
        match &self.from {
            From::Set(set) => Some(set),
            From::Example | From::Question => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum From {
    Set(String),
    Example,
    Question,
}

/// Where question sets lie beside a knowledge folder.
fn folder(root: &Path) -> Option<PathBuf> {
    root.parent().map(|p| p.join("tests/questions"))
}

/// The question sets, without what asks for articles or municipalities that are not here.
pub(super) fn sets(root: &Path, before: &Release, after: &Release) -> Vec<Asked> {
    let Some(Ok(entries)) = folder(root).map(std::fs::read_dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    let known = |id: &String| {
        let has = |r: &Release| r.articles.iter().any(|a| a.id == *id);
        has(before) || has(after)
    };
    let mut asked = Vec::new();
    for path in paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "tsv"))
    {
        // Sets of another shape are for other measurements.
        let read = std::fs::read_to_string(path).ok();
        let Some(Ok(questions)) = read.map(|text| parse(&text)) else {
            continue;
        };
        let set = path.file_stem().unwrap_or_default().to_string_lossy();
        for q in questions {
            if q.expected.is_empty() || q.expected.iter().any(known) {
                asked.push(of_set(q, &set));
            }
        }
    }
    asked
}

fn of_set(q: Question, set: &str) -> Asked {
    Asked {
        text: base::redact(&base::clean(&q.text)).text,
        municipality: q.municipality,
        lang: q.lang,
        from: From::Set(set.to_owned()),
        expected: Some(q.expected),
    }
}

/// All example sentences: those of changed articles first, and those that the draft takes away.
pub(super) fn examples(before: &Release, after: &Release, changed: &[String]) -> Vec<Asked> {
    let mut all = of_examples(after, |_| true);
    let kept: HashSet<&str> = all.iter().map(|(_, a)| a.text.as_str()).collect();
    let gone = of_examples(before, |text| !kept.contains(text));
    all.extend(gone);
    let changed: HashSet<&str> = changed.iter().map(String::as_str).collect();
    let (first, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(file, _)| changed.contains(file));
    let in_order = first.into_iter().chain(others);
    in_order.map(|(_, asked)| asked).collect()
}

/// The example sentences that are wanted, each with its article's file, asked where somebody sees the article.
fn of_examples(release: &Release, wanted: impl Fn(&str) -> bool) -> Vec<(&str, Asked)> {
    let mut out = Vec::new();
    for (ix, a) in (0..).zip(&release.articles) {
        let place = release.municipalities.values().find(|m| {
            let fits = match a.layer {
                Layer::Shared => true,
                Layer::Region(r) => m.region == r,
                Layer::Municipality(c) => m.code == c,
            };
            fits && release.view(m.code).is_some_and(|v| v.sees(ix))
        });
        let Some(m) = place else { continue };
        for (lang, sentences) in &a.examples {
            let texts = sentences.iter().map(|s| base::redact(&base::clean(s)).text);
            let asked = texts.filter(|text| wanted(text)).map(|text| Asked {
                text,
                municipality: m.code,
                lang: *lang,
                from: From::Example,
                expected: Some(vec![a.id.clone()]),
            });
            out.extend(asked.map(|asked| (a.file.as_str(), asked)));
        }
    }
    out
}
