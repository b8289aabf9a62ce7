use super::*;
use crate::generator::architecture::{Architecture, Family};
use crate::generator::testing;
use crate::testing::Folder;

const DTYPES: [GgmlDType; 13] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::BF16,
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q2K,
    GgmlDType::Q3K,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

/// Bytes of a header by hand: one entry, one tensor.
fn header(entry: &[u8], tensor: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(entry);
    bytes.extend(tensor);
    // Some data, and less than the tensors below claim.
    bytes.extend([0; 64]);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [text(key), kind.to_le_bytes().to_vec(), value.to_vec()].concat()
}

fn tensor(name: &str, shape: &[u64], kind: u32, start: u64) -> Vec<u8> {
    let mut bytes = text(name);
    bytes.extend((shape.len() as u32).to_le_bytes());
    shape.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes.extend(kind.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes
}

fn opened(bytes: &[u8]) -> Result<Gguf> {
    let folder = Folder::new();
    let path = folder.join("x.gguf");
    std::fs::write(&path, bytes).unwrap();
    Gguf::open(&path)
}

#[test]
fn every_kind_of_blocks_is_expanded_as_candle_does() {
    let folder = Folder::new();
    let tensors: testing::Tensors =
        vec![("m".into(), vec![3, 512], crate::testing::noise(1, 3 * 512))];
    for dtype in DTYPES {
        let path = folder.join("m.gguf");
        testing::write_with(&path, &Vec::new(), &tensors, dtype);
        let mut file = Gguf::open(&path).unwrap();
        assert_eq!(file.tensor("m").unwrap().shape, [3, 512]);
        let source = Tensor::from_slice(&tensors[0].2, (3, 512), &Device::Cpu).unwrap();
        let expected = QTensor::quantize(&source, dtype)
            .unwrap()
            .dequantize(&Device::Cpu)
            .unwrap();
        let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(file.floats("m", 3 * 512).unwrap(), expected, "{dtype:?}");
        let mut last = Vec::new();
        file.expand("m", 2, 1, |row, values| {
            assert_eq!(row, 2);
            last.extend_from_slice(values);
        })
        .unwrap();
        assert_eq!(last, expected[2 * 512..], "{dtype:?}");
    }
}

use candle_core::Tensor;

#[test]
fn a_header_that_claims_too_much_is_refused() {
    let fine = entry("a", 4, &7_u32.to_le_bytes());
    let small = tensor("t", &[32], 0, 0);
    let huge = u64::MAX.to_le_bytes();
    let array = |kind: u32, count: u64| {
        [kind.to_le_bytes().to_vec(), count.to_le_bytes().to_vec()].concat()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("is not a GGUF file", b"GGML\x03\0\0\0".to_vec()),
        ("version 9", b"GGUF\x09\0\0\0".to_vec()),
        ("ends within its header", b"GGUF".to_vec()),
        (
            "tensors",
            [b"GGUF\x03\0\0\0".as_slice(), &huge, &huge].concat(),
        ),
        ("bytes of a text", header(&entry("a", 8, &huge), &small)),
        (
            "elements of an array",
            header(&entry("a", 9, &array(4, u64::MAX)), &small),
        ),
        (
            "ends within",
            header(&entry("a", 9, &array(4, 1 << 20)), &small),
        ),
        (
            "ends within",
            header(&entry("a", 9, &array(8, 1 << 20)), &small),
        ),
        (
            "unknown kind 9",
            header(&entry("a", 9, &array(9, 3)), &small),
        ),
        ("unknown kind 77", header(&entry("a", 77, &[0; 8]), &small)),
        (
            "general.alignment",
            header(&entry("general.alignment", 4, &[0; 4]), &small),
        ),
        (
            "general.alignment",
            header(&entry("general.alignment", 4, &[3, 0, 0, 0]), &small),
        ),
        ("ends before its tensor", header(&fine, &small)),
        (
            "ends before its tensor",
            header(&fine, &tensor("t", &[32], 0, u64::MAX)),
        ),
        (
            "is larger than the file",
            header(&fine, &tensor("t", &[32, 1 << 30, 1 << 30], 0, 0)),
        ),
        (
            "values along a tensor",
            header(&fine, &tensor("t", &[u64::MAX], 0, 0)),
        ),
        ("is empty", header(&fine, &tensor("t", &[32, 0], 0, 0))),
        ("has 9 extents", header(&fine, &tensor("t", &[1; 9], 0, 0))),
        (
            "quantised as kind 99",
            header(&fine, &tensor("t", &[32], 99, 0)),
        ),
        ("no whole", header(&fine, &tensor("t", &[33], 2, 0))),
        (
            "not UTF-8",
            header(
                &entry(
                    "a",
                    8,
                    &[[2, 0, 0, 0, 0, 0, 0, 0].as_slice(), b"\xFF\xFE"].concat(),
                ),
                &small,
            ),
        ),
    ];
    for (expected, bytes) in cases {
        let said = opened(&bytes).unwrap_err().to_string();
        assert!(
            said.contains(expected),
            "{said:?} says nothing of {expected:?}"
        );
    }
}

#[test]
fn a_file_cut_anywhere_or_with_a_byte_changed_gives_no_panic() {
    let folder = Folder::new();
    let path = folder.join("x.gguf");
    let tensors: testing::Tensors = vec![("token_embd.weight".into(), vec![4, 32], vec![0.5; 128])];
    let mut entries = testing::metadata(Family::Gemma3);
    entries.retain(|(key, _)| !key.starts_with("tokenizer"));
    testing::write_with(&path, &entries, &tensors, GgmlDType::Q8_0);
    let whole = std::fs::read(&path).unwrap();
    // candle fills up what follows the last tensor.
    for end in 0..whole.len() - 32 {
        assert!(
            opened(&whole[..end]).is_err(),
            "cut at {end} of {}",
            whole.len()
        );
    }
    let mut refused = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5F;
        match opened(&bytes).and_then(|file| Architecture::read(&file)) {
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 100, "{refused} refused");
}

#[test]
fn what_an_architecture_lacks_is_named() {
    let folder = Folder::new();
    let path = folder.join("x.gguf");
    let said = |change: &dyn Fn(&mut testing::Entries)| {
        let mut entries = testing::metadata(Family::Qwen3);
        change(&mut entries);
        let tensors: testing::Tensors = vec![(
            "token_embd.weight".into(),
            vec![310, 256],
            vec![0.5; 310 * 256],
        )];
        testing::write_with(&path, &entries, &tensors, GgmlDType::Q8_0);
        Architecture::read(&Gguf::open(&path).unwrap()).map_err(|e| e.to_string())
    };
    assert!(said(&|_| {}).is_ok());
    use candle_core::quantized::gguf_file::Value as V;
    let set = |key: &'static str, value: V| {
        said(&move |entries: &mut testing::Entries| {
            for (k, v) in entries.iter_mut().filter(|(k, _)| k == key) {
                assert_eq!(k, key);
                *v = value.clone();
            }
        })
        .unwrap_err()
    };
    assert!(
        set("general.architecture", V::String("mamba".into())).contains("gemma3, qwen3, llama")
    );
    assert!(set("qwen3.block_count", V::U32(0)).contains("block_count is 0"));
    assert!(
        set("qwen3.attention.head_count_kv", V::U32(3)).contains("4 heads share the keys of 3")
    );
    assert!(set("qwen3.attention.key_length", V::U32(66)).contains("66 wide"));
    assert!(set("qwen3.embedding_length", V::U32(128)).contains("256 wide, the model 128"));
    assert!(set("qwen3.attention.layer_norm_rms_epsilon", V::F32(f32::NAN)).contains("NaN"));
    let without = said(&|entries| entries.retain(|(k, _)| k != "qwen3.feed_forward_length"));
    assert!(
        without
            .unwrap_err()
            .contains("has no qwen3.feed_forward_length")
    );
}
