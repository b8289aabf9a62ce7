use proptest::prelude::*;

use super::*;

fn spelling(counted: &[(&str, u32)]) -> Spelling {
    let word = |(written, count): &(&str, u32)| Word {
        text: fold(written).into(),
        written: (*written).into(),
        count: *count,
        letters: letters(&fold(written)),
    };
    let mut words: Vec<Word> = counted.iter().map(word).collect();
    words.sort_unstable_by(|a, b| (a.text.len(), &a.text).cmp(&(b.text.len(), &b.text)));
    Spelling { words }
}

fn municipal() -> (Spelling, Compounds) {
    let counted = [
        ("kontanthjælp", 300),
        ("kommunen", 900),
        ("måned", 200),
        ("mand", 400),
        ("kommer", 250),
        ("kører", 120),
        ("hvornår", 2000),
        ("hvornar", 9),
        ("pension", 100),
        ("siger", 500),
        ("pas", 900),
    ];
    let known = ["pige", "røre", "køre", "komme", "mand", "kommune", "pas"];
    (spelling(&counted), Compounds::from_words(known))
}

#[test]
fn slips_are_read_as_what_is_meant() {
    let (s, words) = municipal();
    for (written, meant) in [
        ("kan jeg få kontanthjlp?", "kan jeg få kontanthjælp?"),
        ("ring til komunen, tak", "ring til kommunen, tak"),
        // What the keyboard had no letter for, though some write it so in the examples.
        ("Hvornar komer i", "hvornår kommer i"),
        ("koerer", "kører"),
        // A letter too few is likelier than one too many.
        ("hver månd", "hver måned"),
        ("min penssion", "min pension"),
        ("penison", "pension"),
    ] {
        assert_eq!(s.read(written, &words), meant);
    }
}

#[test]
fn what_may_be_meant_as_it_stands_stays() {
    let (s, words) = municipal();
    for text in [
        "mine piger rører den",
        "hos Penison i byen",
        "k0mmunen 12345678 komunen7",
        "mån",
        "Пенсіон كم",
        "",
        " — ",
    ] {
        assert!(matches!(s.read(text, &words), Cow::Borrowed(_)), "{text}");
    }
}

/// The same by its definition, slowly.
fn slow(a: &[u8], b: &[u8]) -> usize {
    match (a, b) {
        ([], rest) | (rest, []) => rest.len(),
        ([x, a @ ..], [y, b @ ..]) if x == y => slow(a, b),
        ([_, left @ ..], [_, right @ ..]) => {
            let mut least = slow(left, b).min(slow(a, right)).min(slow(left, right)) + 1;
            if let ([x, y, left @ ..], [v, w, right @ ..]) = (a, b)
                && (x, y) == (w, v)
            {
                least = least.min(slow(left, right) + 1);
            }
            least
        }
    }
}

proptest! {
    #[test]
    fn distances_are_exact_up_to_their_limit(a in "[abc]{0,7}", b in "[abc]{0,7}", limit in 0_usize..3) {
        let exact = slow(a.as_bytes(), b.as_bytes());
        let got = distance(a.as_bytes(), b.as_bytes(), limit);
        prop_assert_eq!(got, (exact <= limit).then_some(exact));
    }

    #[test]
    fn any_text_can_be_read(text in "\\PC{0,80}") {
        let (s, words) = municipal();
        let read = s.read(&text, &words);
        prop_assert!(read.chars().filter(|c| !c.is_alphanumeric()).eq(text.chars().filter(|c| !c.is_alphanumeric())));
    }
}
