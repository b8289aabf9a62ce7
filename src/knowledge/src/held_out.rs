//! Which example sentences nothing is trained on, so that something is left to judge by.

use sha2::{Digest, Sha256};

/// One sentence in so many is held out.
pub const HELD_OUT_ONE_IN: u64 = 4;

/// Whether an example sentence is only measured, never trained on. It depends on its words alone, so that a sentence
/// stays on its side when others come and go, and two that differ in case or punctuation are on the same.
pub fn held_out(sentence: &str) -> bool {
    let folded = base::fold(sentence);
    let words: Vec<&str> = base::words(&folded).collect();
    let digest = Sha256::digest(words.join(" "));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first).is_multiple_of(HELD_OUT_ONE_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_alone_decide_and_about_one_in_four_is_held_out() {
        let held = |n: u32| held_out(&format!("mit barn på {n} år skal have et pas"));
        let count = (0..6_000).filter(|&n| held(n)).count();
        assert!((1_400..1_600).contains(&count), "{count}");
        let some = (0..100).find(|&n| held(n)).unwrap();
        assert!(held_out(&format!(
            "  Mit barn på {some} år, skal have et PAS?! "
        )));
        // A sentence never changes sides: what was trained on it would be judged by it.
        let sides = [
            "hvornår bliver skraldet hentet",
            "mit pas er udløbet",
            "hvad koster en plads i vuggestue",
            "hvor kan jeg stemme",
            "jeg vil gerne flytte",
            "min mor skal på plejehjem",
        ];
        assert_eq!(
            sides.map(held_out),
            [true, false, false, false, false, false]
        );
    }
}
