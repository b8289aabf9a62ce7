use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::*;
use crate::testing::{Folder, architecture, packed_file, tensors, values};

#[test]
fn the_packed_format_keeps_every_block() {
    let file = packed_file();
    let converted = read_packed(Path::new("e5-small-q4.bin"), &file).unwrap();
    assert_eq!(converted.architecture, architecture());
    for (found, expected) in converted.tensors.iter().zip(tensors(&architecture())) {
        assert_eq!(
            (&found.name, &found.shape),
            (&expected.name, &expected.shape)
        );
        assert_eq!(found.data, expected.data, "{}", found.name);
    }
}

#[test]
fn a_packed_file_cut_anywhere_is_refused() {
    let file = packed_file();
    for length in (0..file.len()).step_by(97) {
        assert!(
            read_packed(Path::new("x"), &file[..length]).is_err(),
            "{length} bytes were taken for whole"
        );
    }
}

/// Writes a checkpoint of the small model; `prefix` goes before every name.
pub(crate) fn write_checkpoint(folder: &Path, prefix: &str, model_type: &str) {
    let a = architecture();
    let mut checkpoint = HashMap::new();
    for (wanted, (_, shape, _, values)) in wanted(&a).into_iter().zip(values(&a)) {
        let shape = if wanted.name == "type" {
            vec![1, a.hidden]
        } else {
            shape
        };
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        checkpoint.insert(format!("{prefix}{}", wanted.checkpoint), tensor);
    }
    candle_core::safetensors::save(&checkpoint, folder.join("model.safetensors")).unwrap();
    let config = serde_json::json!({
        "model_type": model_type, "hidden_act": "gelu", "pad_token_id": 1,
        "hidden_size": a.hidden, "num_hidden_layers": a.layers, "num_attention_heads": a.heads,
        "intermediate_size": a.intermediate, "vocab_size": a.vocabulary,
        "max_position_embeddings": a.positions, "layer_norm_eps": a.layer_norm_eps,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn a_checkpoint_is_quantised_as_ggml_does() {
    for (prefix, model_type, offset) in [
        ("", "bert", 0),
        ("bert.", "bert", 0),
        ("roberta.", "xlm-roberta", 2),
    ] {
        let folder = Folder::new();
        write_checkpoint(&folder.0, prefix, model_type);
        let (weights, config) = (folder.join("model.safetensors"), folder.join("config.json"));
        let converted = read_safetensors(&weights, &config).unwrap();
        assert_eq!(converted.architecture.position_offset, offset);
        for (found, expected) in converted.tensors.iter().zip(tensors(&architecture())) {
            assert_eq!(
                (&found.name, &found.shape),
                (&expected.name, &expected.shape)
            );
            assert_eq!(found.data, expected.data, "{}", found.name);
        }
    }
}

#[test]
fn a_foreign_checkpoint_is_named() {
    let folder = Folder::new();
    write_checkpoint(&folder.0, "", "gpt2");
    let (weights, config) = (folder.join("model.safetensors"), folder.join("config.json"));
    assert!(
        read_safetensors(&weights, &config)
            .err()
            .unwrap()
            .to_string()
            .contains("gpt2")
    );
    write_checkpoint(&folder.0, "decoder.", "bert");
    assert!(
        read_safetensors(&weights, &config)
            .err()
            .unwrap()
            .to_string()
            .contains("word_embeddings")
    );
    std::fs::write(&weights, b"not a checkpoint").unwrap();
    assert!(matches!(
        read_safetensors(&weights, &config),
        Err(crate::Error::Format { .. })
    ));
}
