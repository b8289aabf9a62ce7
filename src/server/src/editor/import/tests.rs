use std::collections::BTreeMap;

use jiff::civil::date;

use super::*;

fn plan(format: Format) -> Plan {
    Plan {
        name: "gammel-robot.csv".into(),
        format,
        layer: Layer::Shared,
        area: None,
        owner: Some("borgerservice".into()),
        source: None,
    }
}

fn brought(format: Format, area: Option<&str>, text: &str) -> Brought {
    let areas = BTreeMap::from([
        ("pas".to_owned(), "Pas og ID-kort".to_owned()),
        ("affald".to_owned(), "Affald".to_owned()),
    ]);
    let live = [File {
        path: "shared/pas/pas-tabt.md".into(),
        text: "+++\nid = \"pas-tabt\"\narea = \"pas\"\ntitle = \"Tabt pas\"\naudience = \"citizen\"\nsource = \"Pasloven § 1\"\n\
               owner = \"x\"\nreview_by = 2027-01-01\n[examples]\nda = [\"mit pas er væk\"]\n+++\n\
               Meld det til kommunen med det samme, og bestil tid til et nyt pas i borgerservice.\n"
            .into(),
    }];
    let mut plan = plan(format);
    plan.area = area.map(str::to_owned);
    bring(
        &plan,
        text,
        &live,
        &areas,
        date(2026, 11, 22),
        &mut |_, _| Ok(()),
    )
    .ok()
    .unwrap()
}

fn articles(b: &Brought) -> Vec<&ArticleFields> {
    let changes = b.drafts.iter().flat_map(|d| &d.changes);
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
    assert!(
        bring(
            &plan(Format::Rasa),
            "a: [",
            &[],
            &BTreeMap::new(),
            date(2026, 1, 1),
            &mut |_, _| Ok(())
        )
        .is_err()
    );
}
