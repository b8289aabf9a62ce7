use std::path::Path;

use knowledge::Release;

use super::*;
use crate::analysis::Compounds;

fn release() -> Release {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let files = knowledge::load(&root).unwrap();
    match Release::build(&files, jiff::civil::date(2026, 11, 21)) {
        Ok((r, _)) => r,
        Err(f) => panic!("{}", f.iter().map(|f| format!("{f}\n")).collect::<String>()),
    }
}

#[test]
fn exact_words_find_their_article_and_layers_hold() {
    let r = release();
    let a = Analyzer::new(Compounds::default());
    let lex = Lexical::build(&r, &a).unwrap();
    let (code, region) = ("0751".parse().unwrap(), "1082".parse().unwrap());
    let terms = a.query_terms("legitimationskort");
    let hits = lex.search(&terms, Side::Sections, code, region, 5).unwrap();
    assert_eq!(r.article(hits[0].article).id, "idkort");
    // A typo in a long word still finds it.
    let hits = lex
        .search(
            &a.query_terms("legitmationskort"),
            Side::Sections,
            code,
            region,
            5,
        )
        .unwrap();
    assert_eq!(r.article(hits[0].article).id, "idkort");
    for m in r.municipalities.values() {
        let view = r.view(m.code).unwrap();
        for side in [Side::Sections, Side::Examples] {
            for h in lex
                .search(
                    &a.query_terms("affald skole bil"),
                    side,
                    m.code,
                    m.region,
                    200,
                )
                .unwrap()
            {
                assert!(
                    view.sees(h.article),
                    "{} sees {}",
                    m.code,
                    r.article(h.article).file
                );
            }
        }
    }
}

#[test]
fn a_stored_index_finds_the_same() {
    let r = release();
    let a = Analyzer::new(Compounds::default());
    let built = Lexical::build(&r, &a).unwrap();
    let files = built.files().unwrap();
    let opened = Lexical::from_files(&files, r.articles.len()).unwrap();
    let (code, region) = ("0751".parse().unwrap(), "1082".parse().unwrap());
    for words in [
        "pas udløbet",
        "legitmationskort",
        "hvad koster det at flytte",
    ] {
        let terms = a.query_terms(words);
        for side in [Side::Sections, Side::Examples] {
            let find = |l: &Lexical| l.search(&terms, side, code, region, 60).unwrap();
            assert!(!find(&built).is_empty(), "{words}");
            assert_eq!(find(&opened), find(&built), "{words}");
        }
    }
    let torn = &files[..files.len() - 1];
    assert!(Lexical::from_files(torn, r.articles.len()).is_err());
}

#[test]
fn an_index_is_revised_however_it_came_to_be() {
    let r = release();
    let a = Analyzer::new(Compounds::default());
    let built = Lexical::build(&r, &a).unwrap();
    let opened = Lexical::from_files(&built.files().unwrap(), r.articles.len()).unwrap();
    let (code, region) = ("0751".parse().unwrap(), "1082".parse().unwrap());
    let terms = a.query_terms("pas udløbet");
    let find = |l: &Lexical| {
        let hits = l.search(&terms, Side::Sections, code, region, 20).unwrap();
        hits.iter().map(|h| h.article).collect::<Vec<_>>()
    };
    let all: Vec<Option<ArticleIx>> = (0..r.articles.len() as ArticleIx).map(Some).collect();
    let first = find(&built)[0];
    // One article is indexed anew; twice, so that a revised one is revised too.
    let mut kept = all.clone();
    kept[first as usize] = None;
    for from in [built, opened] {
        let once = from.revised(&r, &a, &kept).unwrap();
        assert_eq!(find(&once)[0], first);
        let twice = once.revised(&r, &a, &all).unwrap();
        assert_eq!(find(&twice), find(&once));
        assert_eq!(twice.files().unwrap().len(), once.files().unwrap().len());
    }
}
