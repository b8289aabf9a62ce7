use super::*;
use proptest::prelude::*;

#[test]
fn the_ways_people_write_a_danish_number() {
    for text in [
        "20304050",
        "20 30 40 50",
        "2030 4050",
        "20.30.40.50",
        "20-30-40-50",
        "+4520304050",
        "+45 20 30 40 50",
        "0045 20304050",
        "(+45) 20 30 40 50",
        "+45-20304050",
        " 20\u{a0}30\u{a0}40\u{a0}50 ",
        "\u{202a}20304050\u{202c}",
        "٢٠٣٠٤٠٥٠",
        "＋45２０304050",
    ] {
        let p = Phone::parse(text).unwrap();
        assert_eq!(p.as_e164(), "+4520304050", "{text}");
        assert_eq!(p.to_string(), "20 30 40 50");
        assert_eq!(format!("{p:?}"), "Phone(…50)");
    }
}

#[test]
fn foreign_numbers() {
    for (text, e164) in [
        ("+46 70 123 45 67", "+46701234567"),
        ("0049 30 123456", "+4930123456"),
        ("+299 123456", "+299123456"),
        ("+298 12 34 5", "+29812345"),
    ] {
        let p = Phone::parse(text).unwrap();
        assert_eq!(p.as_e164(), e164);
        assert_eq!(p.to_string(), e164);
    }
}

#[test]
fn what_is_not_a_number_says_why() {
    use PhoneError::{Character, Empty, Length, NoCountry, NotDanish};
    for (text, why) in [
        ("", Empty),
        ("+", Empty),
        (" - ", Empty),
        ("2030405", Length(7)),
        ("203040506", Length(9)),
        ("010190-1234", Length(10)),
        ("+45 2030405", Length(7)),
        ("+45 203040506", Length(9)),
        ("02030405", NotDanish),
        ("+45 11223344", NotDanish),
        ("12345678", NotDanish),
        ("+1234567", Length(7)),
        ("+1234567890123456", Length(16)),
        ("+0123456789", NoCountry),
        ("ring 20304050", Character('r')),
        ("20304050 lok. 3", Character('l')),
        ("20+304050", Character('+')),
    ] {
        assert_eq!(Phone::parse(text), Err(why), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics_and_what_is_read_is_e164(text in "\\PC{0,24}|[+0-9 .()-]{0,20}") {
        if let Ok(p) = Phone::parse(&text) {
            let digits = p.as_e164().strip_prefix('+').unwrap();
            prop_assert!((8..=15).contains(&digits.len()));
            prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
            prop_assert_eq!(&Phone::parse(p.as_e164()).unwrap(), &p);
            prop_assert_eq!(&Phone::parse(&p.to_string()).unwrap(), &p);
        }
    }
}
