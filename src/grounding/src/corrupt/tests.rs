use super::*;

#[test]
fn a_seed_gives_the_same_numbers() {
    let of = |seed| {
        let mut d = Dice::of(seed, "x");
        [d.next(), d.next()]
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}
