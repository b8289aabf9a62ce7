use super::*;
use crate::encoder::{Compute, Encoder, EncoderOptions};
use crate::testing::{Folder, architecture, noise, write_model};

/// A part for every matrix of the tiny model, small enough to leave it a model.
fn parts(rank: usize, size: f32) -> BTreeMap<String, Low> {
    let a = architecture();
    let mut parts = BTreeMap::new();
    for layer in 0..a.layers {
        for (name, wide_out, wide_in) in PARTS {
            let [outputs, inputs] = shape(&a, wide_out, wide_in);
            let seed = 100 + parts.len() as u32;
            let scaled = |seed, count| noise(seed, count).iter().map(|v| v * size).collect();
            let low = Low {
                a: scaled(seed, rank * inputs),
                b: scaled(seed + 1000, outputs * rank),
                rank,
            };
            parts.insert(format!("{layer}.{name}"), low);
        }
    }
    parts
}

fn written(folder: &Folder, base: &str, parts: &BTreeMap<String, Low>) -> PathBuf {
    let bytes = Adapter::to_bytes(parts, &folder.0).unwrap();
    std::fs::write(folder.join("adapter.safetensors"), &bytes).unwrap();
    let about = AdapterManifest {
        title: "test".into(),
        licence: "MPL-2.0".into(),
        file: "adapter.safetensors".into(),
        sha256: digest::of_bytes(&bytes),
        bytes: bytes.len() as u64,
        base: base.into(),
        data_sha256: "0".repeat(64),
        seed: 1,
        rank: 3,
        steps: 1,
        strength: 1.0,
        figures: BTreeMap::new(),
    };
    let path = folder.join(MANIFEST);
    std::fs::write(&path, toml::to_string(&about).unwrap()).unwrap();
    path
}

fn vectors(weights: &Path, compute: Compute, adapter: Option<&Adapter>) -> Vec<Vec<f32>> {
    let options = EncoderOptions {
        compute,
        threads: 1,
    };
    let encoder = Encoder::load_with(weights, &options, adapter).unwrap();
    let batch: Vec<Vec<u32>> = (1..8)
        .map(|n| (0..n).map(|i| (i * 11 + n) % 40).collect())
        .collect();
    let vectors = encoder.encode(&batch).unwrap();
    vectors.iter().map(|v| v.to_vec()).collect()
}

fn cosines(a: &[Vec<f32>], b: &[Vec<f32>]) -> Vec<f32> {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum())
        .collect()
}

#[test]
fn what_is_written_is_read_and_changes_the_encoder() {
    let folder = Folder::new();
    let weights = folder.join("encoder.bl");
    let base = write_model(&weights).hash;
    let parts = parts(3, 0.4);
    let (adapter, about) = Adapter::read(&written(&folder, &base, &parts)).unwrap();
    assert_eq!(adapter.hash(), about.sha256);
    let low = &adapter.parts["1.down"];
    assert_eq!((low.rank, low.a.len(), low.b.len()), (3, 3 * 96, 64 * 3));
    for (found, expected) in low.a.iter().zip(&parts["1.down"].a) {
        assert!((found - expected).abs() < 1e-3, "f16 keeps three digits");
    }
    let stock = vectors(&weights, Compute::Dense, None);
    let adapted = vectors(&weights, Compute::Dense, Some(&adapter));
    assert!(cosines(&stock, &adapted).iter().all(|c| *c < 0.999));
    // Each kernel carries it, 4-bit blocks rounded anew included.
    for compute in Compute::available() {
        let other = vectors(&weights, compute, Some(&adapter));
        let near = cosines(&adapted, &other);
        assert!(near.iter().all(|c| *c > 0.97), "{compute:?}: {near:?}");
    }
}

#[test]
fn an_adapter_of_zeros_changes_nothing_but_the_name() {
    let folder = Folder::new();
    let weights = folder.join("encoder.bl");
    let base = write_model(&weights).hash;
    let (adapter, _) = Adapter::read(&written(&folder, &base, &parts(2, 0.0))).unwrap();
    let stock = vectors(&weights, Compute::Dense, None);
    assert_eq!(stock, vectors(&weights, Compute::Dense, Some(&adapter)));
    let options = EncoderOptions::default();
    let adapted = Encoder::load_with(&weights, &options, Some(&adapter)).unwrap();
    assert_eq!(adapted.hash().len(), 64);
    assert_ne!(adapted.hash(), base, "caches must not mix the two");
}

/// Writes the manifest again with another strength.
fn strengthened(manifest: &Path, strength: f64) -> Result<(Adapter, AdapterManifest)> {
    let text = std::fs::read_to_string(manifest).unwrap();
    let text = text.lines().filter(|l| !l.starts_with("strength"));
    let text = text.collect::<Vec<_>>().join("\n");
    std::fs::write(manifest, format!("strength = {strength}\n{text}")).unwrap();
    Adapter::read(manifest)
}

#[test]
fn at_half_its_strength_it_adds_half() {
    let folder = Folder::new();
    let weights = folder.join("encoder.bl");
    let base = write_model(&weights).hash;
    let manifest = written(&folder, &base, &parts(3, 0.4));
    let (whole, about) = Adapter::read(&manifest).unwrap();
    let (half, read) = strengthened(&manifest, 0.5).unwrap();
    assert_eq!((about.strength, read.strength), (1.0, 0.5));
    assert_eq!(half.parts["0.up"].a, whole.parts["0.up"].a);
    let halves = whole.parts["0.up"].b.iter().map(|b| b / 2.0);
    assert_eq!(half.parts["0.up"].b, halves.collect::<Vec<_>>());
    assert_ne!(half.hash(), whole.hash(), "caches must not mix the two");
    let [stock, half, whole] =
        [None, Some(&half), Some(&whole)].map(|a| vectors(&weights, Compute::Dense, a));
    for (far, near) in cosines(&stock, &whole).iter().zip(cosines(&stock, &half)) {
        assert!(near > *far, "{near} {far}");
    }
    for strength in [0.0, -0.5, 1.01, f64::NAN] {
        let fault = strengthened(&manifest, strength).unwrap_err().to_string();
        assert!(fault.contains("strength"), "{fault}");
    }
    // A manifest from before says nothing of it.
    let text = std::fs::read_to_string(&manifest).unwrap();
    let (_, text) = text.split_once('\n').unwrap();
    std::fs::write(&manifest, text).unwrap();
    assert_eq!(Adapter::read(&manifest).unwrap().1.strength, 1.0);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let folder = Folder::new();
    let weights = folder.join("encoder.bl");
    let base = write_model(&weights).hash;
    let load = |adapter: &Adapter| {
        let options = EncoderOptions::default();
        Encoder::load_with(&weights, &options, Some(adapter))
            .unwrap_err()
            .to_string()
    };
    let (other, _) = Adapter::read(&written(&folder, &"1".repeat(64), &parts(2, 0.1))).unwrap();
    assert!(load(&other).contains("train it anew"), "{}", load(&other));
    let mut wrong = parts(2, 0.1);
    wrong.get_mut("0.up").unwrap().b.truncate(64);
    let (adapter, _) = Adapter::read(&written(&folder, &base, &wrong)).unwrap();
    assert!(load(&adapter).contains("0.up has another shape"));
    // Another file than the manifest's.
    let manifest = written(&folder, &base, &parts(2, 0.1));
    let bytes = Adapter::to_bytes(&parts(2, 0.2), &folder.0).unwrap();
    std::fs::write(folder.join("adapter.safetensors"), bytes).unwrap();
    assert!(matches!(Adapter::read(&manifest), Err(Error::Hash { .. })));
    std::fs::write(&manifest, "title = 1").unwrap();
    assert!(matches!(
        Adapter::read(&manifest),
        Err(Error::Manifest { .. })
    ));
    let fault = Adapter::from_bytes(b"no tensors", Path::new("x")).unwrap_err();
    assert!(matches!(fault, Error::Format { .. }), "{fault}");
    let mut infinite = parts(2, 0.1);
    infinite.get_mut("1.key").unwrap().a[5] = 1e9;
    let bytes = Adapter::to_bytes(&infinite, &folder.0).unwrap();
    let fault = Adapter::from_bytes(&bytes, Path::new("x"))
        .unwrap_err()
        .to_string();
    assert!(fault.contains("1.key.a holds what is no number"), "{fault}");
}
