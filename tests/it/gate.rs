//! What the gate catches and what it costs, on the real knowledge.

use serde_json::Value;

use crate::harness::{borgerlinje, finish, printed};

/// The counts; times are printed and asserted nowhere.
#[test]
fn changed_facts_are_caught_and_true_sentences_kept() {
    let out = finish(&mut borgerlinje(&["eval", "--gate", "--json"]), b"");
    let printed = printed(&out);
    let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    let of = |figures: &Value, name: &str| figures[name].as_f64().unwrap();
    assert!(of(&last, "cases") >= 2_000.0, "{last}");
    // What counts is the half of the areas that nobody looked at while the gate was written.
    for figures in [&last, &last["held_out"]] {
        assert!(of(figures, "corrupt_caught") >= 99.0, "{last}");
        assert!(of(figures, "true_dropped") <= 5.0, "{last}");
    }
    // Both languages are measured, each by enough to mean something.
    for lang in ["held_out_da", "held_out_en"] {
        assert!(of(&last[lang], "cases") >= 150.0, "{last}");
        assert!(of(&last[lang], "corrupt_caught") >= 97.0, "{last}");
    }
}
