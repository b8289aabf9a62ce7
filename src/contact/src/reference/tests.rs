use std::collections::HashSet;

use base::DialogueId;

use super::*;

#[test]
fn references_are_short_readable_and_differ() {
    let some: HashSet<_> = (0..200).map(|_| Reference::random()).collect();
    assert!(some.len() >= 199);
    for r in &some {
        assert_eq!(r.as_str().len(), 7);
        assert_eq!(r.as_str().parse::<Reference>().as_ref(), Ok(r));
    }
}

#[test]
fn all_of_the_alphabet_is_used_and_it_is_that_of_the_ids() {
    let of_ids: HashSet<char> = (0..200)
        .flat_map(|_| {
            DialogueId::random()
                .as_str()
                .to_uppercase()
                .chars()
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(of_ids, ALPHABET.iter().map(|&b| char::from(b)).collect());
    assert_eq!(
        Reference::from_bytes([0, 31, 32, 255, 7]).as_str(),
        "B-A9A9H"
    );
}

#[test]
fn a_reference_is_read_as_it_is_said() {
    for text in ["B-7K3QF", "b-7k3qf", " 7k3qf ", "b7K3QF"] {
        assert_eq!(
            text.parse::<Reference>().unwrap().as_str(),
            "B-7K3QF",
            "{text}"
        );
    }
    assert_eq!("B-BO2BB".parse::<Reference>().unwrap().as_str(), "B-B02BB");
    assert_eq!("BA2BB".parse::<Reference>().unwrap().as_str(), "B-BA2BB");
    for bad in [
        "", "B-", "B-7K3Q", "B-7K3QFF", "B-7K3Q1", "B-7K3QÆ", "B-7K3QI", "ß-7K3Q",
    ] {
        assert!(bad.parse::<Reference>().is_err(), "{bad}");
    }
}
