use std::collections::BTreeMap;
use std::sync::Arc;

use base::SystemClock;
use dialogue::eval::{Question, parse};
use dialogue::{Context, Input, Turn};
use inference::{Kind, Vector};

use super::*;
use crate::boot;
use crate::config::Config;
use crate::runtime::progress::Bars;

#[test]
fn what_is_alike_is_together_and_everything_is_somewhere() {
    let v = |x: [f32; 3]| x.to_vec();
    let vectors = [
        v([1.0, 0.0, 0.0]),
        v([0.0, 1.0, 0.0]),
        v([0.99, 0.1, 0.0]),
        v([0.0, 0.0, 1.0]),
        v([0.1, 0.99, 0.0]),
        v([0.98, 0.0, 0.15]),
    ];
    // As many as there are articles in question, each sure of its own.
    let of = |id: &str| Profile::from([(id.to_owned(), 1.0)]);
    let profiles = ["a", "b", "a", "c", "b", "a"].map(of);
    let mut groups = by_meaning(&vectors, &profiles);
    assert_eq!(groups[0].len(), 3);
    for g in &mut groups {
        g.sort_unstable();
    }
    groups.sort();
    assert_eq!(groups, [vec![0, 2, 5], vec![1, 4], vec![3]]);
    assert!(by_meaning(&[], &[]).is_empty());

    // What no article has anything on is together by its words alone; what articles tell apart is not.
    let unsure = ["a", "b"].map(|id| Profile::from([(id.to_owned(), 0.1)]));
    let near = [v([1.0, 0.0, 0.0]), v([0.8, 0.6, 0.0])];
    assert_eq!(by_meaning(&near, &unsure).len(), 1);
    assert_eq!(by_meaning(&near, &["a", "b"].map(of)).len(), 2);
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
    let turn = Turn::new(Arc::clone(&booted.snapshot));
    // The line is 80 % of all. The set of other languages alone is no test: no two of it ask for one article.
    for (sets, least, grouped) in [
        (&["danish"][..], 90, 70),
        (&["danish", "languages"], 80, 50),
    ] {
        let text =
            |set: &&str| std::fs::read_to_string(format!("{root}/tests/questions/{set}.tsv"));
        let parsed = sets.iter().map(|set| parse(&text(set).unwrap()).unwrap());
        let questions: Vec<Question> = parsed.flatten().collect();
        let (agree, sum) = agree_in_groups(&booted, &turn, &questions);
        let n = questions.len();
        assert!(100 * agree >= least * sum, "{sets:?}: {agree} of {sum}");
        assert!(100 * sum >= grouped * n, "{sets:?}: {sum} of {n}");
    }
}

/// Of the questions that are grouped, how many share the true article with most of their group; and how many are.
fn agree_in_groups(booted: &boot::Booted, turn: &Turn, questions: &[Question]) -> (usize, usize) {
    let texts: Vec<String> = questions.iter().map(|q| q.text.clone()).collect();
    let vectors = booted
        .encoder
        .encode_blocking(Kind::Query, &texts, &mut |_, _| {})
        .unwrap();
    let profiles: Vec<Profile> = questions
        .iter()
        .zip(&vectors)
        .map(|(q, v)| {
            let context = Context::default();
            let input = Input {
                text: q.text.clone(),
                municipality: q.municipality,
            };
            let begun = turn.begin(input, &context);
            let vectors: Vec<Vector> = begun.texts().iter().map(|_| v.clone()).collect();
            let record = begun.finish(&vectors, &context).unwrap().record;
            let candidates = record.candidates.into_iter();
            candidates.map(|c| (c.article_id, c.score)).collect()
        })
        .collect();
    let centred: Vec<_> = vectors.iter().map(|v| turn.snapshot.centred(v)).collect();
    let counted = |neighbours: f32| {
        let (mut sum, mut agree) = (0, 0);
        let groups = grouped(&centred, &profiles, neighbours);
        for group in groups.iter().filter(|g| g.len() > 1) {
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
            sum += group.len();
            agree += group.iter().filter(with).count();
        }
        println!(
            "{neighbours}: {agree} of {sum} grouped, {} questions",
            texts.len()
        );
        (agree, sum)
    };
    counted(NEIGHBOURS)
}
