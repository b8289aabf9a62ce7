//! A transformers checkpoint: `model.safetensors` in f32, f16 or bf16 beside its `config.json`.
//! Matrices are quantised to Q4_0 by candle, as ggml does it; vectors and positions stay f32.

use std::borrow::Cow;
use std::path::Path;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::safetensors::BufferedSafetensors;
use candle_core::{DType, Device};
use serde::Deserialize;

use super::{Converted, wanted};
use crate::container::{Architecture, Dtype, Tensor};
use crate::error::{Error, IoContext, Result};

/// The fields of `config.json` that say how to run the model.
#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    layer_norm_eps: f64,
    #[serde(default)]
    hidden_act: Option<String>,
    #[serde(default)]
    pad_token_id: usize,
}

impl Config {
    fn architecture(&self, path: &Path) -> Result<Architecture> {
        let position_offset = match self.model_type.as_str() {
            "bert" => 0,
            "xlm-roberta" | "roberta" => self.pad_token_id + 1,
            other => {
                return Err(Error::format(
                    path,
                    format!("model_type = {other:?}; known are bert, roberta and xlm-roberta"),
                ));
            }
        };
        if let Some(other) = self.hidden_act.as_deref().filter(|&act| act != "gelu") {
            return Err(Error::format(
                path,
                format!("hidden_act = {other:?}; only gelu is known"),
            ));
        }
        Ok(Architecture {
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            intermediate: self.intermediate_size,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            position_offset,
            layer_norm_eps: self.layer_norm_eps as f32,
        })
    }
}

/// Loads and quantises; needs memory for the checkpoint and one matrix more.
pub(crate) fn read(weights: &Path, config: &Path) -> Result<Converted<'static>> {
    let text = std::fs::read(config).at("read", config)?;
    let parsed: Config =
        serde_json::from_slice(&text).map_err(|error| Error::format(config, error.to_string()))?;
    let architecture = parsed.architecture(config)?;
    let fault = |error: candle_core::Error| Error::format(weights, error.to_string());
    let checkpoint =
        BufferedSafetensors::new(std::fs::read(weights).at("read", weights)?).map_err(fault)?;
    let prefix = ["", "bert.", "roberta."]
        .into_iter()
        .find(|prefix| {
            checkpoint
                .get(&format!("{prefix}embeddings.word_embeddings.weight"))
                .is_ok()
        })
        .ok_or_else(|| Error::format(weights, "no tensor embeddings.word_embeddings.weight"))?;

    let mut tensors = Vec::new();
    for tensor in wanted(&architecture) {
        let name = format!("{prefix}{}", tensor.checkpoint);
        let mut values = checkpoint
            .load(&name, &Device::Cpu)
            .and_then(|values| values.to_dtype(DType::F32))
            .map_err(fault)?;
        if tensor.name == "type" {
            values = values.get(0).map_err(fault)?;
        }
        if values.dims() != tensor.shape {
            return Err(Error::format(
                weights,
                format!(
                    "tensor {name} is {:?}, expected {:?} by {}",
                    values.dims(),
                    tensor.shape,
                    config.display()
                ),
            ));
        }
        let data = match tensor.dtype {
            Dtype::Q4_0 => {
                let blocks = QTensor::quantize(&values, GgmlDType::Q4_0).map_err(fault)?;
                blocks.data().map_err(fault)?.into_owned()
            }
            Dtype::F32 => {
                let values = values
                    .flatten_all()
                    .and_then(|v| v.to_vec1::<f32>())
                    .map_err(fault)?;
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect()
            }
        };
        tensors.push(Tensor {
            name: tensor.name,
            shape: tensor.shape,
            dtype: tensor.dtype,
            data: Cow::Owned(data),
        });
    }
    Ok(Converted {
        architecture,
        tensors,
    })
}
