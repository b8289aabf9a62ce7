//! What a citizen writes, on its way in: nothing panics, what was masked once stays as it is, and a personal number
//! that is called one is never left, wherever it stands in the text.

#![no_main]

use base::{Rules, clean, fold, redact, redact_by, without_masks, words};
use libfuzzer_sys::fuzz_target;

/// The CPR-kontoret's example of a number with a valid check digit, belonging to nobody.
const NUMBER: &str = "070761-4285";
const DIGITS: &str = "0707614285";

fuzz_target!(|text: &str| {
    let text = clean(text);
    assert_eq!(clean(&text), text, "clean is not at rest");
    let folded = fold(&text);
    let _ = words(&folded).count();
    for rules in [Rules::ALL, Rules::REPLY, Rules::KNOWLEDGE] {
        let once = redact_by(&text, rules);
        let twice = redact_by(&once.text, rules);
        assert_eq!(twice.text, once.text, "redacted twice, of {text:?}");
        assert!(
            twice.masked.is_empty(),
            "{:?} of {:?}",
            twice.masked,
            once.text
        );
        let _ = without_masks(&once.text);
    }
    // In a sentence of its own between two halves of the text.
    let half = text.floor_char_boundary(text.len() / 2);
    let seeded = format!(
        "{}\nmit CPR-nummer er {NUMBER}\n{}",
        &text[..half],
        &text[half..]
    );
    let left = redact(&seeded).text;
    assert!(
        !left.contains(NUMBER) && !left.contains(DIGITS),
        "left of {seeded:?}: {left:?}"
    );
});
