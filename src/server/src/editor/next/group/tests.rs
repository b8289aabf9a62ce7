use std::collections::BTreeMap;

use base::SystemClock;
use dialogue::eval::parse;
use inference::Kind;

use super::*;
use crate::boot;
use crate::config::Config;
use crate::runtime::progress::Bars;

#[test]
fn what_is_alike_is_together_and_everything_is_somewhere() {
    let v = |x: [f32; 3]| Vector::from(x);
    let vectors = [
        v([1.0, 0.0, 0.0]),
        v([0.0, 1.0, 0.0]),
        v([0.99, 0.1, 0.0]),
        v([0.0, 0.0, 1.0]),
        v([0.1, 0.99, 0.0]),
        v([0.98, 0.0, 0.15]),
    ];
    let mut groups = by_meaning(&vectors);
    assert_eq!(groups[0].len(), 3);
    for g in &mut groups {
        g.sort_unstable();
    }
    groups.sort();
    assert_eq!(groups, [vec![0, 2, 5], vec![1, 4], vec![3]]);
    assert!(by_meaning(&[]).is_empty());
}

/// Our question sets as if nobody had labelled them: most of each group ask for the same article.
#[test]
fn questions_of_a_group_ask_for_the_same() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let env = |name: &str| match name {
        "BORGERLINJE_HOME" => Some(root.to_owned()),
        "BORGERLINJE_CACHE" => std::env::var(name).ok(),
        _ => None,
    };
    let config = Config::read(&env).unwrap();
    let booted = boot::boot(&config, &SystemClock::new(), &Bars::quiet()).unwrap();
    let text = std::fs::read_to_string(format!("{root}/tests/questions/danish.tsv")).unwrap();
    let questions = parse(&text).unwrap();
    let texts: Vec<String> = questions.iter().map(|q| q.text.clone()).collect();
    let vectors = booted
        .encoder
        .encode_blocking(Kind::Query, &texts, &mut |_, _| {})
        .unwrap();
    let (mut grouped, mut agree) = (0, 0);
    for group in by_meaning(&vectors).iter().filter(|g| g.len() > 1) {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for id in group.iter().flat_map(|i| &questions[*i].expected) {
            *count.entry(id).or_default() += 1;
        }
        let most = count.iter().max_by_key(|(_, n)| **n).map(|(id, _)| *id);
        let with = |i: &&usize| {
            questions[**i]
                .expected
                .iter()
                .any(|e| Some(e.as_str()) == most)
        };
        grouped += group.len();
        agree += group.iter().filter(with).count();
    }
    println!("{agree} of {grouped} grouped, {} questions", texts.len());
    assert!(10 * agree >= 8 * grouped, "{agree} of {grouped}");
    assert!(4 * grouped >= texts.len(), "{grouped} of {}", texts.len());
}
