//! What the words beside a number decide, and numbers that lie within what stays.

use super::*;

#[test]
fn names_of_people_are_no_units() {
    for text in [
        "mit cpr er 010190-1234 Mia",
        "Mia 010190-1234",
        "010190-1234 Mio",
        "CPR 010190-1234 kr",
    ] {
        hidden(text);
    }
    for text in [
        "Ring til mig på 20304050 Mia",
        "Hilsen Mia 20 30 40 50",
        "Hilsen Mio 20304050",
        "20304050 mia.",
        "ring på 20304050 kr",
    ] {
        hidden_as(Masked::Phone, text);
    }
    hidden_as(Masked::Account, "kontonr. 4183 1234567 kr");
    for text in [
        "budgettet er 20304050 mia. kr.",
        "20304050 mio kroner",
        "20304050 kr",
        "saldoen på kontoen er 20304050 kr",
    ] {
        kept(text);
    }
}

#[test]
fn the_number_of_a_telephone_is_no_order() {
    for word in [
        "mobilnr",
        "Mobilnr.",
        "mobilnummer",
        "mobiltelefonnummer",
        "telnr",
        "telefonnr.:",
        "kontaktnummer",
        "privatnummer",
        "hjemmenummer",
        "fastnetnummer",
        "arbejdsnummer",
        "phonenumber",
        "Handynummer",
        "hjemmetlf.nr.",
        "arbejdstelefon",
    ] {
        for number in ["20304050", "20 30 40 50", "2030-4050"] {
            hidden_as(Masked::Phone, &format!("mit {word} er {number}"));
            hidden_as(Masked::Phone, &format!("{word} {number}"));
        }
    }
    for text in [
        "ordrenummer 20304050",
        "kundenr. 20304050",
        "kundenummer er 20304050",
        "teltplads 12, ordre nr. 20304050",
    ] {
        kept(text);
    }
}

#[test]
fn a_cpr_number_beside_its_own_word_needs_no_check_digit() {
    for text in [
        "vores personnumre er 010190-1234",
        "fødselsnr 010190-1234",
        "mit sygesikringsnummer er 010190-1234",
        "sygesikringsbevis: 010190-1234",
        "sundhedskortnummer 010190-1234",
        "identitetsnummer 010190-1234",
        "ID-nummer 010190-1234",
        "id nr. 010190-1234",
        "cpr 010 190 1234",
        "cpr 01019 01234",
        "CPR-nr.: 0101 901 234",
    ] {
        hidden(text);
    }
    // Without the word it is no way to write one.
    kept("10 190 1234");
    kept("kode 01019 01234");
    kept("journalnummer 010190-1234");
}

#[test]
fn words_that_begin_like_a_thing_are_none() {
    for text in [
        "han sagde 20304050",
        "de har sagt 20304050",
        "giv besked til min sagsbehandler på 20304050",
        "min kunderådgiver 20304050",
        "I kan sagtens nå mig på 20304050",
    ] {
        hidden_as(Masked::Phone, text);
    }
    for text in ["sag 20304050", "min sag er 20304050", "sagen 20304050"] {
        kept(text);
    }
}

#[test]
fn a_telephone_s_word_may_touch_its_number() {
    for text in [
        "tlf4520304050",
        "mobil-4520304050",
        "tlf/4520304050",
        "tlf+49 170 1234567",
        "tlf+4520304050",
    ] {
        hidden_as(Masked::Phone, text);
    }
    kept("AB4520304050");
    kept("sag/4520304050");
}

#[test]
fn a_number_in_an_account_s_words_and_an_address() {
    for text in [
        "DK50 00400440116243@mail.dk",
        "GB82 WEST12345698765432@mail.dk",
        // Valid, and all its letters are an address's.
        "DK5000400440116243@mail.dk",
    ] {
        let r = redact(text);
        assert_eq!(r.masked, [Masked::Email], "{text} became {}", r.text);
        assert!(!r.text.contains("mail.dk"), "{text} became {}", r.text);
        redact_by(text, Rules::REPLY);
        redact_by(text, Rules::KNOWLEDGE);
    }
}

#[test]
fn spans_that_overlap_are_hidden_whole() {
    let span = |start, end, kind| Span { start, end, kind };
    let spans = [
        span(2, 6, Masked::Account),
        span(4, 8, Masked::Email),
        span(5, 7, Masked::Cpr),
    ];
    let (text, masked) = hide("a 123456 b", &spans);
    assert_eq!(text, "a [kontonummer skjult] b");
    assert_eq!(masked, [Masked::Account, Masked::Email, Masked::Cpr]);
}

#[test]
fn orders_dates_and_amounts_beside_such_words_stay() {
    for text in [
        "ordre nr. 0103260012",
        "order number 0103260012",
        "sags nr. 1205123456",
        "Sygesikringskortet gælder 01.01.2026-31.12.2026",
        "CPR-nummer senest 01.03.2026, 14 dage efter",
        "sygesikring koster regionen 1.204.500.000 kr",
        "Jeg har et kontonummer og en saldo på 204.567 kr.",
        "Ring, hvis formuen er over 25.000.000 kr.",
        "Grøn mobilitet: 25.000.000 kr",
    ] {
        assert_eq!(redact_by(text, Rules::KNOWLEDGE).text, text);
        assert_eq!(redact(text).text, text);
    }
}

#[test]
fn a_cpr_number_within_what_stays_is_hidden() {
    for (rules, text, hidden) in [
        (
            Rules::REPLY,
            "Skriv til 070761-4285@firma.dk",
            "Skriv til [CPR-nummer skjult]@firma.dk",
        ),
        (
            Rules::KNOWLEDGE,
            "Skriv til 0101901234@firma.dk",
            "Skriv til [CPR-nummer skjult]@firma.dk",
        ),
        (
            Rules::KNOWLEDGE,
            "konto 070761-4285",
            "konto [CPR-nummer skjult]",
        ),
        (
            Rules::KNOWLEDGE,
            "reg. 1234 konto 0707614285",
            "reg. 1234 konto [CPR-nummer skjult]",
        ),
    ] {
        let r = redact_by(text, rules);
        assert_eq!(
            (r.text.as_str(), &r.masked[..]),
            (hidden, &[Masked::Cpr][..])
        );
        assert_eq!(redact_by(&r.text, rules).text, hidden);
    }
    for text in [
        "betal til konto 070761-4286",
        "betal til reg. 1234 konto 0707614286",
        "IBAN DK50 0040 0440 1162 43",
        "post@firma2024.dk",
    ] {
        assert_eq!(redact_by(text, Rules::KNOWLEDGE).text, text);
    }
}
