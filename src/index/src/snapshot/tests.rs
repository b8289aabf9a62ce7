use std::path::Path;

use inference::Kind;
use knowledge::File;

use super::*;
use crate::ErrorBudget;
use crate::analysis::Compounds;

const WIDTH: usize = 64;
const AREAS: [&str; 5] = [
    "shared/affald/",
    "shared/dyr/",
    "shared/navn/",
    "shared/pas/",
    "shared/valg/",
];

/// The real knowledge, of a few areas.
fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let mut files = knowledge::load(&root).unwrap();
    files.retain(|f| !f.path.ends_with(".md") || AREAS.iter().any(|area| f.path.starts_with(area)));
    for f in files
        .iter_mut()
        .filter(|f| f.path.ends_with("kommune.toml"))
    {
        // What they hide is not here.
        let lines = f.text.lines().filter(|l| !l.starts_with("hidden"));
        f.text = lines.collect::<Vec<_>>().join("\n");
    }
    files
}

fn release(files: &[File]) -> Arc<Release> {
    match Release::build(files, jiff::civil::date(2026, 11, 21)) {
        Ok((r, _)) => Arc::new(r),
        Err(f) => panic!("{}", f.iter().map(|f| format!("{f}\n")).collect::<String>()),
    }
}

/// Stands for the encoder: the same words, the same direction.
fn embed(text: &str) -> Arc<[f32]> {
    let mut v = [1e-3_f32; WIDTH];
    for word in base::words(&base::fold(text)) {
        let stem: Vec<u8> = word.bytes().take(5).collect();
        let hash = stem.iter().fold(7_usize, |h, b| h * 31 + usize::from(*b));
        v[hash % WIDTH] += 1.0;
    }
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.iter().map(|x| x / length).collect()
}

fn embedded(_: Kind, texts: &[String]) -> Result<Vec<Arc<[f32]>>, inference::Error> {
    Ok(texts.iter().map(|t| embed(t)).collect())
}

fn options() -> BuildOptions {
    BuildOptions {
        cache: None,
        prepared: None,
        model: "words".to_owned(),
        adapted: false,
        dimensions: WIDTH,
        threads: 2,
        budget: ErrorBudget::default(),
    }
}

fn built(files: &[File]) -> Snapshot {
    let analyzer = Arc::new(Analyzer::new(Compounds::default()));
    Snapshot::build(
        release(files),
        analyzer,
        &options(),
        &mut embedded,
        &mut |_, _, _| {},
    )
    .unwrap()
}

fn revised(from: &Snapshot, files: &[File]) -> Option<Snapshot> {
    from.revised(release(files), &options(), &mut embedded)
        .unwrap()
}

/// The article that a question finds first.
fn first(s: &Snapshot, text: &str) -> String {
    let ask = Ask {
        text,
        vector: &embed(text),
        lang: Lang::Da,
        municipality: "0751".parse().unwrap(),
    };
    let found = s.search(&ask).unwrap();
    s.release.article(found.candidates[0].article).id.clone()
}

/// An article that nobody has written yet.
fn winter_bathing() -> File {
    let who = ["jeg", "vi", "min far", "vores klub", "foreningen"];
    let what = [
        "vil gerne vinterbade fra badebroen",
        "søger en sauna ved havnen til vinterbadning",
        "hvordan bliver man medlem af vinterbaderne",
        "er badebroen åben for vinterbadere i december",
        "hvad koster en sæson med vinterbadning og sauna",
    ];
    let pairs = who
        .iter()
        .flat_map(|w| what.iter().map(move |x| format!("\"{w} {x}\"")));
    let examples: Vec<String> = pairs.collect();
    let text = format!(
        "+++\nid = \"vinterbad\"\narea = \"dyr\"\ntitle = \"Vinterbadning\"\naudience = \"citizen\"\n\
         source = \"Kommunens regler\"\nowner = \"kultur\"\nreview_by = 2027-01-01\n\
         keywords = [\"vinterbader\", \"sauna\"]\n[examples]\nda = [{}]\n+++\n\
         Du kan vinterbade fra kommunens badebroer.\n\n## Sauna\n{}\n",
        examples.join(", "),
        "Saunaen åbner klokken syv om morgenen. ".repeat(20)
    );
    File {
        path: "shared/dyr/vinterbad.md".to_owned(),
        text,
    }
}

#[test]
fn a_new_article_is_found_without_learning_all_anew_and_the_others_stay() {
    let before = files();
    let base = built(&before);
    let mut after = before.clone();
    after.push(winter_bathing());
    after.sort_by(|a, b| a.path.cmp(&b.path));
    let with = revised(&base, &after).unwrap();
    let question = "kan man tage i sauna når man har vinterbadet ved broen";
    assert_ne!(first(&base, question), "vinterbad");
    assert_eq!(first(&with, question), "vinterbad");

    let articles = before.iter().filter(|f| f.path.ends_with(".md"));
    let known = base.release.articles.iter();
    let questions: Vec<&String> = known
        .filter_map(|a| a.examples.get(&Lang::Da))
        .flat_map(|e| e.iter().step_by(7))
        .collect();
    assert!(articles.count() > 16 && questions.len() > 100);
    let moved = |a: &Snapshot, b: &Snapshot| {
        let moved = questions.iter().filter(|q| first(a, q) != first(b, q));
        moved.count()
    };
    assert!(moved(&base, &with) * 50 <= questions.len(), "one in fifty");

    // And away again: its class is gone, and nothing else moved.
    let without = revised(&with, &before).unwrap();
    assert!(first(&without, question) != "vinterbad");
    assert!(moved(&base, &without) * 50 <= questions.len());
    assert_eq!(without.ranker.classes, base.ranker.classes);

    // A whole training sees it the same way.
    assert_eq!(first(&built(&after), question), "vinterbad");
}

#[test]
fn an_edit_of_the_text_alone_learns_nothing() {
    let before = files();
    let base = built(&before);
    let mut after = before;
    let article = after.iter_mut().find(|f| f.path.ends_with(".md")).unwrap();
    article
        .text
        .push_str("\nDet gælder også for perlehøns og strudse.\n");
    let with = revised(&base, &after).unwrap();
    assert_eq!(with.ranker.fingerprints(), base.ranker.fingerprints());
    assert_ne!(with.release.hash, base.release.hash);
    assert!(
        !base
            .by_words("strudse", "0751".parse().unwrap())
            .unwrap()
            .iter()
            .any(|c| c.score > 0.0)
    );
    assert!(
        with.by_words("strudse", "0751".parse().unwrap())
            .unwrap()
            .iter()
            .any(|c| c.score > 0.0)
    );
}

#[test]
fn many_changes_are_learned_whole() {
    let before = files();
    let base = built(&before);
    let mut after = before;
    let articles = after.iter_mut().filter(|f| f.path.ends_with(".md"));
    for (n, f) in articles.enumerate() {
        f.text = f.text.replacen(
            "da = [",
            &format!("da = [\n  \"endnu et spørgsmål nummer {n}\","),
            1,
        );
    }
    assert!(revised(&base, &after).is_none());
}
