use super::*;
use crate::testing::{Folder, TOKENIZER, noise, write_model};
use crate::tokenize::Kind;

mod gradients;

fn files(folder: &Folder) -> ModelFiles {
    let files = ModelFiles {
        weights: folder.join("encoder.bl"),
        tokenizer: folder.join("tokenizer.json"),
        hash: String::new(),
    };
    write_model(&files.weights);
    std::fs::write(&files.tokenizer, TOKENIZER).unwrap();
    files
}

/// Three classes in two languages of p, a and s, a passage each, and what belongs nowhere.
fn data() -> Data {
    let mut data = Data {
        languages: vec!["da".into(), "uk".into()],
        general: vec!["pas a pas".into(), "s a p".into(), "a a s".into()],
        retrieval: vec![
            ("pas a".into(), "s s pas".into()),
            ("a p".into(), "p p a".into()),
        ],
        ..Data::default()
    };
    let mut add = |text: &str, class: Option<u32>, language, kind, held_out| {
        data.sentences.push(Sentence {
            text: text.to_owned(),
            class,
            language,
            kind,
            held_out,
        });
    };
    for (class, letters) in (0..).zip(["pas", "ap", "sa"]) {
        for (n, tail) in ["", " a", " s s", " p", " pas"].iter().enumerate() {
            let text = format!("{letters} {letters}{tail}");
            add(&text, Some(class), 0, Kind::Query, n == 4);
            add(
                &format!("{text} {letters}"),
                Some(class),
                1,
                Kind::Query,
                n == 3,
            );
        }
        add(
            &format!("{letters} s a"),
            Some(class),
            0,
            Kind::Passage,
            false,
        );
    }
    add("s p s", None, 0, Kind::Query, false);
    add("a s p p", None, 1, Kind::Query, false);
    data
}

fn recipe(steps: u32) -> Recipe {
    Recipe {
        steps,
        rank: 4,
        rate: 5e-3,
        warm: 2,
        classes: 3,
        groups: 2,
        query_tokens: 12,
        passage_tokens: 12,
        measure_every: 3,
        ..Recipe::default()
    }
}

fn run(trainer: &mut Trainer, until: u32) {
    while trainer.done() < until {
        if trainer.measure_is_due() {
            trainer.measure().unwrap();
        }
        trainer.step().unwrap();
    }
}

#[test]
fn it_learns_what_belongs_together() {
    let folder = Folder::new();
    let mut trainer = Trainer::new(&files(&folder), &data(), recipe(40), 2).unwrap();
    run(&mut trainer, 40);
    let steps = &trainer.curves().steps;
    let mean =
        |part: &[Step]| part.iter().map(|s| s.loss.contrast).sum::<f32>() / part.len() as f32;
    let (before, after) = (mean(&steps[..5]), mean(&steps[35..]));
    assert!(after < 0.7 * before, "{before} to {after}");
    assert!(trainer.is_finished() && trainer.measure_is_due());
    let last = trainer.measure().unwrap();
    assert_eq!(last.classes["da"].of, 3, "what is held out is measured");
    assert_eq!(last.classes["uk"].of, 3);
    assert_eq!(last.retrieval.of, 2);
}

#[test]
fn a_training_taken_up_again_ends_as_one_that_went_through() {
    let folder = Folder::new();
    let files = files(&folder);
    let mut whole = Trainer::new(&files, &data(), recipe(8), 1).unwrap();
    run(&mut whole, 8);
    let path = folder.join("half.checkpoint");
    let mut first = Trainer::new(&files, &data(), recipe(8), 1).unwrap();
    run(&mut first, 5);
    first.save(&path).unwrap();
    // Also on other threads: the sums are in the same order.
    let mut second = Trainer::resume(&files, &data(), recipe(8), 3, &path).unwrap();
    assert_eq!((second.done(), second.curves()), (5, first.curves()));
    run(&mut second, 8);
    assert_eq!(whole.model.parts().unwrap(), second.model.parts().unwrap());
    assert_eq!(whole.curves(), second.curves());
}

#[test]
fn a_checkpoint_of_something_else_is_refused() {
    let folder = Folder::new();
    let files = files(&folder);
    let path = folder.join("one.checkpoint");
    let trainer = Trainer::new(&files, &data(), recipe(8), 1).unwrap();
    trainer.save(&path).unwrap();
    let again = |data: &Data, recipe: Recipe, path: &Path| {
        let resumed = Trainer::resume(&files, data, recipe, 1, path);
        resumed.map(drop).unwrap_err().to_string()
    };
    let other = Recipe {
        rate: 1e-3,
        ..recipe(8)
    };
    assert!(again(&data(), other, &path).contains("other settings"));
    // Only further.
    assert!(Trainer::resume(&files, &data(), recipe(9), 1, &path).is_ok());
    let mut other = data();
    other.sentences[0].text.push('s');
    assert!(again(&other, recipe(8), &path).contains("other sentences"));
    std::fs::write(&path, b"damaged").unwrap();
    assert!(again(&data(), recipe(8), &path).contains("is no checkpoint"));
    assert!(again(&data(), recipe(8), &folder.join("absent")).contains("absent"));
    assert!(Trainer::new(&files, &data(), recipe(0), 1).is_err());
}

#[test]
fn seeds_differ_and_the_adapter_is_what_was_trained() {
    let folder = Folder::new();
    let files = files(&folder);
    let trained = |seed| {
        let recipe = Recipe { seed, ..recipe(3) };
        let mut trainer = Trainer::new(&files, &data(), recipe, 1).unwrap();
        run(&mut trainer, 3);
        trainer
    };
    let (one, two) = (trained(1), trained(2));
    assert_ne!(one.model.parts().unwrap(), two.model.parts().unwrap());
    let about = AdapterManifest {
        title: "test".into(),
        licence: "MPL-2.0".into(),
        file: "adapter.safetensors".into(),
        sha256: String::new(),
        bytes: 0,
        base: String::new(),
        data_sha256: String::new(),
        seed: 0,
        rank: 0,
        steps: 0,
        strength: 1.0,
        figures: Default::default(),
    };
    let path = folder.join("out/adapter.toml");
    let told = one.finish(&path, about).unwrap();
    let (adapter, read) = Adapter::read(&path).unwrap();
    assert_eq!((told, read.steps, read.rank), (read.clone(), 3, 4));
    assert_eq!(read.data_sha256, data().sha256());
    // The encoder that loads it says what the training's own forward pass says.
    let options = EncoderOptions {
        compute: Compute::Dense,
        threads: 1,
    };
    let encoder = Encoder::load_with(&files.weights, &options, Some(&adapter)).unwrap();
    let batch = sequences();
    let merged = one.model.merge(&one.workers).unwrap();
    let own = one.model.forward(&one.stock, &merged, &batch).unwrap();
    for (own, loaded) in own
        .to_vec2::<f32>()
        .unwrap()
        .iter()
        .zip(encoder.encode(&batch).unwrap())
    {
        let cosine: f32 = own.iter().zip(loaded.iter()).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.9999, "{cosine}");
    }
}

#[test]
fn an_adapter_is_weighed_from_nothing_to_all_of_it() {
    let folder = Folder::new();
    let files = files(&folder);
    let mut trainer = Trainer::new(&files, &data(), recipe(3), 1).unwrap();
    run(&mut trainer, 3);
    let adapter = Adapter::of(trainer.model.parts().unwrap());
    let mut told = Vec::new();
    let strengths = [0.5, 1.0];
    let all = weigh(&files, &data(), &adapter, &strengths, 1, |w| {
        told.push(w.clone());
    });
    let all = all.unwrap();
    assert_eq!(told, all);
    assert_eq!(
        all.iter().map(|w| w.strength).collect::<Vec<_>>(),
        [0.0, 0.5, 1.0]
    );
    for w in &all {
        assert_eq!(w.found.retrieval.of, 2, "all pairs");
        let first = f64::from(w.found.retrieval.hits);
        // The others come second.
        assert_eq!(w.found.reciprocal_rank, (first + (2.0 - first) / 2.0) / 2.0);
        assert_eq!(w.found.classes["da"].of, 3, "all that is held out");
    }
}

/// Of several lengths, so that something is padded.
fn sequences() -> Vec<Vec<u32>> {
    (2..9_u32)
        .map(|length| (0..length).map(|i| (i * 7 + length) % 40).collect())
        .collect()
}

#[test]
fn the_forward_pass_is_the_encoders() {
    let folder = Folder::new();
    let files = files(&folder);
    let options = EncoderOptions {
        compute: Compute::Dense,
        threads: 1,
    };
    let stock = Encoder::load(&files.weights, &options).unwrap();
    let model = Model::read(&files.weights, 4, 2.0, 1, &Device::Cpu).unwrap();
    let merged = model.merge(&Workers::new(2).unwrap()).unwrap();
    let found = model.forward(&stock, &merged, &sequences()).unwrap();
    let expected = stock.encode(&sequences()).unwrap();
    for (found, expected) in found.to_vec2::<f32>().unwrap().iter().zip(&expected) {
        for (a, b) in found.iter().zip(expected.iter()) {
            assert!((a - b).abs() < 1e-5);
        }
    }
}

#[test]
fn a_batch_mixes_languages_and_holds_nothing_that_is_held_out() {
    let folder = Folder::new();
    let recipe = recipe(8);
    let trainer = Trainer::new(&files(&folder), &data(), recipe.clone(), 1).unwrap();
    let near = vec![vec![1, 2], vec![0, 2], vec![0, 1]];
    let draw = |step| Batch::draw(&trainer.data, &near, &recipe, 1, step);
    let batch = draw(0);
    assert_eq!(batch.ids, draw(0).ids);
    assert_ne!(batch.ids, draw(1).ids);
    let held: Vec<_> = trainer.data.held_out.iter().map(|h| &h.2).collect();
    assert!(batch.ids.iter().all(|ids| !held.contains(&ids)));
    for class in 0..3 {
        let of: Vec<_> = (0..batch.ids.len())
            .filter(|&i| batch.places[i] == loss::Place::Class(class))
            .collect();
        assert!(of.len() >= 4, "four sentences a class");
        let queries = &trainer.data.classes[class as usize].queries;
        for language in queries {
            assert!(of.iter().any(|&i| language.contains(&batch.ids[i])));
        }
    }
    // Every sentence is in one chunk, and no chunk is larger than it may be unless one sentence is.
    let chunks = batch.chunks(20);
    let mut all: Vec<usize> = chunks.concat();
    all.sort_unstable();
    assert_eq!(all, (0..batch.ids.len()).collect::<Vec<_>>());
    for chunk in &chunks {
        let longest = chunk.iter().map(|&i| batch.ids[i].len()).max().unwrap();
        assert!(chunk.len() == 1 || chunk.len() * longest <= 20);
    }
}

#[test]
fn the_rate_rises_then_falls() {
    let rate = |step| adam::rate(1.0, step, 100, 10);
    assert!((rate(0) - 0.1).abs() < 1e-12 && (rate(9) - 1.0).abs() < 1e-12);
    assert!((10..99).all(|step| rate(step + 1) < rate(step)));
    assert!(rate(99) > 0.02 && rate(99) < 0.03);
}
