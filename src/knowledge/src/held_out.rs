//! Which example sentences nothing is trained on, so that something is left to judge by.

use sha2::{Digest, Sha256};

/// One sentence in so many is held out.
pub const HELD_OUT_ONE_IN: u64 = 12;

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
    fn words_alone_decide_and_about_one_in_twelve_is_held_out() {
        let held = |n: u32| held_out(&format!("mit barn på {n} år skal have et pas"));
        let count = (0..6_000).filter(|&n| held(n)).count();
        assert!((400..600).contains(&count), "{count}");
        let some = (0..100).find(|&n| held(n)).unwrap();
        assert!(held_out(&format!(
            "  Mit barn på {some} år, skal have et PAS?! "
        )));
        // A sentence never changes sides: what was trained on it would be judged by it.
        assert!(!held_out("hvornår bliver skraldet hentet"));
    }
}
