use super::*;

#[test]
fn a_seed_gives_the_same_numbers() {
    let of = |seed| {
        let mut d = Dice::of(seed, "x");
        [d.next(), d.next()]
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

fn article() -> Article {
    Article {
        id: "klage".to_owned(),
        area: "x".to_owned(),
        title: "Klag".to_owned(),
        sections: vec![
            (None, "Du kan klage til Ankestyrelsen inden fire uger. Det er gratis, og du behøver ikke en advokat.".to_owned()),
            (Some("Pris".to_owned()), "Et gebyr koster højst 150 kr. for alle under 18 år. Ring kl. 10 den 12. marts.".to_owned()),
        ],
    }
}

/// Every change of a sentence differs from it, and says something else of what it changes.
#[test]
fn each_change_changes_one_thing() {
    let article = article();
    let mut around: Vec<&str> = article.sections.iter().map(|(_, b)| b.as_str()).collect();
    let two = "Et gebyr koster 150 kr. for børn og 300 kr. for voksne.";
    around.push(two);
    let made = |text: &str, change| {
        let truth = Truth {
            text: text.to_owned(),
            form: "verbatim",
            section: 0,
            lang: Lang::Da,
        };
        match changes::change(change, &truth, &around, &mut Dice::of(3, "x")) {
            changes::Made::Wrong(wrong) => wrong,
            changes::Made::True(why) => panic!("{text} stays true: {why}"),
            changes::Made::None => panic!("{text} has nothing to change"),
        }
    };
    let klage = "Du kan klage til Ankestyrelsen inden fire uger.";
    assert!(made(klage, Change::Name).starts_with("Du kan klage til "));
    assert!(!made(klage, Change::Name).contains("Ankestyrelsen"));
    assert_eq!(
        made(klage, Change::Limit),
        "Du kan klage til Ankestyrelsen efter fire uger."
    );
    assert_eq!(
        made(klage, Change::Modality),
        "Du skal klage til Ankestyrelsen inden fire uger."
    );
    assert_eq!(
        made(klage, Change::Unit),
        "Du kan klage til Ankestyrelsen inden fire måneder."
    );
    assert_eq!(
        made(klage, Change::DenialAdded),
        "Du kan ikke klage til Ankestyrelsen inden fire uger."
    );
    let denied = "Det er gratis, og du behøver ikke en advokat.";
    assert_eq!(
        made(denied, Change::DenialRemoved),
        "Det er gratis, og du behøver en advokat."
    );
    for (text, stated) in [
        (
            "Får du afslag, kan du klage inden fire uger.",
            [
                "Du får afslag.",
                "Du får afslag, og du kan klage inden fire uger.",
            ],
        ),
        (
            "Kontakt os, hvis du ikke kan komme.",
            ["Du kan ikke komme."; 2],
        ),
    ] {
        let found = made(text, Change::Condition);
        assert!(stated.contains(&found.as_str()), "{found}");
    }
    // The price of one is put on the other, though the sentence says both.
    let found = made(two, Change::AnotherNumber);
    assert!(
        found.matches("150 kr.").count() == 2 || found.matches("300 kr.").count() == 2,
        "{found}"
    );
    let price = "Et gebyr koster højst 150 kr. for alle under 18 år.";
    assert!(
        made(price, Change::Amount).contains("under 18 år")
            && !made(price, Change::Amount).contains(" 150 kr.")
    );
    assert!(
        made(price, Change::Age).contains("150 kr.")
            && !made(price, Change::Age).contains(" 18 år")
    );
}

/// A gate that keeps everything would show: the figures come from the gate, not from the harness.
#[test]
fn a_measure_counts_what_was_caught_and_what_was_lost() {
    let by_hand = ByHand {
        english: written(
            "a\tb\tc\nklage\t\tYou can complain to Ankestyrelsen within four weeks.\n",
        )
        .unwrap(),
        paraphrases: written("a\tb\tc\nklage\tPris\tMåneskin lyser over Skagen hver aften.\n")
            .unwrap(),
    };
    let clock = || Duration::ZERO;
    let report = measure(
        &[article()],
        &by_hand,
        &Setup::default(),
        &clock,
        &mut |_, _| None,
    );
    assert_eq!(report.lost(None, Some(Lang::En)).hits, 0);
    // What the section does not say is dropped, whoever calls it true.
    assert_eq!(
        report.lost(None, Some(Lang::Da)).hits,
        1,
        "{:?}",
        report.dropped
    );
    assert!(report.caught(None, None).n > 15 && report.caught(None, None).percent() > 99.0);
    assert!(written("a\tb\tc\nno tabs\n").is_err());
}
