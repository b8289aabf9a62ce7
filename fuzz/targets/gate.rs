//! The gate over any text: no sentence makes it panic, and one that names an amount which the evidence does not have
//! is never let through.

#![no_main]

use std::sync::OnceLock;

use base::Lang;
use grounding::{Evidence, Gate, Options, Section, Sentence, Verdict, sentences};
use libfuzzer_sys::fuzz_target;

const BODY: &str = "Et pas koster 893 kr. for voksne og 178 kr. for børn under 18 år. Du skal møde personligt op, og \
    du skal have bestilt tid senest den 12. marts 2026 kl. 10.30. Passet gælder i 10 år, jf. pasloven § 2, stk. 1.\n\n\
    - Ring til os på hverdage, hvis du ikke kan komme.\n- Du kan ikke få et pas uden billede.";

/// An amount that is nowhere in the evidence.
const WRONG: &str = "Et pas koster 4.711 kr. for voksne.";

fn gates() -> &'static [Gate; 2] {
    static GATES: OnceLock<[Gate; 2]> = OnceLock::new();
    GATES.get_or_init(|| [Lang::Da, Lang::En].map(|lang| gate(BODY, lang)))
}

fn gate(body: &str, lang: Lang) -> Gate {
    let evidence = Evidence {
        title: "Nyt pas",
        municipality: "Aarhus",
        sections: vec![Section {
            id: "pas#1",
            heading: Some("Hvad koster det?"),
            body,
        }],
    };
    let instructions = "Svar kort og venligt på borgerens spørgsmål.".to_owned();
    Gate::new(
        &evidence,
        lang,
        Options {
            instructions,
            ..Options::default()
        },
    )
}

fuzz_target!(|text: &str| {
    // The time grows with the square of the text, and an answer has a bounded number of tokens.
    let text = &text[..text.floor_char_boundary(2_000)];
    for gate in gates() {
        for sentence in sentences(text) {
            let _ = gate.judge(&sentence, None);
        }
        let _ = gate.judge(&Sentence::new(text), Some(0.5));
    }
    let wrong = gates()[0].judge(&Sentence::new(WRONG), None);
    assert!(matches!(wrong, Verdict::Dropped { .. }));
    // As what an article says: then it may be said in its own words, if they are sentences at all.
    let own = gate(text, Lang::Da);
    for sentence in sentences(text) {
        let _ = own.judge(&sentence, None);
    }
});
