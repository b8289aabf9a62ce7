//! The generator on the real Gemma 3 270M, where it was fetched: its terms are the operator's to accept, so these tests do
//! not fetch it, and say so when it is not here. What does not need it is tested on small models made by hand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use inference::generator::{Event, Generator, GeneratorOptions, Prompt, Reason, Request};
use inference::{Compute, GeneratorManifest};

use super::root;

fn generator(compute: Compute) -> Option<Generator> {
    let cache =
        std::env::var_os("BORGERLINJE_CACHE").map_or_else(|| root().join("cache"), PathBuf::from);
    let manifest = GeneratorManifest::read(&root().join("models/gemma3-270m.toml")).unwrap();
    let path = manifest.path(&cache);
    if !path.is_file() {
        println!("{} is not here: nothing was tested", path.display());
        return None;
    }
    let mut options = GeneratorOptions::new(Arc::new(|| Duration::ZERO));
    options.compute = compute;
    Some(Generator::load(&path, &options).unwrap())
}

fn written(generator: &Generator, prompt: &str, max_tokens: usize) -> String {
    let request = Request {
        prompt: Prompt::Text(prompt.into()),
        max_tokens,
        ..Request::default()
    };
    let mut answer = generator.generate(request).unwrap();
    let mut text = String::new();
    loop {
        match answer.next_blocking().unwrap() {
            Event::Text(more) => text.push_str(&more),
            Event::End(end) => {
                assert!(
                    matches!(end.reason, Reason::Stop | Reason::Length),
                    "{end:?}"
                );
                return text;
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Fixture {
    greedy: Vec<Greedy>,
}

#[derive(serde::Deserialize)]
struct Greedy {
    prompt: String,
    text: String,
}

#[test]
fn gemma_begins_as_it_does_in_llama_cpp() {
    let Some(generator) = generator(Compute::default()) else {
        return;
    };
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/gemma3.json")).unwrap();
    for Greedy { prompt, text } in fixture.greedy {
        let found = written(&generator, &prompt, 24);
        // Neither rounds as the other does, and greedy texts part at the first near tie.
        let least = text.char_indices().nth(6).map_or(text.len(), |(at, _)| at);
        assert!(
            found.starts_with(&text[..least]),
            "{prompt:?}: {found:?}, and there {text:?}"
        );
        assert_eq!(written(&generator, &prompt, 24), found);
    }
}
