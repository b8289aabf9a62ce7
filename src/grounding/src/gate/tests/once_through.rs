//! Wrong sentences that the gate once kept, each beside the section it would have cited, and true ones near them.

use super::*;

/// The faults of a sentence beside a section of its own.
fn beside(body: &str, lang: Lang, text: &str) -> Vec<&'static str> {
    beside_of("Aarhus Kommune", body, lang, text)
}

fn beside_of(municipality: &str, body: &str, lang: Lang, text: &str) -> Vec<&'static str> {
    let evidence = Evidence {
        title: "Om det",
        municipality,
        sections: vec![Section {
            id: "det#0",
            heading: None,
            body,
        }],
    };
    match Gate::new(&evidence, lang, Options::default()).judge(&Sentence::new(text), None) {
        Verdict::Kept { .. } => Vec::new(),
        Verdict::Dropped { why } => why.iter().map(Fault::name).collect(),
    }
}

fn dropped(body: &str, text: &str, fault: &str) {
    let found = beside(body, Lang::Da, text);
    assert!(found.contains(&fault), "{text}: {found:?}, not {fault}");
}

fn dropped_english(body: &str, text: &str, fault: &str) {
    let found = beside(body, Lang::En, text);
    assert!(found.contains(&fault), "{text}: {found:?}, not {fault}");
}

fn kept(body: &str, text: &str) {
    assert_eq!(beside(body, Lang::Da, text), [""; 0], "{text}");
}

fn kept_english(body: &str, text: &str) {
    assert_eq!(beside(body, Lang::En, text), [""; 0], "{text}");
}

#[test]
fn a_condition_is_no_statement() {
    let body = "Bliver du godkendt, sender du papirerne til Ankestyrelsen.";
    dropped(body, "Du bliver godkendt.", "condition");
    dropped(
        body,
        "Du bliver godkendt, og du sender papirerne til Ankestyrelsen.",
        "condition",
    );
    kept(
        body,
        "Hvis du bliver godkendt, sender du papirerne til Ankestyrelsen.",
    );
    let body = "Får du afslag, kan du klage til Ankestyrelsen inden fire uger.";
    dropped(body, "Du får afslag.", "condition");
    dropped_english(body, "You get a rejection.", "condition");
    kept_english(
        body,
        "If you get a rejection, you can complain to Ankestyrelsen within four weeks.",
    );
    kept_english(
        body,
        "After a rejection, you can complain to Ankestyrelsen within four weeks.",
    );
    kept(
        body,
        "Den, der får afslag, kan klage til Ankestyrelsen inden fire uger.",
    );
    let body = "Er ansøgningen godkendt, sender du papirerne til Ankestyrelsen.";
    dropped(body, "Ansøgningen er godkendt.", "condition");
    let body = "Når du er godkendt, får du et brev i Digital Post.";
    dropped(body, "Du er nu godkendt.", "condition");
    dropped(body, "Du er nu godkendt.", "decision");
    kept(body, "Du får et brev i Digital Post, efter du er godkendt.");
}

#[test]
fn a_decision_is_one_with_an_adverb_in_it_and_after_a_conditional_one() {
    let body = "Din ansøgning bliver læst. Vi skriver til dig.";
    dropped(body, "Din ansøgning er nu blevet godkendt.", "decision");
    dropped(body, "Du er allerede godkendt!", "decision");
    // The first phrase of the list is conditional, the second is not.
    dropped(
        body,
        "Du er berettiget, og når din ansøgning er godkendt, skriver vi.",
        "decision",
    );
    dropped_english(body, "Your application has now been approved.", "decision");
    let found = beside(body, Lang::Da, "Når du er godkendt, skriver vi til dig.");
    assert!(!found.contains(&"decision"), "{found:?}");
}

#[test]
fn an_invented_clause_is_unsupported_however_true_the_rest_is() {
    let body = "Du skal melde flytning til kommunen senest fem dage, efter du er flyttet til din nye adresse.";
    dropped(
        body,
        "Du skal melde flytning til kommunen senest fem dage, efter du er flyttet til din nye adresse, ellers udløser det bøde.",
        "unsupported",
    );
    kept(
        body,
        "Du skal melde flytning til kommunen senest fem dage, efter du er flyttet til din nye adresse.",
    );
    dropped_english(
        body,
        "You must report the move to the municipality no later than five days after you have moved to your new address, otherwise your children lose their housing.",
        "unsupported",
    );
}

#[test]
fn a_number_of_another_thing_is_no_ground() {
    let body = "Gebyret er 150 kr. for børn og 300 kr. for voksne.";
    dropped(body, "Gebyret er 300 kr. for børn.", "number");
    dropped(body, "Gebyret er 150 kr. for voksne.", "number");
    kept(body, "Gebyret er 150 kr. for børn.");
    kept(body, "Gebyret er 300 kr. for voksne.");
    kept(body, body);
    let body = "Fra 16 år og til de fylder 22 år kan unge få rådgivning.";
    dropped(body, "Fra 22 år kan unge få rådgivning.", "limit");
    kept(body, "Fra 16 år kan unge få rådgivning.");
    kept(body, body);
    let body = "Vi har åbent mandag kl. 10-14 og torsdag kl. 10-17.";
    dropped(body, "Vi har åbent torsdag kl. 10-14.", "time");
    dropped(body, "Vi har åbent mandag kl. 10-17.", "time");
    kept(body, "Vi har åbent torsdag kl. 10-17.");
    let body = "Gebyret for børn er 150 kr. og for voksne 300 kr.";
    dropped(body, "Gebyret for voksne er 150 kr.", "number");
    kept(body, "Gebyret for voksne er 300 kr.");
    let body = "Børn under 7 år betaler 50 kr., mens voksne betaler 100 kr.";
    dropped(body, "Voksne betaler 50 kr.", "number");
    kept(body, "Voksne betaler 100 kr.");
    let body = "Storskrald hentes ved fortovet. En ny spand koster 300 kr.";
    dropped(body, "At få hentet storskrald koster 300 kr.", "number");
    kept(body, "En ny spand koster 300 kr.");
    kept(
        body,
        "Storskrald hentes ved fortovet, og en ny spand koster 300 kr.",
    );
    let body = "Et pas til voksne bestiller du i Borgerservice. Det koster 893 kr.";
    kept(body, "Et pas til voksne koster 893 kr.");
}

#[test]
fn every_other_week_is_not_every_week() {
    let body = "Skraldet hentes hver anden uge ved vejen.";
    dropped(body, "Skraldet hentes hver uge ved vejen.", "number");
    kept(body, "Skraldet hentes hver anden uge ved vejen.");
    kept(body, "Skraldet hentes hver 2. uge ved vejen.");
    kept_english(
        body,
        "The rubbish is collected every other week at the road.",
    );
    dropped_english(
        body,
        "The rubbish is collected every week at the road.",
        "number",
    );
    let body = "Skraldet hentes hver 14. dag ved vejen.";
    dropped(body, "Skraldet hentes hver dag ved vejen.", "number");
    let body = "Skraldet hentes hver tredje måned ved vejen.";
    dropped(body, "Skraldet hentes hver måned ved vejen.", "number");
    // "Om måneden" and "hver måned" are the same.
    kept(
        "Pladsen koster 300 kr. om måneden for et barn.",
        "Pladsen koster 300 kr. hver måned for et barn.",
    );
}

#[test]
fn an_address_is_one_whatever_its_ending_and_whatever_stands_about_it() {
    let body = "Meld flytning på borger.dk, f.eks. med MitID.";
    for text in [
        "Meld flytning på flyt.app, f.eks. med MitID.",
        "Meld flytning på bit.ly/x, f.eks. med MitID.",
        "Meld flytning på “flyt.io”, f.eks. med MitID.",
        "Meld flytning på [flyt.co], f.eks. med MitID.",
        "Meld flytning på borger.se, f.eks. med MitID.",
        "Meld flytning på flyt.de:8080/mitid, f.eks. med MitID.",
    ] {
        dropped(body, text, "contact");
    }
    for text in [
        "Meld flytning på “borger.dk”, f.eks. med MitID.",
        "Meld flytning på borger.dk, bl.a. med MitID.",
        "Meld flytning på borger.dk m.v. med MitID.",
    ] {
        kept(body, text);
    }
}

#[test]
fn the_nearest_paper_before_is_the_one_that_is_spoken_of() {
    let body =
        "Har du et kørekort, så tag det med. Et pas fornyer du i Borgerservice. Det koster 893 kr.";
    dropped(body, "Et kørekort koster 893 kr.", "name");
    kept(body, "Et pas koster 893 kr.");
}

#[test]
fn another_municipality_is_a_name_in_first_place_too() {
    let body = "Vi behandler din ansøgning hurtigt. Betaling sker på nettet.";
    dropped(body, "Odense behandler din ansøgning hurtigt.", "name");
    dropped(body, "Faxe behandler din ansøgning hurtigt.", "name");
    dropped(body, "Falck behandler din ansøgning hurtigt.", "name");
    dropped_english(body, "Odense processes your application quickly.", "name");
    kept(body, "Aarhus behandler din ansøgning hurtigt.");
    let body = "Vejen skal ryddes for sne inden klokken syv.";
    kept(body, "Vejen skal ryddes for sne inden klokken syv.");
}

#[test]
fn a_name_with_a_hyphen_is_the_asked_municipality_s() {
    let body = "Vi behandler din ansøgning hurtigt.";
    let text = "Faaborg-Midtfyn Kommune behandler din ansøgning hurtigt.";
    let found = beside_of("Faaborg-Midtfyn Kommune", body, Lang::Da, text);
    assert_eq!(found, [""; 0]);
    dropped(body, text, "name");
}

#[test]
fn words_that_forbid_and_let_off_deny() {
    let body =
        "Du er fritaget for gebyr, når du får folkepension. Det er forbudt at tænde bål i skoven.";
    dropped(
        body,
        "Du betaler gebyr, når du får folkepension.",
        "polarity",
    );
    dropped(body, "Du tænder bål i skoven.", "polarity");
    kept(body, "Det er forbudt at tænde bål i skoven.");
    kept(body, "Du slipper for gebyr, når du får folkepension.");
    dropped(
        "Det er ulovligt at bo i et sommerhus om vinteren.",
        "Du bor i et sommerhus om vinteren.",
        "polarity",
    );
    kept_english(
        "Du må ikke køre på et udløbet kørekort.",
        "You can't drive on an expired driving licence.",
    );
    dropped_english(
        "Du skal ikke betale gebyr for ansøgningen.",
        "You can't pay a fee for the application.",
        "modality",
    );
}

#[test]
fn numbers_in_words_and_other_digits_are_numbers() {
    let body = "Tilskuddet er to tusind kr. til en cykel.";
    dropped(body, "Tilskuddet er tusind kr. til en cykel.", "number");
    kept(body, "Tilskuddet er 2.000 kr. til en cykel.");
    kept(body, "Tilskuddet er to tusind kr. til en cykel.");
    kept(
        "Puljen er 2,5 mio. kr. til foreninger.",
        "Puljen er 2.500.000 kr. til foreninger.",
    );
    let body = "Du betaler 5 kr. for en kopi.";
    dropped(body, "Du betaler 5½ kr. for en kopi.", "number");
    dropped(body, "Du betaler ５０ kr. for en kopi.", "number");
    let body = "Børn fra 2½ år kan gå i børnehave, og det sparer CO₂.";
    kept(body, "Børn fra 2½ år kan gå i børnehave.");
    dropped(body, "Børn fra 3½ år kan gå i børnehave.", "number");
    let body = "Ring på 70 20 12 34, når du har et boligareal på 100 m².";
    kept(
        body,
        "Ring på +45 70 20 12 34, når du har et boligareal på 100 m².",
    );
    let body = "Du får 12 kr. for en flaske.";
    dropped(body, "Du får +45 12 kr. for en flaske.", "number");
}

#[test]
fn things_that_are_counted_are_no_years() {
    let body = "Du får 2 nøgler til din bolig.";
    dropped(body, "Du får nøgler til din bolig i 2 år.", "number");
    kept(
        "Børn skal være fyldt 6 år for at gå i skole.",
        "Børn skal være fyldt 6 for at gå i skole.",
    );
}
