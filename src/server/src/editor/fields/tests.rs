use knowledge::{Article, File};

use super::*;

const ARTICLE: &str = "+++
id = \"pas-tabt\"
area = \"pas\"
title = \"Tabt pas\"                # som borgeren siger det
audience = \"citizen\"
source = \"Pasloven § 1\"
owner = \"borgerservice\"
review_by = 2027-01-01

# Den første er vigtigst.
[[links]]
title = \"Bestil tid\"
url = \"{{kommune.link.tidsbestilling}}\"

[examples]
da = [
  \"mit pas er væk\",
  # fra en borger
  \"jeg har tabt mit pas\",
]
en = [\"lost passport\"]
+++
Meld det.

## Det skal du
Ring.
";

fn fields(text: &str) -> ArticleFields {
    let file = File {
        path: "shared/pas/pas-tabt.md".into(),
        text: text.into(),
    };
    ArticleFields::from(&Article::read(&file).unwrap())
}

#[test]
fn what_is_not_changed_is_not_written_anew() {
    assert_eq!(article(Some(ARTICLE), &fields(ARTICLE)).unwrap(), ARTICLE);
}

#[test]
fn a_change_is_all_that_differs() {
    let mut f = fields(ARTICLE);
    f.title = "Mit pas er \"tabt\"".into();
    f.review_by = "2028-02-29".into();
    f.examples.get_mut("da").unwrap().push("pas stjålet".into());
    f.valid_to = Some("2028-12-31".into());
    let text = article(Some(ARTICLE), &f).unwrap();
    for kept in [
        "# som borgeren siger det",
        "# Den første er vigtigst.\n[[links]]",
        "  # fra en borger\n  \"jeg har tabt mit pas\",\n  \"pas stjålet\",\n]",
        "valid_to = 2028-12-31\n",
        "## Det skal du\nRing.\n",
    ] {
        assert!(text.contains(kept), "{kept}\n---\n{text}");
    }
    let mut read = fields(&text);
    read.sections = f.sections.clone();
    assert_eq!(read, f);
    // And back again: the same as before.
    let back = article(Some(&text), &fields(ARTICLE)).unwrap();
    assert_eq!(back, ARTICLE);
}

#[test]
fn a_new_article_reads_as_it_was_meant() {
    let mut f = fields(ARTICLE);
    f.keywords = vec!["rejsebog".into(), "a \\ b".into()];
    f.crisis = true;
    f.kle = Some("23.05.10".into());
    let text = article(None, &f).unwrap();
    let mut read = fields(&text);
    read.sections = f.sections.clone();
    assert_eq!(read, f, "{text}");
    assert!(text.contains("da = [\n  \"mit pas er væk\",\n"), "{text}");
    f.review_by = "i morgen".into();
    assert!(article(None, &f).unwrap_err().contains("«i morgen»"));
}

#[test]
fn links_and_languages_come_and_go() {
    let mut f = fields(ARTICLE);
    f.links.clear();
    f.examples.remove("en");
    let text = article(Some(ARTICLE), &f).unwrap();
    assert!(
        !text.contains("[[links]]") && !text.contains("en ="),
        "{text}"
    );
    f.examples.insert("xx".into(), vec!["a".into()]);
    assert!(article(Some(ARTICLE), &f).is_err());
}

#[test]
fn rates_and_facts_keep_their_comments() {
    let before = "# Beløb\n\n[pas]\nname = \"Pas\"\nvalue = \"893\" # tjek i januar\nunit = \"kr.\"\nyear = 2026\nsource = \"Pasloven\"\nsample = true\n";
    let mut r = RateFields {
        id: "pas".into(),
        name: "Pas".into(),
        value: "901".into(),
        unit: "kr.".into(),
        year: 2027,
        source: "Pasloven".into(),
        sample: false,
        used_by: Vec::new(),
    };
    let text = rate(before, &r).unwrap();
    let want = before
        .replace("893", "901")
        .replace("2026", "2027")
        .replace("sample = true", "sample = false");
    assert_eq!(text, want);
    r.id = "ny_sats".into();
    assert!(rate(before, &r).unwrap().starts_with(before));
    assert_eq!(
        without_rate(&rate(before, &r).unwrap(), "ny_sats").unwrap(),
        before
    );
    r.id = "Ny sats".into();
    assert!(rate(before, &r).is_err());

    let kommune = "# Navn\ncode = \"0751\"\nsample = true\nhidden = []\nclosed = [2026-12-24]\n\n[contact]\ntelefon = \"1\" # omstilling\n\n[hours]\nmandag = \"lukket\"\n[theme]\naccent = \"#0f5c4c\"\n[links]\njob = \"https://a.dk\"\n";
    assert_eq!(
        municipality(kommune, &facts(kommune).unwrap()).unwrap(),
        kommune
    );
    let mut f = facts(kommune).unwrap();
    f.contact.insert("telefon".into(), "2".into());
    f.closed.push("2026-12-31".into());
    let text = municipality(kommune, &f).unwrap();
    assert!(text.contains("telefon = \"2\" # omstilling"), "{text}");
    assert!(text.contains("closed = [2026-12-24, 2026-12-31]"), "{text}");
    let text = hide(kommune, "pas-tabt", true).unwrap();
    assert!(text.contains("hidden = [\"pas-tabt\"]"), "{text}");
    assert_eq!(hide(&text, "pas-tabt", false).unwrap(), kommune);
}
