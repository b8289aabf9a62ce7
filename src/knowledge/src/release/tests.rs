use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 11, 21);

fn kommune(code: &str, region: &str, hidden: &[&str]) -> File {
    let links: String = crate::municipality::LINKS
        .iter()
        .map(|l| format!("{l} = \"https://www.{code}.example/{l}\"\n"))
        .collect();
    let hidden: Vec<String> = hidden.iter().map(|h| format!("\"{h}\"")).collect();
    File {
        path: format!("kommune/{code}/kommune.toml"),
        text: format!(
            "code = \"{code}\"\nname = \"By{code}\"\nregion = \"{region}\"\nsample = true\nhidden = [{}]\n\
             [contact]\ntelefon = \"tlf-{code}\"\nemail = \"e\"\nadresse = \"a\"\naabningstid = \"t\"\nhjemmeside = \"https://www.{code}.example\"\n\
             [hours]\nmandag = \"08:00-20:00\"\n[theme]\naccent = \"#0f5c4c\"\n[links]\n{links}",
            hidden.join(", ")
        ),
    }
}

fn article(path: &str, id: &str, body: &str) -> File {
    let area = "pas";
    let examples: Vec<String> = (0..20).map(|i| format!("\"{id} {i}\"")).collect();
    let filler = "ord ".repeat(90);
    File {
        path: path.to_owned(),
        text: format!(
            "+++\nid = \"{id}\"\narea = \"{area}\"\ntitle = \"Titel {id}\"\naudience = \"citizen\"\nsource = \"Pasloven § 1\"\nowner = \"x\"\nreview_by = 2027-01-01\n[examples]\nda = [{}]\n+++\n{body}\n\n## Mere\n{filler}\n",
            examples.join(", ")
        ),
    }
}

fn base_files() -> Vec<File> {
    vec![
        File { path: "omraader.toml".into(), text: "pas = \"Pas\"\n".into() },
        File {
            path: "satser.toml".into(),
            text: "[pas]\nname = \"Pas\"\nvalue = \"893\"\nunit = \"kr.\"\nyear = 2026\nsource = \"Pasloven\"\n".into(),
        },
        kommune("0751", "1082", &[]),
        kommune("0615", "1082", &["tolk"]),
        article("shared/pas/tolk.md", "tolk", "Ring {{kommune.telefon}}, {{sats.pas}}."),
        article("shared/pas/pas-tabt.md", "pas-tabt", "Fælles."),
    ]
}

fn code(s: &str) -> MunicipalityCode {
    s.parse().unwrap()
}

fn faults(files: &[File]) -> Vec<String> {
    match Release::build(files, TODAY) {
        Ok((_, f)) => f.iter().map(ToString::to_string).collect(),
        Err(f) => f.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn slots_are_filled_with_the_municipalitys_own() {
    let (r, f) = Release::build(&base_files(), TODAY).unwrap();
    assert!(f.is_empty(), "{f:?}");
    let ix = r.view(code("0751")).unwrap().get("tolk").unwrap();
    let body = r.render(ix, code("0751")).unwrap().body;
    assert!(body.starts_with("Ring tlf-0751, 893 kr. (2026)."), "{body}");
    assert!(r.view(code("0615")).unwrap().get("tolk").is_none());
    assert!(r.render(ix, code("0615")).is_none());
    assert_eq!(r.excluded_from(ix).collect::<Vec<_>>(), [code("0615")]);
}

#[test]
fn every_fault_names_file_line_and_field() {
    let with = |f: File| {
        let mut all = base_files();
        all.retain(|o| o.path != f.path);
        all.push(f);
        faults(&all).join("\n")
    };
    let replaced = |from: &str, to: &str| {
        let mut f = article("shared/pas/pas-tabt.md", "pas-tabt", "Fælles.");
        assert!(f.text.contains(from));
        f.text = f.text.replace(from, to);
        with(f)
    };
    for (got, want) in [
        (
            replaced("Fælles.", "Koster {{sats.nej}}."),
            "pas-tabt.md:12: error: {{sats.nej}}: unknown slot",
        ),
        (
            replaced("Fælles.", "Se {{kommune.fax}}."),
            "pas-tabt.md:12: error: {{kommune.fax}}: unknown slot",
        ),
        (
            replaced("Fælles.", "Ring {{kommune.telefon\n}}."),
            "pas-tabt.md:12: error: {{: a slot has no end on its line",
        ),
        (
            replaced("Fælles.", "Ring kommune.telefon}}."),
            "pas-tabt.md:12: error: body: a slot has no beginning",
        ),
        (
            replaced("source = \"Pasloven § 1\"\n", ""),
            "pas-tabt.md:2: error: source: missing field",
        ),
        (
            replaced("source = \"Pasloven § 1\"", "source = \"\""),
            "pas-tabt.md:6: error: source: is missing",
        ),
        (
            replaced("\"pas-tabt 3\"", "\"Tolk, 3!\""),
            "examples.da: «Tolk, 3!» is also an example of shared/pas/tolk.md",
        ),
        (
            replaced("\"pas-tabt 3\"", "\"pas-tabt 4\""),
            "«pas-tabt 4» stands twice",
        ),
        (
            replaced("Fælles.", "[her](http://x.dk)"),
            "pas-tabt.md:12: error: body: link «http://x.dk» must be",
        ),
        (
            replaced("Fælles.", "Det koster 150 kr. i alt"),
            "pas-tabt.md:12: error: body: an amount is typed",
        ),
        (
            replaced("Fælles.", "Ring 70 12 34 56"),
            "pas-tabt.md:12: error: body: a phone number is typed",
        ),
        (
            replaced("owner =", "ejer ="),
            "pas-tabt.md:7: error: ejer: unknown field",
        ),
        (
            replaced(
                "review_by = 2027-01-01",
                "review_by = 2027-01-01\nvalid_to = 2026-01-01",
            ),
            "pas-tabt.md:9: expired: valid_to: ran out on 2026-01-01",
        ),
        (
            replaced("review_by = 2027-01-01", "review_by = 2026-01-01"),
            "pas-tabt.md:8: warning: review_by",
        ),
        (
            replaced("area = \"pas\"", "area = \"bil\""),
            "pas-tabt.md:3: error: area: «bil» is not in omraader.toml",
        ),
        (
            replaced("+++\n", "---\n"),
            "pas-tabt.md:1: error: front matter",
        ),
        (
            with(kommune("0751", "1082", &["findes-ikke"])),
            "kommune/0751/kommune.toml:5: error: hidden: there is no inherited article",
        ),
        (
            with(article("shared/pas/tolk2.md", "tolk", "x")),
            "tolk2.md:2: error: id: «tolk» is",
        ),
    ] {
        assert!(got.contains(want), "wanted {want} in:\n{got}");
    }
}

#[test]
fn the_studio_has_its_file_and_nothing_is_learned_from_it() {
    let (plain, _) = Release::build(&base_files(), TODAY).unwrap();
    assert!(plain.studio.approve_crisis);
    let with = |text: &str| {
        let mut files = base_files();
        files.push(File {
            path: "studio.toml".into(),
            text: text.into(),
        });
        files
    };
    let (r, f) = Release::build(&with("approve_areas = [\"pas\"]\n"), TODAY).unwrap();
    assert!(f.is_empty() && r.studio.approve_areas.contains("pas"));
    assert_eq!(r.learned_hash, plain.learned_hash);
    assert_ne!(r.hash, plain.hash);
    let said = faults(&with("approve_crisis = true\napprove_areas = [\"bil\"]\n"));
    assert_eq!(
        said,
        ["studio.toml:2: error: approve_areas: «bil» is not in omraader.toml"]
    );
}

#[test]
fn what_stays_verbatim_is_named_and_must_be_there() {
    let mut base = base_files();
    base.sort_by(|a, b| a.path.cmp(&b.path));
    let (plain, _) = Release::build(&base, TODAY).unwrap();
    let with = |text: &str| {
        let mut files = base.clone();
        files.push(File {
            path: "generation.toml".into(),
            text: text.into(),
        });
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    };
    let article = &plain.articles[0];
    assert!(!plain.generation.verbatim(article) && plain.generation.crisis);
    let files = with(&format!("verbatim_articles = [\"{}\"]\n", article.id));
    let (named, _) = Release::build(&files, TODAY).unwrap();
    assert!(named.generation.verbatim(article));
    assert_eq!(named.learned_hash, plain.learned_hash);
    assert_eq!(
        faults(&with(
            "verbatim_areas = [\"bil\"]\nverbatim_articles = [\"bus\"]\n"
        )),
        [
            "generation.toml:1: error: verbatim_areas: «bil» is not in omraader.toml",
            "generation.toml:2: warning: verbatim_articles: «bus» is no article's id"
        ]
    );
    // Of an article that is named and goes it is said so, by the quick way too.
    let mut gone = files.clone();
    gone.retain(|f| f.path != article.file);
    let (its, _) = Release::build(&files, TODAY).unwrap();
    let (_, said) = Release::build_after(&its, &files, &gone, TODAY).unwrap();
    assert!(
        said.iter()
            .any(|f| f.to_string().contains("is no article's id")),
        "{said:?}"
    );
}

#[test]
fn layers_have_names_and_places() {
    for (name, path) in [
        ("shared", "shared/pas/a-b.md"),
        ("1082", "region/1082/a-b.md"),
        ("0751", "kommune/0751/a-b.md"),
    ] {
        let layer: Layer = name.parse().unwrap();
        assert_eq!(layer.to_string(), name);
        assert_eq!(layer.path("pas", "a-b"), path);
        assert_eq!(Layer::of(path), Some(layer));
    }
    assert!("0".parse::<Layer>().is_err());
    assert_eq!(Layer::of("kommune/0751/kommune.toml"), None);
}

#[test]
fn slots_are_listed_with_what_stands_for_them() {
    let (r, _) = Release::build(&base_files(), TODAY).unwrap();
    let slots = r.slots(code("0751"));
    let value = |name: &str| {
        slots
            .iter()
            .find(|s| s.name == name)
            .map(|s| s.value.clone())
    };
    assert_eq!(value("sats.pas").as_deref(), Some("893 kr. (2026)"));
    assert_eq!(value("kommune.navn").as_deref(), Some("By0751 Kommune"));
    assert!(slots.iter().all(|s| !s.value.is_empty()), "{slots:?}");
}

#[test]
fn an_expired_article_is_not_served_and_the_rest_is() {
    let mut files = base_files();
    files[5].text = files[5].text.replace(
        "review_by = 2027-01-01",
        "review_by = 2027-01-01\nvalid_to = 2026-01-01",
    );
    let (r, f) = Release::build(&files, TODAY).unwrap();
    assert_eq!(f.len(), 1);
    assert_eq!(r.articles.len(), 1);
}

proptest! {
    /// What municipality A sees never holds a word of B's layer, whatever the layers hold.
    #[test]
    fn layers_never_leak(
        own in proptest::collection::vec((0_usize..3, 0_usize..4, any::<bool>()), 0..12),
        hide in proptest::collection::vec((0_usize..3, 0_usize..4), 0..4),
    ) {
        let codes = ["0751", "0615", "0851"];
        let regions = ["1082", "1082", "1081"];
        let ids = ["aaa", "bbb", "ccc", "ddd"];
        let mut files = vec![
            File { path: "omraader.toml".into(), text: "pas = \"Pas\"\n".into() },
            article("shared/pas/aaa.md", "aaa", "shared-aaa"),
            article("shared/pas/bbb.md", "bbb", "shared-bbb"),
        ];
        let mut model: BTreeMap<(usize, usize), String> = BTreeMap::new();
        for k in 0..3 {
            for (i, id) in ids.iter().enumerate().take(2) {
                model.insert((k, i), format!("shared-{id}"));
            }
        }
        let mut local: BTreeMap<(bool, usize, usize), ()> = BTreeMap::new();
        for &(k, i, region) in &own {
            local.insert((!region, k, i), ());
        }
        // Region layers come first in this order, so that a municipality's own replaces them.
        for &(is_own, k, i) in local.keys() {
            if is_own {
                let word = format!("own-{}-{}", codes[k], ids[i]);
                files.push(article(&format!("kommune/{}/{}.md", codes[k], ids[i]), ids[i], &word));
                model.insert((k, i), word);
            } else {
                let word = format!("region-{}-{}", regions[k], ids[i]);
                let path = format!("region/{}/{}.md", regions[k], ids[i]);
                if files.iter().any(|f| f.path == path) { continue; }
                files.push(article(&path, ids[i], &word));
                for (other, r) in regions.iter().enumerate() {
                    if r == &regions[k] {
                        model.insert((other, i), word.clone());
                    }
                }
            }
        }
        for (k, c) in codes.iter().enumerate() {
            let hidden: Vec<&str> = hide.iter().filter(|(hk, i)| *hk == k && files.iter().any(|f| f.path.starts_with("shared") && f.path.contains(ids[*i]))).map(|(_, i)| ids[*i]).collect();
            for h in &hidden {
                let i = ids.iter().position(|x| x == h).unwrap();
                model.remove(&(k, i));
            }
            files.push(kommune(c, regions[k], &hidden));
        }
        let (r, _) = Release::build(&files, TODAY).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        for (k, c) in codes.iter().enumerate() {
            let view = r.view(code(c)).unwrap();
            let got: BTreeMap<(usize, usize), String> = view.articles().map(|ix| {
                let a = r.article(ix);
                let i = ids.iter().position(|x| *x == a.id).unwrap();
                let body = r.render(ix, code(c)).unwrap().body;
                ((k, i), body.lines().next().unwrap().to_owned())
            }).collect();
            let want: BTreeMap<(usize, usize), String> = model.iter().filter(|((mk, _), _)| *mk == k).map(|(a, b)| (*a, b.clone())).collect();
            prop_assert_eq!(got, want);
            for ix in 0..r.articles.len() as ArticleIx {
                prop_assert_eq!(view.sees(ix), r.render(ix, code(c)).is_some());
            }
        }
    }
}

/// What somebody does to a folder of knowledge.
#[derive(Clone, Debug)]
enum Edit {
    /// Another text in one of the articles, sound or not.
    Text(usize, usize),
    Add(usize),
    Remove(usize),
    /// A municipality hides an article, or shows all again.
    Hide(bool),
    Rate,
}

const TEXTS: [&str; 6] = [
    "En anden tekst.",
    "Ring {{kommune.telefon}}.",
    "Koster {{sats.nej}}.",
    "Det koster 150 kr. i alt",
    "Se {{krise.ingen}}",
    "Igen en anden.",
];
const ADDED: [&str; 5] = [
    "kommune/0751/tolk.md",
    "kommune/0615/pas-tabt.md",
    "region/1082/ny.md",
    "shared/pas/tolk2.md",
    "shared/bil/bil.md",
];

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![
        4 => (0..9_usize, 0..TEXTS.len()).prop_map(|(n, t)| Edit::Text(n, t)),
        3 => (0..ADDED.len()).prop_map(Edit::Add),
        2 => (0..9_usize).prop_map(Edit::Remove),
        1 => any::<bool>().prop_map(Edit::Hide),
        1 => Just(Edit::Rate),
    ];
    prop::collection::vec(edit, 1..4)
}

fn edit(files: &mut Vec<File>, edit: &Edit) {
    let articles: Vec<usize> = (0..files.len())
        .filter(|&n| files[n].path.ends_with(".md"))
        .collect();
    match edit {
        Edit::Text(n, text) if !articles.is_empty() => {
            let f = &mut files[articles[n % articles.len()]];
            // The odd ones take a sentence that another article has.
            if n % 2 == 1 {
                f.text = f.text.replacen(" 3\"", " 3 mere\", \"Tolk, 5!\"", 1);
            }
            f.text.push_str(&format!("\n{}\n", TEXTS[*text]));
        }
        Edit::Add(n) => {
            let path = ADDED[*n];
            let id = path.rsplit('/').next().unwrap().trim_end_matches(".md");
            files.retain(|f| f.path != path);
            let mut new = article(path, id, "Nyt.");
            // What replaces an article may not say its sentences in other articles' words.
            new.text = new.text.replace(&format!("\"{id} "), &format!("\"{path} "));
            files.push(new);
        }
        Edit::Remove(n) if !articles.is_empty() => {
            files.remove(articles[n % articles.len()]);
        }
        Edit::Hide(hide) => {
            files.retain(|f| f.path != "kommune/0615/kommune.toml");
            files.push(kommune("0615", "1082", if *hide { &["tolk"] } else { &[] }));
        }
        Edit::Rate => {
            for f in files.iter_mut().filter(|f| f.path == "satser.toml") {
                f.text = f.text.replace("893", "903");
            }
        }
        Edit::Text(..) | Edit::Remove(_) => {}
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
}

proptest! {
    /// A release built after another is the one that is built from nothing, or is refused for the same faults.
    #[test]
    fn a_release_after_another_is_the_same(steps in prop::collection::vec(edits(), 1..6)) {
        let mut files = base_files();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let (mut before, _) = Release::build(&files, TODAY).unwrap();
        for step in steps {
            let mut next = files.clone();
            step.iter().for_each(|e| edit(&mut next, e));
            let whole = Release::build(&next, TODAY);
            let after = Release::build_after(&before, &files, &next, TODAY);
            match (whole, after) {
                (Ok((whole, notes)), Ok((after, same_notes))) => {
                    prop_assert_eq!(&notes, &same_notes);
                    prop_assert_eq!(&whole.articles, &after.articles);
                    prop_assert_eq!(&whole.hash, &after.hash);
                    prop_assert_eq!(&whole.learned_hash, &after.learned_hash);
                    prop_assert_eq!(&whole.views, &after.views);
                    prop_assert_eq!(&whole.sentences, &after.sentences);
                    (before, files) = (after, next);
                }
                (Err(a), Err(b)) => prop_assert_eq!(a, b),
                (whole, after) => prop_assert!(false, "{} {}", whole.is_ok(), after.is_ok()),
            }
        }
    }
}

#[test]
fn a_change_of_one_article_reads_it_alone_and_a_sentence_of_another_is_still_refused() {
    let mut files = base_files();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let (before, _) = Release::build(&files, TODAY).unwrap();
    let changed = |from: &str, to: &str| {
        let mut next = files.clone();
        let f = next
            .iter_mut()
            .find(|f| f.path.ends_with("pas-tabt.md"))
            .unwrap();
        assert!(f.text.contains(from));
        f.text = f.text.replace(from, to);
        next
    };
    let sound = changed("Fælles.", "Noget andet.");
    let (after, notes) = before.followed_by(&files, &sound).unwrap();
    assert!(notes.is_empty());
    assert!(
        after
            .articles
            .iter()
            .any(|a| a.body.starts_with("Noget andet."))
    );
    let stolen = changed("\"pas-tabt 3\"", "\"Tolk, 3!\"");
    assert!(before.followed_by(&files, &stolen).is_none());
    assert!(Release::build_after(&before, &files, &stolen, TODAY).is_err());
    // Tomorrow other articles may have run out.
    let tomorrow = TODAY.tomorrow().unwrap();
    let (later, _) = Release::build_after(&before, &files, &sound, tomorrow).unwrap();
    assert_eq!(later.built_on, tomorrow);
}
