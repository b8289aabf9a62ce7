use std::path::PathBuf;

use candle_core::quantized::GgmlDType;

use super::*;
use crate::generator::architecture::Family;
use crate::generator::{Answer, GeneratorOptions, Prompt, Request, testing};
use crate::testing::Folder;

struct Tiny {
    _folder: Folder,
    path: PathBuf,
}

fn tiny(family: Family) -> Tiny {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, family, GgmlDType::Q8_0);
    Tiny {
        _folder: folder,
        path,
    }
}

fn engine(tiny: &Tiny, kv_pages: usize, at_once: usize) -> Engine {
    let options = GeneratorOptions::new(std::sync::Arc::new(|| Duration::ZERO));
    let loaded = Loaded::read(&tiny.path, &options).unwrap();
    let limits = Limits {
        queue: 100,
        at_once,
        context: 512,
        kv_bytes: kv_pages * cache::page_bytes(&loaded.decoder.architecture),
    };
    Engine::new(loaded, limits)
}

fn asked(engine: &mut Engine, prefix: &str, prompt: &str, max_tokens: usize) -> Answer {
    let (job, answer) = Job::new(Request {
        prefix: Prompt::Text(prefix.into()),
        prompt: Prompt::Text(prompt.into()),
        max_tokens,
        ..Request::default()
    });
    engine.take(job);
    answer
}

fn run(engine: &mut Engine) {
    for _ in 0..1000 {
        if engine.idle() {
            return;
        }
        engine.step(Duration::ZERO, &|| {}).unwrap();
    }
    panic!("it does not end");
}

/// All that has come, and the end if there was one.
fn heard(answer: &mut Answer) -> (String, Option<super::super::Ended>) {
    let mut text = String::new();
    while let Ok(event) = answer.events.try_recv() {
        match event {
            Event::Text(more) => text.push_str(&more),
            Event::End(end) => return (text, Some(end)),
        }
    }
    (text, None)
}

const EXAMPLES: &str = "sten en ten ten absent en banen bent sten nen teten sten ten en abba ";

#[test]
fn texts_written_beside_each_other_are_those_written_alone() {
    for family in Family::ALL {
        let tiny = tiny(family);
        let prompts = ["en sten", "abe", "ten ten ten en", &EXAMPLES.repeat(3)];
        let alone: Vec<_> = prompts
            .iter()
            .map(|prompt| {
                let mut engine = engine(&tiny, 100, 1);
                let mut answer = asked(&mut engine, "", prompt, 20);
                run(&mut engine);
                heard(&mut answer)
            })
            .collect();
        for at_once in [2, 4] {
            let mut engine = engine(&tiny, 100, at_once);
            let mut answers: Vec<Answer> = prompts
                .iter()
                .map(|p| asked(&mut engine, "", p, 20))
                .collect();
            run(&mut engine);
            for (answer, alone) in answers.iter_mut().zip(&alone) {
                assert_eq!(&heard(answer), alone, "{family:?}, {at_once} at once");
            }
            assert_eq!(engine.stats().kv_bytes, 0);
        }
        assert!(alone.iter().any(|(text, _)| !text.is_empty()));
    }
}

#[test]
fn a_known_beginning_is_not_read_again_and_changes_nothing() {
    let tiny = tiny(Family::Gemma3);
    let prompt = "en ten en";
    let mut fresh = engine(&tiny, 100, 1);
    let mut answer = asked(&mut fresh, "", &[EXAMPLES, prompt].concat(), 20);
    run(&mut fresh);
    let (expected, end) = heard(&mut answer);
    let expected_end = end.unwrap();
    assert_eq!(expected_end.cached_tokens, 0);

    let mut engine = engine(&tiny, 100, 2);
    for n in 0..3 {
        let mut answer = asked(&mut engine, EXAMPLES, prompt, 20);
        run(&mut engine);
        let (text, end) = heard(&mut answer);
        let end = end.unwrap();
        assert_eq!(text, expected);
        assert_eq!(end.prompt_tokens, expected_end.prompt_tokens);
        assert_eq!(end.cached_tokens > 0, n > 0, "run {n}");
    }
    assert_eq!(engine.stats().prefixes, 1);
}

#[test]
fn the_prefix_used_longest_ago_goes_first() {
    let tiny = tiny(Family::Qwen3);
    let mut engine = engine(&tiny, 11, 1);
    let mut cached = |prefix: &str| {
        let mut answer = asked(&mut engine, &prefix.repeat(40), "en", 2);
        run(&mut engine);
        heard(&mut answer).1.unwrap().cached_tokens > 0
    };
    // Each takes about four of eleven pages, and its text as many for a while.
    assert!(!cached("en b"));
    assert!(cached("en b"));
    assert!(!cached("ab a"));
    assert!(cached("ab a"));
    assert!(!cached("en b"), "it had to go for the other");
}

#[test]
fn whoever_leaves_frees_memory_within_one_pass() {
    let tiny = tiny(Family::Llama);
    let mut engine = engine(&tiny, 100, 4);
    let answer = asked(&mut engine, "", "en sten", 400);
    let mut other = asked(&mut engine, "", "abe", 5);
    engine.step(Duration::ZERO, &|| {}).unwrap();
    engine.step(Duration::ZERO, &|| {}).unwrap();
    let before = engine.stats();
    assert_eq!((before.active, before.waiting), (2, 0));
    drop(answer);
    engine.step(Duration::ZERO, &|| {}).unwrap();
    let after = engine.stats();
    assert_eq!(after.active, 1);
    assert!(after.kv_bytes < before.kv_bytes / 4, "{before:?} {after:?}");
    run(&mut engine);
    assert_eq!(engine.stats().kv_bytes, 0);
    assert!(heard(&mut other).1.is_some());
}

#[test]
fn a_text_waits_until_there_is_memory_for_the_longest_it_may_become() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 4, 4);
    let mut first = asked(&mut engine, "", "en", 90);
    let mut second = asked(&mut engine, "", "ten", 90);
    engine.step(Duration::ZERO, &|| {}).unwrap();
    assert_eq!((engine.stats().active, engine.stats().waiting), (1, 1));
    assert!(engine.waiting[0].read.is_some(), "its tokens are made once");
    run(&mut engine);
    assert!(heard(&mut first).1.is_some() && heard(&mut second).1.is_some());
    let mut never = asked(&mut engine, "", "en", 200);
    run(&mut engine);
    let (_, end) = heard(&mut never);
    let Reason::Failed(why) = end.unwrap().reason else {
        panic!("it has no room");
    };
    assert!(why.contains("keys and values"), "{why}");
}

#[test]
fn a_prompt_that_is_too_long_and_a_deadline_end_an_answer() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 100, 1);
    let mut long = asked(&mut engine, "", "en", 5000);
    run(&mut engine);
    assert!(
        matches!(heard(&mut long).1.unwrap().reason, Reason::Failed(why) if why.contains("exceed the 512"))
    );
    let (job, mut late) = Job::new(Request {
        prompt: Prompt::Text("en".into()),
        max_tokens: 100,
        deadline: Some(Duration::from_secs(3)),
        ..Request::default()
    });
    engine.take(job);
    engine.step(Duration::from_secs(2), &|| {}).unwrap();
    assert_eq!(engine.stats().active, 1);
    engine.step(Duration::from_secs(3), &|| {}).unwrap();
    assert_eq!(heard(&mut late).1.unwrap().reason, Reason::Deadline);
    assert!(engine.idle());
}

#[test]
fn a_long_prompt_is_read_between_others_tokens() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 100, 2);
    let mut short = asked(&mut engine, "", "en sten", 30);
    engine.step(Duration::ZERO, &|| {}).unwrap();
    let mut long = asked(&mut engine, "", &EXAMPLES.repeat(6), 1);
    let before = engine.sessions[0].written;
    let mut passes = 0;
    while heard(&mut long).1.is_none() {
        engine.step(Duration::ZERO, &|| {}).unwrap();
        passes += 1;
    }
    assert!(passes >= 3, "read in {passes} pieces");
    let written = engine.sessions.front().map_or(30, |s| s.written);
    assert_eq!(written, before + passes, "a token in each pass");
    run(&mut engine);
    assert!(heard(&mut short).1.is_some());
}

#[test]
fn nothing_is_written_when_nothing_is_asked() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 100, 1);
    let mut none = asked(&mut engine, "", "en", 0);
    run(&mut engine);
    let (text, end) = heard(&mut none);
    assert_eq!((text.as_str(), end.unwrap().reason), ("", Reason::Length));
}

/// Whoever asks something short in every pass takes turns with a long prompt, and does not starve it.
#[test]
fn a_long_prompt_is_read_on_while_short_ones_keep_arriving() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 1000, 1000);
    let mut long = asked(&mut engine, "", &EXAMPLES.repeat(6), 1);
    let mut others = Vec::new();
    let mut passes = 0;
    while heard(&mut long).1.is_none() {
        others.push(asked(&mut engine, "", "en", 40));
        engine.step(Duration::ZERO, &|| {}).unwrap();
        passes += 1;
        assert!(passes < 40, "the long prompt is not read");
    }
    run(&mut engine);
    assert!(others.iter_mut().all(|other| heard(other).1.is_some()));
}

#[test]
fn an_answer_without_a_bound_is_refused_in_words() {
    let tiny = tiny(Family::Gemma3);
    let mut engine = engine(&tiny, 100, 1);
    let mut endless = asked(&mut engine, "", "en", usize::MAX);
    run(&mut engine);
    let (_, end) = heard(&mut endless);
    assert!(matches!(end.unwrap().reason, Reason::Failed(why) if why.contains("exceed the 512")),);
}

/// A prefix takes room of its own; what fits without it is not refused for it.
#[test]
fn what_fits_without_its_prefix_is_not_refused_for_it() {
    let tiny = tiny(Family::Qwen3);
    let mut engine = engine(&tiny, 11, 1);
    let prefix = "en b".repeat(40);
    let mut first = asked(&mut engine, &prefix, "en", 2);
    run(&mut engine);
    let prompt = heard(&mut first).1.unwrap().prompt_tokens;
    assert_eq!(engine.stats().prefixes, 1);
    // As long as fits alone.
    let mut second = asked(&mut engine, &prefix, "en", 11 * PAGE - prompt);
    run(&mut engine);
    let end = heard(&mut second).1.unwrap();
    assert!(
        matches!(end.reason, Reason::Stop | Reason::Length),
        "{end:?}"
    );
}
