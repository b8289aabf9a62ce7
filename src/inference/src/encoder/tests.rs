use super::*;
use crate::testing::{Folder, architecture, write_model, write_model_of};

fn encoder(compute: Compute, threads: usize) -> Encoder {
    let folder = Folder::new();
    let path = folder.join("encoder.bl");
    write_model(&path);
    Encoder::load(&path, &EncoderOptions { compute, threads }).unwrap()
}

fn batch() -> Vec<Vec<u32>> {
    (1..=9_u32)
        .map(|length| (0..length).map(|i| (i * 7 + length) % 40).collect())
        .collect()
}

fn far(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn a_batch_gives_what_its_texts_give_alone() {
    let both = [Compute::Dense, Compute::Candle];
    for compute in both.into_iter().filter(|c| c.is_available()) {
        let encoder = encoder(compute, 1);
        let together = encoder.encode(&batch()).unwrap();
        assert_eq!(together.len(), 9);
        for (sequence, vector) in batch().into_iter().zip(&together) {
            let alone = encoder.encode_serial(&[sequence]).unwrap();
            assert!(far(&alone[0], vector) < 1e-5, "{compute:?}");
            assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn threads_change_nothing() {
    let expected = encoder(Compute::Dense, 1).encode(&batch()).unwrap();
    for threads in [2, 3, 20] {
        let encoder = encoder(Compute::Dense, threads);
        for (found, expected) in encoder.encode(&batch()).unwrap().iter().zip(&expected) {
            assert!(far(found, expected) < 1e-5);
        }
        let alone = encoder.encode(&batch()[8..]).unwrap();
        assert!(far(&alone[0], &expected[8]) < 1e-5);
    }
    // Tokens of one text dealt to threads, as many as there are and more, to the bit.
    for tokens in [12, 13, 31, 64] {
        let text = [(0..tokens).map(|i| i * 5 % 40).collect::<Vec<u32>>()];
        for compute in [Compute::Dense, Compute::default()] {
            let expected = encoder(compute, 1).encode(&text).unwrap();
            for threads in [2, 3, 4] {
                let found = encoder(compute, threads).encode(&text).unwrap();
                assert_eq!(found, expected, "{tokens} tokens, {threads} threads");
            }
        }
    }
}

#[test]
fn both_kernels_say_nearly_the_same() {
    if !Compute::Candle.is_available() {
        return;
    }
    let dense = encoder(Compute::Dense, 1).encode(&batch()).unwrap();
    let quantized = encoder(Compute::Candle, 1).encode(&batch()).unwrap();
    for (a, b) in dense.iter().zip(&quantized) {
        assert!(a.iter().zip(b.iter()).map(|(a, b)| a * b).sum::<f32>() > 0.99);
    }
}

#[test]
fn bad_sequences_are_errors() {
    let encoder = encoder(Compute::Dense, 2);
    assert!(encoder.encode(&[]).unwrap().is_empty());
    assert!(matches!(
        encoder.encode(&[vec![1], vec![]]),
        Err(Error::Failed(_))
    ));
    let error = encoder.encode(&[vec![40]]).unwrap_err().to_string();
    assert!(error.contains("token 40 of a vocabulary of 40"), "{error}");
    assert!(encoder.encode(&[vec![u32::MAX]]).is_err());
}

#[test]
fn what_is_too_long_is_cut() {
    let encoder = encoder(Compute::Dense, 1);
    let long: Vec<u32> = (0..120).map(|i| i % 40).collect();
    let vectors = encoder
        .encode(&[long.clone(), long[..96].to_vec()])
        .unwrap();
    assert_eq!(encoder.max_tokens(), 96);
    assert!(far(&vectors[0], &vectors[1]) < 1e-6);
}

#[test]
fn kernels_have_names() {
    for compute in Compute::available() {
        assert_eq!(Compute::from_name(compute.name()), Some(compute));
    }
    for isa in Isa::ALL {
        // Instructions that this machine lacks are refused, not executed.
        assert_eq!(Compute::from_name(isa.name()).is_some(), isa.available());
    }
    assert_eq!(Compute::from_name("gpu"), None);
}

#[test]
fn a_shape_that_cannot_be_computed_with_is_refused() {
    let folder = Folder::new();
    let path = folder.join("encoder.bl");
    let claims: [fn(&mut Architecture); 6] = [
        |a| a.hidden = 0,
        |a| a.heads = 0,
        |a| a.intermediate = 0,
        |a| a.layers = usize::MAX,
        |a| a.position_offset = 97,
        |a| a.position_offset = 95,
    ];
    for (n, claim) in claims.into_iter().enumerate() {
        let mut claimed = architecture();
        claim(&mut claimed);
        write_model_of(&path, claimed);
        let opened = Encoder::load(&path, &EncoderOptions::default());
        assert!(opened.is_err(), "claim {n}");
    }
}
