use super::*;
use crate::clean;
use proptest::prelude::*;

#[track_caller]
fn hidden(text: &str) {
    let r = redact(&clean(text));
    assert_eq!(r.masked, [Masked::Cpr], "{text}");
    let left: Vec<_> = r.text.chars().filter(|c| c.is_numeric()).collect();
    assert!(left.len() < 4, "{text} became {}", r.text);
}

#[track_caller]
fn kept(text: &str) {
    let r = redact(text);
    assert_eq!(r.text, text);
    assert!(r.masked.is_empty());
}

#[test]
fn every_way_people_write_it() {
    for text in [
        "010190-1234",
        "0101901234",
        "010190 1234",
        "01 01 90 12 34",
        "01 01 90 1234",
        "01.01.90-1234",
        "01/01/90-1234",
        "01-01-90-1234",
        "01-01-1990-1234",
        "010119901234",
        "mit cpr er 010190–1234.",
        "cpr:010190-1234",
        "(0101901234)",
        "610190-1234",
        "311299 - 1234",
        "0101\u{200b}90-12\u{2060}34",
        "٠١٠١٩٠-١٢٣٤",
        "０１０１９０１２３４",
        "x010190-1234y",
        "Jeg hedder Bo og mit nummer er 2902961234",
    ] {
        hidden(text);
    }
}

#[test]
fn two_numbers_in_one_message() {
    let r = redact("mine børn: 010115-1234 og 020217-4321");
    assert_eq!(r.text, format!("mine børn: {MASK_OPEN} og {MASK_OPEN}"));
    assert_eq!(
        redact("010115-1234 020217-4321").text,
        format!("{MASK_OPEN} {MASK_OPEN}")
    );
}

#[test]
fn other_numbers_stay_usable() {
    for text in [
        "ring på 20 30 40 50",
        "+45 20 30 40 50",
        "CVR 12345678",
        "EAN 5798001234567",
        "den 01.01.2026 kl. 12",
        "sagsnummer 0101901235",
        "991390-1234",
        "300290-1234",
        "8000 Aarhus C",
        "matr. 12 a",
        "123456789012345",
    ] {
        kept(text);
    }
}

#[test]
fn a_valid_check_digit_outweighs_the_context() {
    // 070761-4285 is the fictitious example number used in CPR-kontoret's own description.
    hidden("sagsnummer 070761-4285");
    kept("sagsnummer 070761-4286");
}

proptest! {
    #[test]
    fn no_generated_number_survives(
        day in 1_u32..=28, replacement in any::<bool>(), month in 1_u32..=12, year in 0_u32..=99,
        serial in 0_u32..=9999, sep in "[-  ./]?", before in "[a-zæøå ,:]{0,12}", after in "[a-zæøå ,.!]{0,12}",
    ) {
        let day = if replacement { day + 60 } else { day };
        prop_assume!(!named_otherwise(&before));
        let text = format!("{before}{day:02}{month:02}{year:02}{sep}{serial:04}{after}");
        let r = redact(&clean(&text));
        prop_assert_eq!(r.masked.len(), 1);
        let digits = format!("{serial:04}");
        prop_assert!(!r.text.contains(&digits));
    }

    #[test]
    fn redaction_never_fails_and_settles(s in "[0-9 ./a-z-]{0,60}") {
        let once = redact(&s).text;
        prop_assert_eq!(&redact(&once).text, &once);
    }
}
