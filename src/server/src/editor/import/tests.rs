use std::collections::BTreeMap;

use jiff::civil::date;
use storage::DraftText;

use super::super::wire::{ArticleFields, Change};
use super::*;

fn plan(layer: &str) -> Plan {
    Plan {
        name: "gammel-robot.csv".into(),
        layer: layer.parse().unwrap(),
        area: None,
        owner: Some("borgerservice".into()),
        source: None,
    }
}

fn file(path: &str, title: &str, source: &str, example: &str, body: &str) -> File {
    let id = path.rsplit('/').next().unwrap().trim_end_matches(".md");
    File {
        path: path.into(),
        text: format!(
            "+++\nid = \"{id}\"\narea = \"pas\"\ntitle = \"{title}\"\naudience = \"citizen\"\nsource = \"{source}\"\n\
             owner = \"x\"\nreview_by = 2027-01-01\n[examples]\nda = [\"{example}\"]\n+++\n{body}\n"
        ),
    }
}

const LOST: &str =
    "Meld det til kommunen med det samme, og bestil tid til et nyt pas i borgerservice.";

fn live() -> Vec<File> {
    vec![file(
        "shared/pas/pas-tabt.md",
        "Tabt pas",
        "Pasloven § 1",
        "mit pas er væk",
        LOST,
    )]
}

fn places() -> Places {
    let code = |c: &str| c.parse().unwrap();
    Places {
        areas: BTreeMap::from([
            ("pas".to_owned(), "Pas og ID-kort".to_owned()),
            ("affald".to_owned(), "Affald".to_owned()),
        ]),
        regions: BTreeMap::from([(code("0751"), code("1082")), (code("0461"), code("1083"))]),
        names: BTreeMap::from([
            ("aarhus kommune".to_owned(), code("0751")),
            ("odense kommune".to_owned(), code("0461")),
        ]),
    }
}

/// Rows held against these files and drafts.
fn against(
    plan: &Plan,
    rows: read::Rows,
    live: &[File],
    drafts: &[Drafted],
    pages: &BTreeMap<String, String>,
) -> Brought {
    let around = Around {
        live,
        drafts,
        places: &places(),
        today: date(2026, 11, 22),
        may: &|layer| layer != "0461".parse().unwrap(),
        pages,
    };
    bring(plan, rows, &around, &mut |_, _| Ok(())).ok().unwrap()
}

fn brought(format: Format, area: Option<&str>, text: &str) -> Brought {
    let mut plan = plan("shared");
    plan.area = area.map(str::to_owned);
    let rows = read::rows(format, text).unwrap();
    against(&plan, rows, &live(), &[], &BTreeMap::new())
}

fn articles(b: &Brought) -> Vec<&ArticleFields> {
    let changes = b.drafts.iter().flat_map(|(new, _)| &new.changes);
    changes
        .filter_map(|c| match c {
            Change::Article { article, .. } => Some(&**article),
            _ => None,
        })
        .collect()
}

#[test]
fn a_table_is_read_and_its_broken_rows_are_named() {
    let b = brought(
        Format::Csv,
        None,
        "Spørgsmål;Svar;Eksempler;Område\n\
         Hvor får jeg pas?;Hos os.;hvor får jeg pas|mit pas er væk|nyt pas 010190-1234;Pas og ID-kort\n\
         Uden svar;;;pas\n\
         Kort række\n\
         Hvor er rummet?;Ingen ved det.;;rumfart\n\
         \"Med \"\"citat\"\";og linje\";\"Svar i\nto linjer\";;affald\n\
         HVOR FÅR JEG PAS;Et andet svar.;;pas\n\
         Meldt væk;Meld det til kommunen med det samme, og bestil tid til et nyt pas i Borgerservice.;;pas\n",
    );
    assert_eq!(b.read, 7);
    let skipped: Vec<usize> = b.skipped.iter().map(|s| s.row).collect();
    assert_eq!(skipped, [3, 4, 5], "{:?}", b.skipped);
    let of: Vec<(usize, &str)> = b
        .duplicates
        .iter()
        .map(|d| (d.row, d.of.as_str()))
        .collect();
    assert_eq!(of, [(7, "row 2"), (8, "pas-tabt")]);
    assert_eq!(b.drafts.len(), 2, "one an area");
    let all = articles(&b);
    assert_eq!(all[0].title, "Med \"citat\";og linje");
    assert_eq!(all[0].body, "Svar i\nto linjer");
    assert_eq!(all[1].id, "hvor-faar-jeg-pas");
    // Not the sentence that is another article's, and no number of a person.
    let da = &all[1].examples["da"];
    assert_eq!(da.len(), 2);
    assert!(!da[1].contains("010190"), "{da:?}");
}

#[test]
fn a_row_of_what_cannot_be_seen_is_no_row() {
    let b = brought(
        Format::Csv,
        None,
        "spørgsmål;svar\n\u{0}\u{200b};Svar.\nEt spørgsmål?;\u{0}\u{feff}\n",
    );
    let skipped: Vec<usize> = b.skipped.iter().map(|s| s.row).collect();
    assert_eq!(skipped, [2, 3], "{:?}", b.skipped);
}

#[test]
fn json_comes_in_three_shapes() {
    let one =
        r#"{"question": "Nyt pas?", "answer": "Ja.", "examples": ["a b", "c d"], "area": "pas"}"#;
    for text in [
        format!("[{one}, 7]"),
        format!("{{\"items\": [{one}, {{\"question\": \"x\"}}]}}"),
        format!("{one}\n{{\"question\": \n"),
    ] {
        let b = brought(Format::Json, None, &text);
        assert_eq!(articles(&b).len(), 1, "{text}");
        assert_eq!(b.skipped.len(), 1, "{text}: {:?}", b.skipped);
        assert_eq!(b.skipped[0].row, 2, "{text}");
    }
}

#[test]
fn rasa_brings_intents_with_their_answers() {
    let text = "version: \"3.1\"\nnlu:\n- intent: nyt_pas\n  examples: |\n    - nyt pas i [Aarhus](by)\n    - pas til [Bo]{\"entity\": \"navn\"}\n\
                - synonym: by\n  examples: |\n    - Aarhus\n- intent: 7\n- intent: faq/affald\n  examples: |\n    - skrald\n\
                responses:\n  utter_nyt_pas:\n  - text: Bestil tid.\n";
    let b = brought(Format::Rasa, Some("pas"), text);
    let all = articles(&b);
    assert_eq!(all[0].examples["da"], ["nyt pas i Aarhus", "pas til Bo"]);
    assert_eq!(all[0].body, "Bestil tid.");
    assert_eq!(all[0].id, "nyt-pas");
    assert!(all[1].body.contains("fulgte ikke med"));
    assert_eq!(b.skipped.len(), 1, "{:?}", b.skipped);
    assert!(read::rows(Format::Rasa, "a: [").is_err());
}

const TABLE: &str = "id;spørgsmål;svar;eksempler;område;kommune\n\
    ;Nyt pas?;Bestil tid hos os i borgerservice på rådhuset, så får du et nyt pas.;nyt pas;pas;Aarhus\n\
    ;Tabt pas;I Aarhus melder du det på vores egen hjemmeside, og så får du besked om resten.;mit pas er væk;pas;0751\n\
    ;Nyt pas?;Bestil tid hos os i borgerservice på rådhuset, så får du et nyt pas.;nyt pas;pas;Odense Kommune\n\
    ;Nyt pas?;Bestil tid.;;pas;Atlantis\n\
    ;Meldt væk;Meld det til kommunen med det samme, og bestil tid til et nyt pas i Borgerservice.;;pas;Aarhus\n";

#[test]
fn a_row_goes_where_it_says_and_what_a_municipality_inherits_is_not_brought_in_again() {
    let rows = read::rows(Format::Csv, TABLE).unwrap();
    let b = against(&plan("shared"), rows, &live(), &[], &BTreeMap::new());
    let skipped: Vec<usize> = b.skipped.iter().map(|s| s.row).collect();
    assert_eq!(skipped, [4, 5], "no right, no such place: {:?}", b.skipped);
    let of: Vec<(usize, &str)> = b.duplicates.iter().map(|d| (d.row, &*d.of)).collect();
    assert_eq!(of, [(6, "pas-tabt")]);
    let all = articles(&b);
    assert_eq!(all[0].id, "nyt-pas");
    // The municipality's own words for a shared question: the article's own id, and its sentence.
    assert_eq!((&*all[1].id, all[1].examples["da"].len()), ("pas-tabt", 1));
}

fn page(body: &str) -> read::Rows {
    let row = read::Row {
        row: 1,
        title: "Nyt pas".into(),
        answer: body.into(),
        source: Some("https://www.a.dk/pas/".into()),
        address: Some("https://www.a.dk/pas/".into()),
        area: Some("pas".into()),
        ..read::Row::default()
    };
    (vec![row], Vec::new())
}

fn plan_for_aarhus() -> Plan {
    plan("0751")
}

const PAGE: &str = "Du bestiller tid i borgerservice.\n\n## Pris\nSe vores takster.\n\n## Tid\nDer er åbent hver dag.";

#[test]
fn a_page_that_was_brought_in_before_is_compared_with_its_article() {
    let at = "shared/pas/nyt-pas.md";
    let source = "https://www.a.dk/pas";
    let plan = plan("shared");
    let then = BTreeMap::from([(source.to_owned(), PAGE.to_owned())]);
    let with = |body: &str| file(at, "Nyt pas", source, "nyt pas", body);
    let newer = PAGE.replace("hver dag", "på hverdage");
    let edited = PAGE.replace("Du bestiller", "Du kan altid bestille");

    let b = against(&plan, page(PAGE), &[with(PAGE)], &[], &BTreeMap::new());
    assert_eq!((b.unchanged, b.drafts.len(), b.pages.len()), (1, 0, 1));
    // Editors changed the article, nobody the page.
    let b = against(&plan, page(PAGE), &[with(&edited)], &[], &then);
    assert_eq!((b.unchanged, b.drafts.len()), (1, 0));
    // Both, in other places.
    let b = against(&plan, page(&newer), &[with(&edited)], &[], &then);
    let body = &articles(&b)[0].body;
    assert!(
        body.contains("Du kan altid") && body.contains("på hverdage"),
        "{body}"
    );
    assert_eq!(b.drafts[0].1, [0]);
    let c = &b.changed[0];
    assert_eq!(
        (c.added, c.removed, c.clash, &*c.article),
        (1, 1, false, "nyt-pas")
    );
    assert!(b.duplicates.is_empty());

    // In an open draft: that draft, and never over what its editors wrote.
    let drafted = |body: &str| Drafted {
        id: "d".into(),
        version: 3,
        files: vec![DraftText {
            path: at.into(),
            base: None,
            text: Some(with(body).text),
        }],
    };
    let b = against(&plan, page(&newer), &[], &[drafted(&edited)], &then);
    assert_eq!((b.drafts.len(), b.edits.len()), (0, 1));
    assert_eq!((&*b.edits[0].draft, b.edits[0].version), ("d", 3));
    let other = PAGE.replace("hver dag", "aldrig");
    let b = against(&plan, page(&newer), &[], &[drafted(&other)], &then);
    assert_eq!((b.drafts.len(), b.edits.len(), b.pages.len()), (0, 0, 0));
    assert!(b.changed[0].clash && b.changed[0].draft == "d");
    // Another layer's article is not the page's.
    let b = against(&plan_for_aarhus(), page(&newer), &[with(PAGE)], &[], &then);
    assert_eq!((b.changed.len(), b.duplicates.len()), (0, 1));
}

#[test]
fn what_lies_in_an_open_draft_is_there_already() {
    let draft = Drafted {
        id: "d".into(),
        version: 1,
        files: vec![DraftText {
            path: "shared/pas/pas-nyt.md".into(),
            base: None,
            text: Some(file("shared/pas/pas-nyt.md", "Nyt pas?", "x", "y", "Bestil tid.").text),
        }],
    };
    let text = "spørgsmål;svar;område\nNyt pas;Bestil tid på nettet.;pas\n";
    let rows = read::rows(Format::Csv, text).unwrap();
    let b = against(&plan("shared"), rows, &[], &[draft], &BTreeMap::new());
    assert_eq!(
        b.duplicates[0].draft.as_deref(),
        Some("d"),
        "{:?}",
        b.duplicates
    );
    assert!(b.drafts.is_empty());
}

#[test]
fn an_answer_may_come_in_bubbles_or_by_municipality() {
    let text = r#"[{"question": "Nyt pas?", "answers": ["Ja.", "Bestil tid."], "area": "pas"},
                   {"question": "Skrald?", "answers": {"0751": "Hver uge.", "Atlantis": "Aldrig."}, "area": "affald"}]"#;
    let b = brought(Format::Json, None, text);
    let all = articles(&b);
    assert_eq!(all[0].body, "Hver uge.");
    assert_eq!(all[1].body, "Ja.\n\nBestil tid.");
    assert_eq!(b.skipped.len(), 1, "{:?}", b.skipped);
}
