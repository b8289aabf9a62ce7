use std::collections::HashSet;
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
        prepared: Vec::new(),
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

/// Every sentence that is kept of the calibration is one of its article's, and the threshold keeps the budget.
#[test]
fn what_the_thresholds_rest_on_is_kept_and_outlives_an_edit() {
    let before = files();
    let base = built(&before);
    let articles = &base.release.articles;
    let keys: HashSet<(&str, u32)> = articles
        .iter()
        .flat_map(|a| a.examples.values().flatten().map(move |s| (a, s)))
        .map(|(a, s)| (a.id.as_str(), crate::sentence_key(&base::clean(s))))
        .collect();
    let (mut answerable, mut wrong, mut outside) = (0, 0, 0);
    for j in base.judged() {
        let Some(id) = j.expected else {
            outside += 1;
            continue;
        };
        assert!(keys.contains(&(id, j.key)), "{id}");
        answerable += 1;
        let shown = j.confidence >= base.answer_threshold();
        wrong += u32::from(shown && j.first != j.expected);
    }
    assert!(answerable > 500 && outside > 50, "{answerable}, {outside}");
    let allowed = options().budget.wrong * answerable as f32;
    assert!(wrong as f32 <= allowed, "{wrong} of {answerable}");
    assert!(wrong > 0, "a budget that is not used asks too much");

    let mut after = before;
    after.push(winter_bathing());
    after.sort_by(|a, b| a.path.cmp(&b.path));
    let with = revised(&base, &after).unwrap();
    let told = |s: &Snapshot| -> Vec<(Option<String>, Option<String>, u32)> {
        let own = |id: Option<&str>| id.map(str::to_owned);
        let all = s.judged();
        all.map(|j| (own(j.expected), own(j.first), j.key))
            .collect()
    };
    assert_eq!(told(&with), told(&base));
}

#[test]
fn sentences_that_lead_elsewhere_or_say_the_same_are_found() {
    let mut files = files();
    let base = built(&files);
    let overlap = |s: &Snapshot| {
        s.overlap(&options(), &mut embedded, &mut |_, _, _| {})
            .unwrap()
    };
    let articles = &base.release.articles;
    let with = |area: &str| {
        let found = articles.iter().find(|a| a.file.starts_with(area));
        found.unwrap().clone()
    };
    let (one, other) = (with("shared/pas/"), with("shared/dyr/"));
    let taken = &one.examples[&Lang::Da][0];
    let file = files.iter_mut().find(|f| f.path == other.file).unwrap();
    let twin = format!("  \"{taken} tak\",\n");
    file.text = file.text.replacen("da = [", &format!("da = [\n{twin}"), 1);
    let changed = built(&files);
    let found = overlap(&changed);
    assert_eq!(
        found.sentences.len(),
        overlap(&base).sentences.len() + 1,
        "every sentence is looked at"
    );
    let text = |i: usize| found.sentences[i].text.as_str();
    let id = |i: usize| &changed.release.article(found.sentences[i].article).id;
    let twins = found.twins.iter().find(|t| {
        let both = [text(t.one), text(t.other)];
        both.contains(&taken.as_str()) && both.iter().any(|b| b.ends_with(" tak"))
    });
    let twins = twins.unwrap();
    assert_ne!(id(twins.one), id(twins.other));
    assert!((0.7..1.0).contains(&twins.likeness));
    // Those of two articles come first.
    let apart: Vec<bool> = found
        .twins
        .iter()
        .map(|t| id(t.one) != id(t.other))
        .collect();
    assert!(apart.is_sorted_by(|a, b| a >= b));
    let strayed = found.confusions.iter().find(|c| {
        c.of == other.id
            && c.with == one.id
            && c.strayed.iter().any(|s| text(s.sentence).ends_with(" tak"))
    });
    let strayed = strayed.unwrap();
    let s = strayed
        .strayed
        .iter()
        .find(|s| text(s.sentence).ends_with(" tak"));
    assert_eq!(text(s.unwrap().nearest.unwrap().0), taken);
    let answer = changed.answer_threshold();
    let shown: Vec<usize> = found.confusions.iter().map(|c| c.shown(answer)).collect();
    assert!(shown.is_sorted_by(|a, b| a >= b), "{shown:?}");
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
